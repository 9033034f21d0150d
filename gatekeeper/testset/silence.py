"""Keeping libraries silent while they read a file: their warnings and log lines can hold values of its header."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_LOGGERS = ("pydicom", "nibabel", "PIL", "highdicom")
_lock = threading.Lock()
_inside: list[int] = [0]
_kept = ExitStack()


@contextmanager
def silenced() -> Iterator[None]:
    """Drop the warnings and log lines of the libraries that read files, until the last thread is done with it."""
    with _lock:
        _inside[0] += 1
        if _inside[0] == 1:
            _kept.enter_context(_quiet())
    try:
        yield
    finally:
        with _lock:
            _inside[0] -= 1
            if _inside[0] == 0:
                _kept.close()


@contextmanager
def _quiet() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)

"""Keeping the libraries for PDF silent: what they have to say is judged here, not printed."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = ("pyhanko", "pyhanko_certvalidator", "weasyprint", "fontTools")


@contextmanager
def quiet() -> Iterator[None]:
    """Let no log line and no warning of the PDF libraries out; restores everything afterwards."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger.propagate, logger.level, logger.handlers) for logger in loggers]
    try:
        for logger in loggers:
            logger.propagate, logger.handlers = False, [logging.NullHandler()]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, (propagate, level, handlers) in zip(loggers, before, strict=True):
            logger.propagate, logger.level, logger.handlers = propagate, level, handlers

"""Progress on stderr: a bar on a terminal, plain lines elsewhere, nothing for what takes under two seconds.

A pipeline may give a job a terminal that nobody sits at: where ``CI`` is set, or the terminal is dumb, lines it is.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_QUIET_SECONDS = 2.0
_LINE_EVERY_SECONDS = 5.0


class Progress(Protocol):
    """Takes how far a stage is."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` steps of a stage are done."""


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Give a function that shows progress in the way that fits where stderr goes."""
    if not _has_a_reader():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, object] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)  # type: ignore[arg-type]

        yield show


def _has_a_reader() -> bool:
    dumb = os.environ.get("TERM") in ("dumb", "unknown")
    return sys.stderr.isatty() and not dumb and not os.environ.get("CI")


class _Lines:
    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self._told: dict[str, float] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        started = self._started.setdefault(stage, now)
        last = self._told.get(stage, started)
        due = now - last >= (_LINE_EVERY_SECONDS if stage in self._told else _QUIET_SECONDS)
        if due and total:
            self._told[stage] = now
            print(f"{stage}: {done:,} of {total:,} ({100 * done // total} %)", file=sys.stderr, flush=True)

"""What a kind of report is: a function from what is told to the content of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gatekeeper.reporters.told import Failed, Judged, Told


@dataclass(frozen=True)
class RunnerReport:
    """What a runner of GitHub Actions is told, besides a file.

    ``summary`` gives the job summary in at most so many bytes; ``commands`` are lines for the log, escaped already;
    ``outputs`` are the step's, by name.
    """

    summary: Callable[[int], str]
    commands: tuple[str, ...]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Reporter:
    """A kind of report: pure functions of what is told.

    ``failed`` is None for a kind that cannot tell of an error: then no file is left. ``needs_run`` marks a kind that
    has nothing to tell of stored evidence that is judged again. ``on_runner`` is what a kind without a path says.
    """

    name: str
    judged: Callable[[Judged], str | bytes]
    failed: Callable[[Failed], str | bytes] | None
    needs_run: bool = False
    on_runner: Callable[[Told], RunnerReport] | None = None
    aliases: tuple[str, ...] = field(default=())

    def of(self, told: Told) -> str | bytes | None:
        """Return the content of the file; None for none."""
        if isinstance(told, Judged):
            return self.judged(told)
        return self.failed(told) if self.failed else None

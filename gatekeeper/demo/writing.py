"""Files of a demonstration: what is said when they cannot be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gatekeeper.errors import Code, UsageError


@contextmanager
def written_below(folder: Path, what: str) -> Iterator[None]:
    """Raise UsageError where writing ``what`` of the demonstration below ``folder`` fails."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            Code.CANNOT_WRITE,
            f"the demonstration's {what} cannot be written",
            where=str(folder),
            why=error.strerror,
            mend="choose a folder that you may write to",
        ) from error

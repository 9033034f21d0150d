"""The errors that people read: what, where, why, what mends it, and the exit code.

Raised where the fault is known, caught once in the entry point. A message never carries patient data or the value of
a DICOM tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class ExitCode(IntEnum):
    """What a process of gatekeeper says when it ends. No flag changes what a code means."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    INTEGRITY = 3
    INCONCLUSIVE = 4
    INVALID = 5
    INTERRUPTED = 130


class Code(StrEnum):
    """Stable names of errors, for scripts and tests. A code is never used again for something else."""

    FILE_NOT_FOUND = "GK101"
    UNKNOWN_NAME = "GK102"
    BAD_SYNTAX = "GK103"
    BAD_VALUE = "GK104"
    UNKNOWN_KEY = "GK105"
    MISSING_KEY = "GK106"
    DUPLICATE = "GK107"
    FORBIDDEN = "GK108"
    NOTHING_TO_JUDGE = "GK109"
    BAD_TABLE = "GK110"
    BAD_IMAGE = "GK111"
    MISMATCH = "GK112"
    CANNOT_WRITE = "GK113"
    MISSING_PACKAGE = "GK114"
    DIGEST_MISMATCH = "GK301"
    BAD_SIGNATURE = "GK302"
    UNTRUSTED_KEY = "GK303"
    ALTERED_DOSSIER = "GK304"
    ALTERED_LEDGER = "GK305"
    NOT_RECOMPUTED = "GK306"
    UNSIGNED = "GK307"
    WORKER_LOST = "GK501"
    WORKER_TIMEOUT = "GK502"
    NO_TIMESTAMP = "GK503"
    UNEXPECTED = "GK599"


# A runner of GitHub Actions obeys a line of a log that begins with ``::``, and ``##[`` anywhere in one. Every ``::`` is
# broken, not only at a beginning: a terminal's width may put the next one there.
_RUNNER_COMMAND = re.compile(r":(?=:)|##(?=\[)")


def printable(text: str) -> str:
    """Return text without the characters that could steer a terminal, or hide what stands beside them.

    Nor does it hold what a runner of a pipeline takes for a command: ``::`` becomes ``:·:``, ``##[`` becomes ``##·[``.
    """
    seen = "".join(letter if letter.isprintable() else "·" for letter in text)
    return _RUNNER_COMMAND.sub(r"\g<0>·", seen)


@dataclass(frozen=True)
class Place:
    """Where a fault is: a file, and within it a line and a column (both one-based), or a named item such as a case."""

    path: str
    line: int | None = None
    column: int | None = None
    item: str | None = None
    excerpt: str | None = None

    def __str__(self) -> str:
        position = "".join(f":{number}" for number in (self.line, self.column) if number is not None)
        return f"{self.path}{position}" + (f"   ({self.item})" if self.item else "")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, in the words of the person who must mend it."""

    code: Code
    what: str
    where: Place | None = None
    why: str | None = None
    mend: str | None = None

    def __str__(self) -> str:
        lines = [f"error[{self.code.value}]: {self.what}"]
        if self.where is not None:
            lines.append(f"  --> {self.where}")
            if self.where.excerpt is not None and self.where.line is not None:
                gutter = len(str(self.where.line))
                lines.append(f"{' ' * gutter} |")
                lines.append(f"{self.where.line} | {self.where.excerpt}")
                if self.where.column is not None:
                    lines.append(f"{' ' * gutter} | {' ' * (self.where.column - 1)}^")
        if self.why is not None:
            lines.append(f"why:  {self.why}")
        if self.mend is not None:
            lines.append(f"help: {self.mend}")
        return "\n".join(printable(line) for line in lines)


class GatekeeperError(Exception):
    """Base of all errors that gatekeeper raises on purpose; carries one or several problems."""

    exit_code: ExitCode = ExitCode.INVALID

    def __init__(
        self,
        code: Code,
        what: str,
        *,
        where: Place | str | None = None,
        why: str | None = None,
        mend: str | None = None,
    ) -> None:
        place = Place(where) if isinstance(where, str) else where
        self.problems: tuple[Problem, ...] = (Problem(code, what, place, why, mend),)
        super().__init__(what)

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> GatekeeperError:
        """Make one error of all that is wrong with a file, so that a person mends it in one go."""
        listed = tuple(problems)
        if not listed:
            raise ValueError("an error needs at least one problem")
        error = cls(listed[0].code, listed[0].what)
        error.problems = listed
        return error

    def __str__(self) -> str:
        return "\n\n".join(str(problem) for problem in self.problems)


class UsageError(GatekeeperError):
    """Wrong usage or configuration: the person who called can mend it."""

    exit_code = ExitCode.USAGE


class IntegrityError(GatekeeperError):
    """A digest or a signature does not hold."""

    exit_code = ExitCode.INTEGRITY


class InvalidRunError(GatekeeperError):
    """The machinery failed: nothing can be said about the candidate."""

    exit_code = ExitCode.INVALID

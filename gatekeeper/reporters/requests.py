"""What ``--report`` asks for, read before anything is run."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatekeeper.errors import Code, Place, Problem, UsageError
from gatekeeper.reporters.kinds import REPORTERS
from gatekeeper.reporters.reporter import Reporter

# What a runner of GitHub Actions sets: files that take the job summary and the step's outputs.
SUMMARY, OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"


@dataclass(frozen=True)
class ReportRequest:
    """One report that was asked for; without a path it goes to the runner of the pipeline."""

    given: str
    reporter: Reporter
    path: Path | None


def read_requests(
    given: Sequence[str], environ: Mapping[str, str], *, with_run: bool = True
) -> tuple[tuple[ReportRequest, ...], tuple[Problem, ...]]:
    """Return the reports that can be made of ``KIND:PATH`` entries, and what is wrong with the others.

    ``with_run`` says whether there will be a run's folder to tell of.
    """
    requests: list[ReportRequest] = []
    problems: list[Problem] = []
    for entry in given:
        try:
            request = _read(entry, environ, with_run=with_run)
        except UsageError as error:
            problems += error.problems
            continue
        twice = next((other for other in requests if _same(other, request)), None)
        if twice is None:
            requests.append(request)
        else:
            where = Place(f"--report {entry}")
            what = "two reports would be written to one place"
            problems.append(Problem(Code.DUPLICATE, what, where, mend="give each a file of its own"))
    return tuple(requests), tuple(problems)


def collisions(requests: Iterable[ReportRequest], inputs: Iterable[Path]) -> Iterator[tuple[ReportRequest, Problem]]:
    """Give the reports that would be written over what is read, with what is wrong."""
    read = {os.path.realpath(path) for path in inputs}
    for request in requests:
        if request.path is not None and os.path.realpath(request.path) in read:
            what = "the report would be written over a file that is read"
            where = Place(f"--report {request.given}")
            yield request, Problem(Code.FORBIDDEN, what, where, mend="give it another file")


def unfit(path: Path) -> str | None:
    """Say why no report can be written to a path, if that can be seen: then nothing may be written there."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "no path of a file"
    else:
        if not stat.S_ISREG(mode):
            return "a folder is there" if stat.S_ISDIR(mode) else "what is there is no plain file"
    above = next((parent for parent in path.absolute().parents if os.path.lexists(parent)), Path("/"))
    if not above.is_dir():
        return f"{above} is no folder"
    if _in_run(path):
        return "it lies in the folder of a finished run, which is evidence"
    return "a link on the way leads out of the working folder" if _leads_out(path) else None


def _in_run(path: Path) -> bool:
    """Whether a path lies in the folder of a finished run, or in one within it."""
    folder = Path(os.path.realpath(path.parent))
    return any((near / "verdict.json").is_file() and (near / "evidence").is_dir() for near in (folder, folder.parent))


def _leads_out(path: Path) -> bool:
    """Whether a path lies in the working folder as it is written, and elsewhere as links have it."""
    here, written = os.getcwd(), os.path.abspath(path)
    real = os.path.realpath(os.path.dirname(written))
    return Path(written).is_relative_to(here) and not Path(real).is_relative_to(os.path.realpath(here))


def _read(entry: str, environ: Mapping[str, str], *, with_run: bool) -> ReportRequest:
    kind, colon, written = entry.partition(":")
    where = f"--report {entry}"
    try:
        reporter = REPORTERS.get(kind)
    except UsageError as error:
        raise UsageError.of(
            Problem(problem.code, problem.what, Place(where), problem.why, problem.mend) for problem in error.problems
        ) from error
    if not isinstance(reporter, Reporter):
        what, mend = (
            f'the plug-in for reporter "{kind}" is no reporter',
            "tell the makers of its package",
        )
        raise UsageError(Code.BAD_VALUE, what, where=where, why=type(reporter).__name__, mend=mend)
    if reporter.needs_run and not with_run:
        what, mend = f"there is no {kind} report of evidence that is judged again", "ask for it of `gatekeeper check`"
        raise UsageError(Code.FORBIDDEN, what, where=where, mend=mend)
    if not colon and reporter.on_runner is not None:
        _check_runner(kind, environ, where)
        return ReportRequest(entry, reporter, None)
    if not written.strip():
        raise UsageError(
            Code.MISSING_KEY, f"{kind} needs a file to write", where=where, mend=f"write it as --report {kind}:FILE"
        )
    why = "it ends in a slash" if written.endswith("/") else unfit(Path(written))
    if why is not None:
        raise UsageError(
            Code.CANNOT_WRITE, "no report can be written there", where=where, why=why, mend="name another file"
        )
    return ReportRequest(entry, reporter, Path(written))


def _check_runner(kind: str, environ: Mapping[str, str], where: str) -> None:
    missing = [name for name in (SUMMARY, OUTPUT) if not environ.get(name)]
    if missing:
        raise UsageError(
            Code.MISSING_KEY,
            f"{kind} alone writes to the runner of GitHub Actions, and this is none",
            where=where,
            why=f"not set: {', '.join(missing)}",
            mend=f"--report {kind}:FILE writes the summary to a file",
        )


def _same(one: ReportRequest, other: ReportRequest) -> bool:
    if one.path is None or other.path is None:
        return one.path is other.path and one.reporter is other.reporter
    return os.path.realpath(one.path) == os.path.realpath(other.path)

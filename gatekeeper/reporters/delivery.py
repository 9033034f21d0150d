"""From what was asked for and what came of it to files: no report changes the verdict, and none is left stale."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gatekeeper.errors import Code, ExitCode, GatekeeperError, Place, Problem, UsageError
from gatekeeper.reporters.github import MOST_BYTES
from gatekeeper.reporters.reporter import RunnerReport
from gatekeeper.reporters.requests import OUTPUT, SUMMARY, ReportRequest, collisions, read_requests, unfit
from gatekeeper.reporters.told import Asked, Failed, Told
from gatekeeper.reporters.writing import add, outputs_text, size_of
from gatekeeper.whole_files import write_whole

_LEAST_SUMMARY = 20_000
Say = Callable[[str], None]


@dataclass
class Reports:
    """The reports of one command. ``warn`` takes a sentence for a person, ``command`` a line for the runner."""

    requests: tuple[ReportRequest, ...]
    asked: Asked
    environ: Mapping[str, str]
    warn: Say
    command: Say
    told: bool = field(default=False, init=False)

    def begin(self, *inputs: Path) -> None:
        """Remove what earlier runs left where a report will be written: a run that is killed leaves none.

        Raises UsageError when a report would be written over one of ``inputs``, or what is there cannot be removed.
        """
        barred = dict(collisions(self.requests, inputs))
        problems = [*barred.values()]
        self.requests = tuple(request for request in self.requests if request not in barred)
        for request in self.requests:
            try:
                if request.path is not None and unfit(request.path) is None:
                    request.path.unlink(missing_ok=True)
            except OSError as error:
                where, what = Place(f"--report {request.given}"), "the report of an earlier run cannot be removed"
                mend = "remove it, or name another file"
                problems.append(Problem(Code.CANNOT_WRITE, what, where, error.strerror, mend))
        if problems:
            raise UsageError.of(problems)

    def tell(self, told: Told) -> None:
        """Make and write every report. What goes wrong with one is a warning."""
        self.told = True
        for request in self.requests:
            try:
                self._deliver(request, told)
            except OSError as error:
                self._warn(request, error.strerror or type(error).__name__)
            except UsageError as error:
                self._warn(request, error.problems[0].why or error.problems[0].what)
            except Exception as error:  # a plug-in's, too: no report may change what the command says
                self._warn(request, f"an unexpected error: {type(error).__name__}")

    def _deliver(self, request: ReportRequest, told: Told) -> None:
        if request.path is None:
            if request.reporter.on_runner is not None:
                self._tell_runner(request, request.reporter.on_runner(told))
            return
        why = unfit(request.path)
        if why is not None:
            raise OSError(0, why)
        try:
            content = request.reporter.of(told)
        except BaseException:
            _remove(request.path)
            raise
        if content is None:
            _remove(request.path)
        else:
            request.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(request.path, content.encode("utf-8", "replace") if isinstance(content, str) else content)

    def _tell_runner(self, request: ReportRequest, report: RunnerReport) -> None:
        """Write annotations, outputs and summary, each whatever became of the others."""
        steps: tuple[tuple[str, Callable[[Path, RunnerReport], None]], ...] = (
            (OUTPUT, _add_outputs),
            (SUMMARY, _add_summary),
        )
        for line in report.commands:
            self.command(line)
        for name, step in steps:
            try:
                step(Path(self.environ.get(name, "")), report)
            except OSError as error:
                self._warn(request, f"${name}: {error.strerror or type(error).__name__}")

    def _warn(self, request: ReportRequest, why: str) -> None:
        mend = "name a file that can be written" if request.path else "see that the runner's files can be written"
        self.warn(f"warning: the report {request.given} could not be written: {why}; {mend}. The verdict stands.")


@contextmanager
def reporting(
    given: Sequence[str],
    asked: Asked,
    environ: Mapping[str, str],
    warn: Say,
    command: Say,
    *,
    inputs: Sequence[Path] = (),
    with_run: bool = True,
) -> Iterator[Reports]:
    """Give the reports of a command; when that ends in an error before it told of a verdict, they tell of the error.

    ``inputs`` are files that are known to be read. Raises UsageError for what ``read_requests`` finds wrong.
    """
    requests, problems = read_requests(given, environ, with_run=with_run)
    barred = dict(collisions(requests, inputs))
    fine = tuple(request for request in requests if request not in barred)
    reports = Reports(fine, asked, environ, warn, command)
    try:
        if problems or barred:
            raise UsageError.of((*problems, *barred.values()))
        yield reports
    except BaseException as error:
        if not reports.told:
            _tell_of(error, reports)
        raise


def _tell_of(error: BaseException, reports: Reports) -> None:
    if isinstance(error, GatekeeperError):
        reports.tell(Failed(reports.asked, error.problems, int(error.exit_code)))
    elif isinstance(error, Exception):
        # Its message stays out: it may hold a value from a patient's file.
        problem = Problem(Code.UNEXPECTED, "an unexpected error; nothing was judged", why=type(error).__name__)
        reports.tell(Failed(reports.asked, (problem,), int(ExitCode.INVALID)))


def _add_outputs(path: Path, report: RunnerReport) -> None:
    add(path, outputs_text(report.outputs).encode("utf-8", "replace"))


def _add_summary(path: Path, report: RunnerReport) -> None:
    room = MOST_BYTES - size_of(path)
    if room < _LEAST_SUMMARY:
        raise OSError(0, "other summaries of this step leave no room")
    add(path, report.summary(room).encode("utf-8", "replace"))


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)

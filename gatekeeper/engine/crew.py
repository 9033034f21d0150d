"""Questions to a worker, and to the one that takes its place: which fault is a case's, and which the machinery's.

A case that its candidate cannot answer costs that case alone. When a worker is gone, the batch that it was at is asked
again case by case, and what fails alone is an outcome of that case. A worker that was killed from outside, or whose
device was lost, is no fault of the case: the same batch is asked again, and a run in which that keeps happening is
invalid.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.protocol import SLOTS, Answer, FileAt, Given, Question, Ready
from gatekeeper.engine.session import Cause, Lost, Session
from gatekeeper.errors import Code, InvalidRunError, UsageError
from gatekeeper.evidence import CaseOutcome

_MOST_TRIES = 3
_MOST_LOST_WITHOUT_AN_ANSWER = 10
_OUTSIDE = (Cause.KILLED, Cause.DEVICE)
_READ_THE_LOG = "what it printed is in the log"


@dataclass(frozen=True)
class Batch:
    """Cases of one shape: their places in the lock, ``images`` (n, channels, *axes), what is told of each."""

    cases: tuple[int, ...]
    images: NDArray[np.generic]
    given: tuple[Given, ...]
    files: tuple[Mapping[str, bytes], ...] = ()

    def alone(self, position: int) -> Batch:
        """Return the batch of one of its cases."""
        one = slice(position, position + 1)
        return Batch(self.cases[one], self.images[one], self.given[one], self.files[one])


@dataclass(frozen=True)
class Heard:
    """What became of a batch under one condition; positions count within the batch.

    ``parts``: positions, and their outputs with these as the first axis. ``failed``: position, outcome, and in a word
    why. Of a timed question, ``seconds``: transfer, forward pass, transfer back; ``peak_device``, ``peak_children``: as
    the worker tells in its ``Answer``.
    """

    batch: Batch
    condition: int
    parts: tuple[tuple[tuple[int, ...], dict[str, NDArray[np.generic]]], ...]
    failed: tuple[tuple[int, CaseOutcome, str], ...]
    seconds: tuple[float, float, float] | None = None
    peak_device: int | None = None
    peak_children: int | None = None


@dataclass
class _Open:
    batch: Batch
    left: list[int]
    number: int = -1
    tries: int = 0


@dataclass
class Crew:
    """A worker under some conditions, replaced when it is gone. ``launch`` starts one.

    ``seed`` gives the number from which a condition's perturbation of a case is drawn. ``deadline`` is that of the run,
    on the monotonic clock. ``log`` takes what a worker printed that was lost or failed, unless ``quiet``.
    ``restarts`` counts the workers that were replaced.
    """

    launch: Callable[[], Session]
    conditions: Sequence[int]
    seed: Callable[[int, int], int]
    start_seconds: float
    case_seconds: float
    deadline: float
    log: Path
    quiet: bool = False
    timed: bool = False
    restarts: int = 0
    _pending: deque[_Open] = field(default_factory=deque)
    _number: int = 0
    _lost: int = 0
    _answered: bool = False
    _failed: bool = False

    def __enter__(self) -> Crew:
        try:
            self._begin()
        except Lost as lost:
            if lost.cause is Cause.TIMED_OUT:
                raise self._too_late(lost.how, "engine.start_timeout") from None
            raise UsageError(
                Code.MISMATCH,
                "the candidate ended its worker while it was loaded",
                where=str(self.log),
                why=lost.how,
                mend=f"{_READ_THE_LOG}; where memory is short: engine.candidate_memory",
            ) from None
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()
        if self._failed:
            self._keep_printed("all was asked, and some of it failed")

    @property
    def ready(self) -> Ready:
        """What the present worker said of itself."""
        return self._session.ready

    def peak(self) -> int:
        """Return the most bytes that the present worker, and what it started and is still there, have held."""
        return self._session.peak()

    def put(self, batch: Batch) -> Iterator[Heard]:
        """Hand in a batch; give what is heard of earlier ones where that must be waited for."""
        while len(self._pending) >= (1 if self.timed else SLOTS):
            yield from self._oldest()
        opened = _Open(batch, list(self.conditions))
        self._pending.append(opened)
        try:
            self._ask(opened)
        except Lost as lost:
            yield from self._recover(lost)

    def rest(self) -> Iterator[Heard]:
        """Give all that is still to be heard."""
        while self._pending:
            yield from self._oldest()

    def _oldest(self) -> Iterator[Heard]:
        opened = self._pending[0]
        try:
            while opened.left:
                yield self._hear(opened)
        except Lost as lost:
            yield from self._recover(lost)
            return
        self._pending.popleft()

    def _ask(self, opened: _Open) -> None:
        opened.number, self._number = self._number, self._number + 1
        batch = opened.batch
        place = self._session.put(opened.number, batch.images)
        given, offset = batch.given if self.ready.told else (), place.size + 64
        if batch.files:
            given = ()
            for facts, files in zip(batch.given, batch.files, strict=True):
                placed = []
                for name, data in files.items():
                    self._session.put_bytes(opened.number, data, offset)
                    placed.append(FileAt(name=name, offset=offset, length=len(data)))
                    offset += len(data)
                given += (facts.model_copy(update={"files": tuple(placed)}),)
        seeds = tuple(self._seeds(condition, batch.cases) for condition in opened.left)
        self._session.ask(
            Question(
                number=opened.number,
                images=place,
                cases=given,
                conditions=tuple(opened.left),
                seeds=seeds,
                timed=self.timed,
            )
        )

    def _seeds(self, condition: int, cases: Sequence[int]) -> tuple[int, ...]:
        drawn = tuple(self.seed(condition, case) for case in cases)
        return drawn if any(drawn) else ()

    def _hear(self, opened: _Open) -> Heard:
        answer = self._session.answer(self._left(self.case_seconds))
        if answer.number != opened.number or answer.condition != opened.left[0] or not _is_whole(answer, opened.batch):
            raise Lost(Cause.CRASHED, "its answer is to no question")
        parts = tuple((part.cases, self._session.outputs(opened.number, part.outputs)) for part in answer.parts)
        failed = tuple((one.case, CaseOutcome(one.fault), one.error) for one in answer.failed)
        opened.left.pop(0)
        self._answered, self._lost = True, 0
        self._failed = self._failed or any(one.fault != "refused" for one in answer.failed)
        peaks = answer.peak_device, answer.peak_children
        return Heard(opened.batch, answer.condition, parts, failed, answer.seconds, *peaks)

    def _recover(self, lost: Lost) -> Iterator[Heard]:
        """Start a new worker, settle the batch that the old one was at, and ask the others again."""
        opened, *others = self._pending
        self._pending.clear()
        opened.tries += 1
        if lost.cause in _OUTSIDE and opened.tries < _MOST_TRIES:
            others.insert(0, opened)
            self._replace(lost)
        elif len(opened.batch.cases) == 1:
            yield from self._alone(opened, lost)
        else:
            self._replace(lost)
            for position in range(len(opened.batch.cases)):
                yield from self._alone(_Open(opened.batch.alone(position), list(opened.left)), None)
        for number, other in enumerate(others, start=1):
            self._pending.append(other)
            try:
                self._ask(other)
            except Lost as again:
                # Nobody was at it: the worker went before it was asked. What is behind it is asked again with it.
                self._pending.extend(others[number:])
                yield from self._recover(again)
                return

    def _alone(self, opened: _Open, lost: Lost | None) -> Iterator[Heard]:
        """Ask one case under one condition after the other; ``lost`` is how the worker that was just at it went."""
        conditions, tries = list(opened.left), 1 if lost else 0
        for condition in conditions:
            while True:
                if lost is None:
                    opened.left = [condition]
                    try:
                        self._ask(opened)
                        yield self._hear(opened)
                        break
                    except Lost as again:
                        lost, tries = again, tries + 1
                self._replace(lost)
                outside, how, cause = lost.cause in _OUTSIDE, lost.how, lost.cause
                lost = None
                if outside and tries < _MOST_TRIES:
                    continue
                if cause is Cause.KILLED:
                    raise InvalidRunError(
                        Code.WORKER_LOST,
                        f"the worker was killed from outside {tries} times in a row ({how})",
                        where=str(self.log),
                        mend="look for what kills it: little memory, a job's limit; then go on with `check --resume`",
                    )
                outcome = CaseOutcome.CRASHED if cause is Cause.DEVICE else CaseOutcome(cause.value)
                yield Heard(opened.batch, condition, (), ((0, outcome, how),))
                break
            tries = 0

    def _begin(self) -> None:
        self._session = self.launch()
        try:
            self._session.begin(self._left(self.start_seconds))
        except Lost as lost:
            self._session.close()
            self._keep_printed(lost.how)
            raise
        except UsageError as error:
            self._session.close()
            if not self._session.printed.text():
                raise
            self._keep_printed("it could not be loaded")
            (problem,) = error.problems
            mend = f"{problem.mend}; {_READ_THE_LOG}" if problem.mend else _READ_THE_LOG
            raise UsageError(problem.code, problem.what, where=str(self.log), why=problem.why, mend=mend) from None
        except BaseException:
            self._session.close()
            raise

    def _replace(self, lost: Lost) -> None:
        self._session.close()
        self._keep_printed(lost.how)
        self.restarts += 1
        self._lost += 1
        if not self._answered and self._lost >= _MOST_LOST_WITHOUT_AN_ANSWER:
            raise InvalidRunError(
                Code.WORKER_LOST,
                f"the candidate ended its worker {self._lost} times in a row and answered nothing",
                why=lost.how,
                where=str(self.log),
                mend=f"mend the candidate; {_READ_THE_LOG}",
            )
        try:
            self._begin()
        except (Lost, UsageError) as error:
            raise InvalidRunError(
                Code.WORKER_LOST,
                "the candidate cannot be loaded again",
                why=error.how if isinstance(error, Lost) else error.problems[0].what,
                where=str(self.log),
                mend="look for what changed on this machine; then go on with `check --resume`",
            ) from None

    def _left(self, seconds: float) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0.0:
            raise self._too_late("the time of the whole run is over", "engine.timeout")
        return min(seconds, left)

    def _too_late(self, how: str, setting: str) -> InvalidRunError:
        return InvalidRunError(
            Code.WORKER_TIMEOUT,
            "the candidate was stopped",
            why=how,
            mend=f'allow more time: {setting}="60 min"'
            + ("; what was done is kept: `check --resume`" if self._answered else ""),
        )

    def _keep_printed(self, ended: str) -> None:
        """Keep what the worker printed, in the candidate's own words: it may say anything."""
        printed = self._session.printed.text()
        if self.quiet:  # it was given the files themselves, and may have printed what their headers say
            printed = f"[{len(printed)} bytes that it printed are not kept]".encode()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            log.write(f"== worker {self.restarts + 1} ended: {ended}\n".encode())
            log.write(printed + b"\n")


def _is_whole(answer: Answer, batch: Batch) -> bool:
    told = [*(case for part in answer.parts for case in part.cases), *(one.case for one in answer.failed)]
    return sorted(told) == list(range(len(batch.cases)))

"""Calls under the clock: one after another, from the files to the result, once times are stable; and cold starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import cycle, islice
from statistics import median

import numpy as np

from gatekeeper.candidate.contract import Contract
from gatekeeper.engine.crew import Crew, Heard
from gatekeeper.engine.journal import Found
from gatekeeper.engine.measuring import Asked, Reference
from gatekeeper.engine.outputs import called_at_once, hold
from gatekeeper.engine.reading import ReadCase, Reader, batch_of
from gatekeeper.evidence import CaseOutcome, Clock, Condition

_MIB = 1 << 20
_WINDOW = 10
_STABLE = 0.05
_MOST_WARM_UPS = 5  # times the calls that the policy asks for
_LONGEST_WARM_UP_SECONDS = 60.0
_CALIBRATIONS = 9
_SORTS = 16
_CALIBRATED_ON = np.sin(np.arange(1 << 17, dtype=np.float64) * 7.3)


@dataclass(frozen=True)
class _Call:
    """One call: its outcome, the seconds of inference where there was an answer, and by stage, and peaks in MiB."""

    outcome: CaseOutcome
    fault: str
    seconds: float | None
    told: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Timer:
    """Asks cases under the clock; ``asked`` is what the policy asks of answers."""

    contract: Contract
    asked: Asked
    reader: Reader
    cases: int
    batch_size: int

    def calls(self, crew: Crew, condition: Condition, index: int) -> tuple[Found, Clock]:
        """Ask by a condition's protocol; give a row a call, and how steady the machine was meanwhile.

        Row r is of case r mod n, and of the cases that follow it where calls are of a whole batch.
        """
        before = calibrated()
        warm_ups, stable = self._warmed_up(crew, condition)
        found = Found()
        for call in range(condition.timed_calls):
            made = self._call(crew, call % self.cases, condition)
            _add(found, call, self.cases, index, made)
        return found, _clock(before, calibrated(), warm_ups, stable)

    def cold_starts(
        self, start: Callable[[], AbstractContextManager[Crew]], condition: Condition, index: int
    ) -> tuple[Found, Clock]:
        """Start worker after worker, and ask each one case; ``seconds`` of a row is the start of its process."""
        before, found = calibrated(), Found()
        for call in range(condition.cold_starts):
            started = time.perf_counter()
            with start() as crew:
                ready = time.perf_counter() - started
                crew.conditions, crew.timed = (index,), True
                made = self._call(crew, call % self.cases, condition)
            end_to_end = made.told.get("seconds.end_to_end")
            told = {} if end_to_end is None else {"seconds.first_case": end_to_end}
            _add(found, call, self.cases, index, _Call(made.outcome, made.fault, ready, told))
        return found, _clock(before, calibrated())

    def _warmed_up(self, crew: Crew, condition: Condition) -> tuple[int, bool | None]:
        """Call until times are stable, as ``LatencyProtocol`` of the policy says; how many calls, and whether it is."""
        least = condition.warm_up_calls
        if least == 0:
            return 0, None
        window, took, started = min(_WINDOW, least), list[float](), time.perf_counter()
        while len(took) < _MOST_WARM_UPS * least:
            made = self._call(crew, len(took) % self.cases, condition)
            took.append(np.inf if made.seconds is None else made.seconds)
            if len(took) >= max(least, 2 * window) and is_stable(took, window):
                return len(took), True
            if len(took) >= least and time.perf_counter() - started > _LONGEST_WARM_UP_SECONDS:
                break
        return len(took), False

    def _call(self, crew: Crew, first: int, condition: Condition) -> _Call:
        started = time.perf_counter()
        if condition.declared_batch:
            cases, told = self._alike(first), dict[str, float]()
        else:
            case, told = self.reader.read_afresh(first)
            cases = [case]
        heard = [*crew.put(batch_of(cases)), *crew.rest()]
        back = time.perf_counter()
        outcome, fault = self._outcome(heard, cases)
        ended = time.perf_counter()
        seconds = heard[0].seconds
        if outcome is not CaseOutcome.OK:
            return _Call(outcome, fault, None)
        if len(heard) > 1 or seconds is None:  # the whole of it failed, and its cases were asked again one by one
            return _Call(CaseOutcome.CRASHED, "answered case by case alone", None)
        transfer, forward, fetched = seconds
        told |= {"transfer": transfer, "forward": forward}
        if condition.declared_batch:
            told["per_case"] = sum(seconds) / len(cases)
        else:
            told |= {"postprocess": fetched + ended - back, "end_to_end": ended - started}
        columns = {f"seconds.{stage}": took for stage, took in told.items()}
        return _Call(outcome, fault, sum(seconds), columns | _peaks(crew, heard[0]))

    def _alike(self, first: int) -> list[ReadCase]:
        """Return as many cases as a batch of the run has, of one shape, in turn from the first of them on."""
        case = self.reader.read(first)
        alike = [case]
        for step in range(1, self.cases):
            if len(alike) == self.batch_size:
                break
            other = self.reader.read((first + step) % self.cases)
            if other.prepared.array.shape == case.prepared.array.shape:
                alike.append(other)
        return list(islice(cycle(alike), self.batch_size))

    def _outcome(self, heard: Sequence[Heard], cases: Sequence[ReadCase]) -> tuple[CaseOutcome, str]:
        """Hold all answers of a call against the contract; the first that does not hold is its outcome."""
        for one in heard:
            if one.failed:
                return one.failed[0][1], one.failed[0][2]
            for positions, outputs in one.parts:
                if called_at_once(outputs, self.contract.output, len(positions)) is not None:
                    continue
                grids = [cases[position].prepared.grid for position in positions]
                nothing = [Reference(0)] * len(positions)
                for answer in hold(outputs, self.contract, grids, nothing, self._unmeasured):
                    if answer.fault is not None:
                        return answer.outcome, answer.fault.value
        return CaseOutcome.OK, ""

    @property
    def _unmeasured(self) -> Asked:
        """What makes a result of the outputs and measures nothing; structures that may overlap are made one by one."""
        overlap = self.contract.output.kind in ("mask_probability", "mask_logit")
        structures = dict.fromkeys(self.asked.structures, ()) if overlap else {}
        return Asked(structures=structures, classes=self.asked.classes)


def is_stable(seconds: Sequence[float], window: int) -> bool:
    """Say whether the median of the last calls differs by less than 5 % from that of as many before them."""
    now, before = median(seconds[-window:]), median(seconds[-2 * window : -window])
    return bool(np.isfinite(now) and abs(now - before) < _STABLE * before)


def calibrated() -> list[float]:
    """Return the seconds that a fixed calculation takes on one core, several times over."""
    took = []
    for _ in range(_CALIBRATIONS):
        started = time.perf_counter()
        for _ in range(_SORTS):
            np.sort(_CALIBRATED_ON)
        took.append(time.perf_counter() - started)
    return took


def _clock(before: list[float], after: list[float], warm_ups: int = 0, stable: bool | None = None) -> Clock:
    spread = max(max(before) / min(before), max(after) / min(after))
    return Clock(before=median(before), after=median(after), spread=spread, warm_up_calls=warm_ups, stable=stable)


def _peaks(crew: Crew, heard: Heard) -> dict[str, float]:
    peaks = {"peak.host": (crew.peak() + (heard.peak_children or 0)) / _MIB}
    if heard.peak_device is not None:
        peaks["peak.device"] = heard.peak_device / _MIB
    return peaks


def _add(found: Found, call: int, cases: int, condition: int, made: _Call) -> None:
    found.add(
        call % cases,
        condition,
        made.outcome,
        repeat=call // cases,
        fault=made.fault,
        seconds=made.seconds,
        answers=made.told,
    )

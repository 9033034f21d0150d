"""Unusable inputs handed to a candidate, and what became of each.

The candidate is asked as it is at baseline, and told nothing: what is unusable is made here, before it is sent. What
the engine itself would not hand in, since it is of another modality or body part, is handed in all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gatekeeper.engine.crew import Crew, Heard
from gatekeeper.engine.journal import Found
from gatekeeper.engine.measuring import Asked, Reference
from gatekeeper.engine.outputs import hold
from gatekeeper.engine.preparation import prepare
from gatekeeper.engine.reading import ReadCase, ahead, batch_of, mismatch
from gatekeeper.engine.request import RunRequest
from gatekeeper.engine.unusable import overwritten, spoilt
from gatekeeper.evidence import CaseOutcome, Condition
from gatekeeper.evidence.conditions import UnusableKind
from gatekeeper.perturbations import case_seed
from gatekeeper.testset.readers import read_image
from gatekeeper.testset.readers.image import Unfit
from gatekeeper.testset.unusable import MADE, chosen, inputs_of, read_input

_READERS = 2  # threads; each holds an image twice
_BASELINE = 0  # the index under which a candidate is asked: by no other could it tell that it is tried


@dataclass(frozen=True)
class Refusals:
    """The unusable inputs of a run."""

    request: RunRequest

    def check(self) -> None:
        """See that what is locked as unusable can be handed in. Raises UsageError that names the first that cannot."""
        locked = len(self.request.testset.manifest.cases)
        last = locked + len(self.request.testset.manifest.unusable)
        for condition in self.request.plan.conditions:
            for index in self._chosen(condition):
                if locked <= index < last:
                    self._made(condition.refusal or "blank", index)

    def tried(self, crew: Crew, index: int, *, known: bool) -> Found:
        """Hand in all inputs of the condition of this index, one by one, and return a row of each that is distinct.

        Where the worker is not ``known`` to answer, it is given a case first: one that crashes on what is unusable is
        no broken one.
        """
        condition = self.request.plan.conditions[index]
        crew.conditions, crew.timed = (_BASELINE,), False
        found = Found()
        if not known:
            for _ in (*crew.put(batch_of([self._case(0)])), *crew.rest()):
                pass
        for one in self._distinct(condition):
            for heard in (*crew.put(batch_of([one])), *crew.rest()):
                self._take(heard, one, index, found)
        return found

    def _chosen(self, condition: Condition) -> tuple[int, ...]:
        if condition.refusal is None:
            return ()
        request = self.request
        contract = request.candidate.record.contract.input
        return chosen(
            condition.refusal,
            condition.tries,
            request.testset.manifest,
            request.kind.modality,
            volumes=contract.axes == 3,
            original=contract.gives == "original",
        )

    def _distinct(self, condition: Condition) -> Iterator[ReadCase]:
        """Give each input of a kind that differs, as it is handed in, from all before it."""
        seen: set[bytes] = set()
        kind = condition.refusal or "blank"
        for one in ahead(lambda index: self._made(kind, index), self._chosen(condition), _READERS, _READERS):
            if one is None:
                continue
            digest = hashlib.sha256(repr(one.prepared.array.shape).encode())
            digest.update(np.ascontiguousarray(one.prepared.array).view(np.uint8).data)
            for data in one.files.values():
                digest.update(hashlib.sha256(data).digest())
            if digest.digest() not in seen:
                seen.add(digest.digest())
                yield one

    def _case(self, index: int) -> ReadCase:
        """Read any input as it is."""
        request = self.request
        case, contract = inputs_of(request.testset.manifest)[index], request.candidate.record.contract.input
        files = read_input(request.testset, index)
        image = read_image(files, case.case_id)
        handed = files if contract.gives == "original" else {}
        return ReadCase(index, image, prepare(image, contract), handed)

    def _made(self, kind: UnusableKind, index: int) -> ReadCase | None:
        """Return what is handed in; None where nothing can be made of it, or nothing of it would change."""
        manifest, contract = self.request.testset.manifest, self.request.candidate.record.contract.input
        locked = len(manifest.cases)
        case = inputs_of(manifest)[index]
        try:
            read = self._case(index)
        except Unfit as unfit:
            if locked <= index < locked + len(manifest.unusable):
                mend = f"take it out of the table, or lock one that can be given to it; {unfit.mend or ''}".rstrip("; ")
                raise mismatch(case, Unfit(unfit.what, unfit.why, mend)) from unfit
            return None
        seen = replace(read, image=replace(read.image, pixels=np.broadcast_to(np.float32(0), read.image.pixels.shape)))
        if index >= locked or kind not in MADE:
            return seen
        seed = case_seed(case.case_id, f"refusal.{kind}")
        if read.files:
            return replace(seen, files=overwritten(read.files, seed))
        try:
            prepared = prepare(spoilt(read.image, kind, seed), contract)
        except Unfit:
            return None
        same = np.array_equal(prepared.array, read.prepared.array)
        return None if same else replace(seen, prepared=prepared)

    def _take(self, heard: Heard, one: ReadCase, condition: int, found: Found) -> None:
        """Add the row of an answer, or of none. An answer that does not hold is none; no reference is there for any."""
        for _, outcome, fault in heard.failed:
            found.add(one.index, condition, outcome, fault=fault)
        contract = self.request.candidate.record.contract
        asked = Asked(structures={}, classes=self.request.asked.classes)
        for _, outputs in heard.parts:
            (answer,) = hold(outputs, contract, [one.prepared.grid], [Reference(0)], asked)
            told = {name: value for name, value in answer.answers.items() if name.startswith("probability.")}
            fault = answer.fault.value if answer.fault else ""
            score = answer.score if answer.outcome is CaseOutcome.OK else None
            found.add(one.index, condition, answer.outcome, fault=fault, score=score, answers=told)

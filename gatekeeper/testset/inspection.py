"""What is looked at while a test set is locked: traces of patients, facts for the composition, and whether it reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gatekeeper.errors import Code, Problem, UsageError
from gatekeeper.testset.composition import compose, facts_of
from gatekeeper.testset.manifest import LockedCase
from gatekeeper.testset.readers import Limits, explained, read_image
from gatekeeper.testset.readers.mask import read_mask
from gatekeeper.testset.screening import RULES, Trace, screen_file, unallowed
from gatekeeper.testset.table import Case

_MOST_TOLD = 20


@dataclass
class Inspection:
    """Gathers what is found; ``look`` and ``decode`` may be called from several threads."""

    traces: list[Trace] = field(default_factory=list)
    unreadable: list[Problem] = field(default_factory=list)
    facts: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def look(self, path: str, case_id: str, head: bytes) -> None:
        """Screen the head of a file, and note what its header says of patient and scanner."""
        self.traces.extend(screen_file(head, path, case_id))
        found = facts_of(head)
        if found:
            self.facts.setdefault(case_id, found)

    def decode(self, case: LockedCase, read: Callable[[str], bytes]) -> None:
        """Decode the image of a case, and its mask; keep what is wrong with them."""
        sizes = {file.path: file.size for file in case.files}
        try:
            explained(lambda: Limits().check_files(sum(sizes.values())), dict.fromkeys(sizes, b""), case.case_id)
            of_role = {
                role: {file.path: read(file.path) for file in case.files if file.role == role}
                for role in ("image", "mask")
            }
            image = read_image(of_role["image"], case.case_id)
            if of_role["mask"]:
                read_mask(of_role["mask"], image, case.case_id)
        except UsageError as error:
            self.unreadable += error.problems

    def require_readable(self) -> None:
        """Raise UsageError for the images and masks (the first 20) that cannot be decoded."""
        if self.unreadable:
            more = len(self.unreadable) - _MOST_TOLD
            last = (
                [Problem(Code.BAD_IMAGE, f"and {more:,} more cases", mend="mend those above first")] if more > 0 else []
            )
            raise UsageError.of([*self.unreadable[:_MOST_TOLD], *last])

    def composition(self, cases: Sequence[Case]) -> dict[str, dict[str, int]]:
        """Count patients by what their headers say: name, then value."""
        composition = compose(
            [case.patient_id for case in cases],
            [case.label for case in cases],
            [self.facts.get(case.case_id, {}) for case in cases],
            [{} for _ in cases],
        )
        return composition.facts

    def require_clean(self, allowed: Mapping[str, str]) -> None:
        """Raise UsageError when a file holds what could identify a patient, and nobody has answered for it.

        Each place and rule is one problem, with how many files and cases; no value is told.
        """
        left = unallowed(self.traces, allowed)
        files: dict[tuple[str, str], set[str]] = defaultdict(set)
        cases: dict[tuple[str, str], set[str]] = defaultdict(set)
        for trace in left:
            files[trace.rule, trace.where].add(trace.path)
            cases[trace.rule, trace.where].add(trace.case_id)
        problems = [
            _problem(rule, where, len(files[rule, where]), len(cases[rule, where])) for rule, where in sorted(files)
        ]
        if problems:
            more = len(problems) - _MOST_TOLD
            told = problems[:_MOST_TOLD]
            if more > 0:
                told.append(Problem(Code.FORBIDDEN, f"and {more:,} more places", mend="--report FILE lists them all"))
            raise UsageError.of(told)


def _problem(rule: str, where: str, files: int, cases: int) -> Problem:
    return Problem(
        Code.FORBIDDEN,
        f"{where} may identify a patient: {RULES.get(rule, rule)}",
        why=f"found in {files:,} {'file' if files == 1 else 'files'} of {cases:,} {'case' if cases == 1 else 'cases'}",
        mend=f'de-identify the files (PS3.15 Annex E), or answer for it: --allow "{where}" --because "..."',
    )

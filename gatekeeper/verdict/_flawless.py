"""What a candidate that outlines and measures almost without fault would bring as evidence, from the lock alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from gatekeeper.metrics import METRICS
from gatekeeper.metrics.masks import VALUES
from gatekeeper.policy import Policy, Requirement
from gatekeeper.suites.quantities import AGREEMENT, QUANTITY
from gatekeeper.testset import LockedCase, Manifest

# So little that no threshold is missed by it. Where no case differs at all, the gate can only count patients, and its
# limits lie farther out than those of a candidate whose cases differ a little.
_NEXT_TO_NOTHING = 1e-9


def flawless_answers(policy: Policy, manifest: Manifest, cases: Sequence[LockedCase]) -> Mapping[str, Sequence[float]]:
    """Return the columns of structures that this policy asks for, a value for each of ``cases``; none of scores.

    Where a case has no reference mask there is nothing to outline: recall and relative volumes have no value there.
    How long the diagonals are is not in the lock, so distances are taken to have no bound.
    """
    if manifest.task != "segmentation":
        return {}
    order = {case.case_id: number for number, case in enumerate(manifest.cases, start=1)}
    subjects = dict.fromkeys(case.subject for case in manifest.cases)
    number = {name: number for number, name in enumerate(subjects, start=1)}
    return {
        f"measured.{structure}.{what}": [
            _value(what.partition("@")[0], case, order.get(case.case_id, 0) / len(order), number.get(case.subject, 0))
            for case in cases
        ]
        for structure, what in _asked(policy)
    }


def _asked(policy: Policy) -> Iterator[tuple[str, str]]:
    """Give structure and column of every requirement on a structure."""
    for requirement in policy.requirements.values():
        structure, name = _structure(requirement, policy), requirement.spec.name
        if structure is not None and name in AGREEMENT:
            yield structure, QUANTITY
        elif structure is not None and name in VALUES:
            yield structure, name if requirement.tolerance_mm is None else f"{name}@{requirement.tolerance_mm:g}"


def _structure(requirement: Requirement, policy: Policy) -> str | None:
    only = policy.context.structures[0] if len(policy.context.structures) == 1 else None
    return requirement.structure or only


def _value(name: str, case: LockedCase, place: float, subject: int) -> float:
    """Return a value next to the best one; ``place`` is that of the case in the lock, from 0 to 1."""
    fault = _NEXT_TO_NOTHING * place
    if name == QUANTITY:  # another volume for each subject, next to the same for its repeats
        return subject * (1.0 + fault * place)
    if not case.label and name in ("voxel_recall", "relative_volume_difference", "volume_bias"):
        return math.nan
    return 1.0 - fault if METRICS.get(name).higher_is_better else fault

"""What stress did, in few numbers and words: errors averaged over severities, and the envelope for the labelling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gatekeeper.evidence import BASELINE, Evidence, Rows
from gatekeeper.evidence.notation import write_magnitude
from gatekeeper.metrics import Suite
from gatekeeper.metrics.whole_table import balanced_accuracy
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy import Policy
from gatekeeper.policy.titles import spoken, title_of
from gatekeeper.suites.robustness import Step, breaking_point, climb, condition_id, was_run
from gatekeeper.suites.subjects import Subjects

_DICE = ".dice"


@dataclass(frozen=True)
class CorruptionError:
    """The error of one kind under one perturbation: without it, and at each severity.

    ``what`` is the error: 1 - balanced accuracy of calls, or 1 - mean Dice of a structure, in which a case without an
    answer has a Dice of 0. Their mean over severities is the balanced error of MedMNIST-C (Di Salvo et al., arXiv
    2406.17536), not divided by that of a reference network, of which there is none on a private task.
    """

    perturbation: str
    what: str
    without: float
    at_severity: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The error averaged over the severities."""
        return float(np.mean(self.at_severity))

    @property
    def added(self) -> float:
        """By how much that is more than without the perturbation."""
        return self.mean - self.without


@dataclass(frozen=True)
class Held:
    """How far along a ladder a requirement is met: on ``steps`` of ``of`` severities; -1 where not even without it."""

    requirement: str
    perturbation: str
    steps: int
    of: int
    words: str


def corruption_errors(policy: Policy, evidence: Evidence, operating_point: float) -> tuple[CorruptionError, ...]:
    """Return the errors under every perturbation that was run at all severities, each structure on its own."""
    found = []
    for name in _ladders(policy, evidence):
        conditions = [condition_id(name, severity) for severity in range(1, len(policy.robustness[name]) + 1)]
        without = dict(_errors(evidence.under(BASELINE.id), operating_point))
        stressed = [dict(_errors(evidence.under(condition), operating_point)) for condition in conditions]
        for what, error in without.items():
            along = tuple(errors[what] for errors in stressed if what in errors)
            if len(along) == len(conditions):
                found.append(CorruptionError(name, what, error, along))
    return tuple(found)


def envelope(policy: Policy, evidence: Evidence, operating_point: float) -> tuple[Held, ...]:
    """Return for every blocking performance requirement how far it is met along every ladder that was run."""
    wanted = [
        requirement
        for requirement in (policy.requirements[id_] for id_ in policy.order)
        if requirement.spec.suite is Suite.PERFORMANCE and requirement.not_measured is None
    ]
    return tuple(
        _held(policy, title_of(requirement, policy), name, climb(policy, requirement, name, evidence, operating_point))
        for name in _ladders(policy, evidence)
        for requirement in wanted
    )


def _ladders(policy: Policy, evidence: Evidence) -> list[str]:
    return [name for name in policy.robustness if was_run(policy, name, evidence)]


def _held(policy: Policy, title: str, name: str, steps: tuple[Step, ...]) -> Held:
    met = breaking_point(steps) - 1
    ladder, perturbation = policy.magnitudes(name), PERTURBATIONS.get(name)
    if met < 0:
        words = f"{title} is not shown to hold even without {spoken(name)}."
    elif met == 0:
        least = write_magnitude(ladder[0], perturbation.unit)
        words = f"{title} is shown to hold without {spoken(name)} alone, and not at {least}, the least tried."
    else:
        way = "up to" if perturbation.neutral == perturbation.lowest else "down to"
        words = f"{title} holds {way} {spoken(name)} of {write_magnitude(ladder[met - 1], perturbation.unit)}"
        words += ", the strongest tried." if met == len(ladder) else "."
    return Held(title, name, met, len(ladder), words)


def _errors(rows: Rows, operating_point: float) -> Iterator[tuple[str, float]]:
    originals = rows.originals()
    structures = [name for name in originals.answers if name.startswith("measured.") and name.endswith(_DICE)]
    for column in structures:
        dice = np.where(originals.answered, originals.answers[column], 0.0)
        if np.isfinite(dice).any():
            yield f"1 - Dice, {column[len('measured.') : -len(_DICE)]}", 1.0 - float(np.nanmean(dice))
    if structures or np.isnan(originals.score).all():
        return
    balanced = float(balanced_accuracy(Subjects.of(rows, operating_point).table))
    if np.isfinite(balanced):
        yield "1 - balanced accuracy", 1.0 - balanced

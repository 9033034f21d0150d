"""From evidence to the ladders that a dossier draws, and what is lost at each step of them."""

from __future__ import annotations

from gatekeeper.dossier.material import Ladder, LadderStep
from gatekeeper.evidence import Evidence, Outcome
from gatekeeper.metrics import Suite
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy import Policy, Requirement
from gatekeeper.policy.titles import title_of
from gatekeeper.suites import Measurement, robustness
from gatekeeper.suites.robustness import Step, condition_id


def ladders(policy: Policy, evidence: Evidence, operating_point: float) -> tuple[Ladder, ...]:
    """Return every ladder that was run, once for each performance requirement that the policy ties to it.

    A ladder to which none is tied follows the first performance requirement in the policy's order.
    """
    return tuple(
        _ladder(policy, followed, name, evidence, operating_point)
        for name in policy.robustness
        if robustness.was_run(policy, name, evidence)
        for followed in _followed(policy, name)
    )


def _followed(policy: Policy, perturbation: str) -> list[Requirement]:
    tied = [item.of for item in policy.requirements.values() if item.perturbation == perturbation and item.of]
    measured = [id_ for id_ in policy.order if policy.requirements[id_].spec.suite is Suite.PERFORMANCE]
    return [policy.requirements[name] for name in dict.fromkeys(tied or measured[:1])]


def _ladder(
    policy: Policy, followed: Requirement, perturbation: str, evidence: Evidence, operating_point: float
) -> Ladder:
    steps = robustness.climb(policy, followed, perturbation, evidence, operating_point)
    drawn = tuple(_step(followed, perturbation, step, evidence, operating_point) for step in steps)
    broken = robustness.breaking_point(steps)
    return Ladder(
        perturbation=perturbation,
        unit=PERTURBATIONS.get(perturbation).unit,
        requirement=title_of(followed, policy),
        threshold=followed.threshold.value,
        baseline=drawn[0],
        steps=drawn[1:],
        breaking_point=None if broken == len(steps) else broken,
        of_shares=followed.spec.unit == "1",
    )


def _step(
    followed: Requirement, perturbation: str, step: Step, evidence: Evidence, operating_point: float
) -> LadderStep:
    found, lost = step.measurement, None
    if step.severity:
        condition = condition_id(perturbation, step.severity)
        lost = robustness.lost(followed, evidence, condition, operating_point, followed.confidence)
    return LadderStep(
        severity=step.severity,
        magnitude=step.magnitude,
        estimate=found.estimate,
        lower=found.limits[0] if found.limits else None,
        upper=found.limits[1] if found.limits else None,
        holds=step.outcome is Outcome.MET,
        lost=_with_limits(lost),
    )


def _with_limits(lost: Measurement | None) -> tuple[float, float | None, float | None] | None:
    if lost is None or lost.rounded is None:
        return None
    return (lost.rounded, *(lost.limits or (None, None)))

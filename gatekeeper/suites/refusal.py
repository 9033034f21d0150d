"""What a candidate does with inputs that a safe product declines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gatekeeper.evidence import Condition, Evidence, Reason
from gatekeeper.evidence.conditions import UnusableKind
from gatekeeper.evidence.outcomes import CaseOutcome
from gatekeeper.metrics import Suite
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import clopper_pearson
from gatekeeper.suites.clusters import Clusters, proportion_interval
from gatekeeper.suites.measurement import Measurement, measured, undefined


@dataclass(frozen=True)
class Refusals:
    """What became of the tries of one kind.

    ``failed`` counts crashes, answers that did not come or not in memory, and outputs that do not hold: they are no
    refusals, and no answers either. ``most_answered`` is the upper limit of the share answered: Clopper-Pearson,
    one-sided 95 %, each try counted for itself.
    """

    kind: UnusableKind
    tries: int
    refused: int
    answered: int
    failed: int
    most_answered: float | None


def condition_id(kind: UnusableKind) -> str:
    """Return the id of the condition under which inputs of a kind are tried."""
    return f"refusal.{kind}"


def plan(policy: Policy) -> tuple[Condition, ...]:
    """Try every kind of unusable input that the policy lists."""
    return tuple(
        Condition(id=condition_id(kind), suite=Suite.REFUSAL.value, refusal=kind, tries=policy.refusal_tries)
        for kind in policy.refusals
    )


def measure(requirement: Requirement, policy: Policy, evidence: Evidence) -> Measurement:
    """Measure the share of unusable inputs that was refused; every kind that is listed must have been tried."""
    n_of = requirement.spec.n_of
    runs = [evidence.under(condition_id(kind)) for kind in policy.refusals]
    patients = np.concatenate([rows.patient for rows in runs]) if runs else np.empty(0, dtype=object)
    outcomes = [outcome for kind in policy.refusals for outcome in evidence.outcomes_of(condition_id(kind))]
    refused = np.array([outcome is CaseOutcome.REFUSED for outcome in outcomes])
    n = len(patients)
    if n == 0:
        return undefined(Reason.NO_UNUSABLE_INPUT, n_of)
    clusters = Clusters.of(patients)
    hits, trials = clusters.sums(refused.astype(np.float64)), clusters.sums(np.ones(n))
    estimate = float(hits.sum() / n)
    missing = [kind for kind, rows in zip(policy.refusals, runs, strict=True) if len(rows) == 0]
    if missing and requirement.threshold.of == "estimate":  # it would decide without the kinds that are missing
        return undefined(Reason.NO_UNUSABLE_INPUT, n_of, n, clusters.count)
    if missing:
        method = f"none: not tried were {', '.join(kind.replace('_', ' ') for kind in missing)}"
        return Measurement(estimate, None, method, n, n_of, clusters.count, Reason.NO_UNUSABLE_INPUT)
    interval = proportion_interval(hits, trials, requirement.confidence, clopper_pearson)
    return measured(estimate, interval, n, n_of, clusters.count)


def by_kind(policy: Policy, evidence: Evidence) -> tuple[Refusals, ...]:
    """Return what became of each kind that the policy lists, in its order; those not tried with 0 tries."""
    found = []
    for kind in policy.refusals:
        outcomes = evidence.outcomes_of(condition_id(kind))
        refused = sum(outcome is CaseOutcome.REFUSED for outcome in outcomes)
        answered = sum(outcome is CaseOutcome.OK for outcome in outcomes)
        tries = len(outcomes)
        most = clopper_pearson(answered, tries, 0.9).upper if tries else None
        found.append(Refusals(kind, tries, refused, answered, tries - refused - answered, most))
    return tuple(found)

"""When the reruns of level R0 stop: curtailed sampling, which decides exactly as all of them would.

A rerun can only add changes. The largest change does not shrink, a case that has flipped stays flipped, and the exact
lower limit of a share does not fall as more of the same cases count. So a requirement that is not met after some reruns
is not met after all of them, whatever the others show: stopping there costs no error, and no look needs a stricter
confidence. None is met before all reruns were made. What is measured between cases of one patient (effective numbers),
or as a spread, may shrink again: with such a requirement every rerun is made.

Curtailment: Alling, J Am Stat Assoc 1966;61:755; Wetherill & Glazebrook, Sequential Methods in Statistics, 1986.
"""

from __future__ import annotations

from collections.abc import Sequence

from gatekeeper.evidence import Condition, Evidence, Outcome
from gatekeeper.policy import Policy, Requirement
from gatekeeper.suites.changes import deviation, flip_share
from gatekeeper.suites.clusters import Clusters
from gatekeeper.suites.levels import reruns
from gatekeeper.suites.repeats import Repeats


def reruns_needed(policy: Policy, evidence: Evidence, operating_point: float) -> tuple[Condition, ...]:
    """Return the reruns that are to be made, as far as evidence tells: those up to the one that decides, else all.

    Raises ValueError where a rerun is not of the cases of the baseline.
    """
    most = reruns(policy)
    demands = [item for item in policy.requirements.values() if item.level == "R0" and item.not_measured is None]
    if any(item.spec.name not in ("max_deviation", "flip_rate") for item in demands):
        return most
    for count in range(1, len(most)):
        made = most[:count]
        if made[-1].id not in evidence.conditions:
            break
        if all(_has_failed(item, evidence, made, operating_point) for item in demands):
            return made
    return most


def is_decided(policy: Policy, operating_point: float, condition: str, evidence: Evidence) -> bool:
    """Say whether a rerun, by the id of its condition, need not be made, since those in the evidence have decided.

    Raises ValueError as ``reruns_needed``.
    """
    failures = policy.failure_costs.by_outcome
    needed = reruns_needed(policy, evidence.counting(failures), operating_point)
    return condition not in {rerun.id for rerun in needed}


def _has_failed(item: Requirement, evidence: Evidence, made: Sequence[Condition], operating_point: float) -> bool:
    """Say whether a requirement is not met, and would not be after any more reruns."""
    repeats = Repeats.run_again(evidence, made, operating_point)
    if len(repeats.subjects) == 0:
        return False
    if item.spec.name == "max_deviation":
        found = deviation(evidence, made, repeats, "", moved=False)
    else:
        if item.threshold.of != "estimate" and Clusters.of(repeats.patient).repeat:
            return False
        found = flip_share(item, repeats, "")
    return item.threshold.outcome(found.rounded, found.limits) is Outcome.NOT_MET

"""Which met requirements may be claimed together, when several are tested on one set of cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gatekeeper.evidence import Outcome
from gatekeeper.policy import Policy, Requirement


def claimed_ids(
    policy: Policy, outcomes: Mapping[str, Outcome], outcome_of: Callable[[Requirement], Outcome]
) -> frozenset[str]:
    """Return the blocking requirements that may be claimed, by the policy's multiplicity rule.

    ``outcomes`` are those at each requirement's own confidence; ``outcome_of`` judges a changed requirement.
    """
    if policy.multiplicity == "holm":
        return _holm(policy, outcomes, outcome_of)
    claimed: set[str] = set()
    for id_ in policy.order:
        if outcomes[id_] is not Outcome.MET:
            # A sequence of tests stops at the first that fails: everything after it is described, not claimed.
            return frozenset(claimed | {id_})
        claimed.add(id_)
    return frozenset(claimed)


def _holm(
    policy: Policy, outcomes: Mapping[str, Outcome], outcome_of: Callable[[Requirement], Outcome]
) -> frozenset[str]:
    """Holm's step-down procedure (Scand J Stat 1979;6:65), by intervals in place of p-values.

    With m requirements left, those that are met at confidence 1 - (1 - c) / m are claimed and leave; the rest is tried
    again at the wider error that is left, until a round claims none. Estimates carry no error and are claimed when met.
    """
    met = [id_ for id_ in policy.order if outcomes[id_] is Outcome.MET]
    claimed = {id_ for id_ in met if policy.requirements[id_].threshold.of == "estimate"}
    left = [id_ for id_ in policy.order if policy.requirements[id_].threshold.of != "estimate"]
    while left:
        rejected = {
            id_
            for id_ in left
            if id_ in met and outcome_of(_stricter(policy.requirements[id_], len(left))) is Outcome.MET
        }
        if not rejected:
            break
        claimed |= rejected
        left = [id_ for id_ in left if id_ not in rejected]
    return frozenset(claimed)


def _stricter(requirement: Requirement, tests: int) -> Requirement:
    return requirement.model_copy(update={"confidence": 1.0 - (1.0 - requirement.confidence) / tests})

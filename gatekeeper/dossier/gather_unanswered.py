"""From evidence to what cases without an answer cost: as the policy counts them, and every one counted as wrong."""

from __future__ import annotations

from gatekeeper.dossier.asking import plainly
from gatekeeper.dossier.curves import Costed, Unanswered
from gatekeeper.evidence import BASELINE, Evidence
from gatekeeper.metrics import Suite
from gatekeeper.policy import Policy, Requirement
from gatekeeper.policy.titles import title_of
from gatekeeper.suites import performance
from gatekeeper.suites.walk import not_measured


def unanswered(policy: Policy, evidence: Evidence, operating_point: float) -> Unanswered | None:
    """Return the share of originals without an answer at baseline, and each requirement on performance costed anew.

    None where every one was answered. Intervals are of each requirement's own method.
    """
    rows = evidence.under(BASELINE.id)
    answered = rows.originals().answered
    if answered.all():
        return None
    share = performance.measure(plainly(policy, "imageability"), rows, operating_point)
    asked = [item for item in policy.requirements.values() if _is_costed(item, evidence)]
    costed = tuple(_costed(policy, item, evidence, operating_point) for item in asked)
    return Unanswered(int((~answered).sum()), share, costed)


def _is_costed(item: Requirement, evidence: Evidence) -> bool:
    on_performance = item.spec.suite is Suite.PERFORMANCE and item.spec.name != "imageability"
    return on_performance and not not_measured(item, evidence)


def _costed(policy: Policy, item: Requirement, evidence: Evidence, operating_point: float) -> Costed:
    rows = evidence.under(BASELINE.id)
    parts = (
        rows.where(rows.answered),
        evidence.counting(policy.failure_costs.by_outcome).under(BASELINE.id),
        evidence.counting({}).under(BASELINE.id),
    )
    answered, judged, worst = (performance.measure(item, part, operating_point) for part in parts)
    return Costed(title_of(item, policy), item, answered, judged, worst)

"""From evidence to the FROC curve of findings."""

from __future__ import annotations

from gatekeeper.dossier.asking import asking, plainly
from gatekeeper.dossier.curves import FrocCurve
from gatekeeper.evidence import BASELINE, Evidence
from gatekeeper.metrics import METRICS
from gatekeeper.policy import Policy
from gatekeeper.statistics.froc import CPM_RATES, froc_curve
from gatekeeper.suites import performance
from gatekeeper.suites.lesions import findings_of


def froc(policy: Policy, evidence: Evidence, operating_point: float) -> FrocCurve | None:
    """Return the FROC curve of the originals at baseline; None without findings, or without a reference lesion.

    At each of the seven rates stands the sensitivity on which a requirement at that rate would be decided.
    """
    rows = evidence.under(BASELINE.id)
    if rows.findings is None or not (rows.case == rows.subject).any():
        return None
    found = rows.remembered("findings", lambda: findings_of(rows))
    if not found.lesions.any():
        return None
    curve = froc_curve(found)
    score, sensitivity, false_positives = (
        performance.measure(plainly(policy, name), rows, operating_point)
        for name in ("froc_score", "lesion_detection_rate", "false_positives_per_case")
    )
    at_rate = METRICS.get("sensitivity_at_fppi")
    return FrocCurve(
        false_positives_per_case=tuple(curve.false_positives_per_case.tolist()),
        sensitivity=tuple(curve.sensitivity.tolist()),
        points=tuple(
            (rate, performance.measure(asking(at_rate, at_false_positives_per_case=rate), rows, operating_point))
            for rate in CPM_RATES
        ),
        score=score,
        at_sensitivity=sensitivity,
        at_false_positives=false_positives,
    )

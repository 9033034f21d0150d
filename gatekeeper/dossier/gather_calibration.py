"""From evidence to the reliability diagram and the metrics of calibration."""

from __future__ import annotations

import numpy as np

from gatekeeper.dossier.asking import plainly
from gatekeeper.dossier.curves import Reliability
from gatekeeper.evidence import BASELINE, Evidence
from gatekeeper.policy import Policy
from gatekeeper.statistics.calibration import BINS, bin_of, equal_width, reliability_curve
from gatekeeper.suites import performance
from gatekeeper.suites.subjects import Subjects

_METRICS = (
    "expected_calibration_error",
    "maximum_calibration_error",
    "brier_score",
    "log_score",
    "calibration_slope_deviation",
    "calibration_intercept_deviation",
)


def reliability(policy: Policy, evidence: Evidence, operating_point: float) -> Reliability | None:
    """Return the bins of the expected calibration error, as the policy asks for it, and all metrics of calibration.

    Of the originals at baseline, whose scores are probabilities of the positive class; None where there are no scores.
    """
    rows = evidence.under(BASELINE.id)
    subjects = Subjects.of(rows, operating_point)
    if len(subjects.rows) == 0 or np.isnan(subjects.rows.score).all():
        return None
    asked = plainly(policy, "expected_calibration_error")
    edges = equal_width(asked.bins or BINS)
    scores, labels = subjects.probabilities, subjects.rows.label
    found = bin_of(scores, edges)
    negatives, positives = (np.bincount(found[labels == of], minlength=len(edges) - 1).tolist() for of in (0, 1))
    return Reliability(
        bins=reliability_curve(scores, labels, edges, subjects.clusters.codes, asked.confidence),
        edges=tuple(edges.tolist()),
        positives=tuple(positives),
        negatives=tuple(negatives),
        measured=tuple((name, performance.measure(plainly(policy, name), rows, operating_point)) for name in _METRICS),
        replaced=int((~subjects.rows.answered).sum()),
    )

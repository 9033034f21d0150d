"""Findings against reference lesions.

A case without an answer hits none of its lesions, and has as many false findings as the worst case that was answered
(one at least), all scored above any other, so that to fail on hard cases improves nothing. A failure that counts as
negative has no finding at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from gatekeeper.evidence import Reason, Rows
from gatekeeper.policy import Requirement
from gatekeeper.statistics import Interval, Undecidable, clopper_pearson
from gatekeeper.statistics.findings import CountsAt, Findings, counts_at
from gatekeeper.statistics.froc_intervals import (
    average_precision_interval,
    cpm_interval,
    false_positives_at_interval,
    false_positives_interval,
    sensitivity_at_interval,
)
from gatekeeper.suites.clusters import FEWEST_CLUSTERS, SEED, Clusters, proportion_interval
from gatekeeper.suites.measurement import Measurement, measured, undefined

Curve = Callable[[Requirement, Findings], tuple[float, Interval]]

CURVES: Mapping[str, Curve] = {
    "froc_score": lambda item, found: cpm_interval(found, item.confidence, seed=SEED),
    "detection_average_precision": lambda item, found: average_precision_interval(
        found, "all_points", item.confidence, seed=SEED
    ),
    "sensitivity_at_fppi": lambda item, found: sensitivity_at_interval(
        found, item.rate_of_false_positives or 0.0, item.confidence, seed=SEED
    ),
    "false_positives_per_case_at_sensitivity": lambda item, found: false_positives_at_interval(
        found, item.other_rate or 0.0, item.confidence, seed=SEED
    ),
}
MEASURED = (*CURVES, "lesion_detection_rate", "finding_precision", "false_positives_per_case")


def findings_of(rows: Rows) -> Findings:
    """Return the findings of all originals, with what a case without an answer counts as."""
    originals = rows.originals()
    if originals.findings is None:
        raise ValueError("these rows hold no findings")
    scores, hits = list(originals.findings.scores), list(originals.findings.hits)
    most = max([1, *(int((hits[row] == -1).sum()) for row in np.flatnonzero(originals.answered))])
    for row in np.flatnonzero(~originals.answered):
        false = 0 if originals.failed_as[row] == 0 else most
        scores[row], hits[row] = np.full(false, np.inf), np.full(false, -1, dtype=np.int64)
    return Findings.of_cases(scores, hits, originals.findings.lesions, Clusters.of(originals.patient).codes)


def measure(requirement: Requirement, rows: Rows, operating_point: float) -> Measurement:
    """Measure a requirement on findings."""
    spec = requirement.spec
    if rows.findings is None:
        return undefined(Reason.NOT_MEASURED, spec.n_of)
    if not (rows.case == rows.subject).any():
        return undefined(Reason.TOO_FEW_CASES, spec.n_of)
    found = rows.remembered("findings", lambda: findings_of(rows))
    cases, lesions = len(found.lesions), int(found.lesions.sum())
    if spec.name in CURVES:
        n = cases if spec.n_of == "cases" else lesions
        return undefined(Reason.UNDEFINED_METRIC, spec.n_of, n) if lesions == 0 else _curve(requirement, found, n)
    counts = counts_at(found, operating_point)
    if spec.name == "false_positives_per_case":
        value, interval = false_positives_interval(
            counts.false_positives, counts.cases, requirement.confidence, seed=SEED
        )
        enough = _of_enough(interval.within(spec.lowest, spec.highest), found.patients)
        return measured(value, enough, cases, spec.n_of, found.patients)
    return _share(requirement, counts)


def _curve(requirement: Requirement, found: Findings, n: int) -> Measurement:
    """Measure a number of the curve, capped at what the metric can be where no cut reaches what is asked."""
    spec = requirement.spec
    patients = int((found.by_patient(found.lesions) > 0).sum())
    try:
        value, interval = CURVES[spec.name](requirement, found)
    except Undecidable:
        return Measurement(None, None, "none: too few patients", n, spec.n_of, patients, Reason.TOO_FEW_CASES)
    if math.isinf(value):
        return undefined(Reason.UNDEFINED_METRIC, spec.n_of, n, patients)
    exact = interval.method.startswith("Clopper-Pearson")
    bounded = interval.within(spec.lowest, spec.highest)
    return measured(value, bounded if exact else _of_enough(bounded, patients), n, spec.n_of, patients)


def _share(requirement: Requirement, counts: CountsAt) -> Measurement:
    spec, hits = requirement.spec, counts.hits.astype(np.float64)
    of = counts.lesions if spec.name == "lesion_detection_rate" else counts.hits + counts.false_positives
    trials = of.astype(np.float64)
    n, patients = int(trials.sum()), int(np.count_nonzero(trials))
    if n == 0:
        return undefined(Reason.UNDEFINED_METRIC, spec.n_of)

    def grown(times: float) -> Interval | None:
        return proportion_interval(hits, trials, requirement.confidence, clopper_pearson, times)

    return measured(float(hits.sum() / n), grown(1.0), n, spec.n_of, patients, grown)


def _of_enough(interval: Interval, patients: int) -> Interval | None:
    return interval if patients >= FEWEST_CLUSTERS else None

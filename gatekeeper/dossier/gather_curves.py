"""From evidence to the ROC and the precision-recall curve, with limits by the suites' own measurements."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gatekeeper.dossier.asking import asking, plainly
from gatekeeper.dossier.curves import Band, Ends, PrecisionRecallCurve, RocCurve
from gatekeeper.evidence import BASELINE, Evidence, Rows
from gatekeeper.metrics import METRICS
from gatekeeper.policy import Policy
from gatekeeper.statistics import Interval, ppv_at
from gatekeeper.suites import Measurement, performance
from gatekeeper.suites.subjects import Subjects

Floats = NDArray[np.float64]

_MOST_LIMITS = 40  # points of a curve at which limits are computed


def roc_curve(policy: Policy, evidence: Evidence, operating_point: float) -> RocCurve | None:
    """Return the ROC curve of the originals at baseline; None when all are of one class, or answers are no scores.

    Its band holds, at each false-positive rate, the limits on which a requirement on the sensitivity at that
    specificity would be decided (``statistics.rate_at_interval``): point by point, on effective numbers of cases where
    patients repeat.
    """
    rows = evidence.under(BASELINE.id)
    subjects = _ranked(rows, operating_point)
    if subjects is None:
        return None
    false_positive, true_positive = _corners(subjects)
    table = subjects.table
    sensitivity, specificity = _at_operating_point(policy, rows, operating_point)
    confidence = plainly(policy, "sensitivity").confidence

    def limits(rate: float) -> Measurement:
        asked = asking(METRICS.get("sensitivity"), at_specificity=1.0 - rate, confidence=confidence)
        return performance.measure(asked, rows, operating_point)

    return RocCurve(
        false_positive_rate=tuple(false_positive.tolist()),
        true_positive_rate=tuple(true_positive.tolist()),
        operating_point=(float(table.fp / (table.fp + table.tn)), float(table.tp / (table.tp + table.fn))),
        band=_band(false_positive, limits, lambda _, ends: ends),
        sensitivity=sensitivity,
        specificity=specificity,
    )


def precision_recall(policy: Policy, evidence: Evidence, operating_point: float) -> tuple[PrecisionRecallCurve, ...]:
    """Return the curve at the test set's share of positives, then one at each prevalence that the policy asks for.

    The band holds, at each sensitivity, the limits on which a requirement on the specificity at that sensitivity would
    be decided, carried to the precision by Bayes' rule at the prevalence, which is taken as known: precision grows with
    specificity where the sensitivity is held. None where there is no ROC curve.
    """
    rows = evidence.under(BASELINE.id)
    subjects = _ranked(rows, operating_point)
    if subjects is None:
        return ()
    precision = METRICS.get("precision")
    own = plainly(policy, "precision")
    declared = {
        item.prevalence: item
        for item in policy.requirements.values()
        if item.spec is precision and item.prevalence is not None
    }
    share = float((subjects.rows.label == 1).mean())
    wanted = [(share, False, own), *((prevalence, True, item) for prevalence, item in declared.items())]
    sensitivity, _ = _at_operating_point(policy, rows, operating_point)
    false_positive, true_positive = (rates[1:] for rates in _corners(subjects))

    def limits(rate: float) -> Measurement:
        asked = asking(METRICS.get("specificity"), at_sensitivity=rate, confidence=own.confidence)
        return performance.measure(asked, rows, operating_point)

    def of(prevalence: float) -> Callable[[float, Ends], Ends]:
        return lambda rate, ends: (float(ppv_at(rate, ends[0], prevalence)), float(ppv_at(rate, ends[1], prevalence)))

    return tuple(
        PrecisionRecallCurve(
            sensitivity=tuple(true_positive.tolist()),
            precision=tuple(ppv_at(true_positive, 1.0 - false_positive, prevalence).tolist()),
            prevalence=prevalence,
            declared=is_declared,
            at_sensitivity=sensitivity,
            at_precision=performance.measure(asked, rows, operating_point),
            band=_band(true_positive, limits, of(prevalence)),
        )
        for prevalence, is_declared, asked in wanted
    )


def _ranked(rows: Rows, operating_point: float) -> Subjects | None:
    subjects = Subjects.of(rows, operating_point)
    nothing = len(subjects.rows) == 0 or subjects.one_class or bool(np.isnan(subjects.rows.score).all())
    return None if nothing else subjects


def _corners(subjects: Subjects) -> tuple[Floats, Floats]:
    """Return both rates after each distinct score, from the highest down, (0, 0) before them."""
    order = np.argsort(-subjects.ranks, kind="stable")
    ranks, positive = subjects.ranks[order], subjects.rows.label[order] == 1
    ends = np.append(np.flatnonzero(np.diff(ranks)), len(ranks) - 1)
    hits, alarms = (np.append(0, np.cumsum(of)[ends]) for of in (positive, ~positive))
    return alarms / alarms[-1], hits / hits[-1]


def _at_operating_point(policy: Policy, rows: Rows, operating_point: float) -> tuple[Measurement, Measurement]:
    first, second = (
        performance.measure(plainly(policy, name), rows, operating_point) for name in ("sensitivity", "specificity")
    )
    return first, second


def _band(rates: Floats, limits: Callable[[float], Measurement], shown: Callable[[float, Ends], Ends]) -> Band | None:
    """Return limits at up to ``_MOST_LIMITS`` of the rates strictly between 0 and 1; None where there are none."""
    inner = np.unique(rates[(rates > 0.0) & (rates < 1.0)])
    chosen = inner[np.unique(np.linspace(0, len(inner) - 1, min(len(inner), _MOST_LIMITS)).astype(np.intp))]
    at: list[float] = []
    ends: list[Ends] = []
    interval: Interval | None = None
    for rate in chosen.tolist():
        measured = limits(rate)
        if measured.limits is not None:
            at.append(rate)
            ends.append(shown(rate, measured.limits))
            interval = measured.interval
    if interval is None:
        return None
    lower, upper = zip(*ends, strict=True)
    return Band(tuple(at), lower, upper, interval.confidence, interval.method)

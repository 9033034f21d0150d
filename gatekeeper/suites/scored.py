"""Metrics of scores themselves, whatever the operating point: how they rank, and whether they are probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import Reason
from gatekeeper.metrics.calibration import MOST_LOG_LOSS, brier_losses, log_losses
from gatekeeper.policy import Requirement
from gatekeeper.statistics import Interval, Undecidable, auroc_interval, auroc_of_weights, rate_at, rate_at_interval
from gatekeeper.statistics.calibration import BINS, Binned, calibration_error_interval, equal_width
from gatekeeper.statistics.calibration_line import (
    calibration_intercept_interval,
    calibration_intercept_of_weights,
    calibration_slope_interval,
    calibration_slope_of_weights,
    deviation_interval,
)
from gatekeeper.statistics.influence import no_bounds
from gatekeeper.statistics.losses import mean_loss_interval, mean_loss_of_weights
from gatekeeper.statistics.partial_area import partial_auroc_interval, partial_auroc_of_weights
from gatekeeper.statistics.precision_recall import (
    average_precision_interval,
    average_precision_of_weights,
    precision_at_sensitivity_interval,
    precision_at_sensitivity_of_weights,
    sensitivity_at_precision_interval,
    sensitivity_at_precision_of_weights,
)
from gatekeeper.suites.clusters import FEWEST_CLUSTERS, SEED, Floats
from gatekeeper.suites.measurement import Measurement, measured, undefined
from gatekeeper.suites.subjects import Subjects

Weights = Iterable[NDArray[np.integer]]


@dataclass(frozen=True)
class Scored:
    """How a metric of scores is computed: in resamples of the patients, and once with its interval.

    Without ``both_classes`` it has a value where all cases are of one class as well.
    """

    of_weights: Callable[[Requirement, Subjects, Weights], Floats]
    once: Callable[[Requirement, Subjects], tuple[float, Interval | None]]
    both_classes: bool = True


def scored(requirement: Requirement) -> Scored | None:
    """Return how a requirement on scores is computed; None where it is on something else."""
    if requirement.spec.name in SCORED:
        return SCORED[requirement.spec.name]
    return None if requirement.other_rate is None else _RATE


def measure_scored(requirement: Requirement, subjects: Subjects, how: Scored) -> Measurement:
    """Measure a metric of scores."""
    n, patients = len(subjects.rows), subjects.clusters.count
    n_of = requirement.spec.n_of if requirement.other_rate is None else subjects.classes_in_words
    if subjects.one_class and how.both_classes:
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    try:
        value, interval = how.once(requirement, subjects)
    except Undecidable:
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    highest = requirement.spec.highest
    if not np.isfinite(value):
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    return measured(value, interval and interval.within(requirement.spec.lowest, highest), n, n_of, patients)


def _area(requirement: Requirement, subjects: Subjects) -> tuple[float, Interval | None]:
    labels, codes = subjects.rows.label, subjects.clusters.codes
    area, found = auroc_interval(subjects.ranks, labels, codes, requirement.confidence)
    exact = area in (0.0, 1.0) and subjects.pairs > 0
    enough = exact or not subjects.clusters.repeat or subjects.counted(requirement) >= FEWEST_CLUSTERS
    return area, found if enough else None


def _areas(requirement: Requirement, subjects: Subjects, weights: Weights) -> Floats:
    return auroc_of_weights(subjects.ranks, subjects.rows.label == 1, weights, subjects.clusters.codes)


def _rate(requirement: Requirement, subjects: Subjects) -> tuple[float, Interval | None]:
    if subjects.clusters.repeat and subjects.counted(requirement) < FEWEST_CLUSTERS:
        return float(_rates(requirement, subjects, subjects.clusters.once)[0]), None
    return rate_at_interval(*_curve(requirement, subjects), subjects.clusters.codes, requirement.confidence)


def _rates(requirement: Requirement, subjects: Subjects, weights: Weights) -> Floats:
    return rate_at(*_curve(requirement, subjects), weights, subjects.clusters.codes)


def _curve(requirement: Requirement, subjects: Subjects) -> tuple[Floats, NDArray[np.bool_], float]:
    """Return scores that are high for the class whose rate is required, the cases of it, and the rate of the other."""
    positive, rate = subjects.rows.label == 1, requirement.other_rate or 0.0
    if requirement.spec.name == "sensitivity":
        return subjects.ranks, positive, rate
    return -subjects.ranks, ~positive, rate


def _ranked(
    interval: Callable[[Requirement, Subjects], tuple[float, Interval]],
    of_weights: Callable[[Requirement, Subjects, Weights], Floats],
) -> Scored:
    """Return how a metric of the order of scores is computed, whose interval resamples patients."""

    def once(requirement: Requirement, subjects: Subjects) -> tuple[float, Interval | None]:
        value, found = interval(requirement, subjects)
        if not _enough(subjects, subjects.counted(requirement)):
            return value, None
        if found.lower == found.upper:
            return value, no_bounds((requirement.spec.lowest, 1.0), requirement.confidence, "no resample differs")
        return value, found

    return Scored(of_weights, once)


def _losses(losses_of: Callable[[Floats, NDArray[np.int8]], Floats], highest: float, *, skewed: bool) -> Scored:
    """Return how the mean of a loss of each case is computed."""

    def losses(subjects: Subjects) -> Floats:
        return losses_of(subjects.probabilities, subjects.rows.label)

    def once(requirement: Requirement, subjects: Subjects) -> tuple[float, Interval | None]:
        codes = subjects.clusters.codes
        value, found = mean_loss_interval(losses(subjects), codes, highest, requirement.confidence, skewed)
        return value, found if _enough(subjects, subjects.clusters.count) else None

    def of_weights(_: Requirement, subjects: Subjects, weights: Weights) -> Floats:
        return mean_loss_of_weights(losses(subjects), weights, subjects.clusters.codes)

    return Scored(of_weights, once, both_classes=False)


def _binned(*, maximum: bool) -> Scored:
    """Return how the expected, or the maximum, calibration error is computed."""

    def once(requirement: Requirement, subjects: Subjects) -> tuple[float, Interval | None]:
        edges, codes = equal_width(requirement.bins or BINS), subjects.clusters.codes
        value, found = calibration_error_interval(
            subjects.probabilities, subjects.rows.label, edges, codes, maximum, requirement.confidence, seed=SEED
        )
        return value, found if _enough(subjects, subjects.clusters.count) else None

    def of_weights(requirement: Requirement, subjects: Subjects, weights: Weights) -> Floats:
        edges, codes = equal_width(requirement.bins or BINS), subjects.clusters.codes
        binned = Binned.of(subjects.probabilities, subjects.rows.label, edges, codes)
        return binned.maximum(weights) if maximum else binned.expected(weights)

    return Scored(of_weights, once, both_classes=False)


def _line(
    interval: Callable[[Floats, NDArray[np.int8], NDArray[np.intp], float], tuple[float, Interval]],
    of_weights: Callable[[Floats, NDArray[np.int8], Weights, NDArray[np.intp]], Floats],
    ideal: float,
) -> Scored:
    """Return how the distance of a coefficient of logistic recalibration from its ideal is computed."""

    def once(requirement: Requirement, subjects: Subjects) -> tuple[float, Interval | None]:
        given = subjects.probabilities, subjects.rows.label, subjects.clusters.codes
        try:
            value, found = deviation_interval(*interval(*given, requirement.confidence), ideal)
        except ValueError:  # no coefficient is finite: the scores part the classes, or are all equal
            return np.nan, None
        return value, found if _enough(subjects, subjects.clusters.count) else None

    def drawn(_: Requirement, subjects: Subjects, weights: Weights) -> Floats:
        values = of_weights(subjects.probabilities, subjects.rows.label, weights, subjects.clusters.codes)
        return np.abs(values - ideal)

    return Scored(drawn, once)


def _enough(subjects: Subjects, counted: int) -> bool:
    return not subjects.clusters.repeat or counted >= FEWEST_CLUSTERS


def _order(subjects: Subjects) -> tuple[Floats, NDArray[np.bool_]]:
    return subjects.ranks, subjects.rows.label == 1


_RATE = Scored(_rates, _rate)
SCORED: Mapping[str, Scored] = {
    "auroc": Scored(_areas, _area),
    "partial_auroc": _ranked(
        lambda item, of: partial_auroc_interval(
            *_order(of), item.most_false_positives, of.clusters.codes, item.confidence
        ),
        lambda item, of, weights: partial_auroc_of_weights(
            *_order(of), item.most_false_positives, weights, of.clusters.codes
        ),
    ),
    "average_precision": _ranked(
        lambda item, of: average_precision_interval(*_order(of), of.clusters.codes, item.confidence),
        lambda item, of, weights: average_precision_of_weights(*_order(of), weights, of.clusters.codes),
    ),
    "precision_at_sensitivity": _ranked(
        lambda item, of: precision_at_sensitivity_interval(
            *_order(of), item.other_rate or 0.0, of.clusters.codes, item.confidence, seed=SEED
        ),
        lambda item, of, weights: precision_at_sensitivity_of_weights(
            *_order(of), item.other_rate or 0.0, weights, of.clusters.codes
        ),
    ),
    "sensitivity_at_precision": _ranked(
        lambda item, of: sensitivity_at_precision_interval(
            *_order(of), item.other_rate or 0.0, of.clusters.codes, item.confidence, seed=SEED
        ),
        lambda item, of, weights: sensitivity_at_precision_of_weights(
            *_order(of), item.other_rate or 0.0, weights, of.clusters.codes
        ),
    ),
    "brier_score": _losses(brier_losses, 1.0, skewed=False),
    "log_score": _losses(log_losses, MOST_LOG_LOSS, skewed=True),
    "expected_calibration_error": _binned(maximum=False),
    "maximum_calibration_error": _binned(maximum=True),
    "calibration_slope_deviation": _line(calibration_slope_interval, calibration_slope_of_weights, 1.0),
    "calibration_intercept_deviation": _line(calibration_intercept_interval, calibration_intercept_of_weights, 0.0),
}

"""Metrics of scores themselves, whatever the operating point: how they rank, and whether they are probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import Reason
from gatekeeper.policy import Requirement
from gatekeeper.statistics import Interval, auroc_interval, auroc_of_weights, rate_at, rate_at_interval
from gatekeeper.suites.clusters import FEWEST_CLUSTERS, Floats
from gatekeeper.suites.measurement import Measurement, measured, undefined
from gatekeeper.suites.subjects import Subjects

Weights = Iterable[NDArray[np.integer]]


@dataclass(frozen=True)
class Scored:
    """How a metric of scores is computed: in resamples of the patients, and once with its interval."""

    of_weights: Callable[[Requirement, Subjects, Weights], Floats]
    once: Callable[[Requirement, Subjects], tuple[float, Interval | None]]


def scored(requirement: Requirement) -> Scored | None:
    """Return how a requirement on scores is computed; None where it is on something else."""
    if requirement.other_rate is not None:
        return _RATE
    return SCORED.get(requirement.spec.name)


def measure_scored(requirement: Requirement, subjects: Subjects, how: Scored) -> Measurement:
    """Measure a metric of scores."""
    n, patients = len(subjects.rows), subjects.clusters.count
    n_of = requirement.spec.n_of if requirement.other_rate is None else subjects.classes_in_words
    if subjects.one_class:
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    value, interval = how.once(requirement, subjects)
    if not np.isfinite(value):
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    return measured(value, interval, n, n_of, patients)


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


_RATE = Scored(_rates, _rate)
SCORED: Mapping[str, Scored] = {"auroc": Scored(_areas, _area)}

"""Rows grouped by patient, and intervals that resample patients, never images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics import (
    RESAMPLES,
    Interval,
    Undecidable,
    bootstrap_counts,
    clopper_pearson,
    cluster_index,
    cluster_weights,
    percentile_interval,
)

SEED = 0
FEWEST_CLUSTERS = 10
BOOTSTRAP = f"patient-cluster bootstrap, percentile, {RESAMPLES:,} resamples, seed {SEED}"
ALIKE = "Clopper-Pearson (exact) over patients, since no patient differs"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Clusters:
    """Patients of a set of rows: a code from 0 to ``count`` - 1 for each row."""

    codes: NDArray[np.intp]
    count: int

    @classmethod
    def of(cls, patients: NDArray[np.object_]) -> Clusters:
        """Code the patients in the order of their names, so that the order of rows does not matter."""
        codes, count = cluster_index(patients.tolist())
        return cls(codes, count)

    @property
    def repeat(self) -> bool:
        """Whether any patient has more than one row."""
        return self.count < len(self.codes)

    def sums(self, values: NDArray[np.generic]) -> Floats:
        """Sum the values of each patient's rows; shape (count,)."""
        return np.asarray(np.bincount(self.codes, weights=values.astype(np.float64), minlength=self.count))

    def resample(self, *counts: Floats) -> list[Floats]:
        """Return each of the per-patient counts summed over the patients of every resample; shape (resamples,)."""
        return list(bootstrap_counts(np.stack(counts, axis=1), self.weights()).T)

    def weights(self) -> NDArray[np.uint16]:
        """Return how often each resample takes each patient; shape (resamples, count), read only, always the same."""
        return _weights(self.count)

    def interval(self, replicates: Floats, confidence: float, counted: int) -> Interval | None:
        """Return the percentile interval of bootstrap replicates; None with too few patients or too few replicates.

        ``counted`` is the number of patients on whom the metric rests, such as those with a positive case.
        """
        if counted < FEWEST_CLUSTERS:
            return None
        try:
            return percentile_interval(replicates, confidence, BOOTSTRAP)
        except Undecidable:
            return None


def proportion_interval(
    hits: Floats,
    trials: Floats,
    clusters: Clusters,
    confidence: float,
    independent: Callable[[int, int, float], Interval],
) -> Interval | None:
    """Return the interval of sum(hits) / sum(trials), both counted by patient.

    ``independent`` serves when no patient has two trials. Otherwise patients are resampled; where all counted patients
    are alike (such as 0 % or 100 % throughout) no resample can vary, so each of them is taken as one trial instead.
    """
    total_hits, total = int(hits.sum()), int(trials.sum())
    if trials.max() <= 1:
        return independent(total_hits, total, confidence)
    counted = int(np.count_nonzero(trials))
    resampled_hits, resampled_trials = clusters.resample(hits, trials)
    nothing = np.full(len(resampled_trials), np.nan)
    replicates = np.divide(resampled_hits, resampled_trials, out=nothing, where=resampled_trials > 0)
    if all_alike(replicates):
        return interval_when_alike(total_hits / total, 0.0, counted, confidence, ALIKE)
    return clusters.interval(replicates, confidence, counted)


def all_alike(replicates: Floats) -> bool:
    """Say whether all replicates that are defined are one number: then resampling says nothing of the spread."""
    defined = replicates[np.isfinite(replicates)]
    return defined.size > 0 and bool(defined.min() == defined.max())


def interval_when_alike(value: float, lowest: float, units: int, confidence: float, method: str) -> Interval:
    """Bound a mean over units (patients, or pairs of them) that all showed the same value, from ``lowest`` to 1.

    That none of the units differs allows a share of them, the upper limit of Clopper and Pearson for 0 of ``units``,
    to differ all the same, and as far as a value can. At 0 and 1 these are the limits of Clopper and Pearson.
    """
    share = clopper_pearson(0, units, confidence).upper
    return Interval(value - share * (value - lowest), value + share * (1.0 - value), confidence, method)


@lru_cache(maxsize=2)
def _weights(count: int) -> NDArray[np.uint16]:
    """Draw once for all requirements on one set of patients: those on all, and those on the ones with repeats."""
    weights = cluster_weights(count, RESAMPLES, SEED)
    weights.setflags(write=False)
    return weights

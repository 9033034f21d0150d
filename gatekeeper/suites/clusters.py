"""Rows grouped by patient, and intervals that resample patients, never images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
BOUNDARY = "Clopper-Pearson (exact) over patients, since no patient differs"

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
        """Draw how often each resample takes each patient; shape (resamples, count), always the same draw."""
        return cluster_weights(self.count, RESAMPLES, SEED)

    def interval(self, replicates: Floats, confidence: float) -> Interval | None:
        """Return the percentile interval of bootstrap replicates; None with too few patients or too few replicates."""
        if self.count < FEWEST_CLUSTERS:
            return None
        try:
            return percentile_interval(replicates, confidence, BOOTSTRAP)
        except Undecidable:
            return None


def proportion_interval(
    hits: Floats,
    trials: Floats,
    clustered: bool,
    clusters: Clusters,
    confidence: float,
    independent: Callable[[int, int, float], Interval],
) -> Interval | None:
    """Return the interval of sum(hits) / sum(trials), both counted by patient.

    ``independent`` serves when no patient repeats. When patients repeat, they are resampled; where every counted
    patient agrees (0 % or 100 %) a resample cannot vary, so each counted patient is taken as one trial instead.
    """
    total_hits, total = int(hits.sum()), int(trials.sum())
    if not clustered:
        return independent(total_hits, total, confidence)
    counted = int(np.count_nonzero(trials))
    if total_hits in (0, total):
        exact = clopper_pearson(counted if total_hits else 0, counted, confidence)
        return Interval(exact.lower, exact.upper, confidence, BOUNDARY)
    resampled_hits, resampled_trials = clusters.resample(hits, trials)
    nothing = np.full(len(resampled_trials), np.nan)
    replicates = np.divide(resampled_hits, resampled_trials, out=nothing, where=resampled_trials > 0)
    return clusters.interval(replicates, confidence)

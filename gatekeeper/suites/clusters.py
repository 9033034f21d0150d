"""Rows grouped by patient, and intervals that resample patients, never images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics import (
    RESAMPLES,
    Interval,
    Undecidable,
    bootstrap_sums,
    clopper_pearson,
    cluster_index,
    effective_trials,
    percentile_interval,
    weight_blocks,
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

    @property
    def once(self) -> list[NDArray[np.int64]]:
        """The one resample that takes every patient once: the set itself."""
        return [np.ones((1, self.count), dtype=np.int64)]

    def weights(self) -> Iterator[NDArray[np.intp]]:
        """Draw how often each resample takes each patient, some resamples at a time; always the same."""
        return weight_blocks(self.count, RESAMPLES, SEED)

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
    confidence: float,
    independent: Callable[[float, float, float], Interval],
    times: float = 1.0,
) -> Interval | None:
    """Return the interval of sum(hits) / sum(trials), both counted by patient; None with too few patients.

    ``independent`` makes it: of the trials themselves when no patient has two, else of the effective number of them
    (``statistics.effective``). Where all patients are always right, or always wrong, each is one trial, whatever their
    number. With ``times`` it is the interval of so many times as many cases that tell the same.
    """
    if trials.max() <= 1:
        return independent(float(hits.sum()) * times, float(trials.sum()) * times, confidence)
    alike = hits.sum() in (0.0, trials.sum())
    if not alike and np.count_nonzero(trials) < FEWEST_CLUSTERS:
        return None
    effective = effective_trials(hits, trials, confidence)
    found = independent(effective.hits * times, effective.trials * times, confidence)
    if alike:
        return replace(found, method=f"{found.method} over patients, since no patient differs")
    return replace(found, method=f"{found.method} on {effective.trials:,.0f} effective trials (Korn & Graubard)")


def resampled(*by_patient: Floats) -> list[Floats]:
    """Return each of several sums by patient, summed over the patients of every resample; shape (resamples,)."""
    return list(bootstrap_sums(np.stack(by_patient, axis=1), RESAMPLES, SEED).T)


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

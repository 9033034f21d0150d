"""The patient-cluster bootstrap: patients are drawn with replacement, each with all of its cases; never images.

Sources: Davison & Hinkley, Bootstrap Methods and their Application, 1997, sections 3.8 and 5.3; Field & Welsh,
J R Stat Soc B 2007;69:369. A resample is kept as one small integer a patient: how often it was drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.interval import Interval, Undecidable, error_each_side

RESAMPLES = 2000
MOST_UNDEFINED = 0.05

_CHUNK_ELEMENTS = 1 << 17  # draws or weights handled at a time: they stay in the processor's cache


def cluster_index(patients: Sequence[str]) -> tuple[NDArray[np.intp], int]:
    """Return a code from 0 to C - 1 for each row, in the order of the patients' names, and C, the number of patients.

    The order of names, not of rows: two tables with the same rows in another order give the same resamples.
    """
    code = {name: position for position, name in enumerate(sorted(set(patients)))}
    return np.fromiter((code[name] for name in patients), dtype=np.intp, count=len(patients)), len(code)


def cluster_weights(clusters: int, resamples: int = RESAMPLES, seed: int = 0) -> NDArray[np.uint16]:
    """Draw how often each resample takes each cluster: multinomial counts with equal probabilities.

    The same arguments give the same counts on every machine and with every version of numpy: they are made from the
    raw stream of PCG64, which numpy guarantees, and not by a Generator, which it does not. Probabilities are equal to
    within C / 2^32. A row takes ``clusters`` clusters in all; ``clusters`` < 2^32.

    Returns
    -------
    Counts of shape (resamples, clusters). Raises ValueError without a cluster or a resample.
    """
    if clusters < 1 or resamples < 1:
        raise ValueError(f"cannot draw {resamples} resamples of {clusters} clusters")
    stream = np.random.PCG64(seed)
    weights = np.empty((resamples, clusters), dtype=np.uint16)
    rows = max(1, _CHUNK_ELEMENTS // clusters)
    for start in range(0, resamples, rows):
        piece = weights[start : start + rows]
        drawn = _draw(stream, piece.size, clusters).reshape(piece.shape)
        drawn += np.arange(len(piece), dtype=np.intp)[:, None] * clusters
        piece[:] = np.bincount(drawn.ravel(), minlength=piece.size).reshape(piece.shape)
    return weights


def bootstrap_counts(
    counts: NDArray[np.integer] | NDArray[np.floating], weights: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return what each resample counts: the sums over clusters of weight times count.

    Parameters
    ----------
    counts : shape (C, k), what each cluster contributes, such as tp, fp, fn, tn
    weights : shape (B, C), from ``cluster_weights``

    Returns
    -------
    Sums of shape (B, k), float64; exact for integer counts as long as they stay below 2^53.
    """
    if counts.ndim != 2 or weights.ndim != 2 or weights.shape[1] != counts.shape[0]:
        raise ValueError(f"counts {counts.shape} and weights {weights.shape} must be (C, k) and (B, C)")
    summands = counts.astype(np.float64)
    sums = np.empty((weights.shape[0], counts.shape[1]))
    rows = max(1, _CHUNK_ELEMENTS // max(1, weights.shape[1]))
    for start in range(0, len(sums), rows):
        np.matmul(weights[start : start + rows].astype(np.float64), summands, out=sums[start : start + rows])
    return sums


def percentile_interval(replicates: NDArray[np.float64], confidence: float, method: str) -> Interval:
    """Return the percentile interval of bootstrap replicates (quantiles by linear interpolation, Hyndman & Fan 7).

    Replicates that are not finite come from resamples in which the metric has no value. Up to 5 % of them are left
    out, and ``method`` then says how many; with more the interval would not be one of the metric any more.

    Raises Undecidable with more than 5 % undefined replicates, ValueError without any replicate.
    """
    error = error_each_side(confidence)
    if replicates.size == 0:
        raise ValueError("an interval of no replicates")
    defined = replicates[np.isfinite(replicates)]
    missing = replicates.size - defined.size
    if missing > MOST_UNDEFINED * replicates.size:
        raise Undecidable(f"the metric is undefined in {missing:,} of {replicates.size:,} resamples")
    if missing:
        method = f"{method}, {missing:,} undefined ones left out"
    lower, upper = np.quantile(defined, [error, 1.0 - error])
    return Interval(float(lower), float(upper), confidence, method)


def _draw(stream: np.random.PCG64, size: int, clusters: int) -> NDArray[np.intp]:
    drawn = np.asarray(stream.random_raw(size), dtype=np.uint64)
    drawn >>= np.uint64(32)
    drawn *= np.uint64(clusters)
    drawn >>= np.uint64(32)
    return drawn.astype(np.intp)

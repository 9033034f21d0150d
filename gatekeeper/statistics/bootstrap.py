"""The patient-cluster bootstrap: patients are drawn with replacement, each with all of its cases; never images.

Sources: Davison & Hinkley, Bootstrap Methods and their Application, 1997, sections 3.8 and 5.3; Field & Welsh,
J R Stat Soc B 2007;69:369. A resample is one small integer a patient: how often it was drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.interval import Interval, Undecidable, error_each_side

RESAMPLES = 2000
MOST_UNDEFINED = 0.05

_CHUNK_ELEMENTS = 1 << 16  # weights drawn at a time: they stay in the processor's cache
_KINDS_WORTH = 16  # a kind of cluster costs as much to draw as so many clusters one by one
_MOST_CELLS = 1 << 16
_ROWS = 16
_PRODUCT = 1 << 18  # multiplications that BLAS leaves to one thread; of a vector it spreads more than _OF_VECTOR
_OF_VECTOR = 1 << 13


def cluster_index(patients: Sequence[str]) -> tuple[NDArray[np.intp], int]:
    """Return a code from 0 to C - 1 for each row, in the order of the patients' names, and C, the number of patients.

    The order of names, not of rows: two tables with the same rows in another order give the same resamples.
    """
    code = {name: position for position, name in enumerate(sorted(set(patients)))}
    return np.fromiter((code[name] for name in patients), dtype=np.intp, count=len(patients)), len(code)


def weight_blocks(clusters: int, resamples: int = RESAMPLES, seed: int = 0) -> Iterator[NDArray[np.intp]]:
    """Draw how often each resample takes each cluster, some resamples at a time: they stay in the processor's cache.

    The same arguments give the same counts on every machine and with every version of numpy: they are made from the
    raw stream of PCG64, which numpy guarantees, and not by a Generator, which it does not. Probabilities are equal to
    within C / 2^32. A row takes ``clusters`` clusters in all; ``clusters`` < 2^32.

    Yields
    ------
    Multinomial counts of shape (a few, clusters), ``resamples`` rows in all. Raises ValueError without a cluster or a
    resample.
    """
    _check_draw(clusters, resamples)
    stream = np.random.PCG64(seed)
    # Even, so that no half of a raw number is left over; four or more, for those who multiply matrices with them.
    rows = 2 * max(2, _CHUNK_ELEMENTS // (2 * clusters))
    first_of_row = np.repeat(np.arange(rows, dtype=np.uint64) * np.uint64(clusters), clusters)
    drawn = np.empty(rows * clusters, dtype=np.uint64)
    for start in range(0, resamples, rows):
        wanted = min(rows, resamples - start) * clusters
        raw = np.asarray(stream.random_raw((wanted + 1) // 2), dtype="<u8").view("<u4")[:wanted]
        piece = drawn[:wanted]
        np.copyto(piece, raw)
        piece *= np.uint64(clusters)
        piece >>= np.uint64(32)
        piece += first_of_row[:wanted]
        counts = np.zeros(wanted, dtype=np.intp)
        np.add.at(counts, piece.view(np.int64), 1)  # a tenth faster than bincount, which looks for the largest first
        yield counts.reshape(-1, clusters)


def cluster_weights(clusters: int, resamples: int = RESAMPLES, seed: int = 0) -> NDArray[np.uint16]:
    """Return all of ``weight_blocks`` as one matrix of shape (resamples, clusters)."""
    _check_draw(clusters, resamples)
    weights = np.empty((resamples, clusters), dtype=np.uint16)
    start = 0
    for block in weight_blocks(clusters, resamples, seed):
        weights[start : start + len(block)] = block
        start += len(block)
    return weights


def bootstrap_sums(
    contributions: NDArray[np.integer] | NDArray[np.floating], resamples: int = RESAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """Return sums over the clusters of each resample, such as of tp, fp, fn and tn.

    Clusters that contribute alike are drawn together: how many of a resample are of each kind is multinomial. So
    counts cost no draw for each cluster; contributions that all differ do (``weight_blocks``). Kinds are drawn by
    numpy's RandomState, whose stream is frozen (NEP 19).

    Parameters
    ----------
    contributions : shape (C, k), what each cluster adds

    Returns
    -------
    Sums of shape (resamples, k), float64; exact for integers as long as they stay below 2^53. Raises ValueError for
    another shape, a contribution that is not finite, or no cluster or resample.
    """
    if contributions.ndim != 2 or not np.isfinite(contributions).all():
        raise ValueError(f"contributions must be finite and of shape (C, k), not {contributions.shape}")
    _check_draw(len(contributions), resamples)
    summands = contributions.astype(np.float64)
    kinds, members = _kinds(summands)
    if _KINDS_WORTH * len(kinds) < len(summands):
        source = np.random.RandomState(np.random.PCG64(seed))
        return weighted_sums(
            source.multinomial(len(summands), members / len(summands), size=resamples).astype(np.float64), kinds
        )
    blocks = weight_blocks(len(summands), resamples, seed)
    return np.concatenate([weighted_sums(block.astype(np.float64), summands) for block in blocks])


def weighted_sums(weights: NDArray[np.float64], summands: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``weights @ summands``, shapes (B, C) and (C, k), multiplied so little at a time that it stays one thread.

    BLAS spreads larger products over threads that wait for each other: where other work holds the processors, a product
    of a millisecond can take a hundred. In one thread the rounding does not depend on their number either.
    """
    found = np.zeros((len(weights), summands.shape[1]))
    for start in range(0, len(weights), _ROWS):
        few, sums = weights[start : start + _ROWS], found[start : start + _ROWS]
        most = _OF_VECTOR if 1 in sums.shape else _PRODUCT
        step = max(1, most // max(1, sums.size))
        for first in range(0, len(summands), step):
            sums += few[:, first : first + step] @ summands[first : first + step]
    return found


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


def _check_draw(clusters: int, resamples: int) -> None:
    if clusters < 1 or resamples < 1:
        raise ValueError(f"cannot draw {resamples} resamples of {clusters} clusters")


def _kinds(contributions: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the rows that differ, sorted, and how often each occurs."""
    highest = contributions.max(axis=0)
    small = contributions.min() >= 0.0 and np.prod(highest + 1.0) <= _MOST_CELLS
    if not small or (contributions != np.floor(contributions)).any():
        return np.unique(contributions, axis=0, return_counts=True)
    shape = tuple(int(most) + 1 for most in highest)
    cells = np.bincount(np.ravel_multi_index(tuple(contributions.T.astype(np.intp)), shape))
    found = np.flatnonzero(cells)
    return np.stack(np.unravel_index(found, shape), axis=1).astype(np.float64), cells[found]

"""Sensitivity at a specificity, and specificity at a sensitivity, on the empirical ROC curve.

Definition (Metrics Reloaded, Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z): the best of one
rate among all cuts of the score at which the other rate is at least the one asked for; nothing is interpolated.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CHUNK_ELEMENTS = 1 << 16
_ROUNDING = 1e-9  # 0.9 of 30 cases is 27 of them, though 0.9 * 30 in binary is a little more


def rate_at(
    scores: Floats,
    of_class: NDArray[np.bool_],
    other_rate: float,
    weights: NDArray[np.integer] | Iterable[NDArray[np.integer]],
    clusters: NDArray[np.intp],
) -> Floats:
    """Return, in each of B resamples, the share of a class that scores beyond a cut that keeps the other class out.

    With ``of_class`` the positives it is the sensitivity at the least cut at which at least ``other_rate`` of the
    negatives score lower. For the specificity at a sensitivity, negate the scores and take the negatives.

    Parameters
    ----------
    scores : shape (n,), higher speaks for the class; ``of_class`` : shape (n,), True where a case is of the class
    other_rate : share of the other class that must stay below the cut, 0 < other_rate < 1
    weights : shape (B, C), how often each resample takes each cluster, or blocks of such rows
    clusters : codes below C, shape (n,)

    Returns
    -------
    Shares of shape (B,); NaN where a resample has one class only. Raises ValueError for a NaN among the scores.
    """
    if np.isnan(scores).any():
        raise ValueError("a score is NaN")
    within, other = _sorted(scores, of_class), _sorted(scores, ~of_class)
    values, ends = _groups(scores[other])
    beyond = np.searchsorted(scores[within], values, "right")
    rows = max(1, _CHUNK_ELEMENTS // max(1, len(scores)))
    pieces = []
    blocks = [weights] if isinstance(weights, np.ndarray) else weights
    for piece in (block[start : start + rows] for block in blocks for start in range(0, len(block), rows)):
        kept_out = _cumulated(piece.take(clusters[other], axis=1)).take(ends, axis=1)
        not_called = _cumulated(piece.take(clusters[within], axis=1))
        total, all_others = not_called[:, -1], kept_out[:, -1]
        cut = (kept_out >= other_rate * all_others[:, None] - _ROUNDING).argmax(axis=1)
        called = total - not_called[np.arange(len(piece)), beyond[cut]]
        defined = (total > 0) & (all_others > 0)
        pieces.append(np.divide(called, total, out=np.full(len(piece), np.nan), where=defined))
    return np.concatenate(pieces)


def _sorted(scores: Floats, mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    rows = np.flatnonzero(mask)
    return rows[np.argsort(scores[rows], kind="stable")]


def _groups(ordered: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Return the distinct values of sorted scores, and how many scores lie at or below each; the first is below all."""
    values, counts = np.unique(ordered, return_counts=True)
    return np.concatenate([[-np.inf], values]), np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)


def _cumulated(weights: NDArray[np.integer]) -> NDArray[np.int64]:
    sums = np.zeros((len(weights), weights.shape[1] + 1), dtype=np.int64)
    np.cumsum(weights, axis=1, dtype=np.int64, out=sums[:, 1:])
    return sums

"""Weights of cases that are sorted once, in many resamples: two resamples to a number, in arrays used again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Weights = NDArray[np.integer] | Iterable[NDArray[np.integer]]

_CHUNK_ELEMENTS = 1 << 16  # weights handled at a time: the working arrays stay in the processor's cache
_HALF = 32
_LOWER = (1 << _HALF) - 1
_MOST_CASES = 1 << 31  # what fits into half an integer


def few_rows(weights: Weights, clusters: NDArray[np.intp], cases: int) -> Iterator[Counts]:
    """Pass on weights (B, C), or blocks of such rows, two rows at a time or as many more as suit so many cases.

    Raises IndexError when a cluster has no column.
    """
    rows, lowest, highest = 2 * max(1, _CHUNK_ELEMENTS // (2 * cases)), int(clusters.min()), int(clusters.max())
    for block in [weights] if isinstance(weights, np.ndarray) else weights:
        if lowest < 0 or highest >= block.shape[1]:
            raise IndexError(f"weights of {block.shape[1]} clusters do not fit codes from {lowest} to {highest}")
        for start in range(0, len(block), rows):
            yield block[start : start + rows].astype(np.int64, copy=False)


def paired(few: Counts, cases: int) -> Counts:
    """Return each two rows as one, the second in the upper half of the numbers.

    Rows stay apart where the sum over all cases might not fit into half a number: counts are large, or negative.
    """
    largest = int(few.view(np.uint64).max(initial=0))  # a negative count is larger than any other
    if len(few) < 2 or largest * cases >= _MOST_CASES:
        return few
    pairs = few[::2].copy()
    pairs[: len(few) // 2] += few[1::2] << _HALF
    return pairs


def in_order(pairs: Counts, columns: NDArray[np.intp], room: Counts) -> Counts:
    """Return the weights in so many columns; they lie in ``room``, which is as large or larger."""
    out = room.reshape(-1)[: len(pairs) * len(columns)].reshape(len(pairs), len(columns))
    return pairs.take(columns, axis=1, out=out, mode="clip")  # "clip", since numpy would else copy ``out``


def apart(pairs: Counts, rows: int) -> Counts:
    """Return the rows of which ``pairs``, or sums of pairs, were made."""
    if len(pairs) == rows:
        return pairs
    found = np.empty((rows, pairs.shape[1]), dtype=np.int64)
    np.bitwise_and(pairs, _LOWER, out=found[::2])
    np.right_shift(pairs[: rows // 2], _HALF, out=found[1::2])
    return found


def room_for(cases: int) -> Counts:
    """Return a working array that holds what ``few_rows`` passes on for so many cases."""
    return np.empty((2 * max(1, _CHUNK_ELEMENTS // (2 * cases)), cases), dtype=np.int64)

"""Areas under the ROC curve of many resamples of cases that are sorted once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_CHUNK_ELEMENTS = 1 << 16  # weights handled at a time: the working arrays stay in the processor's cache
_HALF = 32
_LOWER = (1 << _HALF) - 1
_MOST_NEGATIVES = 1 << 30  # twice as many fit into half an integer


@dataclass(frozen=True)
class RankPlan:
    """Where the weight of each case stands, sorted by score within its class, and how many negatives lie below."""

    positives: NDArray[np.intp] | slice
    negatives: NDArray[np.intp] | slice
    strictly_below: NDArray[np.intp]
    below_or_equal: NDArray[np.intp]
    negative_cases: int

    @classmethod
    def of(cls, scores: Floats, positive: NDArray[np.bool_], columns: NDArray[np.intp] | None) -> RankPlan:
        """Plan for cases whose weights stand in ``columns``, or for weights sorted as the cases: negatives first."""
        order = np.argsort(scores, kind="stable")
        above, below = order[positive[order]], order[~positive[order]]
        return cls(
            positives=slice(len(below), None) if columns is None else columns[above],
            negatives=slice(0, len(below)) if columns is None else columns[below],
            strictly_below=np.searchsorted(scores[below], scores[above], "left"),
            below_or_equal=np.searchsorted(scores[below], scores[above], "right"),
            negative_cases=len(below),
        )

    def areas(self, blocks: Iterable[NDArray[np.integer]]) -> Floats:
        """Return the area of each row of the blocks, a few rows at a time."""
        sums = max(1, _CHUNK_ELEMENTS // (len(self.strictly_below) + self.negative_cases))
        room = _Room.of(sums, len(self.strictly_below), self.negative_cases)
        pieces = [np.empty((2, 0), dtype=np.int64)]
        for block in blocks:
            step = self._rows_in_a_sum(block)
            for start in range(0, len(block), sums * step):
                few = block[start : start + sums * step].astype(np.int64, copy=False)
                pieces.append(self._won_of_pairs(few, step, room.of_rows(len(few), step)))
        won, pairs = np.concatenate(pieces, axis=1)
        return np.asarray(np.divide(won, 2.0 * pairs, out=np.full(len(won), np.nan), where=pairs > 0))

    def _rows_in_a_sum(self, block: NDArray[np.integer]) -> int:
        """Two, where weights are fetched by cluster and their sums fit into half an integer: each half sums a row."""
        if isinstance(self.negatives, slice):
            return 1
        return 2 if int(block.max(initial=0)) * self.negative_cases < _MOST_NEGATIVES else 1

    def _won_of_pairs(self, weights: Counts, step: int, room: _Room) -> Counts:
        """Return twice the pairs in which the positive scores higher, ties counting one, and the number of pairs."""
        of_positives = _columns(weights, self.positives, room.of_positives)
        of_negatives = _columns(_paired(weights, step), self.negatives, room.of_negatives)
        np.cumsum(of_negatives, axis=1, out=room.up_to[:, 1:])
        twice_below = room.up_to.take(self.strictly_below, axis=1, out=room.twice_below, mode="clip")
        twice_below += room.up_to.take(self.below_or_equal, axis=1, out=room.ties, mode="clip")
        found = np.empty((2, len(weights)), dtype=np.int64)
        for half in range(step):
            won, negatives = found[:, half::step]
            won[:] = np.einsum("ij,ij->i", of_positives[half::step], _half(twice_below, half, step)[: len(won)])
            negatives[:] = _half(room.up_to[:, -1], half, step)[: len(won)]
        found[1] *= of_positives.sum(axis=1)
        return found


@dataclass(frozen=True)
class _Room:
    """Working arrays for a few resamples, used again and again: to fetch them anew costs more than the sums do."""

    of_positives: Counts
    of_negatives: Counts
    up_to: Counts
    twice_below: Counts
    ties: Counts

    @classmethod
    def of(cls, sums: int, positives: int, negatives: int) -> _Room:
        shapes = (2 * sums, positives), *((sums, width) for width in (negatives, negatives + 1, positives, positives))
        return cls(*(np.zeros(shape, dtype=np.int64) for shape in shapes))

    def of_rows(self, rows: int, step: int) -> _Room:
        arrays = (self.of_negatives, self.up_to, self.twice_below, self.ties)
        return _Room(self.of_positives[:rows], *(array[: -(-rows // step)] for array in arrays))


def checked_weights(blocks: Iterable[NDArray[np.integer]], width: int, exact: bool) -> Iterator[NDArray[np.integer]]:
    """Pass on blocks of ``width`` columns, or of more unless ``exact``; ValueError when they are no counts of cases."""
    for weights in blocks:
        if not np.issubdtype(weights.dtype, np.integer):
            raise ValueError(f"weights are counts of cases, not {weights.dtype}")
        if weights.ndim != 2 or weights.shape[1] < width or (exact and weights.shape[1] > width):
            raise ValueError(f"weights {weights.shape} do not fit {width} cases or clusters")
        if np.issubdtype(weights.dtype, np.signedinteger) and weights.size and weights.min() < 0:
            raise ValueError("a weight is negative")
        yield weights


def _paired(weights: Counts, step: int) -> Counts:
    """Return each two rows as one, the second in the upper half, if two are summed at once."""
    if step == 1:
        return weights
    paired = weights[::2].copy()
    paired[: len(weights) // 2] += weights[1::2] << _HALF
    return paired


def _half(sums: Counts, half: int, step: int) -> Counts:
    if step == 1:
        return sums
    return sums >> _HALF if half else sums & _LOWER


def _columns(weights: Counts, chosen: NDArray[np.intp] | slice, out: Counts) -> Counts:
    # "clip", since numpy would else copy ``out``; that the columns exist is checked.
    return weights[:, chosen] if isinstance(chosen, slice) else weights.take(chosen, axis=1, out=out, mode="clip")

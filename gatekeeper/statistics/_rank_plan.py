"""Areas under the ROC curve of many resamples of cases that are sorted once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CHUNK_ELEMENTS = 1 << 15  # weights handled at a time: the working arrays stay in the processor's cache


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
        rows = max(1, _CHUNK_ELEMENTS // (len(self.strictly_below) + self.negative_cases))
        room = _Room.of(rows, len(self.strictly_below), self.negative_cases)
        pieces = [np.empty(0)]
        for block in blocks:
            for start in range(0, len(block), rows):
                few = block[start : start + rows].astype(np.int64, copy=False)
                pieces.append(self._areas(few, room.of_rows(len(few))))
        return np.concatenate(pieces)

    def _areas(self, weights: NDArray[np.int64], room: _Room) -> Floats:
        of_positives = _columns(weights, self.positives, room.of_positives)
        of_negatives = _columns(weights, self.negatives, room.of_negatives)
        np.cumsum(of_negatives, axis=1, out=room.up_to[:, 1:])
        twice_below = room.up_to.take(self.strictly_below, axis=1, out=room.twice_below, mode="clip")
        twice_below += room.up_to.take(self.below_or_equal, axis=1, out=room.ties, mode="clip")
        won = np.einsum("ij,ij->i", of_positives, twice_below)
        pairs = of_positives.sum(axis=1) * room.up_to[:, -1]
        return np.asarray(np.divide(won, 2.0 * pairs, out=np.full(len(weights), np.nan), where=pairs > 0))


@dataclass(frozen=True)
class _Room:
    """Working arrays for a few resamples, used again and again: to fetch them anew costs more than the sums do."""

    of_positives: NDArray[np.int64]
    of_negatives: NDArray[np.int64]
    up_to: NDArray[np.int64]
    twice_below: NDArray[np.int64]
    ties: NDArray[np.int64]

    @classmethod
    def of(cls, rows: int, positives: int, negatives: int) -> _Room:
        widths = (positives, negatives, negatives + 1, positives, positives)
        return cls(*(np.zeros((rows, width), dtype=np.int64) for width in widths))

    def of_rows(self, rows: int) -> _Room:
        arrays = (self.of_positives, self.of_negatives, self.up_to, self.twice_below, self.ties)
        return _Room(*(array[:rows] for array in arrays))


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


def _columns(weights: NDArray[np.int64], chosen: NDArray[np.intp] | slice, out: NDArray[np.int64]) -> NDArray[np.int64]:
    # "clip", since numpy would else copy ``out``; that the columns exist is checked.
    return weights[:, chosen] if isinstance(chosen, slice) else weights.take(chosen, axis=1, out=out, mode="clip")

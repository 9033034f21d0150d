"""The outline of a mask as closed lines along the edges of its pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Corner = tuple[int, int]


def outlines(mask: NDArray[np.bool_]) -> tuple[tuple[Corner, ...], ...]:
    """Return every closed line around a mask, as corners (row, column) in pixels; the last joins the first.

    Corner (0, 0) is the upper left one of the first pixel. The mask lies on the right-hand side of each line, so that
    holes run the other way round. Corners on straight parts are left out. Where two pixels meet in one corner the lines
    keep them apart.
    """
    starts = _edges(np.asarray(mask, dtype=np.bool_))
    lines = []
    while starts:
        corner = next(iter(starts))
        line, way = [], starts[corner][0]
        while corner in starts:
            ways = starts[corner]
            way = _next(way, ways)
            ways.remove(way)
            if not ways:
                del starts[corner]
            line.append((corner, way))
            corner = (corner[0] + way[0], corner[1] + way[1])
        lines.append(tuple(at for number, (at, along) in enumerate(line) if along != line[number - 1][1]))
    return tuple(lines)


_RIGHT, _DOWN, _LEFT, _UP = (0, 1), (1, 0), (0, -1), (-1, 0)
# Turning right first keeps to the same pixel, so that pixels that meet in a corner stay apart.
_TURNS = {
    _RIGHT: (_DOWN, _RIGHT, _UP),
    _DOWN: (_LEFT, _DOWN, _RIGHT),
    _LEFT: (_UP, _LEFT, _DOWN),
    _UP: (_RIGHT, _UP, _LEFT),
}


def _next(way: Corner, ways: list[Corner]) -> Corner:
    return next((turn for turn in _TURNS[way] if turn in ways), ways[0])


def _edges(mask: NDArray[np.bool_]) -> dict[Corner, list[Corner]]:
    """Return the directed edges that leave each corner, the mask on their right-hand side."""
    padded = np.pad(mask, 1)
    starts: dict[Corner, list[Corner]] = {}
    inside, above, below = padded[1:-1, 1:-1], padded[:-2, 1:-1], padded[2:, 1:-1]
    before, after = padded[1:-1, :-2], padded[1:-1, 2:]
    for edge, way, (down, across) in (
        (inside & ~above, _RIGHT, (0, 0)),
        (inside & ~after, _DOWN, (0, 1)),
        (inside & ~below, _LEFT, (1, 1)),
        (inside & ~before, _UP, (1, 0)),
    ):
        for row, column in np.argwhere(edge).tolist():
            starts.setdefault((row + down, column + across), []).append(way)
    return starts

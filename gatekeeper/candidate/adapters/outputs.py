"""From whatever a network returns to named arrays over the cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.contract import OutputContract

BOXES, SCORES = "boxes", "scores"
# Deeper nesting than any network has; it bounds the walk.
_DEEPEST = 4


def named(returned: object, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Walk through tuples, lists and mappings: leaves by name, in order, those within others as ``outer.inner``.

    A leaf is what has a shape. Anything else that a network returns is left out.
    """
    if hasattr(returned, "shape"):
        yield prefix or "output", returned
    elif depth < _DEEPEST and isinstance(returned, Mapping):
        for key, value in returned.items():
            yield from named(value, f"{prefix}.{key}" if prefix else str(key), depth + 1)
    elif depth < _DEEPEST and isinstance(returned, Sequence) and not isinstance(returned, str | bytes):
        fields = getattr(returned, "_fields", None)
        for index, value in enumerate(returned):
            key = fields[index] if fields else str(index)
            yield from named(value, f"{prefix}.{key}" if prefix else key, depth + 1)


def asked_for(outputs: Mapping[str, Any], contract: OutputContract) -> dict[str, Any]:
    """Keep what the contract names: its output (else the first), and the flag of refusal. Of boxes all is kept."""
    if contract.kind == "boxes":
        return dict(outputs)
    wanted = {contract.name or next(iter(outputs), ""), contract.refuses.flag}
    return {name: output for name, output in outputs.items() if name in wanted}


def padded_boxes(found: Sequence[tuple[NDArray[Any], NDArray[Any]]], axes: int) -> dict[str, NDArray[np.float64]]:
    """Put the findings of n cases into one array: ``boxes`` (n, m, 2, axes) and ``scores`` (n, m), ends are NaN.

    Each case has corners (k, 2, axes), or (k, 2 * axes) with the low corner first, and scores (k,). Raises ValueError
    for other shapes.
    """
    corners = [_corners(np.asarray(boxes, dtype=np.float64), axes) for boxes, _ in found]
    scores = [np.asarray(of, dtype=np.float64).reshape(-1) for _, of in found]
    most = max((len(of) for of in scores), default=0)
    boxes = np.full((len(found), most, 2, axes), np.nan)
    padded = np.full((len(found), most), np.nan)
    for case, (low_high, of) in enumerate(zip(corners, scores, strict=True)):
        if len(low_high) != len(of):
            raise ValueError("there are as many scores as boxes")
        boxes[case, : len(of)], padded[case, : len(of)] = low_high, of
    return {BOXES: boxes, SCORES: padded}


def _corners(boxes: NDArray[np.float64], axes: int) -> NDArray[np.float64]:
    if boxes.size == 0:
        return np.empty((0, 2, axes))
    if boxes.shape[1:] not in ((2, axes), (2 * axes,)):
        raise ValueError("a box is a low and a high corner")
    return boxes.reshape(-1, 2, axes)


def gathered_boxes(outputs: Mapping[str, NDArray[Any]], n: int, axes: int) -> dict[str, NDArray[np.generic]]:
    """Bring the boxes of n cases into one form, from what a network can return.

    ``boxes`` and ``scores``, or the first two outputs: with a first axis of cases, or without when n is 1; or of each
    case a mapping with both, as ``0.boxes``, ``0.scores``, ``1.boxes``.. Raises ValueError for anything else. What
    else has a first axis of n cases is handed on as it is.
    """
    others = {name: array for name, array in outputs.items() if array.ndim and len(array) == n}
    if all(f"{case}.{key}" in outputs for case in range(n) for key in (BOXES, SCORES)):
        pairs = [(outputs[f"{case}.{BOXES}"], outputs[f"{case}.{SCORES}"]) for case in range(n)]
        return {**padded_boxes(pairs, axes), **others}
    first = list(outputs.values())
    if BOXES in outputs and SCORES in outputs:
        boxes, scores = outputs[BOXES], outputs[SCORES]
    elif len(first) >= 2:
        boxes, scores = first[0], first[1]
    else:
        raise ValueError("there are no boxes and scores")
    if n == 1 and scores.ndim == 1:
        boxes, scores = boxes[np.newaxis], scores[np.newaxis]
    if len(boxes) != n or len(scores) != n:
        raise ValueError("the first axis is not the cases")
    return {**others, **padded_boxes(list(zip(boxes, scores, strict=True)), axes)}

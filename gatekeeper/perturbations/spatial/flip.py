"""Left and right are exchanged: a film laid on its face, a header that says the wrong side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.specification import Perturbation, Shape, Spacing, Stack

if TYPE_CHECKING:
    import torch


def _flip(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    for magnitude in magnitudes:
        yield stack.pixels.flip(-1) if magnitude >= 0.5 else stack.pixels.clone()


def _moves(shape: Shape, spacing: Spacing, magnitude: float, seed: int) -> NDArray[np.float64]:
    matrix = np.eye(len(shape) + 1)
    if magnitude >= 0.5:
        matrix[len(shape) - 1, len(shape) - 1] = -1.0
        matrix[len(shape) - 1, len(shape)] = shape[-1] - 1.0
    return matrix


FLIP = Perturbation(
    name="flip",
    family="spatial",
    unit="count",
    lowest=0.0,
    highest=1.0,
    description=(
        "at 1 the last axis of the image runs the other way, which is from left to right of the patient where images "
        "are axial or coronal and as stored; below 0.5 nothing changes"
    ),
    source="Flip of MONAI",
    alter=_flip,
    moves=_moves,
)

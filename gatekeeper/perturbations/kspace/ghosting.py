"""Breathing, or flow: faint copies of the image along one axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.along import along, circulant
from gatekeeper.perturbations.specification import Perturbation, Stack, draw_unit

if TYPE_CHECKING:
    import torch

_GHOSTS = 4
_RESTORED = 0.02  # of the lines of k-space, about the middle


def _haunt(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    axes = [int(draw_unit(seed) * stack.axes) for seed in stack.seeds]
    for magnitude in magnitudes:
        found = stack.pixels.clone()
        if magnitude:
            for axis in set(axes):
                those = [case for case, own in enumerate(axes) if own == axis]
                matrix = circulant(response(stack.shape[axis], magnitude))
                found[those] = along(stack.pixels[those], axis + 2, matrix)
        yield found


def response(length: int, magnitude: float) -> NDArray[np.float64]:
    """Return what is left of each line of k-space along an axis, in the order of ``numpy.fft.fftfreq``."""
    left = np.ones(length)
    left[::_GHOSTS] = 1.0 - magnitude
    middle, half = length // 2, max(1, round(_RESTORED * length / 2.0))
    left[middle - half : middle + half + 1] = 1.0
    return np.asarray(np.fft.ifftshift(left))


GHOSTING = Perturbation(
    name="ghosting",
    family="k-space",
    unit="1",
    lowest=0.0,
    highest=3.0,
    description=(
        f"every {_GHOSTS}th line of k-space along an axis, drawn for each case, loses this share of its signal; the "
        "middle 2 % of the lines are left as they are"
    ),
    source="RandomGhosting of TorchIO; Boone et al., ROOD-MRI, NeuroImage 2023;278:120289",
    alter=_haunt,
    modalities=frozenset({"MR"}),
)

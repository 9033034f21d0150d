"""The patient moves between parts of the acquisition."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.affine import about_the_centre, direction, resampled
from gatekeeper.perturbations.along import along, circulant
from gatekeeper.perturbations.spatial.rotation import turned
from gatekeeper.perturbations.specification import Perturbation, Shape, Spacing, Stack, draw_unit, draws

if TYPE_CHECKING:
    import torch

_MOVES = 4
_DEGREES_A_MM = 0.5
_OTHER = 1 << 63  # so that the shift does not lie along the axis of the turn, which the same seed draws


def _move(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    for magnitude in magnitudes:
        if magnitude == 0.0:
            yield stack.pixels.clone()
            continue
        found = torch.zeros_like(stack.pixels)
        for case, (spacing, seed) in enumerate(zip(stack.spacing_mm, stack.seeds, strict=True)):
            axis = int(draw_unit(seed) * stack.axes)
            image = stack.pixels[case : case + 1]
            for lines, place in _parts(stack.shape, spacing, magnitude, seed, axis):
                seen = image if place is None else resampled(image, place[np.newaxis])
                found[case : case + 1] += along(seen, axis + 2, circulant(lines))
        yield found


def _parts(
    shape: Shape, spacing: Spacing, magnitude: float, seed: int, axis: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64] | None]]:
    """Give the lines of k-space, in the order of ``fftfreq``, that are acquired at each place; None: where it lies.

    The part with the middle of k-space is that at which the patient lies as in the image.
    """
    length = shape[axis]
    ends = np.sort(draws(seed, 1 + _MOVES)[1:])
    bounds = [0, *(round(share * length) for share in ends), length]
    for number, (start, end) in enumerate(pairwise(bounds)):
        if start == end:
            continue
        lines = np.zeros(length)
        lines[start:end] = 1.0
        still = start <= length // 2 < end
        yield np.fft.ifftshift(lines), None if still else _place(shape, spacing, magnitude, seed + number + 1)


def _place(shape: Shape, spacing: Spacing, magnitude: float, seed: int) -> NDArray[np.float64]:
    """Return a rigid movement: a shift of up to ``magnitude`` mm and a turn of up to half as many degrees."""
    far, wide = draws(seed, 5)[3:]
    linear = turned(len(shape), math.radians(magnitude * _DEGREES_A_MM * (2.0 * wide - 1.0)), seed)
    matrix = about_the_centre(linear, shape, spacing)
    matrix[:-1, -1] -= magnitude * far * direction(seed ^ _OTHER, len(shape)) / spacing
    return matrix


MOTION = Perturbation(
    name="motion",
    family="k-space",
    unit="mm",
    lowest=0.0,
    highest=50.0,
    description=(
        f"the patient moves {_MOVES} times while k-space is filled line by line along an axis drawn for each case: "
        "rigidly, by up to this distance and by up to half as many degrees; it lies as it did where the middle is "
        "filled"
    ),
    source="Shaw et al., arXiv 1810.06523 (RandomMotion of TorchIO); ROOD-MRI: 2 to 10 mm with 1 to 5 degrees",
    alter=_move,
    modalities=frozenset({"MR"}),
)

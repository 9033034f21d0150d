"""The object lies elsewhere in the field of view."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.affine import direction, moved_by
from gatekeeper.perturbations.specification import Perturbation, Shape, Spacing, draws


def _shifted(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.eye(len(pixels) + 1)
    matrix[:-1, -1] = -pixels
    return matrix


def _by_millimetres(shape: Shape, spacing: Spacing, magnitude: float, seed: int) -> NDArray[np.float64]:
    return _shifted(magnitude * direction(seed, len(shape)) / spacing)


def _by_pixels(shape: Shape, spacing: Spacing, magnitude: float, seed: int) -> NDArray[np.float64]:
    which, side = draws(seed, 2)
    pixels = np.zeros(len(shape))
    pixels[int(which * len(shape))] = magnitude if side < 0.5 else -magnitude
    return _shifted(pixels)


_SOURCE = "Boone et al., ROOD-MRI, NeuroImage 2023;278:120289; Affine of MONAI"

TRANSLATION = Perturbation(
    name="translation",
    family="spatial",
    unit="mm",
    lowest=0.0,
    highest=200.0,
    description=(
        "the image is shifted by this distance in a direction drawn for each case; linear interpolation, 0 where "
        "nothing was seen"
    ),
    source=_SOURCE,
    alter=moved_by(_by_millimetres),
    moves=_by_millimetres,
)
TRANSLATION_PIXELS = Perturbation(
    name="translation_pixels",
    family="spatial",
    unit="count",
    lowest=0.0,
    highest=512.0,
    description=(
        "the image is shifted by so many pixels along one of its axes, which and to which side is drawn for each case; "
        "linear interpolation between pixels, 0 where nothing was seen"
    ),
    source="a shift of one pixel is the benign change of Azulay & Weiss, J Mach Learn Res 2019;20:184",
    alter=moved_by(_by_pixels),
    moves=_by_pixels,
)

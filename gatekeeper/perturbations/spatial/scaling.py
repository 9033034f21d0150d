"""The object is larger or smaller: another size of patient, another distance to the detector."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.affine import about_the_centre, moved_by
from gatekeeper.perturbations.specification import Perturbation, Shape, Spacing


def _larger(shape: Shape, spacing: Spacing, magnitude: float, seed: int) -> NDArray[np.float64]:
    return about_the_centre(np.eye(len(shape)) / (1.0 + magnitude), shape, spacing)


def _smaller(shape: Shape, spacing: Spacing, magnitude: float, seed: int) -> NDArray[np.float64]:
    return about_the_centre(np.eye(len(shape)) / (1.0 - magnitude), shape, spacing)


_HOW = "about the centre of the image; the size of the image stays; linear interpolation, 0 beyond the image"
_SOURCE = "Zoom and Affine of MONAI; Boone et al., ROOD-MRI, NeuroImage 2023;278:120289"

SCALING_UP = Perturbation(
    name="scaling_up",
    family="spatial",
    unit="1",
    lowest=0.0,
    highest=3.0,
    description=f"what is seen becomes larger by this share along each axis, {_HOW}",
    source=_SOURCE,
    alter=moved_by(_larger),
    moves=_larger,
)
SCALING_DOWN = Perturbation(
    name="scaling_down",
    family="spatial",
    unit="1",
    lowest=0.0,
    highest=0.9,
    description=f"what is seen becomes smaller by this share along each axis, {_HOW}",
    source=_SOURCE,
    alter=moved_by(_smaller),
    moves=_smaller,
)

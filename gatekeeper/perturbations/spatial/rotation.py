"""The head, or the plate, lies turned."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.affine import about_the_centre, direction, moved_by
from gatekeeper.perturbations.specification import Perturbation, Shape, Spacing, draws


def _moves(shape: Shape, spacing: Spacing, magnitude: float, seed: int) -> NDArray[np.float64]:
    angle = math.radians(magnitude if draws(seed, 3)[2] < 0.5 else -magnitude)
    return about_the_centre(turned(len(shape), angle, seed), shape, spacing) if angle else np.eye(len(shape) + 1)


def turned(axes: int, angle: float, seed: int) -> NDArray[np.float64]:
    """Return a rotation by an angle (radians), of a volume about an axis drawn by the seed: (axes, axes)."""
    if axes == 2:
        return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return _about(direction(seed, 3), angle)


def _about(axis: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Return Rodrigues' rotation about a unit vector."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1.0 - math.cos(angle)) * cross @ cross)


ROTATION = Perturbation(
    name="rotation",
    family="spatial",
    unit="degree",
    lowest=0.0,
    highest=180.0,
    description=(
        "the image is turned by this angle about its centre, in millimetres, to a side drawn for each case, a volume "
        "about an axis drawn for each case; linear interpolation, 0 beyond the image"
    ),
    source="Boone et al., ROOD-MRI, NeuroImage 2023;278:120289; Affine of MONAI",
    alter=moved_by(_moves),
    moves=_moves,
)

"""The lens, or the focal spot, is not where it should be."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.blur._planes import convolved_by
from gatekeeper.perturbations.specification import Perturbation

_PARTS = 5  # of a pixel, along each axis, by which the share that the disc covers is counted


def _disc(spacing: NDArray[np.float64], magnitude: float, seed: int) -> NDArray[np.float64]:
    if magnitude == 0.0:
        return np.ones((1, 1))
    pixels = [np.arange(-far, far + 1) for far in (math.ceil(magnitude / step + 0.5) for step in spacing)]
    covered = np.zeros((len(pixels[0]), len(pixels[1])))
    for parts in product(range(-(_PARTS // 2), _PARTS // 2 + 1), repeat=2):
        row, column = (
            ((at + part / _PARTS) * step) ** 2 for at, part, step in zip(pixels, parts, spacing, strict=True)
        )
        covered += row[:, None] + column[None] <= magnitude**2
    return np.asarray(covered / covered.sum())


DEFOCUS = Perturbation(
    name="defocus",
    family="blur",
    unit="mm",
    lowest=0.0,
    highest=50.0,
    description=(
        "convolution in rows and columns with a disc of this radius, at most as wide as the image's shorter side; "
        "beyond the image the value at its edge"
    ),
    source="MedMNIST-C (Di Salvo et al., arXiv 2406.17536), after Hendrycks & Dietterich, arXiv 1903.12261",
    alter=convolved_by(_disc),
)

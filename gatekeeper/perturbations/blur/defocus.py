"""The lens, or the focal spot, is not where it should be."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.blur._planes import convolved_by
from gatekeeper.perturbations.specification import Perturbation

_PARTS = 5  # of a pixel, along each axis, by which the share that the disc covers is counted


def _disc(spacing: NDArray[np.float64], magnitude: float, seed: int) -> NDArray[np.float64]:
    if magnitude == 0.0:
        return np.ones((1, 1))
    reach = [math.ceil(magnitude / step + 0.5) for step in spacing]
    places = [
        (np.arange(-_PARTS * far - _PARTS // 2, _PARTS * far + _PARTS // 2 + 1) / _PARTS) * step
        for far, step in zip(reach, spacing, strict=True)
    ]
    inside = places[0][:, None] ** 2 + places[1][None] ** 2 <= magnitude**2
    rows, columns = (2 * far + 1 for far in reach)
    covered = inside.reshape(rows, _PARTS, columns, _PARTS).sum(axis=(1, 3)).astype(np.float64)
    return np.asarray(covered / covered.sum())


DEFOCUS = Perturbation(
    name="defocus",
    family="blur",
    unit="mm",
    lowest=0.0,
    highest=50.0,
    description="convolution in rows and columns with a disc of this radius; beyond the image the value at its edge",
    source="MedMNIST-C (Di Salvo et al., arXiv 2406.17536), after Hendrycks & Dietterich, arXiv 1903.12261",
    alter=convolved_by(_disc),
)

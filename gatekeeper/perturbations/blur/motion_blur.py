"""The patient, or the camera, moves while the picture is taken."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.blur._planes import convolved_by
from gatekeeper.perturbations.specification import Perturbation, draw_unit


def _line(spacing: NDArray[np.float64], magnitude: float, seed: int) -> NDArray[np.float64]:
    angle = math.pi * draw_unit(seed)
    half = magnitude / 2.0 * np.array([math.sin(angle), math.cos(angle)]) / spacing
    reach = [math.ceil(abs(far)) for far in half]
    kernel = np.zeros([2 * far + 1 for far in reach])
    count = 8 * max(reach) + 1
    for share in (np.arange(count) - (count - 1) / 2.0) / max(count - 1, 1) * 2.0:
        at = share * half + reach
        low = np.floor(at).astype(int)
        part = at - low
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            weight = abs(1 - row - part[0]) * abs(1 - column - part[1])
            if weight > 0.0:
                kernel[low[0] + row, low[1] + column] += weight
    return np.asarray(kernel / kernel.sum())


MOTION_BLUR = Perturbation(
    name="motion_blur",
    family="blur",
    unit="mm",
    lowest=0.0,
    highest=100.0,
    description=(
        "convolution in rows and columns with a line of this length, at most the image's shorter side, in a direction "
        "drawn for each case; beyond the image the value at its edge"
    ),
    source="MedMNIST-C (Di Salvo et al., arXiv 2406.17536), after Hendrycks & Dietterich, arXiv 1903.12261",
    alter=convolved_by(_line),
    modalities=frozenset({"CR", "DX", "MG", "OP", "US", "XA", "SM"}),
)

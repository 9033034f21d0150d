"""The image is soft."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.perturbations.along import Matrix, along
from gatekeeper.perturbations.specification import Perturbation, Stack

if TYPE_CHECKING:
    import torch

_TRUNCATED = 4.0  # standard deviations, as MONAI has it


def _blur(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    for magnitude in magnitudes:
        if magnitude == 0.0:
            yield stack.pixels.clone()
        elif (stack.spacing_mm == stack.spacing_mm[0]).all():
            yield _blurred(stack.pixels, magnitude / stack.spacing_mm[0], stack)
        else:
            found = stack.pixels.clone()
            for case, spacing in enumerate(stack.spacing_mm):
                one = found[case : case + 1]
                one.copy_(_blurred(one, magnitude / spacing, stack))
            yield found


def _blurred(pixels: torch.Tensor, sigmas: np.ndarray, stack: Stack) -> torch.Tensor:
    for axis, (length, sigma) in enumerate(zip(stack.shape, sigmas.tolist(), strict=True), start=2):
        pixels = along(pixels, axis, gaussian(length, sigma))
    return pixels


def gaussian(length: int, sigma: float) -> Matrix:
    """Return the blur along an axis: the Gaussian integrated over each pixel; beyond the ends, the value at the end."""
    from scipy.special import erf

    reach = int(max(sigma * _TRUNCATED, 0.5) + 0.5)
    # What lies up to the end of the pixel so far away; the first and the last pixel also take what is beyond the image.
    scale = 1.0 / (math.sqrt(2.0) * sigma)
    ends = np.clip(np.arange(-length, length) + 0.5, -reach - 0.5, reach + 0.5)
    up_to = (erf(scale * ends) / erf(scale * (reach + 0.5)) + 1.0) / 2.0
    apart = np.arange(length - 1)[None] - np.arange(length)[:, None]
    return np.asarray(np.diff(up_to[apart + length], axis=1, prepend=0.0, append=1.0))


GAUSSIAN_BLUR = Perturbation(
    name="gaussian_blur",
    family="blur",
    unit="mm",
    lowest=0.0,
    highest=50.0,
    description=(
        "convolution with a Gaussian of this standard deviation along every axis, cut off at 4 of them; beyond the "
        "image the value at its edge"
    ),
    source="GaussianSmooth of MONAI (there with 0 beyond the image); MedMNIST-C (arXiv 2406.17536); ROOD-MRI",
    alter=_blur,
)

"""CT at a fraction of the dose."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

from gatekeeper.perturbations.noise._draws import added, drawn
from gatekeeper.perturbations.specification import Perturbation, Stack

if TYPE_CHECKING:
    import torch

_MAD = 0.6744897501960817  # of a standard normal variable
_SEEN = 1.0 / 3.0  # of the standard deviation, in the diagonal detail of noise smoothed as below


def _add(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    (noise,) = drawn(stack, torch.randn)
    noise = _correlated(noise) * noise_of(stack.pixels)
    return added(stack, noise, [math.sqrt(1.0 / share - 1.0) for share in magnitudes])


def noise_of(pixels: torch.Tensor) -> torch.Tensor:
    """Estimate the standard deviation of the noise of each case, shape (n, 1, ..).

    The median absolute value of the finest diagonal detail (Haar) in rows and columns, over that of a standard normal
    variable: Donoho & Johnstone, Biometrika 1994;81:425. Pixels that are exactly alike, as air that was cut off at the
    end of a window, are left out. Noise is taken to be as correlated as what is added, which shows a third of its
    standard deviation in that detail; of noise that is not correlated the estimate is three times too large.
    """
    import torch

    rows, columns = (2 * (length // 2) for length in pixels.shape[-2:])
    if not rows * columns:  # no detail to tell noise from
        return torch.zeros(len(pixels), *(1,) * (pixels.ndim - 1), device=pixels.device)
    even = pixels[..., :rows, :columns]
    corners = [even[..., row::2, column::2] for row, column in product((0, 1), (0, 1))]
    detail = ((corners[0] - corners[1] - corners[2] + corners[3]) / 2.0).abs().flatten(1)
    detail = torch.where(detail > 0.0, detail, torch.nan)
    spread = torch.nan_to_num(detail.nanmedian(dim=1).values) / (_MAD * _SEEN)
    return spread.reshape(-1, *(1,) * (pixels.ndim - 1))


def _correlated(noise: torch.Tensor) -> torch.Tensor:
    """Smooth noise in rows and columns by (1, 2, 1) / 4, and bring it back to a standard deviation of 1."""
    for axis in (-2, -1):
        noise = (noise.roll(1, axis) + 2.0 * noise + noise.roll(-1, axis)) / 4.0
    return noise / (6.0 / 16.0)


CT_DOSE = Perturbation(
    name="ct_dose",
    family="noise",
    unit="1",
    neutral=1.0,
    lowest=0.01,
    highest=1.0,
    description=(
        "the noise of this share of the dose, by the image-domain approximation: to the noise that the image has "
        "(robust estimate from its finest detail) Gaussian noise is added whose variance is 1 / share - 1 times as "
        "large; both are taken to be correlated between neighbouring pixels, as (1, 2, 1) smooths: where the image's "
        "noise is not, too much is added; streaks of photon starvation are not simulated"
    ),
    source=(
        "variance of CT noise is inverse to dose; noise insertion in the image domain as in Britten et al., Br J "
        "Radiol 2004;77:323"
    ),
    alter=_add,
    modalities=frozenset({"CT"}),
)

"""Dead and hot pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gatekeeper.perturbations.noise._draws import drawn
from gatekeeper.perturbations.specification import Perturbation, Stack

if TYPE_CHECKING:
    import torch


def _strike(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    which, side = drawn(stack, torch.rand, 2)
    salt = (side < 0.5).to(stack.pixels.dtype)
    for magnitude in magnitudes:
        yield torch.where(which < magnitude, salt, stack.pixels)


IMPULSE_NOISE = Perturbation(
    name="impulse_noise",
    family="noise",
    unit="1",
    lowest=0.0,
    highest=1.0,
    description="this share of the pixels, drawn one by one, becomes 0 or 1, as often one as the other",
    source="MedMNIST-C (Di Salvo et al., arXiv 2406.17536), after Hendrycks & Dietterich, arXiv 1903.12261",
    alter=_strike,
)

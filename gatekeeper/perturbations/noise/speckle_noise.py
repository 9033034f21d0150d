"""Noise that grows with the signal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gatekeeper.perturbations.noise._draws import added, drawn
from gatekeeper.perturbations.specification import Perturbation, Stack

if TYPE_CHECKING:
    import torch


def _add(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    (noise,) = drawn(stack, torch.randn)
    return added(stack, noise.mul_(stack.pixels), magnitudes)


SPECKLE_NOISE = Perturbation(
    name="speckle_noise",
    family="noise",
    unit="1",
    lowest=0.0,
    highest=2.0,
    description="Gaussian noise of this standard deviation times the pixel's value is added; clipped to the range",
    source="MedMNIST-C (Di Salvo et al., arXiv 2406.17536), after Hendrycks & Dietterich, arXiv 1903.12261",
    alter=_add,
)

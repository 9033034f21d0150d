"""The image was made small once, and large again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gatekeeper.perturbations.specification import Perturbation, Stack

if TYPE_CHECKING:
    import torch


def _pixelate(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    from torch.nn.functional import interpolate

    for magnitude in magnitudes:
        size = [max(1, int(length * magnitude)) for length in stack.shape]
        small = interpolate(stack.pixels, size=size, mode="area")
        yield stack.pixels.clone() if magnitude == 1.0 else interpolate(small, size=stack.shape, mode="nearest")


PIXELATE = Perturbation(
    name="pixelate",
    family="artefact",
    unit="1",
    neutral=1.0,
    lowest=0.01,
    highest=1.0,
    description="every axis is made this share as long, by averaging, and as long as it was by repeating pixels",
    source="MedMNIST-C (Di Salvo et al., arXiv 2406.17536), after Hendrycks & Dietterich, arXiv 1903.12261",
    alter=_pixelate,
)

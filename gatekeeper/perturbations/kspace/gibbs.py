"""High frequencies are not sampled: edges ring."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.specification import Perturbation, Shape, Stack

if TYPE_CHECKING:
    import torch


def _cut(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    axes = tuple(range(-stack.axes, 0))
    spectrum = torch.fft.rfftn(stack.pixels, dim=axes)
    for magnitude in magnitudes:
        if magnitude == 0.0:
            yield stack.pixels.clone()
            continue
        kept = torch.from_numpy(_kept(stack.shape, magnitude)).to(spectrum.device)
        yield torch.fft.irfftn(spectrum * kept, s=stack.shape, dim=axes)


def _kept(shape: Shape, magnitude: float) -> NDArray[np.float32]:
    """Return what is left of each frequency, as ``rfftn`` lays them out.

    A ball about the middle of the shifted spectrum. Where an axis is even, the middle lies between two frequencies:
    the real part of what comes back is that of the mean of the ball and its mirror image.
    """
    radius = (1.0 - magnitude) * max(shape) * math.sqrt(2.0) / 2.0
    along = np.ogrid[tuple(slice(0, length) for length in shape)]
    away = sum((at - (length - 1) / 2.0) ** 2 for at, length in zip(along, shape, strict=True))
    ball = np.fft.ifftshift(np.sqrt(away) <= radius).astype(np.float32)
    mirrored = np.roll(np.flip(ball), 1, axis=tuple(range(len(shape))))
    return np.ascontiguousarray(((ball + mirrored) / 2.0)[..., : shape[-1] // 2 + 1])


GIBBS = Perturbation(
    name="gibbs",
    family="k-space",
    unit="1",
    lowest=0.0,
    highest=1.0,
    description=(
        "frequencies beyond a radius of 1 - this share of the half diagonal of the longest axis are set to 0, so that "
        "edges ring"
    ),
    source="GibbsNoise of MONAI",
    alter=_cut,
    modalities=frozenset({"MR"}),
)

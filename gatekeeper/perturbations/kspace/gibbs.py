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
    distances = _distances(stack.shape)
    for magnitude in magnitudes:
        if magnitude == 0.0:
            yield stack.pixels.clone()
            continue
        radius = (1.0 - magnitude) * max(stack.shape) * math.sqrt(2.0) / 2.0
        share: NDArray[np.float32] = np.asarray(np.mean(distances <= radius, axis=0), dtype=np.float32)
        # Columns of the spectrum beyond the ball are 0: they are not transformed, and put back by ``irfft``.
        width = max(1, int(np.count_nonzero(share.reshape(-1, share.shape[-1]).any(axis=0))))
        kept = spectrum[..., :width] * torch.from_numpy(np.ascontiguousarray(share[..., :width])).to(spectrum.device)
        yield torch.fft.irfft(torch.fft.ifftn(kept, dim=axes[:-1]), n=stack.shape[-1])


def _distances(shape: Shape) -> NDArray[np.float64]:
    """Return how far each frequency, as ``rfftn`` lays them out, and its mirror image lie from the middle: (2, ...).

    The middle is that of the shifted spectrum. Where an axis is even, it lies between two frequencies: the real part of
    what comes back is that of the mean of a ball about it and the ball's mirror image.
    """
    along = np.ogrid[tuple(slice(0, length) for length in shape)]
    away = sum(((at - (length - 1) / 2.0) ** 2 for at, length in zip(along, shape, strict=True)), np.zeros(shape))
    away = np.sqrt(np.fft.ifftshift(away))
    mirrored = np.roll(np.flip(away), 1, axis=tuple(range(len(shape))))
    return np.stack([away, mirrored])[..., : shape[-1] // 2 + 1]


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

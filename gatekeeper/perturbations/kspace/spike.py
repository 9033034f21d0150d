"""One sample of k-space is far too large: stripes over the whole image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.affine import direction
from gatekeeper.perturbations.specification import Perturbation, Shape, Stack, draws

if TYPE_CHECKING:
    import torch

_LOWEST, _HIGHEST = 0.05, 0.45  # cycles a pixel


def _strike(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    waves = np.stack([wave_of(stack.shape, seed) for seed in stack.seeds]).astype(np.float32)
    wave = torch.from_numpy(waves)[:, None].to(stack.pixels.device)
    wave = wave * stack.pixels.flatten(1).abs().mean(1).reshape(-1, *(1,) * (stack.pixels.ndim - 1))
    for magnitude in magnitudes:
        yield torch.add(stack.pixels, wave, alpha=magnitude)


def wave_of(shape: Shape, seed: int) -> NDArray[np.float64]:
    """Return the wave that a spike at one sample of k-space makes, of amplitude 1, with a sample drawn by the seed."""
    cycles = _LOWEST + (_HIGHEST - _LOWEST) * draws(seed, 3)[2]
    frequency = np.round(direction(seed, len(shape)) * cycles * np.array(shape)) / np.array(shape)
    along = np.ogrid[tuple(slice(0, length) for length in shape)]
    phase = sum((at * turns for at, turns in zip(along, frequency, strict=True)), np.zeros(shape))
    return np.asarray(np.cos(2.0 * np.pi * phase), dtype=np.float64)


KSPACE_SPIKE = Perturbation(
    name="kspace_spike",
    family="k-space",
    unit="1",
    lowest=0.0,
    highest=5.0,
    description=(
        "to one sample of k-space, drawn for each case, this share of the largest one is added: a wave over the image "
        "of so many times its mean absolute value"
    ),
    source="RandomSpike of TorchIO; Jog et al., Comput Med Imaging Graph 2019",
    alter=_strike,
    modalities=frozenset({"MR"}),
)

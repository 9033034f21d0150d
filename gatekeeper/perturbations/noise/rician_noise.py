"""Noise of a magnitude image of MR."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gatekeeper.perturbations.noise._draws import drawn
from gatekeeper.perturbations.specification import Perturbation, Stack

if TYPE_CHECKING:
    import torch


def _add(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    real, imaginary = drawn(stack, torch.randn, 2)
    found, other = torch.empty_like(real), torch.empty_like(real)
    for magnitude in magnitudes:
        if magnitude == 0.0:
            yield found.copy_(stack.pixels)
            continue
        torch.add(stack.pixels, real, alpha=magnitude, out=found)
        torch.mul(imaginary, magnitude, out=other)
        yield torch.hypot(found, other, out=found)


RICIAN_NOISE = Perturbation(
    name="rician_noise",
    family="noise",
    unit="1",
    lowest=0.0,
    highest=1.0,
    description=(
        "Gaussian noise of this standard deviation, a share of the range, is added to the real and to the imaginary "
        "part of the signal, and the magnitude taken, so that no value stays below 0; not clipped"
    ),
    source="Gudbjartsson & Patz, Magn Reson Med 1995;34:910; RandRicianNoise of MONAI; ROOD-MRI",
    alter=_add,
    modalities=frozenset({"MR"}),
)

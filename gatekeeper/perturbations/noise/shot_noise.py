"""Few photons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gatekeeper.perturbations.clipping import clipped
from gatekeeper.perturbations.specification import Perturbation, Stack

if TYPE_CHECKING:
    import torch

_MOST = 1_000_000.0
_SEEDS = 1 << 63  # what torch takes


def _count(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    generator = torch.Generator(stack.pixels.device)
    rates = stack.pixels.clamp(min=0.0)
    found = torch.empty_like(rates)
    for magnitude in magnitudes:
        if magnitude == _MOST:
            yield found.copy_(stack.pixels)
            continue
        for case, seed in enumerate(stack.seeds):
            generator.manual_seed(seed % _SEEDS)
            found[case] = torch.poisson(rates[case] * magnitude, generator=generator) / magnitude
        yield clipped(found, stack)


SHOT_NOISE = Perturbation(
    name="shot_noise",
    family="noise",
    unit="count",
    neutral=_MOST,
    lowest=1.0,
    highest=_MOST,
    description=(
        "each pixel becomes a Poisson number whose mean is its value times so many photons, divided by them; clipped "
        "to the range; each magnitude is a draw of its own; "
        "what lies below 0 becomes 0"
    ),
    source="MedMNIST-C (Di Salvo et al., arXiv 2406.17536), after Hendrycks & Dietterich, arXiv 1903.12261",
    alter=_count,
)

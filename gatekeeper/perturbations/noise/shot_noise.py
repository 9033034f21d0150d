"""Few photons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gatekeeper.perturbations.clipping import clipped
from gatekeeper.perturbations.noise._draws import drawn
from gatekeeper.perturbations.specification import Perturbation, Stack

if TYPE_CHECKING:
    import torch

_MOST = 1_000_000.0
_FEW = 10.0  # below this mean the probabilities are summed
_MANY = 64  # that more photons come of so few has a probability below 1e-29


def _count(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    (normal,) = drawn(stack, torch.randn)
    rates, found = torch.empty_like(normal), torch.empty_like(normal)
    for magnitude in magnitudes:
        if magnitude == _MOST:
            yield found.copy_(stack.pixels)
            continue
        torch.mul(stack.pixels, magnitude, out=rates)
        rates.clamp_(min=0.0)
        for case in range(len(found)):
            found[case] = poisson_quantile(rates[case], normal[case])
        yield clipped(found.div_(magnitude), stack)


def poisson_quantile(mean: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
    """Turn standard normal numbers into Poisson numbers of the same rank, so that severities share one draw.

    ``mean``: float32, at least 0; ``normal``: float32 of the same shape. Up to a mean of 10 the distribution is summed;
    above it is the asymptotic inverse of Giles (Algorithm 955, ACM Trans Math Softw 2016;42:7), to the third order: one
    off in fewer than one of a thousand numbers.
    """
    import torch

    root = mean.clamp(min=_FEW).sqrt()
    square = normal * normal
    found = mean + root * normal + (2.0 + square) / 6.0
    found -= normal * (2.0 + square) / (72.0 * root)
    found += (square * square / 270.0 + 7.0 * square / 810.0 - 8.0 / 405.0) / (root * root)
    found.floor_().clamp_(min=0.0)
    few = mean < _FEW
    found[few] = _summed(mean[few].double(), torch.special.ndtr(normal[few].double())).to(found.dtype)
    return found


def _summed(mean: torch.Tensor, rank: torch.Tensor) -> torch.Tensor:
    """Return the least number whose distribution function reaches the rank; float64 for the sake of the upper tail."""
    import torch

    chance = torch.exp(-mean)
    reached, found = chance.clone(), torch.zeros_like(mean)
    for photons in range(1, _MANY):
        above = rank > reached
        if not bool(above.any()):
            break
        found += above
        chance *= mean / photons
        reached += chance
    return found


SHOT_NOISE = Perturbation(
    name="shot_noise",
    family="noise",
    unit="count",
    neutral=_MOST,
    lowest=1.0,
    highest=_MOST,
    description=(
        "each pixel becomes a Poisson number whose mean is its value times so many photons, divided by them; clipped "
        "to the range; what lies below 0 becomes 0"
    ),
    source="MedMNIST-C (Di Salvo et al., arXiv 2406.17536), after Hendrycks & Dietterich, arXiv 1903.12261",
    alter=_count,
)

"""The image has more contrast than it should have, or less."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from gatekeeper.perturbations.clipping import clipped
from gatekeeper.perturbations.specification import Alter, Perturbation, Stack

if TYPE_CHECKING:
    import torch


def _about_the_mean(factor: Callable[[float], float]) -> Alter:
    def altered(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
        import torch

        mean = stack.pixels.flatten(1).mean(1).reshape(-1, *(1,) * (stack.pixels.ndim - 1))
        apart, found = stack.pixels - mean, torch.empty_like(stack.pixels)
        for magnitude in magnitudes:
            if magnitude == 0.0:
                yield found.copy_(stack.pixels)
                continue
            torch.add(mean, apart, alpha=factor(magnitude), out=found)
            yield clipped(found, stack)

    return altered


_SOURCE = "MedMNIST-C (Di Salvo et al., arXiv 2406.17536), there a factor of 1 + or 1 - the magnitude"

CONTRAST_RAISED = Perturbation(
    name="contrast_raised",
    family="intensity",
    unit="1",
    lowest=0.0,
    highest=4.0,
    description="what lies apart from the mean of the image lies farther apart by this share; clipped to the range",
    source=_SOURCE,
    alter=_about_the_mean(lambda magnitude: 1.0 + magnitude),
)
CONTRAST_LOWERED = Perturbation(
    name="contrast_lowered",
    family="intensity",
    unit="1",
    lowest=0.0,
    highest=1.0,
    description="what lies apart from the mean of the image comes closer to it by this share",
    source=_SOURCE,
    alter=_about_the_mean(lambda magnitude: 1.0 - magnitude),
)

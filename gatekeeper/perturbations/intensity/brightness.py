"""The image is brighter or darker than it should be: exposure, gain, flash."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from gatekeeper.perturbations.clipping import clipped
from gatekeeper.perturbations.specification import Alter, Perturbation, Stack

if TYPE_CHECKING:
    import torch


def _times(factor: Callable[[float], float]) -> Alter:
    def altered(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
        import torch

        found = torch.empty_like(stack.pixels)
        for magnitude in magnitudes:
            torch.mul(stack.pixels, factor(magnitude), out=found)
            yield clipped(found, stack)

    return altered


_SOURCE = "MedMNIST-C (Di Salvo et al., arXiv 2406.17536), there a factor of 1 + or 1 - the magnitude"

BRIGHTNESS_RAISED = Perturbation(
    name="brightness_raised",
    family="intensity",
    unit="1",
    lowest=0.0,
    highest=4.0,
    description="every value becomes larger by this share of itself; clipped to the range",
    source=_SOURCE,
    alter=_times(lambda magnitude: 1.0 + magnitude),
)
BRIGHTNESS_LOWERED = Perturbation(
    name="brightness_lowered",
    family="intensity",
    unit="1",
    lowest=0.0,
    highest=1.0,
    description="every value becomes smaller by this share of itself",
    source=_SOURCE,
    alter=_times(lambda magnitude: 1.0 - magnitude),
)

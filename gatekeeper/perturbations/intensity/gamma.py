"""The grey scale is bent: another display curve, another coil, another sequence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gatekeeper.perturbations.specification import Perturbation, Stack

if TYPE_CHECKING:
    import torch

_LEAST_RANGE = 1e-7  # as MONAI has it


def _bend(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    each = (-1, *(1,) * (stack.pixels.ndim - 1))
    low = stack.pixels.flatten(1).amin(1).reshape(each)
    span = stack.pixels.flatten(1).amax(1).reshape(each) - low
    unit, found = (stack.pixels - low) / (span + _LEAST_RANGE), torch.empty_like(stack.pixels)
    for magnitude in magnitudes:
        if magnitude == 1.0:
            yield found.copy_(stack.pixels)
            continue
        torch.pow(unit, magnitude, out=found)
        yield found.mul_(span).add_(low)


_SOURCE = "AdjustContrast of MONAI; MedMNIST-C (Di Salvo et al., arXiv 2406.17536); ROOD-MRI"

GAMMA_RAISED = Perturbation(
    name="gamma_raised",
    family="intensity",
    unit="count",
    neutral=1.0,
    lowest=1.0,
    highest=10.0,
    description="values, as shares of the image's own range, are raised to this power, which makes them darker",
    source=_SOURCE,
    alter=_bend,
)
GAMMA_LOWERED = Perturbation(
    name="gamma_lowered",
    family="intensity",
    unit="count",
    neutral=1.0,
    lowest=0.05,
    highest=1.0,
    description="values, as shares of the image's own range, are raised to this power, which makes them lighter",
    source=_SOURCE,
    alter=_bend,
)

"""The window of CT is not the one that the candidate expects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gatekeeper.perturbations.clipping import clipped
from gatekeeper.perturbations.specification import Perturbation, Stack, draw_unit

if TYPE_CHECKING:
    import torch


def _shift(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    sides = [1.0 if draw_unit(seed) < 0.5 else -1.0 for seed in stack.seeds]
    side = stack.pixels.new_tensor(sides).reshape(-1, *(1,) * (stack.pixels.ndim - 1))
    found = torch.empty_like(stack.pixels)
    for magnitude in magnitudes:
        torch.add(stack.pixels, side, alpha=magnitude, out=found)
        yield clipped(found, stack)


def _widen(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    found = torch.empty_like(stack.pixels)
    for magnitude in magnitudes:
        if magnitude == 0.0:
            yield found.copy_(stack.pixels)
            continue
        torch.sub(stack.pixels, 0.5, out=found)
        yield clipped(found.div_(1.0 + magnitude).add_(0.5), stack)


_SOURCE = "a change of the display window, PS3.3 C.11.2 of DICOM"

WINDOW_SHIFT = Perturbation(
    name="window_shift",
    family="intensity",
    unit="1",
    lowest=0.0,
    highest=1.0,
    description="the window's level is off by this share of its width, to a side drawn for each case; clipped",
    source=_SOURCE,
    alter=_shift,
    modalities=frozenset({"CT"}),
)
WINDOW_WIDTH = Perturbation(
    name="window_width",
    family="intensity",
    unit="1",
    lowest=0.0,
    highest=4.0,
    description="the window is wider by this share, about the same level",
    source=_SOURCE,
    alter=_widen,
    modalities=frozenset({"CT"}),
)

"""What is cut at the ends of what an image can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.perturbations.specification import Stack

if TYPE_CHECKING:
    import torch


def clipped(found: torch.Tensor, stack: Stack) -> torch.Tensor:
    """Cut what leaves the range from 0 to 1, or that of the case where it is wider."""
    each = (-1, *(1,) * (found.ndim - 1))
    low = stack.pixels.flatten(1).amin(1).clamp(max=0.0).reshape(each)
    high = stack.pixels.flatten(1).amax(1).clamp(min=1.0).reshape(each)
    return found.clamp_(low, high)

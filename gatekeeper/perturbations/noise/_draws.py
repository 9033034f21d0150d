"""Random numbers of each case, the same whatever batch it is in, and noise that is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from gatekeeper.perturbations.clipping import clipped
from gatekeeper.perturbations.specification import Stack

if TYPE_CHECKING:
    import torch

_SEEDS = 1 << 63  # what torch takes


def drawn(stack: Stack, draw: Callable[..., torch.Tensor], copies: int = 1) -> list[torch.Tensor]:
    """Return so many draws of the shape of a stack's pixels by ``torch.randn`` or ``torch.rand``, case by case."""
    import torch

    # In one order in memory, whatever that of the pixels: torch fills by it.
    found = [torch.empty_like(stack.pixels, memory_format=torch.contiguous_format) for _ in range(copies)]
    generator = torch.Generator(stack.pixels.device)
    for case, seed in enumerate(stack.seeds):
        generator.manual_seed(seed % _SEEDS)
        for copy in found:
            draw(copy[case].shape, generator=generator, out=copy[case])
    return found


def added(stack: Stack, noise: torch.Tensor, strengths: Sequence[float]) -> Iterator[torch.Tensor]:
    """Add noise in one strength after another; clipped to the range."""
    import torch

    found = torch.empty_like(noise)
    for strength in strengths:
        torch.add(stack.pixels, noise, alpha=strength, out=found)
        yield clipped(found, stack)

"""Convolution in rows and columns by a kernel of each case, by the Fourier transform; edges are repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.specification import Alter, Stack

if TYPE_CHECKING:
    import torch

# Of the spacing of rows and columns, a magnitude and a seed: a kernel whose sum is 1, of odd lengths.
Kernel = Callable[[NDArray[np.float64], float, int], NDArray[np.float64]]


def convolved_by(kernel: Kernel) -> Alter:
    """Make of a kernel for each case what is done to a stack, slice by slice; one spectrum serves all magnitudes.

    A kernel is made for no more millimetres than the shorter side of the slice has: a header that states a tiny spacing
    must not ask for a kernel that no memory holds.
    """

    def altered(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
        import torch
        from torch.nn.functional import pad

        rows, columns = stack.shape[-2:]
        steps = stack.spacing_mm[:, -2:]
        sides = (steps * (rows, columns)).min(axis=1).tolist()
        kernels = [
            [
                kernel(step, min(magnitude, side), seed)
                for step, side, seed in zip(steps, sides, stack.seeds, strict=True)
            ]
            for magnitude in magnitudes
        ]
        reach = max(length // 2 for those in kernels for one in those for length in one.shape)
        flat = stack.pixels.reshape(len(stack.pixels), -1, rows, columns)
        wide = pad(flat, (reach,) * 4, mode="replicate")
        size = tuple(wide.shape[-2:])
        spectrum = torch.fft.rfft2(wide)
        for those in kernels:
            laid = torch.from_numpy(np.stack([_laid_out(one, size) for one in those])).to(flat.device)
            found = torch.fft.irfft2(spectrum * torch.fft.rfft2(laid)[:, None], s=size)
            cut = found[..., reach : reach + rows, reach : reach + columns]
            yield cut.reshape(stack.pixels.shape)

    return altered


def _laid_out(kernel: NDArray[np.float64], size: tuple[int, ...]) -> NDArray[np.float32]:
    """Lay a kernel around the origin of a periodic plane."""
    plane = np.zeros(size, dtype=np.float32)
    rows, columns = (np.arange(length) - length // 2 for length in kernel.shape)
    np.add.at(plane, (rows[:, None] % size[0], columns[None] % size[1]), kernel.astype(np.float32))
    return plane

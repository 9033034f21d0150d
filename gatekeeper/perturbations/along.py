"""Matrices applied along one axis of a stack of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Matrix = NDArray[np.float64]


def along(pixels: torch.Tensor, axis: int, matrix: Matrix) -> torch.Tensor:
    """Multiply by a matrix (length, length) along the axis ``axis`` of a tensor, in single precision."""
    import torch

    taken = torch.from_numpy(matrix.astype(np.float32)).to(pixels.device)
    if axis in (-1, pixels.ndim - 1):
        return pixels @ taken.T
    if axis in (-2, pixels.ndim - 2):
        return taken @ pixels
    # All that lies behind the axis in one: a product of two matrices for what lies before it.
    behind = int(np.prod(pixels.shape[axis + 1 :]))
    return (taken @ pixels.reshape(*pixels.shape[: axis + 1], behind)).reshape(pixels.shape)


def circulant(response: NDArray[np.float64]) -> Matrix:
    """Return what multiplies the spectrum along an axis by a response and takes the real part: (length, length).

    ``response`` is in the order of ``numpy.fft.fftfreq``.
    """
    kernel = np.fft.ifft(response).real
    length = len(kernel)
    return np.asarray(kernel[(np.arange(length)[:, None] - np.arange(length)[None]) % length])

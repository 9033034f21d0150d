"""Matrices applied along one axis of a stack of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Matrix = NDArray[np.float64]
_LEAST_BLOCK = 32


def along(pixels: torch.Tensor, axis: int, matrix: Matrix) -> torch.Tensor:
    """Multiply by a matrix (length, length) along the axis ``axis`` of a tensor, in single precision.

    What lies far from the diagonal and is 0 is not computed.
    """
    import torch

    length = len(matrix)
    rows, columns = np.nonzero(matrix)
    reach = int(np.abs(rows - columns).max(initial=0))
    taken = torch.from_numpy(matrix.astype(np.float32)).to(pixels.device)
    axis %= pixels.ndim
    # All that lies before the axis in one, and all behind it.
    before, behind = (int(np.prod(part)) for part in (pixels.shape[:axis], pixels.shape[axis + 1 :]))
    laid = pixels.reshape(before, length, behind)
    block = max(_LEAST_BLOCK, reach)
    if length <= 2 * block:
        return _product(taken, laid).reshape(pixels.shape)
    found = torch.empty_like(laid)
    for start in range(0, length, block):
        end = min(start + block, length)
        first, last = max(0, start - reach), min(length, end + reach)
        found[:, start:end] = _product(taken[start:end, first:last], laid[:, first:last])
    return found.reshape(pixels.shape)


def _product(matrix: torch.Tensor, laid: torch.Tensor) -> torch.Tensor:
    """Multiply (m, k) by (before, k, behind): in one product where nothing lies behind."""
    if laid.shape[2] == 1:
        return (laid[:, :, 0] @ matrix.T)[:, :, None]
    return matrix @ laid


def circulant(response: NDArray[np.float64]) -> Matrix:
    """Return what multiplies the spectrum along an axis by a response and takes the real part: (length, length).

    ``response`` is in the order of ``numpy.fft.fftfreq``.
    """
    kernel = np.fft.ifft(response).real
    length = len(kernel)
    return np.asarray(kernel[(np.arange(length)[:, None] - np.arange(length)[None]) % length])

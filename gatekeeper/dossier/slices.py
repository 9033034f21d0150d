"""Slices of decoded images as they are shown: grey values of one byte, no more pixels than a page can use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_PIXELS = 512  # along either side of a picture


def as_bytes(values: NDArray[np.generic], low: float, high: float) -> NDArray[np.uint8]:
    """Map values linearly, ``low`` onto black and ``high`` onto white."""
    span = high - low if high > low else 1.0
    shares = np.clip((np.asarray(values, dtype=np.float64) - low) / span, 0.0, 1.0)
    return np.asarray(np.round(shares * 255.0), dtype=np.uint8)


def step(shape: tuple[int, ...], most: int = MOST_PIXELS) -> int:
    """Return every how many pixels one is shown."""
    return -(-max(shape) // most)


def thinned(shape: tuple[int, ...], most: int = MOST_PIXELS) -> tuple[slice, slice]:
    """Return the index that takes the pixels that are shown."""
    return slice(None, None, step(shape, most)), slice(None, None, step(shape, most))


def shown_pixel(pixel: tuple[float, ...], shape: tuple[int, ...], most: int = MOST_PIXELS) -> tuple[float, float]:
    """Return the height and the width, in mm, of a pixel that is shown."""
    return pixel[0] * step(shape, most), pixel[1] * step(shape, most)

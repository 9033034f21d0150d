"""The values of a prepared image: how they are mapped, and the type in which they are handed over."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.contract import Intensity
from gatekeeper.testset.readers.image import Unfit

Pixels = NDArray[np.float32]


def mapped(pixels: Pixels, intensity: Intensity) -> Pixels:
    """Map values by a window, or by what the image holds itself; over all of its channels together.

    The standard deviation is that of the population (``NormalizeIntensity`` of MONAI); percentiles are interpolated
    linearly. Where an image has no spread it is divided by 1: a blank image becomes 0.
    """
    if intensity.zero_at is not None and intensity.one_at is not None:
        with np.errstate(all="ignore"):  # what overflows is found once all is done
            found = (pixels - np.float32(intensity.zero_at)) / np.float32(intensity.one_at - intensity.zero_at)
        return np.clip(found, 0.0, 1.0, out=found) if intensity.clip else found
    if intensity.normalisation == "z_score":
        return _scaled(pixels, pixels.mean(dtype=np.float64), pixels.std(dtype=np.float64))
    if intensity.normalisation == "min_max":
        low, high = np.float64(pixels.min()), np.float64(pixels.max())
        return _scaled(pixels, low, high - low)
    if intensity.normalisation == "percentiles":
        low, high = np.percentile(pixels, intensity.percentiles)
        found = _scaled(pixels, low, high - low)
        return np.clip(found, 0.0, 1.0, out=found)
    return pixels


def _scaled(pixels: Pixels, zero: np.float64, one: np.float64) -> Pixels:
    with np.errstate(all="ignore"):
        return (pixels - np.float32(zero)) / np.float32(one if one > 0.0 else 1.0)


def standardised(pixels: Pixels, intensity: Intensity, channels: int) -> Pixels:
    """Repeat a grey image over the channels, and standardise each by the contract's mean and standard deviation.

    Shape (1 or channels, *axes) to (channels, *axes).
    """
    spread = np.broadcast_to(pixels, (channels, *pixels.shape[1:]))
    if intensity.mean is None or intensity.std is None:
        return spread
    each = (channels, *(1,) * (pixels.ndim - 1))
    with np.errstate(all="ignore"):
        mean, std = (np.array(values, dtype=np.float32).reshape(each) for values in (intensity.mean, intensity.std))
        return np.asarray((spread - mean) / std, dtype=np.float32)


def typed(pixels: Pixels, dtype: str) -> NDArray[np.generic]:
    """Return values in a type, C-contiguous and in memory of their own.

    Raises Unfit when they leave the range of the type, or when it holds whole numbers and they are none.
    """
    wanted = np.dtype(dtype)
    least, greatest = float(pixels.min()), float(pixels.max())  # NaN is handed on by both
    lowest, highest = _range(wanted)
    if not lowest <= least <= greatest <= highest:
        raise Unfit(
            f"the image has values that {dtype} cannot hold", mend="mend intensity or dtype of the candidate's input"
        )
    if wanted.kind != "f" and not np.array_equal(np.rint(pixels), pixels):
        raise Unfit(
            f"the image has values that are no whole numbers, the candidate takes {dtype}",
            mend="take the mapping of intensities out of the candidate's input, or set dtype: float32",
        )
    return np.array(pixels, dtype=wanted, order="C")


def _range(dtype: np.dtype[Any]) -> tuple[float, float] | tuple[int, int]:
    if dtype.kind == "f":
        return float(np.finfo(dtype).min), float(np.finfo(dtype).max)
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)

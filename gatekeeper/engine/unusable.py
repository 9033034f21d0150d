"""Images made unusable on purpose, each in the way of its kind; the seed of a case draws what is left to chance.

What is made keeps the shape of the image, so that a candidate can be given it: whether it looks is what is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence.conditions import UnusableKind
from gatekeeper.testset.readers.image import Image, Unfit

Pixels = NDArray[np.float32]

_FEWEST_SLICES = 4
_BLOCKS = 8  # along each axis
_STRETCH_BYTES = 64


def spoilt(image: Image, kind: UnusableKind, seed: int) -> Image:
    """Make an image unusable.

    Parameters
    ----------
    image : its pixels have two or three axes of space, and one of colour where it is coloured
    kind : ``blank``: the least value everywhere. ``inverted``: the greatest value becomes the least. ``cropped``: a
        corner of half the length along each axis is left, the rest has the least value. ``noise``: uniform between the
        least and the greatest value. ``corrupted``: of blocks of an eighth along each axis a half is drawn, and their
        values change places among all of them. ``missing_slices``: a third of the slices, in one run, is gone; the rest
        closes up and each is repeated as needed to fill their number. ``mixed_orientation``: a half of the slices,
        drawn, is turned by half a turn
    seed : 64 bits, of the case and the kind

    Raises Unfit for an image that the kind cannot be made of: slices are the first axis of a volume of four or more.
    """
    rng = np.random.default_rng(seed)
    axes = image.pixels.ndim - image.colour
    return replace(image, pixels=_WAYS[kind](image.pixels, axes, rng))


def overwritten(files: Mapping[str, bytes], seed: int) -> dict[str, bytes]:
    """Overwrite runs of 64 random bytes in the latter three quarters of each file, one in a thousand bytes or more."""
    rng = np.random.default_rng(seed)
    found = {}
    for path, data in files.items():
        spoiled = bytearray(data)
        for _ in range(1 + len(data) // (1000 * _STRETCH_BYTES)):
            start = int(rng.integers(len(data) // 4, max(len(data) // 4 + 1, len(data) - _STRETCH_BYTES)))
            stretch = rng.bytes(min(_STRETCH_BYTES, len(data) - start))
            spoiled[start : start + len(stretch)] = stretch
        found[path] = bytes(spoiled)
    return found


def _blank(pixels: Pixels, axes: int, rng: np.random.Generator) -> Pixels:
    return np.full_like(pixels, pixels.min())


def _inverted(pixels: Pixels, axes: int, rng: np.random.Generator) -> Pixels:
    return np.asarray(pixels.max() - (pixels - pixels.min()))


def _cropped(pixels: Pixels, axes: int, rng: np.random.Generator) -> Pixels:
    corner = []
    for length in pixels.shape[:axes]:
        half = max(1, length // 2)
        start = int(rng.integers(2)) * (length - half)
        corner.append(slice(start, start + half))
    found = np.full_like(pixels, pixels.min())
    found[tuple(corner)] = pixels[tuple(corner)]
    return found


def _noise(pixels: Pixels, axes: int, rng: np.random.Generator) -> Pixels:
    low, high = pixels.min(), pixels.max()
    return np.asarray(low + rng.random(pixels.shape, dtype=np.float32) * (high - low))


def _corrupted(pixels: Pixels, axes: int, rng: np.random.Generator) -> Pixels:
    blocks = rng.random((_BLOCKS,) * axes) < 0.5
    blocks[(0,) * axes] = True
    where = [np.arange(length) * _BLOCKS // length for length in pixels.shape[:axes]]
    drawn = blocks[np.ix_(*where)]
    found = pixels.copy()
    found[drawn] = rng.permutation(pixels[drawn])
    return found


def _missing_slices(pixels: Pixels, axes: int, rng: np.random.Generator) -> Pixels:
    count = _slices(pixels, axes)
    gone = max(1, count // 3)
    start = int(rng.integers(1, count - gone))
    kept = np.delete(np.arange(count), slice(start, start + gone))
    return pixels[kept[np.arange(count) * len(kept) // count]]


def _mixed_orientation(pixels: Pixels, axes: int, rng: np.random.Generator) -> Pixels:
    count = _slices(pixels, axes)
    turned = rng.permutation(count)[: count // 2]
    found = pixels.copy()
    found[turned] = pixels[turned, ::-1, ::-1]
    return found


def _slices(pixels: Pixels, axes: int) -> int:
    if axes != 3 or len(pixels) < _FEWEST_SLICES:
        raise Unfit(f"a volume of {_FEWEST_SLICES} slices or more is needed")
    return len(pixels)


_WAYS: Mapping[UnusableKind, Callable[[Pixels, int, np.random.Generator], Pixels]] = MappingProxyType(
    {
        "blank": _blank,
        "inverted": _inverted,
        "cropped": _cropped,
        "noise": _noise,
        "corrupted": _corrupted,
        "missing_slices": _missing_slices,
        "mixed_orientation": _mixed_orientation,
    }
)

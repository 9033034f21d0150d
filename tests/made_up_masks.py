"""Made-up pairs of masks: blobs, boxes at the border, single voxels, in two and three dimensions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Mask = NDArray[np.bool_]
SPACINGS: dict[int, tuple[tuple[float, ...], ...]] = {
    2: ((1.0, 1.0), (0.7, 1.9), (3.0, 0.45)),
    3: ((1.0, 1.0, 1.0), (0.8, 0.8, 2.5), (5.0, 0.45, 0.6)),
}


def made_up_pair(seed: int, axes: int) -> tuple[Mask, Mask]:
    """Two masks of one shape that are both filled somewhere; every fifth pair touches the border."""
    source = np.random.default_rng(seed)
    shape = tuple(int(size) for size in source.integers(9, 26, size=axes))
    common = gaussian_filter(source.normal(size=shape), 2.0)
    pair = []
    for _ in range(2):
        field = common + 0.5 * gaussian_filter(source.normal(size=shape), 1.5)
        mask = field > np.quantile(field, source.uniform(0.6, 0.95))
        if seed % 5:
            mask[(slice(0, 1),) * axes] = False
            mask[0], mask[..., -1] = False, False
        mask[tuple(size // 2 for size in shape)] = True
        pair.append(mask)
    return pair[0], pair[1]


def single_voxels(axes: int) -> tuple[Mask, Mask]:
    """One voxel each, in opposite corners of a volume."""
    first, second = np.zeros((7,) * axes, dtype=bool), np.zeros((7,) * axes, dtype=bool)
    first[(0,) * axes], second[(6,) * axes] = True, True
    return first, second


def far_apart(axes: int) -> tuple[Mask, Mask]:
    """Boxes of which one has a far outlier, more than the reach of looking up columns away."""
    shape = (70, 64, 58)[:axes]
    first, second = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    first[(slice(2, 9),) * axes] = True
    second[(slice(3, 11),) * axes] = True
    second[(slice(50, 53),) * axes] = True
    return first, second


def pairs(axes: int) -> list[tuple[Mask, Mask]]:
    """All kinds of pairs."""
    return [*(made_up_pair(seed, axes) for seed in range(15)), single_voxels(axes), far_apart(axes)]

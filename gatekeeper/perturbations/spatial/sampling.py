"""The image is sampled more coarsely than it was: thicker slices, larger voxels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.along import along
from gatekeeper.perturbations.specification import Perturbation, Stack, draw_unit

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float64]


def _thick(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    axes = stack.spacing_mm.argmax(axis=1)
    for magnitude in magnitudes:
        factors = magnitude / stack.spacing_mm[np.arange(len(axes)), axes]
        yield _each_along(stack, axes, factors)


def _along_one(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    axes = np.array([int(draw_unit(seed) * stack.axes) for seed in stack.seeds])
    for magnitude in magnitudes:
        yield _each_along(stack, axes, np.full(len(axes), magnitude))


def _along_all(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    for magnitude in magnitudes:
        found = stack.pixels.clone()
        for axis, length in enumerate(stack.shape, start=2):
            found = along(found, axis, coarse(length, magnitude))
        yield found


def _each_along(stack: Stack, axes: NDArray[np.intp], factors: Floats) -> torch.Tensor:
    found = stack.pixels.clone()
    for case, (axis, factor) in enumerate(zip(axes.tolist(), factors.tolist(), strict=True)):
        one = found[case : case + 1]
        one.copy_(along(one, axis + 2, coarse(stack.shape[axis], factor)))
    return found


def coarse(length: int, factor: float) -> Floats:
    """Return what takes samples along an axis through coarser ones and back, shape (length, length).

    A coarse sample is ``factor`` samples long, and the mean of what it covers; the first begins where the axis begins.
    Between the centres of coarse samples it is interpolated linearly, beyond the outermost they are kept. The identity
    where ``factor`` is 1 or less.
    """
    if factor <= 1.0 or length == 1:
        return np.eye(length)
    count = max(1, math.ceil(length / factor))
    starts = np.arange(count) * factor
    ends = np.minimum(starts + factor, length)
    low, high = np.arange(length, dtype=np.float64), np.arange(1, length + 1, dtype=np.float64)
    covered = np.minimum(ends[:, None], high[None]) - np.maximum(starts[:, None], low[None])
    mean = np.maximum(covered, 0.0)
    mean /= mean.sum(axis=1, keepdims=True)
    if count == 1:
        return np.repeat(mean, length, axis=0)
    centres = (starts + ends) / 2.0
    at = np.arange(length) + 0.5
    left = np.clip(np.searchsorted(centres, at) - 1, 0, count - 2)
    share = np.clip((at - centres[left]) / (centres[left + 1] - centres[left]), 0.0, 1.0)
    back = np.zeros((length, count))
    back[np.arange(length), left] = 1.0 - share
    back[np.arange(length), left + 1] += share
    return np.asarray(back @ mean, dtype=np.float64)


_HOW = "samples are averaged over that length and interpolated linearly back"

SLICE_THICKNESS = Perturbation(
    name="slice_thickness",
    family="spatial",
    unit="mm",
    lowest=0.0,
    highest=50.0,
    description=f"slices become so thick, along the axis of the largest spacing: {_HOW}; not below the own thickness",
    source="partial volume; slices of 1 to 5 mm as in arXiv 2605.00971",
    alter=_thick,
    axes=frozenset({3}),
    modalities=frozenset({"CT", "MR", "PT", "NM"}),
)
ANISOTROPY = Perturbation(
    name="anisotropy",
    family="spatial",
    unit="count",
    neutral=1.0,
    lowest=1.0,
    highest=32.0,
    description=f"voxels become so many times as long along one axis, drawn for each case: {_HOW}",
    source="Boone et al., ROOD-MRI, NeuroImage 2023;278:120289; RandomAnisotropy of TorchIO",
    alter=_along_one,
    axes=frozenset({3}),
)
RESAMPLING = Perturbation(
    name="resampling",
    family="spatial",
    unit="count",
    neutral=1.0,
    lowest=1.0,
    highest=32.0,
    description=f"pixels become so many times as long along every axis: {_HOW}",
    source="RandSimulateLowResolution of MONAI (there by nearest neighbours down, and up by a chosen mode)",
    alter=_along_all,
)

"""What a perturbation is, and the seed that makes its draws reproducible case by case."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gatekeeper.canonical import canonical_json
from gatekeeper.errors import Code, UsageError

Image: TypeAlias = NDArray[np.float32]
Spacing: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Perturbation:
    """A registered perturbation.

    ``magnitude`` is in ``unit``, from ``lowest`` (where nothing changes) to ``highest``. ``alter`` takes one image of
    shape (rows, columns) in [0, 1], its spacing in mm (row, column), the magnitude, and the seed of its case; it
    returns an image of the same shape and leaves its input as it is. All that is drawn at random comes from the seed,
    so that a case's result depends neither on the other cases nor on their order.
    """

    name: str
    family: str
    unit: str
    lowest: float
    highest: float
    description: str
    source: str
    alter: Callable[[Image, Spacing, float, int], Image]
    aliases: tuple[str, ...] = ()

    def apply(self, images: Image, spacing: Spacing, magnitude: float, seeds: NDArray[np.uint64]) -> Image:
        """Perturb each image.

        Parameters
        ----------
        images : float32 (cases, rows, columns) in [0, 1]
        spacing : float64 (cases, 2), mm per pixel along (row, column), above 0
        magnitude : in ``unit``, the same for all cases
        seeds : uint64 (cases,), as ``case_seed`` gives them

        Returns
        -------
        float32 (cases, rows, columns) in [0, 1]

        Raises UsageError for a magnitude outside ``lowest`` to ``highest``, ValueError for arrays of other shapes.
        """
        if not self.lowest <= magnitude <= self.highest:
            raise UsageError(
                Code.BAD_VALUE,
                f"{self.name} of {magnitude:g} {self.unit}",
                mend=f"choose a magnitude from {self.lowest:g} to {self.highest:g} {self.unit}",
            )
        cases = len(images)
        if images.ndim != 3 or spacing.shape != (cases, 2) or seeds.shape != (cases,):
            shapes = f"images {images.shape}, spacing {spacing.shape}, seeds {seeds.shape}"
            raise ValueError(f"arrays that do not go together: {shapes}")
        perturbed = np.empty(images.shape, dtype=np.float32)
        for index in range(cases):
            perturbed[index] = self.alter(images[index], spacing[index], magnitude, int(seeds[index]))
        return perturbed


def case_seed(case_id: str, condition: str) -> int:
    """Return the seed of one case under one condition: the first 64 bits of a SHA-256, from 0 to 2^64 - 1."""
    digest = hashlib.sha256(canonical_json([condition, case_id])).digest()
    return int.from_bytes(digest[:8], "big")


def draw_unit(seed: int) -> float:
    """Return a number in [0, 1) that depends on the seed alone.

    Raw bits of PCG64, which NumPy promises to keep from version to version (unlike what its Generator makes of them).
    """
    bits = np.random.PCG64(seed).random_raw()
    return float(int(bits) >> 11) * 2.0**-53

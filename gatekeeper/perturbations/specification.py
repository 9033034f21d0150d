"""What a perturbation is, and the seed that makes its draws reproducible case by case."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gatekeeper.canonical import canonical_json
from gatekeeper.errors import Code, UsageError

if TYPE_CHECKING:
    import torch

Image: TypeAlias = NDArray[np.float32]
Spacing: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Stack:
    """Images of n cases, of one shape, on one device.

    ``pixels``: float32 (n, channels, *axes) with two axes (row, column) or three; 0 and 1 are the ends of what the
    images can show, and values beyond them may occur. ``spacing_mm``: float64 (n, axes), mm along each axis, above 0.
    ``seeds``: n numbers from 0 to 2^64 - 1, as ``case_seed`` gives them.
    """

    pixels: torch.Tensor
    spacing_mm: Spacing
    seeds: tuple[int, ...]

    @property
    def axes(self) -> int:
        """How many axes an image has: 2 or 3."""
        return self.pixels.ndim - 2

    @property
    def shape(self) -> Shape:
        """The length of each axis of an image."""
        return tuple(self.pixels.shape[2:])


# What makes of a stack one result a magnitude, in their order; what severities have in common is made once. A result
# has the shape of the stack's pixels and holds until the next one is asked for. The stack is left as it is.
Alter: TypeAlias = Callable[[Stack, Sequence[float]], Iterator["torch.Tensor"]]
# Of an image of some shape and spacing: the matrix that takes an index of the result, (*axes, 1), to where in the image
# its value is taken from, shape (axes + 1, axes + 1).
Moves: TypeAlias = Callable[[Shape, Spacing, float, int], NDArray[np.float64]]


@dataclass(frozen=True)
class Perturbation:
    """A registered perturbation.

    A magnitude is in ``unit``, from ``lowest`` to ``highest``; at ``neutral``, one of both ends, nothing changes, and a
    ladder leads away from it. ``axes``: of how many axes the images can be. ``modalities``: DICOM codes of those that
    can be taken so; None for any. All that is drawn at random comes from the seed of the case, so that a result depends
    neither on the other cases nor on their order, and is the same draw at every magnitude. ``colour``: whether it is of
    images in three colours alone. ``moves`` is set where the
    object lies elsewhere afterwards, and what is known of it (outlines, boxes) has to move along.
    """

    name: str
    family: str
    unit: str
    lowest: float
    highest: float
    description: str
    source: str
    alter: Alter
    neutral: float = 0.0
    axes: frozenset[int] = frozenset({2, 3})
    modalities: frozenset[str] | None = None
    moves: Moves | None = None
    colour: bool = False
    aliases: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.neutral not in (self.lowest, self.highest):
            raise ValueError(f"{self.name}: the neutral magnitude is one of both ends")

    def steps(self, stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
        """Perturb a stack at each of some magnitudes, in their order.

        Yields float32 tensors of the shape of ``stack.pixels``; each holds until the next one is asked for. Raises
        UsageError for a magnitude outside ``lowest`` to ``highest``, ValueError for a stack that cannot be.
        """
        for magnitude in magnitudes:
            if not self.lowest <= magnitude <= self.highest:
                raise UsageError(
                    Code.BAD_VALUE,
                    f"{self.name} of {magnitude:g} {self.unit}",
                    mend=f"choose a magnitude from {self.lowest:g} to {self.highest:g} {self.unit}",
                )
        cases = len(stack.pixels)
        if stack.axes not in self.axes or stack.spacing_mm.shape != (cases, stack.axes) or len(stack.seeds) != cases:
            shapes = f"pixels {tuple(stack.pixels.shape)}, spacing {stack.spacing_mm.shape}, {len(stack.seeds)} seeds"
            raise ValueError(f"{self.name} of arrays that do not go together: {shapes}")
        return self.alter(stack, magnitudes)

    def apply(self, images: Image, spacing: Spacing, magnitude: float, seeds: NDArray[np.uint64]) -> Image:
        """Perturb grey images at one magnitude: float32 (n, *axes) to the same, spacing (n, axes), seeds (n,).

        Raises as ``steps`` does.
        """
        import torch

        pixels = torch.from_numpy(np.ascontiguousarray(images, dtype=np.float32))[:, None]
        stack = Stack(pixels, spacing, tuple(int(seed) for seed in seeds))
        (found,) = (step[:, 0].numpy().copy() for step in self.steps(stack, [magnitude]))
        return found


def image_by_image(alter: Callable[[Image, Spacing, float, int], Image]) -> Alter:
    """Make of a function of one grey image (*axes), its spacing, a magnitude and a seed one of a stack."""

    def altered(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
        import torch

        images = stack.pixels.cpu().numpy()
        for magnitude in magnitudes:
            found = np.empty_like(images)
            for case, seed in enumerate(stack.seeds):
                for channel, image in enumerate(images[case]):
                    found[case, channel] = alter(image, stack.spacing_mm[case], magnitude, seed)
            yield torch.from_numpy(found).to(stack.pixels.device)

    return altered


def case_seed(case_id: str, condition: str) -> int:
    """Return the seed of one case under one condition: the first 64 bits of a SHA-256, from 0 to 2^64 - 1."""
    digest = hashlib.sha256(canonical_json([condition, case_id])).digest()
    return int.from_bytes(digest[:8], "big")


def draws(seed: int, count: int) -> NDArray[np.float64]:
    """Return so many numbers in [0, 1) that depend on the seed alone.

    Raw bits of PCG64, which NumPy promises to keep from version to version (unlike what its Generator makes of them).
    """
    bits = np.random.PCG64(seed).random_raw(count)
    return np.asarray((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def draw_unit(seed: int) -> float:
    """Return the first of ``draws``."""
    return float(draws(seed, 1)[0])

"""The coil sees one side brighter than the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.specification import Perturbation, Shape, Stack, draws

if TYPE_CHECKING:
    import torch

DEGREE = 3


def _multiply(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    fields = np.stack([field_of(stack.shape, coefficients_of(seed, stack.axes)) for seed in stack.seeds])
    field = torch.from_numpy(fields.astype(np.float32))[:, None].to(stack.pixels.device)
    found, factor = torch.empty_like(stack.pixels), torch.empty_like(field)
    for magnitude in magnitudes:
        torch.mul(field, magnitude, out=factor)
        torch.mul(stack.pixels, factor.exp_(), out=found)
        yield found


def coefficients_of(seed: int, axes: int) -> NDArray[np.float64]:
    """Return coefficients evenly drawn from -1 to 1, one for each product of powers whose sum is at most ``DEGREE``."""
    count = sum(sum(powers) <= DEGREE for powers in product(range(DEGREE + 1), repeat=axes))
    return np.asarray(2.0 * draws(seed, count) - 1.0)


def field_of(shape: Shape, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a sum of products of Legendre polynomials over an image, each axis from -1 to 1."""
    from numpy.polynomial.legendre import leggrid2d, leggrid3d

    grid = np.zeros((DEGREE + 1,) * len(shape))
    for powers, value in zip(
        (powers for powers in product(range(DEGREE + 1), repeat=len(shape)) if sum(powers) <= DEGREE),
        coefficients,
        strict=True,
    ):
        grid[powers] = value
    first, second, *third = (np.linspace(-1.0, 1.0, length) for length in shape)
    made = leggrid3d(first, second, third[0], grid) if third else leggrid2d(first, second, grid)
    return np.asarray(made, dtype=np.float64)


BIAS_FIELD = Perturbation(
    name="bias_field",
    family="intensity",
    unit="1",
    lowest=0.0,
    highest=3.0,
    description=(
        "values are multiplied by the exponential of a smooth field: Legendre polynomials up to the third degree, "
        "whose coefficients are drawn for each case between - and + this magnitude; not clipped"
    ),
    source="Van Leemput et al., IEEE Trans Med Imaging 1999;18:885; RandBiasField of MONAI; ROOD-MRI",
    alter=_multiply,
    modalities=frozenset({"MR"}),
)

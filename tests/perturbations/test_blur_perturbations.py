"""Blur of long axes, and of images whose header states a spacing that no scanner has. Images are made up."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.perturbations import PERTURBATIONS, Stack
from gatekeeper.perturbations.along import along
from gatekeeper.perturbations.blur.gaussian_blur import gaussian


@given(length=st.integers(1, 60), sigma=st.floats(0.02, 40.0))
def test_a_gaussian_is_that_integrated_over_each_pixel_with_the_edge_repeated(length: int, sigma: float) -> None:
    """The definition weight by weight, in the standard library."""
    reach = int(max(4.0 * sigma, 0.5) + 0.5)
    scale = 1.0 / (math.sqrt(2.0) * sigma)
    weights = {at: math.erf(scale * (at + 0.5)) - math.erf(scale * (at - 0.5)) for at in range(-reach, reach + 1)}
    total = math.fsum(weights.values())
    expected = np.zeros((length, length))
    for row in range(length):
        for offset, weight in weights.items():
            expected[row, min(max(row + offset, 0), length - 1)] += weight / total
    np.testing.assert_allclose(gaussian(length, sigma), expected, atol=1e-12)


@pytest.mark.parametrize("length", [65, 130])
@pytest.mark.parametrize("reach", [0, 1, 31, 32, 33, 60])
@pytest.mark.parametrize("axis", [2, 3, 4])
def test_a_band_is_multiplied_as_the_whole_matrix_is(length: int, reach: int, axis: int) -> None:
    random = np.random.default_rng(length + reach)
    matrix = random.normal(size=(length, length))
    places = np.arange(length)
    matrix[np.abs(places[:, None] - places[None]) > reach] = 0.0
    shape = [2, 3, 4, 5, 3]
    shape[axis] = length
    pixels = random.normal(size=shape).astype(np.float32)
    expected = np.moveaxis(np.tensordot(matrix, pixels.astype(np.float64), (1, axis)), 0, axis)
    np.testing.assert_allclose(along(torch.from_numpy(pixels), axis, matrix).numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["gaussian_blur", "defocus", "motion_blur"])
@pytest.mark.parametrize("spacing", [(1e-6, 1e-6), (1e-6, 1.0), (1e6, 1e6)])
def test_a_spacing_that_no_scanner_has_asks_for_no_memory_that_nobody_has(
    name: str, spacing: tuple[float, float]
) -> None:
    one = PERTURBATIONS.get(name)
    pixels = torch.rand((2, 1, 20, 24), generator=torch.Generator().manual_seed(1))
    stack = Stack(pixels, np.array([spacing, (1.0, 1.0)]), (3, 4))
    (found,) = (step.clone() for step in one.steps(stack, [one.highest]))
    assert torch.isfinite(found).all()
    assert float(found.min()) >= -1e-5
    assert float(found.max()) <= 1.0 + 1e-5
    (alone,) = one.steps(Stack(pixels[1:], stack.spacing_mm[1:], (4,)), [one.highest])
    np.testing.assert_allclose(found[1:].numpy(), alone.numpy(), atol=1e-5)

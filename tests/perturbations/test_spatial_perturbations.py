"""Movements where the usual test image is not enough: volumes of one slice. Images are made up."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gatekeeper.perturbations import PERTURBATIONS, Stack
from gatekeeper.perturbations.affine import resampled

MOVING = ("rotation", "translation", "translation_pixels", "scaling_up", "scaling_down", "flip")


@pytest.mark.parametrize(("shift", "left"), [(0.0, 1.0), (0.25, 0.75), (-0.5, 0.5), (1.0, 0.0), (-3.0, 0.0)])
def test_a_slice_that_is_alone_fades_as_it_is_left(shift: float, left: float) -> None:
    """Beyond the image is 0, and between a slice and what is beyond it is interpolated linearly."""
    pixels = torch.rand((2, 1, 1, 6, 5), generator=torch.Generator().manual_seed(1))
    matrix = np.eye(4)
    matrix[0, 3] = shift
    found = resampled(pixels, np.stack([matrix, matrix]))
    np.testing.assert_allclose(found.numpy(), left * pixels.numpy(), atol=1e-6)


@pytest.mark.parametrize("name", MOVING)
def test_a_volume_of_one_slice_is_moved_by_the_matrix_that_moves_outlines(name: str) -> None:
    one, shape, spacing = PERTURBATIONS.get(name), (1, 20, 24), np.array([5.0, 1.0, 0.8])
    assert one.moves is not None
    pixels = torch.rand((1, 1, *shape), generator=torch.Generator().manual_seed(1))
    (step,) = one.steps(Stack(pixels, spacing[None], (3,)), [0.6])
    matrix = one.moves(shape, spacing, 0.6, 3)
    indices = np.stack(np.meshgrid(*(np.arange(length) for length in shape), indexing="ij"), axis=-1)
    places = indices @ matrix[:3, :3].T + matrix[:3, 3]
    expected = np.zeros(shape)
    for corner in np.ndindex(2, 2, 2):  # linear interpolation, written out
        at = np.floor(places).astype(int) + corner
        weight = np.prod(np.maximum(1.0 - np.abs(places - at), 0.0), axis=-1)
        inside = ((at >= 0) & (at < shape)).all(axis=-1)
        expected[inside] += weight[inside] * pixels.numpy()[0, 0][tuple(at[inside].T)]
    np.testing.assert_allclose(step.numpy()[0, 0], expected, atol=1e-4)

"""K-space of even and odd axes, and movements between its parts. Images are made up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.transforms.intensity.array import GibbsNoise

from gatekeeper.perturbations import PERTURBATIONS, Stack
from gatekeeper.perturbations.kspace.motion import _place


@pytest.mark.parametrize("shape", [(24, 31), (25, 30), (25, 31), (24, 1), (14, 9, 16), (15, 8, 7)])
def test_ringing_is_that_of_monai_whatever_the_lengths(shape: tuple[int, ...]) -> None:
    pixels = torch.rand((2, 1, *shape), generator=torch.Generator().manual_seed(1))
    stack = Stack(pixels, np.ones((2, len(shape))), (3, 4))
    magnitudes = (0.05, 0.3, 0.6, 0.95, 1.0)
    for magnitude, step in zip(magnitudes, PERTURBATIONS.get("gibbs").steps(stack, magnitudes), strict=True):
        expected = np.stack([np.asarray(GibbsNoise(magnitude)(image)) for image in pixels])
        np.testing.assert_allclose(step.numpy(), expected, atol=1e-5)


def test_a_patient_moves_rigidly_and_no_farther_than_asked() -> None:
    shape, spacing = (14, 20, 16), np.array([2.5, 0.9, 1.2])
    middle = (np.array(shape) - 1.0) / 2.0
    cosines = []
    for seed in range(400):
        matrix = _place(shape, spacing, 6.0, seed)
        turn = matrix[:3, :3] * spacing[:, None] / spacing[None]
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
        assert np.degrees(np.arccos(min(1.0, (np.trace(turn) - 1.0) / 2.0))) <= 3.0 + 1e-6
        shift = (matrix[:3, :3] @ middle + matrix[:3, 3] - middle) * spacing
        assert np.linalg.norm(shift) <= 6.0
        axis = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        cosines.append(axis @ shift / (np.linalg.norm(axis) * np.linalg.norm(shift)))
    # The shift is drawn apart from the axis of the turn: the cosine between them is spread evenly from -1 to 1.
    assert np.mean(cosines) == pytest.approx(0.0, abs=0.1)
    assert np.mean(np.square(cosines)) == pytest.approx(1.0 / 3.0, abs=0.06)

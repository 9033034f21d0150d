"""Images resampled by a matrix for each case, from indices of the result to indices of the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.specification import Alter, Moves, Shape, Spacing, Stack, draws

if TYPE_CHECKING:
    import torch

Matrix = NDArray[np.float64]


def moved_by(moves: Moves) -> Alter:
    """Make of a matrix for each case what is done to a stack: linear interpolation, 0 beyond the image."""

    def altered(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
        for magnitude in magnitudes:
            matrices = [
                moves(stack.shape, spacing, magnitude, seed)
                for spacing, seed in zip(stack.spacing_mm, stack.seeds, strict=True)
            ]
            yield resampled(stack.pixels, np.stack(matrices))

    return altered


def resampled(pixels: torch.Tensor, matrices: Matrix) -> torch.Tensor:
    """Take each value of n results from where a matrix says in its image.

    Parameters
    ----------
    pixels : (n, channels, *axes)
    matrices : (n, axes + 1, axes + 1), from an index of the result to an index of the image

    Where a matrix changes nothing the result is the image, bit for bit.
    """
    import torch

    found = torch.empty_like(pixels)
    kinds, of = np.unique(matrices.reshape(len(matrices), -1), axis=0, return_inverse=True)
    for kind, matrix in enumerate(kinds.reshape(-1, *matrices.shape[1:])):
        those = np.flatnonzero(of == kind)
        if np.array_equal(matrix, np.eye(len(matrix))):
            found[those] = pixels[those]
        else:
            found[those] = _alike(pixels[those], matrix)
    return found


def _alike(pixels: torch.Tensor, matrix: Matrix) -> torch.Tensor:
    """Resample images by one matrix: as channels of one image, so that the places are made once."""
    import torch
    from torch.nn.functional import affine_grid, grid_sample

    shape = tuple(pixels.shape[2:])
    # torch speaks of coordinates from -1 to 1 between the outer faces of the outermost voxels, the last axis first.
    theta = _normalised(matrix, shape)[: len(shape)].astype(np.float32)
    stacked = pixels.reshape(1, -1, *shape)
    grid = affine_grid(torch.from_numpy(theta)[None].to(pixels.device), list(stacked.shape), align_corners=False)
    found = grid_sample(stacked, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return found.reshape(pixels.shape)


def _normalised(matrix: Matrix, shape: Shape) -> Matrix:
    axes = len(shape)
    to_index = np.eye(axes + 1)
    to_index[range(axes), range(axes)] = [length / 2.0 for length in shape]
    to_index[:axes, axes] = [(length - 1) / 2.0 for length in shape]
    flipped = np.eye(axes + 1)[[*range(axes - 1, -1, -1), axes]]
    return np.asarray(flipped @ np.linalg.inv(to_index) @ matrix @ to_index @ flipped)


def about_the_centre(linear: Matrix, shape: Shape, spacing: Spacing) -> Matrix:
    """Return a linear map of millimetres about the centre of an image as a matrix between indices."""
    axes = len(shape)
    centre = (np.array(shape) - 1.0) / 2.0
    matrix = np.eye(axes + 1)
    matrix[:axes, :axes] = linear * spacing[np.newaxis, :] / spacing[:, np.newaxis]
    matrix[:axes, axes] = centre - matrix[:axes, :axes] @ centre
    return matrix


def direction(seed: int, axes: int) -> NDArray[np.float64]:
    """Return a unit vector, evenly spread over all directions (in three axes by Archimedes' hat-box)."""
    first, second = draws(seed, 2)
    turn = 2.0 * np.pi * first
    if axes == 2:
        return np.array([np.sin(turn), np.cos(turn)])
    height = 2.0 * second - 1.0
    flat = np.sqrt(1.0 - height * height)
    return np.array([height, flat * np.sin(turn), flat * np.cos(turn)])

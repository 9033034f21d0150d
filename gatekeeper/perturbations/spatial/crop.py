"""The field of view is too small: the rim of the image is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gatekeeper.perturbations.specification import Perturbation, Stack

if TYPE_CHECKING:
    import torch


def _crop(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    for magnitude in magnitudes:
        found = stack.pixels.clone()
        for axis, length in enumerate(stack.shape, start=2):
            cut = round(magnitude * length)
            if cut:
                found.narrow(axis, 0, cut).zero_()
                found.narrow(axis, length - cut, cut).zero_()
        yield found


CROP = Perturbation(
    name="crop",
    family="spatial",
    unit="1",
    lowest=0.0,
    highest=0.45,
    description="this share of the length is set to 0 at both ends of every axis, rounded to whole pixels",
    source="a cut field of view; CenterSpatialCrop of MONAI, with what is cut off padded by 0",
    alter=_crop,
)

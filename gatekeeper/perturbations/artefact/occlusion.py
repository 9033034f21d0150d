"""Something lies in front: a marker, an electrode, a collimator's edge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gatekeeper.perturbations.specification import Perturbation, Stack, draws

if TYPE_CHECKING:
    import torch


def _cover(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    for magnitude in magnitudes:
        found = stack.pixels.clone()
        sides = [round(magnitude ** (1.0 / stack.axes) * length) for length in stack.shape]
        if all(sides):
            for case, seed in enumerate(stack.seeds):
                hidden = found[case]
                for axis, (share, side, length) in enumerate(
                    zip(draws(seed, stack.axes), sides, stack.shape, strict=True), start=1
                ):
                    hidden = hidden.narrow(axis, int(share * (length - side + 1)), side)
                hidden.zero_()
        yield found


OCCLUSION = Perturbation(
    name="occlusion",
    family="artefact",
    unit="1",
    lowest=0.0,
    highest=1.0,
    description=(
        "a box of the image's proportions, of this share of its area or volume, is set to 0 at a place drawn for each "
        "case"
    ),
    source="DeVries & Taylor (Cutout), arXiv 1708.04552; RandCoarseDropout of MONAI",
    alter=_cover,
)

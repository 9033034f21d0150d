"""Another laboratory stains another way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.perturbations.clipping import clipped
from gatekeeper.perturbations.specification import Perturbation, Stack, draws

if TYPE_CHECKING:
    import torch

# Haematoxylin, eosin and DAB in optical densities of red, green, blue: Ruifrok & Johnston 2001, as scikit-image has it.
STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
_DARKEST = 1e-6


def _stain(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    if stack.pixels.shape[1] != 3:
        raise ValueError("stain of images that are not coloured")
    to_stains = torch.from_numpy(np.linalg.inv(STAINS).astype(np.float32)).to(stack.pixels.device)
    to_colours = torch.from_numpy(STAINS.astype(np.float32)).to(stack.pixels.device)
    density = -torch.log(stack.pixels.movedim(1, -1).clamp(min=_DARKEST)) / -np.log(_DARKEST)
    amounts = density @ to_stains
    drawn = np.stack([2.0 * draws(seed, 6) - 1.0 for seed in stack.seeds]).reshape(-1, 2, 1, 1, 3).astype(np.float32)
    drawn_on = torch.from_numpy(drawn).to(stack.pixels.device)
    for magnitude in magnitudes:
        if magnitude == 0.0:
            yield stack.pixels.clone()
            continue
        other = amounts * (1.0 + magnitude * drawn_on[:, 0]) + magnitude * 0.1 * drawn_on[:, 1]
        colours = torch.exp(-(other @ to_colours).clamp(min=0.0) * -np.log(_DARKEST))
        yield clipped(colours.movedim(-1, 1).contiguous(), stack)


STAIN = Perturbation(
    name="stain",
    family="artefact",
    unit="1",
    lowest=0.0,
    highest=1.0,
    description=(
        "the amount of each stain (haematoxylin, eosin, residual) is multiplied by 1 + and a tenth of it is added, "
        "both drawn for each case between - and + this magnitude; of images in colour alone, clipped to 0 and "
        "1"
    ),
    source="Tellez et al., IEEE Trans Med Imaging 2018;37:2126; colour deconvolution of Ruifrok & Johnston 2001",
    alter=_stain,
    axes=frozenset({2}),
    colour=True,
    modalities=frozenset({"SM"}),
)

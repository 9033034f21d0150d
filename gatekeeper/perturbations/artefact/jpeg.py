"""The image was kept as a JPEG."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.specification import Perturbation, Stack

if TYPE_CHECKING:
    import torch

_BEST = 101.0  # not a quality of JPEG: nothing is compressed


def _compress(stack: Stack, magnitudes: Sequence[float]) -> Iterator[torch.Tensor]:
    import torch

    given = stack.pixels.cpu().numpy()
    bytes_ = np.rint(np.clip(given, 0.0, 1.0) * 255.0).astype(np.uint8)
    for magnitude in magnitudes:
        if magnitude == _BEST:
            yield stack.pixels.clone()
            continue
        found = np.empty_like(given)
        for case, image in enumerate(bytes_):
            found[case] = _of_case(image, round(magnitude)).astype(np.float32) / np.float32(255.0)
        yield torch.from_numpy(found).to(stack.pixels.device)


def _of_case(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Compress an image (channels, *axes), slice by slice along the first of three axes; three channels in colour."""
    if image.ndim == 4:
        return np.stack([_of_case(image[:, index], quality) for index in range(image.shape[1])], axis=1)
    if len(image) == 3:
        return np.moveaxis(_through(np.moveaxis(image, 0, -1), quality), -1, 0)
    return np.stack([_through(channel, quality) for channel in image])


def _through(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, format="JPEG", quality=quality)
    with Image.open(stream, formats=["JPEG"]) as read:
        return np.asarray(read)


JPEG = Perturbation(
    name="jpeg",
    family="artefact",
    unit="count",
    neutral=_BEST,
    lowest=1.0,
    highest=_BEST,
    description=(
        "the image, cut to its range and in 256 steps, is compressed as a JPEG of this quality (libjpeg's, 100 is the "
        "best) and read again; a volume slice by slice; 101 stands for no compression"
    ),
    source="MedMNIST-C (Di Salvo et al., arXiv 2406.17536), after Hendrycks & Dietterich, arXiv 1903.12261",
    alter=_compress,
)

"""Images of a few cases, small: each as it is, a volume by its middle slice, windowed as the candidate sees it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.contract import Intensity
from gatekeeper.dossier import numerals
from gatekeeper.dossier.curves import Example, Thumbnail
from gatekeeper.dossier.slices import as_bytes, shown_pixel, thinned
from gatekeeper.testset import LockedTestSet
from gatekeeper.testset.readers import read_image
from gatekeeper.testset.readers.image import Image

_WINDOW = (1.0, 99.5)  # percentiles of the image that become black and white, where no window is declared
_MOST_PIXELS = 256  # along either side


def thumbnails_of(testset: LockedTestSet, examples: Sequence[Example], intensity: Intensity) -> tuple[Thumbnail, ...]:
    """Return one picture a case of the examples; images are read from the locked set again.

    Raises UsageError or IntegrityError when a file cannot be read, or changed since it was locked.
    """
    by_id = {case.case_id: case for case in testset.manifest.cases}
    first = {example.case: example for example in reversed(examples)}
    return tuple(
        thumbnail_of(case, read_image(testset.read(by_id[case]), case), intensity, _caption(first[case]))
        for case in dict.fromkeys(example.case for example in examples)
    )


def thumbnail_of(case_id: str, image: Image, intensity: Intensity, caption: str = "") -> Thumbnail:
    """Return the picture of a case: of a volume in space the middle axial slice, of another the middle one as stored.

    The window is that of the candidate's ``intensity`` where it declares values or percentiles, otherwise from the 1st
    to the 99.5th percentile of all pixels.
    """
    grey = image.pixels.mean(axis=-1) if image.colour else image.pixels
    low, high = window(grey, intensity)
    plane, flat, pixel = _middle(image, grey)
    at = thinned(flat.shape, _MOST_PIXELS)
    return Thumbnail(
        case_id, plane, as_bytes(flat, low, high)[at], shown_pixel(pixel, flat.shape, _MOST_PIXELS), caption
    )


def window(grey: NDArray[np.float32], intensity: Intensity) -> tuple[float, float]:
    """Return the values that become black and white."""
    if intensity.zero_at is not None and intensity.one_at is not None:
        return min(intensity.zero_at, intensity.one_at), max(intensity.zero_at, intensity.one_at)
    percentiles = intensity.percentiles if intensity.normalisation == "percentiles" else _WINDOW
    low, high = np.percentile(grey, percentiles)
    return float(low), float(high)


def _middle(image: Image, grey: NDArray[np.float32]) -> tuple[str, NDArray[np.float32], tuple[float, ...]]:
    if grey.ndim == 2:
        return "image", grey, image.spacing_mm or (1.0, 1.0)
    if grey.shape[0] == 1:
        return "image", grey[0], (image.spacing_mm or (1.0, 1.0, 1.0))[1:]
    if image.affine is None:
        return "middle slice", grey[len(grey) // 2], (image.spacing_mm or (1.0, 1.0, 1.0))[1:]
    turned = Image(np.asarray(grey, dtype=np.float32), image.spacing_mm, image.affine).oriented("LPS")
    spacing = turned.spacing_mm or (1.0, 1.0, 1.0)
    return "middle axial slice", turned.pixels[:, :, turned.pixels.shape[2] // 2].T, (spacing[1], spacing[0])


def _caption(example: Example) -> str:
    score = (
        "nothing found" if example.score is None else f"score {numerals.number(example.score, numerals.Style.SHARE)}"
    )
    return f"{example.kind}, {score}"

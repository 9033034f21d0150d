"""What a reader gives, what a reader is, and the conventions of both.

Axes. A volume is (slices, rows, columns), an image (rows, columns); colour adds a last axis of three. An array index is
always written (slice, row, column); an image of one slice has slice 0.

Space. ``affine`` takes (slice, row, column, 1) to patient coordinates in millimetres, in DICOM's LPS: the first grows
to the patient's left, the second to the back, the third to the head (PS3.3 C.7.6.2.1.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Orientation = Literal["LPS", "RAS"]

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


class Unfit(Exception):
    """What a reader cannot take, in words that hold no value of a header."""

    def __init__(self, what: str, why: str | None = None, mend: str | None = None) -> None:
        super().__init__(what)
        self.what, self.why, self.mend = what, why, mend


@dataclass(frozen=True)
class Limits:
    """What is read at most: bytes of a case's files, and bytes of its pixels as float32, before any is decoded."""

    file_bytes: int = 2 << 30
    decoded_bytes: int = 3 << 29

    def check_files(self, total: int) -> None:
        """Raise Unfit when the files of a case are larger, in bytes, than is read."""
        if total > self.file_bytes:
            raise Unfit(f"the files are larger than {self.file_bytes >> 20:,} MiB", mend="crop or split them")

    def check_pixels(self, *sizes: int) -> None:
        """Raise Unfit unless there are pixels, and no more than fit: one size an axis."""
        if any(size <= 0 for size in sizes):
            raise Unfit("the file holds no image")
        count = 1
        for size in sizes:
            count *= size
        if count * 4 > self.decoded_bytes:
            raise Unfit(f"the image would take more than {self.decoded_bytes >> 20:,} MiB", mend="crop or split it")


@dataclass(frozen=True)
class Image:
    """A decoded image: ``pixels`` are float32 after rescaling, and finite.

    ``spacing_mm`` has one length an axis of ``pixels`` (without colour), ``affine`` is 4 x 4; each is None where the
    file does not say. ``modality`` and ``body_part`` are DICOM codes, empty where the format has none.
    """

    pixels: NDArray[np.float32]
    spacing_mm: tuple[float, ...] | None = None
    affine: NDArray[np.float64] | None = None
    modality: str = ""
    body_part: str = ""
    colour: bool = False

    def oriented(self, orientation: Orientation) -> Image:
        """Return the volume with its axes in the order (x, y, z) along the patient, the nearest ones if oblique.

        ``RAS``: x grows to the right, y to the front, z to the head; ``LPS``: left, back, head. Nothing is resampled;
        ``affine`` takes an index (x, y, z, 1) of the new array to LPS millimetres. Raises Unfit for what is no volume
        in space.
        """
        from nibabel.orientations import (
            apply_orientation,
            axcodes2ornt,
            inv_ornt_aff,
            io_orientation,
            ornt_transform,
        )

        if self.affine is None or self.pixels.ndim != 3 + self.colour:
            raise Unfit("the image is no volume in space", mend="give volumes that say where they lie")
        ways = ornt_transform(io_orientation(_LPS_TO_RAS @ self.affine), axcodes2ornt(tuple(orientation)))
        order = [int(axis) for axis in np.argsort(ways[:, 0])]
        return replace(
            self,
            pixels=np.ascontiguousarray(apply_orientation(self.pixels, ways)),
            spacing_mm=None if self.spacing_mm is None else tuple(self.spacing_mm[axis] for axis in order),
            affine=self.affine @ inv_ornt_aff(ways, self.pixels.shape[:3]),
        )


@dataclass(frozen=True)
class Reader:
    """A registered reader: tells from the first bytes and the name whether a file is its own, and decodes a case's.

    ``read`` is given the files by path, of which ``recognises`` took the first. It raises Unfit, or anything at all:
    files are hostile, and decoders fail in their own ways.
    """

    name: str
    title: str
    recognises: Callable[[bytes, PurePosixPath], bool]
    read: Callable[[Mapping[str, bytes], Limits], Image]
    aliases: tuple[str, ...] = ()


def checked(image: Image) -> Image:
    """Return the image when its pixels and its place in space are numbers that can be computed with. Raises Unfit."""
    # Least and greatest are finite when all are: NaN is handed on by both, and no array of flags is made.
    if image.pixels.size and not (np.isfinite(image.pixels.min()) and np.isfinite(image.pixels.max())):
        raise Unfit("the image has pixels that are no numbers")
    if image.spacing_mm is not None and not all(0.0 < length < float("inf") for length in image.spacing_mm):
        raise Unfit("the image has a spacing that is no length")
    if image.affine is not None:
        with np.errstate(all="ignore"):
            volume = abs(float(np.linalg.det(image.affine[:3, :3]))) if np.isfinite(image.affine).all() else 0.0
        if not 0.0 < volume < float("inf"):
            raise Unfit("the image does not say where it lies: its affine is singular or not finite")
    return image


def single(files: Mapping[str, bytes]) -> bytes:
    """Return the one file of a case. Raises Unfit when there are several."""
    if len(files) != 1:
        raise Unfit(f"the case has {len(files):,} files", "only a DICOM series is one image in several files")
    return next(iter(files.values()))

"""DICOM: one file with one frame or many, or the files of one series.

Pixels are after the modality transformation (rescale slope and intercept, or modality LUT: PS3.3 C.11.1); windows and
presentation LUTs are not applied. Colours are RGB: YBR is converted, palettes are looked up. Padded pixels
(PixelPaddingValue) stay what they are. MONOCHROME1 means that the least value is shown white (PS3.3 C.7.6.3.1.2). It is
inverted over the range that the stored bits can hold, never over that of the image: the same stored value gives the
same pixel in every image.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.testset.files import in_threads
from gatekeeper.testset.readers.dicom_space import Slice, ordered, slice_of, slices_of_frames
from gatekeeper.testset.readers.frames import check_frames, decode
from gatekeeper.testset.readers.image import Image, Limits, Reader, Unfit
from gatekeeper.testset.readers.inflate import inflated_size

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_PREAMBLE = 128
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_WIDE = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
_GREY = ("MONOCHROME1", "MONOCHROME2")
MOST_DATASET_BYTES = 1 << 30
_SAME_SERIES = {
    "SeriesInstanceUID": "the files are of several series",
    "Modality": "the files are of several modalities",
    "Rows": "the slices are of several sizes",
    "Columns": "the slices are of several sizes",
    "PhotometricInterpretation": "the slices are of several kinds (photometric interpretation)",
    "SOPClassUID": "the files are of several kinds of object",
}


def _recognises(data: bytes, path: PurePosixPath) -> bool:
    return data[_PREAMBLE : _PREAMBLE + 4] == b"DICM"


def _read(files: Mapping[str, bytes], limits: Limits) -> Image:
    datasets = [parsed(data) for data in files.values()]
    first = datasets[0]
    if len(datasets) > 1:
        return _read_series(datasets, limits)
    frames = _check_kind(first, limits)
    pixels = _pixels(first, frames)
    if frames == 1:
        place = slice_of(first)
        return _image(first, pixels, [place] if place else [], _spacing(first))
    return _read_frames(first, pixels)


def parsed(data: bytes) -> Dataset:
    """Parse a DICOM file, unless it would grow beyond bounds. Raises Unfit, or whatever pydicom raises."""
    from pydicom import dcmread

    if not _recognises(data, PurePosixPath()):
        raise Unfit("one of the files is no DICOM file")
    syntax, end = _file_meta(data)
    if syntax == _DEFLATED:
        inflated_size(data[end:], MOST_DATASET_BYTES)
    return dcmread(io.BytesIO(data))


def _file_meta(data: bytes) -> tuple[bytes, int]:
    """Return the transfer syntax, and where the file meta information ends (PS3.10, 7.1: explicit, little-endian)."""
    at, syntax = _PREAMBLE + 4, b""
    while data[at : at + 2] == b"\x02\0":
        wide = data[at + 4 : at + 6] in _WIDE
        begin = at + (12 if wide else 8)
        length = int.from_bytes(data[begin - (4 if wide else 2) : begin], "little")
        if data[at + 2 : at + 4] == b"\x10\0":
            syntax = data[begin : begin + length].strip(b" \0")
        at = begin + length
    return syntax, at


def _read_series(datasets: Sequence[Dataset], limits: Limits) -> Image:
    first = datasets[0]
    for dataset in datasets:
        if _check_kind(dataset, limits) != 1:
            raise Unfit("a file with several frames is among the slices", "a volume is one such file, or single slices")
    for keyword, what in _SAME_SERIES.items():
        if any(dataset.get(keyword) != first.get(keyword) for dataset in datasets):
            raise Unfit(what, "a folder is one series", "put each series into a folder of its own")
    limits.check_pixels(len(datasets), int(first.Rows), int(first.Columns), int(first.get("SamplesPerPixel", 1)))
    places = [slice_of(dataset) for dataset in datasets]
    known = [place for place in places if place is not None]
    if len(known) != len(datasets):
        raise Unfit("a slice does not say where it lies", "position, orientation or pixel spacing is missing")
    order = ordered(known)
    pixels = _volume([datasets[index] for index in order])
    return _image(first, pixels, [known[index] for index in order], _spacing(first))


def _volume(datasets: Sequence[Dataset]) -> NDArray[np.float32]:
    slices = in_threads(lambda dataset: _pixels(dataset, 1), datasets)
    first = next(slices)
    volume = np.empty((len(datasets), *first.shape), np.float32)
    volume[0] = first
    for index, pixels in enumerate(slices, start=1):
        volume[index] = pixels
    return volume


def _read_frames(dataset: Dataset, pixels: NDArray[np.float32]) -> Image:
    places = slices_of_frames(dataset)
    if not places:
        return _image(dataset, pixels, [], None)
    order = ordered(places)
    return _image(dataset, np.ascontiguousarray(pixels[order]), [places[index] for index in order], None)


def _image(
    dataset: Dataset, pixels: NDArray[np.float32], places: Sequence[Slice], spacing: tuple[float, float] | None
) -> Image:
    from gatekeeper.testset.readers.dicom_space import affine_of

    affine = affine_of(places, dataset) if places else None
    colour = int(dataset.get("SamplesPerPixel", 1)) == 3 or dataset.PhotometricInterpretation == "PALETTE COLOR"
    lengths: tuple[float, ...] | None = spacing
    if pixels.ndim - colour == 3:
        lengths = None if affine is None else tuple(float(value) for value in np.linalg.norm(affine[:3, :3], axis=0))
    return Image(
        pixels=pixels,
        spacing_mm=lengths,
        affine=affine,
        modality=str(dataset.get("Modality", "")),
        body_part=str(dataset.get("BodyPartExamined", "")),
        colour=colour,
    )


def _check_kind(dataset: Dataset, limits: Limits) -> int:
    """Return the number of frames of an image that is read. Raises Unfit for other objects and kinds of pixels."""
    frames, samples = int(dataset.get("NumberOfFrames") or 1), int(dataset.get("SamplesPerPixel", 1))
    if not any(keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise Unfit("the DICOM file holds no image", "its pixel data are missing, or cut short")
    kind = dataset.get("PhotometricInterpretation", "")
    palette = 3 if kind == "PALETTE COLOR" else samples
    limits.check_pixels(frames, int(dataset.get("Rows", 0)), int(dataset.get("Columns", 0)), palette)
    if samples not in (1, 3) or (samples == 1 and kind not in (*_GREY, "PALETTE COLOR")):
        raise Unfit("the image is neither grey nor coloured in three channels")
    return frames


def _pixels(dataset: Dataset, frames: int) -> NDArray[np.float32]:
    from pydicom.pixels.processing import apply_color_lut

    stored = decode(dataset, check_frames(dataset, frames))
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        return np.asarray(apply_color_lut(stored, dataset), dtype=np.float32)
    if int(dataset.get("SamplesPerPixel", 1)) == 3:
        return np.asarray(stored, dtype=np.float32)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        if "ModalityLUTSequence" in dataset:
            raise Unfit("the image is MONOCHROME1 with a modality LUT", "how the two go together is not settled")
        # Least and greatest storable value added up: -2^(n-1) + 2^(n-1) - 1, or 0 + 2^n - 1.
        ends = -1 if dataset.PixelRepresentation == 1 else 2 ** int(dataset.BitsStored) - 1
        stored = ends - stored.astype(np.int64)
    return _rescaled(stored, dataset, frames)


def _rescaled(stored: NDArray[np.generic], dataset: Dataset, frames: int) -> NDArray[np.float32]:
    from pydicom.pixels.processing import apply_modality_lut, apply_rescale

    groups = _groups(dataset, "PixelValueTransformationSequence")
    if not groups:
        return np.asarray(apply_modality_lut(stored, dataset), dtype=np.float32)
    if len(groups) == 1:
        return np.asarray(apply_rescale(stored, groups[0]), dtype=np.float32)
    if len(groups) != frames:
        raise Unfit("the frames and their rescaling do not fit together")
    return np.stack(
        [np.asarray(apply_rescale(frame, group), np.float32) for frame, group in zip(stored, groups, strict=True)]
    )


def _groups(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a functional group: one that all frames share, or one a frame."""
    for shared in dataset.get("SharedFunctionalGroupsSequence") or ():
        if keyword in shared:
            return [shared[keyword][0]]
    frames = list(dataset.get("PerFrameFunctionalGroupsSequence") or ())
    return [frame[keyword][0] for frame in frames] if frames and all(keyword in frame for frame in frames) else []


def _spacing(dataset: Dataset) -> tuple[float, float] | None:
    if dataset.get("PixelSpacing") is None:
        return None
    row, column = (float(value) for value in dataset.PixelSpacing)
    return row, column


DICOM = Reader(name="dicom", title="DICOM (a file, or a folder with one series)", recognises=_recognises, read=_read)

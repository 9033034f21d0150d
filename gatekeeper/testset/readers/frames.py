"""Encapsulated frames of DICOM: held against the header before any is decoded, then decoded with Python's lock let go.

A frame of a kilobyte can decode to gigabytes, or to another image than the header describes. What pydicom's plug-ins
would take is therefore measured first: the codestream's own header (JPEG, JPEG-LS, JPEG 2000), or the length that a
run-length frame expands to.

imagecodecs decodes grey frames whose codestream agrees with the header, and lets other threads run meanwhile, which
pydicom's plug-ins do not. All else (colour, lossy JPEG, signs that disagree) is left to these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.testset.files import in_threads
from gatekeeper.testset.readers.image import Unfit

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# EOI and EOC, the last marker of JPEG and JPEG-LS, and of JPEG 2000 (ITU-T T.81 B.1.1.3, T.87 C.1.1, T.800 A.4.4)
_END_OF_IMAGE = b"\xff\xd9"
# SOC and SIZ: how every JPEG 2000 codestream begins (T.800 A.4.1, A.5.1); some files wrap it in a JP2 header.
_START_OF_2000 = b"\xff\x4f\xff\x51"
# SOF of JPEG and JPEG-LS, SOS, and DHP, which makes a JPEG hierarchical: of several sizes (T.81 B.1.1.3, T.87 C.1.1).
_START_OF_FRAME = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7}
_START_OF_SCAN, _HIERARCHICAL = 0xDA, 0xDE

Decoder = Callable[[bytes], NDArray[np.generic]]


def check_frames(dataset: Dataset, count: int) -> list[bytes]:
    """Return the coded frames, none if they are not encapsulated.

    Raises Unfit for pixel data that were cut short, of which some decoders give the beginning and grey, and for frames
    that would decode to another size than the header's.
    """
    from pydicom.encaps import generate_frames
    from pydicom.pixels.utils import get_expected_length
    from pydicom.uid import RLELossless

    if "PixelData" not in dataset:
        return []
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        if len(dataset.PixelData) < get_expected_length(dataset):
            raise Unfit("the pixel data are cut short", "there are fewer than the header says")
        return []
    frames = list(generate_frames(dataset.PixelData, number_of_frames=count))
    if len(frames) != count:
        raise Unfit("the pixel data are cut short", "there are fewer frames than the header says")
    if syntax == RLELossless:
        for frame in frames:
            _run_lengths(frame, dataset)
        return frames
    if not all(frame.rstrip(b"\0\xff").endswith(_END_OF_IMAGE) for frame in frames):
        raise Unfit("the pixel data are cut short", "a frame has no end")
    size = int(dataset.Rows), int(dataset.Columns), int(dataset.get("SamplesPerPixel", 1))
    if any(_sizes(frame) != {size} for frame in frames):
        raise Unfit("a frame is of another size than the header says", "rows, columns and samples have to agree")
    return frames


def decode(dataset: Dataset, frames: list[bytes]) -> NDArray[np.generic]:
    """Decode all frames: shapes and values are those of ``Dataset.pixel_array``."""
    from pydicom.uid import JPEGBaseline8Bit

    grey = decode_grey(dataset, frames)
    if grey is not None:
        return grey
    if dataset.file_meta.TransferSyntaxUID == JPEGBaseline8Bit:
        # Decoders of lossy JPEG round apart. Pillow has libjpeg, the one that most have seen the image with.
        dataset.pixel_array_options(decoding_plugin="pillow")
    return dataset.pixel_array


def decode_grey(dataset: Dataset, frames: list[bytes]) -> NDArray[np.generic] | None:
    """Decode grey frames, in threads: (rows, columns), or (frames, rows, columns); None when pydicom has to.

    Values are those of ``Dataset.pixel_array``.
    """
    decode = _decoder(dataset)
    plain = int(dataset.get("SamplesPerPixel", 1)) == 1 and int(dataset.BitsAllocated) in (8, 16)
    if decode is None or not frames or not plain:
        return None
    try:
        coded = in_threads(decode, frames) if len(frames) > 1 else map(decode, frames)
        decoded = [_as_the_header_says(pixels, dataset) for pixels in coded]
    except Exception:  # what imagecodecs cannot decode, a plug-in may
        return None
    if any(pixels is None for pixels in decoded):
        return None
    return decoded[0] if len(decoded) == 1 else np.stack(decoded)  # type: ignore[arg-type]


def _decoder(dataset: Dataset) -> Decoder | None:
    import imagecodecs
    from pydicom.uid import (
        JPEG2000TransferSyntaxes,
        JPEGLossless,
        JPEGLosslessSV1,
        JPEGLSTransferSyntaxes,
        RLELossless,
    )

    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax in JPEG2000TransferSyntaxes:
        return imagecodecs.jpeg2k_decode
    if syntax in JPEGLSTransferSyntaxes:
        return imagecodecs.jpegls_decode
    if syntax in (JPEGLossless, JPEGLosslessSV1):
        return imagecodecs.jpeg_decode
    if syntax == RLELossless:
        return lambda frame: _run_lengths(frame, dataset)
    return None


def _as_the_header_says(pixels: NDArray[np.generic], dataset: Dataset) -> NDArray[np.generic] | None:
    """Return decoded pixels in the type of the header, None where the two do not agree plainly."""
    wanted = _type(dataset)
    if pixels.shape != (int(dataset.Rows), int(dataset.Columns)):
        return None
    if pixels.dtype.kind == wanted.kind and pixels.dtype.itemsize <= wanted.itemsize:
        return pixels.astype(wanted, copy=False)
    # JPEG and JPEG-LS know no sign; what fills its container needs no extension.
    if wanted.kind == "i" and pixels.dtype.itemsize == wanted.itemsize and dataset.BitsStored == dataset.BitsAllocated:
        return pixels.view(wanted)
    return None


def _type(dataset: Dataset) -> np.dtype[np.generic]:
    kind = "i" if int(dataset.get("PixelRepresentation", 0)) == 1 else "u"
    return np.dtype(f"{kind}{int(dataset.BitsAllocated) // 8}")


def _run_lengths(frame: bytes, dataset: Dataset) -> NDArray[np.generic]:
    """Expand a run-length frame into an array of the header's size, and never beyond (PS3.5 annex G)."""
    import imagecodecs

    samples = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("SamplesPerPixel", 1))
    stored = _type(dataset)
    out = bytearray(samples * stored.itemsize)
    try:
        imagecodecs.dicomrle_decode(frame, stored, out=out)
    except (ValueError, RuntimeError) as error:
        raise Unfit("a frame cannot be expanded to the size that the header says") from error
    return np.frombuffer(out, stored).reshape(int(dataset.Rows), -1)


def _sizes(frame: bytes) -> set[tuple[int, int, int]]:
    """Return rows, columns and components as a codestream's own headers give them: one, unless it is no honest one."""
    if frame.startswith(b"\xff\xd8"):
        return _sizes_of_jpeg(frame)
    sizes, start = set(), frame.find(_START_OF_2000)
    while start >= 0:
        # After Lsiz and Rsiz (2 bytes each): Xsiz, Ysiz, XOsiz, YOsiz, four of the tiles, Csiz (T.800 A.5.1).
        right, bottom, left, top = (int.from_bytes(frame[start + at : start + at + 4]) for at in (8, 12, 16, 20))
        sizes.add((bottom - top, right - left, int.from_bytes(frame[start + 40 : start + 42])))
        start = frame.find(_START_OF_2000, start + 1)
    return sizes


def _sizes_of_jpeg(frame: bytes) -> set[tuple[int, int, int]]:
    sizes, at = set(), 2
    while at + 9 < len(frame) and frame[at] == 0xFF and (marker := frame[at + 1]) != _START_OF_SCAN:
        if marker == _HIERARCHICAL:
            return set()
        if marker in _START_OF_FRAME:
            # Length (2 bytes), precision (1), lines (2), samples a line (2), components (1): T.81 B.2.2.
            lines, samples = int.from_bytes(frame[at + 5 : at + 7]), int.from_bytes(frame[at + 7 : at + 9])
            sizes.add((lines, samples, frame[at + 9]))
        at += 1 if marker == 0xFF else 2 + int.from_bytes(frame[at + 2 : at + 4])
    return sizes

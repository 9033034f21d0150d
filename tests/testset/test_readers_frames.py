"""Coded frames: what they would decode to is known before they are decoded, and is what pydicom decodes."""

from __future__ import annotations

import io
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom_files import dicom_files

from gatekeeper.errors import Code, UsageError
from gatekeeper.testset.readers import read_image
from gatekeeper.testset.readers.frames import check_frames, decode_grey

LARGE = np.zeros((4096, 4096), np.uint16)
RUN_LENGTHS = struct.pack("<16I", 2, 64, 250_064, *[0] * 13) + bytes([129, 0]) * 250_000
# A frame of 32 MiB that codes into kilobytes, and a real file of 64 x 64 whose transfer syntax it has.
BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "JPEG 2000": (lambda: imagecodecs.jpeg2k_encode(LARGE, level=0), "JPEG2000.dcm"),
    "JPEG-LS": (lambda: imagecodecs.jpegls_encode(LARGE), "MR_small_jpeg_ls_lossless.dcm"),
    "JPEG, lossless": (lambda: imagecodecs.ljpeg_encode(LARGE, bitspersample=16), "JPEG-LL.dcm"),
    "JPEG, lossy": (lambda: imagecodecs.jpeg8_encode(LARGE.astype(np.uint8)), "SC_rgb_jpeg_dcmtk.dcm"),
    "run lengths": (
        lambda: struct.pack("<16I", 2, 64, 250_064, *[0] * 13) + bytes([129, 0]) * 250_000,
        "MR_small_RLE.dcm",
    ),
}


def real(name: str) -> Dataset:
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    return dcmread(io.BytesIO(Path(path).read_bytes()))


def coded(dataset: Dataset, frame: bytes) -> bytes:
    dataset.PixelData = encapsulate([frame])
    data = io.BytesIO()
    dataset.save_as(data)
    return data.getvalue()


def refusal(dataset: Dataset, frame: bytes) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read_image({"images/x.dcm": coded(dataset, frame)}, "case-7")
    assert caught.value.problems[0].code is Code.BAD_IMAGE
    return caught.value


@pytest.mark.parametrize("codec", BOMBS)
def test_a_frame_that_grows_beyond_its_header_is_refused_before_it_does(codec: str) -> None:
    encode, name = BOMBS[codec]
    frame, dataset = encode(), real(name)
    dataset.Rows = dataset.Columns = 64
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    tracemalloc.start()
    try:
        message = str(refusal(dataset, frame))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "size" in message
    assert peak < 8 * len(frame) + 2**20


def test_a_second_codestream_behind_the_first_is_refused() -> None:
    small = imagecodecs.jpeg2k_encode(np.zeros((64, 64), np.uint16), level=0)
    large = BOMBS["JPEG 2000"][0]()
    dataset = real("JPEG2000.dcm")
    dataset.Rows = dataset.Columns = 64
    for frame in (small + large, large + small):
        assert "another size" in str(refusal(dataset, frame))


def test_a_jpeg_of_several_sizes_is_refused() -> None:
    dataset = real("MR_small_jpeg_ls_lossless.dcm")
    frame = imagecodecs.jpegls_encode(dataset.pixel_array.view(np.uint16))
    second = b"\xff\xf7" + struct.pack(">HBHHB3s", 11, 16, 4096, 4096, 1, b"\x01\x11\0")
    assert "another size" in str(refusal(dataset, frame[:2] + second + frame[2:]))
    hierarchical = b"\xff\xde" + second[2:]
    assert "another size" in str(refusal(dataset, frame[:2] + hierarchical + frame[2:]))


@pytest.mark.parametrize("components", [3, 400])
def test_more_components_than_the_header_says_are_refused(components: int) -> None:
    dataset = real("JPEG2000.dcm")
    dataset.Rows = dataset.Columns = 64
    frame = bytearray(imagecodecs.jpeg2k_encode(np.zeros((64, 64), np.uint16), level=0, codecformat="j2k"))
    frame[40:42] = components.to_bytes(2)
    assert "another size" in str(refusal(dataset, bytes(frame)))


def test_frames_are_decoded_as_pydicom_decodes_them() -> None:
    """Oracle: pydicom's own plug-ins, on every file of its test data that is coded."""
    syntaxes = set()
    for path in dicom_files():
        try:
            dataset = dcmread(path)
            expected = dataset.pixel_array
            decoded = decode_grey(dataset, check_frames(dataset, int(dataset.get("NumberOfFrames") or 1)))
        except Exception:  # no image, or not one that is read: other tests hold these
            continue
        if decoded is not None:
            assert decoded.dtype == expected.dtype, path
            np.testing.assert_array_equal(decoded, expected, err_msg=str(path))
            syntaxes.add(dataset.file_meta.TransferSyntaxUID.name.split(" (")[0])
    assert {"JPEG 2000 Image Compression", "JPEG-LS Lossless Image Compression", "RLE Lossless"} <= syntaxes


@pytest.mark.parametrize("name", ["JPEG2000.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_RLE.dcm", "JPEG-LL.dcm"])
def test_a_codestream_that_is_cut_and_ended_is_refused_or_of_the_size_it_says(name: str) -> None:
    """Cut in its headers, and closed again by an end marker: GDCM ends the process at some of these."""
    dataset = real(name)
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    outcomes = set()
    for kept in range(0, 200, 7):
        try:
            image = read_image({"images/x.dcm": coded(dataset, frame[:kept] + b"\xff\xd9")}, "case-7")
        except UsageError as error:
            outcomes.add(error.problems[0].code)
        else:
            assert image.pixels.shape == (dataset.Rows, dataset.Columns)
    assert outcomes == {Code.BAD_IMAGE}

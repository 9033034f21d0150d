from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_bench import disc, write_dicom
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from gatekeeper.errors import Code, UsageError
from gatekeeper.testset.readers import READERS, Image, read_image


def sample(name: str) -> bytes:
    """Return a file that pydicom itself is tested with."""
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    return Path(path).read_bytes()


def refusal(data: bytes) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read_image({"images/x.dcm": data}, "case-7")
    (problem,) = caught.value.problems
    assert problem.code is Code.BAD_IMAGE
    assert str(problem.where) == "images/x.dcm (case case-7)"
    return caught.value


def changed(tmp_path: Path, pixels: np.ndarray | None = None, **changes: object) -> bytes:
    write_dicom(tmp_path / "x.dcm", disc(5.0) if pixels is None else pixels, **changes)
    return (tmp_path / "x.dcm").read_bytes()


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm", "image_dfl.dcm"]
)
def test_pixels_are_the_stored_ones_rescaled(name: str) -> None:
    image = read_image({name: sample(name)}, "c")
    dataset = dcmread(io.BytesIO(sample(name)))
    slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    stored = dataset.pixel_array.astype(np.float64)
    np.testing.assert_array_equal(image.pixels, (stored * slope + intercept).astype(np.float32))
    assert image.pixels.dtype == np.float32
    assert image.modality == dataset.Modality
    spacing = dataset.get("PixelSpacing")
    assert image.spacing_mm == (None if spacing is None else tuple(float(value) for value in spacing))


def test_ct_numbers_are_hounsfield_units() -> None:
    image = read_image({"x": sample("CT_small.dcm")}, "c")
    stored = dcmread(io.BytesIO(sample("CT_small.dcm"))).pixel_array
    assert image.pixels[0, 0] == stored[0, 0] - 1024
    assert image.spacing_mm == (0.661468, 0.661468)


def test_a_monochrome1_image_is_inverted_over_its_stored_range(tmp_path: Path) -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    plain = read_image({"x": changed(tmp_path, pixels)}, "c").pixels
    inverted = read_image({"x": changed(tmp_path, pixels, PhotometricInterpretation="MONOCHROME1")}, "c").pixels
    np.testing.assert_array_equal(inverted, 255 - plain)


def test_the_same_stored_value_gives_the_same_pixel_in_every_monochrome1_image(tmp_path: Path) -> None:
    images = [
        read_image(
            {"x": changed(tmp_path, np.full((8, 8), value, np.uint8), PhotometricInterpretation="MONOCHROME1")}, "c"
        )
        for value in (0, 10, 255)
    ]
    assert [float(image.pixels[0, 0]) for image in images] == [255, 245, 0]


@pytest.mark.parametrize(("signed", "stored", "inverted"), [(0, 0, 4095), (0, 4095, 0), (1, -2048, 2047), (1, 5, -6)])
def test_bits_stored_and_sign_say_how_far_a_monochrome1_image_reaches(
    tmp_path: Path, signed: int, stored: int, inverted: int
) -> None:
    pixels = np.full((8, 8), stored, np.int16 if signed else np.uint16)
    data = changed(
        tmp_path,
        pixels,
        PhotometricInterpretation="MONOCHROME1",
        BitsAllocated=16,
        BitsStored=12,
        HighBit=11,
        PixelRepresentation=signed,
        PixelData=pixels.tobytes(),
        RescaleSlope="2",
        RescaleIntercept="-10",
    )
    assert float(read_image({"x": data}, "c").pixels[0, 0]) == 2 * inverted - 10


def test_a_monochrome1_image_with_a_modality_lut_is_refused(tmp_path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor = [256, 0, 16]
    table.add_new("LUTData", "US", list(range(256)))
    table.ModalityLUTType = "US"
    lut = {"ModalityLUTSequence": Sequence([table])}
    assert read_image({"x": changed(tmp_path, **lut)}, "c").pixels.max() == 255
    refusal(changed(tmp_path, PhotometricInterpretation="MONOCHROME1", **lut))


@pytest.mark.parametrize("name", ["examples_rgb_color.dcm", "SC_rgb_small_odd.dcm", "examples_palette.dcm"])
def test_colours_are_refused(name: str) -> None:
    assert "colours" in str(refusal(sample(name)))


def test_several_frames_are_refused() -> None:
    assert "several frames" in str(refusal(sample("rtdose.dcm")))


@pytest.mark.parametrize("name", ["rtplan.dcm", "CT_small.dcm"])
def test_a_file_without_an_image_is_refused(name: str) -> None:
    dataset = dcmread(io.BytesIO(sample(name)))
    for keyword in ("PixelData", "Rows", "Columns"):
        if keyword in dataset:
            delattr(dataset, keyword)
    stream = io.BytesIO()
    dataset.save_as(stream)
    assert "no image" in str(refusal(stream.getvalue()))


@pytest.mark.parametrize("kept", [0, 100, 131, 132, 140, 200, 400, 1000, 5000])
def test_a_truncated_file_is_refused(kept: int) -> None:
    refusal(sample("MR_small.dcm")[:kept])


def test_what_is_no_dicom_file_is_refused_with_what_can_be_read() -> None:
    for data in (b"", b"DICM", b"\x89PNG\r\n\x1a\n" + b"\0" * 200, b"text " * 100, sample("no_meta.dcm")):
        assert "readable: DICOM" in str(refusal(data))
    assert READERS.names() == ("dicom",)


@pytest.mark.parametrize(
    "changes",
    [
        {"PixelSpacing": [0.0, 0.75]},
        {"PixelSpacing": [-1.0, 0.75]},
        {"PixelSpacing": [0.75]},
        {"PixelSpacing": [0.75, 0.75, 0.75]},
        {"RescaleSlope": "1e300", "RescaleIntercept": "0"},
        {"Rows": 60000, "Columns": 60000},
        {"Rows": 0},
        {"Rows": 65},
        {"NumberOfFrames": 2},
        {"PhotometricInterpretation": "YBR_FULL"},
        {"BitsAllocated": 7},
        {"PixelData": b""},
    ],
    ids=lambda changes: " ".join(changes),
)
def test_a_header_that_makes_no_sense_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    refusal(changed(tmp_path, **changes))


def test_no_value_of_the_header_stands_in_an_error(tmp_path: Path) -> None:
    write_dicom(tmp_path / "x.dcm", disc(5.0), PatientName="Doe^Jane", PatientID="4711-4711")
    data = (tmp_path / "x.dcm").read_bytes()
    spoilt = data.replace(b"MONOCHROME2", b"Doe^Jane^MO"), data.replace(b"0.75\\0.75", b"4711\\zzzz"), data[:-100]
    for bad in spoilt:
        assert bad != data
        error = refusal(bad)
        assert not any(word in str(error) for word in ("Doe", "Jane", "4711", "zzzz"))


SMALL = sample("MR_small.dcm")


@settings(max_examples=150, deadline=None)
@given(
    flips=st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 400) | st.just(len(SMALL)),
)
def test_spoilt_bytes_lead_to_an_image_or_a_usage_error(flips: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(SMALL)
    for position, value in flips:
        data[132 + position] = value
    spoilt = bytes(data[: len(SMALL)] if cut == len(SMALL) else data[:-cut] if cut else data)
    with contextlib.suppress(UsageError):
        image = read_image({"x.dcm": spoilt}, "c")
        assert isinstance(image, Image)
        assert np.isfinite(image.pixels).all()

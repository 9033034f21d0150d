from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_bench import disc, write_dicom
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.sequence import Sequence
from pydicom_files import PAGE, dicom_files, outcome, page

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
def test_colours_are_read_as_red_green_and_blue(name: str) -> None:
    image = read_image({name: sample(name)}, "c")
    assert image.colour
    assert image.pixels.shape[-1] == 3


@pytest.mark.parametrize(
    ("compressed", "plain"),
    [
        ("SC_rgb_rle_16bit.dcm", "SC_rgb_16bit.dcm"),
        ("SC_rgb_rle_32bit.dcm", "SC_rgb_32bit.dcm"),
        ("OBXXXX1A_rle.dcm", "OBXXXX1A.dcm"),
        ("rtdose_expb.dcm", "rtdose.dcm"),
        ("rtdose_rle.dcm", "rtdose.dcm"),
        ("liver_expb.dcm", "liver.dcm"),
        ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
        ("MR_small_jp2klossless.dcm", "MR_small.dcm"),
        ("MR_small_RLE.dcm", "MR_small.dcm"),
        ("MR_small_bigendian.dcm", "MR_small.dcm"),
    ],
)
def test_one_image_has_the_same_pixels_in_every_transfer_syntax(compressed: str, plain: str) -> None:
    first, second = (read_image({name: sample(name)}, "c") for name in (compressed, plain))
    np.testing.assert_array_equal(first.pixels, second.pixels)


# Where SimpleITK gives something else: palettes of 16 bits as 8, one-bit masks as 0 and 255, no modality LUT, wrong
# byte order of wide RLE and big-endian pixels, frames in the order of the file.
SIMPLEITK_DIFFERS = {
    *("OBXXXX1A.dcm", "OBXXXX1A_2frame.dcm", "OBXXXX1A_rle.dcm", "OBXXXX1A_rle_2frame.dcm", "examples_palette.dcm"),
    *("liver.dcm", "liver_1frame.dcm", "liver_expb.dcm", "liver_expb_1frame.dcm"),
    *("SC_rgb_rle_16bit.dcm", "SC_rgb_rle_16bit_2frame.dcm", "SC_rgb_rle_32bit.dcm", "SC_rgb_rle_32bit_2frame.dcm"),
    *("mlut_18.dcm", "rtdose_expb.dcm", "eCT_Supplemental.dcm"),
}
# Two decoders may round the inverse cosine transform by one step apart (ITU-T T.83).
ROUNDED_BY_ONE = {"JPGExtended.dcm"}


def test_the_pixels_of_every_file_are_simpleitk_s() -> None:
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    compared = 0
    for path in dicom_files():
        found = outcome(path)
        if isinstance(found, str) or path.name in SIMPLEITK_DIFFERS:
            continue
        try:
            theirs = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        except RuntimeError:
            continue
        assert theirs.size == found.pixels.size, path.name
        compared += 1
        tolerance = 1.0 if path.name in ROUNDED_BY_ONE else 1e-3
        theirs = theirs.reshape(found.pixels.shape)
        np.testing.assert_allclose(found.pixels, theirs, rtol=1e-6, atol=tolerance, err_msg=path.name)
    assert compared >= 125


def test_the_page_on_the_readers_is_what_they_do() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "renew it with `python tests/testset/pydicom_files.py`"


def test_an_enhanced_image_is_a_volume_in_the_order_of_its_positions() -> None:
    image = read_image({"x": sample("eCT_Supplemental.dcm")}, "c")
    assert image.affine is not None
    dataset = dcmread(io.BytesIO(sample("eCT_Supplemental.dcm")))
    groups = dataset.PerFrameFunctionalGroupsSequence
    positions = [np.array(group.PlanePositionSequence[0].ImagePositionPatient, float) for group in groups]
    shared = dataset.SharedFunctionalGroupsSequence[0]
    along = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    normal = np.cross(along[:3], along[3:])
    first = min(range(len(positions)), key=lambda index: float(normal @ positions[index]))
    np.testing.assert_allclose(image.affine @ [0, 0, 0, 1], [*positions[first], 1])
    np.testing.assert_allclose(image.affine @ [1, 0, 0, 1], [*positions[1 - first], 1])
    stored = dataset.pixel_array[first] * 1.0 + float(shared.PixelValueTransformationSequence[0].RescaleIntercept)
    np.testing.assert_array_equal(image.pixels[0], stored.astype(np.float32))


@pytest.mark.parametrize("name", ["rtplan.dcm", "CT_small.dcm"])
def test_a_file_without_an_image_is_refused(name: str) -> None:
    dataset = dcmread(io.BytesIO(sample(name)))
    for keyword in ("PixelData", "Rows", "Columns"):
        if keyword in dataset:
            delattr(dataset, keyword)
    stream = io.BytesIO()
    dataset.save_as(stream)
    assert "no image" in str(refusal(stream.getvalue()))


@pytest.mark.parametrize(
    "name",
    [
        "JPEG-LL.dcm",
        "JPEG2000.dcm",
        "JPEGLSNearLossless_16.dcm",
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "SC_rgb_jpeg_dcmtk.dcm",
    ],
)
def test_a_frame_that_ends_too_soon_is_refused_also_where_decoders_fill_it_up(name: str) -> None:
    dataset = dcmread(io.BytesIO(sample(name)))
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[: len(frame) * 3 // 5]])
    stream = io.BytesIO()
    dataset.save_as(stream)
    refusal(stream.getvalue())


@pytest.mark.parametrize("kept", [0, 100, 131, 132, 140, 200, 400, 1000, 5000])
def test_a_truncated_file_is_refused(kept: int) -> None:
    refusal(sample("MR_small.dcm")[:kept])


def test_what_is_no_dicom_file_is_refused_with_what_can_be_read() -> None:
    for data in (b"", b"DICM", b"text " * 100, sample("no_meta.dcm")):
        assert "readable: DICOM" in str(refusal(data))
    assert READERS.names() == ("dicom", "nifti", "nrrd", "metaimage", "raster")


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

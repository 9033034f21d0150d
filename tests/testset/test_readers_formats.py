from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from importlib.util import find_spec
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as pillow
from pydicom.data import get_testdata_file

from gatekeeper.errors import Code, UsageError
from gatekeeper.testset.readers import Image, Limits, read_image
from gatekeeper.testset.readers.image import Unfit

VOLUME = np.random.default_rng(3).integers(-1000, 2000, (4, 5, 6)).astype(np.int16)
AFFINE = np.array([[0.0, -2.0, 0.0, 10.0], [1.5, 0.0, 0.0, -20.0], [0.0, 0.0, 3.0, 30.0], [0.0, 0.0, 0.0, 1.0]])


def template() -> Path:
    """Return the MNI152 template that nilearn carries: a real head, compressed."""
    found = find_spec("nilearn")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "datasets" / "data" / "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"


def nifti(pixels: NDArray[np.generic] = VOLUME, affine: NDArray[np.float64] | None = AFFINE, **header: object) -> bytes:
    image = nibabel.Nifti1Image(pixels, affine)
    for name, value in header.items():
        image.header[name] = value
    return image.to_bytes()


def refusal(data: bytes, name: str = "x.nii", limits: Limits | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        read_image({name: data}, "case-7", limits)
    (problem,) = caught.value.problems
    assert problem.code is Code.BAD_IMAGE
    assert str(problem.where) == f"{name} (case case-7)"
    return f"{problem.what}; {problem.why}"


def written(image: sitk.Image, folder: Path, name: str, *, compress: bool = False) -> bytes:
    sitk.WriteImage(image, str(folder / name), useCompression=compress)
    return (folder / name).read_bytes()


# NIfTI


def test_a_real_compressed_volume_is_nibabel_s_and_simpleitk_s() -> None:
    path = template()
    image = read_image({"mni.nii.gz": path.read_bytes()}, "c")
    theirs = nibabel.load(path)
    np.testing.assert_array_equal(image.pixels, theirs.get_fdata(dtype=np.float32).T)
    reference = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(image.pixels, sitk.GetArrayFromImage(reference).astype(np.float32))
    assert image.affine is not None
    for index in ((0, 0, 0), (10, 20, 30)):
        point = reference.TransformIndexToPhysicalPoint(index[::-1])
        np.testing.assert_allclose(image.affine @ [*index, 1], [*point, 1], atol=1e-5)


@pytest.mark.parametrize("codes", [(1, 0), (0, 1), (2, 4)])
def test_the_affine_follows_nibabel_s_rules_for_sform_and_qform(codes: tuple[int, int]) -> None:
    image = nibabel.Nifti1Image(VOLUME, None)
    image.set_sform(AFFINE, code=codes[0])
    other = AFFINE.copy()
    other[:3, 3] += 5.0
    image.set_qform(other, code=codes[1])
    found = read_image({"x": image.to_bytes()}, "c").affine
    theirs = nibabel.Nifti1Image.from_bytes(image.to_bytes()).affine
    assert found is not None
    np.testing.assert_allclose(np.diag([-1, -1, 1, 1]) @ found[:, [2, 1, 0, 3]], theirs, atol=1e-6)


def test_a_volume_that_does_not_say_where_it_lies_has_no_affine() -> None:
    image = nibabel.Nifti1Image(VOLUME, None)
    image.header.set_zooms((2.0, 3.0, 4.0))
    found = read_image({"x": image.to_bytes()}, "c")
    assert found.affine is None
    assert found.spacing_mm == (4.0, 3.0, 2.0)


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("slope", [1.0, 0.5])
def test_scaled_pixels_of_both_versions_are_nibabel_s(kind: type[nibabel.Nifti1Image], slope: float) -> None:
    image = kind(VOLUME, AFFINE)
    image.header.set_slope_inter(slope, -7.0)
    found = read_image({"x": image.to_bytes()}, "c").pixels
    np.testing.assert_allclose(found, kind.from_bytes(image.to_bytes()).get_fdata().T, rtol=1e-6)


def test_a_volume_of_one_point_in_time_is_a_volume_and_of_two_is_refused() -> None:
    assert read_image({"x": nifti(VOLUME[..., None])}, "c").pixels.shape == (6, 5, 4)
    assert "4 dimensions" in refusal(nifti(np.stack([VOLUME, VOLUME], axis=-1)))


def test_pixels_that_are_no_numbers_and_affines_that_are_none_are_refused() -> None:
    spoilt = VOLUME.astype(np.float32)
    spoilt[1, 2, 3] = np.nan
    assert "no numbers" in refusal(nifti(spoilt))
    spoilt[1, 2, 3] = np.inf
    assert "no numbers" in refusal(nifti(spoilt))
    flat = AFFINE.copy()
    flat[:3, 1] = flat[:3, 0]
    assert "singular" in refusal(nifti(affine=flat))
    broken = nibabel.Nifti1Image(VOLUME, AFFINE)
    broken.header["srow_x"] = [np.nan, 0, 0, 0]
    data = bytearray(broken.to_bytes())
    data[280:284] = np.float32(np.nan).tobytes()
    assert "singular or not finite" in refusal(bytes(data))
    assert "plain numbers" in refusal(nifti(VOLUME.astype(np.complex64)))


def test_a_compressed_file_of_several_members_is_one() -> None:
    data = nifti()
    halves = gzip.compress(data[:300]) + gzip.compress(data[300:])
    np.testing.assert_array_equal(read_image({"x.nii.gz": halves}, "c").pixels, read_image({"x.nii": data}, "c").pixels)


@pytest.mark.parametrize("cut", [1, 8, 50, 200])
def test_a_compressed_file_that_was_cut_is_refused(cut: int) -> None:
    refusal(gzip.compress(nifti())[:-cut], "x.nii.gz")
    refusal(nifti()[:-cut])


def test_a_file_that_grows_beyond_the_limit_is_stopped() -> None:
    grown = gzip.compress(nifti(np.zeros((300, 300, 300), np.int16)))
    assert len(grown) < 100_000
    limits = Limits(decoded_bytes=1 << 20)
    assert "MiB" in refusal(grown, "x.nii.gz", limits) or "larger" in refusal(grown, "x.nii.gz", limits)
    bomb = gzip.compress(nifti() + bytes(40 << 20))
    assert "larger than is read" in refusal(bomb, "x.nii.gz", limits)


def test_a_deflated_dicom_file_that_grows_beyond_the_limit_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    from gatekeeper.testset.readers import dicom

    path = get_testdata_file("image_dfl.dcm", download=False)
    assert isinstance(path, str)
    data = Path(path).read_bytes()
    assert read_image({"x": data}, "c").pixels.shape == (512, 512)
    monkeypatch.setattr(dicom, "MOST_DATASET_BYTES", 100_000)
    assert "larger than is read" in refusal(data, "x")


# NRRD and MetaImage


@pytest.mark.parametrize("name", ["x.nrrd", "x.mha"])
@pytest.mark.parametrize("compress", [False, True])
def test_nrrd_and_metaimage_are_read_as_they_were_written(name: str, compress: bool, tmp_path: Path) -> None:
    image = sitk.GetImageFromArray(VOLUME)
    image.SetSpacing((0.5, 0.75, 2.0))
    image.SetOrigin((10.0, -20.0, 30.0))
    image.SetDirection((0, 1, 0, -1, 0, 0, 0, 0, 1))
    found = read_image({name: written(image, tmp_path, name, compress=compress)}, "c")
    np.testing.assert_array_equal(found.pixels, VOLUME.astype(np.float32))
    assert found.spacing_mm == pytest.approx((2.0, 0.75, 0.5))
    assert found.affine is not None
    for index in ((0, 0, 0), (1, 2, 3)):
        point = image.TransformIndexToPhysicalPoint(index[::-1])
        np.testing.assert_allclose(found.affine @ [*index, 1], [*point, 1], atol=1e-9)


def test_a_header_whose_pixels_lie_elsewhere_is_refused(tmp_path: Path) -> None:
    image = sitk.GetImageFromArray(VOLUME)
    for name in ("x.nhdr", "x.mhd"):
        data = written(image, tmp_path, name)
        assert "another file" in refusal(data, name)
    nrrd = written(image, tmp_path, "y.nrrd").replace(b"encoding: raw", b"encoding: raw\ndata file: /etc/passwd")
    assert "another file" in refusal(nrrd, "y.nrrd")


def test_colours_and_flat_images_in_nrrd(tmp_path: Path) -> None:
    colours = sitk.GetImageFromArray(np.arange(60, dtype=np.uint8).reshape(4, 5, 3), isVector=True)
    found = read_image({"x.nrrd": written(colours, tmp_path, "x.nrrd")}, "c")
    assert (found.pixels.shape, found.colour, found.affine) == ((4, 5, 3), True, None)
    vectors = sitk.GetImageFromArray(np.zeros((4, 5, 2), np.float32), isVector=True)
    assert "2 components" in refusal(written(vectors, tmp_path, "y.nrrd"), "y.nrrd")


# PNG, JPEG, TIFF


def raster(image: pillow.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)  # type: ignore[arg-type]
    return stream.getvalue()


GREY16 = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_images_of_16_bits_keep_their_values(kind: str) -> None:
    found = read_image({"x": raster(pillow.fromarray(GREY16), kind)}, "c")
    np.testing.assert_array_equal(found.pixels, GREY16.astype(np.float32))
    assert (found.spacing_mm, found.affine, found.modality, found.colour) == (None, None, "", False)


def test_colours_palettes_and_black_and_white_are_read() -> None:
    colour = pillow.fromarray(np.arange(72, dtype=np.uint8).reshape(4, 6, 3))
    np.testing.assert_array_equal(read_image({"x": raster(colour, "PNG")}, "c").pixels, np.asarray(colour))
    palette = colour.quantize(8)
    np.testing.assert_array_equal(read_image({"x": raster(palette, "PNG")}, "c").pixels, palette.convert("RGB"))
    bits = pillow.fromarray(np.eye(8, dtype=bool))
    assert set(np.unique(read_image({"x": raster(bits, "PNG")}, "c").pixels)) == {0.0, 255.0}
    assert read_image({"x": raster(colour, "JPEG")}, "c").pixels.shape == (4, 6, 3)


def test_an_image_is_turned_as_its_exif_says() -> None:
    image = pillow.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    exif = pillow.Exif()
    exif[0x0112] = 6
    turned = read_image({"x": raster(image, "PNG", exif=exif)}, "c").pixels
    np.testing.assert_array_equal(turned, np.rot90(np.asarray(image), -1))


def test_a_cut_image_is_refused_even_where_another_library_has_pillow_fill_it_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from PIL import ImageFile

    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    noise = pillow.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64), np.uint8))
    for kind in ("PNG", "JPEG", "TIFF"):
        data = raster(noise, kind)
        assert read_image({"x": data}, "c").pixels.shape == (64, 64)
        refusal(data[: len(data) // 2], "x")
    assert ImageFile.LOAD_TRUNCATED_IMAGES


def test_what_is_no_plain_image_is_refused() -> None:
    image = pillow.fromarray(np.zeros((4, 4, 3), np.uint8))
    pages = raster(image, "TIFF", save_all=True, append_images=[image])
    assert "several pages" in refusal(pages, "x.tif")
    assert "kind RGBA" in refusal(raster(image.convert("RGBA"), "PNG"), "x.png")
    assert "kind CMYK" in refusal(raster(image.convert("CMYK"), "JPEG"), "x.jpg")
    wide = raster(pillow.new("L", (4000, 3000)), "PNG")
    assert "MiB" in refusal(wide, "x.png", Limits(decoded_bytes=1 << 20))
    assert "cannot be decoded" in refusal(raster(image, "PNG")[:45], "x.png")


# Any format


def test_a_case_of_several_files_is_a_dicom_series_alone() -> None:
    with pytest.raises(UsageError, match="2 files"):
        read_image({"a.nii": nifti(), "b.nii": nifti()}, "c")
    with pytest.raises(UsageError, match="no file"):
        read_image({}, "c")


@pytest.mark.parametrize("code", ["RAS", "LPS"])
@settings(max_examples=40, deadline=None)
@given(
    order=st.permutations([0, 1, 2]), signs=st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3), turn=st.floats(-0.6, 0.6)
)
def test_orientation_is_nibabel_s_and_simpleitk_s(
    code: str, order: list[int], signs: tuple[float, ...], turn: float
) -> None:
    axes = np.zeros((3, 3))
    for column, (row, sign, length) in enumerate(zip(order, signs, (1.0, 2.0, 3.0), strict=True)):
        axes[row, column] = sign * length
    oblique = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = oblique @ axes, [7.0, 8.0, 9.0]
    original = nibabel.Nifti1Image(VOLUME, affine)
    found = read_image({"x": original.to_bytes()}, "c").oriented(code)  # type: ignore[arg-type]
    assert found.affine is not None
    if code == "RAS":
        theirs = nibabel.as_closest_canonical(original)
        np.testing.assert_array_equal(found.pixels, theirs.get_fdata(dtype=np.float32))
        np.testing.assert_allclose(np.diag([-1, -1, 1, 1]) @ found.affine, theirs.affine, atol=1e-5)
        assert found.spacing_mm == pytest.approx(theirs.header.get_zooms())
        return
    reference = sitk.GetImageFromArray(VOLUME.T)
    lps = np.diag([-1.0, -1.0, 1.0]) @ affine[:3, :3]
    reference.SetSpacing((1.0, 2.0, 3.0))
    reference.SetDirection((lps / [1.0, 2.0, 3.0]).ravel().tolist())
    theirs = sitk.GetArrayFromImage(sitk.DICOMOrient(reference, "LPS"))
    np.testing.assert_array_equal(found.pixels, theirs.T.astype(np.float32))


def test_what_is_no_volume_in_space_has_no_orientation() -> None:
    with pytest.raises(Unfit, match="no volume in space"):
        Image(np.zeros((3, 3), np.float32)).oriented("RAS")


# Spoilt bytes of real files


def _samples() -> dict[str, bytes]:
    names = [
        "CT_small.dcm",
        "JPEG2000.dcm",
        "MR_small_RLE.dcm",
        "SC_rgb_jpeg_gdcm.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
    ]
    names += ["image_dfl.dcm", "eCT_Supplemental.dcm", "JPGExtended.dcm", "liver_1frame.dcm", "examples_palette.dcm"]
    found = {name: Path(str(get_testdata_file(name, download=False))).read_bytes() for name in names}
    small = sitk.GetImageFromArray(VOLUME)
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        found["x.nrrd"] = written(small, Path(folder), "x.nrrd", compress=True)
        found["x.mha"] = written(small, Path(folder), "x.mha")
    found["x.nii.gz"], found["x.nii"] = gzip.compress(nifti()), nifti()
    grey = pillow.fromarray(GREY16)
    found["x.png"], found["x.tif"] = raster(grey, "PNG"), raster(grey, "TIFF")
    found["x.jpg"] = raster(pillow.fromarray(np.zeros((16, 16, 3), np.uint8)), "JPEG")
    return found


SAMPLES = _samples()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.data())
def test_spoilt_bytes_are_an_image_or_are_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SAMPLES)))
    spoilt = bytearray(SAMPLES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        near = data.draw(st.booleans())
        spoilt[data.draw(st.integers(0, min(len(spoilt), 2000 if near else len(spoilt)) - 1))] = data.draw(
            st.integers(0, 255)
        )
    if data.draw(st.booleans()):
        del spoilt[data.draw(st.integers(0, len(spoilt) - 1)) :]
    with contextlib.suppress(UsageError):
        image = read_image({name: bytes(spoilt)}, "c", Limits(decoded_bytes=64 << 20))
        assert image.pixels.dtype == np.float32
        assert np.isfinite(image.pixels).all()


def test_the_deflated_size_is_counted_without_being_kept() -> None:
    from gatekeeper.testset.readers.inflate import inflated_size

    stream = zlib.compressobj(wbits=-15)
    data = stream.compress(bytes(5 << 20)) + stream.flush()
    assert inflated_size(data, 6 << 20) == 5 << 20
    with pytest.raises(Unfit):
        inflated_size(data, 4 << 20)

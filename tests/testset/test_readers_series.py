from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from gatekeeper.errors import Code, UsageError
from gatekeeper.testset.readers import Image, Limits, read_image

ROWS, COLUMNS, SLICES = 12, 10, 7
AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
TURNED = [0.8, 0.6, 0.0, -0.6, 0.8, 0.0]


def base() -> Dataset:
    path = get_testdata_file("CT_small.dcm", download=False)
    assert isinstance(path, str)
    dataset = dcmread(path)
    dataset.SeriesInstanceUID = generate_uid()
    return dataset


def series(
    orientation: list[float] = AXIAL, apart: float = 2.5, count: int = SLICES, **changes: object
) -> dict[str, Dataset]:
    """Make the slices of a volume up, each of its own pixels, under names in a random order."""
    names = [f"images/{number:03}.dcm" for number in range(count)]
    random.Random(4).shuffle(names)
    normal = np.cross(orientation[:3], orientation[3:])
    result = {}
    template = base()
    for number, name in enumerate(names):
        dataset = dcmread(io.BytesIO(saved(template)))
        pixels = np.arange(ROWS * COLUMNS, dtype=np.int16).reshape(ROWS, COLUMNS) + 1000 * number
        dataset.Rows, dataset.Columns, dataset.PixelData = ROWS, COLUMNS, pixels.tobytes()
        dataset.RescaleSlope, dataset.RescaleIntercept = "1", "-10"
        dataset.PixelSpacing = [0.5, 0.75]
        dataset.ImageOrientationPatient = orientation
        dataset.ImagePositionPatient = [
            float(value) for value in np.array([-20.0, 5.0, 30.0]) + normal * apart * number
        ]
        dataset.InstanceNumber = count - number
        for keyword, value in changes.items():
            setattr(dataset, keyword, value)
        result[name] = dataset
    return result


def saved(dataset: Dataset) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


def read(datasets: dict[str, Dataset], limits: Limits | None = None) -> Image:
    return read_image({name: saved(dataset) for name, dataset in datasets.items()}, "case-7", limits)


def refusal(datasets: dict[str, Dataset], limits: Limits | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        read(datasets, limits)
    (problem,) = caught.value.problems
    assert problem.code is Code.BAD_IMAGE
    assert "case-7" in str(problem.where)
    assert problem.mend
    return f"{problem.what}; {problem.why}"


def theirs(datasets: dict[str, Dataset], folder: Path) -> tuple[NDArray[np.float32], sitk.Image]:
    for name, dataset in datasets.items():
        (folder / Path(name).name).write_bytes(saved(dataset))
    image = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    return sitk.GetArrayFromImage(image).astype(np.float32), image


@pytest.mark.parametrize("orientation", [AXIAL, TURNED, [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1]])
def test_slices_are_ordered_by_position_as_simpleitk_does(orientation: list[float], tmp_path: Path) -> None:
    datasets = series([float(value) for value in orientation])
    image = read(datasets)
    pixels, reference = theirs(datasets, tmp_path)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.spacing_mm == pytest.approx(reference.GetSpacing()[::-1])
    assert image.affine is not None
    for index in ((0, 0, 0), (3, 2, 1), (6, 11, 9)):
        point = reference.TransformIndexToPhysicalPoint(index[::-1])
        np.testing.assert_allclose(image.affine @ [*index, 1], [*point, 1], atol=1e-9)


def test_a_gantry_that_is_tilted_shifts_the_slices_and_the_affine_says_so() -> None:
    datasets = series()
    for number, dataset in enumerate(sorted(datasets.values(), key=lambda item: float(item.ImagePositionPatient[2]))):
        dataset.ImagePositionPatient = [-20.0, 5.0 + 0.5 * number, 30.0 + 2.5 * number]
    affine = read(datasets).affine
    assert affine is not None
    np.testing.assert_allclose(affine[:3, 0], [0.0, 0.5, 2.5])


def test_a_missing_slice_is_told_with_the_gap() -> None:
    datasets = series()
    del datasets[sorted(datasets, key=lambda name: float(datasets[name].ImagePositionPatient[2]))[3]]
    assert refusal(datasets) == "a slice is missing; a gap of 5 mm where others are 2.5 mm apart"


def test_a_slice_that_is_there_twice_is_told() -> None:
    datasets = series()
    datasets["images/again.dcm"] = next(iter(datasets.values()))
    assert "two slices lie at the same place" in refusal(datasets)


def test_slices_that_are_unevenly_apart_are_told() -> None:
    datasets = series()
    last = max(datasets.values(), key=lambda item: float(item.ImagePositionPatient[2]))
    last.ImagePositionPatient = [-20.0, 5.0, 30.0 + 2.5 * (SLICES - 1) + 0.5]
    assert "not evenly apart" in refusal(datasets)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SeriesInstanceUID": "1.2.3"}, "several series"),
        ({"Modality": "MR"}, "several modalities"),
        ({"Rows": 6, "PixelData": bytes(6 * COLUMNS * 2)}, "several sizes"),
        ({"ImageOrientationPatient": TURNED}, "several orientations"),
        ({"PixelSpacing": [0.5, 0.7]}, "several pixel spacings"),
        ({"ImagePositionPatient": None}, "does not say where it lies"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "right angles"),
        ({"ImageOrientationPatient": [2, 0, 0, 0, 2, 0]}, "right angles"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, "several kinds of object"),
        ({"PixelData": b"\0\0"}, "cut short"),
        ({"NumberOfFrames": 2}, "several frames"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_slice_of_another_kind_is_told(changes: dict[str, object], words: str) -> None:
    datasets = series()
    odd = next(iter(datasets.values()))
    for keyword, value in changes.items():
        setattr(odd, keyword, value)
    assert words in refusal(datasets)


def test_files_that_are_no_slices_are_told() -> None:
    datasets = {name: saved(dataset) for name, dataset in series().items()}
    for other in (b"text", b"", b"\0" * 128 + b"DICM" + b"\xff" * 40):
        with pytest.raises(UsageError):
            read_image({**datasets, "images/other.dcm": other}, "c")


def test_a_volume_beyond_the_limit_is_refused_before_it_is_decoded() -> None:
    assert "MiB" in refusal(series(), Limits(decoded_bytes=ROWS * COLUMNS * SLICES * 4 - 1))
    assert "larger than" in refusal(series(), Limits(file_bytes=1000))
    assert read(series(), Limits(decoded_bytes=ROWS * COLUMNS * SLICES * 4)).pixels.size == ROWS * COLUMNS * SLICES


def test_real_series_are_volumes_or_are_refused_with_the_reason() -> None:
    path = get_testdata_file("CT_small.dcm", download=False)
    assert isinstance(path, str)
    folder = Path(path).parent / "dicomdirtests" / "98892001"
    five = read_image({file.name: file.read_bytes() for file in (folder / "CT5N").iterdir()}, "c")
    assert (five.pixels.shape, five.modality) == ((5, 16, 16), "CT")
    assert five.spacing_mm == pytest.approx((2.5, 0.488281, 0.488281))
    with pytest.raises(UsageError, match="orientations"):
        read_image({file.name: file.read_bytes() for file in (folder / "CT2N").iterdir()}, "c")

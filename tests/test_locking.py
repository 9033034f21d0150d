from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from made_up_bench import Bench, disc, write_dicom

from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.locking import Side, lock_testset, overlap_of, read_lock, verify_lock


def refused(table: Path, out: Path, home: Path, secret_file: Path | None = None) -> Code:
    with pytest.raises(UsageError) as caught:
        lock_testset(table, out, home, secret_file=secret_file)
    assert not list(out.parent.glob(".*.partial"))
    return caught.value.problems[0].code


def test_a_lock_opens_where_it_was_made(bench: Bench) -> None:
    manifest = verify_lock(bench.lock, bench.home).manifest
    assert manifest.name == "discs"
    assert (len(manifest.cases), manifest.patients) == (90, 30)
    assert read_lock(bench.lock, bench.home).root == bench.folder


def test_the_secret_is_kept_beside_the_lock_for_its_owner_alone(bench: Bench) -> None:
    secret = bench.folder / "discs.lock.secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert len(secret.read_bytes().strip()) == 64
    assert secret.read_bytes().strip() not in bench.lock.read_bytes()


def test_the_secret_is_used_again_so_that_a_set_keeps_its_digest(bench: Bench) -> None:
    before = read_lock(bench.lock, bench.home).manifest.digest
    kept = (bench.folder / "discs.lock.secret").read_bytes()
    assert lock_testset(bench.table, bench.lock, bench.home).digest == before
    assert (bench.folder / "discs.lock.secret").read_bytes() == kept
    (bench.folder / "discs.lock.secret").unlink()
    assert lock_testset(bench.table, bench.lock, bench.home).digest != before


def test_a_secret_of_one_s_own_is_used_and_no_other_is_made(bench: Bench, tmp_path: Path) -> None:
    own = tmp_path / "own.secret"
    own.write_bytes((bench.folder / "discs.lock.secret").read_bytes())
    out = tmp_path / "out" / "discs.lock"
    made = lock_testset(bench.table, out, bench.home, root=bench.folder, secret_file=own)
    assert made.digest == read_lock(bench.lock, bench.home).manifest.digest
    assert sorted(path.name for path in out.parent.iterdir()) == ["discs.lock"]


def test_a_short_secret_is_refused(bench: Bench, tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_text("  fifteen bytes!!   \n")
    assert refused(bench.table, tmp_path / "a.lock", bench.home, short) is Code.BAD_VALUE
    (tmp_path / "b.lock.secret").write_text("")
    assert refused(bench.table, tmp_path / "b.lock", bench.home) is Code.BAD_VALUE


def test_a_secret_that_is_not_there_is_said(bench: Bench, tmp_path: Path) -> None:
    assert refused(bench.table, tmp_path / "a.lock", bench.home, tmp_path / "none") is Code.FILE_NOT_FOUND
    assert refused(bench.table, tmp_path / "a.lock", bench.home, tmp_path) is Code.FILE_NOT_FOUND


def test_a_lock_that_cannot_be_written_is_said_and_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "folder.lock").mkdir()
    assert refused(bench.table, tmp_path / "folder.lock", bench.home) is Code.CANNOT_WRITE
    (tmp_path / "file").write_text("in the way")
    assert refused(bench.table, tmp_path / "file" / "a.lock", bench.home) is Code.CANNOT_WRITE


def test_a_bad_table_leaves_an_earlier_lock_as_it_was(bench: Bench) -> None:
    before = bench.lock.read_bytes()
    bench.table.write_text("case_id\n")
    refused(bench.table, bench.lock, bench.home)
    assert bench.lock.read_bytes() == before


def test_verifying_a_lock_hashes_every_file(bench: Bench) -> None:
    told: list[tuple[str, int, int]] = []
    verify_lock(bench.lock, bench.home, progress=lambda *step: told.append(step))
    assert told[-1] == ("hashing", 90, 90)
    (bench.folder / "images" / "disc-059-0.dcm").write_bytes(b"")
    with pytest.raises(IntegrityError, match="disc-059-0"):
        verify_lock(bench.lock, bench.home)


def test_a_lock_elsewhere_is_told_where_its_images_are(bench: Bench, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "discs.lock"
    moved.parent.mkdir()
    bench.lock.rename(moved)
    with pytest.raises(IntegrityError):
        verify_lock(moved, bench.home)
    verify_lock(moved, bench.home, bench.folder)


# Screening


def problems_of_lock(bench: Bench, out: Path, **options: object) -> list[str]:
    with pytest.raises(UsageError) as caught:
        lock_testset(bench.table, out, bench.home, **options)  # type: ignore[arg-type]
    assert not out.exists()
    assert {problem.code for problem in caught.value.problems} == {Code.FORBIDDEN}
    return [f"{problem.what}; {problem.why}" for problem in caught.value.problems]


def test_files_with_identifiers_are_refused_with_their_tags_and_never_their_values(
    bench: Bench, tmp_path: Path
) -> None:
    names = {"PatientName": "Doe^Jane", "PatientBirthDate": "19370203", "PatientAge": "093Y"}
    write_dicom(bench.folder / "images" / "disc-001-0.dcm", disc(5.0), **names)
    write_dicom(bench.folder / "images" / "disc-002-0.dcm", disc(5.0), PatientName="Roe^Jim")
    report = tmp_path / "report.json"
    told = problems_of_lock(bench, tmp_path / "a.lock", report=report)
    assert any(line.startswith("PatientName may identify a patient: the name") for line in told)
    assert any("found in 2 files of 2 cases" in line for line in told)
    assert {line.split(" ")[0] for line in told} == {"PatientName", "PatientBirthDate", "PatientAge"}
    written = report.read_text()
    assert {trace["where"] for trace in json.loads(written)} == {"PatientName", "PatientBirthDate", "PatientAge"}
    for text in (*told, written):
        assert not any(value in text for value in ("Doe", "Jane", "Roe", "1937", "093Y"))


def test_what_was_answered_for_is_kept_in_the_lock_and_its_digest(bench: Bench, tmp_path: Path) -> None:
    before = read_lock(bench.lock, bench.home).manifest
    write_dicom(bench.folder / "images" / "disc-001-0.dcm", disc(5.0), AccessionNumber="48213377")
    assert len(problems_of_lock(bench, tmp_path / "a.lock")) == 1
    because = {"AccessionNumber": "a number of our own making"}
    out = tmp_path / "b.lock"
    made = lock_testset(bench.table, out, bench.home, root=bench.folder, allowed=because)
    assert [(item.where, item.because) for item in made.allowed] == [("AccessionNumber", "a number of our own making")]
    again = lock_testset(
        bench.table, tmp_path / "c.lock", bench.home, root=bench.folder, allowed={"AccessionNumber": "else"}
    )
    assert len({before.digest, made.digest, again.digest}) == 3
    with pytest.raises(UsageError, match="without a reason"):
        lock_testset(bench.table, out, bench.home, allowed={"AccessionNumber": " "})


def test_a_file_of_no_known_format_is_refused(bench: Bench, tmp_path: Path) -> None:
    (bench.folder / "images" / "disc-001-0.dcm").write_bytes(b"Patient: Doe")
    (line,) = problems_of_lock(bench, tmp_path / "a.lock")
    assert line.startswith("file may identify a patient: no known format")


def test_the_composition_counts_patients_by_what_headers_say(bench: Bench) -> None:
    write_dicom(bench.folder / "images" / "disc-001-0.dcm", disc(5.0), Manufacturer="ACME", PatientSex="F")
    composition = lock_testset(bench.table, bench.lock, bench.home).composition
    assert composition["modality"] == {"CT": 30}
    assert composition["manufacturer"] == {"ACME": 1, "not stated": 29}
    assert composition["sex"] == {"F": 1, "not stated": 29}


# Decoding


def test_images_that_cannot_be_decoded_are_refused_by_case_and_let_pass_only_when_asked(
    bench: Bench, tmp_path: Path
) -> None:
    image = bench.folder / "images" / "disc-001-0.dcm"
    image.write_bytes(image.read_bytes()[:-100])
    with pytest.raises(UsageError) as caught:
        lock_testset(bench.table, tmp_path / "a.lock", bench.home)
    (problem,) = caught.value.problems
    assert problem.code is Code.BAD_IMAGE
    assert str(problem.where) == "images/disc-001-0.dcm (case disc-001-0)"
    assert not (tmp_path / "a.lock").exists()
    assert len(lock_testset(bench.table, tmp_path / "b.lock", bench.home, root=bench.folder, decode=False).cases) == 90


def test_the_first_images_that_cannot_be_decoded_are_told_and_the_others_counted(bench: Bench, tmp_path: Path) -> None:
    for image in sorted((bench.folder / "images").iterdir())[:25]:
        image.write_bytes(image.read_bytes()[:-100])
    with pytest.raises(UsageError, match="and 5 more cases") as caught:
        lock_testset(bench.table, tmp_path / "a.lock", bench.home)
    assert len(caught.value.problems) == 21


def test_a_series_that_is_no_volume_is_refused_with_its_case_as_is_a_mask_of_another_shape(tmp_path: Path) -> None:
    folder = tmp_path / "images" / "lung"
    place = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "SeriesInstanceUID": "2.25.7"}
    for number in range(3):
        at: dict[str, object] = {"ImagePositionPatient": [0, 0, number], **place}
        if number == 2:
            at["ImageOrientationPatient"] = [0, 1, 0, 0, 0, 1]
        write_dicom(folder / f"{number}.dcm", disc(3.0), **at)
    write_dicom(tmp_path / "images" / "one.dcm", disc(3.0))
    PIL.Image.fromarray(np.ones((5, 5), np.uint8)).save(tmp_path / "images" / "mask.png")
    (tmp_path / "cases.csv").write_text(
        "case_id,patient_id,image,mask,label\nturned,P-1,images/lung,,0\nsmall,P-2,images/one.dcm,images/mask.png,1\n"
    )
    with pytest.raises(UsageError) as caught:
        lock_testset(tmp_path / "cases.csv", tmp_path / "a.lock", tmp_path / "home", task="segmentation")
    told = {str(problem.where): problem.what for problem in caught.value.problems}
    assert told == {
        "images/lung, 3 files (case turned)": "the slices are of several orientations",
        "images/mask.png (case small)": "the mask has another size than the image",
    }


# The table


def test_a_table_whose_labels_were_swapped_between_patients_is_told_by_case(bench: Bench) -> None:
    verify_lock(bench.lock, bench.home, table=bench.table)
    rows = bench.table.read_text().splitlines()
    header = rows[0].split(",")
    label = header.index("label")
    cells = [row.split(",") for row in rows[1:]]
    repeated = header.index("repeat_of")
    repeats = {row[repeated] for row in cells} | {row[0] for row in cells if row[repeated]}
    alone = [index for index, row in enumerate(cells) if row[0] not in repeats]
    first, second = (next(index for index in alone if cells[index][label] == wanted) for wanted in "01")
    changed = {cells[first][0], cells[second][0]}
    cells[first][label], cells[second][label] = "1", "0"
    bench.table.write_text("\n".join([rows[0], *(",".join(row) for row in cells)]) + "\n")
    with pytest.raises(IntegrityError) as caught:
        verify_lock(bench.lock, bench.home, table=bench.table)
    assert {problem.what.split('"')[1] for problem in caught.value.problems} == changed
    assert all(problem.what.startswith("the label of case") for problem in caught.value.problems)


# Overlap


def test_a_set_shares_everything_with_itself_and_nothing_with_another(bench: Bench, tmp_path: Path) -> None:
    side = Side(bench.lock, table=bench.table)
    found, compared = overlap_of(side, side, bench.home)
    assert compared
    assert len(found.patients) == 30
    assert found.file_pairs >= 90
    other = tmp_path / "other"
    make_other_set(other, bench.home)
    found, compared = overlap_of(side, Side(other / "other.lock", table=other / "cases.csv"), bench.home, images=False)
    assert (found.patients, found.file_pairs, compared) == ((), 0, True)
    found, compared = overlap_of(side, Side(other / "other.lock"), bench.home, images=False)
    assert not compared


def test_a_patient_and_a_file_in_two_sets_are_found(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shared = (bench.folder / "images" / "disc-001-0.dcm").read_bytes()
    patient = bench.table.read_text().splitlines()[1].split(",")[1]
    make_other_set(other, bench.home, patient=patient, image=shared)
    sides = Side(bench.lock, table=bench.table), Side(other / "other.lock", table=other / "cases.csv")
    found, _ = overlap_of(*sides, bench.home)
    assert len(found.patients) == 1
    assert ("disc-001-0", "o0") in {(pair.first, pair.second) for pair in found.files}


def test_a_copy_of_another_intensity_is_found_as_near_identical(bench: Bench, tmp_path: Path) -> None:
    rough = np.random.default_rng(1).integers(0, 200, (64, 64)).astype(np.uint8)
    rough = np.kron(rough[::8, ::8], np.ones((8, 8), np.uint8))
    write_dicom(bench.folder / "images" / "disc-001-0.dcm", rough)
    lock_testset(bench.table, bench.lock, bench.home)
    write_dicom(tmp_path / "copy.dcm", (rough // 2 + 20).astype(np.uint8))
    other = tmp_path / "other"
    make_other_set(other, bench.home, image=(tmp_path / "copy.dcm").read_bytes())
    found, _ = overlap_of(Side(bench.lock), Side(other / "other.lock"), bench.home)
    assert ("disc-001-0", "o0") in {(pair.first, pair.second) for pair in found.images}


def make_other_set(folder: Path, home: Path, patient: str = "OTHER-0001", image: bytes | None = None) -> None:
    """Lock one case under the id o0."""
    write_dicom(folder / "images" / "o0.dcm", disc(3.3))
    if image is not None:
        (folder / "images" / "o0.dcm").write_bytes(image)
    (folder / "cases.csv").write_text(f"case_id,patient_id,image,label\no0,{patient},images/o0.dcm,1\n")
    lock_testset(folder / "cases.csv", folder / "other.lock", home)


def test_two_thousand_files_are_locked_and_verified(tmp_path: Path) -> None:
    write_dicom(tmp_path / "one.dcm", disc(4.0))
    data = (tmp_path / "one.dcm").read_bytes()
    (tmp_path / "images").mkdir()
    rows = ["case_id,patient_id,image,label"]
    for number in range(2000):
        (tmp_path / "images" / f"{number}.dcm").write_bytes(data.replace(b"CHEST", f"C{number:04}".encode()))
        rows.append(f"c{number},PATIENT-{number:04},images/{number}.dcm,{number % 2}")
    (tmp_path / "cases.csv").write_text("\n".join(rows) + "\n")
    lock_testset(tmp_path / "cases.csv", tmp_path / "big.lock", tmp_path / "home")
    assert verify_lock(tmp_path / "big.lock", tmp_path / "home").manifest.files == 2000
    (tmp_path / "images" / "1234.dcm").write_bytes(data)
    with pytest.raises(IntegrityError, match="c1234"):
        verify_lock(tmp_path / "big.lock", tmp_path / "home")

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.testset import LockedCase, LockedTestSet, Manifest, create_lock, open_lock, verify_files
from gatekeeper.trust import KeyRing, load_keys

SECRET = b"a secret of the tests, long enough"
HEADER = "case_id,patient_id,image,label,repeat_of,site\n"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return load_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A test set of four files of three patients."""
    (tmp_path / "images").mkdir()
    rows = ["c1,PAT-0001,images/c1.dcm,0,,north", "c2,PAT-0002,images/c2.dcm,1,,south"]
    rows += ["c2b,PAT-0002,images/c2b.dcm,1,c2,south", "c3,PAT-0003,images/c3.dcm,0,,south"]
    for number, row in enumerate(rows):
        (tmp_path / row.split(",")[2]).write_bytes(bytes(range(number, number + 64)))
    path = tmp_path / "cases.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return path


def locked(table: Path, keys: KeyRing, secret: bytes = SECRET) -> LockedTestSet:
    path = table.with_name("set.lock")
    path.write_bytes(create_lock(table, "set", keys.tool, secret))
    return open_lock(path, keys.root)


def test_a_lock_holds_what_the_table_says(table: Path, keys: KeyRing) -> None:
    testset = locked(table, keys)
    verify_files(testset)
    manifest = testset.manifest
    assert [case.case_id for case in manifest.cases] == ["c1", "c2", "c2b", "c3"]
    assert [case.subject for case in manifest.cases] == ["c1", "c2", "c2", "c3"]
    assert manifest.patients == 3
    assert testset.development
    assert testset.read(manifest.cases[0]) == bytes(range(64))


def test_progress_counts_every_case(table: Path, keys: KeyRing) -> None:
    told: list[tuple[int, int]] = []
    create_lock(table, "set", keys.tool, SECRET, progress=lambda done, total: told.append((done, total)))
    verify_files(locked(table, keys), lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)] * 2


def test_two_locks_of_one_set_are_the_same_test_set(table: Path, keys: KeyRing) -> None:
    assert locked(table, keys).manifest.digest == locked(table, keys).manifest.digest


def test_patient_ids_do_not_stand_in_the_lock(table: Path, keys: KeyRing) -> None:
    envelope = json.loads(create_lock(table, "set", keys.tool, SECRET))
    payload = base64.b64decode(envelope["payload"])
    for raw in (json.dumps(envelope).encode(), payload):
        assert b"PAT-" not in raw
    assert b"c2b" in payload


def test_another_secret_hides_patients_otherwise(table: Path, keys: KeyRing) -> None:
    first, second = (locked(table, keys, secret).manifest for secret in (SECRET, SECRET + b"!"))
    assert not {case.patient for case in first.cases} & {case.patient for case in second.cases}
    assert first.digest != second.digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("c1,PAT-0001,images/c1.dcm,0", "c1,PAT-0001,images/c1.dcm,1"),
        ("c1,PAT-0001", "c1,PAT-0009"),
        ("c1,PAT-0001", "c0,PAT-0001"),
        ("images/c1.dcm,0", "images/c3.dcm,0"),
        (",0,,north", ",0,,south"),
        (",1,c2,south", ",1,,south"),
        ("site", "scanner"),
    ],
)
def test_any_change_of_the_table_is_another_test_set(table: Path, keys: KeyRing, old: str, new: str) -> None:
    before = locked(table, keys).manifest.digest
    table.write_text(table.read_text().replace(old, new, 1))
    assert locked(table, keys).manifest.digest != before


def test_labels_swapped_between_patients_are_another_test_set(table: Path, keys: KeyRing) -> None:
    before = locked(table, keys).manifest
    text = table.read_text().replace("c2.dcm,1", "c2.dcm,0").replace("c2b.dcm,1", "c2b.dcm,0")
    table.write_text(text.replace("c1.dcm,0", "c1.dcm,1"))
    after = locked(table, keys).manifest
    assert after.digest != before.digest
    assert after.root != before.root


def test_rows_in_another_order_are_another_test_set(table: Path, keys: KeyRing) -> None:
    before = locked(table, keys).manifest.digest
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, *reversed(rows)]) + "\n")
    assert locked(table, keys).manifest.digest != before


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def _rename(path: Path) -> None:
    path.rename(path.with_suffix(".dicom"))


def _link(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _link_the_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.symlink_to(path.parent.with_name("elsewhere"))


def _file_for_the_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.write_text("in the way")


ONE_FILE = [_flip, _lengthen, Path.unlink, _rename, _link, _folder]


@pytest.mark.parametrize("harm", ONE_FILE)
def test_a_file_that_is_not_what_was_locked_is_named(table: Path, keys: KeyRing, harm: Callable[[Path], None]) -> None:
    testset = locked(table, keys)
    harm(table.parent / "images" / "c2.dcm")
    with pytest.raises(IntegrityError) as caught:
        verify_files(testset)
    (problem,) = caught.value.problems
    assert problem.code is Code.DIGEST_MISMATCH
    assert '"c2"' in problem.what
    with pytest.raises(IntegrityError):
        testset.read(testset.manifest.cases[1])


@pytest.mark.parametrize("harm", [_link_the_folder, _file_for_the_folder])
def test_a_folder_that_is_not_what_was_locked_takes_all_its_files_away(
    table: Path, keys: KeyRing, harm: Callable[[Path], None]
) -> None:
    testset = locked(table, keys)
    harm(table.parent / "images" / "c2.dcm")
    with pytest.raises(IntegrityError) as caught:
        verify_files(testset)
    assert len(caught.value.problems) == 4


def test_two_files_that_changed_places_are_both_named(table: Path, keys: KeyRing) -> None:
    testset = locked(table, keys)
    first, second = (table.parent / "images" / name for name in ("c1.dcm", "c3.dcm"))
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    with pytest.raises(IntegrityError) as caught:
        verify_files(testset)
    assert [problem.what.split('"')[1] for problem in caught.value.problems] == ["c1", "c3"]


def test_a_file_that_no_case_names_is_not_part_of_the_set(table: Path, keys: KeyRing) -> None:
    testset = locked(table, keys)
    (table.parent / "images" / "c4.dcm").write_bytes(b"another")
    verify_files(testset)
    assert locked(table, keys).manifest.digest == testset.manifest.digest


@pytest.mark.parametrize("harm", [Path.unlink, _link, _folder, _link_the_folder, _file_for_the_folder])
def test_what_is_no_regular_file_cannot_be_locked(table: Path, keys: KeyRing, harm: Callable[[Path], None]) -> None:
    harm(table.parent / "images" / "c1.dcm")
    with pytest.raises(UsageError) as caught:
        locked(table, keys)
    assert caught.value.problems[0].code is Code.FILE_NOT_FOUND
    assert '"c1"' in caught.value.problems[0].what


def test_images_may_lie_elsewhere_and_move(table: Path, keys: KeyRing, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (table.parent / "images").rename(elsewhere / "images")
    path = tmp_path / "set.lock"
    path.write_bytes(create_lock(table, "set", keys.tool, SECRET, root=elsewhere))
    verify_files(open_lock(path, keys.root, root=elsewhere))
    with pytest.raises(IntegrityError):
        verify_files(open_lock(path, keys.root))


def test_a_lock_that_is_not_there_is_said(keys: KeyRing, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_lock(tmp_path / "none.lock", keys.root)
    assert caught.value.problems[0].code is Code.FILE_NOT_FOUND


@pytest.mark.parametrize("position", range(0, 100, 7))
def test_a_flipped_bit_of_a_lock_is_found(table: Path, keys: KeyRing, position: int) -> None:
    locked(table, keys)
    path = table.with_name("set.lock")
    data = bytearray(path.read_bytes())
    data[len(data) * position // 100] ^= 1
    path.write_bytes(data)
    with pytest.raises(IntegrityError):
        open_lock(path, keys.root)


def test_a_lock_of_a_stranger_is_not_trusted(table: Path, keys: KeyRing, tmp_path: Path) -> None:
    locked(table, keys)
    with pytest.raises(IntegrityError) as caught:
        open_lock(table.with_name("set.lock"), load_keys(tmp_path / "stranger").root)
    assert caught.value.problems[0].code is Code.UNTRUSTED_KEY


# The manifest


def _case(**changes: object) -> LockedCase:
    content = {"case_id": "c1", "patient": "0" * 64, "path": "a.dcm", "sha256": "sha256:" + "0" * 64, "size": 1}
    content |= {"label": 0, "subject": "c1", "attributes": {}} | changes
    return LockedCase.model_validate_json(json.dumps(content))


def test_a_manifest_reads_back_with_its_digest() -> None:
    manifest = Manifest.of("set", (_case(), _case(case_id="c2", subject="c2")))
    again = Manifest.model_validate_json(json.dumps(manifest.to_json()))
    assert again == manifest
    assert again.digest == manifest.digest


def test_a_manifest_whose_root_does_not_fit_its_cases_is_refused() -> None:
    manifest = Manifest.of("set", (_case(), _case(case_id="c2", subject="c2")))
    for change in (
        {"root": "sha256:" + "0" * 64},
        {"cases": [_case().to_json()]},
        {"cases": manifest.to_json()["cases"][::-1]},
    ):  # type: ignore[index, call-overload]
        with pytest.raises(ValidationError, match="Merkle root"):
            Manifest.model_validate_json(json.dumps(manifest.to_json() | change))


def test_a_manifest_without_cases_is_refused() -> None:
    with pytest.raises(ValidationError):
        Manifest.of("set", ())


@pytest.mark.parametrize("path", ["/etc/passwd", "../a.dcm", "images/../../a.dcm", ".", ""])
def test_a_signed_path_that_leaves_the_folder_is_not_followed(path: str, tmp_path: Path) -> None:
    case = _case(path=path)
    testset = LockedTestSet(Manifest.of("set", (case,)), tmp_path, development=True)
    with pytest.raises(IntegrityError):
        testset.read(case)
    with pytest.raises(IntegrityError):
        verify_files(testset)

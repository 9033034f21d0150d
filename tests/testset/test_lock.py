from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from gatekeeper.canonical import digest_json
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.testset import Allowed, LockedCase, LockedTestSet, Manifest, create_lock, open_lock, verify_files
from gatekeeper.testset.lock import pseudonym
from gatekeeper.testset.table import read_table
from gatekeeper.testset.verification import faults_of_table
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
    assert testset.read(manifest.cases[0]) == {"images/c1.dcm": bytes(range(64))}
    assert (manifest.files, manifest.folders) == (4, ("images",))


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
    problem, *others = caught.value.problems
    assert problem.code is Code.DIGEST_MISMATCH
    assert '"c2"' in problem.what
    assert all("added" in other.what for other in others)
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


def test_a_file_that_was_renamed_is_named_with_its_new_place(table: Path, keys: KeyRing) -> None:
    testset = locked(table, keys)
    _rename(table.parent / "images" / "c2.dcm")
    with pytest.raises(IntegrityError) as caught:
        verify_files(testset)
    (problem,) = caught.value.problems
    assert problem.what == 'the file of case "c2" was renamed'
    assert problem.why == "its bytes are now at images/c2.dicom"


def test_a_file_added_to_a_folder_of_locked_files_is_named(table: Path, keys: KeyRing) -> None:
    testset = locked(table, keys)
    (table.parent / "images" / "c4.dcm").write_bytes(b"another")
    (table.parent / "images" / ".DS_Store").write_bytes(b"of no account")
    (table.parent / "beside.txt").write_bytes(b"the root may hold other things")
    with pytest.raises(IntegrityError) as caught:
        verify_files(testset)
    (problem,) = caught.value.problems
    assert problem.what == "a file was added to a folder of the test set"
    assert problem.where is not None
    assert problem.where.path == "images/c4.dcm"


def test_a_folder_that_held_other_files_from_the_first_may_get_more(table: Path, keys: KeyRing) -> None:
    (table.parent / "images" / "README").write_text("x")
    testset = locked(table, keys)
    assert testset.manifest.folders == ()
    (table.parent / "images" / "c4.dcm").write_bytes(b"another")
    verify_files(testset)


def test_at_most_fifty_files_are_named(tmp_path: Path, keys: KeyRing) -> None:
    (tmp_path / "images").mkdir()
    rows = [f"c{number},PAT-{number:04},images/{number}.dcm,0,,x" for number in range(60)]
    for number in range(60):
        (tmp_path / "images" / f"{number}.dcm").write_bytes(b"%d" % number)
    path = tmp_path / "cases.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    testset = locked(path, keys)
    for number in range(60):
        (tmp_path / "images" / f"{number}.dcm").write_bytes(b"x")
    with pytest.raises(IntegrityError) as caught:
        verify_files(testset)
    assert len(caught.value.problems) == 51
    assert caught.value.problems[-1].what == "and 10 more files"


# A case of many files


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """A test set of two series of three files."""
    for name in ("a", "b"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "images" / name / f"{number}.dcm").write_bytes(f"{name}{number}".encode())
    path = tmp_path / "cases.csv"
    path.write_text(HEADER + "c1,PAT-0001,images/a,0,,x\nc2,PAT-0002,images/b,1,,x\n")
    return path


def test_a_folder_is_the_files_of_one_case(series: Path, keys: KeyRing) -> None:
    testset = locked(series, keys)
    first = testset.manifest.cases[0]
    assert [file.path for file in first.files] == [f"images/a/{number}.dcm" for number in range(3)]
    assert testset.read(first) == {f"images/a/{number}.dcm": f"a{number}".encode() for number in range(3)}
    assert testset.manifest.folders == ("images/a", "images/b")


def test_a_slice_that_is_missing_added_changed_or_of_another_patient_is_named(series: Path, keys: KeyRing) -> None:
    testset = locked(series, keys)
    images = series.parent / "images"
    (images / "a" / "0.dcm").unlink()
    (images / "a" / "3.dcm").write_bytes(b"new")
    kept = (images / "a" / "1.dcm").read_bytes()
    (images / "a" / "1.dcm").write_bytes((images / "b" / "1.dcm").read_bytes())
    (images / "b" / "1.dcm").write_bytes(kept)
    with pytest.raises(IntegrityError) as caught:
        verify_files(testset)
    told = {
        (problem.where.path, problem.what.partition(" case ")[2]) for problem in caught.value.problems if problem.where
    }
    assert told == {
        ("images/a/0.dcm", '"c1" is not there'),
        ("images/a/1.dcm", '"c1" changed after the test set was locked'),
        ("images/b/1.dcm", '"c2" changed after the test set was locked'),
        ("images/a/3.dcm", ""),
    }


@pytest.mark.parametrize("harm", ["empty", "folder within", "link within"])
def test_a_folder_that_is_no_series_cannot_be_locked(series: Path, keys: KeyRing, harm: str) -> None:
    folder = series.parent / "images" / "a"
    if harm == "empty":
        for file in folder.iterdir():
            file.unlink()
    elif harm == "folder within":
        (folder / "more").mkdir()
    else:
        (folder / "4.dcm").symlink_to(folder / "0.dcm")
    with pytest.raises(UsageError) as caught:
        locked(series, keys)
    assert '"c1"' in caught.value.problems[0].what


# Segmentation and detection


def test_masks_are_bound_to_their_case_as_masks(table: Path, keys: KeyRing) -> None:
    (table.parent / "masks").mkdir()
    (table.parent / "masks" / "c1.nii").write_bytes(b"mask one")
    table.write_text(
        "case_id,patient_id,image,mask\nc1,PAT-0001,images/c1.dcm,masks/c1.nii\nc2,PAT-0002,images/c2.dcm,\n"
    )
    path = table.with_name("set.lock")
    path.write_bytes(create_lock(table, "set", keys.tool, SECRET, task="segmentation"))
    testset = open_lock(path, keys.root)
    first, second = testset.manifest.cases
    assert [(file.role, file.path) for file in first.files] == [("image", "images/c1.dcm"), ("mask", "masks/c1.nii")]
    assert testset.read(first, "mask") == {"masks/c1.nii": b"mask one"}
    assert (first.label, second.label, testset.read(second, "mask")) == (1, 0, {})
    (table.parent / "masks" / "c1.nii").write_bytes(b"mask two")
    with pytest.raises(IntegrityError):
        verify_files(testset)


BOX = '"[{""low"": [1, 2], ""high"": [3, 4.5]}]"'


def test_boxes_are_bound_to_their_case(table: Path, keys: KeyRing) -> None:
    text = f"case_id,patient_id,image,boxes\nc1,PAT-0001,images/c1.dcm,{BOX}\nc2,PAT-0002,images/c2.dcm,[]\n"
    table.write_text(text)
    path = table.with_name("set.lock")
    path.write_bytes(create_lock(table, "set", keys.tool, SECRET, task="detection"))
    manifest = open_lock(path, keys.root).manifest
    assert [(case.label, case.boxes) for case in manifest.cases] == [(1, '[{"high":[3,4.5],"low":[1,2]}]'), (0, "[]")]
    table.write_text(text.replace("4.5", "4.6"))
    path.write_bytes(create_lock(table, "set", keys.tool, SECRET, task="detection"))
    assert open_lock(path, keys.root).manifest.labels != manifest.labels


# The table against the lock


def test_a_table_that_differs_from_the_lock_is_told_by_case(table: Path, keys: KeyRing) -> None:
    manifest = locked(table, keys).manifest

    def told(old: str, new: str) -> list[str]:
        table.write_text(table.read_text().replace(old, new, 1))
        cases = read_table(table)
        names = {case.patient_id: pseudonym(case.patient_id, SECRET) for case in cases}
        return [problem.what for problem in faults_of_table(manifest, cases, names)]

    assert told("x", "x") == []
    assert told("c1.dcm,0", "c1.dcm,1") == ['the label of case "c1" is another one than was locked']
    assert 'the patient of case "c1" is another one than was locked' in told("c1,PAT-0001", "c1,PAT-0007")
    assert 'the attributes of case "c3" is another one than was locked' in told("c3.dcm,0,,south", "c3.dcm,0,,north")
    assert 'case "c9" of the table is not in the lock' in told("\nc3,", "\nc9,")


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
    file = {"role": "image", "path": changes.pop("path", "a.dcm"), "sha256": "sha256:" + "0" * 64, "size": 1}
    content: dict[str, object] = {"case_id": "c1", "patient": "0" * 64, "files": [file]}
    content |= {"label": 0, "subject": "c1", "attributes": {}} | changes
    return TypeAdapter(LockedCase).validate_json(json.dumps(content))


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
    for key in ("labels", "attributes"):
        with pytest.raises(ValidationError, match="digest of labels or attributes"):
            Manifest.model_validate_json(json.dumps(manifest.to_json() | {key: "sha256:" + "0" * 64}))


def test_the_digest_of_a_manifest_is_that_of_its_canonical_json() -> None:
    allowed = (Allowed(where='"cases":[],', because="a tag of that name"),)
    for manifest in (
        Manifest.of("set", (_case(), _case(case_id="c2", subject="c2")), allowed=allowed, folders=("images",)),
        Manifest.of("set", (_case(attributes={"ort": "Köln"}),), "detection", composition={"sex": {"F": 3}}),
    ):
        assert manifest.digest == digest_json(manifest.to_json())


def test_two_cases_of_one_id_are_refused() -> None:
    with pytest.raises(ValidationError, match="same id"):
        Manifest.of("set", (_case(), _case()))


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

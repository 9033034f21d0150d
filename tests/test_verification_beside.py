"""A dossier whose evidence is too large to be attached: what lies beside it is held to the digest, and recomputed."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pypdf
import pytest
from made_up_large_run import write_large_run

from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.evidence.detached import DETACHED, LARGEST_ATTACHED
from gatekeeper.run_records import ATTESTATION, DOSSIER, EVIDENCE, FILES
from gatekeeper.trust import KeyRing, load_keys
from gatekeeper.verification import verify

SMALL = 4000


@pytest.fixture(scope="module")
def keys(home: Path) -> KeyRing:
    return load_keys(home)


@pytest.fixture(scope="module")
def whole(keys: KeyRing, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 60 cases whose evidence alone is above a limit that is made small for it; read only."""
    folder = tmp_path_factory.mktemp("beside") / "run"
    files = write_large_run(folder, 60, keys, SMALL)
    assert len(files[EVIDENCE]) > SMALL
    return folder


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def attached_to(folder: Path) -> dict[str, bytes]:
    reader = pypdf.PdfReader(io.BytesIO((folder / DOSSIER).read_bytes()))
    return {name: parts[0] for name, parts in reader.attachments.items()}


def large(folder: Path) -> list[str]:
    return [file["name"] for file in json.loads((folder / DETACHED).read_text())["files"]]


def test_a_large_file_is_attached_as_its_digest_and_listed_once(whole: Path) -> None:
    attached = attached_to(whole)
    assert EVIDENCE in large(whole)
    assert not set(large(whole)) & set(attached)
    assert attached[DETACHED] == (whole / DETACHED).read_bytes()
    assert set(FILES) - set(large(whole)) <= set(attached)


def test_evidence_in_the_folder_of_the_run_is_recomputed(whole: Path, keys: KeyRing) -> None:
    for dossier in (whole, whole / DOSSIER):
        checked = verify(dossier, keys.trust).checked
        assert any(EVIDENCE in sentence and "as attested" in sentence for sentence in checked)
        assert any("numbers recomputed" in sentence for sentence in checked)


def test_evidence_right_beside_the_pdf_is_found_too(whole: Path, keys: KeyRing, tmp_path: Path) -> None:
    for name in (DOSSIER, *(FILES[name] for name in large(whole))):
        shutil.copy(whole / name, tmp_path)
    assert any("numbers recomputed" in sentence for sentence in verify(tmp_path / DOSSIER, keys.trust).checked)


def test_a_dossier_without_its_evidence_is_never_taken_for_verified(run: Path, keys: KeyRing, tmp_path: Path) -> None:
    (run / FILES[EVIDENCE]).unlink()
    shutil.copy(run / DOSSIER, tmp_path / "alone.pdf")
    for dossier in (run, run / DOSSIER, tmp_path / "alone.pdf"):
        with pytest.raises(UsageError, match="not beside it") as caught:
            verify(dossier, keys.trust)
        problem = caught.value.problems[0]
        assert problem.code is Code.FILE_NOT_FOUND
        assert "from the run's folder beside the PDF" in (problem.mend or "")


@pytest.mark.parametrize("how", ["changed", "cut", "longer", "of another run", "empty"])
def test_evidence_that_is_not_the_attested_one_does_not_hold(
    run: Path, keys: KeyRing, tmp_path: Path, how: str
) -> None:
    place = run / FILES[EVIDENCE]
    data = place.read_bytes()
    if how == "of another run":
        other = write_large_run(tmp_path / "other", 61, keys, SMALL)[EVIDENCE]
    else:
        other = {"changed": data[:-9] + b"x" + data[-8:], "cut": data[:-1], "longer": data + b"\0", "empty": b""}[how]
    place.write_bytes(other)
    with pytest.raises(IntegrityError) as caught:
        verify(run / DOSSIER, keys.trust)
    assert caught.value.problems[0].code is Code.DIGEST_MISMATCH
    assert EVIDENCE in caught.value.problems[0].what


def test_a_hundred_thousand_cases_are_verified_in_seconds(
    keys: KeyRing, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    files = write_large_run(tmp_path / "run", 100_000, keys, LARGEST_ATTACHED)
    assert large(tmp_path / "run") == [EVIDENCE, "testset.json"]
    assert len(files[EVIDENCE]) > LARGEST_ATTACHED
    assert (tmp_path / "run" / DOSSIER).stat().st_size < 1 << 20
    assert (tmp_path / "run" / ATTESTATION).is_file()
    before = time.process_time()
    verification = verify(tmp_path / "run" / DOSSIER, keys.trust)
    seconds = time.process_time() - before
    record_property("cpu_seconds_of_verify", seconds)
    assert verification.verdict.cases == 100_000
    assert seconds < 60

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.evidence.detached import DETACHED, attachable, detach, detached_in, read_detached

PLACES = {"cases.parquet": "evidence/cases.parquet", "testset.json": "testset.json"}


def told(name: str, data: bytes = b"rows") -> dict[str, object]:
    return {"name": name, "size": len(data), "sha256": digest_bytes(data)}


def attached(*files: dict[str, object]) -> dict[str, bytes]:
    return {"verdict.json": b"{}", DETACHED: json.dumps({"files": files}).encode()}


def test_what_is_not_above_the_limit_is_attached_itself() -> None:
    files = {"cases.parquet": b"x" * 10, "testset.json": b"y"}
    assert detach(files, largest=10) is None
    assert attachable(files) == files
    assert detached_in(files) == ()


def test_a_digest_stands_for_each_file_above_the_limit() -> None:
    files = {"cases.parquet": b"x" * 11, "testset.json": b"y"}
    large = detach(files, largest=10)
    assert large is not None
    assert json.loads(large) == {"files": [told("cases.parquet", b"x" * 11)]}
    assert attachable({**files, DETACHED: large}) == {"testset.json": b"y", DETACHED: large}


@pytest.mark.parametrize("place", ["evidence/cases.parquet", "cases.parquet"])
def test_a_file_is_read_from_its_place_in_the_run_or_from_beside_the_dossier(place: str, tmp_path: Path) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_bytes(b"rows")
    assert read_detached(attached(told("cases.parquet")), tmp_path, PLACES, "here") == {"cases.parquet": b"rows"}
    assert read_detached({"verdict.json": b"{}"}, tmp_path, PLACES, "here") == {}


def test_a_missing_file_is_named_with_what_mends_it(tmp_path: Path) -> None:
    (tmp_path / "cases.parquet").mkdir()
    with pytest.raises(UsageError) as caught:
        read_detached(attached(told("cases.parquet")), tmp_path, PLACES, "here")
    (problem,) = caught.value.problems
    assert "cases.parquet (4 bytes)" in problem.what
    assert problem.mend == (
        "put evidence/cases.parquet from the run's folder beside the PDF, under the same name or as cases.parquet"
    )


@pytest.mark.parametrize(
    "files",
    [
        [],
        [told("../secret")],
        [told("/etc/passwd")],
        [told("verdict.json")],
        [{**told("cases.parquet"), "sha256": "md5:0"}],
        [{**told("cases.parquet"), "size": 0}],
        [{**told("cases.parquet"), "more": 1}],
    ],
)
def test_what_names_no_record_of_a_run_does_not_hold(files: list[dict[str, object]], tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="does not hold") as caught:
        read_detached(attached(*files), tmp_path, {**PLACES, "verdict.json": "verdict.json"}, "here")
    assert caught.value.problems[0].code is Code.ALTERED_DOSSIER


def test_a_file_of_another_size_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cases.parquet").write_bytes(b"rows and more")
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("it was read"))
    with pytest.raises(IntegrityError) as caught:
        read_detached(attached(told("cases.parquet")), tmp_path, PLACES, "here")
    assert caught.value.problems[0].code is Code.DIGEST_MISMATCH

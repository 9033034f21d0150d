"""Pulling from a real Orthanc, started on this machine for the while; skipped, and said so, where it is missing."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_up_archive import ROWS, SERIES, STUDIES, needs_orthanc, started_archive, write_table

from gatekeeper.errors import Code, UsageError
from gatekeeper.locking import lock_testset, read_lock, verify_lock
from gatekeeper.testset.dicomweb import Archive, pull
from gatekeeper.testset.table import read_table

SECRET = b"a secret of the tests, long enough"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started_archive(tmp_path_factory.mktemp("orthanc")) as url:
        yield url


@needs_orthanc
def test_series_of_an_archive_are_retrieved_and_locked_without_their_uids(archive: str, tmp_path: Path) -> None:
    table, out, home = write_table(tmp_path, ROWS), tmp_path / "pacs.lock", tmp_path / "home"
    manifest = lock_testset(table, out, home, archive=Archive(archive))
    assert [len(case.files) for case in manifest.cases] == [1, 2, 3]
    assert verify_lock(out, home).manifest.digest == manifest.digest
    assert not any(uid in json.dumps(manifest.to_json()) for uid in (*STUDIES, *SERIES))
    folders = sorted(path.name for path in tmp_path.iterdir() if path.is_dir() and path.name != "home")
    assert folders == sorted({case.files[0].path.split("/")[0] for case in manifest.cases})
    before = (tmp_path / folders[0]).stat().st_mtime_ns
    again = lock_testset(table, out, home, archive=Archive(archive))
    assert again.digest == manifest.digest
    assert (tmp_path / folders[0]).stat().st_mtime_ns == before
    assert read_lock(out, home).read(manifest.cases[2])


@needs_orthanc
def test_only_studies_that_match_the_query_are_taken(archive: str, tmp_path: Path) -> None:
    odd = Archive(archive, (("StudyDescription", "odd"),))
    assert len(pull(odd, read_table(write_table(tmp_path, ROWS[1:2])), tmp_path, SECRET)) == 1
    with pytest.raises(UsageError) as caught:
        pull(odd, read_table(write_table(tmp_path, ROWS)), tmp_path, SECRET)
    assert 'case "c0" is of no study that matches the query' in caught.value.problems[0].what


@needs_orthanc
def test_a_series_that_is_not_there_is_told_by_its_case_and_leaves_nothing(archive: str, tmp_path: Path) -> None:
    table = write_table(tmp_path, [f"c9,PATIENT-9,{STUDIES[0]}/1.2.3.4,1"])
    with pytest.raises(UsageError) as caught:
        pull(Archive(archive), read_table(table), tmp_path, SECRET)
    assert '"c9"' in caught.value.problems[0].what
    assert STUDIES[0] not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["cases.csv"]


@pytest.mark.parametrize("image", ["images/c1.dcm", "1.2.3", "1.2/3.4/5", "1.2/../3", "1.2/", "1" * 65 + "/1"])
def test_what_names_no_series_is_told(image: str, tmp_path: Path) -> None:
    rows = [f"c1,PATIENT-1,{image},1"]
    with pytest.raises(UsageError):
        pull(Archive("https://127.0.0.1:9"), read_table(write_table(tmp_path, rows)), tmp_path, SECRET)


def test_an_address_in_the_clear_is_refused_but_on_this_machine(tmp_path: Path) -> None:
    cases = read_table(write_table(tmp_path, ROWS))
    for url in ("http://pacs.example.org/dicom-web", "ftp://127.0.0.1/", "file:///etc", "127.0.0.1"):
        with pytest.raises(UsageError) as caught:
            pull(Archive(url), cases, tmp_path, SECRET)
        assert caught.value.problems[0].code is Code.FORBIDDEN


def test_an_archive_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/dicom-web"
    with pytest.raises(UsageError) as caught:
        pull(Archive(url), read_table(write_table(tmp_path, ROWS)), tmp_path, SECRET)
    assert "the archive did not" in caught.value.problems[0].what

"""Pulling from a real Orthanc, started on this machine for the while; skipped, and said so, where it is missing."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_up_bench import disc, write_dicom
from pydicom.uid import generate_uid

from gatekeeper.errors import Code, UsageError
from gatekeeper.locking import lock_testset, read_lock, verify_lock
from gatekeeper.testset.dicomweb import Archive, pull
from gatekeeper.testset.table import read_table

ORTHANC = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
SECRET = b"a secret of the tests, long enough"
STUDIES = [generate_uid(entropy_srcs=["study", str(number)]) for number in range(3)]
SERIES = [generate_uid(entropy_srcs=["series", str(number)]) for number in range(3)]

needs_orthanc = pytest.mark.skipif(
    not Path(ORTHANC).is_file() or not Path(PLUGIN).is_file(),
    reason="needs the Debian packages orthanc and orthanc-dicomweb",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start an empty Orthanc, and store three studies of one series each in it."""
    folder = tmp_path_factory.mktemp("orthanc")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": [PLUGIN],
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "DicomWeb": {"Enable": True},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([ORTHANC, str(folder / "orthanc.json")], stdout=log, stderr=log, cwd=folder)
        try:
            _wait_for(f"http://127.0.0.1:{port}/system", process)
            for number in range(3):
                for repeat in range(number + 1):
                    _store(port, folder / "x.dcm", number, repeat)
            yield f"http://127.0.0.1:{port}/dicom-web"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(150):
        assert process.poll() is None
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("Orthanc did not start")


def _store(port: int, path: Path, number: int, repeat: int) -> None:
    write_dicom(
        path,
        disc(3.0 + number + repeat / 4),
        StudyInstanceUID=STUDIES[number],
        SeriesInstanceUID=SERIES[number],
        SOPInstanceUID=generate_uid(entropy_srcs=["instance", str(number), str(repeat)]),
        PatientID="Patient 1",
        StudyDescription="even" if number % 2 == 0 else "odd",
        ImagePositionPatient=[0.0, 0.0, 2.0 * repeat],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
    )
    request = urllib.request.Request(f"http://127.0.0.1:{port}/instances", path.read_bytes(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def write_table(folder: Path, rows: list[str]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "cases.csv"
    path.write_text("case_id,patient_id,image,label\n" + "\n".join(rows) + "\n")
    return path


ROWS = [f"c{number},PATIENT-{number},{STUDIES[number]}/{SERIES[number]},{number % 2}" for number in range(3)]


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

"""A real Orthanc, started on this machine for the while, with made-up studies in it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from made_up_bench import disc, write_dicom
from pydicom.uid import generate_uid

ORTHANC = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
STUDIES = [generate_uid(entropy_srcs=["study", str(number)]) for number in range(3)]
SERIES = [generate_uid(entropy_srcs=["series", str(number)]) for number in range(3)]
ROWS = [f"c{number},PATIENT-{number},{STUDIES[number]}/{SERIES[number]},{number % 2}" for number in range(3)]

has_orthanc = Path(ORTHANC).is_file() and Path(PLUGIN).is_file()
needs_orthanc = pytest.mark.skipif(not has_orthanc, reason="needs the Debian packages orthanc and orthanc-dicomweb")


@contextmanager
def started_archive(folder: Path) -> Iterator[str]:
    """Start an empty Orthanc, store three studies of one series each in it, and give its DICOMweb address."""
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


def write_table(folder: Path, rows: list[str], name: str = "cases.csv") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("case_id,patient_id,image,label\n" + "\n".join(rows) + "\n")
    return path


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

"""What locking, verifying and reading cost, against SHA-256 alone and against MONAI's LoadImage (or nibabel).

Writes ``reports/benchmarks/testsets.json``. The volumes are random numbers smoothed a little, so that they compress as
images do; only their size is real. MONAI is the peer where it is installed, which the results name.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import imagecodecs
import nibabel
import numpy as np
import pytest
from made_up_bench import disc, write_dicom
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, generate_uid
from scipy.ndimage import gaussian_filter

from gatekeeper.canonical import JSON, pretty_json
from gatekeeper.testset.readers import read_image

pytestmark = pytest.mark.benchmark

REPORT = Path(__file__).parents[2] / "reports" / "benchmarks" / "testsets.json"
ROUNDS = 5
LARGE_FILES, LARGE_SIDE = 8, 12_000
SMALL_FILES = 100_000
LOCK = """
import re, sys, time
from pathlib import Path
from gatekeeper.locking import lock_testset, verify_lock
from gatekeeper.trust import load_keys
folder = Path(sys.argv[1])
load_keys(folder / "home")
begin = time.perf_counter()
lock_testset(folder / "cases.csv", folder / "set.lock", folder / "home", decode=sys.argv[2] == "decode")
locked = time.perf_counter()
verify_lock(folder / "set.lock", folder / "home")
# Not ru_maxrss, which a process takes over from the one that started it.
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
print(locked - begin, time.perf_counter() - locked, peak)
"""


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, JSON]]:
    found: dict[str, JSON] = json.loads(REPORT.read_text()) if REPORT.is_file() else {}
    found["rounds"] = ROUNDS
    yield found
    found["machine"] = {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(pretty_json(found), encoding="utf-8")


def seconds(work: Callable[[], object]) -> float:
    """Return the median time of some rounds, after one that is not counted."""
    work()
    took = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        took.append(time.perf_counter() - begin)
    return statistics.median(took)


def locked(folder: Path, decode: bool = False) -> tuple[float, float, float]:
    """Lock and verify in a process of its own: seconds, seconds, and peak memory in MiB."""
    command = [sys.executable, "-c", LOCK, str(folder), "decode" if decode else "hash"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    locking, verifying, peak = (float(value) for value in done.stdout.split())
    return locking, verifying, peak


def table(folder: Path, count: int) -> None:
    rows = (f"c{index},PATIENT-{index},images/{index}.dcm,{index % 2}" for index in range(count))
    (folder / "cases.csv").write_text("case_id,patient_id,image,label\n" + "\n".join(rows) + "\n")


def test_large_files_are_locked_at_the_speed_of_sha256(results: dict[str, JSON], tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    noise = np.random.default_rng(1).integers(0, 255, (LARGE_SIDE, LARGE_SIDE), np.uint8)
    files = [tmp_path / "images" / f"{index}.dcm" for index in range(LARGE_FILES)]
    for index, file in enumerate(files):
        write_dicom(file, np.roll(noise, index, axis=0))
    table(tmp_path, LARGE_FILES)

    def alone() -> None:
        for file in files:
            with file.open("rb") as stream:
                hashlib.file_digest(stream, "sha256")

    peer = seconds(alone)
    rounds = [locked(tmp_path) for _ in range(ROUNDS)]
    locking, verifying = (statistics.median(one[column] for one in rounds) for column in (0, 1))
    decoding, _, _ = locked(tmp_path, decode=True)
    results["large files"] = {
        "files": LARGE_FILES,
        "megabytes": round(sum(file.stat().st_size for file in files) / 1e6),
        "sha256_alone_seconds": round(peer, 3),
        "lock_seconds": round(locking, 3),
        "lock_and_decode_seconds": round(decoding, 3),
        "verify_seconds": round(verifying, 3),
        "lock_share_of_sha256_throughput": round(peer / locking, 2),
        "verify_share_of_sha256_throughput": round(peer / verifying, 2),
    }


def test_many_small_files_are_locked_in_bounded_memory(results: dict[str, JSON], tmp_path: Path) -> None:
    write_dicom(tmp_path / "one.dcm", disc(4.0)[24:40, 24:40])
    data = (tmp_path / "one.dcm").read_bytes()
    (tmp_path / "images").mkdir()
    for index in range(SMALL_FILES):
        (tmp_path / "images" / f"{index}.dcm").write_bytes(data[:-4] + index.to_bytes(4, "little"))
    table(tmp_path, SMALL_FILES)
    locking, verifying, peak = locked(tmp_path)
    decoding, _, _ = locked(tmp_path, decode=True)
    results["small files"] = {
        "files": SMALL_FILES,
        "lock_seconds": round(locking, 1),
        "lock_and_decode_seconds": round(decoding, 1),
        "verify_seconds": round(verifying, 1),
        "peak_mebibytes": round(peak),
    }


def volume() -> np.ndarray:
    smooth = gaussian_filter(np.random.default_rng(2).normal(0.0, 400.0, (256, 256, 160)), 1.5)
    return (smooth * 4).astype(np.int16)


def test_compressed_nifti_is_read_faster_than_by_the_peer(results: dict[str, JSON], tmp_path: Path) -> None:
    path = tmp_path / "volume.nii.gz"
    path.write_bytes(gzip.compress(nibabel.Nifti1Image(volume(), np.eye(4)).to_bytes(), 6))
    try:
        from monai.transforms import LoadImage

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            name, load = "monai LoadImage", LoadImage(image_only=True)

        def theirs() -> np.ndarray:
            return np.asarray(load(path))
    except ImportError:
        name = "nibabel get_fdata(float32)"

        def theirs() -> np.ndarray:
            return np.asarray(nibabel.load(path).get_fdata(dtype=np.float32))

    def ours() -> np.ndarray:
        return read_image({"volume.nii.gz": path.read_bytes()}, "c").pixels

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of optional parts that MONAI misses
        np.testing.assert_array_equal(ours(), theirs().T)
    peer, own = seconds(theirs), seconds(ours)
    results["compressed nifti"] = {
        "megabytes": round(path.stat().st_size / 1e6, 1),
        "peer": name,
        "peer_seconds": round(peer, 3),
        "gatekeeper_seconds": round(own, 3),
        "times_as_fast": round(peer / own, 2),
    }


def ct_slices(count: int) -> list[bytes]:
    """Return some slices of 512 x 512 in JPEG 2000, as noisy as a thin CT slice is (20 HU), coded without loss."""
    source = np.random.default_rng(3)
    body = np.where(np.add.outer((np.arange(512) - 256) ** 2, (np.arange(512) - 256) ** 2) < 220**2, 40.0, -1000.0)
    noisy = (np.rint(body + source.normal(0.0, 20.0, (count, 512, 512))) + 1024).clip(0, 4095).astype(np.uint16)
    return [imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k", reversible=True) for pixels in noisy]


def test_a_series_of_500_slices_is_read_in_threads(results: dict[str, JSON], tmp_path: Path) -> None:
    template = dcmread(str(get_testdata_file("JPEG2000.dcm", download=False)))
    template.file_meta.TransferSyntaxUID = JPEG2000Lossless
    template.Rows = template.Columns = 512
    template.PixelRepresentation, template.BitsStored, template.HighBit = 0, 12, 11
    template.PixelSpacing, template.ImageOrientationPatient = [1.0, 1.0], [1, 0, 0, 0, 1, 0]
    template.SeriesInstanceUID = generate_uid()
    coded, files = ct_slices(10), {}
    for index in range(500):
        template.SOPInstanceUID = generate_uid(entropy_srcs=[str(index)])
        template.ImagePositionPatient = [0.0, 0.0, 2.0 * index]
        template.PixelData = encapsulate([coded[index % len(coded)]])
        template.save_as(tmp_path / f"{index:03}.dcm")
        files[f"{index:03}.dcm"] = (tmp_path / f"{index:03}.dcm").read_bytes()

    def one_by_one() -> list[np.ndarray]:
        return [dcmread(tmp_path / name).pixel_array for name in files]

    begin = time.perf_counter()
    theirs = one_by_one()
    peer = time.perf_counter() - begin
    begin = time.perf_counter()
    ours = read_image(files, "c").pixels
    own = time.perf_counter() - begin
    for index in range(10):
        np.testing.assert_array_equal(ours[index] - theirs[index].astype(np.float32), (ours[0] - theirs[0])[0, 0])
    results["series of 500 slices"] = {
        "transfer_syntax": "JPEG 2000, lossless, 512 x 512, made up",
        "pydicom_one_by_one_seconds": round(peer, 2),
        "gatekeeper_seconds": round(own, 2),
        "times_as_fast": round(peer / own, 2),
    }

"""A whole run, from files on disk to evidence: its time over the bare forward pass, its memory, volumes of many sizes.

Each run has a process of its own and is timed by the clock, on a machine that does nothing else. The bare pass has the
prepared tensors in memory and reads nothing; start-up of the worker is told apart. Writes
``reports/benchmarks/run.json``. Images and weights are drawn by chance. ``GATEKEEPER_BENCH_QUICK=1`` is a short trial
that writes nothing.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made_up_bench import write_dicom
from numpy.typing import NDArray
from ratios import REPORTS, machine, measured_alone
from run_alone import DENSENET, write_candidate

from gatekeeper.canonical import JSON, pretty_json
from gatekeeper.locking import lock_testset

pytestmark = pytest.mark.benchmark

QUICK = bool(os.environ.get("GATEKEEPER_BENCH_QUICK"))
CASES, ROUNDS, BATCH = (64, 1, 32) if QUICK else (2_000, 3, 32)
THREADS = len(os.sched_getaffinity(0))
PROGRAM = "import sys\nfrom run_alone import main\nmain(*sys.argv[1:])\n"
Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, JSON]]:
    rows: dict[str, JSON] = {"threads": THREADS}
    yield rows
    if not QUICK:
        rows["what"] = "wall seconds of whole runs, from files to evidence, each in a process of its own; scores equal"
        REPORTS.mkdir(parents=True, exist_ok=True)
        (REPORTS / "run.json").write_text(pretty_json(rows | {"machine": machine()}), encoding="utf-8")


def locked(folder: Path, images: list[str]) -> None:
    rows = "".join(f"c{number:05},p{number},{image},{number % 2}\n" for number, image in enumerate(images))
    (folder / "cases.csv").write_text("case_id,patient_id,image,label\n" + rows)
    lock_testset(folder / "cases.csv", folder / "set.lock", folder / "home")


def discs(folder: Path, count: int, side: int) -> None:
    """Write images by chance as DICOM, and lock them."""
    source = np.random.default_rng(5)
    names = [f"images/{number:05}.dcm" for number in range(count)]
    for name in names:
        write_dicom(folder / name, source.integers(0, 256, (side, side), dtype=np.uint8))
    locked(folder, names)


def ran(folder: Path, journal: str, memory: int, batch: int) -> tuple[float, float, float, Floats]:
    """Return seconds of a run, of its inference phase, peak memory in MiB, and the scores."""
    whole, inference, peak = measured_alone(PROGRAM, *map(str, (folder, journal, THREADS, memory, batch)))
    return whole, inference, peak, np.load(folder / f"{journal}.npy")


def bare(folder: Path, tensors: NDArray[np.float32], batch: int) -> tuple[float, Floats]:
    import torch
    from safetensors.torch import load_file

    from gatekeeper.candidate.architectures import ARCHITECTURES

    model = ARCHITECTURES.get("monai_densenet121").build(spatial_dims=2, in_channels=1, out_channels=1)
    model.load_state_dict(load_file(folder / "candidate" / "weights.safetensors"))
    model.eval()
    torch.set_num_threads(THREADS)
    with torch.inference_mode():
        model(torch.from_numpy(tensors[:batch]))  # the first call is slower
        started = time.perf_counter()
        logits = torch.cat([model(part) for part in torch.from_numpy(tensors).split(batch)]).numpy()
    seconds = time.perf_counter() - started
    return seconds, np.asarray(1.0 / (1.0 + np.exp(-logits[:, 0].astype(np.float64))))


def test_a_run_over_dicom_against_the_bare_forward_pass(found: dict[str, JSON], tmp_path: Path) -> None:
    from pydicom import dcmread

    discs(tmp_path, CASES, 128)
    write_candidate(tmp_path / "candidate", DENSENET.format(axes=2), "size: [128, 128]", BATCH)
    paths = sorted((tmp_path / "images").iterdir())
    tensors = np.stack([dcmread(path).pixel_array for path in paths])[:, np.newaxis].astype(np.float32) / 255.0
    over, whole, phase, alone = [], [], [], []
    for number in range(ROUNDS):
        before, expected = bare(tmp_path, tensors, BATCH)
        seconds, inference, _, scores = ran(tmp_path, f"run-{number}", 2048, BATCH)
        after, _ = bare(tmp_path, tensors, BATCH)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-6)
        alone.append((before + after) / 2.0)
        whole.append(seconds)
        phase.append(inference)
        over.append(100.0 * (inference / alone[-1] - 1.0))
    print(f"\n{CASES} images: {statistics.median(over):.1f} % over the bare pass ({min(over):.1f} to {max(over):.1f})")
    found["dicom images through densenet121"] = {
        "cases": CASES,
        "bare_forward_seconds": round(statistics.median(alone), 2),
        "inference_phase_seconds": round(statistics.median(phase), 2),
        "whole_run_seconds": round(statistics.median(whole), 2),
        "inference_over_bare_percent": round(statistics.median(over), 1),
        "least": round(min(over), 1),
        "most": round(max(over), 1),
        "rounds": ROUNDS,
    }


def test_the_engine_s_own_memory_does_not_grow_with_the_test_set(found: dict[str, JSON], tmp_path: Path) -> None:
    """With 64 MiB for images the cache is full at 2,000 of 64 x 64 in single precision: what grows are the rows."""
    peaks = {}
    for count in (CASES, 4 * CASES):
        folder = tmp_path / str(count)
        folder.mkdir()
        discs(folder, count, 64)
        write_candidate(folder / "candidate", "{name: nodule_cnn}", "size: [64, 64]", 64)
        peaks[count] = ran(folder, "run", 64, 64)[2]
    print(f"\npeak memory of the engine's own process: {peaks} MiB")
    found["peak memory in MiB"] = {f"{count} cases": round(peak, 1) for count, peak in peaks.items()}
    assert peaks[4 * CASES] < 1.25 * peaks[CASES]


def test_volumes_of_different_sizes_are_batched_by_shape(found: dict[str, JSON], tmp_path: Path) -> None:
    from nibabel import Nifti1Image

    shapes = [(32, 32, 32), (40, 32, 32), (32, 48, 32)]
    source = np.random.default_rng(6)
    names = [f"{number:03}.nii" for number in range(12 if QUICK else 48)]
    for number, name in enumerate(names):
        voxels = source.integers(0, 256, shapes[number % len(shapes)]).astype(np.int16)
        Nifti1Image(voxels, np.eye(4)).to_filename(tmp_path / name)
    locked(tmp_path, names)
    write_candidate(tmp_path / "candidate", DENSENET.format(axes=3), "dimensions: 3", 8)
    together, one_by_one = [], []
    for number in range(ROUNDS):
        _, batched, _, scores = ran(tmp_path, f"batched-{number}", 2048, 8)
        _, alone, _, expected = ran(tmp_path, f"alone-{number}", 2048, 1)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-5)
        together.append(batched)
        one_by_one.append(alone)
    print(f"\nvolumes: {statistics.median(together):.2f} s by shape, {statistics.median(one_by_one):.2f} s one by one")
    found["volumes of three sizes in turn"] = {
        "cases": len(names),
        "in_batches_of_8_of_one_shape_seconds": round(statistics.median(together), 2),
        "one_by_one_seconds": round(statistics.median(one_by_one), 2),
    }

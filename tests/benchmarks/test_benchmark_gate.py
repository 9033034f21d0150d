"""What the gate costs beside the model: the inference phase against a bare loop, ``--help`` and ``verify``.

Writes ``reports/benchmarks/gate.json``. The inference phase runs the demonstration's network over the demonstration's
tensors; both loops run in one process, interleaved, and must give equal outputs.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gatekeeper.canonical import JSON, pretty_json

pytestmark = pytest.mark.benchmark

REPORT = Path(__file__).parents[2] / "reports" / "benchmarks" / "gate.json"
ROUNDS = 31
BATCH = 64


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, JSON]]:
    found: dict[str, JSON] = {}
    yield found
    import torch

    found["machine"] = {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(pretty_json(found), encoding="utf-8")


def _demo_tensors() -> NDArray[np.float32]:
    from gatekeeper.demo.lidc import read_lidc

    readings = [reading.mask for nodule in read_lidc().test for reading in nodule.readings]
    return np.stack(readings).astype(np.float32)[:, np.newaxis]


def test_the_inference_phase_against_a_bare_loop(results: dict[str, JSON]) -> None:
    import torch
    from safetensors.torch import load_file

    import gatekeeper.demo
    from gatekeeper.candidate.architectures import ARCHITECTURES
    from gatekeeper.candidate.inference import run_batches

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = ARCHITECTURES.get("nodule_cnn").build()
    weights = Path(gatekeeper.demo.__file__).parent / "candidates" / "nodule_cnn.safetensors"
    model.load_state_dict(load_file(weights))
    model = model.to(device).eval()
    inputs = _demo_tensors()
    tensor = torch.from_numpy(inputs)

    def bare() -> NDArray[np.float32]:
        with torch.inference_mode():
            outputs = [model(tensor[start : start + BATCH].to(device)) for start in range(0, len(tensor), BATCH)]
            return np.asarray(torch.cat(outputs).cpu().numpy())

    def engine() -> NDArray[np.float32]:
        return run_batches(model, inputs, device, BATCH)

    assert np.array_equal(bare(), engine())
    ratios, seconds = [], {"bare": [], "engine": []}  # type: ignore[var-annotated]
    for _ in range(ROUNDS):
        for name, loop in (("bare", bare), ("engine", engine)):
            started = time.perf_counter()
            loop()
            seconds[name].append(time.perf_counter() - started)
        ratios.append(seconds["engine"][-1] / seconds["bare"][-1])
    ratio = statistics.median(ratios)
    print(f"inference phase / bare loop: {ratio:.3f} over {len(inputs)} images, batch {BATCH}")
    results["inference_phase_over_bare_loop"] = {
        "ratio_median": round(ratio, 4),
        "bare_seconds_median": round(statistics.median(seconds["bare"]), 5),
        "images": len(inputs),
        "batch_size": BATCH,
        "rounds": ROUNDS,
    }


def _cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_and_verify_in_cpu_seconds(results: dict[str, JSON], finished_run: Path, home: Path) -> None:
    environment = {**os.environ, "GATEKEEPER_HOME": str(home)}
    program = [sys.executable, "-m", "gatekeeper"]
    example = Path(__file__).parents[2] / "reports" / "example"
    commands = {
        "help": [*program, "--help"],
        "verify made-up run": [*program, "verify", str(finished_run / "dossier.pdf")],
        "verify demo dossier": [*program, "verify", str(example / "dossier.pdf"), "--trust", str(example / "root.pem")],
        "python itself": [sys.executable, "-c", "pass"],
    }
    for name, command in commands.items():
        seconds = statistics.median(_cpu_seconds(command, environment) for _ in range(5))
        print(f"{name}: {seconds:.2f} s of CPU")
        results[f"cpu seconds, {name}"] = round(seconds, 3)
    shown = subprocess.run(
        [*commands["verify made-up run"], "--json"], env=environment, check=True, capture_output=True
    )
    assert json.loads(shown.stdout)["checked"]

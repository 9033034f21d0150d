"""What the gate costs beside the model: ``--help`` and ``verify``. Writes ``reports/benchmarks/gate.json``."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekeeper.canonical import JSON, pretty_json

pytestmark = pytest.mark.benchmark

REPORT = Path(__file__).parents[2] / "reports" / "benchmarks" / "gate.json"


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

"""Ratios of CPU time against peers, measured in turn: what the benchmarks of statistics share."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from gatekeeper.canonical import JSON

ROUNDS = 5
REPORTS = Path(__file__).parents[2] / "reports" / "benchmarks"
PEERS = Path(sys.prefix) / "peers"
ROUNDS_OF_CONFIDENCEINTERVAL = Path(__file__).parent / "peers" / "confidenceinterval_rounds.py"

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]


@dataclass(frozen=True)
class Measured:
    """A row of a report; ``ratio_at_least`` is what every round should reach."""

    work: str
    peer: str
    ratio_at_least: float
    cpu_seconds: float
    cpu_seconds_of_peer: float
    peer_did: str
    ratio: float
    ratio_least: float
    ratio_most: float


def compare(
    work: str,
    peer_name: str,
    at_least: float,
    ours: Callable[[], float],
    peer: Callable[[], float],
    did: str = "the same work",
    scale: float = 1.0,
) -> Measured:
    """Time both in turn, after one round that does not count, and print the ratio.

    ``ours`` and ``peer`` return CPU seconds. A peer that ``did`` a part of the work has its time multiplied by
    ``scale``.
    """
    rounds = [(ours(), peer() * scale) for _ in range(ROUNDS + 1)][1:]
    ratios = [theirs / mine for mine, theirs in rounds]
    mine, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
    middle, least, most = (round(ratio, 1) for ratio in (statistics.median(ratios), min(ratios), max(ratios)))
    print(f"\n{work}: {mine:.4f} s; {peer_name}: {theirs:.3f} s ({did}); ratio {middle} ({least} to {most})")
    return Measured(work, peer_name, at_least, round(mine, 5), round(theirs, 4), did, middle, least, most)


def cpu_seconds(task: Callable[[], object], calls: int = 1) -> float:
    """Return the CPU seconds that one call of a task takes, in the mean of some."""
    started = time.process_time()
    for _ in range(calls):
        task()
    return (time.process_time() - started) / calls


def machine(**libraries: str) -> dict[str, JSON]:
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        **libraries,
    }


def made_up_cases(n: int, seed: int) -> tuple[Floats, Labels]:
    """Return made-up scores and labels, three of ten positive, with ties."""
    source = np.random.default_rng(seed)
    label = (source.random(n) < 0.3).astype(np.int8)
    return np.round(source.normal(size=n) + 1.2 * label.astype(np.float64), 3), label


def measured_alone(program: str, *arguments: str) -> list[float]:
    """Run a program in a process of its own; return the numbers it prints and the peak of its memory in MiB."""
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", program + PEAK, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])},
    )
    return [float(number) for number in done.stdout.split()]


# Not ru_maxrss, which a process takes over from the one that started it.
PEAK = """
import re
from pathlib import Path
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024)
"""


class ConfidenceInterval(AbstractContextManager["ConfidenceInterval"]):
    """The package ``confidenceinterval`` at work in an environment of its own, since it pins what others share."""

    def __init__(self, folder: Path, cases: tuple[Floats, Labels], method: str, resamples: int = 0, calls: int = 1):
        python = PEERS / "confidenceinterval" / "bin" / "python"
        if not python.exists():
            raise FileNotFoundError(f"{python}: `make bench` installs it")
        np.savez(folder / "cases.npz", scores=cases[0], labels=cases[1])
        command = [python, ROUNDS_OF_CONFIDENCEINTERVAL, folder / "cases.npz", method, resamples, 0, calls]
        self.calls = calls
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def round(self) -> tuple[float, float, float, float]:
        """Return CPU seconds of one call, the area, and its limits."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        took, area, lower, upper = json.loads(self.process.stdout.readline())
        return took / self.calls, area, lower, upper

    def seconds(self) -> float:
        return self.round()[0]

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

"""One run of the engine in a process of its own, over a test set that is locked already."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import numpy as np

from gatekeeper.candidate import load_candidate
from gatekeeper.engine.measuring import Asked
from gatekeeper.engine.reading import Kind
from gatekeeper.engine.run import RunRequest, run_plan
from gatekeeper.engine.settings import EngineSettings
from gatekeeper.evidence import BASELINE, Condition, Plan
from gatekeeper.locking import read_lock

CANDIDATE = """\
description: made up, of random weights, for benchmarks
format: safetensors
architecture: {architecture}
artefact: weights.safetensors
input: {{{input}, intensity: {{zero_at: 0, one_at: 255}}}}
output: {{kind: logit, classes: [small, large], positive: large}}
operating_point: 0.5
batch_size: {batch}
producer: trusted
"""
DENSENET = "{{name: monai_densenet121, arguments: {{spatial_dims: {axes}, in_channels: 1, out_channels: 1}}}}"


def write_candidate(folder: Path, architecture: str, shape: str, batch: int) -> None:
    """Write a candidate with weights by chance; ``shape`` is of its input, as YAML."""
    import torch
    import yaml
    from safetensors.torch import save_file

    from gatekeeper.candidate.architectures import ARCHITECTURES

    torch.manual_seed(7)
    declared = yaml.safe_load(architecture)
    made = ARCHITECTURES.get(declared["name"]).build(**declared.get("arguments", {}))
    folder.mkdir(parents=True, exist_ok=True)
    save_file(made.state_dict(), folder / "weights.safetensors")
    (folder / "candidate.yaml").write_text(CANDIDATE.format(architecture=architecture, input=shape, batch=batch))


def run(
    folder: Path,
    journal: str,
    threads: int,
    memory: int,
    batch: int,
    *,
    device: Literal["cpu", "cuda"] = "cpu",
    further: tuple[Condition, ...] = (),
) -> tuple[float, dict[str, float], list[float]]:
    """Run the baseline and further conditions.

    Returns the seconds of all of it, those of each condition without start-up, and the baseline's scores in the order
    of the lock.
    """
    candidate = load_candidate(folder / "candidate" / "candidate.yaml")
    request = RunRequest(
        plan=Plan(policy="made-up", conditions=(BASELINE, *further)),
        candidate=candidate,
        testset=read_lock(folder / "set.lock", folder / "home"),
        kind=Kind("CT", "CHEST"),
        asked=Asked(),
        settings=EngineSettings(device=device, threads=threads, memory=memory, batch_size=batch),
        journal=folder / journal,
        log=folder / "log",
    )
    started = time.perf_counter()
    result = run_plan(request)
    whole = time.perf_counter() - started
    rows = result.evidence.table.to_pylist()
    assert {row["outcome"] for row in rows} == {"ok"}
    scores = [row["score"] for row in rows if row["condition"] == BASELINE.id]
    return whole, result.inference_seconds, scores


def main(folder: str, journal: str, threads: str, memory: str, batch: str) -> None:
    whole, inference, scores = run(Path(folder), journal, int(threads), int(memory), int(batch))
    np.save(Path(folder) / f"{journal}.npy", np.array(scores))
    print(whole, inference[BASELINE.id])

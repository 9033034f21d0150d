"""The process that runs a candidate. It sees inputs and conditions, never labels, keys or the ledger.

Started as ``python -I -m gatekeeper.candidate.worker FOLDER PROGRESS_FD``. The folder holds ``request.json``,
``inputs.npy``, ``spacing.npy``, ``seeds.npy``; it writes ``outputs-<i>.npy`` or ``seconds-<i>.npy`` for condition
``i``, and ``report.json`` last. Arrays are never pickled. What it writes is checked by the process that judges.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gatekeeper.candidate.contract import Architecture
from gatekeeper.candidate.inference import run_batches, time_calls
from gatekeeper.errors import Code, GatekeeperError, UsageError
from gatekeeper.evidence import Condition, Record

if TYPE_CHECKING:
    import torch


class Request(Record):
    """What the judging process asks of a worker; ``perturbations`` orders the rows of ``seeds.npy``."""

    artefact: str
    architecture: Architecture
    device: str
    batch_size: int = Field(ge=1)
    threads: int = Field(ge=1)
    perturbations: tuple[str, ...]
    conditions: tuple[Condition, ...]


class Report(Record):
    """What a worker says of itself: device, versions, seconds of inference per condition."""

    device: str
    device_name: str
    torch: str
    cuda: str | None
    deterministic: bool
    parameters: int
    inference_seconds: dict[str, float]


class Refusal(Record):
    """Why a worker could not start on the candidate: something that the person who called can mend."""

    what: str
    why: str | None
    mend: str | None


def main(folder: Path, progress_fd: int) -> None:
    """Answer the request in ``folder``, or leave ``refusal.json`` when it cannot be begun."""
    request = Request.model_validate_json((folder / "request.json").read_bytes())
    try:
        report = _answer(request, folder, progress_fd)
    except GatekeeperError as error:
        problem = error.problems[0]
        refusal = Refusal(what=problem.what, why=problem.why, mend=problem.mend)
        (folder / "refusal.json").write_text(refusal.model_dump_json())
    else:
        (folder / "report.json").write_text(report.model_dump_json())


def _answer(request: Request, folder: Path, progress_fd: int) -> Report:
    import torch

    device = torch.device(_device(request.device))
    _make_deterministic(request.threads)
    model = _load(request, device)
    inputs = np.load(folder / "inputs.npy", allow_pickle=False)
    spacing = np.load(folder / "spacing.npy", allow_pickle=False)
    seeds = np.load(folder / "seeds.npy", allow_pickle=False)
    took: dict[str, float] = {}
    for index, condition in enumerate(request.conditions):
        images = _perturbed(inputs, spacing, seeds, request, condition)
        tell = _teller(progress_fd, index)
        started = time.perf_counter()
        if condition.timed_calls:
            result: NDArray[np.generic] = time_calls(
                model, images, device, condition.warm_up_calls, condition.timed_calls
            )
            name = f"seconds-{index}.npy"
        else:
            result = run_batches(model, images, device, request.batch_size, tell)
            name = f"outputs-{index}.npy"
        took[condition.id] = time.perf_counter() - started
        np.save(folder / name, result, allow_pickle=False)
        tell(len(images))
    return Report(
        device=str(device),
        device_name=torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        torch=torch.__version__,
        cuda=torch.version.cuda if device.type == "cuda" else None,
        deterministic=torch.are_deterministic_algorithms_enabled(),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        inference_seconds=took,
    )


def _device(wanted: str) -> str:
    import torch

    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise UsageError(Code.MISMATCH, "no CUDA device can be used here", mend="set engine.device=cpu, or auto")
    return "cuda" if there and wanted != "cpu" else "cpu"


def _make_deterministic(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    # The same switch as use_deterministic_algorithms, which would import the compiler as well: four seconds.
    torch.set_deterministic_debug_mode("error")
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def _load(request: Request, device: torch.device) -> torch.nn.Module:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from gatekeeper.candidate.architectures import ARCHITECTURES

    try:
        weights = load_file(request.artefact)
        model = ARCHITECTURES.get(request.architecture.name).build(**request.architecture.arguments)
        model.load_state_dict(weights, strict=True)
    except (SafetensorError, RuntimeError, TypeError) as error:
        raise UsageError(
            Code.MISMATCH,
            f"the artefact does not fit the architecture {request.architecture.name}",
            why=type(error).__name__,
            mend="check artefact, architecture.name and architecture.arguments in the candidate's YAML",
        ) from error
    return model.to(device).eval()


def _perturbed(
    inputs: NDArray[np.float32],
    spacing: NDArray[np.float64],
    seeds: NDArray[np.uint64],
    request: Request,
    condition: Condition,
) -> NDArray[np.float32]:
    if condition.perturbation is None or condition.magnitude is None:
        return inputs
    from gatekeeper.perturbations import PERTURBATIONS

    apply = PERTURBATIONS.get(condition.perturbation).apply
    row = seeds[request.perturbations.index(condition.perturbation)]
    return apply(inputs[:, 0], spacing, condition.magnitude, row)[:, np.newaxis]


def _teller(progress_fd: int, condition: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        os.write(progress_fd, f"{json.dumps([condition, done])}\n".encode())

    return tell


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

"""A model over arrays: the loop that every condition goes through."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch


def run_batches(
    model: torch.nn.Module,
    inputs: NDArray[np.float32],
    device: torch.device,
    batch_size: int,
    progress: Callable[[int], None] = lambda done: None,
) -> NDArray[np.float32]:
    """Return the model's outputs for ``inputs`` of shape (n, channels, rows, columns), stacked over batches.

    Shape (n, ...) as the model gives it; nothing is checked here. ``progress`` is told how many cases are done.
    """
    import torch

    outputs = []
    with torch.inference_mode():
        for start in range(0, len(inputs), batch_size):
            batch = torch.from_numpy(inputs[start : start + batch_size]).to(device, non_blocking=True)
            outputs.append(model(batch))
            progress(min(start + batch_size, len(inputs)))
        return np.asarray(torch.cat(outputs).float().cpu().numpy())


def time_calls(
    model: torch.nn.Module, inputs: NDArray[np.float32], device: torch.device, warm_up: int, calls: int
) -> NDArray[np.float64]:
    """Return the seconds of ``calls`` answers to single cases, taken in turn, after ``warm_up`` unrecorded ones.

    One call is the transfer of one case to the device, the forward pass, and the transfer back (which waits for a
    GPU to finish). Monotonic clock.
    """
    import torch

    seconds = np.empty(calls, dtype=np.float64)
    with torch.inference_mode():
        for call in range(-warm_up, calls):
            case = torch.from_numpy(inputs[call % len(inputs)][np.newaxis])
            started = time.perf_counter()
            model(case.to(device)).cpu()
            if call >= 0:
                seconds[call] = time.perf_counter() - started
    return seconds

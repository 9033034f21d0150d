"""The same numbers from the same input: switches of torch, set when torch is there."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass
class _Asked:
    """Whether this process, which runs one candidate, was asked to compute deterministically."""

    deterministic: bool = False


_ASKED = _Asked()


def make_deterministic(threads: int) -> None:
    """Ask for deterministic algorithms alone, in this process, from now on.

    torch is set where it is imported already, and else by the adapter that imports it: ONNX does without.
    """
    _ASKED.deterministic = True
    if "torch" in sys.modules:
        set_up_torch(threads)


def is_deterministic() -> bool:
    """Whether deterministic algorithms were asked for."""
    return _ASKED.deterministic


def set_up_torch(threads: int) -> None:
    """Set torch's threads, its deterministic algorithms where asked for, and turn TF32 off.

    TF32 is on for convolutions unless told otherwise; a setting of numeric format ``tf32`` turns it on.
    """
    import torch

    torch.set_num_threads(threads)
    if _ASKED.deterministic:
        # The same switch as use_deterministic_algorithms, which would import the compiler as well: four seconds.
        torch.set_deterministic_debug_mode("error")
        # New memory is not filled, which would take 2 to 7 % of a forward pass: what a network reads that nobody wrote
        # shows in its reruns.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    allow_tf32(False)


def allow_tf32(allowed: bool) -> None:
    """Let CUDA round the factors of products to TF32, or not."""
    import torch

    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed

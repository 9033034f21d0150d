"""TorchScript: a network with its code, which can write files. Needs trust."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.candidate.adapters.determinism import is_deterministic, set_up_torch
from gatekeeper.candidate.adapters.model import Model
from gatekeeper.candidate.adapters.networks import Network
from gatekeeper.candidate.contract import Contract

if TYPE_CHECKING:
    import torch


def load_torchscript(contract: Contract, folder: Path, device: str, threads: int) -> Model:
    """Load a scripted or traced network."""
    set_up_torch(threads)
    assert contract.artefact is not None
    return Network(read_torchscript(folder / contract.artefact, device), contract, device)


def read_torchscript(path: Path, device: str) -> torch.nn.Module:
    """Return the network in evaluation mode on a device."""
    import torch

    with warnings.catch_warnings():
        # Of torch 2.9 and later: deprecated, and what hospitals have.
        warnings.filterwarnings("ignore", message=".*torch.jit.*deprecated", category=DeprecationWarning)
        if is_deterministic():
            # Fused kernels are made after the first calls, so that the same input would get another answer then.
            torch.jit.set_fusion_strategy([("STATIC", 0), ("DYNAMIC", 0)])
        module: torch.nn.Module = torch.jit.load(str(path), map_location=device)  # type: ignore[no-untyped-call]
    return module.eval()

"""safetensors: weights alone, for a registered architecture. Nothing that is read can run."""

from __future__ import annotations

from pathlib import Path

from gatekeeper.candidate.adapters.determinism import set_up_torch
from gatekeeper.candidate.adapters.model import Model
from gatekeeper.candidate.adapters.networks import Network
from gatekeeper.candidate.contract import Contract
from gatekeeper.errors import Code, UsageError


def load_weights(contract: Contract, folder: Path, device: str, threads: int) -> Model:
    """Build the architecture and give it the weights, every one of them and no other."""
    set_up_torch(threads)
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from gatekeeper.candidate.architectures import ARCHITECTURES

    assert contract.architecture is not None
    assert contract.artefact is not None
    name, arguments = contract.architecture.name, contract.architecture.arguments
    try:
        weights = load_file(folder / contract.artefact)
        module = ARCHITECTURES.get(name).build(**arguments)
        module.load_state_dict(weights, strict=True)
    except (SafetensorError, RuntimeError, TypeError) as error:
        raise UsageError(
            Code.MISMATCH,
            f"the artefact does not fit the architecture {name}",
            why=type(error).__name__,
            mend="check artefact, architecture.name and architecture.arguments in the candidate's YAML",
        ) from error
    return Network(module.to(device).eval(), contract, device, reads_only=True)

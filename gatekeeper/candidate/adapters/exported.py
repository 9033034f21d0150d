"""torch.export: a graph in a .pt2 file, which can run code when it is read. Needs trust."""

from __future__ import annotations

from pathlib import Path

from gatekeeper.candidate.adapters.determinism import set_up_torch
from gatekeeper.candidate.adapters.graph_inputs import GraphInput, check_input
from gatekeeper.candidate.adapters.model import Model
from gatekeeper.candidate.adapters.networks import Network
from gatekeeper.candidate.contract import Contract


def load_exported(contract: Contract, folder: Path, device: str, threads: int) -> Model:
    """Load an exported program and hold its input against the contract."""
    set_up_torch(threads)
    import torch
    from torch.export.passes import move_to_device_pass

    assert contract.artefact is not None
    program = torch.export.load(str(folder / contract.artefact))
    values = {node.name: node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder"}
    inputs = []
    for name in program.graph_signature.user_inputs:
        value = values.get(str(name))
        if isinstance(value, torch.Tensor):
            shape = tuple(length if isinstance(length, int) else None for length in value.shape)
            inputs.append(GraphInput(str(value.dtype).removeprefix("torch."), shape))
    check_input(inputs, contract)
    if device != "cpu":
        program = move_to_device_pass(program, device)
    # Such a module has no modes: what it does in evaluation was fixed when it was exported.
    return Network(program.module(), contract, device)

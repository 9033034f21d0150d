"""MONAI bundles: the network that a configuration describes, with its weights. A configuration is code: needs trust."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatekeeper.candidate.adapters.determinism import set_up_torch
from gatekeeper.candidate.adapters.model import Model
from gatekeeper.candidate.adapters.networks import Network
from gatekeeper.candidate.adapters.sliding import require_monai
from gatekeeper.candidate.adapters.torchscript import read_torchscript
from gatekeeper.candidate.contract import Contract
from gatekeeper.errors import Code, UsageError

if TYPE_CHECKING:
    import torch

_CONFIGURATIONS = ("configs/inference.json", "configs/inference.yaml", "configs/inference.yml")
_NETWORK_KEYS = ("network_def", "network")
# Under which a training script may have put the weights, in the order in which they are tried.
_WEIGHT_KEYS = ("state_dict", "model", "network", "net")


def load_monai_bundle(contract: Contract, folder: Path, device: str, threads: int) -> Model:
    """Load the network of ``configs/inference`` with ``models/model.pt``, or else ``models/model.ts``.

    Pre- and post-processing of the bundle are not run: the contract's input says how images are prepared.
    """
    require_monai("the format monai_bundle")
    set_up_torch(threads)
    assert contract.artefact is not None
    bundle = folder / contract.artefact
    weights, script = bundle / "models" / "model.pt", bundle / "models" / "model.ts"
    configuration = next((bundle / name for name in _CONFIGURATIONS if (bundle / name).is_file()), None)
    if weights.is_file() and configuration is not None:
        module = _network(configuration, bundle)
        module.load_state_dict(read_state(weights), strict=True)
        return Network(module.to(device).eval(), contract, device)
    if script.is_file():
        return Network(read_torchscript(script, device), contract, device)
    raise UsageError(
        Code.MISMATCH,
        "the bundle holds no network with weights",
        why="there must be configs/inference.json (or .yaml) and models/model.pt, or models/model.ts",
        mend="make artefact the bundle's own folder",
    )


def _network(configuration: Path, bundle: Path) -> torch.nn.Module:
    from monai.bundle.config_parser import ConfigParser
    from torch import nn

    parser = ConfigParser()
    parser.read_config(str(configuration))
    parser["bundle_root"] = str(bundle)
    key = next((key for key in _NETWORK_KEYS if key in parser), None)
    if key is None:
        raise UsageError(
            Code.MISMATCH,
            "the bundle's configuration has no network",
            mend=f"it must have a key {' or '.join(_NETWORK_KEYS)}",
        )
    # Imports that the configuration asks for are known only once they were evaluated.
    if "imports" in parser:
        parser.get_parsed_content("imports")
    # The definition, without the device to which a configuration may send it.
    network = parser.get_parsed_content(key)
    if not isinstance(network, nn.Module):
        raise TypeError(type(network).__name__)
    return network


def read_state(path: Path) -> Mapping[str, Any]:
    """Return the weights of a file. What is more than plain tensors is refused by torch."""
    import torch

    loaded = torch.load(path, map_location="cpu", weights_only=True)
    for key in _WEIGHT_KEYS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            return dict(loaded[key])
    if not isinstance(loaded, Mapping):
        raise TypeError(type(loaded).__name__)
    return loaded

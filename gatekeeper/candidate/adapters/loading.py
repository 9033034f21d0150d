"""From a contract and a folder of verified files to a Model: one function a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from gatekeeper.candidate.adapters.command import load_command
from gatekeeper.candidate.adapters.exported import load_exported
from gatekeeper.candidate.adapters.model import Model
from gatekeeper.candidate.adapters.monai_bundle import load_monai_bundle
from gatekeeper.candidate.adapters.onnx_graph import load_onnx
from gatekeeper.candidate.adapters.plugin import load_plugin
from gatekeeper.candidate.adapters.torchscript import load_torchscript
from gatekeeper.candidate.adapters.weights import load_weights
from gatekeeper.candidate.contract import Contract, Format
from gatekeeper.errors import Code, GatekeeperError, UsageError

Loader = Callable[[Contract, Path, str, int], Model]

LOADERS: Mapping[Format, Loader] = MappingProxyType(
    {
        "safetensors": load_weights,
        "onnx": load_onnx,
        "torchscript": load_torchscript,
        "export": load_exported,
        "monai_bundle": load_monai_bundle,
        "python": load_plugin,
        "command": load_command,
    }
)


_MEND: Mapping[type[BaseException], str] = MappingProxyType(
    dict.fromkeys((MemoryError, ImportError, OSError), "check its files; if memory is short: engine.candidate_memory")
)


def load(contract: Contract, folder: Path, device: str, threads: int) -> Model:
    """Make a candidate ready. To be called behind the walls of the worker: some formats run code when they are read.

    Parameters
    ----------
    contract : what the candidate declares
    folder : holds the artefact and further files under their relative names, verified
    device : ``cpu`` or ``cuda``
    threads : how many the computation uses on a CPU, from 1

    Raises UsageError: MISMATCH when the files are not what the contract says (with the type of the exception alone,
    whose text may be the candidate's), MISSING_PACKAGE when the format needs one that is not installed.
    """
    loader = LOADERS.get(contract.format)
    if loader is None:
        raise UsageError(
            Code.MISMATCH,
            f"nothing can be run of the format {contract.format}",
            mend="its predictions are read, not made",
        )
    try:
        return loader(contract, folder, device, threads)
    except GatekeeperError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(
            Code.MISMATCH,
            f"the artefact cannot be loaded as {contract.format}",
            why=type(error).__name__,
            mend=_MEND.get(type(error), "check format, artefact and files in the candidate's YAML"),
        ) from error

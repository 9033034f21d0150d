"""The demo's network as a candidate of every format, made for the discs of ``made_up_bench``."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

from made_up_bench import WEIGHTS

if TYPE_CHECKING:
    from torch import nn

INPUT = "input: {size: [64, 64], spacing_mm: [0.75, 0.75], intensity: {zero_at: 0, one_at: 255}}\n"
OUTPUT = "output: {kind: logit, classes: [small, large], positive: large}\noperating_point: 0.5\n"
PROBABILITY = OUTPUT.replace("logit", "probability")


def write_yaml(folder: Path, form: str, lines: str, given: str = INPUT, output: str = OUTPUT) -> Path:
    """Write a candidate's YAML beside its files."""
    path = folder / "candidate.yaml"
    path.write_text(f"description: made up for tests\nformat: {form}\n{lines}{given}{output}")
    return path


def write_package(folder: Path, name: str, code: str) -> None:
    """Write a distribution of one module that offers its ``load`` as a plug-in of the same name."""
    facts = folder / f"{name}-1.0.dist-info"
    facts.mkdir(parents=True)
    (folder / f"{name}.py").write_text(dedent(code))
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[gatekeeper.candidates]\n{name} = {name}:load\n")


def write_onnx(module: nn.Module, path: Path, *, axes: int = 2, channels: int = 1, size: int | None = 64) -> None:
    """Export a network with free batches, and free sizes where ``size`` is None."""
    import torch

    free = {0: "n"} | ({} if size else {axis: f"size{axis}" for axis in range(2, 2 + axes)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, which is older than that of torch.export
        torch.onnx.export(
            module,
            (torch.zeros(1, channels, *(size or 8,) * axes),),
            str(path),
            dynamo=False,
            input_names=["images"],
            output_names=["answers"],
            dynamic_axes={"images": free, "answers": free if axes == 3 else {0: "n"}},
        )


def write_torchscript(module: nn.Module, path: Path, *, axes: int = 2, size: int = 64) -> None:
    """Trace a network."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated
        torch.jit.save(torch.jit.trace(module, torch.zeros(2, 1, *(size,) * axes)), str(path))


def demo_network() -> nn.Module:
    """Return the demo's network."""
    from safetensors.torch import load_file

    from gatekeeper.candidate.architectures import ARCHITECTURES

    network = ARCHITECTURES.get("nodule_cnn").build()
    network.load_state_dict(load_file(WEIGHTS))
    return network.eval()


def as_safetensors(folder: Path) -> Path:
    """Weights for a registered architecture."""
    shutil.copy(WEIGHTS, folder / "weights.safetensors")
    return write_yaml(folder, "safetensors", "artefact: weights.safetensors\narchitecture: {name: nodule_cnn}\n")


def as_onnx(folder: Path) -> Path:
    """A graph for onnxruntime."""
    write_onnx(demo_network(), folder / "network.onnx")
    return write_yaml(folder, "onnx", "artefact: network.onnx\n")


def as_torchscript(folder: Path) -> Path:
    """A traced network."""
    write_torchscript(demo_network(), folder / "network.ts")
    return write_yaml(folder, "torchscript", "artefact: network.ts\nproducer: trusted\n")


def as_export(folder: Path) -> Path:
    """An exported program."""
    import torch

    shapes = ({0: torch.export.Dim("n")},)
    program = torch.export.export(demo_network(), (torch.zeros(2, 1, 64, 64),), dynamic_shapes=shapes)
    torch.export.save(program, folder / "network.pt2")
    return write_yaml(folder, "export", "artefact: network.pt2\nproducer: trusted\n")


def as_monai_bundle(folder: Path) -> Path:
    """A bundle of MONAI whose configuration makes the network."""
    import torch

    (folder / "bundle" / "configs").mkdir(parents=True)
    (folder / "bundle" / "models").mkdir()
    configuration = {
        "imports": ["$from gatekeeper.candidate.architectures import ARCHITECTURES"],
        "network_def": "$ARCHITECTURES.get('nodule_cnn').build()",
    }
    (folder / "bundle" / "configs" / "inference.json").write_text(json.dumps(configuration))
    torch.save(demo_network().state_dict(), folder / "bundle" / "models" / "model.pt")
    return write_yaml(folder, "monai_bundle", "artefact: bundle\nproducer: trusted\n")


_PLUGIN = """
    def load(folder, device):
        import onnxruntime

        session = onnxruntime.InferenceSession(str(folder / "package" / "network.onnx"))
        return lambda case: session.run(None, {"images": case.image[None]})[0][0, 0]
"""


def as_python(folder: Path) -> Path:
    """A plug-in that comes with its package."""
    write_package(folder / "package", "made_up_plugin", _PLUGIN)
    write_onnx(demo_network(), folder / "package" / "network.onnx")
    return write_yaml(folder, "python", "plugin: made_up_plugin\nartefact: package\nproducer: trusted\n")


_PROGRAM = """
    import json
    import sys
    from pathlib import Path

    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(str(Path(__file__).with_name("network.onnx")))
    given, wanted = map(Path, sys.argv[1:])
    for case in sorted(given.glob("*.npy")):
        logit = session.run(None, {"images": np.load(case)[None]})[0][0, 0]
        (wanted / f"{case.stem}.json").write_text(json.dumps({"logit": float(logit)}))
"""


def as_command(folder: Path) -> Path:
    """A shell script that calls a program of Python."""
    write_onnx(demo_network(), folder / "network.onnx")
    (folder / "answer.py").write_text(dedent(_PROGRAM))
    (folder / "run.sh").write_text(f'#!/bin/sh\nexec {sys.executable} "$(dirname "$0")/answer.py" "$@"\n')
    lines = 'artefact: run.sh\nfiles: [answer.py, network.onnx]\ncommand: [run.sh, "{input}", "{output}"]\n'
    return write_yaml(folder, "command", lines)


def as_table(folder: Path, scores: Mapping[str, float]) -> Path:
    """Predictions in a CSV table."""
    with (folder / "scores.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("case_id", "output"), *scores.items()])
    return write_yaml(folder, "predictions", "artefact: scores.csv\n", output=PROBABILITY)


def as_parquet(folder: Path, scores: Mapping[str, float]) -> Path:
    """Predictions in a table of Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"case_id": list(scores), "output": list(scores.values())}), folder / "scores.parquet")
    return write_yaml(folder, "predictions", "artefact: scores.parquet\n", output=PROBABILITY)


FORMATS: Mapping[str, Callable[[Path], Path]] = {
    "safetensors": as_safetensors,
    "onnx": as_onnx,
    "torchscript": as_torchscript,
    "export": as_export,
    "monai_bundle": as_monai_bundle,
    "python": as_python,
    "command": as_command,
}

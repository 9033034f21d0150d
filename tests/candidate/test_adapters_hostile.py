"""Candidates that mean harm, behind the walls of the worker. Each is tried without walls too, so that it is real.

A canary is a file outside the folders of the worker: it must appear without walls, and never within.
"""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from made_up_candidates import contract
from pydantic import ValidationError

from gatekeeper.candidate.contract import Contract
from gatekeeper.candidate.isolation import Confinement, Level, start, usable_levels

PROGRAM = """
import sys
from pathlib import Path
folder, confinement, level, *contracts = sys.argv[1:]
if level != "none":
    from gatekeeper.candidate.isolation import Confinement, confine
    confine(Confinement.model_validate_json(confinement), level)
import numpy as np
from gatekeeper.candidate.adapters import Batch, CaseFacts, Setting, load
from gatekeeper.candidate.contract import Contract
for contract in contracts:
    try:
        model = load(Contract.model_validate_json(contract), Path(folder), "cpu", 1)
        images = np.ones((1, 1, 4, 4), dtype=np.float32)
        model.fetch(model.forward(model.stage(Batch(images, (CaseFacts(),))), Setting()))
        print("answered")
    except Exception as error:
        print(type(error).__name__)
print("done")
"""


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return open, (str(self.canary), "w")


def said(declared: Sequence[Contract], folder: Path, level: Level | None) -> str:
    """Load and call candidates in one process, within walls or without; return what it printed."""
    work = folder.parent / "work"
    work.mkdir(exist_ok=True)
    walls = Confinement(read=(str(folder),), write=str(work), memory_bytes=8 << 30, file_bytes=1 << 20)
    given = [str(folder), walls.model_dump_json(), "none" if level is None else level.value]
    line = [sys.executable, "-I", "-c", PROGRAM, *given, *(one.model_dump_json() for one in declared)]
    if level is None:
        return subprocess.run(line, capture_output=True, text=True, check=False, cwd=work).stdout
    reading, writing = os.pipe()
    process = start(line, walls, level, environment={"HOME": str(work), "TMPDIR": str(work)}, output=writing)
    os.close(writing)
    with open(reading) as stream:
        printed = stream.read()
    process.wait(60)
    return printed


def saving_torchscript(path: Path, canary: Path) -> None:
    """Make a network whose forward pass writes a file."""
    program = (
        "import torch\n"
        "class Saves(torch.nn.Module):\n"
        "    def forward(self, images: torch.Tensor) -> torch.Tensor:\n"
        f"        torch.save(images, {str(canary)!r})\n"
        "        return images.mean(dim=(1, 2, 3))\n"
        f"torch.jit.save(torch.jit.script(Saves()), {str(path)!r})\n"
    )
    source = path.with_suffix(".py")  # TorchScript reads the source of what it compiles
    source.write_text(program)
    subprocess.run([sys.executable, str(source)], check=True, capture_output=True)


def hostile_bundle(folder: Path, **network: Any) -> None:
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    (folder / "configs/inference.json").write_text(json.dumps({"network_def": network}))
    torch.save({}, folder / "models/model.pt")


def exported(path: Path) -> None:
    program = (
        "import sys, torch\n"
        "class Means(torch.nn.Module):\n"
        "    def forward(self, images): return images.mean(dim=(1, 2, 3))\n"
        "made = torch.export.export(Means(), (torch.rand(2, 1, 4, 4),), dynamic_shapes=({0: torch.export.Dim('n')},))\n"
        "torch.export.save(made, sys.argv[1])\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, capture_output=True)


def changed(path: Path, plain: Path, change: Callable[[str, bytes], bytes]) -> None:
    with zipfile.ZipFile(plain) as archive, zipfile.ZipFile(path, "w") as written:
        for member in archive.infolist():
            written.writestr(member.filename, change(member.filename, archive.read(member)))


def evil_sample(canary: Path) -> Callable[[str, bytes], bytes]:
    stream = io.BytesIO()
    torch.save(((Evil(canary),), {}), stream)
    return lambda name, data: stream.getvalue() if "/sample_inputs/" in name else data


def evil_expression(canary: Path) -> Callable[[str, bytes], bytes]:
    def change(name: str, data: bytes) -> bytes:
        if not name.endswith("models/model.json"):
            return data
        document = json.loads(data)
        replace(document, f"open({str(canary)!r}, 'w')")
        return json.dumps(document).encode()

    return change


def replace(item: Any, text: str) -> None:
    if isinstance(item, dict):
        if isinstance(item.get("expr_str"), str):
            item["expr_str"] = text
        for inner in item.values():
            replace(inner, text)
    elif isinstance(item, list):
        for inner in item:
            replace(inner, text)


@pytest.fixture(scope="module")
def attacks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Path, Contract]]:
    """Make a candidate for each attack; return their folder, and the contract of each by the canary it would leave."""
    parent = tmp_path_factory.mktemp("hostile")
    folder = parent / "model"
    folder.mkdir()
    names = ("saves", "bundle_expression", "bundle_target", "sample_inputs", "export_expression")
    canaries = {name: parent / f"canary_{name}" for name in names}
    saving_torchscript(folder / "saves", canaries["saves"])
    opened = str(canaries["bundle_expression"])
    hostile_bundle(folder / "bundle_expression", _target_="torch.nn.Identity", name=f"$open({opened!r}, 'w')")
    hostile_bundle(folder / "bundle_target", _target_="builtins.open", file=str(canaries["bundle_target"]), mode="w")
    exported(parent / "plain.pt2")
    changed(folder / "sample_inputs", parent / "plain.pt2", evil_sample(canaries["sample_inputs"]))
    changed(folder / "export_expression", parent / "plain.pt2", evil_expression(canaries["export_expression"]))
    forms = {"saves": "torchscript", "sample_inputs": "export", "export_expression": "export"}
    return folder, {
        canaries[name]: contract(forms.get(name, "monai_bundle"), artefact=name, input={"size": [4, 4]})
        for name in names
    }


def test_the_attacks_are_real(attacks: tuple[Path, dict[Path, Contract]]) -> None:
    folder, contracts = attacks
    said(list(contracts.values()), folder, None)
    for canary in contracts:
        assert canary.exists(), "torch or MONAI have changed: this is no attack any more"
        canary.unlink()


@pytest.mark.parametrize("level", list(Level))
def test_what_runs_code_reaches_nothing_outside(attacks: tuple[Path, dict[Path, Contract]], level: Level) -> None:
    if level not in usable_levels():
        pytest.skip("this isolation does not work on this machine")
    folder, contracts = attacks
    assert said(list(contracts.values()), folder, level).splitlines()[-1] == "done"
    assert not [canary.name for canary in contracts if canary.exists()]


@pytest.mark.parametrize("form", ["torchscript", "export", "monai_bundle", "python"])
def test_what_can_run_code_needs_trust(form: str) -> None:
    keys = {"plugin": "made_up"} if form == "python" else {}
    with pytest.raises(ValidationError, match="trusted"):
        contract(form, producer="untrusted", **keys)


def pickle_of(folder: Path, canary: Path) -> None:
    torch.save({"weight": Evil(canary)}, folder / "model")


def no_zip_pickle_of(folder: Path, canary: Path) -> None:
    torch.save({"weight": Evil(canary)}, folder / "model", _use_new_zipfile_serialization=False)


def overlong_header(folder: Path, canary: Path) -> None:
    (folder / "model").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")


def wrong_offsets(folder: Path, canary: Path) -> None:
    header = b'{"0.weight": {"dtype": "F32", "shape": [1000000000], "data_offsets": [0, 4000000000]}}'
    (folder / "model").write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))


@pytest.mark.parametrize(
    ("form", "make"),
    [
        *[("safetensors", make) for make in (pickle_of, no_zip_pickle_of, overlong_header, wrong_offsets)],
        *[(form, make) for form in ("torchscript", "onnx", "monai_bundle") for make in (pickle_of, no_zip_pickle_of)],
    ],
)
def test_a_pickle_in_place_of_a_model_is_never_unpickled(
    tmp_path: Path, form: str, make: Callable[[Path, Path], None]
) -> None:
    from gatekeeper.candidate.adapters import load
    from gatekeeper.errors import Code, UsageError

    folder, canary = tmp_path, tmp_path / "canary"
    keys: dict[str, Any] = {"architecture": {"name": "nodule_cnn"}} if form == "safetensors" else {}
    if form == "monai_bundle":
        hostile_bundle(folder / "model", _target_="torch.nn.Identity")
        folder = tmp_path / "model/models"
    make(folder, canary)
    if form == "monai_bundle":
        (folder / "model").rename(folder / "model.pt")
    with pytest.raises(UsageError) as caught:
        load(contract(form, **keys), tmp_path, "cpu", 1)
    assert caught.value.problems[0].code is Code.MISMATCH
    assert not canary.exists()

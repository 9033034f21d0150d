"""What `gatekeeper candidate inspect` tells. Oracles: hashlib, the safetensors library, the modules and graphs."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import struct
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up_candidates import DEMO_WEIGHTS
from onnx import TensorProto, helper
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from gatekeeper.candidate.adapters.anatomy import Sign
from gatekeeper.candidate.adapters.anatomy_onnx import _by_onnxruntime
from gatekeeper.candidate.adapters.anatomy_torch import _ARITHMETIC, dissect_bundle, dissect_exported
from gatekeeper.candidate.adapters.dissection import dissect
from gatekeeper.candidate.architectures import ARCHITECTURES
from gatekeeper.candidate.inspection import NO_PROOF, Inspection, inspect, read_safetensors_header
from gatekeeper.errors import Code, UsageError

SOUND = DEMO_WEIGHTS.with_name("sound.yaml")


def told(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "gatekeeper", *arguments], capture_output=True, text=True, check=False)


# Safetensors: the header, read here


def test_a_header_tells_what_the_library_reads() -> None:
    found = read_safetensors_header(DEMO_WEIGHTS)
    weights = load_file(DEMO_WEIGHTS)
    assert found.tensors == len(weights)
    assert found.parameters == sum(tensor.numel() for tensor in weights.values())
    assert found.dtypes == {"F32": len(weights)}


def test_all_dtypes_and_empty_files_are_read(tmp_path: Path) -> None:
    kinds = (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int8, torch.uint8, torch.bool)
    path = tmp_path / "many.safetensors"
    save_file({str(kind): torch.zeros(3, 2, dtype=kind) for kind in kinds} | {"none": torch.zeros(0, 4)}, path)
    found = read_safetensors_header(path)
    assert found.tensors == len(kinds) + 1
    assert found.parameters == 3 * 6
    save_file({}, path)
    assert read_safetensors_header(path).tensors == 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 900), change=st.integers(1, 255), cut=st.integers(0, 40))
def test_what_the_library_refuses_is_refused(tmp_path: Path, position: int, change: int, cut: int) -> None:
    data = bytearray(DEMO_WEIGHTS.read_bytes())
    data[position] ^= change
    path = tmp_path / "flipped.safetensors"
    path.write_bytes(data[: len(data) - cut])
    try:
        read_safetensors_header(path)
    except (ValueError, RecursionError):
        return
    try:
        with safe_open(path, "pt"):
            pass
    except SafetensorError:  # pragma: no cover
        pytest.fail("the library refuses what was taken")


@pytest.mark.parametrize(
    "header",
    [
        '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "a": {}}',
        '{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}',
        '{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, -4]}}',
        '{"a": {"dtype": "F32", "shape": [true], "data_offsets": [0, 4]}}',
        '{"a": {"dtype": "OBJ", "shape": [1], "data_offsets": [0, 4]}}',
        '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], "more": 1}}',
        '{"a": {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}}',
        '{"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}',
        '{"a": 1}',
        "[]",
        "[" * 50_000,
    ],
)
def test_a_header_that_does_not_hold_is_refused(tmp_path: Path, header: str) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(4))
    with pytest.raises((ValueError, RecursionError)):
        read_safetensors_header(path)
    found = inspect(path)
    assert found.parse_error is not None
    assert found.anatomy.signs == (Sign.NOT_PARSED,)


@pytest.mark.parametrize("length", [0, 1, 1 << 40, (1 << 64) - 1])
def test_a_header_without_end_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b"{}" * 20)
    with pytest.raises(ValueError, match="header"):
        read_safetensors_header(path)


# The list of files


def test_a_candidate_is_named_by_its_yaml_and_its_files_by_sha256() -> None:
    from gatekeeper.candidate import load_candidate

    found = inspect(SOUND)
    assert found.digest == load_candidate(SOUND).record.digest
    (file,) = found.files
    data = DEMO_WEIGHTS.read_bytes()
    assert (file.path, file.sha256, file.size) == (DEMO_WEIGHTS.name, hashlib.sha256(data).hexdigest(), len(data))
    assert not found.needs_trust
    assert found.producer == "trusted"
    assert found.advice == (NO_PROOF,)
    assert Inspection.model_validate_json(json.dumps(found.to_json())) == found


def bundle(folder: Path, weights: object) -> Path:
    made = folder / "bundle"
    (made / "configs").mkdir(parents=True)
    (made / "models").mkdir()
    written = {"network_def": {"_target_": "UNet", "spatial_dims": 2}, "device": "$torch.device('cpu')"}
    (made / "configs/inference.json").write_text(json.dumps(written))
    (made / "configs/more.yaml").write_text("a: {_target_: os.system}\nb: [{_target_: UNet}]\n")
    torch.save(weights, made / "models/model.pt")
    return made


def test_the_list_of_a_folder_is_sorted_and_has_every_file(tmp_path: Path) -> None:
    found = inspect(bundle(tmp_path, {"a": torch.zeros(3)}))
    paths = [file.path for file in found.files]
    assert paths == ["bundle/configs/inference.json", "bundle/configs/more.yaml", "bundle/models/model.pt"]
    assert found.format == "monai_bundle"
    assert found.anatomy.operators == {"UNet": 2, "os.system": 1}
    assert found.anatomy.signs == (Sign.PICKLE, Sign.EXPRESSIONS, Sign.TARGETS)
    assert found.anatomy.parameters == 3
    assert found.why is not None
    assert "_target_" in found.why


@pytest.mark.parametrize("where", ["itself", "within"])
def test_a_link_is_refused(tmp_path: Path, where: str) -> None:
    made = bundle(tmp_path, {})
    path = made / "models/link.pt" if where == "within" else tmp_path / "link.safetensors"
    path.symlink_to(DEMO_WEIGHTS)
    with pytest.raises(UsageError) as caught:
        inspect(made if where == "within" else path)
    assert caught.value.problems[0].code is Code.FORBIDDEN


def test_what_is_not_there_or_of_no_known_name_is_said(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"")
    for path, code in ((tmp_path / "none.onnx", Code.FILE_NOT_FOUND), (tmp_path / "model.bin", Code.BAD_VALUE)):
        with pytest.raises(UsageError) as caught:
            inspect(path)
        assert caught.value.problems[0].code is code


# Formats


def graph(path: Path, domain: str = "", location: str | None = None) -> None:
    weight = helper.make_tensor("weight", TensorProto.FLOAT, [4], [1.0] * 4)
    if location is not None:
        weight.ClearField("float_data")
        weight.data_location = TensorProto.EXTERNAL
        entry = weight.external_data.add()
        entry.key, entry.value = "location", location
    then = helper.make_graph(
        [helper.make_node("Relu", ["images"], ["then_out"])],
        "then",
        [],
        [helper.make_tensor_value_info("then_out", TensorProto.FLOAT, None)],
    )
    otherwise = helper.make_graph(
        [helper.make_node("Add", ["images", "weight"], ["else_out"])],
        "else",
        [],
        [helper.make_tensor_value_info("else_out", TensorProto.FLOAT, None)],
    )
    made = helper.make_graph(
        [
            helper.make_node("ReduceSum", ["images"], ["sum"], keepdims=0),
            helper.make_node("Cast", ["sum"], ["yes"], to=TensorProto.BOOL),
            helper.make_node("If", ["yes"], ["out"], then_branch=then, else_branch=otherwise),
            *([helper.make_node("Own", ["out"], ["own"], domain=domain)] if domain else []),
        ],
        "branches",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 4])],
        [weight],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    path.write_bytes(helper.make_model(made, opset_imports=opsets, ir_version=8).SerializeToString())


def test_a_graph_is_counted_with_its_branches(tmp_path: Path) -> None:
    graph(tmp_path / "model.onnx")
    found = inspect(tmp_path / "model.onnx").anatomy
    assert found.operators == {"ReduceSum": 1, "Cast": 1, "If": 1, "Relu": 1, "Add": 1}
    assert found.opsets == {"ai.onnx": 17}
    assert [(port.name, port.dtype, port.shape) for port in found.inputs] == [("images", "float", "n x 4")]
    assert found.parameters == 4
    assert found.signs == ()
    assert [port.name for port in _by_onnxruntime(tmp_path / "model.onnx").inputs] == ["images"]


@pytest.mark.parametrize(
    ("domain", "location", "signs"),
    [
        ("of.mine", None, (Sign.OWN_OPERATORS,)),
        ("", "../labels.bin", (Sign.DATA_OUTSIDE,)),
        ("", "/etc/passwd", (Sign.DATA_OUTSIDE,)),
        ("", "weights.bin", ()),
    ],
)
def test_what_a_graph_asks_for_is_shown(
    tmp_path: Path, domain: str, location: str | None, signs: tuple[Sign, ...]
) -> None:
    graph(tmp_path / "model.onnx", domain, location)
    found = dissect("onnx", tmp_path / "model.onnx")
    assert found.signs == signs
    assert found.external == (() if location is None else (location,))


def scripted(path: Path, module: torch.nn.Module) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(module), path)
    return path


def test_torchscript_is_counted(tmp_path: Path) -> None:
    found = inspect(scripted(tmp_path / "model.ts", ARCHITECTURES.get("nodule_cnn").build()))
    assert found.anatomy.operators["aten::conv2d"] == 3
    assert found.anatomy.parameters == 6433
    assert found.needs_trust
    assert found.anatomy.signs == ()


@pytest.mark.parametrize(
    ("name", "data"),
    [("model.pt", pickle.dumps({"a": 1})), ("model.onnx", pickle.dumps({"a": 1})), ("model.pt2", bytes(range(250)))],
)
def test_what_cannot_be_parsed_is_said_by_the_type_of_the_error(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    found = inspect(tmp_path / name)
    assert (found.parse_error or "").isidentifier()
    assert found.anatomy.signs == (Sign.NOT_PARSED,)


class Evil:
    """Would make a file when unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.canary}",)


def exported(path: Path, expression: str, sample: object = None) -> Path:
    """Write what an exported program looks like, as far as it is read."""
    nodes = [{"target": "torch.ops.aten.relu.default"}] * 2
    document = {"graph_module": {"graph": {"nodes": nodes, "sizes": [{"as_expr": {"expr_str": expression}}]}}}
    meta = {"dtype": 7, "sizes": [{"as_int": 3}, {"as_int": 2}]}
    weights = {"config": {"a": {"is_param": True, "use_pickle": False, "tensor_meta": meta}}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/models/model.json", json.dumps(document))
        archive.writestr("model/data/weights/model_weights_config.json", json.dumps(weights))
        if sample is not None:
            archive.writestr("model/data/sample_inputs/model.pt", pickle.dumps(sample))
    return path


def test_an_exported_program_is_read_and_not_loaded(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    path = exported(tmp_path / "model.pt2", f"__import__('os').system('touch {canary}')", Evil(canary))
    found = inspect(path)
    assert found.anatomy.operators == {"torch.ops.aten.relu.default": 2}
    assert found.anatomy.parameters == 6
    assert found.anatomy.signs == (Sign.SAMPLE_INPUTS, Sign.STRANGE_EXPRESSION)
    dissect_exported(path)
    assert not canary.exists()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Symbol('s31', positive=True, integer=True)", True),
        ("Mul(Integer(2), Symbol('s0', positive=True, integer=True))", True),
        ("Max(1, s0) + 3*u12 <= 64", True),
        ("torch.utils._sympy.functions.FloorDiv(s0, 2)", True),
        ("open('x')", False),
        ("Symbol.__class__", False),
        ("Symbol('os.system')", False),
        ("Max(1).real", False),
        ("9" * 100_000 + "x", False),
    ],
)
def test_arithmetic_of_sizes_is_told_from_other_expressions(text: str, plain: bool) -> None:
    assert (not _ARITHMETIC.sub("", text)) is plain


def test_a_pickle_that_calls_more_than_weights_need_is_shown_and_not_unpickled(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    made = bundle(tmp_path, {"a": torch.zeros(1), "b": Evil(canary)})
    found = dissect("monai_bundle", made)
    assert Sign.FOREIGN_PICKLE in found.signs
    assert found.parameters is None
    assert Sign.FOREIGN_PICKLE not in dissect_bundle(bundle(tmp_path / "plain", {"a": torch.zeros(1)})).signs
    assert not canary.exists()


def test_torchscript_that_touches_files_is_shown(tmp_path: Path) -> None:
    class Saves(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            torch.save(images, "/tmp/gatekeeper-made-up-leak")
            return images

    assert dissect("torchscript", scripted(tmp_path / "model.ts", Saves())).signs == (Sign.FILE_OPERATIONS,)


# The command


def test_the_command_prints_lines_and_json(tmp_path: Path) -> None:
    graph(tmp_path / "model.onnx")
    lines = told(["candidate", "inspect", str(tmp_path / "model.onnx")])
    assert lines.returncode == 0, lines.stderr
    assert "operators   " in lines.stdout
    assert "no proof" in lines.stdout
    whole = told(["candidate", "inspect", str(tmp_path / "model.onnx"), "--json"])
    assert Inspection.model_validate_json(whole.stdout).anatomy.parameters == 4


def test_names_in_a_file_cannot_steer_a_terminal(tmp_path: Path) -> None:
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Relu", ["\x1b[31mred"], ["out"])],
            "steering",
            [helper.make_tensor_value_info("\x1b[31mred", TensorProto.FLOAT, [1])],
            [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1])],
        )
    )
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    assert "\x1b" not in told(["candidate", "inspect", str(tmp_path / "model.onnx")]).stdout


def test_a_missing_candidate_is_wrong_usage(tmp_path: Path) -> None:
    ran = told(["candidate", "inspect", str(tmp_path / "none.onnx")])
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr

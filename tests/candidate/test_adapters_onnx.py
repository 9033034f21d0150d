"""ONNX graphs. Oracle: the network that they were exported from; for windows, MONAI on that network."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from made_up_candidates import CALLED, DEMO_WEIGHTS, MASKED, answers, batch, contract, demo
from onnx import TensorProto, helper, numpy_helper

from gatekeeper.candidate.adapters import Setting, load
from gatekeeper.candidate.adapters.onnx_graph import check_runtime
from gatekeeper.candidate.architectures import ARCHITECTURES
from gatekeeper.errors import Code, UsageError


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export the demo's network, and a convolution of volumes; the exporter's own warnings are not ours."""
    from safetensors.torch import load_file

    folder = tmp_path_factory.mktemp("onnx")
    module = ARCHITECTURES.get("nodule_cnn").build()
    module.load_state_dict(load_file(DEMO_WEIGHTS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, network, example, axes in (
            ("demo.onnx", module.eval(), torch.rand(2, 1, 64, 64), {"images": {0: "n"}}),
            ("one.onnx", module.eval(), torch.rand(1, 1, 64, 64), {}),
            ("volume.onnx", volume_network(), torch.rand(2, 1, 8, 8, 8), {"images": dict(enumerate("ncxyz"))}),
        ):
            axes.get("images", {}).pop(1, None)
            torch.onnx.export(
                network, (example,), folder / name, input_names=["images"], dynamic_axes=axes, dynamo=False
            )
    return folder


def volume_network() -> torch.nn.Module:
    torch.manual_seed(8)
    return torch.nn.Sequential(torch.nn.Conv3d(1, 2, 3, padding=1), torch.nn.ReLU()).eval()


def onnx_contract(artefact: str, **keys: Any) -> Any:
    return contract("onnx", artefact=artefact, **keys)


def graph(path: Path, *outputs: str, dtype: int = TensorProto.FLOAT, inputs: int = 1) -> None:
    """Write a graph that gives back the means of its images, once for each output."""
    shape = ["n", 1, 4, 4]
    made = helper.make_graph(
        [helper.make_node("ReduceMean", ["images0"], [name], axes=[2, 3], keepdims=0) for name in outputs],
        "means",
        [helper.make_tensor_value_info(f"images{index}", dtype, shape) for index in range(inputs)],
        [helper.make_tensor_value_info(name, dtype, ["n", 1]) for name in outputs],
    )
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def refused(declared: Any, folder: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load(declared, folder, "cpu", 1)
    return caught.value


def test_a_graph_answers_as_the_weights_that_it_was_made_of(exported: Path) -> None:
    of = batch(5)
    graph, weights = load(onnx_contract("demo.onnx"), exported, "cpu", 1), load(demo(), DEMO_WEIGHTS.parent, "cpu", 1)
    (output,) = answers(graph, of).values()
    assert output.shape == (5, 1)
    assert np.allclose(output, answers(weights, of)["output"], rtol=0, atol=1e-5)
    assert graph.parameters == 6433


def test_torch_is_not_imported_for_a_graph(exported: Path) -> None:
    program = (
        "import json, sys, numpy as np; from pathlib import Path\n"
        "from gatekeeper.candidate.adapters import Batch, CaseFacts, Setting, load, make_deterministic\n"
        "from gatekeeper.candidate.contract import Contract\n"
        "make_deterministic(1)\n"
        "model = load(Contract.model_validate_json(sys.argv[1]), Path(sys.argv[2]), 'cpu', 1)\n"
        "images = np.zeros((2, 1, 64, 64), dtype=np.float32)\n"
        "outputs = model.fetch(model.forward(model.stage(Batch(images, (CaseFacts(),) * 2)), Setting()))\n"
        "assert [array.shape for array in outputs.values()] == [(2, 1)]\n"
        "print([name for name in ('torch', 'monai', 'scipy', 'safetensors') if name in sys.modules])\n"
    )
    given = [onnx_contract("demo.onnx").model_dump_json(), str(exported)]
    ran = subprocess.run([sys.executable, "-c", program, *given], capture_output=True, text=True, check=False)
    assert ran.stdout == "[]\n", ran.stderr


def test_a_sliding_window_around_a_graph_is_that_of_monai(exported: Path) -> None:
    from monai.inferers import SlidingWindowInferer

    window = {"size": [8, 8, 8], "overlap": 0.25, "mode": "constant"}
    declared = onnx_contract("volume.onnx", input={"dimensions": 3, "sliding_window": window}, output=MASKED)
    of = batch(1, (1, 12, 9, 17))
    (output,) = answers(load(declared, exported, "cpu", 1), of).values()
    with torch.inference_mode():
        inferer = SlidingWindowInferer((8, 8, 8), 4, 0.25, mode="constant")
        expected = inferer(torch.from_numpy(np.array(of.images)), volume_network()).numpy()
    assert np.allclose(output, expected, rtol=0, atol=1e-5)


def test_outputs_are_chosen_by_name(tmp_path: Path) -> None:
    graph(tmp_path / "model", "first", "second", "flag")
    small = {"input": {"size": [4, 4]}}
    output = {**CALLED, "name": "second", "refuses": {"flag": "flag"}}
    assert list(answers(load(onnx_contract("model", **small), tmp_path, "cpu", 1), batch(2, (1, 4, 4)))) == ["first"]
    model = load(onnx_contract("model", output=output, **small), tmp_path, "cpu", 1)
    assert list(answers(model, batch(2, (1, 4, 4)))) == ["second", "flag"]


@pytest.mark.parametrize(
    ("artefact", "keys", "words"),
    [
        ("one.onnx", {}, "batch_size: 1"),
        ("demo.onnx", {"input": {"size": [64, 32]}}, "input.size"),
        ("demo.onnx", {"input": {"size": [64, 64], "channels": 3}}, "input.channels"),
        ("demo.onnx", {"input": {"size": [64, 64], "dtype": "int16"}}, "input.dtype: float32"),
        ("demo.onnx", {"input": {"dimensions": 3}}, "input.dimensions"),
        ("demo.onnx", {"input": {"dimensions": 2}}, "input.size"),
        ("demo.onnx", {"input": {"dimensions": 2, "sliding_window": {"size": [32, 64]}}}, "input.size"),
    ],
)
def test_a_graph_is_held_against_the_contract(exported: Path, artefact: str, keys: dict[str, Any], words: str) -> None:
    error = refused(onnx_contract(artefact, **keys), exported)
    assert error.problems[0].code is Code.MISMATCH
    assert words in str(error)


def test_a_graph_for_one_image_is_taken_as_such(exported: Path) -> None:
    model = load(onnx_contract("one.onnx", batch_size=1), exported, "cpu", 1)
    assert [array.shape for array in answers(model, batch(1)).values()] == [(1, 1)]


@pytest.mark.parametrize(("inputs", "dtype"), [(2, TensorProto.FLOAT), (1, TensorProto.DOUBLE)])
def test_other_inputs_are_refused(tmp_path: Path, inputs: int, dtype: int) -> None:
    graph(tmp_path / "model", "mean", inputs=inputs, dtype=dtype)
    assert refused(onnx_contract("model", input={"size": [4, 4]}), tmp_path).problems[0].code is Code.MISMATCH


@pytest.mark.parametrize("data", [b"", b"\x80\x04cposix\nsystem\n", b"\x08\x08" * 400, bytes(range(250)) * 2])
def test_what_is_no_graph_is_refused_by_the_type_of_the_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model").write_bytes(data)
    (problem,) = refused(onnx_contract("model"), tmp_path).problems
    assert problem.code is Code.MISMATCH
    assert (problem.why or "").isidentifier()


@pytest.mark.parametrize("wanted", ["bf16", "fp16", "tf32"])
def test_its_numeric_format_is_its_own(exported: Path, wanted: Any) -> None:
    model = load(onnx_contract("demo.onnx", numeric_formats=["fp32", wanted]), exported, "cpu", 1)
    with pytest.raises(UsageError, match=wanted):
        answers(model, batch(1), Setting(wanted))


def test_cuda_is_not_claimed_where_there_is_none(exported: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(UsageError, match="no CUDA"):
        load(onnx_contract("demo.onnx"), exported, "cuda", 1)


# External data: what a graph may read


def external(folder: Path, location: str) -> None:
    """Write a graph whose one initialiser lies at ``location``, as a hostile one would say."""
    weight = numpy_helper.from_array(np.zeros((1, 1, 4, 4), dtype=np.float32), "weight")
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "64")):
        entry = weight.external_data.add()
        entry.key, entry.value = key, value
    made = helper.make_graph(
        [helper.make_node("Add", ["images", "weight"], ["sum"])],
        "leak",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 1, 4, 4])],
        [helper.make_tensor_value_info("sum", TensorProto.FLOAT, ["n", 1, 4, 4])],
        [weight],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "model").write_bytes(model.SerializeToString())


@pytest.mark.parametrize("way", ["beside", "parent", "absolute", "link", "linked_folder"])
def test_external_data_is_read_from_the_candidates_folder_alone(tmp_path: Path, way: str) -> None:
    folder, canary = tmp_path / "candidate", tmp_path / "labels.bin"
    folder.mkdir()
    canary.write_bytes(np.full(16, 42.0, dtype=np.float32).tobytes())
    location = {"parent": "../labels.bin", "absolute": str(canary), "linked_folder": "out/labels.bin"}.get(way, "data")
    if way == "beside":
        (folder / "data").write_bytes(canary.read_bytes())
    elif way == "link":
        (folder / "data").symlink_to(canary)
    elif way == "linked_folder":
        (folder / "out").symlink_to(tmp_path)
    external(folder, location)
    declared = onnx_contract("model", input={"size": [4, 4]}, files=["data"], output=MASKED)
    if way == "beside":
        (output,) = answers(load(declared, folder, "cpu", 1), batch(1, (1, 4, 4))).values()
        assert output.min() >= 42.0
    else:
        assert refused(declared, folder).problems[0].code is Code.MISMATCH


def test_an_old_onnxruntime_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_runtime()
    for found, code in (("1.23.2", Code.MISSING_PACKAGE), ("1.24.3", Code.MISSING_PACKAGE)):
        monkeypatch.setattr("gatekeeper.candidate.adapters.onnx_graph._version", lambda _, found=found: found)
        with pytest.raises(UsageError, match="too old") as caught:
            check_runtime()
        assert caught.value.problems[0].code is code
    monkeypatch.setattr("gatekeeper.candidate.adapters.onnx_graph._version", lambda _: None)
    with pytest.raises(UsageError, match="not installed"):
        check_runtime()

"""Networks of torch in every format. Oracle: the module itself, called directly."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_up_candidates import CALLED, DEMO_WEIGHTS, MASKED, answers, batch, contract, demo
from safetensors.torch import load_file, save_file
from torch import nn

from gatekeeper.candidate.adapters import Batch, Setting, fault_of, load
from gatekeeper.candidate.architectures import ARCHITECTURES
from gatekeeper.candidate.contract import Contract, Refusing
from gatekeeper.errors import Code, UsageError

SITE_PACKAGES = Path(torch.__file__).parents[1]
DEEPBET = SITE_PACKAGES / "data/models/model.pt"


def nodule_cnn() -> nn.Module:
    module = ARCHITECTURES.get("nodule_cnn").build()
    module.load_state_dict(load_file(DEMO_WEIGHTS))
    return module.eval()


def direct(module: nn.Module, of: Batch) -> Any:
    with torch.inference_mode():
        return module(torch.from_numpy(np.array(of.images)))


def scripted(module: nn.Module, path: Path, example: torch.Tensor | None = None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made = torch.jit.script(module) if example is None else torch.jit.trace(module, example)
        torch.jit.save(made, path)


def refused(declared: Contract, folder: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load(declared, folder, "cpu", 1)
    return caught.value


# safetensors


def test_weights_answer_as_the_module_does() -> None:
    model, of = load(demo(), DEMO_WEIGHTS.parent, "cpu", 1), batch(5)
    outputs = answers(model, of)
    assert list(outputs) == ["output"]
    assert np.array_equal(outputs["output"], direct(nodule_cnn(), of).numpy())
    assert model.parameters == 6433


@pytest.mark.parametrize(
    ("name", "arguments", "shape", "output"),
    [
        ("monai_densenet121", {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}, (1, 64, 64), CALLED),
        (
            "monai_unet",
            {
                "spatial_dims": 3,
                "in_channels": 1,
                "out_channels": 2,
                "channels": [4, 8, 16],
                "strides": [2, 2],
                "num_res_units": 1,
            },
            (1, 16, 16, 16),
            MASKED,
        ),
    ],
)
def test_a_network_of_monai_answers_as_the_module_does(
    tmp_path: Path, name: str, arguments: dict[str, Any], shape: tuple[int, ...], output: dict[str, Any]
) -> None:
    torch.manual_seed(2)
    declared = contract(
        "safetensors",
        architecture={"name": name, "arguments": arguments},
        input={"size": shape[1:]},
        output=output if output is MASKED else {"kind": "logits", "classes": ["a", "b"], "positive": "b"},
    )
    assert declared.architecture is not None
    module = ARCHITECTURES.get(name).build(**declared.architecture.arguments).eval()
    save_file(module.state_dict(), tmp_path / "model")
    model, of = load(declared, tmp_path, "cpu", 2), batch(2, shape)
    expected = direct(module, of).numpy()
    assert np.allclose(answers(model, of)["output"], expected, rtol=0, atol=1e-6)
    last = answers(model, of, Setting(channels_last=True))["output"]
    assert np.allclose(last, expected, rtol=0, atol=1e-4)
    assert np.array_equal(answers(model, of)["output"], answers(model, of)["output"])


@pytest.mark.parametrize("change", ["one_less", "one_more", "another_shape", "other_arguments", "no_tensors"])
def test_weights_that_do_not_fit_are_refused_by_the_type_of_the_error(tmp_path: Path, change: str) -> None:
    weights, arguments = load_file(DEMO_WEIGHTS), {}
    if change == "one_less":
        del weights["0.weight"]
    elif change == "one_more":
        weights["of a patient"] = torch.zeros(1)
    elif change == "another_shape":
        weights["0.bias"] = torch.zeros(9)
    elif change == "other_arguments":
        arguments = {"width": 4}
    save_file({} if change == "no_tensors" else weights, tmp_path / "model")
    declared = contract("safetensors", architecture={"name": "nodule_cnn", "arguments": arguments})
    (problem,) = refused(declared, tmp_path).problems
    assert problem.code is Code.MISMATCH
    assert problem.why == "RuntimeError"
    assert "patient" not in str(problem)


# Output and input


class Manifold(nn.Module):
    """Returns several outputs, as a mapping, as a tuple, nested; works on its input in place."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way

    def forward(self, images: torch.Tensor) -> object:
        images.mul_(2.0)
        means, flag = images.mean(dim=(2, 3)), images.amax(dim=(1, 2, 3)) > 1.9
        return {
            "mapping": {"logit": means, "unfit": flag, "big": images},
            "tuple": (images, means, flag),
            "nested": [{"heads": [means, flag]}, 3.0, None],
        }[self.way]


@pytest.mark.parametrize(
    ("way", "name", "flag", "kept"),
    [
        ("mapping", "logit", "unfit", ["logit", "unfit"]),
        ("mapping", None, None, ["logit"]),
        ("tuple", "1", "2", ["1", "2"]),
        ("nested", "0.heads.0", "0.heads.1", ["0.heads.0", "0.heads.1"]),
        ("nested", None, None, ["0.heads.0"]),
        ("tuple", "no such", None, []),
    ],
)
def test_outputs_are_named_and_only_those_asked_for_come_back(
    way: str, name: str | None, flag: str | None, kept: list[str]
) -> None:
    from gatekeeper.candidate.adapters.networks import Network

    output = {**CALLED, "refuses": {"flag": flag} if flag else {}, **({"name": name} if name else {})}
    model, of = Network(Manifold(way), demo(output=output), "cpu"), batch(3)
    before = of.images.copy()
    outputs = answers(model, of)
    assert list(outputs) == kept
    assert np.array_equal(of.images, before), "what a network does in place is not seen by the next condition"
    for array in outputs.values():
        assert len(array) == 3


def test_images_that_may_be_written_to_are_used_in_place() -> None:
    from gatekeeper.candidate.adapters.networks import Network

    images = np.ones((1, 1, 4, 4), dtype=np.float32)
    model = Network(nn.Identity(), demo(), "cpu")
    outputs = answers(model, Batch(images, batch(1).cases))
    assert np.shares_memory(outputs["output"], images)


def test_a_flag_of_another_dtype_and_half_precision_come_back_as_numpy_has_them() -> None:
    from gatekeeper.candidate.adapters.networks import Network

    class Half(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.mean(dim=(1, 2, 3)).to(torch.bfloat16)

    outputs = answers(Network(Half(), demo(), "cpu"), batch(2))
    assert outputs["output"].dtype == np.float32


def test_boxes_of_any_form_come_back_in_one() -> None:
    from gatekeeper.candidate.adapters.networks import Network

    class Boxes(nn.Module):
        def forward(self, images: torch.Tensor) -> object:
            found = []
            for number, _ in enumerate(images):
                corners = torch.arange(number * 4, dtype=torch.float32).reshape(number, 2, 2)
                found.append({"boxes": corners, "scores": torch.full((number,), 0.5), "labels": torch.ones(number)})
            return found

    output = {"kind": "boxes"}
    outputs = answers(Network(Boxes(), demo(output=output), "cpu"), batch(3))
    assert outputs["boxes"].shape == (3, 2, 2, 2)
    assert np.isnan(outputs["scores"][0]).all()
    assert np.array_equal(outputs["boxes"][2].reshape(-1), np.arange(8))
    assert np.array_equal(np.isfinite(outputs["scores"]).sum(axis=1), [0, 1, 2])


# Numeric formats


def test_bf16_is_near_and_not_equal() -> None:
    declared = demo(numeric_formats=["fp32", "bf16"])
    model, of = load(declared, DEMO_WEIGHTS.parent, "cpu", 1), batch(4)
    plain, half = answers(model, of)["output"], answers(model, of, Setting("bf16"))["output"]
    assert half.dtype == np.float32
    assert not np.array_equal(plain, half)
    assert np.allclose(plain, half, atol=0.1)


@pytest.mark.parametrize("wanted", ["tf32", "fp16", "bf16"])
def test_a_format_that_cannot_be_had_is_refused_politely(wanted: str) -> None:
    formats = ["fp32"] if wanted == "bf16" else ["fp32", wanted]
    model = load(demo(numeric_formats=formats), DEMO_WEIGHTS.parent, "cpu", 1)
    with pytest.raises(UsageError, match=wanted) as caught:
        answers(model, batch(1), Setting(wanted))  # type: ignore[arg-type]
    assert caught.value.problems[0].mend


# Sliding window


def test_a_sliding_window_is_that_of_monai(tmp_path: Path) -> None:
    from monai.inferers import SlidingWindowInferer

    torch.manual_seed(4)
    arguments = {"spatial_dims": 3, "in_channels": 1, "out_channels": 1, "channels": [4, 8], "strides": [2]}
    window = {"size": [16, 16, 16], "overlap": 0.5, "batch_size": 3}
    declared = contract(
        "safetensors",
        architecture={"name": "monai_unet", "arguments": arguments},
        input={"dimensions": 3, "sliding_window": window},
        output=MASKED,
    )
    assert declared.architecture is not None
    module = ARCHITECTURES.get("monai_unet").build(**declared.architecture.arguments).eval()
    save_file(module.state_dict(), tmp_path / "model")
    of = batch(1, (1, 20, 28, 17))
    with torch.inference_mode():
        inferer = SlidingWindowInferer((16, 16, 16), 3, 0.5, mode="gaussian")
        expected = inferer(torch.from_numpy(np.array(of.images)), module).numpy()
    assert np.allclose(answers(load(declared, tmp_path, "cpu", 2), of)["output"], expected, rtol=0, atol=1e-6)


# TorchScript and torch.export


def test_torchscript_answers_as_the_module_does(tmp_path: Path) -> None:
    scripted(nodule_cnn(), tmp_path / "model")
    model, of = load(contract("torchscript"), tmp_path, "cpu", 1), batch(3)
    for _ in range(4):  # the profiling executor changes its mind after the first calls
        assert np.allclose(answers(model, of)["output"], direct(nodule_cnn(), of).numpy(), rtol=0, atol=1e-5)
    assert model.parameters == 6433


@pytest.mark.skipif(not DEEPBET.is_file(), reason="deepbet's weights are not installed")
def test_deepbets_network_runs() -> None:
    declared = contract(
        "torchscript",
        artefact=DEEPBET.name,
        input={"dimensions": 3, "intensity": {"normalisation": "percentiles"}},
        output=MASKED,
    )
    model, of = load(declared, DEEPBET.parent, "cpu", 2), batch(1, (1, 64, 64, 64))
    output = answers(model, of)["output"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = torch.jit.load(str(DEEPBET)).eval()
    assert output.shape == (1, 2, 64, 64, 64)
    assert np.allclose(output, direct(module, of).numpy(), atol=1e-5)
    assert model.parameters is not None
    assert model.parameters > 1_000_000


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export the demo's network in a process of its own: its warnings are torch's, not ours."""
    folder = tmp_path_factory.mktemp("exported")
    program = (
        "import sys, torch; from safetensors.torch import load_file\n"
        "from gatekeeper.candidate.architectures import ARCHITECTURES\n"
        "module = ARCHITECTURES.get('nodule_cnn').build(); module.load_state_dict(load_file(sys.argv[1]))\n"
        "n = torch.export.Dim('n', min=1, max=64)\n"
        "example = torch.rand(2, 1, 64, 64)\n"
        "torch.export.save(torch.export.export(module.eval(), (example,), dynamic_shapes=({0: n},)), sys.argv[2])\n"
        "torch.export.save(torch.export.export(module.eval(), (example[:1],)), sys.argv[3])\n"
    )
    paths = [str(DEMO_WEIGHTS), str(folder / "any.pt2"), str(folder / "one.pt2")]
    subprocess.run([sys.executable, "-c", program, *paths], check=True, capture_output=True)
    return folder


def test_an_exported_program_answers_as_the_module_does(exported: Path) -> None:
    model, of = load(contract("export", artefact="any.pt2"), exported, "cpu", 1), batch(3)
    assert np.allclose(answers(model, of)["output"], direct(nodule_cnn(), of).numpy(), rtol=0, atol=1e-5)
    assert model.parameters == 6433


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"artefact": "one.pt2"}, "batch_size: 1"),
        ({"artefact": "any.pt2", "input": {"size": [64, 32]}}, "input.size"),
        ({"artefact": "any.pt2", "input": {"size": [64, 64], "channels": 3}}, "input.channels"),
        ({"artefact": "any.pt2", "input": {"size": [64, 64], "dtype": "float64"}}, "input.dtype: float32"),
        ({"artefact": "any.pt2", "input": {"dimensions": 3}}, "input.dimensions"),
    ],
)
def test_an_exported_program_is_held_against_the_contract(exported: Path, keys: dict[str, Any], words: str) -> None:
    assert words in str(refused(contract("export", **keys), exported))


def test_an_exported_program_for_one_image_is_taken_as_such(exported: Path) -> None:
    model = load(contract("export", artefact="one.pt2", batch_size=1), exported, "cpu", 1)
    assert answers(model, batch(1))["output"].shape == (1, 1)


# MONAI bundles

UNET = {
    "_target_": "UNet",
    "spatial_dims": 2,
    "in_channels": "@channels",
    "out_channels": 1,
    "channels": [4, 8],
    "strides": [2],
}


def bundle(folder: Path, key: str | None, suffix: str = "json", **configuration: Any) -> nn.Module:
    from monai.networks.nets import UNet

    torch.manual_seed(6)
    module = UNet(spatial_dims=2, in_channels=1, out_channels=1, channels=(4, 8), strides=(2,)).eval()
    (folder / "model/configs").mkdir(parents=True)
    (folder / "model/models").mkdir()
    written = {"channels": "$int('1')", "network_def": UNET, **configuration}
    (folder / f"model/configs/inference.{suffix}").write_text(json.dumps(written))
    state = module.state_dict()
    torch.save(state if key is None else {key: state, "epoch": 3}, folder / "model/models/model.pt")
    return module


@pytest.mark.parametrize(
    ("key", "suffix", "configuration"),
    [
        (None, "json", {}),
        ("model", "yaml", {"imports": ["$import math"], "channels": "$math.ceil(0.5)"}),
        ("state_dict", "json", {"network_def": None, "network": UNET}),
    ],
)
def test_a_monai_bundle_answers_as_the_module_does(
    tmp_path: Path, key: str | None, suffix: str, configuration: dict[str, Any]
) -> None:
    given = {name: value for name, value in configuration.items() if value is not None}
    module = bundle(tmp_path, key, suffix, **given)
    if "network" in configuration:
        path = tmp_path / "model/configs/inference.json"
        path.write_text(json.dumps({"channels": 1, "network": {**UNET}, "network_def_": 1}))
    declared = contract("monai_bundle", output=MASKED)
    model, of = load(declared, tmp_path, "cpu", 1), batch(2)
    assert np.allclose(answers(model, of)["output"], direct(module, of).numpy(), rtol=0, atol=1e-6)


def test_a_bundle_with_torchscript_alone_is_taken(tmp_path: Path) -> None:
    (tmp_path / "model/models").mkdir(parents=True)
    scripted(nodule_cnn(), tmp_path / "model/models/model.ts")
    assert answers(load(contract("monai_bundle"), tmp_path, "cpu", 1), batch(2))["output"].shape == (2, 1)


def test_a_bundle_without_weights_or_with_a_pickle_is_refused(tmp_path: Path) -> None:
    bundle(tmp_path, None)
    weights = tmp_path / "model/models/model.pt"
    torch.save(torch.nn.Linear(2, 2), weights)
    assert "UnpicklingError" in str(refused(contract("monai_bundle", output=MASKED), tmp_path))
    weights.unlink()
    assert "models/model.pt" in str(refused(contract("monai_bundle", output=MASKED), tmp_path))


# Determinism, in a process of its own: the switches are of the process

DETERMINISM = """
import sys
import torch
from gatekeeper.candidate.adapters import fault_of, make_deterministic
from gatekeeper.candidate.adapters.networks import Network
from gatekeeper.candidate.contract import Refusing
from made_up_candidates import answers, batch, demo

class Told(torch.nn.Module):
    def forward(self, images):
        # One of the few operations that torch refuses on a CPU as well.
        return images.clone().put_(torch.tensor([0]), torch.ones(1))

make_deterministic(1)
assert torch.are_deterministic_algorithms_enabled()
assert torch.get_num_threads() == 1
assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32
assert "torch._dynamo" not in sys.modules, "four seconds of start-up"
try:
    answers(Network(Told(), demo(), "cpu"), batch(1))
except Exception as error:
    print(type(error).__name__, fault_of(error, Refusing()))
"""


def test_an_operation_without_a_deterministic_implementation_is_told_as_such() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", DETERMINISM],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert ran.stdout.split() == ["NoDeterministicImplementation", "crashed"], ran.stderr


def test_a_network_that_takes_too_much_memory_is_out_of_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 50)
    assert fault_of(caught.value, Refusing(exceptions=("RuntimeError",))) == "out_of_memory"

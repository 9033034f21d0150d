"""Every registered network: small promises that the engine relies on."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch

from gatekeeper.candidate.architectures import ARCHITECTURES, Argument
from gatekeeper.errors import Code, UsageError


def network(**arguments: int) -> torch.nn.Module:
    torch.manual_seed(1)
    return ARCHITECTURES.get("nodule_cnn").build(**arguments).eval()


def images(count: int) -> torch.Tensor:
    generator = np.random.default_rng(5)
    return torch.from_numpy((generator.random((count, 1, 64, 64)) > 0.8).astype(np.float32))


def test_nodule_cnn_gives_one_finite_logit_an_image() -> None:
    with torch.inference_mode():
        logits = network()(images(3))
    assert logits.shape == (3, 1)
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


def test_nodule_cnn_is_small() -> None:
    assert sum(parameter.numel() for parameter in network().parameters()) == 6433


def test_an_answer_does_not_depend_on_the_rest_of_the_batch() -> None:
    model, batch = network(), images(16)
    with torch.inference_mode():
        together = model(batch)
        alone = torch.cat([model(batch[index : index + 1]) for index in range(16)])
    assert torch.allclose(together, alone, rtol=0, atol=1e-6)


def test_it_has_no_state_that_differs_between_training_and_use() -> None:
    model, batch = network(), images(4)
    with torch.inference_mode():
        assert torch.equal(model.train()(batch), model.eval()(batch))
    assert not list(model.buffers())


def test_arguments_change_the_size() -> None:
    assert sum(parameter.numel() for parameter in network(width=4, hidden=8).parameters()) < 6433


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [({"widht": 4}, Code.UNKNOWN_KEY, 'did you mean "width"'), ({"width": 0}, Code.BAD_VALUE, "from 1")],
)
def test_a_wrong_argument_is_wrong_usage(arguments: dict[str, int], code: Code, words: str) -> None:
    with pytest.raises(UsageError, match="nodule_cnn") as caught:
        network(**arguments)
    assert caught.value.problems[0].code is code
    assert words in str(caught.value)


def test_it_runs_under_deterministic_algorithms() -> None:
    torch.use_deterministic_algorithms(True)
    try:
        with torch.inference_mode():
            assert torch.equal(network()(images(2)), network()(images(2)))
    finally:
        torch.use_deterministic_algorithms(False)


# Networks of MONAI

FLAT: dict[str, Any] = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}
SOLID: dict[str, Any] = {**FLAT, "spatial_dims": 3}
RESNET: dict[str, Any] = {"spatial_dims": 2, "n_input_channels": 1, "num_classes": 3}
NEED_EINOPS = ("monai_vit", "monai_unetr", "monai_swin_unetr")
# The smallest that each can be made; the deep ones are covered by their shallow relatives.
SMALL: dict[str, tuple[dict[str, Any], tuple[int, ...], tuple[int, ...]]] = {
    "monai_densenet121": ({**FLAT, "init_features": 8, "growth_rate": 4}, (1, 1, 64, 64), (1, 2)),
    "monai_resnet10": (RESNET, (1, 1, 64, 64), (1, 3)),
    "monai_efficientnet": (
        {"model_name": "efficientnet-b0", "spatial_dims": 2, "in_channels": 1, "num_classes": 3},
        (1, 1, 64, 64),
        (1, 3),
    ),
    "monai_vit": (
        {
            "spatial_dims": 2,
            "in_channels": 1,
            "num_classes": 3,
            "img_size": (32, 32),
            "patch_size": (16, 16),
            "hidden_size": 12,
            "mlp_dim": 8,
            "num_layers": 2,
        },
        (1, 1, 32, 32),
        (1, 3),
    ),
    "monai_unet": ({**SOLID, "channels": (4, 8), "strides": (2,)}, (1, 1, 8, 8, 8), (1, 2, 8, 8, 8)),
    "monai_basic_unet": ({**FLAT, "features": (4, 4, 4, 4, 4, 4)}, (1, 1, 32, 32), (1, 2, 32, 32)),
    "monai_attention_unet": ({**FLAT, "channels": (4, 8), "strides": (2,)}, (1, 1, 16, 16), (1, 2, 16, 16)),
    "monai_segresnet": (SOLID, (1, 1, 16, 16, 16), (1, 2, 16, 16, 16)),
    "monai_dynunet": (
        {
            **FLAT,
            "kernel_size": (3, (3, 3), 3),
            "strides": (1, 2, 2),
            "upsample_kernel_size": (2, 2),
            "filters": (4, 8, 8),
        },
        (1, 1, 16, 16),
        (1, 2, 16, 16),
    ),
    "monai_vnet": ({**SOLID, "dropout_dim": 3}, (1, 1, 32, 32, 32), (1, 2, 32, 32, 32)),
    "monai_unetr": (
        {**FLAT, "img_size": (32, 32), "hidden_size": 12, "mlp_dim": 8, "feature_size": 4},
        (1, 1, 32, 32),
        (1, 2, 32, 32),
    ),
    "monai_swin_unetr": ({**FLAT, "feature_size": 12}, (1, 1, 64, 64), (1, 2, 64, 64)),
}


@pytest.mark.parametrize("name", [name for name in SMALL if name not in NEED_EINOPS or find_spec("einops")])
def test_a_network_of_monai_can_be_made(name: str) -> None:
    arguments, given, returned = SMALL[name]
    torch.manual_seed(1)
    model = ARCHITECTURES.get(name).build(**arguments).eval()
    image = torch.rand(given)
    before = image.clone()
    with torch.inference_mode():
        output = model(image)
    assert (output[0] if isinstance(output, tuple) else output).shape == returned
    assert torch.equal(image, before), "a worker hands it memory that cannot be written to"


@pytest.mark.parametrize("name", [entry.name for entry in ARCHITECTURES if entry.name != "nodule_cnn"])
def test_arguments_are_those_of_monai_with_its_defaults(name: str) -> None:
    from monai.networks import nets

    entry = ARCHITECTURES.get(name)
    closure = inspect.getclosurevars(entry.make).nonlocals
    network = getattr(nets, closure["network"])
    if "resnet" in name and "seg" not in name:
        network = nets.ResNet
    known = dict(inspect.signature(network).parameters)
    if "kwargs" in known:
        known |= dict(inspect.signature(nets.DenseNet).parameters)
    for argument, of in entry.arguments.items():
        assert argument in known
        default = known[argument].default
        if of.default is not None and default is not inspect.Parameter.empty:
            plain = default[0] if of.kind == "word" and isinstance(default, tuple) else default
            assert str(of.default).lower() == str(getattr(plain, "value", plain)).lower()
        if of.default is not None:
            assert of.takes(of.default)
    assert set(closure["fixed"]) <= set(known)


@pytest.mark.parametrize(("name", "package"), [("monai_unet", "monai"), *[(name, "einops") for name in NEED_EINOPS]])
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, name: str, package: str) -> None:
    there = "gatekeeper.candidate.architectures.find_spec"
    monkeypatch.setattr(there, lambda asked: None if asked == package else find_spec(asked))
    with pytest.raises(UsageError, match=package) as caught:
        ARCHITECTURES.get(name).build(**SMALL[name][0])
    assert caught.value.problems[0].code is Code.MISSING_PACKAGE
    assert "gatekeeper-imaging[models]" in str(caught.value)


def test_arguments_that_do_not_belong_together_are_wrong_usage() -> None:
    with pytest.raises(UsageError, match="monai_unet") as caught:
        ARCHITECTURES.get("monai_unet").build(**SOLID, channels=(4, 8, 8), strides=(2,))
    assert caught.value.problems[0].why == "ValueError"


def test_all_that_is_wrong_with_arguments_comes_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        ARCHITECTURES.get("monai_unet").check({"spatial_dims": 0, "chanels": (4, 8), "bias": 1})
    assert [problem.code for problem in caught.value.problems] == [
        Code.BAD_VALUE,
        Code.UNKNOWN_KEY,
        Code.BAD_VALUE,
        *[Code.MISSING_KEY] * 4,
    ]


@pytest.mark.parametrize(
    ("argument", "good", "bad"),
    [
        (Argument("count"), [1, 7], [0, -1, True, 1.0, "1", (1,), 1 << 40]),
        (Argument("whole"), [0, 1], [-1, False, 0.0, "0"]),
        (Argument("share"), [0, 0.5], [1, -0.1, True, float("nan"), "0", (0.1,)]),
        (Argument("flag"), [True, False], [0, 1, "yes"]),
        (Argument("word", "a", ("a", "b")), ["a", "b"], ["c", 1, True, ("a",)]),
        (Argument("counts"), [(1,), (1, 2)], [(), 1, (0,), (1, (2, 2)), (True,), (1,) * 100]),
        (Argument("count_or_counts"), [1, (1, 2)], [(), 0, (0,), "1"]),
        (Argument("counts_of_axes"), [(1, 2), ((1, 2), 3)], [1, ((1,),), ((1, 2, 3, 4),), ((0, 1),)]),
    ],
)
def test_an_argument_takes_its_kind_and_nothing_else(argument: Argument, good: list[Any], bad: list[Any]) -> None:
    assert all(argument.takes(value) for value in good)
    assert not any(argument.takes(value) for value in bad)


def test_names_and_arguments_are_checked_without_monai_and_torch() -> None:
    program = (
        "import sys; from gatekeeper.candidate.architectures import ARCHITECTURES\n"
        "for entry in ARCHITECTURES: entry.problem('spatial_dims', 2)\n"
        "print([name for name in ('torch', 'monai', 'scipy') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"

"""Every registered network: small promises that the engine relies on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gatekeeper.candidate.architectures import ARCHITECTURES
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

"""Batches under perturbations, as candidates of several contracts get them. Images are made up."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gatekeeper.candidate.contract import InputContract
from gatekeeper.candidate.stress import perturbed
from gatekeeper.perturbations import PERTURBATIONS, Perturbation

WINDOW = {"zero_at": -100.0, "one_at": 400.0, "clip": True}
CONTRACTS: dict[str, dict[str, object]] = {
    "a window": {"intensity": WINDOW},
    "a window, and the mean of ImageNet": {
        "channels": 3,
        "intensity": WINDOW | {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    },
    "values as they are": {},
    "standard deviations": {"intensity": {"normalisation": "z_score"}},
    "least and greatest": {"intensity": {"normalisation": "min_max"}},
    "percentiles": {"intensity": {"normalisation": "percentiles"}},
    "whole numbers": {"dtype": "uint8"},
}
N, SIDE = 3, 24
GREY = [one for one in PERTURBATIONS if 2 in one.axes and one.family != "contour" and one.name != "stain"]


def contract_of(name: str) -> InputContract:
    return InputContract.model_validate_json(json.dumps({"size": [SIDE, SIDE], **CONTRACTS[name]}))


def images_for(contract: InputContract, seed: int = 1) -> NDArray[np.generic]:
    """Draw images of blobs, as the contract would have prepared them."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    blobs = [np.exp(-((rows - at) ** 2 + (columns - 12) ** 2) / 40.0) for at in random.uniform(8, 16, N)]
    grey = np.stack(blobs)[:, np.newaxis] * 0.8 + random.uniform(0.0, 0.2, (N, 1, SIDE, SIDE))
    grey = grey.astype(np.float32) / np.float32(grey.max())
    normalisation = contract.intensity.normalisation
    if normalisation == "z_score":
        grey = (grey - grey.mean((1, 2, 3), keepdims=True)) / grey.std((1, 2, 3), keepdims=True)
    if normalisation in ("min_max", "percentiles"):
        low, high = grey.min((1, 2, 3), keepdims=True), grey.max((1, 2, 3), keepdims=True)
        grey = (grey - low) / (high - low)
    if contract.intensity.mean is not None:
        mean, std = (
            np.array(of, np.float32).reshape(1, 3, 1, 1) for of in (contract.intensity.mean, contract.intensity.std)
        )
        grey = (grey - mean) / std
    elif contract.intensity.zero_at is None and normalisation is None:
        grey = grey * 200.0 + 20.0
    made = grey.round() if contract.dtype == "uint8" else grey
    return made.astype(contract.dtype)


def under(
    contract: InputContract, name: str, magnitudes: list[float], images: NDArray[np.generic] | None = None
) -> list[NDArray[np.generic]]:
    given = images_for(contract) if images is None else images
    steps = perturbed(given, np.ones((N, 2)), contract, name, magnitudes, range(N), "cpu")
    return [step.numpy().copy() for step in steps]


@pytest.mark.parametrize("name", list(CONTRACTS))
@pytest.mark.parametrize("perturbation", GREY, ids=lambda one: one.name)
def test_where_nothing_changes_a_candidate_gets_what_it_would_have_got(name: str, perturbation: Perturbation) -> None:
    contract = contract_of(name)
    images = images_for(contract)
    (found,) = under(contract, perturbation.name, [perturbation.neutral])
    assert found.dtype == images.dtype
    assert found.shape == images.shape
    np.testing.assert_allclose(found.astype(np.float64), images.astype(np.float64), atol=2e-4)


@pytest.mark.parametrize("name", list(CONTRACTS))
def test_noise_is_added_at_every_contract_and_the_batch_is_left_alone(name: str) -> None:
    contract = contract_of(name)
    images = images_for(contract)
    before = images.copy()
    first, second = under(contract, "gaussian_noise", [0.02, 0.2], images)
    np.testing.assert_array_equal(images, before)
    clean = images.astype(np.float64)
    near, far = (np.abs(found.astype(np.float64) - clean).mean() for found in (first, second))
    assert 0.0 < near < far


def test_grey_that_is_repeated_over_channels_stays_grey() -> None:
    contract = contract_of("a window, and the mean of ImageNet")
    (found,) = under(contract, "gaussian_noise", [0.1])
    assert contract.intensity.mean is not None
    assert contract.intensity.std is not None
    mean, std = (np.array(of).reshape(1, 3, 1, 1) for of in (contract.intensity.mean, contract.intensity.std))
    plain = found * std + mean
    np.testing.assert_allclose(plain[:, 1:], plain[:, :1].repeat(2, axis=1), atol=1e-5)


@pytest.mark.parametrize("name", ["standard deviations", "least and greatest"])
def test_a_candidate_that_normalises_is_immune_to_brightness(name: str) -> None:
    contract = contract_of(name)
    images = images_for(contract)
    # Dark enough that nothing is cut at the upper end.
    (found,) = under(contract, "brightness_lowered", [0.9], images)
    np.testing.assert_allclose(found, images, atol=1e-4)


def test_a_candidate_with_a_window_is_not() -> None:
    contract = contract_of("a window")
    images = images_for(contract)
    (found,) = under(contract, "brightness_lowered", [0.9], images)
    assert float(np.abs(found - images).max()) > 0.05


def test_whole_numbers_stay_within_their_type() -> None:
    contract = contract_of("whole numbers")
    (found,) = under(contract, "gaussian_noise", [0.3])
    assert found.dtype == np.uint8


def test_a_batch_is_perturbed_case_by_case() -> None:
    contract = contract_of("standard deviations")
    images = images_for(contract)
    whole = under(contract, "gaussian_noise", [0.1, 0.2], images)
    for case in range(N):
        alone = perturbed(images[case : case + 1], np.ones((1, 2)), contract, "gaussian_noise", [0.2], [case], "cpu")
        np.testing.assert_array_equal(next(alone).numpy()[0], whole[1][case])


def test_tensors_are_given_on_the_device() -> None:
    contract = contract_of("a window")
    steps = perturbed(images_for(contract), np.ones((N, 2)), contract, "gaussian_noise", [0.1], range(N), "cpu")
    assert next(steps).device == torch.device("cpu")

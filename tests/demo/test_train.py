"""Training gives the same bytes again, and the shipped candidates are what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import roc_auc_score

from gatekeeper.candidate import load_candidate
from gatekeeper.candidate.architectures import ARCHITECTURES
from gatekeeper.demo.appraisal import accuracy, choose_operating_point, repeatability
from gatekeeper.demo.learning import FOLDS, Samples, cross_validated, fit, predict
from gatekeeper.demo.lidc import Lidc
from gatekeeper.demo.train import WEIGHTS, save_weights

CANDIDATES = WEIGHTS.parent
SOUND, MOVED = CANDIDATES / "sound.yaml", CANDIDATES / "operating_point_moved.yaml"


@pytest.fixture(scope="module")
def on_test(lidc: Lidc) -> Samples:
    return Samples.of(lidc.test)


@pytest.fixture(scope="module")
def shipped(on_test: Samples) -> np.ndarray:
    model = ARCHITECTURES.get("nodule_cnn").build()
    model.load_state_dict(load_file(WEIGHTS), strict=True)
    return predict(model.eval(), on_test.masks)


def test_training_again_gives_the_same_bytes_whatever_happened_before(lidc: Lidc, tmp_path: Path) -> None:
    samples = Samples.of(lidc.train[:60])
    threads = torch.get_num_threads()
    files = []
    for name in ("first", "second"):
        save_weights(fit(samples, epochs=2), tmp_path / name)
        files.append((tmp_path / name).read_bytes())
        torch.manual_seed(99)
        torch.rand(7)
        torch.set_num_threads(2)
    torch.set_num_threads(threads)
    assert files[0] == files[1]


def test_training_leaves_the_settings_of_torch_as_they_were(lidc: Lidc) -> None:
    torch.manual_seed(5)
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.get_rng_state())
    fit(Samples.of(lidc.train[:10]), epochs=1)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before[:2]
    assert torch.equal(torch.get_rng_state(), before[2])


def on_test_weigh_each_nodule_once(lidc: Lidc) -> None:
    samples = Samples.of(lidc.train)
    assert len(samples.masks) == lidc.counts.train.readings
    assert samples.weight.sum() == pytest.approx(lidc.counts.train.nodules, rel=1e-4)
    assert samples.first.sum() == lidc.counts.train.nodules


def test_cross_validation_scores_every_sample(lidc: Lidc) -> None:
    scores = cross_validated(Samples.of(lidc.train[:40]), epochs=1)
    assert np.isfinite(scores).all()
    assert FOLDS == 5


def test_the_operating_point_is_the_lowest_hundredth_with_the_specificity_asked_for() -> None:
    label = np.array([0] * 100 + [1] * 5, dtype=np.int8)
    score = np.concatenate([np.arange(100) / 100, np.ones(5)])
    assert choose_operating_point(label, score) == 0.95
    assert accuracy(label, score, 0.95).specificity == pytest.approx(0.95)
    assert accuracy(label, score, 0.94).specificity < 0.95


def test_accuracy_agrees_with_a_count_by_hand_and_with_scikit_learn() -> None:
    label = np.array([1, 1, 1, 0, 0, 0, 0], dtype=np.int8)
    score = np.array([0.9, 0.5, 0.1, 0.6, 0.5, 0.2, 0.0])
    found = accuracy(label, score, 0.5)
    assert (found.cases, found.malignant) == (7, 3)
    assert found.sensitivity == pytest.approx(2 / 3)
    assert found.specificity == pytest.approx(2 / 4)
    assert found.precision == pytest.approx(2 / 4)
    assert found.auc == pytest.approx(roc_auc_score(label, score))


def test_repeatability_is_over_nodules_with_several_readings(on_test: Samples) -> None:
    score = np.where(on_test.first, 0.6, 0.4)
    found = repeatability(on_test, score, 0.5)
    several = sum(count > 1 for count in np.unique(on_test.nodule, return_counts=True)[1])
    assert found.nodules == several
    assert found.flips == 1.0


def test_both_candidates_are_read_and_share_their_weights() -> None:
    sound, moved = load_candidate(SOUND).record, load_candidate(MOVED).record
    assert sound.files == moved.files
    assert sound.digest != moved.digest
    different = {name for name, value in sound.contract.to_json().items() if value != moved.contract.to_json()[name]}
    assert different == {"operating_point"}


def test_the_sound_candidate_does_on_the_test_patients_what_the_training_log_says(
    on_test: Samples, shipped: np.ndarray
) -> None:
    first = on_test.first
    point = load_candidate(SOUND).record.contract.operating_point
    found = accuracy(on_test.label[first], shipped[first], point)
    assert found.auc == pytest.approx(0.910, abs=0.002)
    assert found.sensitivity == pytest.approx(0.734, abs=0.013)
    assert found.specificity == pytest.approx(0.933, abs=0.006)
    assert found.precision == pytest.approx(0.817, abs=0.015)


def test_the_moved_operating_point_costs_precision_and_leaves_the_ranking(
    on_test: Samples, shipped: np.ndarray
) -> None:
    first = on_test.first
    point = load_candidate(MOVED).record.contract.operating_point
    found = accuracy(on_test.label[first], shipped[first], point)
    assert found.precision < 0.45
    assert found.sensitivity > 0.95
    assert found.auc == pytest.approx(0.910, abs=0.002)


def test_the_weights_are_small() -> None:
    assert WEIGHTS.stat().st_size < 100_000

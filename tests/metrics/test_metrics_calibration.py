"""Losses of probabilities against scikit-learn, and what their catalogue entries promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss

from gatekeeper.metrics import calibration
from gatekeeper.metrics.calibration import MOST_LOG_LOSS, brier_losses, log_losses

pairs = st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(0, 1)), min_size=2, max_size=30)
ENTRIES = [entry for entry in vars(calibration).values() if isinstance(entry, calibration.Metric)]


@given(drawn=pairs)
def test_losses_are_those_of_scikit_learn(drawn: list[tuple[float, int]]) -> None:
    scores, labels = np.array([p for p, _ in drawn]), np.array([y for _, y in drawn])
    assert brier_losses(scores, labels).mean() == pytest.approx(brier_score_loss(labels, scores, pos_label=1))
    assert log_losses(scores, labels).mean() == pytest.approx(log_loss(labels, scores, labels=[0, 1]), abs=1e-12)


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_losses_of_classes_are_those_of_scikit_learn(classes: int) -> None:
    source = np.random.default_rng(classes)
    scores, labels = source.dirichlet(np.full(classes, 0.4), size=200), source.integers(0, classes, size=200)
    wanted = brier_score_loss(labels, scores, labels=range(classes), scale_by_half=False)
    assert brier_losses(scores, labels).mean() == pytest.approx(wanted)
    assert log_losses(scores, labels).mean() == pytest.approx(
        log_loss(labels, scores, labels=range(classes)), abs=1e-12
    )


def test_two_classes_cost_twice_one_finding() -> None:
    scores, labels = np.array([0.0, 0.3, 0.9, 1.0]), np.array([0, 1, 1, 0])
    both = np.stack([1.0 - scores, scores], axis=1)
    np.testing.assert_allclose(brier_losses(both, labels), 2.0 * brier_losses(scores, labels))
    np.testing.assert_allclose(log_losses(both, labels), log_losses(scores, labels))


def test_certainty_of_what_is_not_so_costs_the_most_and_of_what_is_so_nothing() -> None:
    scores, labels = np.array([0.0, 1.0, 0.0, 1.0]), np.array([1, 0, 0, 1])
    assert brier_losses(scores, labels).tolist() == [1.0, 1.0, 0.0, 0.0]
    np.testing.assert_array_equal(log_losses(scores, labels), [-math.log(2.0**-52)] * 2 + [0.0] * 2)
    assert pytest.approx(36.0436, abs=1e-4) == MOST_LOG_LOSS
    assert brier_losses(np.array([[1.0, 0.0, 0.0]]), np.array([2])).tolist() == [2.0]


@pytest.mark.parametrize(
    ("scores", "labels", "why"),
    [
        ([0.5, math.nan], [0, 1], "no probability"),
        ([0.5, 1.1], [0, 1], "no probability"),
        ([0.5, 0.5], [0, 2], "none of the classes"),
        ([0.5], [0, 1], "do not fit"),
        ([[0.5, 0.4]], [0], "add up to 1"),
        ([[0.5, 0.5]], [2], "none of the classes"),
        ([[1.0]], [0], "do not fit"),
    ],
)
def test_what_is_no_probability_of_a_class_is_refused(scores: list[float], labels: list[int], why: str) -> None:
    for losses in (brier_losses, log_losses):
        with pytest.raises(ValueError, match=why):
            losses(np.array(scores), np.array(labels))


def test_entries_have_names_of_their_own_and_bounds_in_order() -> None:
    names = [name for entry in ENTRIES for name in (entry.name, *entry.aliases)]
    assert len(names) == len(set(names))
    assert len(ENTRIES) == 7
    assert all(entry.lowest < entry.highest and not entry.higher_is_better for entry in ENTRIES)

"""Several classes against scikit-learn and statsmodels, and how often the limits hold the truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr
from sklearn.metrics import roc_auc_score
from statsmodels.stats.inter_rater import cohens_kappa

from gatekeeper.metrics import multiclass
from gatekeeper.statistics import clopper_pearson, cluster_weights, wilson
from gatekeeper.statistics.classes import (
    hand_till_interval,
    hand_till_of_weights,
    one_against_rest_interval,
    one_against_rest_of_weights,
    table_interval,
    table_replicates,
)
from gatekeeper.statistics.effective import freedom_correction

Floats = NDArray[np.float64]
SHARES = np.array([0.5, 0.25, 0.15, 0.1])


def truth_of(spread: float) -> Floats:
    """Shares of labels and calls of 4 ordered classes, the calls normal about the labels."""
    ends = np.array([-9.0, 0.5, 1.5, 2.5, 99.0])
    return np.stack([SHARES[k] * np.diff(ndtr((ends - k) / spread)) for k in range(4)])


def by_case(table: Floats) -> Floats:
    """Return counts (n, K, K) of one case each."""
    cells = np.repeat(np.arange(table.size), table.ravel().astype(int))
    return np.eye(table.size)[cells].reshape(-1, *table.shape)


def made_up(
    n: int, seed: int, classes: int = 3, patients: int = 40
) -> tuple[Floats, NDArray[np.int64], NDArray[np.intp]]:
    source = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), source.integers(0, classes, size=n - classes)])
    line = source.normal(size=(n, classes)) + 1.0 * (np.arange(classes) == labels[:, None])
    scores = np.round(np.exp(line) / np.exp(line).sum(axis=1, keepdims=True), 2)
    scores[:, 0] += 1.0 - scores.sum(axis=1)
    codes = np.unique(source.integers(0, patients, size=n), return_inverse=True)[1]
    return np.clip(scores, 0.0, 1.0), labels, codes


@pytest.mark.parametrize(("weights", "power"), [(None, 0), ("linear", 1), ("quadratic", 2)])
def test_the_variance_of_kappa_is_that_of_fleiss_cohen_and_everitt_in_statsmodels(
    weights: str | None, power: int
) -> None:
    table = np.random.default_rng(1).multinomial(2000, truth_of(0.7).ravel()).reshape(4, 4).astype(np.float64)
    wanted = cohens_kappa(table, weights=np.arange(4) if weights else None, wt=weights)
    value, found = table_interval(lambda counts: multiclass.weighted_kappa(counts, power), by_case(table), (-1.0, 1.0))
    assert value == pytest.approx(wanted.kappa)
    assert found.upper - found.lower == pytest.approx(2.0 * 1.96 * wanted.std_kappa, rel=5e-3)


@pytest.mark.parametrize("formula", [multiclass.f1, multiclass.matthews, multiclass.weighted_kappa])
def test_replicates_are_the_metric_of_resampled_tables(formula: Callable[[Floats], Floats]) -> None:
    """Mean and spread as of cases drawn one by one; the sums themselves are tested with ``bootstrap_sums``."""
    counts = by_case(np.round(truth_of(0.6) * 300))
    found = table_replicates(formula, counts, 3000, 1)
    weights = cluster_weights(len(counts), 3000, 2).astype(np.float64)
    one_by_one = formula((weights @ counts.reshape(len(counts), -1)).reshape(-1, 4, 4))
    assert found.mean() == pytest.approx(one_by_one.mean(), abs=0.003)
    assert found.std() == pytest.approx(one_by_one.std(), rel=0.06)


def test_copies_of_cases_of_a_patient_tell_nothing_more() -> None:
    counts = by_case(np.round(truth_of(0.6) * 150))
    once = table_interval(multiclass.matthews, counts, (-1.0, 1.0))
    copied = table_interval(multiclass.matthews, 5.0 * counts, (-1.0, 1.0))
    assert (copied[0], copied[1].lower, copied[1].upper) == pytest.approx((once[0], once[1].lower, once[1].upper))
    order = np.random.default_rng(1).permutation(len(counts))
    assert table_interval(multiclass.matthews, counts[order], (-1.0, 1.0)) == once
    four = table_interval(multiclass.matthews, counts, (-1.0, 1.0), times=4.0)[1]
    assert (once[1].upper - once[1].lower) / (four.upper - four.lower) == pytest.approx(2.0, rel=0.02)


def test_accuracy_has_wilsons_limits_on_one_case_less() -> None:
    table = np.array([[3.0, 1, 0], [1, 4, 0], [0, 1, 2]])
    _, found = table_interval(multiclass.accuracy, by_case(table), (0.0, 1.0))
    trials = 11.0 * freedom_correction(12, 0.95)
    wanted = wilson(9 / 12 * trials, trials)
    assert (found.lower, found.upper) == pytest.approx((wanted.lower, wanted.upper))


def test_tables_without_a_wrong_call_are_bounded_by_what_may_be_wrong() -> None:
    counts = by_case(np.diag([50.0, 30.0, 20.0]))
    value, found = table_interval(multiclass.accuracy, counts, (0.0, 1.0))
    assert (value, found.upper) == (1.0, 1.0)
    assert found.lower == pytest.approx(clopper_pearson(100, 100).lower)
    rare = table_interval(multiclass.sensitivity, counts, (0.0, 1.0))[1]
    share = clopper_pearson(0, 100).upper
    assert rare.lower == pytest.approx(1.0 - share * 100.0 / 20.0 / 3.0)
    costs = np.array([[0.0, 1, 2], [1, 0, 1], [9, 1, 0]])
    _, cost = table_interval(lambda table: multiclass.expected_cost(table, costs), counts, (0.0, 9.0))
    assert (cost.lower, cost.upper) == (0.0, pytest.approx(9.0 * share))
    wiped_out = table_interval(multiclass.precision, by_case(np.diag([50.0, 1.0])), (0.0, 1.0))[1]
    assert (wiped_out.lower, wiped_out.upper) == (0.0, 1.0)


def test_what_one_patient_alone_carries_is_bounded_by_nothing() -> None:
    table = np.array([[5.0, 1, 0], [1, 6, 0], [0, 1, 0]])
    found = table_interval(multiclass.sensitivity, by_case(table), (0.0, 1.0))[1]
    assert (found.lower, found.upper) == (0.0, 1.0)
    single = table_interval(multiclass.accuracy, table[None], (0.0, 1.0))[1]
    assert (single.lower, single.upper) == (0.0, 1.0)


def test_tables_that_are_none_are_refused() -> None:
    for bad in (np.zeros((2, 3)), np.zeros((2, 3, 3)), -np.ones((1, 2, 2)), np.full((1, 2, 2), np.nan)):
        with pytest.raises(ValueError, match=r"counts|table"):
            table_interval(multiclass.accuracy, bad, (0.0, 1.0))
    with pytest.raises(ValueError, match="without a value"):
        table_interval(multiclass.kappa, by_case(np.diag([5.0, 0.0])), (-1.0, 1.0))


@pytest.mark.parametrize(
    ("formula", "least"),
    [
        (multiclass.weighted_kappa, -1.0),
        (multiclass.f1, 0.0),
        (multiclass.sensitivity, 0.0),
        (multiclass.matthews, -1.0),
    ],
)
def test_limits_of_a_table_are_rarely_wrong(formula: Callable[[Floats], Floats], least: float) -> None:
    """800 made-up sets of 150 cases: 2.5 % on each side; a plain Wald interval fails below in 4 to 7 %."""
    share, source = truth_of(0.35), np.random.default_rng(8)
    truth, wrong = float(formula(share)), np.zeros(2)
    for _ in range(800):
        table = source.multinomial(150, share.ravel()).reshape(4, 4).astype(np.float64)
        found = table_interval(formula, by_case(table), (least, 1.0))[1]
        wrong += (found.lower > truth, found.upper < truth)
    assert (wrong / 800 <= (0.042, 0.050)).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [3, 5])
def test_areas_are_those_of_scikit_learn_in_every_resample(classes: int, weighted: bool) -> None:
    scores, labels, codes = made_up(150, classes, classes)
    weights, known = cluster_weights(int(codes.max()) + 1, 12, 1), range(classes)
    average = "weighted" if weighted else "macro"
    rest = one_against_rest_of_weights(scores, labels, weights, codes, weighted)
    pairs = hand_till_of_weights(scores, labels, [weights[:5], weights[5:]], codes)
    for row, area, mean in zip(weights, rest, pairs, strict=True):
        taken, called = np.repeat(labels, row[codes]), np.repeat(scores, row[codes], axis=0)
        wanted = roc_auc_score(taken, called, multi_class="ovr", average=average, labels=known)
        assert area == pytest.approx(wanted, abs=1e-12)
        wanted = roc_auc_score(taken, called, multi_class="ovo", average="macro", labels=known)
        assert mean == pytest.approx(wanted, abs=1e-12)


def test_two_classes_have_the_area_of_one_finding() -> None:
    scores, labels, codes = made_up(80, 1, 2)
    once = np.ones((1, int(codes.max()) + 1), dtype=np.int64)
    wanted = roc_auc_score(labels, scores[:, 1])
    assert hand_till_of_weights(scores, labels, once, codes)[0] == pytest.approx(wanted, abs=1e-9)
    assert one_against_rest_of_weights(scores, labels, once, codes)[0] == pytest.approx(wanted, abs=1e-9)


INTERVALS = {
    "rest": one_against_rest_interval,
    "rest, weighted": lambda *given, **named: one_against_rest_interval(*given, weighted=True, **named),
    "pairs": hand_till_interval,
}


@pytest.mark.parametrize("name", INTERVALS)
class TestAreaIntervals:
    def test_limits_hold_the_value_whatever_the_order_of_rows(self, name: str) -> None:
        scores, labels, codes = made_up(90, 4)
        order = np.random.default_rng(1).permutation(90)
        first = INTERVALS[name](scores, labels, codes)
        assert first[1].lower < first[0] < first[1].upper
        again = INTERVALS[name](scores[order], labels[order], codes[order])
        assert (again[0], again[1].lower, again[1].upper) == (first[0], first[1].lower, first[1].upper)

    def test_separated_classes_are_bounded_by_pairs(self, name: str) -> None:
        labels = np.repeat([0, 1, 2], [40, 30, 20])
        scores = np.eye(3)[labels] * 0.9 + 1.0 / 30.0
        value, found = INTERVALS[name](scores, labels, np.arange(90))
        pairs = [clopper_pearson(count, count).lower for count in (40, 30, 20)]
        least = {"rest": np.mean(pairs), "pairs": (2 * pairs[1] + 4 * pairs[2]) / 6.0}
        least["rest, weighted"] = np.dot(pairs, [40, 30, 20]) / 90.0
        assert (value, found.upper) == (1.0, 1.0)
        assert found.lower == pytest.approx(least[name])

    def test_one_patient_of_a_class_bounds_nothing(self, name: str) -> None:
        scores, labels, _ = made_up(30, 5)
        codes = np.where(labels == 2, 0, np.arange(30))
        found = INTERVALS[name](scores, labels, codes)[1]
        assert (found.lower, found.upper) == (0.0, 1.0)

    def test_a_class_without_a_case_is_refused(self, name: str) -> None:
        scores, labels, codes = made_up(30, 6)
        with pytest.raises(ValueError, match="every class"):
            INTERVALS[name](scores, np.minimum(labels, 1), codes)


def test_limits_of_areas_are_rarely_wrong() -> None:
    """300 made-up sets of 120 cases of three classes; normal scores, so that the truth comes from one large set."""
    truth = float(
        hand_till_of_weights(*made_up(150_000, 77, 3)[:2], np.ones((1, 1), dtype=np.int64), np.zeros(150_000, int))[0]
    )
    found = [hand_till_interval(*made_up(120, 300 + k)[:2], np.arange(120))[1] for k in range(300)]
    assert np.mean([limits.lower > truth for limits in found]) <= 0.03
    assert np.mean([limits.upper < truth for limits in found]) <= 0.055

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from gatekeeper.statistics import (
    auroc,
    auroc_from_pairs,
    auroc_interval,
    auroc_of_weights,
    bootstrap_auroc,
    clopper_pearson,
    cluster_weights,
    delong,
)
from gatekeeper.statistics.interval import normal_quantile

ULPS = 4e-16

Cases = tuple[NDArray[np.float64], NDArray[np.int8]]


def cases(n: int, seed: int, share: float = 0.4, steps: int | None = None, shift: float = 1.0) -> Cases:
    """Normal scores, shifted for positives; with ``steps`` rounded so that many are tied."""
    source = np.random.default_rng(seed)
    labels = (source.random(n) < share).astype(np.int8)
    labels[:2] = (0, 1)
    scores = source.normal(size=n) + shift * labels
    return (np.round(scores * steps) / steps if steps else scores), labels


@st.composite
def tied_cases(draw: st.DrawFn, most: int = 40) -> Cases:
    labels = draw(
        st.lists(st.integers(0, 1), min_size=2, max_size=most).filter(lambda drawn: 0 < sum(drawn) < len(drawn))
    )
    scores = draw(st.lists(st.integers(-4, 4), min_size=len(labels), max_size=len(labels)))
    return np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=np.int8)


def by_all_pairs(scores: NDArray[np.float64], labels: NDArray[np.int8]) -> NDArray[np.float64]:
    """Compare every positive with every negative: 1 above, 1/2 tied, 0 below; shape (positives, negatives)."""
    difference = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    return np.asarray((difference > 0) + 0.5 * (difference == 0))


def delong_by_structural_components(scores: NDArray[np.float64], labels: NDArray[np.int8]) -> tuple[float, float]:
    """The area and its variance as DeLong et al. (1988) write them, equations 4 to 6, from all pairs."""
    kernel = by_all_pairs(scores, labels)
    m, n = kernel.shape
    area = sum(kernel[i, j] for i in range(m) for j in range(n)) / (m * n)
    v10 = [sum(kernel[i, j] for j in range(n)) / n for i in range(m)]
    v01 = [sum(kernel[i, j] for i in range(m)) / m for j in range(n)]
    s10 = sum((value - area) ** 2 for value in v10) / (m - 1)
    s01 = sum((value - area) ** 2 for value in v01) / (n - 1)
    return area, s10 / m + s01 / n


class TestArea:
    @pytest.mark.parametrize("n", [2, 10, 1000, 20000])
    @pytest.mark.parametrize("steps", [None, 1, 10])
    def test_equals_scikit_learn(self, n: int, steps: int | None) -> None:
        scores, labels = cases(n, seed=n, steps=steps)
        assert auroc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=ULPS)

    @settings(max_examples=60, deadline=None)
    @given(tied_cases())
    def test_equals_the_share_of_pairs_in_order_exactly(self, drawn: Cases) -> None:
        assert auroc(*drawn) == by_all_pairs(*drawn).mean()

    @settings(max_examples=40, deadline=None)
    @given(tied_cases(), st.integers(0, 2**32 - 1))
    def test_does_not_depend_on_the_order_of_cases(self, drawn: Cases, seed: int) -> None:
        scores, labels = drawn
        order = np.random.default_rng(seed).permutation(len(scores))
        assert auroc(scores[order], labels[order]) == auroc(scores, labels)

    @settings(max_examples=40, deadline=None)
    @given(tied_cases())
    def test_depends_on_the_order_of_scores_alone(self, drawn: Cases) -> None:
        scores, labels = drawn
        assert auroc(np.exp(3 * scores) - 7, labels) == auroc(scores, labels)
        assert auroc(-scores, labels) == pytest.approx(1 - auroc(scores, labels), abs=ULPS)
        assert auroc(scores, 1 - labels) == pytest.approx(1 - auroc(scores, labels), abs=ULPS)

    def test_infinite_scores_rank_first_and_last(self) -> None:
        scores = np.asarray([-np.inf, 0.2, 0.7, np.inf])
        assert auroc(scores, np.asarray([0, 0, 1, 1])) == 1.0
        assert auroc(scores, np.asarray([1, 0, 0, 1])) == 0.5

    def test_labels_may_be_booleans(self) -> None:
        assert auroc(np.asarray([0.1, 0.9]), np.asarray([False, True])) == 1.0

    @pytest.mark.parametrize(
        ("scores", "labels", "complaint"),
        [
            ([0.1, 0.2], [1, 1], "both classes"),
            ([0.1, 0.2], [0, 0], "both classes"),
            ([], [], "both classes"),
            ([0.1, math.nan], [0, 1], "NaN"),
            ([0.1, 0.2, 0.3], [0, 1, 2], "neither 0 nor 1"),
            ([0.1, 0.2, 0.3], [0, 1], "of one length"),
        ],
    )
    def test_what_has_no_area_is_refused(self, scores: list[float], labels: list[int], complaint: str) -> None:
        arrays = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=np.int8)
        with pytest.raises(ValueError, match=complaint):
            auroc(*arrays)
        with pytest.raises(ValueError, match=complaint):
            delong(*arrays)
        with pytest.raises(ValueError, match=complaint):
            auroc_of_weights(*arrays, np.ones((1, len(scores)), dtype=np.int64))


class TestDeLong:
    @pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
    @pytest.mark.parametrize("steps", [None, 1, 5])
    @pytest.mark.parametrize("n", [6, 25, 120])
    def test_equals_the_structural_components_on_the_log_odds_scale(
        self, n: int, steps: int | None, confidence: float
    ) -> None:
        scores, labels = cases(n, seed=n + 1, steps=steps, shift=0.7)
        expected, variance = delong_by_structural_components(scores, labels)
        centre = math.log(expected / (1 - expected))
        half = normal_quantile(confidence) * math.sqrt(variance) / (expected * (1 - expected))
        area, interval = delong(scores, labels, confidence)
        assert area == pytest.approx(expected, abs=1e-14)
        for limit, logit in ((interval.lower, centre - half), (interval.upper, centre + half)):
            assert limit == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-13)
        assert interval.method == "DeLong, on the log-odds scale"

    @settings(max_examples=60, deadline=None)
    @given(tied_cases())
    def test_holds_the_area_between_0_and_1(self, drawn: Cases) -> None:
        area, interval = delong(*drawn, 0.95)
        assert 0.0 <= interval.lower <= area <= interval.upper <= 1.0
        assert interval.lower < interval.upper

    @settings(max_examples=40, deadline=None)
    @given(tied_cases())
    def test_turned_scores_give_the_mirror_image(self, drawn: Cases) -> None:
        scores, labels = drawn
        _, interval = delong(scores, labels, 0.95)
        _, turned = delong(-scores, labels, 0.95)
        assert (turned.lower, turned.upper) == pytest.approx((1 - interval.upper, 1 - interval.lower), abs=1e-12)

    @settings(max_examples=40, deadline=None)
    @given(tied_cases())
    def test_more_confidence_widens(self, drawn: Cases) -> None:
        _, narrow = delong(*drawn, 0.8)
        _, wide = delong(*drawn, 0.99)
        assert wide.lower <= narrow.lower
        assert narrow.upper <= wide.upper

    def test_separated_classes_give_exact_limits_over_pairs(self) -> None:
        scores, labels = np.arange(130.0), np.repeat([0, 1], [100, 30])
        area, interval = delong(scores, labels, 0.95)
        assert (area, interval.upper) == (1.0, 1.0)
        assert interval.lower == pytest.approx(0.025 ** (1 / 30), rel=1e-12)
        assert "30 independent pairs" in interval.method
        area, turned = delong(-scores, labels, 0.95)
        assert (area, turned.lower) == (0.0, 0.0)
        assert turned.upper == pytest.approx(1 - interval.lower, rel=1e-12)

    def test_equal_scores_are_no_proof_of_an_area_of_one_half(self) -> None:
        area, interval = delong(np.full(60, 0.3), np.repeat([0, 1], [40, 20]), 0.95)
        assert area == 0.5
        assert interval.lower == pytest.approx(0.025 ** (1 / 20) / 2, rel=1e-12)
        assert interval.upper == pytest.approx(1 - interval.lower, rel=1e-12)
        assert "all scores are equal" in interval.method

    def test_one_case_of_a_class_bounds_nothing(self) -> None:
        area, interval = delong(np.asarray([0.1, 0.5, 0.9]), np.asarray([0, 1, 0]), 0.95)
        assert area == 0.5
        assert (interval.lower, interval.upper) == (0.0, 1.0)

    def test_pairs_bound_only_what_nothing_contradicts(self) -> None:
        assert auroc_from_pairs(1.0, 12).lower == clopper_pearson(12, 12).lower
        with pytest.raises(ValueError, match="do not bound"):
            auroc_from_pairs(0.9, 12)
        with pytest.raises(ValueError, match="trials"):
            auroc_from_pairs(1.0, 0)


class TestManyResamples:
    @pytest.mark.parametrize("steps", [None, 1, 10])
    @pytest.mark.parametrize("n", [3, 50, 700])
    def test_equals_scikit_learn_on_cases_repeated_so_often(self, n: int, steps: int | None) -> None:
        scores, labels = cases(n, seed=n, steps=steps)
        weights = cluster_weights(n, 40, seed=1)
        areas = auroc_of_weights(scores, labels, weights)
        assert areas.shape == (40,)
        for area, weight in zip(areas, weights, strict=True):
            drawn = np.repeat(np.arange(n), weight)
            if len(np.unique(labels[drawn])) < 2:
                assert math.isnan(area)
                continue
            assert area == pytest.approx(roc_auc_score(labels[drawn], scores[drawn]), abs=ULPS)
            assert area == auroc(scores[drawn], labels[drawn])
            assert area == pytest.approx(roc_auc_score(labels, scores, sample_weight=weight), abs=1e-14)

    @settings(max_examples=50, deadline=None)
    @given(tied_cases(), st.data())
    def test_equals_the_area_of_the_repeated_cases_exactly(self, drawn: Cases, data: st.DataObject) -> None:
        scores, labels = drawn
        weight = np.asarray(data.draw(st.lists(st.integers(0, 5), min_size=len(labels), max_size=len(labels))))
        (area,) = auroc_of_weights(scores, labels, weight[None, :])
        repeated = np.repeat(labels, weight)
        if len(np.unique(repeated)) < 2:
            assert math.isnan(area)
        else:
            assert area == auroc(np.repeat(scores, weight), repeated)

    def test_weights_of_one_give_the_area_itself(self) -> None:
        scores, labels = cases(500, seed=3, steps=4)
        assert (
            auroc_of_weights(scores, labels, np.ones((2, 500), dtype=np.uint16)).tolist() == [auroc(scores, labels)] * 2
        )

    def test_cases_drawn_one_by_one_are_drawn_in_the_order_of_class_and_score(self) -> None:
        scores, labels = cases(300, seed=4, steps=6)
        order = np.lexsort((scores, labels))
        drawn = auroc_of_weights(scores[order], labels[order], cluster_weights(300, 50, seed=2))
        assert bootstrap_auroc(scores, labels, resamples=50, seed=2).tolist() == drawn.tolist()
        codes = np.arange(300)
        by_patient = auroc_of_weights(scores, labels, cluster_weights(300, 50, seed=2))
        assert bootstrap_auroc(scores, labels, codes, 50, 2).tolist() == by_patient.tolist()

    def test_weights_of_clusters_equal_weights_spread_over_their_cases(self) -> None:
        scores, labels = cases(300, seed=4, steps=6)
        clusters = np.random.default_rng(0).integers(0, 80, size=300)
        weights = cluster_weights(80, 50, seed=2)
        spread = auroc_of_weights(scores, labels, weights[:, clusters])
        assert auroc_of_weights(scores, labels, weights, clusters).tolist() == spread.tolist()

    @pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.int64])
    def test_the_integer_type_of_weights_changes_nothing(self, kind: type[np.integer]) -> None:
        scores, labels = cases(4000, seed=5, steps=20)
        weights = cluster_weights(4000, 80, seed=3)
        areas = auroc_of_weights(scores, labels, weights.astype(kind))
        assert areas.tolist() == auroc_of_weights(scores, labels, weights).tolist()

    def test_sums_beyond_32_bits_stay_exact(self) -> None:
        scores, labels = np.asarray([0.0, 1.0, 1.0, 2.0]), np.asarray([0, 0, 1, 1])
        weights = np.asarray([[2**28, 2**31, 3, 5]], dtype=np.int64)
        won = 2 * 2**28 * 3 + 2**31 * 3 + 2 * (2**28 + 2**31) * 5
        assert auroc_of_weights(scores, labels, weights)[0] == won / (2 * 8 * (2**28 + 2**31))

    def test_a_hundred_thousand_cases_need_little_memory_beside_the_weights(self) -> None:
        scores, labels = cases(100_000, seed=6)
        weights = np.ones((60, 100_000), dtype=np.uint16)
        tracemalloc.start()
        areas = auroc_of_weights(scores, labels, weights)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert areas.tolist() == [auroc(scores, labels)] * 60
        assert peak < 20e6

    @pytest.mark.parametrize(
        ("weights", "complaint"),
        [
            (np.ones((2, 3), dtype=np.int64), "do not fit"),
            (np.ones((2, 5), dtype=np.int64), "do not fit"),
            (np.ones(4, dtype=np.int64), "do not fit"),
            (np.ones((2, 4)), "counts of cases"),
            (np.full((2, 4), -1), "negative"),
        ],
    )
    def test_weights_that_are_none_are_refused(self, weights: NDArray[np.int64], complaint: str) -> None:
        with pytest.raises(ValueError, match=complaint):
            auroc_of_weights(np.arange(4.0), np.asarray([0, 1, 0, 1]), weights)

    def test_no_resample_gives_no_area(self) -> None:
        nothing = np.empty((0, 2), dtype=np.int64)
        assert auroc_of_weights(np.arange(2.0), np.asarray([0, 1]), nothing).shape == (0,)


def interval_by_hand(scores: NDArray[np.float64], labels: NDArray[np.int64], worst: float) -> float:
    """The lower limit (worst 0), or 1 less the upper one (worst 1), each comparison and each patient written out."""
    sign = 1.0 if worst == 0.0 else -1.0
    positives, negatives = sign * scores[labels == 1], sign * scores[labels == 0]
    wins = (positives[:, None] > negatives[None, :]) + 0.5 * (positives[:, None] == negatives[None, :])
    area, variance = wins.mean(), 0.0
    for placements in (wins.mean(axis=1), wins.mean(axis=0)):
        count = len(placements)
        mean = placements.sum() / (count + 0.2)
        variance += (((placements - mean) ** 2).sum() + 0.2 * mean**2) / (count + 0.2) ** 2
        area *= count / (count + 0.2)
    fewest = min(len(positives), len(negatives))
    variance *= (fewest + 0.2) / (fewest - 0.8)
    z = student.ppf(0.975, fewest - 1)
    trials = area * (1 - area) / variance
    centre = (area + z**2 / (2 * trials)) / (1 + z**2 / trials)
    return float(centre - z / (1 + z**2 / trials) * math.sqrt(area * (1 - area) / trials + z**2 / (4 * trials**2)))


class TestIntervalOfTheGate:
    @pytest.mark.parametrize("steps", [None, 5])
    @pytest.mark.parametrize("n", [12, 60, 400])
    def test_equals_the_formula_written_out(self, n: int, steps: int | None) -> None:
        scores, labels = cases(n, seed=n, steps=steps)
        area, found = auroc_interval(scores, labels)
        assert area == auroc(scores, labels)
        assert found.lower == pytest.approx(interval_by_hand(scores, labels, 0.0), abs=1e-12)
        assert 1.0 - found.upper == pytest.approx(interval_by_hand(scores, labels, 1.0), abs=1e-12)

    @settings(max_examples=60, deadline=None)
    @given(tied_cases())
    def test_holds_the_area_and_lies_in_the_unit_interval(self, drawn: Cases) -> None:
        scores, labels = drawn
        if len(np.unique(labels)) < 2:
            return
        area, found = auroc_interval(scores, labels)
        assert 0.0 <= found.lower <= area <= found.upper <= 1.0

    @settings(max_examples=40, deadline=None)
    @given(tied_cases())
    def test_scores_turned_round_turn_the_interval_round(self, drawn: Cases) -> None:
        scores, labels = drawn
        if len(np.unique(labels)) < 2:
            return
        (area, found), (other, turned) = auroc_interval(scores, labels), auroc_interval(-scores, labels)
        assert other == pytest.approx(1.0 - area)
        assert (turned.lower, turned.upper) == pytest.approx((1.0 - found.upper, 1.0 - found.lower), abs=1e-12)

    def test_is_a_little_wider_than_delong_with_many_cases(self) -> None:
        scores, labels = cases(2000, seed=9, steps=None)
        (_, gate), (_, plain) = auroc_interval(scores, labels), delong(scores, labels)
        assert 1.0 <= (gate.upper - gate.lower) / (plain.upper - plain.lower) < 1.05

    def test_copies_of_cases_do_not_narrow_it_but_for_the_added_fifth(self) -> None:
        scores, labels = cases(80, seed=2, steps=None)
        patients = np.arange(80)
        _, once = auroc_interval(scores, labels, patients)
        _, often = auroc_interval(np.tile(scores, 7), np.tile(labels, 7), np.tile(patients, 7))
        assert (often.lower, often.upper) == pytest.approx((once.lower, once.upper), abs=1e-9)
        assert "Obuchowski" in often.method

    def test_patients_who_rank_alike_widen_it(self) -> None:
        source = np.random.default_rng(3)
        patient = np.repeat(np.arange(60), 5)
        labels = (patient % 2).astype(np.int64)
        scores = source.normal(size=60)[patient] + labels + 0.1 * source.normal(size=300)
        (_, by_patient), (_, by_case) = auroc_interval(scores, labels, patient), auroc_interval(scores, labels)
        assert by_patient.upper - by_patient.lower > 1.8 * (by_case.upper - by_case.lower)

    def test_one_more_error_never_raises_the_lower_limit_from_perfect(self) -> None:
        labels = np.repeat([1, 0], 40)
        perfect = np.repeat([1.0, 0.0], 40)
        worse = perfect.copy()
        worse[0] = -1.0
        slightly = perfect + np.linspace(0.0, 0.5, 80)
        slightly[0], slightly[40] = 0.2, 0.45
        limits = [auroc_interval(scores, labels)[1].lower for scores in (perfect, slightly, worse)]
        assert limits[0] >= limits[1] >= limits[2]

    def test_separated_or_equal_scores_have_exact_limits_over_pairs_of_patients(self) -> None:
        labels, patients = np.array([1, 1, 0, 0, 1, 0]), np.array([0, 1, 2, 3, 0, 2])
        area, found = auroc_interval(labels.astype(float), labels, patients)
        assert (area, found) == (1.0, auroc_from_pairs(1.0, 2))
        assert auroc_interval(np.zeros(6), labels, patients)[1] == auroc_from_pairs(0.5, 2)

    def test_one_patient_of_a_class_bounds_nothing(self) -> None:
        _, found = auroc_interval(np.array([0.5, 0.2, 0.9]), np.array([1, 0, 0]))
        assert (found.lower, found.upper) == (0.0, 1.0)

    @pytest.mark.parametrize("wrong", [np.array([np.nan, 0.1]), np.array([0.1])])
    def test_scores_that_are_none_are_refused(self, wrong: NDArray[np.float64]) -> None:
        with pytest.raises(ValueError, match=r"NaN|one length"):
            auroc_interval(wrong, np.array([0, 1]))

    def test_patients_of_another_length_are_refused(self) -> None:
        with pytest.raises(ValueError, match="one length"):
            auroc_interval(np.array([0.1, 0.2]), np.array([0, 1]), np.array([1]))

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from gatekeeper.statistics import (
    auroc,
    auroc_from_pairs,
    auroc_of_weights,
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

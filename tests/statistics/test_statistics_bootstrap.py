from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from gatekeeper.statistics import (
    RESAMPLES,
    Undecidable,
    auroc_of_weights,
    bootstrap_sums,
    cluster_index,
    cluster_weights,
    percentile_interval,
)


def weights_by_hand(clusters: int, resamples: int, seed: int) -> list[list[int]]:
    """Draw one patient at a time, in plain integers, from the raw stream of PCG64: its low half first."""
    stream, halves = np.random.PCG64(seed), []
    for _ in range((clusters * resamples + 1) // 2):
        raw = int(stream.random_raw())
        halves += [raw & (2**32 - 1), raw >> 32]
    counted = []
    for _ in range(resamples):
        row = [0] * clusters
        for _ in range(clusters):
            row[(halves.pop(0) * clusters) >> 32] += 1
        counted.append(row)
    return counted


class TestWeights:
    def test_two_thousand_resamples_unless_told_otherwise(self) -> None:
        assert RESAMPLES == 2000
        assert cluster_weights(3).shape == (2000, 3)

    @pytest.mark.parametrize(("clusters", "resamples", "seed"), [(1, 3, 0), (5, 30, 0), (300, 20, 7), (1000, 5, 2**40)])
    def test_equal_draws_made_one_patient_at_a_time(self, clusters: int, resamples: int, seed: int) -> None:
        drawn = cluster_weights(clusters, resamples, seed)
        assert drawn.dtype == np.uint16
        assert drawn.tolist() == weights_by_hand(clusters, resamples, seed)

    def test_the_draw_is_the_same_for_ever(self) -> None:
        """What a dossier's limits rest on; must never change, whatever numpy is installed."""
        assert cluster_weights(5, 3, 0).tolist() == [[0, 2, 1, 1, 1], [4, 0, 0, 0, 1], [0, 0, 1, 2, 2]]
        assert cluster_weights(1000, 2000, 0)[1999, :12].tolist() == [0, 1, 1, 1, 0, 1, 1, 0, 0, 1, 2, 1]

    @settings(max_examples=30, deadline=None)
    @given(st.integers(1, 200), st.integers(1, 50), st.integers(0, 2**32))
    def test_every_resample_takes_as_many_patients_as_there_are(self, clusters: int, resamples: int, seed: int) -> None:
        assert (cluster_weights(clusters, resamples, seed).sum(axis=1) == clusters).all()

    def test_fewer_resamples_are_the_first_of_more(self) -> None:
        assert np.array_equal(cluster_weights(700, 500, 1)[:123], cluster_weights(700, 123, 1))

    def test_counts_have_the_moments_of_the_multinomial(self) -> None:
        """Mean 1, variance 1 - 1/C, covariance -1/C; bounds of five standard errors, computed for this many draws."""
        clusters, resamples = 20, 20_000
        weights = cluster_weights(clusters, resamples, 11).astype(np.float64)
        covariance = np.cov(weights, rowvar=False)
        apart = ~np.eye(clusters, dtype=bool)
        assert np.abs(weights.mean(axis=0) - 1).max() < 5 / np.sqrt(resamples)
        assert np.abs(np.diag(covariance) - (1 - 1 / clusters)).max() < 5 * np.sqrt(3 / resamples)
        assert np.abs(covariance[apart] + 1 / clusters).max() < 5 / np.sqrt(resamples)

    def test_seeds_differ(self) -> None:
        assert not np.array_equal(cluster_weights(50, 10, 0), cluster_weights(50, 10, 1))

    @pytest.mark.parametrize(("clusters", "resamples"), [(0, 10), (10, 0), (-1, 5)])
    def test_nothing_to_draw_is_an_error(self, clusters: int, resamples: int) -> None:
        with pytest.raises(ValueError, match="cannot draw"):
            cluster_weights(clusters, resamples, 0)


class TestClusterIndex:
    def test_codes_follow_the_names_of_patients(self) -> None:
        codes, patients = cluster_index(["P2", "P10", "P2", "P1"])
        assert (codes.tolist(), patients) == ([2, 1, 2, 0], 3)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.text(max_size=3), max_size=30), st.integers(0, 2**32 - 1))
    def test_rows_in_another_order_get_the_same_codes(self, names: list[str], seed: int) -> None:
        codes, patients = cluster_index(names)
        order = np.random.default_rng(seed).permutation(len(names))
        shuffled, again = cluster_index([names[position] for position in order])
        assert again == patients == len(set(names))
        assert shuffled.tolist() == codes[order].tolist()
        assert sorted(set(codes.tolist())) == list(range(patients))

    def test_no_row_has_no_patient(self) -> None:
        codes, patients = cluster_index([])
        assert (codes.shape, patients) == ((0,), 0)

    def test_names_that_differ_in_a_trailing_null_are_two_patients(self) -> None:
        assert cluster_index(["P1", "P1\0"])[1] == 2


class TestSums:
    @settings(max_examples=30, deadline=None)
    @given(st.integers(1, 40), st.integers(1, 4), st.integers(0, 1000))
    def test_contributions_that_differ_are_summed_exactly_over_drawn_clusters(
        self, clusters: int, kinds: int, seed: int
    ) -> None:
        contributions = np.random.default_rng(seed).integers(0, 2**30, size=(clusters, kinds))
        weights = cluster_weights(clusters, 9, seed).astype(np.int64)
        assert bootstrap_sums(contributions, 9, seed).tolist() == (weights @ contributions).tolist()

    def test_contributions_of_few_kinds_are_drawn_as_kinds(self) -> None:
        """As RandomState draws them; its stream never changes (NEP 19)."""
        counts = np.repeat([[0, 1], [2, 0], [0, 3]], [20, 50, 30], axis=0)
        drawn = np.random.RandomState(np.random.PCG64(3)).multinomial(100, [0.2, 0.3, 0.5], size=40)
        expected = drawn @ np.array([[0, 1], [0, 3], [2, 0]])
        assert bootstrap_sums(counts, 40, 3).tolist() == expected.tolist()

    def test_the_draw_of_kinds_is_the_same_for_ever(self) -> None:
        counts = np.repeat([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [300, 600, 100], axis=0)
        assert bootstrap_sums(counts, 3, 0).tolist() == [[304, 604, 92], [304, 595, 101], [281, 605, 114]]

    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.integers(1, 60), min_size=2, max_size=5), st.integers(0, 1000))
    def test_both_ways_have_the_same_moments(self, members: list[int], seed: int) -> None:
        """Mean and covariance of the multinomial, within five standard errors of 4,000 draws."""
        clusters = sum(members)
        counts = np.repeat(np.eye(len(members)), members, axis=0)
        sums = bootstrap_sums(counts, 4000, seed)
        share = np.asarray(members) / clusters
        spread = np.sqrt(clusters * share * (1 - share))
        assert (sums.sum(axis=1) == clusters).all()
        assert (np.abs(sums.mean(axis=0) - members) <= 5 * spread / np.sqrt(4000) + 1e-9).all()
        assert sums.std(axis=0) == pytest.approx(spread, rel=0.12)

    def test_clusters_in_another_order_give_the_same_kinds(self) -> None:
        counts = np.random.default_rng(0).integers(0, 3, size=(3000, 2))
        shuffled = counts[np.random.default_rng(1).permutation(3000)]
        assert np.array_equal(bootstrap_sums(counts, 50), bootstrap_sums(shuffled, 50))

    def test_parts_summed_together_equal_parts_summed_with_the_same_weights(self) -> None:
        contributions = np.random.default_rng(0).normal(size=(300, 2))
        weights = cluster_weights(300, 50, 0)
        assert bootstrap_sums(contributions, 50) == pytest.approx(weights @ contributions)

    @pytest.mark.parametrize("wrong", [np.ones(3), np.full((3, 2), np.nan), np.full((3, 2), np.inf)])
    def test_what_cannot_be_summed_is_refused(self, wrong: NDArray[np.float64]) -> None:
        with pytest.raises(ValueError, match="must be finite and of shape"):
            bootstrap_sums(wrong)

    def test_no_cluster_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="cannot draw"):
            bootstrap_sums(np.empty((0, 4)))


Rows = tuple[NDArray[np.intp], int, NDArray[np.int8], NDArray[np.float64]]


def clustered_rows() -> Rows:
    """200 rows of about 60 patients, whose rows are alike: patient codes, patients, labels, scores."""
    source = np.random.default_rng(5)
    codes, patients = cluster_index([f"P{number:03}" for number in source.integers(0, 60, size=200)])
    liable = source.normal(size=patients)
    label = (source.random(200) < 0.4).astype(np.int8)
    return codes, patients, label, np.round(label + 0.8 * liable[codes] + source.normal(size=200), 1)


class TestAgainstResamplingRows:
    """Sensitivity, precision and area of rows repeated patient by patient, measured by scikit-learn."""

    def test_equals_recomputing_on_the_resampled_rows(self) -> None:
        codes, patients, label, score = clustered_rows()
        called = score >= 0.5
        cells = np.stack([called & (label == 1), called & (label == 0), ~called & (label == 1)], axis=1)
        counts = np.zeros((patients, 3), dtype=np.int64)
        np.add.at(counts, codes, cells)
        weights = cluster_weights(patients, 200, 3)
        tp, fp, fn = (weights.astype(np.int64) @ counts).T
        areas = auroc_of_weights(score, label, weights, codes)
        for resample, weight in enumerate(weights):
            taken = np.concatenate(
                [np.flatnonzero(codes == patient) for patient in np.repeat(np.arange(patients), weight)]
            )
            assert tp[resample] / (tp + fn)[resample] == recall_score(label[taken], called[taken])
            assert tp[resample] / (tp + fp)[resample] == precision_score(label[taken], called[taken])
            assert areas[resample] == pytest.approx(roc_auc_score(label[taken], score[taken]), abs=4e-16)

    def test_repeated_images_of_a_patient_do_not_narrow_the_interval(self) -> None:
        codes, patients, label, score = clustered_rows()
        weights = cluster_weights(patients, 500, 0)
        once = auroc_of_weights(score, label, weights, codes)
        tenfold = auroc_of_weights(np.tile(score, 10), np.tile(label, 10), weights, np.tile(codes, 10))
        assert tenfold == pytest.approx(once, abs=1e-14)


class TestPercentileInterval:
    @pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
    def test_equals_numpys_percentiles(self, confidence: float) -> None:
        replicates = np.random.default_rng(0).normal(size=2000)
        interval = percentile_interval(replicates, confidence, "a name")
        tail = 50 * (1 - confidence)
        assert (interval.lower, interval.upper) == pytest.approx(np.percentile(replicates, [tail, 100 - tail]))
        assert (interval.confidence, interval.method) == (confidence, "a name")

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.integers(0, 2**32 - 1))
    def test_depends_on_the_set_of_replicates_alone_and_stays_within(self, values: list[float], seed: int) -> None:
        replicates = np.asarray(values)
        interval = percentile_interval(replicates, 0.9, "any")
        shuffled = np.random.default_rng(seed).permutation(replicates)
        assert percentile_interval(shuffled, 0.9, "any") == interval
        assert min(values) <= interval.lower <= interval.upper <= max(values)

    def test_a_few_undefined_replicates_are_left_out_and_told(self) -> None:
        replicates = np.linspace(0, 1, 2000)
        replicates[:100] = np.nan
        interval = percentile_interval(
            replicates, 0.95, "patient-cluster bootstrap, percentile, 2,000 resamples, seed 0"
        )
        assert interval.method.endswith("2,000 resamples, seed 0, 100 undefined ones left out")
        assert (interval.lower, interval.upper) == pytest.approx(np.percentile(replicates[100:], [2.5, 97.5]))

    @pytest.mark.parametrize("undefined", [np.nan, np.inf])
    def test_too_many_undefined_replicates_are_no_interval(self, undefined: float) -> None:
        replicates = np.linspace(0, 1, 2000)
        replicates[:101] = undefined
        with pytest.raises(Undecidable, match="undefined in 101 of 2,000 resamples"):
            percentile_interval(replicates, 0.95, "any")

    def test_no_replicate_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="no replicates"):
            percentile_interval(np.empty(0), 0.95, "any")

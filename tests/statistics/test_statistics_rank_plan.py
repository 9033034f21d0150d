from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gatekeeper.statistics import auroc, auroc_of_weights, bootstrap_auroc, cluster_weights, weight_blocks
from gatekeeper.statistics._rank_plan import RankPlan

SCORES = np.round(np.random.default_rng(0).normal(size=900), 1)
LABELS = np.random.default_rng(1).integers(0, 2, 900)
CLUSTERS = np.random.default_rng(2).permutation(np.repeat(np.arange(300), 3))


class TestBlocks:
    @pytest.mark.parametrize("sizes", [[40], [1] * 40, [3, 37], [30, 1, 9], [39, 1]])
    @pytest.mark.parametrize("clustered", [True, False])
    def test_the_areas_do_not_depend_on_how_resamples_are_cut_into_blocks(
        self, sizes: list[int], clustered: bool
    ) -> None:
        """Against the area of the cases written out as often as they are drawn; working arrays are used again."""
        clusters = CLUSTERS if clustered else None
        weights = cluster_weights(300 if clustered else 900, 40, seed=4)
        blocks = np.split(weights, np.cumsum(sizes)[:-1])
        by_hand = []
        for row in weights:
            drawn = np.repeat(np.arange(900), row[CLUSTERS] if clustered else row)
            by_hand.append(auroc(SCORES[drawn], LABELS[drawn]))
        assert auroc_of_weights(SCORES, LABELS, blocks, clusters).tolist() == by_hand

    def test_a_resample_of_one_class_has_no_area_and_spoils_no_other(self) -> None:
        weights = np.ones((5, 900), dtype=np.int64)
        weights[1, LABELS == 1] = 0
        weights[3, LABELS == 0] = 0
        areas = auroc_of_weights(SCORES, LABELS, weights)
        assert np.isnan(areas).tolist() == [False, True, False, True, False]
        assert set(areas[::2].tolist()) == {auroc(SCORES, LABELS)}

    def test_areas_drawn_as_they_are_used_equal_those_of_all_weights(self) -> None:
        drawn = bootstrap_auroc(SCORES, LABELS, CLUSTERS, 500, 7)
        assert drawn.tolist() == auroc_of_weights(SCORES, LABELS, cluster_weights(300, 500, 7), CLUSTERS).tolist()

    def test_no_block_gives_no_area(self) -> None:
        positive = np.asarray([False, True])
        assert RankPlan.of(np.arange(2.0), positive, None).areas(iter([])).shape == (0,)


class TestLargeWeights:
    """Two rows are summed in one integer as long as they fit; near and beyond that the counts stay exact."""

    @pytest.mark.parametrize("negative", [3, (2**30 - 1) // 2, 2**29, 2**30, 2**31 + 7])
    @pytest.mark.parametrize("rows", [1, 2, 3])
    def test_equal_pairs_counted_in_integers_of_any_size(self, negative: int, rows: int) -> None:
        scores, labels, clusters = np.asarray([0.0, 1.0, 1.0, 2.0]), np.asarray([0, 0, 1, 1]), np.asarray([0, 1, 2, 2])
        weights = np.asarray([[negative, negative, 5], [1, negative, 2], [negative, 0, 1]], dtype=np.int64)[:rows]
        expected = []
        for low, tied, positive in weights.tolist():
            twice_won = positive * (2 * low + tied) + positive * 2 * (low + tied)
            expected.append(twice_won / (2 * 2 * positive * (low + tied)))
        assert auroc_of_weights(scores, labels, weights, clusters).tolist() == expected


class TestClustersThatDoNotFit:
    @pytest.mark.parametrize("clusters", [CLUSTERS[:-1], np.r_[CLUSTERS, 0], CLUSTERS - 1, CLUSTERS[:, None]])
    def test_are_refused(self, clusters: NDArray[np.intp]) -> None:
        with pytest.raises(ValueError, match="do not fit"):
            auroc_of_weights(SCORES, LABELS, weight_blocks(300, 5), clusters)

    def test_a_cluster_without_a_weight_is_refused(self) -> None:
        with pytest.raises(ValueError, match="do not fit"):
            auroc_of_weights(SCORES, LABELS, weight_blocks(299, 5), CLUSTERS)

    def test_a_later_block_that_is_too_narrow_is_refused(self) -> None:
        blocks = [np.ones((2, 300), dtype=np.int64), np.ones((2, 299), dtype=np.int64)]
        with pytest.raises(ValueError, match="do not fit"):
            auroc_of_weights(SCORES, LABELS, blocks, CLUSTERS)

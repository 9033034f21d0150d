"""Assignments against scipy, against all assignments tried in turn, and against greedy matching written out."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from gatekeeper.metrics.assignment import FALSE_POSITIVE, IGNORED, DoubleHits, Method, assign
from gatekeeper.metrics.localisation import Localisation, by_box_iou, by_luna16

METHODS: tuple[Method, ...] = ("greedy", "hungarian")
Pair = tuple[Localisation, NDArray[np.float64]]


@st.composite
def some(draw: st.DrawFn, most: int = 5, values: int = 4) -> Pair:
    """Qualities and scores from a few values, so that many are tied; lesions lie at places of their own."""
    found, lesions = draw(st.integers(0, most)), draw(st.integers(0, most))
    size = found * lesions
    quality = np.array(draw(st.lists(st.integers(0, values), min_size=size, max_size=size)), dtype=np.float64)
    scores = np.array(draw(st.lists(st.integers(0, 3), min_size=found, max_size=found)), dtype=np.float64)
    quality = quality.reshape(found, lesions)
    place = np.array(draw(st.permutations(range(lesions))), dtype=np.float64).reshape(lesions, 1)
    return Localisation(quality > 0, quality, place), scores


def written_out(localisation: Localisation, scores: NDArray[np.float64]) -> list[int]:
    """Greedy matching for scores that all differ, lesions that a finding lies at equally well taken by place."""
    hits, taken = [FALSE_POSITIVE] * len(scores), set()
    for row in sorted(range(len(scores)), key=lambda row: -scores[row]):
        open_to = [
            (-localisation.quality[row, column], localisation.place[column, 0], column)
            for column in range(localisation.meets.shape[1])
            if localisation.meets[row, column] and column not in taken
        ]
        if open_to:
            hits[row] = min(open_to)[2]
            taken.add(hits[row])
    return hits


def quality_of(localisation: Localisation, hits: NDArray[np.intp]) -> tuple[int, float]:
    rows = np.flatnonzero(hits >= 0)
    return len(rows), float(localisation.quality[rows, hits[rows]].sum())


@given(pair=some())
def test_greedy_is_matching_written_out(pair: Pair) -> None:
    localisation, scores = pair
    distinct = scores + np.arange(len(scores)) / 100
    assert assign(localisation, distinct, "greedy", "false_positive").hits.tolist() == written_out(
        localisation, distinct
    )


@given(pair=some(most=4))
@settings(max_examples=60)
def test_hungarian_is_the_best_of_all_assignments_tried_in_turn(pair: Pair) -> None:
    """Most hits first, then the best sum of quality, then the highest scores."""
    localisation, scores = pair
    found, lesions = localisation.meets.shape
    best = (0, 0.0, 0.0)

    def worth(hits: NDArray[np.intp]) -> tuple[int, float, float]:
        return *quality_of(localisation, hits), float(np.searchsorted(np.unique(scores), scores)[hits >= 0].sum())

    for columns in permutations([*range(lesions), *[-1] * found], found):
        hits = [c if c >= 0 and localisation.meets[row, c] else -1 for row, c in enumerate(columns)]
        best = max(best, worth(np.array(hits, dtype=np.intp)))
    got = worth(assign(localisation, scores, "hungarian", "false_positive").hits)
    assert got == pytest.approx(best)


@pytest.mark.parametrize("seed", range(5))
def test_hungarian_where_all_pairs_meet_is_that_of_scipy(seed: int) -> None:
    quality = np.random.default_rng(seed).random((12, 9))
    localisation = Localisation(np.ones((12, 9), dtype=bool), quality, np.arange(9.0)[:, None])
    found = assign(localisation, np.zeros(12), "hungarian", "false_positive")
    rows, columns = linear_sum_assignment(quality, maximize=True)
    wanted = np.full(12, FALSE_POSITIVE)
    wanted[rows] = columns
    assert found.hits.tolist() == wanted.tolist()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("double_hits", ["false_positive", "ignored"])
@given(pair=some(), data=st.data())
@settings(max_examples=60)
def test_the_order_of_findings_and_lesions_changes_nothing(
    method: Method, double_hits: DoubleHits, pair: Pair, data: st.DataObject
) -> None:
    """Findings that nothing tells apart may change places: what counts is which score hits which lesion."""
    localisation, scores = pair
    rows = np.array(data.draw(st.permutations(range(len(scores)))), dtype=np.intp)
    columns = np.array(data.draw(st.permutations(range(localisation.meets.shape[1]))), dtype=np.intp)
    moved = Localisation(
        localisation.meets[rows][:, columns], localisation.quality[rows][:, columns], localisation.place[columns]
    )
    first, second = assign(localisation, scores, method, double_hits), assign(moved, scores[rows], method, double_hits)
    back = [int(columns[hit]) if hit >= 0 else int(hit) for hit in second.hits]
    told = sorted(zip(scores.tolist(), first.hits.tolist(), strict=True))
    assert sorted(zip(scores[rows].tolist(), back, strict=True)) == told


@pytest.mark.parametrize("method", METHODS)
@given(pair=some())
def test_hits_meet_the_criterion_each_lesion_is_hit_once_and_no_hit_is_left_out(method: Method, pair: Pair) -> None:
    localisation, scores = pair
    plain, ignoring = (assign(localisation, scores, method, double) for double in ("false_positive", "ignored"))
    hit = np.flatnonzero(plain.hits >= 0)
    assert localisation.meets[hit, plain.hits[hit]].all()
    assert len(set(plain.hits[hit])) == len(hit)
    assert plain.lesions == localisation.meets.shape[1]
    free = np.setdiff1d(np.arange(plain.lesions), plain.hits[hit])
    assert not localisation.meets[plain.hits == FALSE_POSITIVE][:, free].any()
    np.testing.assert_array_equal(ignoring.hits[hit], plain.hits[hit])
    ignored = ignoring.hits == IGNORED
    np.testing.assert_array_equal(ignored, (plain.hits == FALSE_POSITIVE) & localisation.meets.any(axis=1))


@given(pair=some(), cut=st.integers(0, 3))
def test_hits_above_a_cut_are_those_of_the_findings_above_it_alone(pair: Pair, cut: int) -> None:
    """What makes one greedy assignment serve the whole curve, ignored findings included."""
    localisation, scores = pair
    above = scores >= cut
    alone = Localisation(localisation.meets[above], localisation.quality[above], localisation.place)
    for double in ("false_positive", "ignored"):
        whole, part = (
            assign(localisation, scores, "greedy", double),
            assign(alone, scores[above], "greedy", double),
        )
        assert whole.hits[above].tolist() == part.hits.tolist()


@given(pair=some())
def test_hungarian_never_has_fewer_hits_than_greedy(pair: Pair) -> None:
    localisation, scores = pair
    greedy, together = (quality_of(localisation, assign(localisation, scores, m, "ignored").hits) for m in METHODS)
    assert together[0] >= greedy[0]


def test_greedy_takes_the_best_free_lesion_and_hungarian_hits_both() -> None:
    """The better finding lies at both lesions, best at the only one that the other finding reaches."""
    quality = np.array([[0.8, 0.6], [0.7, 0.0]])
    localisation = Localisation(quality >= 0.5, quality, np.array([[0.0], [1.0]]))
    scores = np.array([0.9, 0.5])
    assert assign(localisation, scores, "greedy", "false_positive").hits.tolist() == [0, FALSE_POSITIVE]
    assert assign(localisation, scores, "greedy", "ignored").hits.tolist() == [0, IGNORED]
    assert assign(localisation, scores, "hungarian", "false_positive").hits.tolist() == [1, 0]


def test_of_findings_that_lie_equally_well_the_higher_score_hits() -> None:
    box = np.array([[[0.0, 0.0], [4.0, 4.0]]])
    localisation = by_box_iou(np.repeat(box, 3, axis=0), box, 0.5)
    for method in METHODS:
        assert assign(localisation, np.array([0.2, 0.9, 0.4]), method, "ignored").hits.tolist() == [-2, 0, -2]


def test_of_equal_scores_the_better_localisation_hits() -> None:
    localisation = Localisation(np.ones((2, 1), dtype=bool), np.array([[0.6], [0.9]]), np.zeros((1, 1)))
    for method in METHODS:
        assert assign(localisation, np.array([0.5, 0.5]), method, "false_positive").hits.tolist() == [-1, 0]


def test_lunas_further_marks_on_a_nodule_are_neither_hits_nor_false_positives() -> None:
    nodules, diameters = np.array([[0.0, 0.0, 0.0], [50.0, 0.0, 0.0]]), np.array([10.0, 6.0])
    marks = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [54.0, 0.0, 0.0], [51.0, 0.0, 0.0]])
    found = assign(by_luna16(marks, nodules, diameters), np.array([0.3, 0.8, 0.7, 0.1]), "greedy", "ignored")
    assert found.hits.tolist() == [IGNORED, 0, FALSE_POSITIVE, 1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_without_findings_or_lesions_nothing_is_hit(method: Method, shape: tuple[int, int]) -> None:
    nothing = Localisation(np.zeros(shape, dtype=bool), np.zeros(shape), np.zeros((shape[1], 2)))
    found = assign(nothing, np.zeros(shape[0]), method, "ignored")
    assert found.hits.tolist() == [FALSE_POSITIVE] * shape[0]
    assert found.lesions == shape[1]


def test_scores_or_names_that_do_not_fit_are_refused() -> None:
    one = Localisation(np.ones((1, 1), dtype=bool), np.ones((1, 1)), np.zeros((1, 1)))
    for scores in (np.array([np.nan]), np.array([1.0, 2.0])):
        with pytest.raises(ValueError, match="scores"):
            assign(one, scores, "greedy", "ignored")
    with pytest.raises(ValueError, match="not assigned by"):
        assign(one, np.ones(1), "first", "ignored")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not assigned by"):
        assign(one, np.ones(1), "greedy", "dropped")  # type: ignore[arg-type]

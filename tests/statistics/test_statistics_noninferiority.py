from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.statistics import Interval
from gatekeeper.statistics.means import clustered_mean_interval
from gatekeeper.statistics.noninferiority import (
    Decision,
    PairedComparison,
    compare_aurocs,
    compare_means,
    compare_proportions,
)
from gatekeeper.statistics.paired_auroc import paired_areas
from gatekeeper.statistics.paired_proportions import Pairs, tango


def compared(lower: float, upper: float, margin: float, higher_is_better: bool) -> Decision:
    interval = Interval(lower, upper, 0.95, "made up")
    return PairedComparison(0.0, interval, margin, higher_is_better, 0.5, 10, 10).decision


@pytest.mark.parametrize(
    ("lower", "upper", "higher", "lower_is_better"),
    [
        (-0.04, 0.02, Decision.NON_INFERIOR, Decision.NON_INFERIOR),
        (-0.05, 0.02, Decision.NOT_SHOWN, Decision.NON_INFERIOR),
        (-0.02, 0.05, Decision.NON_INFERIOR, Decision.NOT_SHOWN),
        (-0.10, 0.10, Decision.NOT_SHOWN, Decision.NOT_SHOWN),
        (-0.10, -0.06, Decision.INFERIOR, Decision.NON_INFERIOR),
        (0.06, 0.10, Decision.NON_INFERIOR, Decision.INFERIOR),
        (-0.10, -0.05, Decision.NOT_SHOWN, Decision.NON_INFERIOR),
    ],
)
def test_one_limit_decides(lower: float, upper: float, higher: Decision, lower_is_better: Decision) -> None:
    assert compared(lower, upper, 0.05, True) is higher
    assert compared(lower, upper, 0.05, False) is lower_is_better


@pytest.mark.parametrize("margin", [0.0, -0.1, math.nan, math.inf])
def test_a_margin_is_a_distance(margin: float) -> None:
    with pytest.raises(ValueError, match="a margin is a distance"):
        compared(0.0, 0.1, margin, True)
    yes, patients = np.ones(4, dtype=bool), np.arange(4)
    with pytest.raises(ValueError, match="a margin is a distance"):
        compare_proportions(yes, yes, patients, margin)
    with pytest.raises(ValueError, match="a margin is a distance"):
        compare_means(np.ones(4), np.ones(4), patients, margin, 0.0, 1.0)
    with pytest.raises(ValueError, match="a margin is a distance"):
        compare_aurocs(np.arange(4.0), np.arange(4.0), np.array([0, 1, 0, 1]), margin)


def test_proportions_take_tangos_limits_and_counts() -> None:
    candidate, reference = np.ones(100, dtype=bool), np.ones(100, dtype=bool)
    candidate[:3], reference[3:8] = False, False
    found = compare_proportions(candidate, reference, np.arange(100), 0.05)
    assert found.interval == tango(Pairs(5, 3, 100))
    assert (found.candidate_only, found.reference_only, found.n, found.patients) == (5, 3, 100, 100)
    assert found.difference == pytest.approx(0.02)
    assert (found.decision, found.method) == (Decision.NON_INFERIOR, "Tango score")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 0.4), st.booleans(), st.sampled_from([1, 3]))
def test_the_p_value_and_the_decision_agree(seed: int, margin: float, higher: bool, cases: int) -> None:
    source = np.random.default_rng(seed)
    patients, labels = np.arange(40).repeat(cases), np.arange(40 * cases) % 2
    right = source.random((2, 40 * cases)) < 0.8
    dice = np.clip(source.normal(0.8, 0.2, size=(2, 40 * cases)), 0.0, 1.0)
    for found in (
        compare_proportions(*right, patients, margin, higher_is_better=higher),
        compare_means(*dice, patients, margin, 0.0, 1.0, higher_is_better=higher, resamples=499),
        compare_aurocs(*(dice + 0.2 * labels), labels, margin, patients),
    ):
        clears = found.decision is Decision.NON_INFERIOR
        if abs(found.p_value - 0.025) > 0.004:  # replicates are steps of 1 / 500
            assert clears == (found.p_value < 0.025)
        assert 0.0 <= found.p_value <= 1.0


def test_turning_everything_round_changes_nothing() -> None:
    source = np.random.default_rng(4)
    values, patients = source.normal(size=(2, 60)), np.arange(60) // 2
    up = compare_means(values[0], values[1], patients, 0.3)
    down = compare_means(-values[0], -values[1], patients, 0.3, higher_is_better=False)
    assert (down.difference, down.p_value) == pytest.approx((-up.difference, up.p_value), rel=1e-9)
    assert down.decision is up.decision
    assert (down.interval.lower, down.interval.upper) == pytest.approx((-up.interval.upper, -up.interval.lower))
    right = source.random((2, 60)) < 0.7
    better, worse = (
        compare_proportions(right[0], right[1], patients, 0.1),
        compare_proportions(~right[0], ~right[1], patients, 0.1, higher_is_better=False),
    )
    assert worse.p_value == pytest.approx(better.p_value, rel=1e-9)
    assert worse.difference == pytest.approx(-better.difference)


def test_means_and_areas_take_the_limits_of_their_modules() -> None:
    source = np.random.default_rng(5)
    dice, patients = source.uniform(0.5, 1.0, size=(2, 90)), np.arange(90) // 3
    labels = np.arange(90) % 2
    means = compare_means(*dice, patients, 0.1, 0.0, 1.0, seed=7)
    assert (means.difference, means.interval) == clustered_mean_interval(dice[0] - dice[1], patients, -1.0, 1.0, seed=7)
    areas = compare_aurocs(*dice, labels, 0.1, patients)
    assert areas.interval == paired_areas(*dice, labels, patients).interval()
    assert (areas.n, areas.patients, means.n, means.patients) == (90, 30, 90, 30)


def test_equal_models_are_not_inferior_once_there_are_cases_enough() -> None:
    dice, patients = np.linspace(0.7, 0.95, 200), np.arange(200)
    assert compare_means(dice, dice, patients, 0.05, 0.0, 1.0).decision is Decision.NON_INFERIOR
    assert compare_means(dice[:20], dice[:20], patients[:20], 0.05, 0.0, 1.0).decision is Decision.NOT_SHOWN
    labels = np.arange(200) % 2
    assert compare_aurocs(dice, dice, labels, 0.05).decision is Decision.NON_INFERIOR
    assert compare_aurocs(dice[:40], dice[:40], labels[:40], 0.05).decision is Decision.NOT_SHOWN


def test_means_worse_by_the_margin_rarely_pass() -> None:
    """500 made-up studies of 300 patients; both models fail in some cases, the candidate in more."""
    source = np.random.default_rng(8)

    def draw(size: int) -> tuple[np.ndarray, np.ndarray]:
        own = np.clip(source.normal(0.85, 0.06, size=size), 0.0, 1.0)
        near = np.clip(own + source.normal(0.0, 0.02, size=size), 0.0, 1.0)
        failed = source.random(size)
        return np.where(failed < 0.05, 0.0, near), np.where((failed > 0.04) & (failed < 0.06), 0.0, own)

    candidate, reference = draw(2_000_000)
    margin, tries, passed = float(reference.mean() - candidate.mean()), 500, 0
    assert 0.02 < margin < 0.03
    for seed in range(tries):
        found = compare_means(*draw(300), np.arange(300), margin, 0.0, 1.0, resamples=499, seed=seed)
        passed += found.decision is Decision.NON_INFERIOR
    assert passed / tries <= 0.04


def test_values_out_of_bounds_are_refused() -> None:
    patients = np.arange(3)
    with pytest.raises(ValueError, match="not between 0 and 1"):
        compare_means(np.array([0.5, 0.6, 1.2]), np.array([0.5, 0.6, 0.7]), patients, 0.1, 0.0, 1.0)
    with pytest.raises(ValueError, match="not between 0 and 1"):
        compare_means(np.array([0.5, 0.6, 0.7]), np.array([0.5, math.nan, 0.7]), patients, 0.1, 0.0, 1.0)
    with pytest.raises(ValueError, match="of the candidate and"):
        compare_means(np.ones(3), np.ones(2), patients, 0.1)

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from gatekeeper.statistics import Interval, cases_for_lower_limit, cases_to_decide, wilson


def interval(lower: float, upper: float) -> Interval:
    return Interval(lower, upper, 0.95, "any")


class TestCasesToDecide:
    def test_worked_by_hand(self) -> None:
        """The lower half is 0.08 and must shrink to 0.04: four times the cases; the upper 0.06 to 0.03 likewise."""
        assert cases_to_decide(0.84, interval(0.76, 0.90), 0.80, 100) in (400, 401)
        assert cases_to_decide(0.77, interval(0.70, 0.83), 0.80, 100) in (400, 401)

    @settings(max_examples=60, deadline=None)
    @given(st.floats(0.02, 0.98), st.floats(0.001, 0.5), st.floats(0.001, 0.5), st.floats(0, 1), st.integers(1, 10_000))
    def test_the_shrunk_interval_clears_the_threshold_and_one_case_less_does_not(
        self, estimate: float, below: float, above: float, threshold: float, n: int
    ) -> None:
        needed = cases_to_decide(estimate, interval(estimate - below, estimate + above), threshold, n)
        half, gap = (below if threshold < estimate else above), abs(estimate - threshold)
        if needed is None:
            assert gap == 0 or half / gap > 300
            return
        assert needed >= n
        assert half * math.sqrt(n / needed) <= gap * (1 + 1e-9)
        assert needed == n or half * math.sqrt(n / (needed - 1)) > gap * (1 - 1e-9)

    @pytest.mark.parametrize(("share", "threshold"), [(0.9, 0.85), (0.9, 0.93), (0.7, 0.65)])
    def test_a_wilson_interval_of_so_many_cases_about_clears_it(self, share: float, threshold: float) -> None:
        few = wilson(round(share * 60), 60)
        needed = cases_to_decide(share, few, threshold, 60)
        assert needed is not None
        many = wilson(round(share * needed), needed)
        limit = many.lower if threshold < share else many.upper
        assert limit == pytest.approx(threshold, abs=0.012)

    def test_an_estimate_on_the_threshold_is_never_decided(self) -> None:
        assert cases_to_decide(0.8, interval(0.7, 0.9), 0.8, 50) is None
        assert cases_to_decide(0.8, interval(0.7, 0.9), 0.8 + 1e-13, 50) is None

    def test_what_is_decided_needs_no_more(self) -> None:
        assert cases_to_decide(0.9, interval(0.85, 0.94), 0.8, 200) == 200
        assert cases_to_decide(1.0, interval(0.9, 1.0), 0.9, 200) == 200

    def test_no_case_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="0 cases"):
            cases_to_decide(0.9, interval(0.8, 1.0), 0.85, 0)


class TestCasesForLowerLimit:
    @pytest.mark.parametrize(
        ("truth", "goal", "at_80", "at_90"),
        [(0.90, 0.80, 107, 137), (0.925, 0.80, 62, 82), (0.95, 0.85, 75, 93), (0.95, 0.90, 231, 292)],
    )
    def test_known_numbers(self, truth: float, goal: float, at_80: int, at_90: int) -> None:
        assert cases_for_lower_limit(truth, goal, 0.8) == at_80
        assert cases_for_lower_limit(truth, goal, 0.9) == at_90

    @pytest.mark.parametrize(("truth", "goal", "power"), [(0.925, 0.80, 0.8), (0.95, 0.85, 0.9), (0.8, 0.5, 0.7)])
    def test_is_the_first_number_with_the_power_by_statsmodels_limits(
        self, truth: float, goal: float, power: float
    ) -> None:
        needed = cases_for_lower_limit(truth, goal, power)
        for trials in range(1, needed + 1):
            hits = np.arange(trials + 1)
            lower, _ = proportion_confint(hits, trials, method="beta")
            reached = float(binom(trials, truth).pmf(hits[lower >= goal]).sum())
            assert (reached >= power) == (trials == needed)

    def test_more_power_and_more_confidence_need_more(self) -> None:
        by_power = [cases_for_lower_limit(0.9, 0.8, power) for power in (0.5, 0.7, 0.8, 0.9, 0.99)]
        by_confidence = [cases_for_lower_limit(0.9, 0.8, 0.8, confidence) for confidence in (0.8, 0.9, 0.95, 0.99)]
        for numbers in (by_power, by_confidence):
            assert numbers == sorted(numbers)
            assert len(set(numbers)) == len(numbers)

    @pytest.mark.parametrize(
        ("truth", "goal", "power"),
        [(0.8, 0.8, 0.8), (0.7, 0.8, 0.8), (1.0, 0.8, 0.8), (0.9, 0.0, 0.8), (0.9, 0.8, 1.0)],
    )
    def test_a_plan_that_cannot_succeed_is_refused(self, truth: float, goal: float, power: float) -> None:
        with pytest.raises(ValueError, match=r"truth|power"):
            cases_for_lower_limit(truth, goal, power)

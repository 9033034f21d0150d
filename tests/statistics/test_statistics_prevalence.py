from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.statistics import clopper_pearson, npv_at, npv_interval, ppv_at, ppv_interval

CELL = st.integers(1, 300)
TABLE = st.tuples(CELL, CELL, CELL, CELL)
SHARE = st.floats(0.01, 0.99)


class TestValue:
    @settings(max_examples=60, deadline=None)
    @given(TABLE)
    def test_at_the_prevalence_of_the_test_set_it_is_the_share_of_calls_that_are_right(
        self, table: tuple[int, int, int, int]
    ) -> None:
        tp, fn, fp, tn = table
        sensitivity, specificity, prevalence = tp / (tp + fn), tn / (fp + tn), (tp + fn) / (tp + fn + fp + tn)
        assert float(ppv_at(sensitivity, specificity, prevalence)) == pytest.approx(tp / (tp + fp), rel=1e-12)
        assert float(npv_at(sensitivity, specificity, prevalence)) == pytest.approx(tn / (tn + fn), rel=1e-12)

    def test_worked_by_hand(self) -> None:
        """Of 10,000 patients 100 are ill: 90 found, 10 missed; 9,900 are well: 990 false alarms."""
        assert float(ppv_at(0.9, 0.9, 0.01)) == pytest.approx(90 / (90 + 990), rel=1e-12)
        assert float(npv_at(0.9, 0.9, 0.01)) == pytest.approx(8910 / (8910 + 10), rel=1e-12)

    @settings(max_examples=40, deadline=None)
    @given(SHARE, SHARE, SHARE)
    def test_rarer_disease_makes_alarms_worse_and_all_clears_better(
        self, se: float, sp: float, prevalence: float
    ) -> None:
        rarer = prevalence / 2
        assert ppv_at(se, sp, rarer) < ppv_at(se, sp, prevalence)
        assert npv_at(se, sp, rarer) > npv_at(se, sp, prevalence)

    def test_arrays_keep_their_shape_and_what_is_undefined_is_nan(self) -> None:
        sensitivity = np.asarray([[0.0, 0.5], [np.nan, 1.0]])
        specificity = np.asarray([[1.0, 1.0], [0.5, 0.0]])
        ppv, npv = ppv_at(sensitivity, specificity, 0.2), npv_at(sensitivity, specificity, 0.2)
        assert np.array_equal(ppv, [[np.nan, 1.0], [np.nan, 0.2]], equal_nan=True)
        assert npv[0].tolist() == pytest.approx([0.8, 0.8 / 0.9])
        assert np.isnan(npv[1]).all()

    @pytest.mark.parametrize("prevalence", [0.0, 1.0, -0.1, 5.2, math.nan])
    def test_a_prevalence_outside_of_0_to_1_is_refused(self, prevalence: float) -> None:
        for formula in (ppv_at, npv_at):
            with pytest.raises(ValueError, match="prevalence"):
                formula(0.9, 0.9, prevalence)
        with pytest.raises(ValueError, match="prevalence"):
            ppv_interval(9, 1, 1, 9, prevalence)


class TestInterval:
    def test_equals_the_example_of_cifinder(self) -> None:
        """The 70-gene signature of Mercaldo et al., as the R package CIfinder 1.0 prints its standard logit limits."""
        ppv, npv = ppv_interval(31, 3, 12, 32, 0.07), npv_interval(31, 3, 12, 32, 0.07)
        assert (ppv.lower, ppv.upper) == pytest.approx((0.1331384, 0.2919216), abs=5e-8)
        assert (npv.lower, npv.upper) == pytest.approx((0.9734141, 0.9969560), abs=5e-8)

    @settings(max_examples=40, deadline=None)
    @given(TABLE, SHARE)
    def test_equals_the_likelihood_ratio_interval_shifted_by_the_prior_log_odds(
        self, table: tuple[int, int, int, int], prevalence: float
    ) -> None:
        """Independent derivation: Bayes in odds, and Katz's variance of a log ratio, 1/a - 1/m + 1/b - 1/n."""
        tp, fn, fp, tn = table
        ratio = math.log(tp / (tp + fn)) - math.log(fp / (fp + tn))
        error = math.sqrt(1 / tp - 1 / (tp + fn) + 1 / fp - 1 / (fp + tn))
        interval = ppv_interval(tp, fn, fp, tn, prevalence)
        for limit, side in ((interval.lower, -1), (interval.upper, 1)):
            odds = prevalence / (1 - prevalence) * math.exp(ratio + side * 1.959963984540054 * error)
            assert limit == pytest.approx(odds / (1 + odds), rel=1e-9)

    @settings(max_examples=60, deadline=None)
    @given(st.tuples(*[st.integers(0, 40)] * 4), SHARE)
    def test_holds_the_value_between_0_and_1_with_any_cell_empty(
        self, table: tuple[int, int, int, int], prevalence: float
    ) -> None:
        tp, fn, fp, tn = table
        if tp + fn == 0 or fp + tn == 0:
            return
        sensitivity, specificity = tp / (tp + fn), tn / (fp + tn)
        for value, interval, called in ((ppv_at, ppv_interval, tp + fp), (npv_at, npv_interval, tn + fn)):
            if called == 0:
                continue
            limits = interval(tp, fn, fp, tn, prevalence)
            estimate = float(value(sensitivity, specificity, prevalence))
            assert -1e-12 <= limits.lower <= estimate + 1e-12
            assert estimate - 1e-12 <= limits.upper <= 1 + 1e-12

    @settings(max_examples=40, deadline=None)
    @given(TABLE, SHARE)
    def test_npv_mirrors_ppv(self, table: tuple[int, int, int, int], prevalence: float) -> None:
        tp, fn, fp, tn = table
        mirrored = ppv_interval(tn, fp, fn, tp, 1 - prevalence)
        assert npv_interval(tp, fn, fp, tn, prevalence) == mirrored

    @settings(max_examples=40, deadline=None)
    @given(st.tuples(*[st.integers(0, 40)] * 4), SHARE)
    def test_more_confidence_widens(self, table: tuple[int, int, int, int], prevalence: float) -> None:
        tp, fn, fp, tn = table
        if tp + fn == 0 or fp + tn == 0 or tp + fp == 0:
            return
        narrow, wide = (ppv_interval(tp, fn, fp, tn, prevalence, confidence) for confidence in (0.8, 0.99))
        assert wide.lower <= narrow.lower
        assert wide.upper >= narrow.upper

    def test_no_false_alarm_has_exact_limits(self) -> None:
        interval = ppv_interval(31, 3, 0, 44, 0.07)
        sensitivity, specificity = clopper_pearson(31, 34, 0.975), clopper_pearson(44, 44, 0.975)
        assert interval.lower == pytest.approx(float(ppv_at(sensitivity.lower, specificity.lower, 0.07)), rel=1e-12)
        assert interval.upper == 1.0
        assert "Bonferroni" in interval.method

    @pytest.mark.parametrize(("positives", "negatives"), [(30, 70), (50, 50), (100, 300)])
    def test_one_false_alarm_less_never_lowers_the_limit(self, positives: int, negatives: int) -> None:
        for tp in range(6 * positives // 10, positives + 1):
            lowest = [ppv_interval(tp, positives - tp, fp, negatives - fp, 0.1).lower for fp in range(12)]
            assert lowest == sorted(lowest, reverse=True)

    def test_no_missed_case_keeps_the_standard_interval(self) -> None:
        """Only TP = 0 and FP = 0 make the logit infinite; adjusting every table with an empty cell would cover less."""
        interval = ppv_interval(34, 0, 12, 32, 0.07)
        error = math.sqrt(1 / 12 - 1 / 44)
        odds = 0.07 / 0.93 * 44 / 12 * math.exp(-1.959963984540054 * error)
        assert interval.lower == pytest.approx(odds / (1 + odds), rel=1e-9)
        assert interval.method == "logit (Mercaldo, Lau & Zhou)"

    def test_no_right_alarm_has_a_value_of_0(self) -> None:
        interval = ppv_interval(0, 20, 5, 75, 0.1)
        assert interval.lower == 0.0
        assert 0.0 < interval.upper < 1.0

    @pytest.mark.parametrize(
        ("table", "complaint"),
        [
            ((0, 0, 5, 5), "positive and negative cases"),
            ((5, 5, 0, 0), "positive and negative cases"),
            ((0, 5, 0, 5), "undefined"),
            ((-1, 5, 1, 5), "negative"),
        ],
    )
    def test_what_has_no_value_is_refused(self, table: tuple[int, int, int, int], complaint: str) -> None:
        with pytest.raises(ValueError, match=complaint):
            ppv_interval(*table, 0.1)

"""Intervals from contributions against scipy's bootstrap and formulae written out anew."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gatekeeper.statistics import wilson
from gatekeeper.statistics.effective import freedom_correction
from gatekeeper.statistics.influence import by_patient, score_interval, skewed_mean_interval


def test_a_share_has_wilsons_limits_on_one_case_less() -> None:
    """p (1 - p) / (n - 1) is the variance that leaving cases out gives; t for z makes the trials fewer."""
    right = np.repeat([1.0, 0.0], [7, 5])
    found = score_interval(7 / 12, (right - 7 / 12) / 12, (0.0, 1.0))
    trials = 11.0 * freedom_correction(12, 0.95)
    wanted = wilson(7 / 12 * trials, trials)
    assert (found.lower, found.upper) == pytest.approx((wanted.lower, wanted.upper))
    shifted = score_interval(2 * 7 / 12 - 1.0, 2 * (right - 7 / 12) / 12, (-1.0, 1.0))
    assert (shifted.lower, shifted.upper) == pytest.approx((2 * wanted.lower - 1.0, 2 * wanted.upper - 1.0))


def test_patients_who_do_not_differ_and_values_at_an_end_are_refused() -> None:
    some = np.array([0.1, -0.1])
    for value, contributions in ((0.5, np.zeros(3)), (0.5, some[:1]), (1.0, some), (math.nan, some)):
        with pytest.raises(ValueError, match="two patients"):
            score_interval(value, contributions, (0.0, 1.0))
    for contributions in (np.zeros(3), some[:1]):
        with pytest.raises(ValueError, match="two patients"):
            skewed_mean_interval(0.5, contributions)


def test_contributions_are_added_up_by_patient() -> None:
    assert by_patient(np.array([1.0, 2.0, 4.0]), np.array([7, 3, 7])).tolist() == [2.0, 5.0]

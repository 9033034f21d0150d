from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import f

from gatekeeper.statistics.bland_altman import bland_altman
from gatekeeper.statistics.intraclass import Form, intraclass_correlation
from gatekeeper.statistics.sample_size_agreement import (
    pairs_for_limits_of_agreement,
    subjects_for_icc,
    subjects_for_icc_width,
)


@pytest.mark.parametrize(("truth", "goal"), [(0.8, 0.6), (0.4, 0.2), (0.9, 0.75), (0.6, 0.3)])
@pytest.mark.parametrize("repeats", [2, 3, 5])
def test_numbers_are_near_those_of_walter_eliasziw_and_donner(truth: float, goal: float, repeats: int) -> None:
    """Stat Med 1998;17:101: k = 1 + 2 (z + z_power)² n / ((ln C0)² (n - 1)), with one-sided 5 % and 80 % power."""
    scaled = [1.0 + repeats * rho / (1.0 - rho) for rho in (goal, truth)]
    expected = 1.0 + 2.0 * (1.644854 + 0.841621) ** 2 * repeats / (math.log(scaled[0] / scaled[1]) ** 2 * (repeats - 1))
    assert subjects_for_icc(truth, goal, repeats, confidence=0.9) == pytest.approx(expected, rel=0.03, abs=1.5)


@pytest.mark.parametrize(("truth", "goal", "repeats"), [(0.8, 0.6, 2), (0.9, 0.8, 3), (0.5, 0.0, 2)])
def test_the_number_of_subjects_is_the_smallest_with_the_power(truth: float, goal: float, repeats: int) -> None:
    """scipy.stats.f."""
    found = subjects_for_icc(truth, goal, repeats)

    def reached(n: int) -> float:
        scaled = [1.0 + repeats * rho / (1.0 - rho) for rho in (goal, truth)]
        critical = f.ppf(0.975, n - 1, n * (repeats - 1)) * scaled[0] / scaled[1]
        return float(f.sf(critical, n - 1, n * (repeats - 1)))

    assert reached(found - 1) < 0.8 <= reached(found)


def test_the_lower_limit_reaches_the_goal_that_often() -> None:
    """1,500 simulated studies; 80 % hoped for."""
    source, n = np.random.default_rng(1), subjects_for_icc(0.8, 0.6)
    reached = 0
    for _ in range(1500):
        values = 2.0 * source.normal(size=(n, 1)) + source.normal(size=(n, 2))
        reached += intraclass_correlation(values, Form.ONE_SINGLE)[1].lower >= 0.6
    assert reached / 1500 == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(("truth", "repeats"), [(0.7, 3), (0.8, 2), (0.5, 2)])
def test_intervals_are_about_as_wide_as_planned(truth: float, repeats: int) -> None:
    """Bonett 2002, mean width of 300 simulated studies."""
    source, n = np.random.default_rng(2), subjects_for_icc_width(truth, 0.2, repeats)
    widths = []
    for _ in range(300):
        values = math.sqrt(truth) * source.normal(size=(n, 1)) + math.sqrt(1 - truth) * source.normal(size=(n, repeats))
        limits = intraclass_correlation(values, Form.ONE_SINGLE)[1]
        widths.append(limits.upper - limits.lower)
    assert np.mean(widths) == pytest.approx(0.2, abs=0.02)


def test_pairs_of_a_published_plan() -> None:
    """Lu et al. 2016 as worked in MedCalc's manual: bias 0.001167, SD 0.001129, allowed 0.004: 83 pairs. Their standard
    error of a limit is a little below √(3/n) SD.
    """
    assert pairs_for_limits_of_agreement(0.001167, 0.001129, 0.004, method="bland_altman") in (83, 84)


@pytest.mark.parametrize("bias", [0.0, 0.5])
def test_limits_stay_within_that_often(bias: float) -> None:
    """1,500 simulated studies; 80 % hoped for."""
    source, n = np.random.default_rng(3), pairs_for_limits_of_agreement(bias, 1.0, 2.9)
    kept = 0
    for _ in range(1500):
        found = bland_altman(bias + source.normal(size=n))
        kept += found.lower_interval.lower >= -2.9 and found.upper_interval.upper <= 2.9
    assert kept / 1500 == pytest.approx(0.8, abs=0.04)


def test_more_is_needed_for_less() -> None:
    assert pairs_for_limits_of_agreement(0.0, 1.0, 2.5) > pairs_for_limits_of_agreement(0.0, 1.0, 3.0)
    assert pairs_for_limits_of_agreement(-0.5, 1.0, 3.0) == pairs_for_limits_of_agreement(0.5, 1.0, 3.0)
    assert subjects_for_icc(0.8, 0.7) > subjects_for_icc(0.8, 0.6) > subjects_for_icc(0.8, 0.6, 3)
    assert subjects_for_icc_width(0.8, 0.1) > subjects_for_icc_width(0.8, 0.2)


@pytest.mark.parametrize(("truth", "goal", "repeats"), [(0.6, 0.6, 2), (1.0, 0.5, 2), (0.5, -0.1, 2), (0.8, 0.6, 1)])
def test_impossible_plans_of_correlations_are_refused(truth: float, goal: float, repeats: int) -> None:
    with pytest.raises(ValueError, match="must lie above"):
        subjects_for_icc(truth, goal, repeats)
    with pytest.raises(ValueError, match="power"):
        subjects_for_icc(0.8, 0.6, power=0.0)


@pytest.mark.parametrize(("truth", "width", "repeats"), [(1.0, 0.2, 2), (0.5, 0.0, 2), (0.5, 1.0, 2), (0.5, 0.2, 1)])
def test_impossible_widths_are_refused(truth: float, width: float, repeats: int) -> None:
    with pytest.raises(ValueError, match="no interval of width"):
        subjects_for_icc_width(truth, width, repeats)


@pytest.mark.parametrize(("bias", "sd", "allowed"), [(0.0, 1.0, 1.96), (1.0, 1.0, 2.5), (0.0, 0.0, 1.0)])
def test_impossible_limits_are_refused(bias: float, sd: float, allowed: float) -> None:
    with pytest.raises(ValueError, match="do not lie within"):
        pairs_for_limits_of_agreement(bias, sd, allowed)


def test_more_than_a_hundred_thousand_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="100,000 pairs"):
        pairs_for_limits_of_agreement(0.0, 1.0, 1.9601)

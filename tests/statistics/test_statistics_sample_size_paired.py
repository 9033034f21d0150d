from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import multinomial, nct, t
from statsmodels.stats.power import TTestPower

from gatekeeper.statistics.noninferiority import compare_aurocs
from gatekeeper.statistics.paired_proportions import Pairs, tango_z
from gatekeeper.statistics.sample_size_by_class import hanley_mcneil_variance
from gatekeeper.statistics.sample_size_paired import (
    cases_for_mean,
    cases_for_paired_aurocs,
    cases_for_paired_proportions,
)


def power_of_score_test(n: int, candidate_only: float, reference_only: float, margin: float) -> float:
    """Every outcome with a probability worth counting: of Tango's lower limit above -margin."""
    outcomes = multinomial(n, [candidate_only, reference_only, 1.0 - candidate_only - reference_only])
    reach = [
        range(max(0, int(n * share - 6 * math.sqrt(n * share)) - 3), int(n * share + 6 * math.sqrt(n * share)) + 4)
        for share in (candidate_only, reference_only)
    ]
    return sum(
        float(outcomes.pmf([b, c, n - b - c]))
        for b in reach[0]
        for c in reach[1]
        if b + c <= n and tango_z(Pairs(b, c, n), -margin) > 1.959963984540054
    )


@pytest.mark.parametrize(
    ("candidate_only", "reference_only", "margin"),
    [(0.05, 0.05, 0.05), (0.06, 0.04, 0.05), (0.03, 0.05, 0.08), (0.2, 0.1, 0.0), (0.08, 0.08, 0.1)],
)
@pytest.mark.parametrize("power", [0.8, 0.9])
def test_the_score_test_has_the_power_by_summing_all_outcomes(
    candidate_only: float, reference_only: float, margin: float, power: float
) -> None:
    n = cases_for_paired_proportions(candidate_only, reference_only, margin, power)
    assert power_of_score_test(n, candidate_only, reference_only, margin) == pytest.approx(power, abs=0.03)


def test_superiority_is_connors_formula() -> None:
    """Connor 1987: n = (z √ψ + z_power √(ψ - δ²))² / δ², ψ = .3, δ = .1: 233.3."""
    expected = (1.959964 * math.sqrt(0.3) + 0.841621 * math.sqrt(0.3 - 0.01)) ** 2 / 0.01
    assert cases_for_paired_proportions(0.2, 0.1, 0.0) == math.ceil(expected)


def test_more_is_needed_for_less() -> None:
    base = cases_for_paired_proportions(0.05, 0.05, 0.05)
    assert cases_for_paired_proportions(0.05, 0.05, 0.03) > base
    assert cases_for_paired_proportions(0.05, 0.05, 0.05, power=0.9) > base
    assert cases_for_paired_proportions(0.05, 0.06, 0.05) > base
    assert cases_for_paired_proportions(0.05, 0.05, 0.05, confidence=0.9) < base


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((0.05, 0.15, 0.05), "not above a margin"),
        ((0.05, 0.05, 0.0), "not above a margin"),
        ((0.0, 0.0, 0.05), "no shares"),
        ((-0.1, 0.2, 0.5), "no shares"),
        ((0.6, 0.6, 0.5), "no shares"),
        ((0.1, 0.1, 1.0), "not above a margin"),
    ],
)
def test_impossible_plans_of_proportions_are_refused(arguments: tuple[float, float, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        cases_for_paired_proportions(*arguments)
    with pytest.raises(ValueError, match="power"):
        cases_for_paired_proportions(0.1, 0.1, 0.1, power=1.0)


def test_areas_by_the_formula() -> None:
    """Obuchowski 1998 with Hanley & McNeil's variances: the number found does, one less does not."""
    found = cases_for_paired_aurocs(0.9, 0.88, 0.5, 0.05, positives_per_negative=0.5)

    def variance(positives: int, negatives: int) -> float:
        first, second = (hanley_mcneil_variance(area, positives, negatives) for area in (0.9, 0.88))
        return first + second - math.sqrt(first * second)

    allowed = ((0.02 + 0.05) / (1.959964 + 0.841621)) ** 2
    assert found.positives == math.ceil(found.negatives / 2)
    assert variance(found.positives, found.negatives) <= allowed
    assert variance(math.ceil((found.negatives - 1) / 2), found.negatives - 1) > allowed


def test_areas_have_about_the_power_in_simulation() -> None:
    """400 made-up studies of two equal models of area 0.85, estimates correlated as seen; 80 % hoped for, and a little
    less found, since the interval adds a fifth of a patient.
    """
    source, tries = np.random.default_rng(7), 400

    def draw(positives: int, negatives: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        labels = np.r_[np.ones(positives, dtype=int), np.zeros(negatives, dtype=int)]
        common = source.normal(size=len(labels)) + 2.0730 * labels
        return common + source.normal(size=len(labels)), common + source.normal(size=len(labels)), labels

    areas = np.array(
        [[_area(scores, labels) for scores in pair] for *pair, labels in (draw(60, 60) for _ in range(1500))]
    )
    assert areas.mean() == pytest.approx(0.85, abs=0.01)
    size = cases_for_paired_aurocs(
        float(areas.mean()), float(areas.mean()), float(np.corrcoef(areas.T)[0, 1]), margin=0.06
    )
    shown = sum(
        compare_aurocs(*draw(size.positives, size.negatives), 0.06).decision == "non-inferior" for _ in range(tries)
    )
    assert 0.68 <= shown / tries <= 0.87


def _area(scores: np.ndarray, labels: np.ndarray) -> float:
    return float((scores[labels == 1][:, None] > scores[labels == 0][None, :]).mean())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((0.8, 0.9, 0.5, 0.05), "not above"),
        ((0.9, 0.9, 1.0, 0.05), "correlation"),
        ((0.9, 0.9, -0.1, 0.05), "correlation"),
        ((1.0, 0.9, 0.5, 0.05), "no variance"),
    ],
)
def test_impossible_plans_of_areas_are_refused(arguments: tuple[float, ...], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        cases_for_paired_aurocs(*arguments)


@pytest.mark.parametrize("effect", [0.2, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("power", [0.8, 0.9])
def test_means_need_as_many_as_in_statsmodels(effect: float, power: float) -> None:
    """statsmodels.stats.power.TTestPower; one-sided at 2.5 %."""
    theirs = TTestPower().solve_power(effect_size=effect, alpha=0.025, power=power, alternative="larger")
    assert cases_for_mean(effect, 0.0, 1.0, power) == math.ceil(theirs)
    assert cases_for_mean(-0.05 - 2.0 * effect, -0.05, 2.0, power) == math.ceil(theirs)


def test_the_number_of_values_is_the_smallest_with_the_power() -> None:
    n = cases_for_mean(0.02, -0.03, 0.15, 0.9)

    def reached(count: int) -> float:
        return float(nct.sf(t.ppf(0.975, count - 1), count - 1, 0.05 / 0.15 * math.sqrt(count)))

    assert reached(n - 1) < 0.9 <= reached(n)


def test_many_values_are_told_by_the_normal_distribution() -> None:
    assert cases_for_mean(0.001, 0.0, 1.0) == pytest.approx((1.959964 + 0.841621) ** 2 * 1e6, rel=1e-4)


@pytest.mark.parametrize(("truth", "sd"), [(0.0, 1.0), (1.0, 0.0), (1.0, math.inf), (1e-9, 1.0)])
def test_impossible_plans_of_means_are_refused(truth: float, sd: float) -> None:
    with pytest.raises(ValueError, match="no number of values"):
        cases_for_mean(truth, 0.0, sd)

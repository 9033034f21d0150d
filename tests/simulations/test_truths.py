"""Truths by formula or quadrature agree with the gate's own estimates on one large test set drawn from the model."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

sys.path.insert(0, str(Path(__file__).parent))

import of_classes
import of_findings
import of_masks
import of_repeats
import of_reruns
import of_scores
import of_times
from study import Drawn, Study

WIDTHS = 1.5  # an interval of 95 % reaches 1.96 standard errors on each side: this many times that is 2.9
STUDIES = (
    of_scores.Scores(40_000, 1, 0.5, 0.9, 0.9),
    of_scores.Scores(40_000, 1, 0.2, 0.8, 0.97),
    of_classes.Classes(40_000, 1),
    of_findings.Lesions(10_000, 1, 0.85),
    of_masks.Masks(20_000, 1, 0.05),
    of_reruns.Again(20_000, 1),
    of_repeats.Repeats(20_000, 1, True),
    of_repeats.Repeats(20_000, 1, False),
    of_times.Times(100_000, 0.0),
    of_times.Times(100_000, 0.02),
)


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: f"{study.family}: {study.setting}")
def test_the_truth_lies_near_the_estimate_on_many_cases(study: Study) -> None:
    drawn = list(study.draw(np.random.default_rng(5), 0))
    assert not [(item.metric, item.truth, item.measurement.estimate) for item in drawn if not near(item)]


def near(item: Drawn) -> bool:
    """Say whether a truth lies within the interval, taken 1.5 times as wide on each side."""
    value, limits = item.measurement.estimate, item.measurement.limits
    assert value is not None
    assert limits is not None
    return value - WIDTHS * (value - limits[0]) <= item.truth <= value + WIDTHS * (limits[1] - value)


def test_a_wrong_truth_is_found() -> None:
    right = next(of_times.Times(100_000, 0.0).draw(np.random.default_rng(5), 0))
    assert near(right)
    assert not near(Drawn(right.metric, right.measurement, right.truth * 1.02, right.item))


def test_flips_are_those_of_two_correlated_normal_scores_by_scipy() -> None:
    alike = 1.0 - of_reruns.BETWEEN_REPEATS
    both = multivariate_normal([0.0, 0.0], [[1.0, alike], [alike, 1.0]])
    flips = [2.0 * (norm.cdf(mean) - both.cdf([mean, mean])) for mean in of_reruns.BEFORE.means]
    assert of_reruns.truths()["flip_rate"] == pytest.approx(np.mean(flips), abs=1e-6)


def test_partial_area_is_that_of_the_binormal_curve_by_scipy() -> None:
    model = of_scores.Binormal(0.8, 0.97, 0.2)
    area = quad(lambda rate: norm.cdf(model.apart + norm.ppf(rate)), 0.0, 0.2, epsabs=1e-12)[0]
    assert model.partial_auroc(0.2) == pytest.approx((1.0 + (area - 0.02) / (0.2 - 0.02)) / 2.0, abs=1e-6)
    assert model.partial_auroc(1.0) == pytest.approx(model.auroc(), abs=1e-6)

"""How often intervals hold the truth: exactly where outcomes can be counted, else by simulation with fixed seeds.

At about 200 cases a 95 % interval is asked to cover between 93 and 97.5 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import binom

from gatekeeper.statistics import (
    Interval,
    clopper_pearson,
    cluster_weights,
    delong,
    jeffreys,
    npv_at,
    npv_interval,
    percentile_interval,
    ppv_at,
    ppv_interval,
    quantile_interval,
    wilson,
)

LEAST, MOST = 0.93, 0.975

Limits = Callable[..., Interval]


def holds(interval: Interval, truth: float) -> bool:
    return interval.lower <= truth <= interval.upper


@pytest.mark.parametrize("truth", [0.5, 0.8, 0.85, 0.9, 0.95])
@pytest.mark.parametrize("method", [wilson, jeffreys])
def test_wilson_and_jeffreys_cover_as_they_promise(method: Limits, truth: float) -> None:
    covered = sum(binom.pmf(hits, 200, truth) for hits in range(201) if holds(method(hits, 200, 0.95), truth))
    assert LEAST <= covered <= MOST


@pytest.mark.parametrize("truth", [0.01, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("trials", [7, 50, 200])
def test_clopper_pearson_never_covers_less_than_it_promises(trials: int, truth: float) -> None:
    for side in (lambda found: found.lower <= truth, lambda found: truth <= found.upper):
        hits = [count for count in range(trials + 1) if not side(clopper_pearson(count, trials, 0.95))]
        assert binom.pmf(hits, trials, truth).sum() <= 0.025 + 1e-12


@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.9, 0.9), (0.8, 0.95), (0.95, 0.85)])
@pytest.mark.parametrize(("value", "limits"), [(ppv_at, ppv_interval), (npv_at, npv_interval)])
def test_logit_intervals_of_predictive_values_cover_as_they_promise(
    value: Callable[..., NDArray[np.float64]], limits: Limits, sensitivity: float, specificity: float
) -> None:
    positives, negatives, prevalence = 100, 100, 0.13
    truth = float(value(sensitivity, specificity, prevalence))
    of_tp = binom.pmf(range(positives + 1), positives, sensitivity)
    of_tn = binom.pmf(range(negatives + 1), negatives, specificity)
    covered = likely = 0.0
    for tp in np.flatnonzero(of_tp > 1e-6):
        for tn in np.flatnonzero(of_tn > 1e-6):
            weight = of_tp[tp] * of_tn[tn]
            likely += weight
            covered += weight * holds(
                limits(int(tp), positives - int(tp), negatives - int(tn), int(tn), prevalence), truth
            )
    assert likely > 0.9998
    assert LEAST <= covered / likely <= MOST


@pytest.mark.parametrize(("area", "positives", "negatives"), [(0.75, 100, 100), (0.9, 100, 100), (0.85, 60, 140)])
def test_delong_covers_as_it_promises(area: float, positives: int, negatives: int) -> None:
    """Binormal scores with equal variance: the area is Phi(shift / sqrt 2)."""
    shift = _shift_for(area)
    labels = np.repeat([1, 0], [positives, negatives])
    source = np.random.default_rng(20)
    tries = 2000
    covered = sum(
        holds(delong(source.normal(size=len(labels)) + shift * labels, labels, 0.95)[1], area) for _ in range(tries)
    )
    assert LEAST <= covered / tries <= MOST


@pytest.mark.parametrize("agreement", [0.0, 0.5, 0.9])
def test_cluster_bootstrap_covers_as_it_promises_however_alike_images_of_a_patient_are(agreement: float) -> None:
    """100 patients with 2 images each; two images of a patient agree fully with probability ``agreement``."""
    truth, patients, tries = 0.8, 100, 1000
    weights = cluster_weights(patients, 500, 1)
    source = np.random.default_rng(30)
    covered = by_image = 0
    for _ in range(tries):
        own = source.random((patients, 2)) < truth
        right = np.where(source.random((patients, 1)) < agreement, own[:, :1], own)
        hits, trials = (weights @ np.stack([right.sum(axis=1), np.full(patients, 2)], axis=1)).T
        covered += holds(percentile_interval(hits / trials, 0.95, "any"), truth)
        by_image += holds(wilson(int(right.sum()), 2 * patients, 0.95), truth)
    assert LEAST <= covered / tries <= MOST
    if agreement > 0.8:
        assert by_image / tries < 0.9


def test_order_statistics_cover_at_least_what_they_promise() -> None:
    source = np.random.default_rng(40)
    truth = math.exp(1.6448536269514722)
    covered = sum(holds(quantile_interval(source.lognormal(size=200), 0.95, 0.95)[1], truth) for _ in range(2000))
    assert 0.945 <= covered / 2000 <= 0.98


def _shift_for(area: float) -> float:
    low, high = 0.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if ndtr(middle / math.sqrt(2)) < area else (low, middle)
    return low

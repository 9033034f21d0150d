"""Intervals of mean losses: against formulae written out anew, and how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm, t

from gatekeeper.statistics import cluster_weights, weight_blocks
from gatekeeper.statistics.losses import mean_loss, mean_loss_interval, mean_loss_of_weights

some_losses = st.lists(st.floats(0.0, 1.0), min_size=3, max_size=40).filter(
    lambda drawn: max(drawn) - min(drawn) > 1e-3
)


def own(n: int) -> NDArray[np.intp]:
    return np.arange(n)


def test_a_resample_is_the_mean_of_the_cases_repeated() -> None:
    source = np.random.default_rng(1)
    losses, clusters = source.random(60), np.sort(source.integers(0, 20, size=60))
    clusters = np.unique(clusters, return_inverse=True)[1]
    weights = cluster_weights(int(clusters.max()) + 1, 30, 4)
    wanted = [np.repeat(losses, row[clusters]).mean() for row in weights]
    np.testing.assert_allclose(mean_loss_of_weights(losses, weights, clusters), wanted, rtol=1e-13)
    blocks = weight_blocks(int(clusters.max()) + 1, 30, 4)
    np.testing.assert_allclose(mean_loss_of_weights(losses, blocks, clusters), wanted, rtol=1e-13)
    assert np.isnan(mean_loss_of_weights(losses, np.zeros((1, len(weights[0])), dtype=np.int64), clusters)[0])


@given(drawn=some_losses)
def test_limits_are_wilsons_on_the_effective_number(drawn: list[float]) -> None:
    """Each limit m solves (mean - m)² = z² m (1 - m) / trials: the score equation, the phantom in the trials."""
    losses, n = np.array(drawn), len(drawn)
    mean, found = mean_loss_interval(losses, own(n), 1.0)
    z, correction = norm.ppf(0.975), (norm.ppf(0.975) / t.ppf(0.975, n - 1)) ** 2
    assert mean == pytest.approx(losses.mean())
    for limit, far in ((found.lower, mean), (found.upper, 1.0 - mean)):
        variance = (((losses - mean) ** 2).sum() + 0.2 * far**2) / (n * (n - 1))
        trials = mean * (1.0 - mean) / variance * correction
        assert (mean - limit) ** 2 == pytest.approx(z**2 * limit * (1.0 - limit) / trials, rel=1e-6, abs=1e-12)


@given(drawn=some_losses)
def test_halls_limits_solve_his_cubic(drawn: list[float]) -> None:
    losses, n = np.array(drawn), len(drawn)
    mean, found = mean_loss_interval(losses, own(n), 36.0, skewed=True)
    away = np.append(losses - mean, 0.0)
    share = np.append(np.ones(n), 0.2)
    away[-1] = away[:-1].max()
    error = math.sqrt(float((share * away**2).sum()) / (n * (n - 1)))
    skew = float((share * away**3).sum() / (share * away**2).sum() ** 1.5)
    for limit, level in ((found.lower, 0.975), (found.upper, 0.025)):
        if limit in (0.0, 36.0, mean):
            continue
        studentised = (mean - limit) / error
        cubic = studentised + skew * studentised**2 / 3 + skew**2 * studentised**3 / 27 + skew / 6
        assert cubic == pytest.approx(t.ppf(level, n - 1), rel=1e-5)


@pytest.mark.parametrize("skewed", [False, True])
@given(drawn=some_losses, seed=st.integers(0, 2**31))
def test_limits_are_in_order_within_bounds_whatever_the_order_of_rows(
    skewed: bool, drawn: list[float], seed: int
) -> None:
    losses = np.array(drawn)
    source = np.random.default_rng(seed)
    patients, order = source.integers(0, 6, size=len(losses)), source.permutation(len(losses))
    first = mean_loss_interval(losses, patients, 1.0, skewed=skewed)
    assert mean_loss_interval(losses[order], patients[order], 1.0, skewed=skewed) == first
    assert 0.0 <= first[1].lower <= first[0] <= first[1].upper <= 1.0


@pytest.mark.parametrize("skewed", [False, True])
def test_cases_of_one_patient_are_no_more_than_the_patient(skewed: bool) -> None:
    losses = np.random.default_rng(2).random(40)
    once = mean_loss_interval(losses, own(40), 1.0, skewed=skewed)[1]
    copied = mean_loss_interval(np.repeat(losses, 5), np.repeat(own(40), 5), 1.0, skewed=skewed)[1]
    assert (copied.lower, copied.upper) == pytest.approx((once.lower, once.upper))


@pytest.mark.parametrize("skewed", [False, True])
def test_four_times_as_many_cases_halve_the_interval(skewed: bool) -> None:
    losses = np.random.default_rng(3).random(200)
    one, four = (mean_loss_interval(losses, own(200), 1.0, skewed=skewed, times=times)[1] for times in (1.0, 4.0))
    assert (one.upper - one.lower) / (four.upper - four.lower) == pytest.approx(2.0, rel=0.02)


def test_losses_all_alike_leave_a_share_of_patients_open() -> None:
    mean, found = mean_loss_interval(np.zeros(50), own(50), 2.0)
    assert (mean, found.lower) == (0.0, 0.0)
    assert found.upper == pytest.approx(2.0 * (1.0 - 0.025 ** (1.0 / 50.0)))
    assert mean_loss_interval(np.array([0.3, 0.4]), np.zeros(2, dtype=np.intp), 1.0)[1].upper > 0.9


@pytest.mark.parametrize("bad", [[], [math.nan], [-0.1], [1.5, 0.1]])
def test_what_is_no_loss_is_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="loss"):
        mean_loss_interval(np.array(bad), own(len(bad)), 1.0)
    if not bad:
        with pytest.raises(ValueError, match="loss"):
            mean_loss(np.array(bad))


@pytest.mark.parametrize(("skewed", "most"), [(False, 0.032), (True, 0.038)])
def test_limits_of_skewed_losses_are_rarely_wrong(skewed: bool, most: float) -> None:
    """3,000 made-up sets of 100 cases of a confident, calibrated candidate; Student's t fails above in 6 to 8 %."""
    source, tries, n = np.random.default_rng(6), 3000, 100
    chances = expit(source.normal(-3.0, 3.0, size=(tries, n)))
    labels = source.random((tries, n)) < chances
    losses = -np.log(np.where(labels, chances, 1.0 - chances)) if skewed else (chances - labels) ** 2
    grid = expit(norm.ppf((np.arange(100_000) + 0.5) / 100_000) * 3.0 - 3.0)
    entropy = -(grid * np.log(grid) + (1.0 - grid) * np.log1p(-grid))
    truth = float((entropy if skewed else grid * (1.0 - grid)).mean())
    limits = [mean_loss_interval(row, own(n), 36.05 if skewed else 1.0, skewed=skewed)[1] for row in losses]
    assert 0.010 <= np.mean([found.lower > truth for found in limits]) <= 0.032
    assert 0.010 <= np.mean([found.upper < truth for found in limits]) <= most

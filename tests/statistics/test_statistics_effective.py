"""Effective numbers of cases: against formulas written out, statsmodels' cluster-robust variance, and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.api import OLS

from gatekeeper.statistics import effective_rates, effective_trials
from gatekeeper.statistics.effective import PHANTOM

by_patient = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30)


def arrays(counted: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    hits = np.array([right for right, _ in counted], dtype=float)
    return hits, hits + np.array([wrong for _, wrong in counted], dtype=float)


def test_the_variance_is_the_cluster_robust_one_of_statsmodels() -> None:
    hits, trials = arrays([(3, 1), (2, 0), (0, 2), (4, 0), (1, 1), (2, 2), (3, 0), (1, 0), (0, 1), (2, 1)])
    outcome = np.concatenate([np.repeat([1.0, 0.0], [int(h), int(t - h)]) for h, t in zip(hits, trials, strict=True)])
    patient = np.repeat(np.arange(10), trials.astype(int))
    fitted = OLS(outcome, np.ones(len(outcome))).fit(cov_type="cluster", cov_kwds={"groups": patient})
    share, n = outcome.mean(), len(outcome)
    added = 10 / 9 * PHANTOM * (n / 10 * max(share, 1 - share)) ** 2 / n**2
    variance = float(fitted.cov_params()[0, 0]) + added
    found = effective_trials(hits, trials)
    correction = (norm.ppf(0.975) / student.ppf(0.975, 9)) ** 2
    assert found.trials == pytest.approx(min(n, share * (1 - share) / variance) * correction)
    assert found.hits / found.trials == pytest.approx(share)


@settings(max_examples=60, deadline=None)
@given(by_patient)
def test_no_more_trials_than_there_are_and_the_same_share(counted: list[tuple[int, int]]) -> None:
    hits, trials = arrays(counted)
    if trials.sum() == 0 or (np.count_nonzero(trials) < 2 and 0 < hits.sum() < trials.sum()):
        with pytest.raises(ValueError, match=r"undefined|two of them"):
            effective_trials(hits, trials)
        return
    found = effective_trials(hits, trials)
    assert 0.0 < found.trials <= trials.sum()
    assert found.hits / found.trials == pytest.approx(hits.sum() / trials.sum())
    assert found.misses == pytest.approx(found.trials - found.hits)


@settings(max_examples=40, deadline=None)
@given(by_patient, st.integers(0, 100))
def test_order_of_patients_and_patients_without_a_trial_change_nothing(
    counted: list[tuple[int, int]], seed: int
) -> None:
    hits, trials = arrays([*counted, (1, 1), (2, 1)])
    order = np.random.default_rng(seed).permutation(len(hits))
    found = effective_trials(hits, trials)
    shuffled = effective_trials(np.append(hits[order], 0.0), np.append(trials[order], 0.0))
    assert shuffled.trials == pytest.approx(found.trials)


@given(by_patient)
def test_hits_taken_for_misses_have_as_many_effective_trials(counted: list[tuple[int, int]]) -> None:
    hits, trials = arrays([*counted, (1, 1), (2, 1)])
    assert effective_trials(trials - hits, trials).trials == pytest.approx(effective_trials(hits, trials).trials)


def test_patients_who_are_always_right_count_as_one_trial_each() -> None:
    found = effective_trials(np.array([3.0, 2.0, 5.0]), np.array([3.0, 2.0, 5.0]))
    assert (found.hits, found.trials, found.misses) == (3.0, 3.0, 0.0)


def test_images_that_agree_within_patients_tell_no_more_than_patients() -> None:
    right = (np.arange(200) % 5 > 0).astype(float)
    assert effective_trials(4 * right, np.full(200, 4.0)).trials < 200


@pytest.mark.parametrize(("hits", "trials"), [([0.0], [0.0]), ([2.0, 1.0], [1.0, 3.0]), ([1.0], [2.0])])
def test_what_has_no_spread_is_an_error(hits: list[float], trials: list[float]) -> None:
    with pytest.raises(ValueError, match=r"undefined|more hits|two of them"):
        effective_trials(np.array(hits), np.array(trials))


def test_right_answers_that_go_together_widen_a_sum_and_never_narrow_it() -> None:
    """Var(Se + Sp) over patients who are right in both classes, or in one of them, against twice the variance."""
    both = np.tile([2.0, 0.0], 50)
    trials = np.full(100, 2.0)
    alone = effective_trials(both, trials, 0.95).trials
    together, _ = effective_rates((both, trials), (both, trials), (1.0, 1.0), 0.95)
    opposed, _ = effective_rates((both, trials), (trials - both, trials), (1.0, 1.0), 0.95)
    assert together.trials == pytest.approx(alone / 2.0)
    assert opposed.trials == pytest.approx(alone)

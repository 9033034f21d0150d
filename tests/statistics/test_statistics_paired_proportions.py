from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import multinomial, t

from gatekeeper.statistics.paired_proportions import Pairs, effective_pairs, tango, tango_z

COUNTS = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 60)).filter(lambda counts: sum(counts) > 0)


@pytest.mark.parametrize(
    ("b", "c", "n", "confidence", "lower", "upper", "digits"),
    [
        (1, 7, 21, 0.95, -0.517, -0.026, 3),
        (28, 25, 618, 0.90, -0.0148, 0.0247, 4),
    ],
)
def test_published_limits(b: int, c: int, n: int, confidence: float, lower: float, upper: float, digits: int) -> None:
    """Airway hyper-responsiveness (Bentur et al.) in Fagerland, Lydersen & Laake, Stat Med 2014;33:2850; and the answer
    of PropCIs::scoreci.mp(25, 28, 618, 0.90).
    """
    found = tango(Pairs(b, c, n), confidence)
    assert (round(found.lower, digits), round(found.upper, digits)) == (lower, upper)


@pytest.mark.parametrize("difference", [-0.6, -0.1, 0.0, 0.05, 0.4])
@pytest.mark.parametrize(("b", "c", "n"), [(5, 12, 60), (0, 3, 20), (4, 0, 20), (9, 11, 20)])
def test_the_score_takes_the_most_likely_probability(b: int, c: int, n: int, difference: float) -> None:
    """The likelihood maximised by scipy.optimize, in the place of Tango's quadratic."""
    least, most = max(0.0, -difference), (1.0 - difference) / 2.0

    def loss(alone: float) -> float:
        shares = alone + difference, alone, 1.0 - 2.0 * alone - difference
        return -sum(
            count * math.log(max(share, 1e-300))
            for count, share in zip((b, c, n - b - c), shares, strict=True)
            if count > 0
        )

    found = minimize_scalar(loss, bounds=(least, most), method="bounded", options={"xatol": 1e-12})
    alone = min((found.x, least, most), key=loss)
    variance = n * (2.0 * alone + difference * (1.0 - difference))
    away = b - c - n * difference
    if variance > 1e-6:
        assert tango_z(Pairs(b, c, n), difference) == pytest.approx(away / math.sqrt(variance), rel=1e-4, abs=1e-4)


@settings(max_examples=80, deadline=None)
@given(COUNTS, st.sampled_from([0.8, 0.95, 0.99]))
def test_laws(counts: tuple[int, int, int], confidence: float) -> None:
    b, c, _ = counts
    pairs = Pairs(b, c, sum(counts))
    found = tango(pairs, confidence)
    assert -1.0 <= found.lower <= pairs.difference <= found.upper <= 1.0
    assert found.upper > found.lower
    mirrored = tango(Pairs(c, b, sum(counts)), confidence)
    assert (mirrored.lower, mirrored.upper) == pytest.approx((-found.upper, -found.lower), abs=1e-12)
    wider = tango(pairs, 0.5 + confidence / 2)
    assert wider.lower <= found.lower <= found.upper <= wider.upper
    more = tango(Pairs(10 * b, 10 * c, 10 * sum(counts)), confidence)
    assert more.upper - more.lower < found.upper - found.lower
    scores = [tango_z(pairs, difference) for difference in np.linspace(-0.99, 0.99, 67)]
    assert all(before >= after - 1e-9 for before, after in pairwise(scores))


def test_at_no_difference_the_score_is_mcnemars() -> None:
    assert tango_z(Pairs(12, 5, 80), 0.0) == pytest.approx(7 / math.sqrt(17), rel=1e-12)


def test_no_discordant_case_is_no_point() -> None:
    """± z² / (n + z²)."""
    found, z = tango(Pairs(0, 0, 50)), 1.959963984540054
    assert (found.lower, found.upper) == pytest.approx((-z * z / (50 + z * z), z * z / (50 + z * z)), rel=1e-9)


@pytest.mark.parametrize("shares", [(0.05, 0.05), (0.02, 0.07), (0.15, 0.05)])
def test_limits_are_rarely_wrong(shares: tuple[float, float]) -> None:
    """Every outcome of 100 cases, weighed by its probability: 2.5 % on each side, 3.4 % at most."""
    n, truth, above, below = 100, shares[0] - shares[1], 0.0, 0.0
    outcomes = multinomial(n, [*shares, 1.0 - sum(shares)])
    for b in range(35):
        for c in range(35):
            weight = outcomes.pmf([b, c, n - b - c])
            if weight > 1e-7:
                found = tango(Pairs(b, c, n))
                above, below = above + weight * (found.lower > truth), below + weight * (found.upper < truth)
    assert 0.01 <= above <= 0.034
    assert 0.01 <= below <= 0.034


def draw(source: np.random.Generator, patients: int, cases: int) -> tuple[np.ndarray, np.ndarray]:
    """Made-up answers; the candidate is worse in some patients and better in others."""
    own, apart = source.normal(size=(2, patients)).repeat(cases, axis=1)
    noise = source.normal(size=(2, patients * cases))
    return 0.5 * own + apart + noise[0] < 1.4, 0.5 * own + noise[1] < 1.6


def test_effective_limits_are_rarely_wrong_where_patients_repeat() -> None:
    """1,000 simulated studies of 80 patients with four cases; those on the cases as if independent are wrong often."""
    source, tries, patients = np.random.default_rng(9), 1000, np.arange(80).repeat(4)
    candidate, reference = draw(source, 200_000, 4)
    truth = candidate.mean() - reference.mean()
    wrong = np.zeros(3)
    for _ in range(tries):
        candidate, reference = draw(source, 80, 4)
        effective = effective_pairs(candidate, reference, patients)
        found = tango(effective)
        counted = tango(Pairs((candidate & ~reference).sum(), (reference & ~candidate).sum(), 320))
        wrong += [found.lower > truth, found.upper < truth, not counted.lower <= truth <= counted.upper]
        assert effective.n <= 320
        assert effective.difference == pytest.approx(candidate.mean() - reference.mean(), abs=1e-12)
    assert (wrong[:2] / tries <= 0.04).all()
    assert wrong[2] / tries > 0.08


def test_effective_numbers_by_hand() -> None:
    """Five patients with 2 cases, differences 2, -1, 0, 0, 0 of them: the variance over patients, a fifth of a patient
    added, against that of one case; times (z / t)² with 4 degrees of freedom.
    """
    candidate = np.array([1, 1, 0, 1, 1, 1, 0, 0, 1, 1], dtype=bool)
    reference = np.array([0, 0, 1, 1, 1, 1, 0, 0, 1, 1], dtype=bool)
    away = np.array([2, -1, 0, 0, 0]) - 0.1 * 2
    variance = 5 / 4 * ((away**2).sum() + 0.2 * (2 * 1.1) ** 2) / 100
    trials = (0.3 - 0.01) / variance * (1.959963984540054 / t.ppf(0.975, 4)) ** 2
    found = effective_pairs(candidate, reference, np.arange(10) // 2)
    assert (found.candidate_only, found.reference_only, found.n) == pytest.approx(
        (0.2 * trials, 0.1 * trials, trials), rel=1e-9
    )


def test_effective_pairs_of_special_cases() -> None:
    yes, no = np.ones(12, dtype=bool), np.zeros(12, dtype=bool)
    patients = np.arange(4).repeat(3)
    assert effective_pairs(yes, yes, patients) == Pairs(0.0, 0.0, 4.0)
    assert effective_pairs(yes, no, np.arange(12)) == Pairs(12.0, 0.0, 12.0)
    assert effective_pairs(yes, no, patients) == Pairs(4.0, 0.0, 4.0)
    assert tango(effective_pairs(no, yes, patients)).lower == -1.0
    source = np.random.default_rng(1)
    candidate, reference = source.random((2, 12)) < 0.5
    order = source.permutation(12)
    assert effective_pairs(candidate, reference, patients) == effective_pairs(
        candidate[order], reference[order], patients[order]
    )


@pytest.mark.parametrize("counts", [(-1, 0, 5), (3, 3, 5), (0, 0, 0), (math.nan, 0, 5)])
def test_impossible_counts_are_refused(counts: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="discordant cases of"):
        Pairs(*counts)


def test_impossible_patients_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        effective_pairs(np.ones(3, dtype=bool), np.ones(2, dtype=bool), np.arange(3))
    with pytest.raises(ValueError, match="two of them"):
        effective_pairs(np.ones(3, dtype=bool), np.zeros(3, dtype=bool), np.zeros(3, dtype=int))
    with pytest.raises(ValueError, match="discordant cases of"):
        effective_pairs(np.ones(0, dtype=bool), np.ones(0, dtype=bool), np.arange(0))

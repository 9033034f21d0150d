from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from statsmodels.stats.contingency_tables import mcnemar as of_statsmodels

from gatekeeper.statistics.mcnemar import clustered_mcnemar, mcnemar

COUNTS = [(10, 25, 200), (3, 3, 6), (0, 7, 40), (1, 0, 5), (60, 41, 1000), (8, 2, 10)]


@pytest.mark.parametrize(("b", "c", "n"), COUNTS)
def test_exact_and_asymptotic_are_those_of_statsmodels(b: int, c: int, n: int) -> None:
    """statsmodels.stats.contingency_tables.mcnemar."""
    table = [[n - b - c, b], [c, 0]]
    assert mcnemar(b, c, n, "exact").p_value == pytest.approx(of_statsmodels(table, exact=True).pvalue, rel=1e-9)
    for method, correction in (("asymptotic", False), ("asymptotic_corrected", True)):
        theirs = of_statsmodels(table, exact=False, correction=correction)
        ours = mcnemar(b, c, n, method)  # type: ignore[arg-type]
        if b != c:  # with b = c statsmodels corrects 0 to (-1)²
            assert (ours.statistic, ours.p_value) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)


def test_mid_p_as_published() -> None:
    """Fagerland, Lydersen & Laake 2013, airway hyper-responsiveness (Bentur et al.): 1 and 7 of 21 discordant; exact
    p 0.0703, mid-p 0.0391, asymptotic 0.0339, with correction 0.0771.
    """
    found = [mcnemar(1, 7, 21, method).p_value for method in ("exact", "mid_p", "asymptotic", "asymptotic_corrected")]
    assert [round(p_value, 4) for p_value in found] == [0.0703, 0.0391, 0.0339, 0.0771]


def test_mid_p_rejects_about_as_often_as_it_says_and_exact_never_more() -> None:
    """Every outcome of 30 discordant cases, weighed by the binomial distribution."""
    weights = np.array([float(np.exp(_log_binomial(30, hits))) for hits in range(31)])
    for method, most in (("exact", 0.05), ("mid_p", 0.055)):
        rejected = sum(
            weight for hits, weight in enumerate(weights) if mcnemar(hits, 30 - hits, 30, method).p_value <= 0.05
        )
        assert 0.02 < rejected <= most
    assert weights.sum() == pytest.approx(1.0)


def _log_binomial(trials: int, hits: int) -> float:
    from math import lgamma, log

    return lgamma(trials + 1) - lgamma(hits + 1) - lgamma(trials - hits + 1) + trials * log(0.5)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_laws(b: int, c: int) -> None:
    exact, mid = mcnemar(b, c, 200, "exact").p_value, mcnemar(b, c, 200).p_value
    assert 0.0 < mid <= exact <= 1.0
    assert mcnemar(c, b, 200).p_value == mid
    assert mcnemar(b, c, 10_000).p_value == mid
    if b != c:
        assert mcnemar(max(b, c) + 1, min(b, c), 200).p_value < mid


def test_no_discordant_case_says_nothing() -> None:
    for method in ("exact", "mid_p", "asymptotic", "asymptotic_corrected"):
        assert mcnemar(0, 0, 9, method).p_value == 1.0  # type: ignore[arg-type]


@pytest.mark.parametrize("counts", [(-1, 2, 10), (5, 6, 10), (0, 0, 0)])
def test_impossible_counts_are_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="discordant cases of"):
        mcnemar(*counts)


def answers(b: int, c: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    candidate, reference = np.ones(n, dtype=bool), np.ones(n, dtype=bool)
    reference[:b] = False
    candidate[b : b + c] = False
    return candidate, reference


def test_with_one_case_a_patient_durkalski_is_mcnemar_and_obuchowski_a_little_less() -> None:
    candidate, reference = answers(12, 5, 80)
    plain = mcnemar(12, 5, 80, "asymptotic")
    durkalski = clustered_mcnemar(candidate, reference, np.arange(80), "durkalski")
    obuchowski = clustered_mcnemar(candidate, reference, np.arange(80))
    assert durkalski.statistic == pytest.approx(plain.statistic)
    assert plain.statistic is not None
    assert obuchowski.statistic == pytest.approx(plain.statistic * 79 / 80)
    assert (obuchowski.candidate_only, obuchowski.reference_only, obuchowski.n, obuchowski.patients) == (12, 5, 80, 80)
    assert obuchowski.p_value == pytest.approx(chi2.sf(obuchowski.statistic, 1), rel=1e-9)


def test_clustered_statistics_from_the_published_formulae() -> None:
    """Obuchowski 1998, equation of the difference with covariances of both models about their common proportion, and
    Durkalski et al. 2003, in plain loops.
    """
    source = np.random.default_rng(3)
    patients = np.sort(source.integers(0, 25, size=90))
    candidate, reference = source.random(90) < 0.8, source.random(90) < 0.7
    names = sorted(set(patients.tolist()))
    count, common = len(names), (candidate.mean() + reference.mean()) / 2
    variances, covariance, top, bottom = [0.0, 0.0], 0.0, 0.0, 0.0
    for name in names:
        of = patients == name
        x, y, m = candidate[of].sum(), reference[of].sum(), of.sum()
        variances[0] += (x - m * common) ** 2
        variances[1] += (y - m * common) ** 2
        covariance += (x - m * common) * (y - m * common)
        top, bottom = top + (x - y) / m, bottom + ((x - y) / m) ** 2
    variance = count / (count - 1) * (sum(variances) - 2 * covariance) / 90**2
    expected = (candidate.mean() - reference.mean()) ** 2 / variance
    assert clustered_mcnemar(candidate, reference, patients).statistic == pytest.approx(expected, rel=1e-9)
    assert clustered_mcnemar(candidate, reference, patients, "durkalski").statistic == pytest.approx(
        top**2 / bottom, rel=1e-9
    )


def test_cases_that_repeat_each_other_are_no_more_evidence() -> None:
    candidate, reference = answers(14, 4, 60)
    once = clustered_mcnemar(candidate, reference, np.arange(60))
    four_times = clustered_mcnemar(candidate.repeat(4), reference.repeat(4), np.arange(60).repeat(4))
    assert four_times.statistic == pytest.approx(once.statistic)
    assert mcnemar(56, 16, 240).p_value < 0.1 * mcnemar(14, 4, 60).p_value


def test_rejects_about_as_often_as_it_says_where_patients_repeat() -> None:
    """1,500 simulated studies of 50 patients with four cases that go right and wrong together; no true difference."""
    source, tries, patients = np.random.default_rng(2), 1500, np.arange(50).repeat(4)
    rejected = 0
    for _ in range(tries):
        own = 0.7 * source.normal(size=(2, 50)).repeat(4, axis=1) + 0.7 * source.normal(size=(2, 200))
        candidate, reference = own < 0.9
        rejected += clustered_mcnemar(candidate, reference, patients).p_value <= 0.05
    assert 0.03 <= rejected / tries <= 0.065


def test_order_of_rows_does_not_matter() -> None:
    source = np.random.default_rng(5)
    candidate, reference = source.random((2, 70)) < 0.6
    patients, order = source.integers(0, 20, size=70), source.permutation(70)
    for method in ("durkalski", "obuchowski"):
        assert clustered_mcnemar(candidate, reference, patients, method) == clustered_mcnemar(
            candidate[order], reference[order], patients[order], method
        )


def test_impossible_patients_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        clustered_mcnemar(np.ones(3, dtype=bool), np.ones(2, dtype=bool), np.arange(3))
    with pytest.raises(ValueError, match="two of them"):
        clustered_mcnemar(np.ones(3, dtype=bool), np.ones(3, dtype=bool), np.zeros(3, dtype=int))
    assert clustered_mcnemar(np.ones(3, dtype=bool), np.ones(3, dtype=bool), np.arange(3)).p_value == 1.0

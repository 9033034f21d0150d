from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from sklearn.metrics import roc_auc_score

from gatekeeper.statistics import Undecidable
from gatekeeper.statistics.paired_auroc import paired_areas

Floats = np.ndarray


def made_up(n: int, seed: int, digits: int = 1) -> tuple[Floats, Floats, Floats]:
    source = np.random.default_rng(seed)
    labels = (np.arange(n) < n * 0.4).astype(int)
    common = source.normal(size=n) + labels
    return np.round(common + source.normal(size=n), digits), np.round(common + source.normal(size=n), digits), labels


def kernel(scores: Floats, labels: Floats) -> Floats:
    """Of each pair of a positive and a negative case: 1, 1/2 or 0."""
    above, below = scores[labels == 1][:, None], scores[labels == 0][None, :]
    return (above > below) + 0.5 * (above == below)


@pytest.mark.parametrize("seed", range(5))
def test_areas_are_scikit_learns_and_the_variance_is_that_of_all_pairs(seed: int) -> None:
    """sklearn.metrics.roc_auc_score; DeLong's covariance matrix from the full matrix of pairs, contrast (1, -1)."""
    candidate, reference, labels = made_up(60, seed)
    found = paired_areas(candidate, reference, labels)
    areas = [roc_auc_score(labels, scores) for scores in (candidate, reference)]
    assert (found.candidate, found.reference) == pytest.approx(tuple(areas), abs=1e-14)
    kernels = [kernel(scores, labels) for scores in (candidate, reference)]
    of_positives = np.cov([pairs.mean(axis=1) for pairs in kernels])
    of_negatives = np.cov([pairs.mean(axis=0) for pairs in kernels])
    covariance = of_positives / (labels == 1).sum() + of_negatives / (labels == 0).sum()
    contrast = np.array([1.0, -1.0])
    assert found.variance == pytest.approx(float(contrast @ covariance @ contrast), rel=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_the_clustered_variance_is_obuchowskis(seed: int) -> None:
    """Obuchowski 1997, in plain loops: S10 / M + S01 / N + 2 S11 / MN of both areas, and their covariance."""
    candidate, reference, labels = made_up(60, seed)
    patients = np.random.default_rng(seed).integers(0, 20, size=60)
    names, m, n = sorted(set(patients.tolist())), int((labels == 1).sum()), int((labels == 0).sum())
    kernels = [kernel(scores, labels) for scores in (candidate, reference)]
    of_positives, of_negatives = patients[labels == 1], patients[labels == 0]
    sums = np.zeros((2, 2, len(names)))
    for model, pairs in enumerate(kernels):
        for place, name in enumerate(names):
            sums[0, model, place] = (pairs.mean(axis=1) - pairs.mean())[of_positives == name].sum()
            sums[1, model, place] = (pairs.mean(axis=0) - pairs.mean())[of_negatives == name].sum()
    with_positive, with_negative, both = len(set(of_positives)), len(set(of_negatives)), len(names)

    def covariance(r: int, s: int) -> float:
        s10 = with_positive / ((with_positive - 1) * m) * (sums[0, r] * sums[0, s]).sum()
        s01 = with_negative / ((with_negative - 1) * n) * (sums[1, r] * sums[1, s]).sum()
        s11 = both / (both - 1) * (sums[0, r] * sums[1, s]).sum()
        s11_turned = both / (both - 1) * (sums[0, s] * sums[1, r]).sum()
        return float(s10 / m + s01 / n + (s11 + s11_turned) / (m * n))

    expected = covariance(0, 0) + covariance(1, 1) - 2 * covariance(0, 1)
    assert paired_areas(candidate, reference, labels, patients).variance == pytest.approx(expected, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(8, 60), st.booleans())
def test_laws(seed: int, n: int, repeat: bool) -> None:
    candidate, reference, labels = made_up(n, seed)
    source = np.random.default_rng(seed)
    patients = source.permutation(n) // 2 if repeat else None
    found = paired_areas(candidate, reference, labels, patients)
    interval = found.interval()
    assert -1.0 <= interval.lower <= found.difference <= interval.upper <= 1.0
    order = source.permutation(n)
    again = paired_areas(
        candidate[order], reference[order], labels[order], None if patients is None else patients[order]
    )
    if repeat:
        assert again.interval() == interval
    assert again.interval().lower == pytest.approx(interval.lower, abs=1e-12)
    turned = paired_areas(reference, candidate, labels, patients).interval()
    assert (turned.lower, turned.upper) == pytest.approx((-interval.upper, -interval.lower), abs=1e-12)
    scaled = paired_areas(np.exp(candidate), 3.0 * reference - 1.0, labels, patients).interval()
    assert (scaled.lower, scaled.upper) == pytest.approx((interval.lower, interval.upper), abs=1e-12)
    assert found.p_above(-0.5) <= found.p_above(0.0) <= found.p_above(0.5)


def test_the_p_value_is_that_of_the_limit() -> None:
    candidate, reference, labels = made_up(100, 3)
    found = paired_areas(candidate, reference, labels)
    limit = found.lower_limit(0.025)
    assert found.p_above(limit) == pytest.approx(0.025, rel=1e-9)
    same = paired_areas(candidate, candidate, labels)
    assert same.p_above(same.lower_limit(0.025)) == pytest.approx(0.025, rel=1e-9)


def test_a_candidate_worse_by_the_margin_rarely_passes() -> None:
    """1,500 made-up test sets of 30 positives and 100 negatives, areas of 0.93 and 0.98: DeLong's own lower limit lies
    above -0.05 in 8 %.
    """
    source, tries, labels = np.random.default_rng(5), 1500, (np.arange(130) < 30).astype(int)
    passed = plain = 0
    for _ in range(tries):
        common = math.sqrt(0.6) * source.normal(size=130)
        scores = [
            common + math.sqrt(0.4) * source.normal(size=130) + math.sqrt(2.0) * ndtri(area) * labels
            for area in (0.93, 0.98)
        ]
        found = paired_areas(*scores, labels)
        passed += found.lower_limit(0.025) > -0.05
        plain += found.difference - 1.96 * math.sqrt(found.variance) > -0.05
    assert passed / tries <= 0.02
    assert plain / tries > 0.05


def test_limits_cover_where_models_are_equally_good() -> None:
    """1,000 made-up test sets of 60 patients with 3 cases, often of both classes; the limits are wrong in 2.5 % or less
    on each side, and not much wider than that: half the width is wrong in more than a tenth.
    """
    source, tries, patients = np.random.default_rng(6), 1000, np.arange(60).repeat(3)
    above = below = far = 0
    for _ in range(tries):
        labels = (source.random(180) < 0.4).astype(int)
        common = source.normal(size=60).repeat(3) + labels
        candidate, reference = common + source.normal(size=(2, 180)) + source.normal(size=(2, 60)).repeat(3, axis=1)
        found = paired_areas(candidate, reference, labels, patients)
        interval = found.interval()
        above, below = above + (interval.lower > 0.0), below + (interval.upper < 0.0)
        far += abs(found.difference) > (interval.upper - interval.lower) / 4.0
    assert above / tries <= 0.035
    assert below / tries <= 0.035
    assert far / tries > 0.1


def test_models_that_rank_alike_are_bounded_by_the_pairs() -> None:
    """Nothing contradicts a difference of 0, or of 1, in 40 independent pairs: others are below 1 - 0.025^(1/40)."""
    labels = (np.arange(100) < 40).astype(int)
    scores = np.random.default_rng(1).normal(size=100)
    interval = paired_areas(scores, np.exp(scores), labels).interval()
    reach = 1.0 - 0.025 ** (1.0 / 40.0)
    assert (interval.lower, interval.upper) == pytest.approx((-reach, reach), rel=1e-9)
    best = paired_areas(labels.astype(float), 1.0 - labels, labels)
    assert best.difference == 1.0
    assert (best.interval().lower, best.interval().upper) == pytest.approx((1.0 - 2.0 * reach, 1.0), rel=1e-9)
    assert paired_areas(1.0 - labels, labels.astype(float), labels).p_above(-0.5) == 1.0


def test_unanimous_is_what_all_pairs_say_of_every_ranking_of_four() -> None:
    """The matrix of all pairs, for all scores from 0 to 2 of two positive and two negative cases."""
    labels = np.array([1, 1, 0, 0])
    rankings = [np.array(scores, dtype=float) for scores in product(range(3), repeat=4)]
    for candidate in rankings:
        for reference in rankings:
            apart = kernel(candidate, labels) - kernel(reference, labels)
            assert paired_areas(candidate, reference, labels).unanimous == (apart.min() == apart.max())


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=4, max_size=7),
    st.sampled_from(["any", "monotone"]),
)
def test_unanimous_is_what_all_pairs_say(cases: list[tuple[int, int, bool]], kind: str) -> None:
    """The matrix of all pairs."""
    candidate, reference, labels = (np.array(column, dtype=float) for column in zip(*cases, strict=True))
    if kind == "monotone":
        reference = np.exp(candidate)
    if min((labels == 1).sum(), (labels == 0).sum()) < 2:
        return
    apart = kernel(candidate, labels) - kernel(reference, labels)
    assert paired_areas(candidate, reference, labels.astype(int)).unanimous == (apart.min() == apart.max())


def test_a_spread_of_nothing_that_is_chance_is_no_point() -> None:
    """Placements are equal case by case, though pairs differ: the fifth of a patient still keeps the limits apart."""
    labels = np.array([1, 1, 0, 0])
    found = paired_areas(np.array([2.0, 4.0, 1.0, 3.0]), np.array([4.0, 2.0, 1.0, 3.0]), labels)
    assert not found.unanimous
    assert found.interval().upper - found.interval().lower > 0.5


@pytest.mark.parametrize(
    ("labels", "patients", "error", "complaint"),
    [
        ([1, 1, 1, 1], None, ValueError, "both classes"),
        ([1, 0, 2, 0], None, ValueError, "neither 0 nor 1"),
        ([1, 0, 0, 0], None, Undecidable, "two patients"),
        ([1, 1, 0, 0], [0, 0, 1, 2], Undecidable, "two patients"),
        ([1, 1, 0, 0], [0, 0, 1], ValueError, "one length"),
        ([1, 1, 0], None, ValueError, "one length"),
    ],
)
def test_what_has_no_difference_of_areas_is_refused(
    labels: list[int], patients: list[int] | None, error: type[Exception], complaint: str
) -> None:
    scores = np.array([0.1, 0.4, 0.3, 0.2])
    with pytest.raises(error, match=complaint):
        paired_areas(scores, scores[::-1], np.array(labels), None if patients is None else np.array(patients))
    with pytest.raises(ValueError, match="NaN"):
        paired_areas(scores, np.array([0.1, math.nan, 0.3, 0.2]), np.array([1, 1, 0, 0]))

"""FROC, CPM and AP against MONAI, scikit-learn, COCO's own code and counting cut by cut. All findings are made up."""

from __future__ import annotations

import math
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.metrics.froc import compute_froc_curve_data, compute_froc_score
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_curve

from gatekeeper.statistics.bootstrap import weight_blocks
from gatekeeper.statistics.findings import Findings, counts_at
from gatekeeper.statistics.froc import (
    CPM_RATES,
    Precision,
    average_precision,
    average_precision_of_weights,
    cpm,
    cpm_of_weights,
    false_positives_at,
    false_positives_of_weights,
    froc_curve,
    sensitivities_at,
    sensitivities_of_weights,
)

PRECISIONS: tuple[Precision, ...] = ("none", "all_points", "coco_101", "voc_11")
RATES = (0.0, 0.1, 0.3, 0.5, 1.0, 2.0, 50.0)


@st.composite
def some_findings(draw: st.DrawFn, lesions_at_least: int = 1) -> Findings:
    """Up to 8 cases of up to 5 patients; scores from a few values, so that many are tied."""
    n = draw(st.integers(1, 8))
    lesions = draw(
        st.lists(st.integers(0, 4), min_size=n, max_size=n).filter(lambda many: sum(many) >= lesions_at_least)
    )
    hits = [draw(st.integers(0, most)) for most in lesions]
    falses = [draw(st.integers(0, 5)) for _ in lesions]
    count = sum(hits) + sum(falses)
    scores = draw(st.lists(st.integers(-3, 3), min_size=count, max_size=count))
    patients = draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
    return Findings(
        np.asarray(scores, dtype=np.float64),
        np.arange(count) < sum(hits),
        np.concatenate([np.repeat(np.arange(n), hits), np.repeat(np.arange(n), falses)]).astype(np.intp),
        np.asarray(lesions),
        np.asarray(patients, dtype=np.intp),
    )


def simulated(cases: int, seed: int, steps: int | None = None, a_patient: int = 1) -> Findings:
    source = np.random.default_rng(seed)
    lesions = source.poisson(1.5, cases)
    seen = source.binomial(lesions, 0.85)
    falses = source.poisson(3.0, cases)
    scores = np.concatenate([source.normal(1.5, 1, seen.sum()), source.normal(0, 1, falses.sum())])
    return Findings(
        np.round(scores * steps) / steps if steps else scores,
        np.arange(len(scores)) < seen.sum(),
        np.concatenate([np.repeat(np.arange(cases), seen), np.repeat(np.arange(cases), falses)]).astype(np.intp),
        lesions,
        np.arange(cases, dtype=np.intp) // a_patient,
    )


def repeated(findings: Findings, weights: NDArray[np.integer]) -> Findings:
    """The cases of each patient, so often as the weights say, each repeat as a case of its own."""
    of_case = weights[findings.clusters]
    old = np.repeat(np.arange(len(of_case)), of_case)
    rows = [np.flatnonzero(findings.case == case) for case in old]
    taken = np.concatenate([*rows, np.empty(0, dtype=np.intp)]).astype(np.intp)
    new = np.repeat(np.arange(len(old)), [len(row) for row in rows])
    return Findings(findings.scores[taken], findings.hit[taken], new, findings.lesions[old], findings.clusters[old])


def cut_by_cut(findings: Findings) -> list[tuple[int, int]]:
    """Hits and false positives at every cut, highest first, by asking every finding; (0, 0) before them."""
    corners = [(0, 0)]
    for cut in sorted({float(score) for score in findings.scores}, reverse=True):
        above = [bool(hit) for score, hit in zip(findings.scores, findings.hit, strict=True) if score >= cut]
        corners.append((sum(above), len(above) - sum(above)))
    return corners


def best_precision(corners: list[tuple[int, int]], hits: float) -> float:
    return max((tp / (tp + fp) for tp, fp in corners if tp >= hits - 1e-9 and tp + fp), default=0.0)


def ap_by_definition(findings: Findings, precision: Precision) -> float:
    corners, lesions = cut_by_cut(findings), int(findings.lesions.sum())
    points = {"coco_101": [k / 100 for k in range(101)], "voc_11": [k / 10 for k in range(11)]}.get(precision)
    if points is not None:
        return sum(best_precision(corners, recall * lesions) for recall in points) / len(points)
    area = 0.0
    for (before, _), (tp, fp) in pairwise(corners):
        reached = tp / (tp + fp) if precision == "none" else best_precision(corners, tp)
        area += (tp - before) / lesions * reached
    return area


def luna16(findings: Findings) -> NDArray[np.float64]:
    """The sensitivities as LUNA16's evaluation makes them: scikit-learn's ROC of findings, scaled, and np.interp."""
    n, lesions, found = len(findings.lesions), findings.lesions.sum(), findings.hit.sum()
    false, true, _ = roc_curve(findings.hit, findings.scores)
    return np.interp(CPM_RATES, false * (len(findings.hit) - found) / n, true * found / lesions)


@given(findings=some_findings())
def test_steps_are_the_best_of_all_cuts_that_keep_the_rate(findings: Findings) -> None:
    corners, n, lesions = cut_by_cut(findings), len(findings.lesions), findings.lesions.sum()
    wanted = [max(tp for tp, fp in corners if fp <= rate * n + 1e-9) / lesions for rate in RATES]
    np.testing.assert_array_equal(sensitivities_at(findings, RATES, "steps"), wanted)


def test_a_rate_times_the_cases_is_a_whole_number_though_binary_makes_it_a_little_less() -> None:
    """29 false positives in 100 cases are 0.29 a case; in binary 0.29 * 100 is less than 29."""
    assert 0.29 * 100 < 29
    falses = Findings(
        np.concatenate([np.full(29, 2.0), [1.0]]), np.arange(30) == 29, np.arange(30), np.full(100, 1), np.arange(100)
    )
    for join in ("steps", "lines"):
        assert sensitivities_at(falses, (0.29, 0.28), join).tolist() == [0.01, 0.0]


@given(findings=some_findings(), sensitivity=st.sampled_from([0.05, 0.25, 0.5, 0.7, 0.9, 1.0]))
def test_false_positives_at_a_sensitivity_are_the_fewest_of_all_cuts_that_reach_it(
    findings: Findings, sensitivity: float
) -> None:
    corners, n, lesions = cut_by_cut(findings), len(findings.lesions), findings.lesions.sum()
    wanted = min((fp / n for tp, fp in corners if tp >= sensitivity * lesions - 1e-9), default=math.inf)
    assert false_positives_at(findings, sensitivity) == wanted


@pytest.mark.parametrize("precision", PRECISIONS)
@given(findings=some_findings())
def test_average_precision_is_its_definition(precision: Precision, findings: Findings) -> None:
    assert average_precision(findings, precision) == pytest.approx(ap_by_definition(findings, precision), abs=1e-12)


@given(findings=some_findings())
def test_the_curve_has_a_corner_for_every_score(findings: Findings) -> None:
    curve, n, lesions = froc_curve(findings), len(findings.lesions), findings.lesions.sum()
    assert curve.cuts[0] == np.inf
    assert list(curve.cuts[1:]) == sorted(set(findings.scores.tolist()), reverse=True)
    found = list(zip(curve.sensitivity * lesions, curve.false_positives_per_case * n, strict=True))
    np.testing.assert_allclose(found, cut_by_cut(findings), atol=1e-9)


@pytest.mark.parametrize("steps", [None, 2])
@pytest.mark.parametrize("seed", range(5))
def test_lines_are_those_of_luna16_from_scikit_learns_roc(seed: int, steps: int | None) -> None:
    findings = simulated(30, seed, steps)
    np.testing.assert_allclose(sensitivities_at(findings, CPM_RATES, "lines"), luna16(findings), atol=1e-12)
    assert cpm(findings) == pytest.approx(luna16(findings).mean(), abs=1e-12)


@pytest.mark.parametrize("steps", [None, 2])
@pytest.mark.parametrize("seed", range(5))
def test_the_curve_and_its_score_are_those_of_monai(seed: int, steps: int | None) -> None:
    """MONAI leaves out the lowest score of all; so a missed lesion gets one below all others, as in CAMELYON16."""
    findings = simulated(30, seed, steps)
    missed = int(findings.lesions.sum() - findings.hit.sum())
    assert missed > 0
    hits = np.concatenate([findings.scores[findings.hit], np.full(missed, -100.0)])
    falses, total = compute_froc_curve_data(findings.scores[~findings.hit], hits, int(findings.lesions.sum()), 30)
    curve = froc_curve(findings)
    np.testing.assert_allclose(curve.false_positives_per_case[::-1], falses, atol=1e-12)
    np.testing.assert_allclose(curve.sensitivity[::-1], total, atol=1e-12)
    assert compute_froc_score(falses, total, CPM_RATES) == pytest.approx(cpm(findings), abs=1e-12)


@pytest.mark.parametrize("steps", [None, 2])
@pytest.mark.parametrize("seed", range(5))
def test_ap_without_interpolation_is_that_of_scikit_learn_times_the_share_of_lesions_hit(
    seed: int, steps: int | None
) -> None:
    findings = simulated(30, seed, steps)
    share = findings.hit.sum() / findings.lesions.sum()
    wanted = average_precision_score(findings.hit, findings.scores) * share
    assert average_precision(findings, "none") == pytest.approx(wanted, abs=1e-12)


def test_lines_and_steps_differ_only_where_hits_and_false_positives_share_a_score() -> None:
    apart, tied = simulated(40, 3), simulated(40, 3, steps=1)
    np.testing.assert_array_equal(
        sensitivities_at(apart, CPM_RATES, "lines"), sensitivities_at(apart, CPM_RATES, "steps")
    )
    by_lines, by_steps = (sensitivities_at(tied, CPM_RATES, join) for join in ("lines", "steps"))
    assert (by_lines >= by_steps).all()
    assert (by_lines > by_steps).any()


@given(findings=some_findings(lesions_at_least=0), seed=st.integers(0, 99))
@settings(max_examples=60)
def test_a_resample_equals_repeating_the_cases_exactly(findings: Findings, seed: int) -> None:
    weights = np.random.default_rng(seed).integers(0, 4, size=(6, findings.patients))
    found = {
        "lines": sensitivities_of_weights(findings, RATES, "lines", weights),
        "steps": sensitivities_of_weights(findings, RATES, "steps", weights),
        "cpm": cpm_of_weights(findings, weights),
        "fp": false_positives_of_weights(findings, 0.6, weights),
        **{name: average_precision_of_weights(findings, name, weights) for name in PRECISIONS},
    }
    for row, weight in enumerate(weights):
        if not weight[findings.clusters].any() or not repeated(findings, weight).lesions.any():
            assert all(np.isnan(values[row]).all() for values in found.values())
            continue
        again = repeated(findings, weight)
        np.testing.assert_array_equal(found["lines"][row], sensitivities_at(again, RATES, "lines"))
        np.testing.assert_array_equal(found["steps"][row], sensitivities_at(again, RATES, "steps"))
        assert found["cpm"][row] == cpm(again)
        assert found["fp"][row] == false_positives_at(again, 0.6)
        for name in PRECISIONS:
            assert found[name][row] == average_precision(again, name)


@given(findings=some_findings(), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_the_order_of_findings_and_of_cases_changes_nothing(findings: Findings, seed: int) -> None:
    source = np.random.default_rng(seed)
    rows, cases = source.permutation(len(findings.scores)), source.permutation(len(findings.lesions))
    moved = Findings(
        findings.scores[rows],
        findings.hit[rows],
        np.argsort(cases)[findings.case[rows]],
        findings.lesions[cases],
        findings.clusters[cases],
    )
    weights = np.concatenate(list(weight_blocks(findings.patients, 5, seed)))
    np.testing.assert_array_equal(cpm_of_weights(findings, weights), cpm_of_weights(moved, weights))
    for name in PRECISIONS:
        first, second = (average_precision_of_weights(of, name, weights) for of in (findings, moved))
        np.testing.assert_array_equal(first, second)


@given(findings=some_findings())
def test_values_keep_their_bounds_and_rise_with_the_rate(findings: Findings) -> None:
    for join in ("lines", "steps"):
        rates = sensitivities_at(findings, sorted(RATES), join)
        assert (np.diff(rates) >= 0).all()
        assert rates[0] >= 0.0
        assert rates[-1] == findings.hit.sum() / findings.lesions.sum()
    plain, envelope = average_precision(findings, "none"), average_precision(findings, "all_points")
    assert 0.0 <= plain <= envelope + 1e-12
    assert envelope <= findings.hit.sum() / findings.lesions.sum() + 1e-12


@given(findings=some_findings())
def test_only_the_order_of_scores_matters(findings: Findings) -> None:
    moved = Findings(np.exp(findings.scores) - 7.0, findings.hit, findings.case, findings.lesions, findings.clusters)
    assert cpm(moved) == cpm(findings)
    assert average_precision(moved, "all_points") == average_precision(findings, "all_points")


def test_blocks_and_one_matrix_give_the_same_and_many_findings_stay_within_memory() -> None:
    findings = simulated(2_000, 1, a_patient=2)
    weights = np.concatenate(list(weight_blocks(findings.patients, 300, 5)))
    tracemalloc.start()
    streamed = cpm_of_weights(findings, weight_blocks(findings.patients, 300, 5))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(streamed, cpm_of_weights(findings, weights))
    assert most < 16e6
    assert np.unique(streamed).size > 250


def test_no_finding_is_no_sensitivity() -> None:
    nothing = Findings(
        np.empty(0), np.empty(0, dtype=bool), np.empty(0, dtype=np.intp), np.array([2, 0]), np.arange(2, dtype=np.intp)
    )
    assert cpm(nothing) == 0.0
    assert all(average_precision(nothing, name) == 0.0 for name in PRECISIONS)
    assert false_positives_at(nothing, 0.5) == math.inf
    assert froc_curve(nothing).sensitivity.tolist() == [0.0]


def test_all_lesions_first_is_perfect() -> None:
    best = Findings(
        np.array([3.0, 2.0, 1.0]), np.array([True, True, False]), np.array([0, 1, 1]), np.array([1, 1]), np.arange(2)
    )
    assert cpm(best) == 1.0
    assert all(average_precision(best, name) == pytest.approx(1.0, abs=1e-15) for name in PRECISIONS)
    assert false_positives_at(best, 1.0) == 0.0


def test_without_a_lesion_nothing_is_defined() -> None:
    none = Findings(np.array([1.0]), np.array([False]), np.array([0]), np.array([0]), np.array([0]))
    for call in (
        lambda: cpm(none),
        lambda: average_precision(none, "none"),
        lambda: false_positives_at(none, 0.5),
        lambda: sensitivities_at(none, (1.0,), "steps"),
    ):
        with pytest.raises(ValueError, match="no case has a reference lesion"):
            call()
    assert np.isnan(froc_curve(none).sensitivity).all()
    assert froc_curve(none).false_positives_per_case.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        (np.ones((2, 3), dtype=int), "not counts of 30 patients"),
        (np.ones((2, 30)), "not counts of 30 patients"),
        (np.full((2, 30), -1), "negative"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights: NDArray[np.integer], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        cpm_of_weights(simulated(30, 0), weights)


def test_names_and_numbers_that_mean_nothing_are_refused() -> None:
    findings = simulated(5, 0)
    with pytest.raises(ValueError, match="0 or more"):
        sensitivities_at(findings, (-1.0,), "steps")
    with pytest.raises(ValueError, match="0 or more"):
        sensitivities_at(findings, (math.nan,), "steps")
    with pytest.raises(ValueError, match="joined by"):
        sensitivities_at(findings, (1.0,), "curves")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="called"):
        average_precision(findings, "trapezoid")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="above 0"):
        false_positives_at(findings, 0.0)


@pytest.mark.parametrize("cut", [-np.inf, 0.0, 1.2, np.inf])
def test_counts_at_a_cut_are_those_of_each_patient(cut: float) -> None:
    findings = simulated(20, 4, steps=2, a_patient=3)
    counts = counts_at(findings, cut)
    for patient in range(findings.patients):
        cases = np.flatnonzero(findings.clusters == patient)
        free = [case for case in cases if findings.lesions[case] == 0]
        found = [row for row in range(len(findings.scores)) if findings.scores[row] >= cut]
        of = [row for row in found if findings.case[row] in cases]
        assert counts.hits[patient] == sum(bool(findings.hit[row]) for row in of)
        assert counts.false_positives[patient] == sum(not findings.hit[row] for row in of)
        assert counts.lesions[patient] == findings.lesions[cases].sum()
        assert (counts.cases[patient], counts.cases_lesion_free[patient]) == (len(cases), len(free))
        assert counts.false_positives_lesion_free[patient] == sum(findings.case[row] in free for row in found)


def test_cases_are_joined_and_ignored_findings_left_out() -> None:
    joined = Findings.of_cases(
        [np.array([0.9, 0.4, 0.2]), np.empty(0), np.array([0.7])],
        [np.array([1, -2, -1]), np.empty(0, dtype=int), np.array([-1])],
        np.array([2, 1, 0]),
        np.array([0, 0, 1]),
    )
    assert joined.scores.tolist() == [0.9, 0.2, 0.7]
    assert joined.hit.tolist() == [True, False, False]
    assert joined.case.tolist() == [0, 0, 2]
    assert joined.patients == 2


@pytest.mark.parametrize("hits", [[0, 0], [0, 2], [-3, 0], [0]])
def test_cases_with_impossible_hits_are_refused(hits: list[int]) -> None:
    with pytest.raises(ValueError, match=r"hit twice|none of the"):
        Findings.of_cases([np.array([0.5, 0.4])], [np.array(hits)], np.array([2]), np.array([0]))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scores", np.array([np.nan, 1.0])),
        ("scores", np.array([1.0])),
        ("hit", np.array([1, 0])),
        ("hit", np.array([True, True])),
        ("case", np.array([0, 2])),
        ("case", np.array([-1, 0])),
        ("lesions", np.array([1.0, 0.0])),
        ("lesions", np.array([1])),
        ("clusters", np.array([-1, 0])),
    ],
)
def test_findings_that_do_not_fit_are_refused(field: str, value: NDArray[np.generic]) -> None:
    whole = {
        "scores": np.array([1.0, 2.0]),
        "hit": np.array([True, False]),
        "case": np.array([0, 0]),
        "lesions": np.array([1, 0]),
        "clusters": np.array([0, 1]),
    }
    Findings(**whole)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"do not fit|not those of cases|NaN|whole numbers|more hits"):
        Findings(**{**whole, field: value})  # type: ignore[arg-type]

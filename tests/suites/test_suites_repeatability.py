from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up_evidence import OPERATING_POINT, MadeUpCase, evidence_of, named, policy_of, requirement
from scipy.stats import chi2, t
from statsmodels.formula.api import ols
from statsmodels.stats.proportion import proportion_confint

from gatekeeper.evidence import Evidence, Reason
from gatekeeper.policy import Requirement
from gatekeeper.statistics import cluster_weights
from gatekeeper.suites import Measurement
from gatekeeper.suites.levels import ONE_BY_ONE, RERUN, in_format, plan
from gatekeeper.suites.repeatability import measure

DEVIATION = requirement("max_deviation", level="R0")
FLIPS = requirement("flip_rate", level="R4")
SPREAD = requirement("within_subject_sd", level="R4")


def repeated(scores: list[tuple[float, ...]], subjects_each: int = 1) -> list[MadeUpCase]:
    """Return one subject for each tuple, answered so often; some patients have several subjects."""
    return [
        MadeUpCase(score, 1, f"patient-{number // subjects_each:03}", f"s{number}-{repeat}", f"s{number}-0")
        for number, subject in enumerate(scores)
        for repeat, score in enumerate(subject)
    ]


def measured(item: object, evidence: Evidence) -> Measurement:
    return measure(item, policy_of({"it": item}), evidence, OPERATING_POINT)  # type: ignore[arg-type,dict-item]


def random_scores(seed: int, subjects: int) -> list[tuple[float, ...]]:
    random = np.random.default_rng(seed)
    centres = random.uniform(0.2, 0.8, size=subjects)
    return [tuple(np.clip(random.normal(c, 0.08, size=random.integers(2, 5)), 0.0, 1.0).tolist()) for c in centres]


def test_a_rerun_is_planned_when_a_requirement_asks_for_one() -> None:
    assert plan(policy_of({"rerun": DEVIATION})) == (RERUN,)
    assert plan(policy_of({"flips": FLIPS})) == ()
    assert RERUN.fresh_process


def test_flips_between_true_repeats_and_their_exact_limits() -> None:
    scores = [(0.9, 0.8)] * 17 + [(0.9, 0.1)] * 3 + [(0.9,)] * 5
    found = measured(FLIPS, evidence_of({"baseline": repeated(scores)}))
    assert (found.estimate, found.n, found.patients) == (3 / 20, 20, 20)
    assert found.limits == pytest.approx(proportion_confint(3, 20, method="beta"), abs=1e-11)


def test_subjects_of_one_row_are_left_out_of_every_denominator() -> None:
    scores = random_scores(1, 15)
    alone = [(0.3,), (0.9,), (0.5,)]
    for item in (FLIPS, SPREAD):
        with_them = measured(item, evidence_of({"baseline": repeated(scores + alone)}))
        assert with_them == measured(item, evidence_of({"baseline": repeated(scores)}))


def test_the_spread_is_that_of_an_analysis_of_variance() -> None:
    cases = repeated(random_scores(2, 20))
    frame = pd.DataFrame({"score": [case.score for case in cases], "subject": [case.subject for case in cases]})
    model = ols("score ~ C(subject)", frame).fit()
    found = measured(SPREAD, evidence_of({"baseline": cases}))
    assert found.estimate == pytest.approx(math.sqrt(model.mse_resid))


def test_the_spread_has_limits_no_nearer_than_chi_squared_ones() -> None:
    cases = repeated(random_scores(2, 20))
    found = measured(SPREAD, evidence_of({"baseline": cases}))
    freedom = len(cases) - 20
    low, high = (found.estimate * math.sqrt(freedom / chi2.ppf(share, freedom)) for share in (0.975, 0.025))
    assert found.limits is not None
    assert found.limits[0] <= low + 1e-12
    assert found.limits[1] >= high - 1e-12
    assert "chi-squared" in found.method


def test_subjects_that_do_not_scatter_alike_widen_the_limits_of_the_spread() -> None:
    """Scores near 0.5 scatter, the others hardly: chi-squared limits take no notice of it."""
    scores = [(0.4, 0.55 + 0.02 * n) for n in range(5)] + [(0.98, 0.981)] * 35
    found = measured(SPREAD, evidence_of({"baseline": repeated(scores)}))
    assert found.limits is not None
    assert found.limits[1] > 1.15 * found.estimate * math.sqrt(40 / chi2.ppf(0.025, 40))


def test_one_subject_that_moved_among_many_that_did_not_is_bounded_by_what_scores_can_be() -> None:
    scores = [(0.4, 0.6)] + [(0.9, 0.9)] * 99
    found = measured(SPREAD, evidence_of({"baseline": repeated(scores)}))
    # 0.02 of 0.5, the variance of scores at 0 and 1: 0.04 subjects of 100 who moved as far as can be.
    most = proportion_confint(0.04, 100, method="beta")[1]
    assert found.limits == pytest.approx((0.0, math.sqrt(0.5 * most)), abs=1e-9)


def test_a_worked_spread() -> None:
    # Differences 0.1 and 0.2 of two pairs: sqrt((0.01 + 0.04) / (2 x 2)).
    found = measured(SPREAD, evidence_of({"baseline": repeated([(0.4, 0.5), (0.6, 0.8)])}))
    assert found.estimate == pytest.approx(math.sqrt(0.05 / 4))


def test_patients_of_several_subjects_are_resampled() -> None:
    """The studentised bootstrap written out: sums of squares over degrees of freedom of redrawn patients."""
    scores = random_scores(3, 30)
    found = measured(SPREAD, evidence_of({"baseline": repeated(scores, subjects_each=2)}))
    squares = [float(np.var(subject) * len(subject)) for subject in scores]
    sums = np.array([squares[n] + squares[n + 1] for n in range(0, 30, 2)])
    freedom = np.array([len(scores[n]) + len(scores[n + 1]) - 2.0 for n in range(0, 30, 2)])
    variance = sums.sum() / freedom.sum()
    drawn = []
    for weight in cluster_weights(15).astype(int):
        taken = np.repeat(np.arange(15), weight)
        moved, total = sums[taken].sum() / freedom[taken].sum(), freedom[taken].sum()
        error = math.sqrt(15 / 14 * float(((sums[taken] - moved * freedom[taken]) ** 2).sum())) / total
        drawn.append((moved - variance) / error)
    added = (freedom.mean() * ((sums / freedom).max() - variance)) ** 2
    error = math.sqrt(15 / 14 * (float(((sums - variance * freedom) ** 2).sum()) + added)) / freedom.sum()
    upper = math.sqrt(variance + max(-np.quantile(drawn, 0.025, method="lower"), t.ppf(0.975, 14)) * error)
    alike = math.sqrt(variance * freedom.sum() / chi2.ppf(0.025, freedom.sum()))
    assert found.limits is not None
    assert found.limits[1] == pytest.approx(max(upper, alike))
    flips = measured(FLIPS, evidence_of({"baseline": repeated(scores, subjects_each=2)}))
    assert "effective trials" in flips.method


def test_few_patients_of_several_subjects_have_no_interval() -> None:
    for patients in (9, 10):
        found = measured(SPREAD, evidence_of({"baseline": repeated(random_scores(4, 2 * patients), subjects_each=2)}))
        assert found.estimate is not None
        assert (found.interval is None) == (patients < 10)
        assert found.reason is (Reason.TOO_FEW_CASES if patients < 10 else None)


def test_the_largest_deviation_on_a_rerun_takes_every_case() -> None:
    baseline = named([MadeUpCase(0.5, 1), MadeUpCase(0.25, 0), MadeUpCase(0.75, 1)])
    rerun = [baseline[0], replace(baseline[1], score=0.5), replace(baseline[2], score=0.625)]
    found = measured(DEVIATION, evidence_of({"baseline": baseline, RERUN.id: rerun}))
    assert (found.estimate, found.interval, found.n) == (0.25, None, 3)
    same = measured(DEVIATION, evidence_of({"baseline": baseline, RERUN.id: baseline}))
    assert same.estimate == 0.0


def test_a_rerun_that_was_not_made_is_said() -> None:
    evidence = evidence_of({"baseline": [MadeUpCase(0.5, 1)]})
    assert measured(DEVIATION, evidence).reason is Reason.CONDITION_NOT_RUN


@pytest.mark.parametrize("item", [FLIPS, SPREAD], ids=["flips", "spread"])
def test_a_test_set_without_repeats_is_said(item: object) -> None:
    evidence = evidence_of({"baseline": [MadeUpCase(0.5, 1), MadeUpCase(0.2, 0)]})
    found = measured(item, evidence)
    assert (found.estimate, found.reason) == (None, Reason.NO_REPEATS)


@pytest.mark.parametrize("subjects_each", [1, 2])
def test_no_spread_at_all_has_limits_of_nought_from_ten_patients_on(subjects_each: int) -> None:
    for patients in (9, 10):
        scores = [(0.1, 0.1, 0.1)] * (patients * subjects_each)
        found = measured(SPREAD, evidence_of({"baseline": repeated(scores, subjects_each)}))
        assert found.estimate == 0.0
        if patients < 10:
            assert (found.interval, found.reason) == (None, Reason.TOO_FEW_CASES)
        else:
            assert found.limits == (0.0, 0.0)
            assert "no score differs" in found.method


def test_patients_who_all_scatter_alike_still_get_an_interval_with_a_width() -> None:
    found = measured(SPREAD, evidence_of({"baseline": repeated([(0.25, 0.5)] * 24, subjects_each=2)}))
    assert found.limits is not None
    assert found.limits[0] < (found.estimate or 0.0) < found.limits[1]
    flips = measured(FLIPS, evidence_of({"baseline": repeated([(0.9, 0.9)] * 24, subjects_each=2)}))
    assert flips.limits == pytest.approx(proportion_confint(0, 12, method="beta"), abs=1e-11)


AGAIN = {
    "R0": (RERUN.id, {}),
    "R1": (ONE_BY_ONE.id, {}),
    "R2": ("numeric_format.bf16", {}),
    "R2 in fp16": ("numeric_format.fp16", {"numeric_format": "fp16"}),
}


def again(metric: str, name: str) -> Requirement:
    return requirement(metric, level=name[:2], **AGAIN[name][1])


def test_each_level_is_planned_once_whatever_the_number_of_requirements() -> None:
    names = [(metric, name) for name in AGAIN for metric in ("max_deviation", "flip_rate")]
    items = {f"item-{number}": again(*pair) for number, pair in enumerate(names)}
    conditions = plan(policy_of({**items, "true": FLIPS}))
    assert conditions == (RERUN, ONE_BY_ONE, in_format("bf16"), in_format("fp16"))
    assert (ONE_BY_ONE.batch_size, ONE_BY_ONE.reverse, ONE_BY_ONE.fresh_process) == (1, True, False)
    assert [condition.numeric_format for condition in conditions] == [None, None, "bf16", "fp16"]


@pytest.mark.parametrize("name", AGAIN)
def test_a_level_compares_the_baseline_with_its_own_condition_and_no_other(name: str) -> None:
    baseline = named([MadeUpCase(0.45 + 0.01 * number, number % 2) for number in range(12)])
    moved = [replace(case, score=case.score - 0.02) for case in baseline]
    others = {id_: baseline for other, (id_, _) in AGAIN.items() if other != name}
    evidence = evidence_of({"baseline": baseline, **others, AGAIN[name][0]: moved})
    deviation, flips, spread = (measured(again(metric, name), evidence) for metric in METRICS_AGAIN)
    assert deviation.estimate == pytest.approx(0.02)
    assert (flips.estimate, flips.n, flips.n_of) == (2 / 12, 12, "cases run twice")  # 0.50 and 0.51 fall below the cut
    assert spread.estimate == pytest.approx(0.02 / math.sqrt(2.0))
    absent = evidence_of({"baseline": baseline, **others})
    assert {measured(again(metric, name), absent).reason for metric in METRICS_AGAIN} == {Reason.CONDITION_NOT_RUN}


METRICS_AGAIN = ("max_deviation", "flip_rate", "within_subject_sd")


@pytest.mark.parametrize("lost_at", ["baseline", "numeric_format.bf16"])
def test_an_answer_that_one_of_both_runs_lacks_is_a_change_and_never_left_out(lost_at: str) -> None:
    """Numbers that overflow in a smaller format leave no answer: without them all the others would look the same."""
    whole = named([MadeUpCase(0.9, 1), MadeUpCase(0.2, 0)] * 10)
    lacking = [replace(case, answered=number != 3) for number, case in enumerate(whole)]
    runs = {"baseline": whole, "numeric_format.bf16": whole, lost_at: lacking}
    deviation, flips, spread = (measured(again(metric, "R2"), evidence_of(runs)) for metric in METRICS_AGAIN)
    assert deviation.estimate == 1.0
    assert (flips.estimate, flips.n) == (1 / 20, 20)
    assert spread.estimate == pytest.approx(math.sqrt(0.8**2 / 2 / 20))  # 0.2 counts as having gone to 1
    neither = {name: lacking for name in runs}
    assert [measured(again(metric, "R2"), evidence_of(neither)).n for metric in METRICS_AGAIN] == [19, 19, 19]


def test_runs_of_other_cases_are_an_error_and_no_comparison() -> None:
    evidence = evidence_of({"baseline": [MadeUpCase(0.5, 1)], RERUN.id: [MadeUpCase(0.5, 1, case="other")]})
    with pytest.raises(ValueError, match="other cases"):
        measured(DEVIATION, evidence)

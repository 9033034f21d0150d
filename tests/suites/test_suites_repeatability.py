from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up_evidence import OPERATING_POINT, MadeUpCase, evidence_of, named, policy_of, requirement
from scipy.stats import chi2
from statsmodels.formula.api import ols
from statsmodels.stats.proportion import proportion_confint

from gatekeeper.evidence import Evidence, Reason
from gatekeeper.statistics import cluster_weights
from gatekeeper.suites import Measurement
from gatekeeper.suites.repeatability import RERUN, measure, plan

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
    return measure(item, evidence, OPERATING_POINT)  # type: ignore[arg-type]


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


def test_the_spread_is_that_of_an_analysis_of_variance_with_chi_squared_limits() -> None:
    cases = repeated(random_scores(2, 20))
    frame = pd.DataFrame({"score": [case.score for case in cases], "subject": [case.subject for case in cases]})
    model = ols("score ~ C(subject)", frame).fit()
    found = measured(SPREAD, evidence_of({"baseline": cases}))
    assert found.estimate == pytest.approx(math.sqrt(model.mse_resid))
    freedom = int(model.df_resid)
    limits = [math.sqrt(freedom * model.mse_resid / chi2.ppf(share, freedom)) for share in (0.975, 0.025)]
    assert found.limits == pytest.approx(limits)


def test_a_worked_spread() -> None:
    # Differences 0.1 and 0.2 of two pairs: sqrt((0.01 + 0.04) / (2 x 2)).
    found = measured(SPREAD, evidence_of({"baseline": repeated([(0.4, 0.5), (0.6, 0.8)])}))
    assert found.estimate == pytest.approx(math.sqrt(0.05 / 4))


def test_patients_of_several_subjects_are_resampled() -> None:
    scores = random_scores(3, 30)
    found = measured(SPREAD, evidence_of({"baseline": repeated(scores, subjects_each=2)}))
    squares = [float(np.var(subject) * len(subject)) for subject in scores]
    per_patient = np.array([squares[n] + squares[n + 1] for n in range(0, 30, 2)])
    freedom = np.array([len(scores[n]) + len(scores[n + 1]) - 2 for n in range(0, 30, 2)])
    weights = cluster_weights(15).astype(np.float64)
    replicates = np.sqrt(weights @ per_patient / (weights @ freedom))
    assert found.limits == pytest.approx(np.quantile(replicates, [0.025, 0.975]))
    flips = measured(FLIPS, evidence_of({"baseline": repeated(scores, subjects_each=2)}))
    assert "effective trials" in flips.method


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

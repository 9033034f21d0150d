"""Levels of repeatability in few numbers, each against its formula by hand; all data made up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_up_evidence import CONTEXT, OPERATING_POINT, MadeUpCase, evidence_of, policy_of, requirement
from statsmodels.stats.proportion import proportion_confint

from gatekeeper.evidence import Evidence
from gatekeeper.policy import Policy
from gatekeeper.statistics.intraclass import intraclass_correlation
from gatekeeper.suites.levels import ONE_BY_ONE, RERUN
from gatekeeper.suites.repeat_summary import level_summaries

BENIGN = {"contour_translation": "0.3 mm", "contour_rotation": "1 degree"}
SHIFTED, TURNED = "benign.contour_translation", "benign.contour_rotation"


def policy_asking(*levels: str, **parts: object) -> Policy:
    items = {f"at_{level.lower()}": requirement("max_deviation", level=level) for level in levels}
    return policy_of(items, repeatability={"benign": BENIGN}, **parts)


def scored(runs: dict[str, np.ndarray]) -> Evidence:
    return evidence_of({name: [MadeUpCase(float(score), 1) for score in scores] for name, scores in runs.items()})


def made_up_scores(runs: int, cases: int = 30) -> np.ndarray:
    source = np.random.default_rng(2)
    return np.clip(source.uniform(0.2, 0.8, cases) + source.normal(0.0, 0.05, (runs, cases)), 0.01, 0.99)


def test_only_levels_that_were_asked_for_and_run_are_told() -> None:
    scores = made_up_scores(2)
    evidence = scored({"baseline": scores[0], RERUN.id: scores[1], ONE_BY_ONE.id: scores[0]})
    found = level_summaries(policy_asking("R0", "R3", "R1"), evidence, OPERATING_POINT)
    assert [(level.level, level.runs, level.structure) for level in found] == [("R0", 2, None), ("R1", 2, None)]
    assert level_summaries(policy_asking("R2"), evidence, OPERATING_POINT) == ()


def test_every_number_of_a_level_is_that_of_its_formula() -> None:
    scores = made_up_scores(3)
    evidence = scored({"baseline": scores[0], SHIFTED: scores[1], TURNED: scores[2]})
    (level,) = level_summaries(policy_asking("R3"), evidence, OPERATING_POINT)
    spread = math.sqrt(scores.var(axis=0, ddof=1).mean())
    assert (level.runs, level.n) == (3, 30)
    assert level.largest == pytest.approx(np.ptp(scores, axis=0).max())
    assert level.sd == pytest.approx(spread)
    assert level.coefficient == pytest.approx(1.96 * math.sqrt(2.0) * spread)
    assert level.cv == pytest.approx(math.sqrt((scores.var(axis=0, ddof=1) / scores.mean(axis=0) ** 2).mean()))
    assert level.icc == pytest.approx(intraclass_correlation(scores.T)[0])
    limits = []
    for other in scores[1:]:
        apart = scores[0] - other
        limits.append((apart.mean() - 1.96 * apart.std(ddof=1), apart.mean(), apart.mean() + 1.96 * apart.std(ddof=1)))
    widest = max(limits, key=lambda one: max(abs(one[0]), abs(one[2])))
    assert level.agreement == pytest.approx(widest)
    called = scores >= OPERATING_POINT
    flips = int((called.any(axis=0) & ~called.all(axis=0)).sum())
    assert level.flips is not None
    assert (level.flips.count, level.flips.n, len(level.flips.cases)) == (flips, 30, flips)
    assert level.flips.upper == pytest.approx(proportion_confint(flips, 30, method="beta")[1])
    assert level.dice is None


def test_true_repeats_are_told_without_being_asked_for() -> None:
    cases = [
        MadeUpCase(score, 1, f"p{number}", f"s{number}-{repeat}", f"s{number}-0")
        for number, subject in enumerate([(0.9, 0.4), (0.2, 0.3), (0.6, 0.7)])
        for repeat, score in enumerate(subject)
    ]
    (level,) = level_summaries(policy_asking("R0"), evidence_of({"baseline": cases}), OPERATING_POINT)
    assert (level.level, level.n, level.runs) == ("R4", 3, 2)
    assert level.flips is not None
    assert [case.case_id for case in level.flips.cases] == ["s0-0"]


def test_outlines_are_told_by_volume_and_by_dice_and_a_lost_one_has_none_in_common() -> None:
    cases = [MadeUpCase(0.5, 1) for _ in range(4)]
    lost = [*cases[:3], MadeUpCase(0.5, 1, answered=False)]
    table = evidence_of({"baseline": cases, RERUN.id: lost}).table
    columns = {name: table[name].to_pylist() for name in table.column_names}
    columns["score"] = [None] * 8
    volumes = [10.0, 12.0, 0.0, 9.0, 11.0, 12.0, 0.0, None]
    overlap = [None, None, None, None, 0.8, 1.0, 1.0, None]
    answers = {"measured.a.quantity": volumes, "measured.a.between_dice": overlap}
    context = {**CONTEXT, "task": "segmentation", "positive": None, "structures": ("a",)}
    policy = policy_asking("R0", context=context)
    (level,) = level_summaries(policy, Evidence.from_columns(columns, {}, answers), OPERATING_POINT)
    assert (level.structure, level.n, level.largest, level.flips) == ("a", 4, 9.0, None)
    assert level.cv is None  # a volume of 0 has no coefficient of variation
    assert level.dice == pytest.approx((2.8 / 4, 0.0))

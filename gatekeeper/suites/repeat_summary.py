"""Every level of repeatability that evidence holds, in few numbers: of scores, and of each structure's quantity."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gatekeeper.evidence import Condition, Evidence, Rows
from gatekeeper.metrics.repeatability import BETWEEN_DICE, within_subject_squares
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import Undecidable, clopper_pearson
from gatekeeper.statistics.bland_altman import bland_altman, differences
from gatekeeper.statistics.intraclass import intraclass_correlation
from gatekeeper.statistics.repeatability import repeatability_coefficient, within_subject_cv
from gatekeeper.suites.clusters import Clusters, Floats, proportion_interval
from gatekeeper.suites.quantities import QUANTITY, Repeated
from gatekeeper.suites.repeatability import FlippedCase, compared, flipped, was_run
from gatekeeper.suites.repeats import Repeats, runs_of

_CONFIDENCE = 0.95
_PREFIX, _SUFFIX = "measured.", f".{QUANTITY}"
_FEWEST_PAIRS = 3  # that have limits of agreement


@dataclass(frozen=True)
class Flips:
    """How many of n cases flipped, and the upper limit of the exact two-sided 95 % interval; None where it has none."""

    count: int
    n: int
    upper: float | None
    cases: tuple[FlippedCase, ...]


@dataclass(frozen=True)
class LevelSummary:
    """How steady scores, or the quantity of one ``structure``, are at a level; ``runs`` counts the baseline.

    ``sd``: within-subject SD; ``cv``: root mean square coefficient of variation, None about 0; ``coefficient``: 2.77
    SD; ``icc``: ICC(2,1), None where subjects do not differ. ``agreement``: limits of agreement and bias between them,
    of differences in the unit of the value, original or baseline less the other; of several others the pair whose
    limits reach farthest. ``largest`` is the largest difference of scores, or of the quantity. ``dice``: the mean and
    the least Dice of outlines with those of the baseline, 0 where one of both has no answer; None where images may have
    moved, and of true repeats.
    """

    level: str
    numeric_format: str | None
    structure: str | None
    runs: int
    n: int
    largest: float
    sd: float
    cv: float | None
    coefficient: float
    icc: float | None
    agreement: tuple[float, float, float] | None
    flips: Flips | None = None
    dice: tuple[float, float] | None = None


def level_summaries(policy: Policy, evidence: Evidence, operating_point: float) -> tuple[LevelSummary, ...]:
    """Return every level that a requirement asks for and the run tried, and true repeats where there are any."""
    items = {(item.level, item.compared_format): item for item in policy.requirements.values() if item.level}
    items.setdefault(("R4", None), _true_repeats())
    found: list[LevelSummary] = []
    for _, item in sorted(items.items(), key=lambda pair: (pair[0][0], pair[0][1] or "")):
        again = compared(item, policy, evidence, operating_point)
        if was_run(item, again, evidence):
            found += _of_level(item, policy, evidence, again, operating_point)
    return tuple(found)


def _true_repeats() -> Requirement:
    return Requirement.model_validate({"metric": "flip_rate", "level": "R4", "estimate": {"at_most": 0}})


def _of_level(
    item: Requirement, policy: Policy, evidence: Evidence, again: Sequence[Condition], operating_point: float
) -> Iterator[LevelSummary]:
    runs = runs_of(evidence, again)
    if not np.isnan(runs[0].score).all() and runs[0].findings is None:
        repeated = Repeated.of_runs(runs, None) if again else Repeated.of_scores(runs[0])
        if repeated is not None:
            several = Repeats.run_again(evidence, again, operating_point) if again else None
            repeats = several or Repeats.true(evidence, operating_point)
            flips = _flips(repeats, flipped(policy, evidence, operating_point, item))
            yield _summary(item, None, repeated, flips)
    columns = [name for name in runs[0].answers if name.startswith(_PREFIX) and name.endswith(_SUFFIX)]
    for column in columns:
        repeated = Repeated.of_runs(runs, column) if again else Repeated.of(runs[0], column)
        if repeated is not None:
            structure = column.removeprefix(_PREFIX).removesuffix(_SUFFIX)
            yield replace(_summary(item, structure, repeated, None), dice=_dice(runs, structure))


def _summary(item: Requirement, structure: str | None, repeated: Repeated, flips: Flips | None) -> LevelSummary:
    n, runs = repeated.values.shape
    squares, freedom = within_subject_squares(repeated.values.ravel(), np.repeat(np.arange(n), runs), n)
    sd = math.sqrt(float(squares.sum() / freedom.sum()))
    return LevelSummary(
        level=item.level or "",
        numeric_format=item.compared_format,
        structure=structure,
        runs=runs,
        n=n,
        largest=float(np.ptp(repeated.values, axis=1).max()),
        sd=sd,
        cv=_cv(repeated),
        coefficient=repeatability_coefficient(sd),
        icc=_icc(repeated.values),
        agreement=_agreement(repeated),
        flips=flips,
    )


def _cv(repeated: Repeated) -> float | None:
    n, runs = repeated.values.shape
    if not (repeated.values > 0.0).all():
        return None
    return within_subject_cv(repeated.values.ravel(), [str(row) for row in range(n) for _ in range(runs)]).value


def _icc(values: Floats) -> float | None:
    try:
        return intraclass_correlation(values)[0]
    except (Undecidable, ValueError):
        return None


def _agreement(repeated: Repeated) -> tuple[float, float, float] | None:
    if len(repeated.values) < _FEWEST_PAIRS:
        return None
    found = [bland_altman(differences(*pair.pair)) for pair in repeated.pairs]
    widest = max(found, key=lambda one: max(abs(one.lower), abs(one.upper)))
    return widest.lower, widest.bias, widest.upper


def _dice(runs: Sequence[Rows], structure: str) -> tuple[float, float] | None:
    column = f"{_PREFIX}{structure}.{BETWEEN_DICE}"
    found: list[Floats] = []
    for rows in runs[1:]:
        values = rows.answers.get(column)
        if values is None or np.isnan(values).all():
            return None
        either = runs[0].answered | rows.answered
        found.append(np.where(np.isfinite(values), values, 0.0)[either])
    return (float(np.mean(np.concatenate(found))), float(np.min(np.concatenate(found)))) if found else None


def _flips(repeats: Repeats, cases: tuple[FlippedCase, ...]) -> Flips:
    clusters, n = Clusters.of(repeats.patient), len(repeats.subjects)
    hits, trials = clusters.sums(repeats.flips), clusters.sums(np.ones(n))
    interval = proportion_interval(hits, trials, _CONFIDENCE, clopper_pearson)
    return Flips(int(hits.sum()), n, None if interval is None else interval.upper, cases)

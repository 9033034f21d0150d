"""What every simulation has in common: a way to draw test sets whose truth is known, and what is counted of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from made_up_evidence import requirement

from gatekeeper.evidence import Outcome, Rows
from gatekeeper.metrics import METRICS
from gatekeeper.policy import Requirement
from gatekeeper.suites import Measurement

COLUMNS = (
    "metric",
    "setting",
    "cases",
    "cases_each",  # of a patient
    "samples",
    "without_interval",  # of the samples
    "coverage",  # shares of the samples that have an interval
    "lower_limit_above",
    "upper_limit_below",
    "false_releases",  # share of all samples
)


@dataclass(frozen=True)
class Drawn:
    """One interval of one metric, its truth, and whether the gate would open at a threshold that is the truth."""

    metric: str
    measurement: Measurement
    truth: float
    item: Requirement

    @property
    def counted(self) -> tuple[int, int, int, int]:
        """Without an interval, lower limit above the truth, upper limit below it, released at the truth."""
        limits = self.measurement.limits
        if limits is None:
            return 1, 0, 0, 0
        end = "lower_limit" if self.item.spec.higher_is_better else "upper_limit"
        side = "at_least" if self.item.spec.higher_is_better else "at_most"
        at_truth = self.item.threshold.model_copy(
            update={"of": end, "at_least": None, "at_most": None, side: self.truth}
        )
        released = at_truth.outcome(self.measurement.rounded, limits) is Outcome.MET
        return 0, int(limits[0] > self.truth), int(limits[1] < self.truth), int(released)


class Study(Protocol):
    """A family of metrics in one setting."""

    family: str
    cases: int
    cases_each: int
    samples: int

    @property
    def setting(self) -> str:
        """The setting in words."""

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        """Draw a test set and measure on it; resampled metrics only while ``number`` is small."""


def simulate(study: Study, share: float) -> list[list[object]]:
    """Draw test sets and return a row of ``COLUMNS`` for each metric; ``share`` of the samples that the study asks."""
    source = np.random.default_rng([study.cases, study.cases_each, *study.family.encode(), *study.setting.encode()])
    counts: dict[str, list[int]] = {}
    for number in range(max(2, round(study.samples * share))):
        for drawn in study.draw(source, round(number / share)):
            counted = counts.setdefault(drawn.metric, [0] * 5)
            for place, value in enumerate((1, *drawn.counted)):
                counted[place] += value
    return [_row(study, metric, counted) for metric, counted in counts.items()]


def _row(study: Study, metric: str, counted: list[int]) -> list[object]:
    samples, without, low, high, released = counted
    decided = max(1, samples - without)
    shares = (1.0 - (low + high) / decided, low / decided, high / decided, released / samples)
    return [metric, study.setting, study.cases, study.cases_each, samples, without, *(round(x, 4) for x in shares)]


def item_of(metric: str, **options: object) -> Requirement:
    """Return a requirement on a metric, with a threshold on the side that it takes."""
    spec = METRICS.get(metric)
    unit = {"mm": "1 mm", "s": "1 s", "mL": "1 mL"}.get(spec.unit, min(1.0, spec.highest))
    end = {"lower_limit": {"at_least": unit}} if spec.higher_is_better else {"upper_limit": {"at_most": unit}}
    return requirement(metric, **end, **options)


def rows_with(cases: int, cases_each: int, label: np.ndarray, score: np.ndarray, **more: object) -> Rows:
    """Return rows of so many cases of patients with so many each; nothing is repeated, and all are answered."""
    names = np.array([f"case-{number:05}" for number in range(cases)], dtype=object)
    patients = np.array([f"patient-{number // cases_each:05}" for number in range(cases)], dtype=object)
    return Rows(
        names,
        patients,
        names,
        label.astype(np.int8),
        score,
        np.full(cases, math.nan),
        np.ones(cases, dtype=np.bool_),
        np.full(cases, -1, dtype=np.int8),
        {},
        **more,  # type: ignore[arg-type]
    )

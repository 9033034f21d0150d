"""Quantities of subjects measured twice: normal, the scatter in proportion to the value or the same for all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from binormal import expectation
from study import Drawn, item_of, rows_with

from gatekeeper.evidence import Rows
from gatekeeper.statistics.repeatability import TWO_REPEATS
from gatekeeper.statistics.reproducibility import reproducibility_coefficient
from gatekeeper.suites import Measurement
from gatekeeper.suites.quantities import measure

MODEL = (
    "Subjects of mean 60 and SD 12 (normal), each measured twice: with a scatter of 5 % of the value, or of 3 whatever "
    "the value. Methods for what is given in the unit of the quantity take the scatter to be the same for all: what "
    "happens where it is not is shown too. One subject a patient, or three, which share half of the variance between "
    "subjects and scatter alike (variance halved or half as much again). For bias, the second measurement is 2 higher. "
    "Reproducibility: six conditions that differ by an SD of 2, three repeats. Truths follow from the model."
)
MEASURED_WITH = (
    "gatekeeper.suites.quantities.measure; for reproducibility_coefficient "
    "gatekeeper.statistics.reproducibility.reproducibility_coefficient"
)
MEAN, SPREAD, CV, SD, SHIFT = 60.0, 12.0, 0.05, 3.0, 2.0
BETWEEN, CONDITIONS, REPEATS = 2.0, 6, 3
FACTORS = np.array([0.5, 1.5])  # of the variance within subjects, by patient where one has several
RELATIVE = (
    "within_subject_cv",
    "repeatability_coefficient",
    "repeatability_coefficient_absolute",
    "limits_of_agreement",
    "rescan_difference",
    "icc",
    "concordance_correlation",
)
ABSOLUTE = ("repeatability_coefficient_absolute", "icc", "concordance_correlation", "bias")


@dataclass(frozen=True)
class Repeats:
    """Subjects with two measurements each."""

    cases: int
    cases_each: int
    relative: bool
    family: str = "repeated quantities"

    @property
    def samples(self) -> int:
        """Return how many test sets are drawn; fewer where patients are resampled."""
        return 2000 if self.cases_each == 1 else 600

    @property
    def setting(self) -> str:
        """Return the setting in words."""
        return f"scatter of {CV:.0%} of the value" if self.relative else f"scatter of {SD:g}, whatever the value"

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        """Draw a test set and measure every metric on it."""
        values = _values(source, self.cases, self.cases_each, self.relative)
        shifted = values + np.array([0.0, SHIFT])
        for name in RELATIVE if self.relative else ABSOLUTE:
            if name == "limits_of_agreement" and self.cases_each > 1:
                continue  # of one subject of a patient at a time, as its definition says
            item = item_of(name, level="R4")
            rows = _rows(shifted if name == "bias" else values, self.cases_each)
            yield Drawn(
                name, measure(item, [rows], "subjects with repeats", scores=False), truths(self.relative)[name], item
            )
        if self.cases_each == 1 and not self.relative:
            yield _reproduced(source, self.cases)


def _values(source: np.random.Generator, subjects: int, each: int, relative: bool) -> np.ndarray:
    patient = np.arange(subjects) // each
    alike = 0.0 if each == 1 else 0.5
    factor = np.ones(subjects) if each == 1 else np.sqrt(source.choice(FACTORS, subjects))[patient]
    true = math.sqrt(alike) * source.normal(size=subjects)[patient]
    true = MEAN + SPREAD * (true + math.sqrt(1.0 - alike) * source.normal(size=subjects))
    noise = factor[:, None] * source.normal(size=(subjects, 2))
    true = true.clip(5.0)[:, None]  # one in 400,000 is below
    return np.asarray(true * (1.0 + CV * noise) if relative else true + SD * noise)


def _rows(values: np.ndarray, each: int) -> Rows:
    """Return rows of the first measurements, then of the second."""
    subjects = len(values)
    once = rows_with(subjects, each, np.ones(subjects), np.full(subjects, 0.5))
    again = np.array([f"{name}-again" for name in once.case], dtype=object)
    return Rows(
        np.concatenate([once.case, again]),
        np.tile(once.patient, 2),
        np.tile(once.subject, 2),
        np.tile(once.label, 2),
        np.tile(once.score, 2),
        np.tile(once.seconds, 2),
        np.tile(once.answered, 2),
        np.tile(once.failed_as, 2),
        {},
        answers={"measured.organ.quantity": values.T.ravel()},
    )


def _reproduced(source: np.random.Generator, subjects: int) -> Drawn:
    condition = BETWEEN * source.normal(size=(1, CONDITIONS, 1))
    true = source.normal(MEAN, SPREAD, (subjects, 1, 1))
    found = reproducibility_coefficient(true + condition + SD * source.normal(size=(subjects, CONDITIONS, REPEATS)))
    item = item_of("reproducibility_coefficient", level="R4")
    measurement = Measurement(found.value, found.interval, found.interval.method, subjects, "subjects", subjects)
    return Drawn(item.metric, measurement, TWO_REPEATS * math.hypot(BETWEEN, SD), item)


@cache
def truths(relative: bool) -> dict[str, float]:
    """Return the truths; the variance within subjects is the mean of what patients have."""
    within = CV**2 * (MEAN**2 + SPREAD**2) if relative else SD**2
    reliability = SPREAD**2 / (SPREAD**2 + within)
    found = {
        "repeatability_coefficient_absolute": TWO_REPEATS * math.sqrt(within),
        "icc": reliability,
        "concordance_correlation": reliability,
        "bias": SHIFT,
    }
    if relative:
        # the difference and the mean of two repeats are independent
        squared, once = (_of_mean(lambda mean, power=power: mean**-power) for power in (2, 1))
        wcv = CV * math.sqrt(squared)
        found |= {
            "within_subject_cv": wcv,
            "repeatability_coefficient": TWO_REPEATS * wcv,
            "limits_of_agreement": 1.96 * math.sqrt(2.0) * wcv,
            "rescan_difference": CV * math.sqrt(2.0) * math.sqrt(2.0 / math.pi) * once,
        }
    return found


def _of_mean(function: object) -> float:
    """Return the mean of a function of the mean of two repeats, as a multiple of the true value."""
    return expectation(lambda drawn: function(1.0 + CV * drawn / math.sqrt(2.0)))  # type: ignore[operator]


def studies() -> Iterator[Repeats]:
    """Return every setting."""
    for relative in (True, False):
        for cases, each in ((35, 1), (100, 1), (300, 1), (1000, 1), (300, 3), (999, 3)):
            yield Repeats(cases, each, relative)

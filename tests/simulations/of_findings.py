"""Findings against lesions: normal scores, harder in some patients; false positives cluster in patients."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from binormal import expectation
from scipy.optimize import brentq
from scipy.special import ndtr
from study import Drawn, item_of, rows_with

from gatekeeper.evidence import Rows
from gatekeeper.evidence.table import CaseFindings
from gatekeeper.policy import Requirement
from gatekeeper.statistics.froc import CPM_RATES
from gatekeeper.suites.lesions import measure

MODEL = (
    "One lesion a case on average (Poisson), 85 or 97 % of them marked, one false mark a case on average; patients "
    "differ in how hard their lesions are and in how many false marks they have; one case a patient or three. Truths "
    "follow from the model."
)
MEASURED_WITH = "gatekeeper.suites.lesions.measure"
HIT, HARD, FALSE = 1.8, 0.5, -0.5  # latent score of a hit, its SD between patients, latent score of a false mark
RATE, SENSITIVITY = 0.5, 0.8
ITEMS: dict[str, Requirement] = {
    "lesion_detection_rate": item_of("lesion_detection_rate"),
    "finding_precision": item_of("finding_precision"),
    "false_positives_per_case": item_of("false_positives_per_case"),
    "froc_score": item_of("froc_score"),
    "sensitivity_at_fppi 0.5": item_of("sensitivity_at_fppi", at_false_positives_per_case=RATE),
    "false_positives_per_case_at_sensitivity 80 %": item_of(
        "false_positives_per_case_at_sensitivity", at_sensitivity=SENSITIVITY
    ),
    "detection_average_precision": item_of("detection_average_precision"),
}


@dataclass(frozen=True)
class Lesions:
    """Cases with no lesion to several; this share of the lesions is marked at all."""

    cases: int
    cases_each: int
    found: float
    family: str = "findings and lesions"

    @property
    def samples(self) -> int:
        """Return how many test sets are drawn."""
        return 800 if self.cases < 900 else 400

    @property
    def setting(self) -> str:
        """Return the setting in words."""
        return f"{self.found:.0%} of lesions marked"

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        """Draw a test set and measure every metric on it."""
        rows = drawn_rows(source, self.cases, self.cases_each, self.found)
        for name, item in ITEMS.items():
            yield Drawn(name, measure(item, rows, 0.5), truths(self.found)[name], item)


def drawn_rows(source: np.random.Generator, cases: int, each: int, found: float) -> Rows:
    """Draw a test set."""
    patients = -(-cases // each)
    hard, many = source.normal(0.0, HARD, patients), source.gamma(2.0, 0.5, patients)
    lesions = source.poisson(1.0, cases)
    scores, hits = np.empty(cases, dtype=object), np.empty(cases, dtype=object)
    for case in range(cases):
        patient = case // each
        struck = np.flatnonzero(source.random(lesions[case]) < found)
        falses = int(source.poisson(many[patient]))
        latent = np.concatenate(
            [HIT + hard[patient] + source.normal(size=len(struck)), source.normal(size=falses) + FALSE]
        )
        scores[case] = 1.0 / (1.0 + np.exp(-latent))
        hits[case] = np.concatenate([struck, np.full(falses, -1)]).astype(np.int64)
    label = (lesions > 0).astype(np.int8)
    findings = CaseFindings(scores, hits, lesions.astype(np.int64))
    return rows_with(cases, each, label, np.full(cases, 0.5), findings=findings)


@cache
def truths(found: float) -> dict[str, float]:
    """Return the truths; with one lesion and one false mark a case, both shares are numbers a case as well."""
    spread = math.hypot(1.0, HARD)

    def hits(cut: float) -> float:
        return found * float(ndtr((HIT - cut) / spread))

    def falses(cut: float) -> float:
        return float(ndtr(FALSE - cut))

    def at_rate(rate: float) -> float:
        return found if rate >= 1.0 else hits(float(brentq(lambda cut: falses(cut) - rate, -9.0, 9.0, xtol=1e-12)))

    def precision_at_hit(place: np.ndarray) -> np.ndarray:
        cuts = HIT + spread * place
        right = found * ndtr(-place)
        return np.asarray(right / (right + ndtr(FALSE - cuts)))

    reached = float(brentq(lambda cut: hits(cut) - SENSITIVITY, -9.0, 9.0, xtol=1e-12))
    rates = dict(zip(CPM_RATES, map(at_rate, CPM_RATES), strict=True))
    return {
        "lesion_detection_rate": hits(0.0),
        "finding_precision": hits(0.0) / (hits(0.0) + falses(0.0)),
        "false_positives_per_case": falses(0.0),
        "froc_score": sum(rates.values()) / len(rates),
        "sensitivity_at_fppi 0.5": at_rate(RATE),
        "false_positives_per_case_at_sensitivity 80 %": falses(reached),
        "detection_average_precision": found * expectation(precision_at_hit),
    }


def studies() -> Iterator[Lesions]:
    """Return every setting."""
    for found, (cases, each) in itertools.product((0.85, 0.97), ((100, 1), (300, 1), (300, 3), (1000, 1), (999, 3))):
        yield Lesions(cases, each, found)

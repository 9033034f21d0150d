"""Scores of two classes: binormal, with one part of the latent score that all cases of a patient share."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from scipy.special import ndtr, ndtri
from study import Drawn, item_of, rows_with

from gatekeeper.evidence import Rows
from gatekeeper.metrics import METRICS, at_rates
from gatekeeper.policy import Requirement
from gatekeeper.statistics import called_share_at, npv_at, ppv_at
from gatekeeper.suites.performance import estimate, measure
from gatekeeper.suites.subjects import Subjects

PREVALENCE = 0.1
OTHER_RATE = 0.9
RESAMPLED_SAMPLES = 300
LARGE = 400_000

COUNTED: dict[str, Requirement] = {
    **{name: item_of(name) for name in ("sensitivity", "specificity", "precision", "npv", "accuracy")},
    **{name: item_of(name) for name in ("balanced_accuracy", "youden", "f1", "matthews_correlation", "kappa")},
    **{name: item_of(name) for name in ("positive_likelihood_ratio", "negative_likelihood_ratio", "detection_rate")},
    "precision at a prevalence": item_of("precision", at_prevalence=PREVALENCE),
    "npv at a prevalence": item_of("npv", at_prevalence=PREVALENCE),
    "abnormal_interpretation_rate at a prevalence": item_of("abnormal_interpretation_rate", at_prevalence=PREVALENCE),
    "detection_rate at a prevalence": item_of("detection_rate", at_prevalence=PREVALENCE),
    "f_beta (2)": item_of("f_beta", beta=2),
    "net_benefit at 10 %": item_of("net_benefit", at_threshold_probability=0.1),
    "expected_cost (5)": item_of("expected_cost", miss_cost=5),
    "number_needed_to_predict at a prevalence": item_of("number_needed_to_predict", at_prevalence=PREVALENCE),
}
RANKED: dict[str, Requirement] = {
    "auroc": item_of("auroc"),
    "sensitivity at a specificity": item_of("sensitivity", at_specificity=OTHER_RATE),
    "specificity at a sensitivity": item_of("specificity", at_sensitivity=OTHER_RATE),
    **{name: item_of(name) for name in ("brier_score", "log_score", "calibration_intercept_deviation")},
    "calibration_slope_deviation": item_of("calibration_slope_deviation"),
}
RESAMPLED: dict[str, Requirement] = {
    "average_precision": item_of("average_precision"),
    "partial_auroc up to 20 %": item_of("partial_auroc", up_to_false_positive_rate=0.2),
    "sensitivity_at_precision 70 %": item_of("sensitivity_at_precision", at_precision=0.7),
    "precision_at_sensitivity 80 %": item_of("precision_at_sensitivity", at_sensitivity=0.8),
    "expected_calibration_error": item_of("expected_calibration_error"),
    "maximum_calibration_error (5 bins)": item_of("maximum_calibration_error", bins=5),
}


@dataclass(frozen=True)
class Scores:
    """One way to draw a test set: cases, cases a patient, share of positives, and the true rates at 0.5."""

    cases: int
    cases_each: int
    positives: float
    sensitivity: float
    specificity: float
    samples: int = 2000
    family: str = "scores of two classes"

    @property
    def setting(self) -> str:
        return f"{self.positives:.0%} positive, Se {self.sensitivity:g}, Sp {self.specificity:g}"

    @property
    def rates(self) -> tuple[float, float, float]:
        return self.sensitivity, self.specificity, self.positives

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        rows = drawn_rows(source, self.cases, self.cases_each, *self.rates)
        for name, item in {**COUNTED, **RANKED}.items():
            yield Drawn(name, measure(item, rows, 0.5), truth_of(name, *self.rates), item)
        if number < RESAMPLED_SAMPLES and self.sensitivity < 0.95:
            for name, item in RESAMPLED.items():
                yield Drawn(name, measure(item, rows, 0.5), truth_of(name, *self.rates), item)


def drawn_rows(
    source: np.random.Generator, cases: int, each: int, sensitivity: float, specificity: float, positives: float
) -> Rows:
    """Draw a test set; scores are nearly calibrated at a share of one half."""
    patient, alike = np.arange(cases) // each, 0.0 if each == 1 else 0.6
    label = (source.random(cases) < positives).astype(np.int8)
    own, shared = source.normal(size=cases), source.normal(size=cases)[patient]
    shift = float(ndtri(sensitivity) + ndtri(specificity))
    latent = math.sqrt(alike) * shared + math.sqrt(1.0 - alike) * own + shift * label - float(ndtri(specificity))
    return rows_with(cases, each, label, 1.0 / (1.0 + np.exp(-1.5 * latent)))


@cache
def truth_of(name: str, sensitivity: float, specificity: float, share: float) -> float:
    """Return the truth: by formula where there is one, else on 400,000 cases."""
    rates = sensitivity, specificity
    item = {**COUNTED, **RANKED, **RESAMPLED}[name]
    if name == "auroc":
        return float(ndtr((ndtri(sensitivity) + ndtri(specificity)) / math.sqrt(2.0)))
    if item.other_rate == OTHER_RATE:
        return float(ndtr(ndtri(sensitivity) + ndtri(specificity) - ndtri(OTHER_RATE)))
    if name not in COUNTED:
        return _on_many(name, sensitivity, specificity, share)
    if item.prevalence is not None and item.metric in ("precision", "npv", "abnormal_interpretation_rate"):
        formula = {"precision": ppv_at, "npv": npv_at}.get(item.metric, called_share_at)
        return float(formula(*rates, PREVALENCE))
    table = at_rates(*rates, PREVALENCE if item.prevalence is not None else share)
    spec = METRICS.get(item.metric)
    if spec.proportion is not None:
        return float(spec.proportion(table).value)
    if spec.of_table is None:
        raise ValueError(name)
    return float(spec.of_table(table, **item.parameters))


def _on_many(name: str, sensitivity: float, specificity: float, share: float) -> float:
    rows = _many(sensitivity, specificity, share)
    return estimate({**RANKED, **RESAMPLED}[name], Subjects.of(rows, 0.5))


@lru_cache(maxsize=2)
def _many(sensitivity: float, specificity: float, share: float) -> Rows:
    return drawn_rows(np.random.default_rng(2026), LARGE, 1, sensitivity, specificity, share)


def studies() -> Iterator[Scores]:
    """Return every setting: sizes, one or three cases a patient, shares of positives, and three pairs of rates."""
    rates = ((0.9, 0.9), (0.8, 0.97), (0.97, 0.8))
    for positives, pair, cases, each in itertools.product((0.5, 0.2), rates, (100, 300, 1000), (1, 3)):
        yield Scores(cases, each, positives, *pair)

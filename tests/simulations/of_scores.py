"""Scores of two classes: binormal, with one part of the latent score that all cases of a patient share."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from binormal import Binormal, score_of
from study import Drawn, item_of, rows_with

from gatekeeper.evidence import Rows
from gatekeeper.metrics import METRICS, at_rates
from gatekeeper.policy import Requirement
from gatekeeper.statistics import called_share_at, npv_at, ppv_at
from gatekeeper.suites.performance import measure

MODEL = (
    "Binormal scores, 20 or 50 % positive, three pairs of true sensitivity (Se) and specificity (Sp); one case a "
    "patient, or three that share 60 % of the variance of the score. The operating point is fixed beforehand. Truths "
    "follow from the model by formula or quadrature. Imageability: 95 % of cases are answered. Metrics whose intervals "
    "resample patients are simulated on fewer samples and settings."
)
MEASURED_WITH = "gatekeeper.suites.performance.measure"
PREVALENCE = 0.1
OTHER_RATE = 0.9
ANSWERED = 0.95
BINS = 15  # of the expected calibration error, by default

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
    "average_precision": item_of("average_precision"),
    "partial_auroc up to 20 %": item_of("partial_auroc", up_to_false_positive_rate=0.2),
}
RESAMPLED: dict[str, Requirement] = {
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
        """Return the setting in words."""
        return f"{self.positives:.0%} positive, Se {self.sensitivity:g}, Sp {self.specificity:g}"

    @property
    def rates(self) -> tuple[float, float, float]:
        """Return sensitivity, specificity and the share of positives."""
        return self.sensitivity, self.specificity, self.positives

    def _answered(self, source: np.random.Generator) -> np.ndarray:
        """Draw which cases are answered; cases of a patient share the fate of the first with an even chance."""
        own, patient = source.random(self.cases), np.arange(self.cases) // self.cases_each
        alike = source.random(self.cases) < 0.5
        return np.asarray(np.where(alike, own[patient * self.cases_each], own) < ANSWERED)

    @property
    def resampled_samples(self) -> int:
        """Return how many samples metrics with a bootstrap inside are measured on; 0 in most settings."""
        if self.rates not in ((0.9, 0.9, 0.5), (0.9, 0.9, 0.2), (0.8, 0.97, 0.2)):
            return 0
        return 1000 if self.cases < 1000 else 400

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        """Draw a test set and measure every metric on it."""
        rows = drawn_rows(source, self.cases, self.cases_each, *self.rates)
        for name, item in {**COUNTED, **RANKED}.items():
            yield Drawn(name, measure(item, rows, 0.5), truth_of(name, *self.rates), item)
        answered = dataclasses.replace(rows, answered=self._answered(source))
        item = item_of("imageability")
        yield Drawn("imageability", measure(item, answered, 0.5), ANSWERED, item)
        if number < self.resampled_samples:
            for name, item in RESAMPLED.items():
                yield Drawn(name, measure(item, rows, 0.5), truth_of(name, *self.rates), item)


def drawn_rows(
    source: np.random.Generator, cases: int, each: int, sensitivity: float, specificity: float, positives: float
) -> Rows:
    """Draw a test set; scores are nearly calibrated at a share of one half."""
    patient, alike = np.arange(cases) // each, 0.0 if each == 1 else 0.6
    label = (source.random(cases) < positives).astype(np.int8)
    own, shared = source.normal(size=cases), source.normal(size=cases)[patient]
    negative, positive = Binormal(sensitivity, specificity, positives).means
    latent = math.sqrt(alike) * shared + math.sqrt(1.0 - alike) * own + np.where(label == 1, positive, negative)
    return rows_with(cases, each, label, score_of(latent))


@cache
def truth_of(name: str, sensitivity: float, specificity: float, share: float) -> float:
    """Return the truth."""
    rates = sensitivity, specificity
    if name not in COUNTED:
        return _of_scores(name, Binormal(*rates, share))
    item = COUNTED[name]
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


def _of_scores(name: str, model: Binormal) -> float:
    item = {**RANKED, **RESAMPLED}[name]
    if item.metric in ("sensitivity", "specificity"):
        return model.rate_at(OTHER_RATE)
    if item.metric in ("precision_at_sensitivity", "sensitivity_at_precision"):
        return float(getattr(model, item.metric)(item.other_rate))
    if item.metric == "partial_auroc":
        return model.partial_auroc(item.most_false_positives)
    if item.metric in ("expected_calibration_error", "maximum_calibration_error"):
        return model.calibration_errors(item.bins or BINS)[item.metric == "maximum_calibration_error"]
    return float(getattr(model, item.metric)())


def studies() -> Iterator[Scores]:
    """Return every setting: sizes, one or three cases a patient, shares of positives, and three pairs of rates."""
    rates = ((0.9, 0.9), (0.8, 0.97), (0.97, 0.8))
    for positives, pair, cases, each in itertools.product((0.5, 0.2), rates, (100, 300, 1000), (1, 3)):
        yield Scores(cases, each, positives, *pair)

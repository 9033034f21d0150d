"""Findings against lesions: normal scores, harder in some patients; false positives cluster in patients."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from study import Drawn, item_of, rows_with

from gatekeeper.evidence import Rows
from gatekeeper.evidence.table import CaseFindings
from gatekeeper.policy import Requirement
from gatekeeper.suites.lesions import measure

LARGE = 40_000
ITEMS: dict[str, Requirement] = {
    "lesion_detection_rate": item_of("lesion_detection_rate"),
    "finding_precision": item_of("finding_precision"),
    "false_positives_per_case": item_of("false_positives_per_case"),
    "froc_score": item_of("froc_score"),
    "sensitivity_at_fppi 1": item_of("sensitivity_at_fppi", at_false_positives_per_case=1),
    "detection_average_precision": item_of("detection_average_precision"),
}


@dataclass(frozen=True)
class Lesions:
    """Cases with no lesion to several, lesions found at this share at most."""

    cases: int
    cases_each: int
    found: float
    samples: int = 300
    family: str = "findings and lesions"

    @property
    def setting(self) -> str:
        return f"one lesion a case on average, {self.found:.0%} of them marked, one false mark a case"

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        rows = _rows(source, self.cases, self.cases_each, self.found)
        for name, item in ITEMS.items():
            yield Drawn(name, measure(item, rows, 0.5), truths(self.found, self.cases_each)[name], item)


def _rows(source: np.random.Generator, cases: int, each: int, found: float) -> Rows:
    patients = -(-cases // each)
    hard, many = source.normal(0.0, 0.5, patients), source.gamma(2.0, 0.5, patients)
    lesions = source.poisson(1.0, cases)
    scores, hits = np.empty(cases, dtype=object), np.empty(cases, dtype=object)
    for case in range(cases):
        patient = case // each
        struck = np.flatnonzero(source.random(lesions[case]) < found)
        falses = int(source.poisson(many[patient]))
        latent = np.concatenate(
            [1.8 + hard[patient] + source.normal(size=len(struck)), source.normal(0.0, 1.0, falses) - 0.5]
        )
        scores[case] = 1.0 / (1.0 + np.exp(-latent))
        hits[case] = np.concatenate([struck, np.full(falses, -1)]).astype(np.int64)
    label = (lesions > 0).astype(np.int8)
    findings = CaseFindings(scores, hits, lesions.astype(np.int64))
    return rows_with(cases, each, label, np.full(cases, 0.5), findings=findings)


@cache
def truths(found: float, each: int) -> dict[str, float]:
    """Return the values on 40,000 cases."""
    rows = _rows(np.random.default_rng(2026), LARGE, each, found)
    return {name: float(measure(item, rows, 0.5).estimate or 0.0) for name, item in ITEMS.items()}


def studies() -> Iterator[Lesions]:
    """Return every setting."""
    for found, patients, each in itertools.product((0.85, 0.97), (100, 300), (1, 3)):
        yield Lesions(patients * each, each, found)

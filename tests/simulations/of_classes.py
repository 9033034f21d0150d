"""Several classes: normal scores of each class, highest for the true one, part of them shared within a patient."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from binormal import expectation
from scipy.special import ndtr
from scipy.stats import rankdata
from study import Drawn, item_of, rows_with

from gatekeeper.evidence import Rows
from gatekeeper.suites.classes import AREAS, SHARES, TABLES
from gatekeeper.suites.performance import measure

MODEL = (
    "Three classes of 50, 30 and 20 %; one case a patient, or three that share half of the variance of their scores. "
    "Truths follow from the model; those of areas under curves were computed on 2,000,000 cases, which leaves them an "
    "error of at most 3 % of the standard error of 1,000 cases."
)
MEASURED_WITH = "gatekeeper.suites.performance.measure"
FREQUENCIES = np.array([0.5, 0.3, 0.2])
SHIFT = 2.2
LARGE = 2_000_000


@dataclass(frozen=True)
class Classes:
    """Three classes, ordered, of unlike frequency."""

    cases: int
    cases_each: int
    samples: int = 2000
    family: str = "several classes"

    @property
    def setting(self) -> str:
        """Return the setting in words."""
        return "classes of 50, 30 and 20 %"

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        """Draw a test set and measure every metric on it."""
        rows = _rows(source, self.cases, self.cases_each)
        for name in (*TABLES, *AREAS):
            item = item_of(name)
            yield Drawn(name, measure(item, rows, 0.5), truths()[name], item)
        for name in SHARES:
            item = item_of(name, of_class="c2")
            yield Drawn(name, measure(item, rows, 0.5), truths()[name], item)


def _drawn(source: np.random.Generator, cases: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    label = source.choice(3, cases, p=FREQUENCIES)
    alike = 0.0 if each == 1 else 0.5
    shared = source.normal(size=(cases, 3))[np.arange(cases) // each]
    scores = math.sqrt(alike) * shared + math.sqrt(1.0 - alike) * source.normal(size=(cases, 3))
    scores += SHIFT * np.eye(3)[label]
    scores = np.exp(SHIFT * scores)
    return scores / scores.sum(axis=1, keepdims=True), label


def _rows(source: np.random.Generator, cases: int, each: int) -> Rows:
    scores, label = _drawn(source, cases, each)
    answers = {f"probability.c{number}": scores[:, number] for number in range(3)}
    return rows_with(cases, each, label, np.full(cases, 0.5), answers=answers)


def table() -> np.ndarray:
    """Return the share of cases of each class (rows) that is called each class (columns)."""
    right = expectation(lambda own: ndtr(own + SHIFT) ** 2)
    calls = np.full((3, 3), (1.0 - right) / 2.0)
    np.fill_diagonal(calls, right)
    return np.asarray(FREQUENCIES[:, None] * calls)


@cache
def truths() -> dict[str, float]:
    """Return the truths."""
    counts = table()
    right, cases, calls = counts[2, 2], counts[2].sum(), counts[:, 2].sum()
    cleared = 1.0 - cases - calls + right
    return {
        **{name: float(formula(counts)) for name, formula in TABLES.items()},
        **dict(zip(AREAS, _areas(), strict=True)),
        "class_sensitivity": right / cases,
        "class_precision": right / calls,
        "class_specificity": cleared / (1.0 - cases),
        "class_npv": cleared / (1.0 - calls),
    }


def _areas() -> tuple[float, float]:
    """Return the mean area of one class against the rest, and that of all pairs of classes (Hand & Till)."""
    scores, label = _drawn(np.random.default_rng(2026), LARGE, 1)
    against_rest = [_area(scores[:, own], label == own) for own in range(3)]
    pairs = []
    for own in range(3):
        for other in range(3):
            if own != other:
                two = (label == own) | (label == other)
                pairs.append(_area(scores[two, own], label[two] == own))
    return float(np.mean(against_rest)), float(np.mean(pairs))


def _area(scores: np.ndarray, positive: np.ndarray) -> float:
    cases = int(positive.sum())
    ranks = float(rankdata(scores)[positive].sum())
    return (ranks - cases * (cases + 1) / 2.0) / (cases * (len(scores) - cases))


def studies() -> Iterator[Classes]:
    """Return every setting."""
    for cases, each in ((100, 1), (300, 1), (300, 3), (1000, 1), (999, 3)):
        yield Classes(cases, each)

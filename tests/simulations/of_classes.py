"""Several classes: normal scores of each class, highest for the true one, part of them shared within a patient."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from study import Drawn, item_of, rows_with

from gatekeeper.evidence import Rows
from gatekeeper.metrics import multiclass
from gatekeeper.metrics.multiclass import confusion_of_classes
from gatekeeper.statistics.classes import hand_till_of_weights, one_against_rest_of_weights
from gatekeeper.suites.classes import AREAS, TABLES
from gatekeeper.suites.performance import measure

SHARES = (0.5, 0.3, 0.2)
SHIFT = 2.2
LARGE = 200_000
AREA_SAMPLES = 250


@dataclass(frozen=True)
class Classes:
    """Three classes, ordered, of unlike frequency."""

    cases: int
    cases_each: int
    samples: int = 800
    family: str = "several classes"

    @property
    def setting(self) -> str:
        return "three classes of 50, 30 and 20 %"

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        rows = _rows(source, self.cases, self.cases_each)
        for name in (*TABLES, *(AREAS if number < AREA_SAMPLES else ())):
            item = item_of(name)
            yield Drawn(name, measure(item, rows, 0.5), truth_of(name), item)
        item = item_of("class_sensitivity", of_class="c2")
        yield Drawn("class_sensitivity", measure(item, rows, 0.5), truth_of("class_sensitivity"), item)


def _drawn(source: np.random.Generator, cases: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    label = source.choice(3, cases, p=SHARES)
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


@cache
def truth_of(name: str) -> float:
    """Return the value on 200,000 cases."""
    scores, label = _drawn(np.random.default_rng(2026), LARGE, 1)
    if name in AREAS:
        once = np.ones((1, LARGE), dtype=np.int64)
        how = hand_till_of_weights if name == "hand_till_auroc" else one_against_rest_of_weights
        return float(how(scores, label, once, np.arange(LARGE))[0])
    counts = confusion_of_classes(scores.argmax(axis=1), label, np.zeros(LARGE, dtype=np.intp), 1, 3)[0]
    if name == "class_sensitivity":
        return float(multiclass.class_sensitivity(counts)[2])
    return float(TABLES[name](counts))


def studies() -> Iterator[Classes]:
    """Return every setting."""
    for cases, each in itertools.product((100, 300), (1, 3)):
        yield Classes(cases, each)

"""What the section on performance draws, made up by hand: cases, findings and classes of nobody."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from made_up_evidence import CONTEXT, MadeUpCase, evidence_of, policy_of, requirement

from gatekeeper.evidence import Evidence
from gatekeeper.policy import Policy

CLASSES = ("none", "mild", "severe")
Found = tuple[list[float], list[int], int]  # scores, lesions hit (-1: none), how many lesions there are


def classification_policy(**parts: object) -> Policy:
    """A policy on sensitivity, specificity, and precision here and at 10 %."""
    wanted = {
        "sensitivity": requirement("sensitivity", interval="wilson"),
        "specificity": requirement("specificity"),
        "precision": requirement("precision"),
        "in_use": requirement("precision", at_prevalence=0.1),
    }
    return policy_of(wanted, **parts)


def detection_policy(**parts: object) -> Policy:
    """A policy on lesions found, and on false positives."""
    wanted = {
        "found": requirement("lesion_detection_rate"),
        "alarms": requirement("false_positives_per_case", upper_limit={"at_most": 2}),
    }
    context = {**CONTEXT, "task": "detection"}
    return policy_of(wanted, context=context, **parts)


def classes_policy(**parts: object) -> Policy:
    """A policy on accuracy over three classes."""
    context = {name: value for name, value in CONTEXT.items() if name != "positive"}
    context |= {"task": "multiclass_classification", "classes": CLASSES}
    return policy_of({"accuracy": requirement("multiclass_accuracy")}, context=context, **parts)


@cache
def scored(patients: int = 120, seed: int = 3, lost: int = 0) -> Evidence:
    """Cases of two classes, some of one patient; the first ``lost`` without an answer."""
    source = np.random.default_rng(seed)
    labels = source.integers(0, 2, patients + 30)
    scores = 1.0 / (1.0 + np.exp(-source.normal(1.6 * labels - 0.8, 1.2)))
    cases = [
        MadeUpCase(
            float(score),
            int(label),
            f"patient-{number % patients:04}",
            answered=number >= lost,
            attributes={"sex": "F" if number % 3 else "M"},
        )
        for number, (score, label) in enumerate(zip(scores, labels, strict=True))
    ]
    return evidence_of({"baseline": cases})


@cache
def lesions(cases: int = 60, seed: int = 4) -> Evidence:
    """Findings of cases with no lesion to two, a patient each."""
    source = np.random.default_rng(seed)
    found: list[Found] = []
    for _ in range(cases):
        count = int(source.integers(0, 3))
        hit = [lesion for lesion in range(count) if source.random() < 0.8]
        false = int(source.poisson(0.7))
        values = [*source.uniform(0.3, 1.0, len(hit)), *source.uniform(0.0, 0.8, false)]
        found.append(([float(value) for value in values], [*hit, *[-1] * false], count))
    return of_findings(found)


def of_findings(found: Sequence[Found]) -> Evidence:
    """Evidence of cases with these findings; a case scores as its highest finding."""
    cases = [MadeUpCase(max(scores, default=0.0), int(count > 0)) for scores, _, count in found]
    scores, hits, counts = zip(*found, strict=True)
    return _with(cases, {"finding_score": scores, "finding_lesion": hits, "lesions": counts})


@cache
def graded(cases: int = 150, seed: int = 5, lost: int = 0) -> Evidence:
    """Probabilities of three classes; the first ``lost`` cases without an answer."""
    source = np.random.default_rng(seed)
    labels = source.integers(0, 3, cases)
    scores = np.exp(source.normal(size=(cases, 3)) + 1.5 * np.eye(3)[labels])
    scores /= scores.sum(axis=1, keepdims=True)
    made = [MadeUpCase(0.5, int(label), answered=at >= lost) for at, label in enumerate(labels)]
    columns = {
        f"probability.{name}": [None if row < lost else value for row, value in enumerate(scores[:, at].tolist())]
        for at, name in enumerate(CLASSES)
    }
    return _with(made, columns)


def _with(cases: Sequence[MadeUpCase], answers: dict[str, Sequence[object]]) -> Evidence:
    table = evidence_of({"baseline": cases}).table
    return Evidence.from_columns({name: table[name].to_pylist() for name in table.column_names}, {}, answers)

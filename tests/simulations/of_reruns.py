"""Scores of the same subjects again: repeated measurements, and the same cases under stress."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from binormal import Binormal, expectation, score_of
from made_up_evidence import policy_of
from scipy.special import ndtr
from study import Drawn, item_of

from gatekeeper.evidence import Evidence
from gatekeeper.policy import Policy, Requirement
from gatekeeper.suites import repeatability, robustness

MODEL = (
    "Binormal scores, half positive, Se and Sp 0.9. Repeats share all but 5 % of the variance of the score. Under "
    "stress Se falls to 0.8 and Sp to 0.85, and half of the variance of each score is drawn anew; under slight stress "
    "both fall to 0.88, and 5 % are. One subject a patient, or three that share 60 % of the variance. Truths follow "
    "from the model."
)
MEASURED_WITH = "gatekeeper.suites.repeatability.measure and gatekeeper.suites.robustness.measure"
BEFORE, AFTER, SLIGHTLY = Binormal(0.9, 0.9, 0.5), Binormal(0.8, 0.85, 0.5), Binormal(0.88, 0.88, 0.5)
BETWEEN_REPEATS, UNDER_STRESS, UNDER_SLIGHT = 0.05, 0.5, 0.05  # share of the variance of a score that is drawn anew
ALIKE = 0.6  # share of the variance that all subjects of a patient have in common
STRESS = "contour_erosion"
FOLLOWED: dict[str, dict[str, float]] = {
    "sensitivity": {},
    "specificity": {},
    "accuracy": {},
    "precision": {},
    "npv": {},
    "precision at 10 %": {"at_prevalence": 0.1},
    "f1": {},
    "auroc": {},
}
REPEATED = {name: item_of(name, level="R4") for name in ("flip_rate", "within_subject_sd")}
POLICY = policy_of(REPEATED)


@dataclass(frozen=True)
class Again:
    """Subjects whose scores are drawn twice; under slight stress their repeats are not looked at again."""

    cases: int
    cases_each: int
    slight: bool = False
    samples: int = 1000
    family: str = "scores of the same subjects again"

    @property
    def setting(self) -> str:
        """Return the setting in words."""
        return "half positive, slight stress" if self.slight else "half positive"

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        """Draw a test set and measure every metric on it."""
        label = (source.random(self.cases) < BEFORE.share).astype(np.int8)
        standard = _standard(source, self.cases, self.cases_each)
        if not self.slight:
            repeats = [_scores(source, standard, label, BEFORE, BETWEEN_REPEATS) for _ in range(2)]
            evidence = _evidence(label, self.cases_each, repeats, ("baseline", "baseline"))
            for name, item in REPEATED.items():
                yield Drawn(name, repeatability.measure(item, POLICY, evidence, 0.5), truths()[name], item)
        after, anew = (SLIGHTLY, UNDER_SLIGHT) if self.slight else (AFTER, UNDER_STRESS)
        scores = [_scores(source, standard, label, model, anew) for model in (BEFORE, after)]
        evidence = _evidence(label, self.cases_each, scores, ("baseline", f"{STRESS}.1"))
        for followed in FOLLOWED:
            policy, item = drop_of(followed)
            name = f"performance_drop of {followed}"
            yield Drawn(name, robustness.measure(item, policy, evidence, 0.5), drops(self.slight)[name], item)


@cache
def drop_of(followed: str) -> tuple[Policy, Requirement]:
    """Return a policy that follows a metric under stress, and its requirement on the drop."""
    item = item_of("performance_drop", of="followed", perturbation=STRESS, severity=1)
    parts = {"followed": item_of(followed.partition(" ")[0], **FOLLOWED[followed]), "drop": item}
    return policy_of(parts, robustness={STRESS: ("1 mm",)}), item


def _standard(source: np.random.Generator, cases: int, each: int) -> np.ndarray:
    shared = source.normal(size=cases)[np.arange(cases) // each]
    alike = 0.0 if each == 1 else ALIKE
    return np.asarray(math.sqrt(alike) * shared + math.sqrt(1.0 - alike) * source.normal(size=cases))


def _scores(
    source: np.random.Generator, standard: np.ndarray, label: np.ndarray, model: Binormal, anew: float
) -> np.ndarray:
    latent = math.sqrt(1.0 - anew) * standard + math.sqrt(anew) * source.normal(size=len(label))
    return score_of(latent + np.where(label == 1, model.means[1], model.means[0]))


def _evidence(label: np.ndarray, each: int, scores: Sequence[np.ndarray], conditions: Sequence[str]) -> Evidence:
    subjects = [f"case-{number:05}" for number in range(len(label))]
    repeat = conditions[0] == conditions[1]
    columns = {
        "case_id": subjects + ([f"{name}-again" for name in subjects] if repeat else subjects),
        "patient": [f"patient-{number // each:05}" for number in range(len(label))] * 2,
        "subject": subjects * 2,
        "label": np.tile(label, 2),
        "condition": [condition for condition in conditions for _ in subjects],
        "repeat": [0] * (2 * len(label)),
        "outcome": ["ok"] * (2 * len(label)),
        "score": np.concatenate(scores),
        "seconds": [None] * (2 * len(label)),
    }
    return Evidence.from_columns(columns, {})


@cache
def drops(slight: bool) -> dict[str, float]:
    """Return the true drops, under slight stress or under the other."""
    first, second = (_values(model) for model in (BEFORE, SLIGHTLY if slight else AFTER))
    return {f"performance_drop of {followed}": first[followed] - second[followed] for followed in FOLLOWED}


def _values(model: Binormal) -> dict[str, float]:
    found, cleared, share = model.sensitivity, model.specificity, model.share
    return {
        "sensitivity": found,
        "specificity": cleared,
        "accuracy": share * found + (1.0 - share) * cleared,
        "precision": share * found / (share * found + (1.0 - share) * (1.0 - cleared)),
        "npv": (1.0 - share) * cleared / ((1.0 - share) * cleared + share * (1.0 - found)),
        "precision at 10 %": 0.1 * found / (0.1 * found + 0.9 * (1.0 - cleared)),
        "f1": 2.0 * share * found / (share * (1.0 + found) + (1.0 - share) * (1.0 - cleared)),
        "auroc": model.auroc(),
    }


@cache
def truths() -> dict[str, float]:
    """Return the truths of repeats."""
    kept, noise = math.sqrt(1.0 - BETWEEN_REPEATS), math.sqrt(BETWEEN_REPEATS)

    def flips(mean: float) -> float:
        chance = lambda standard: ndtr((mean + kept * standard) / noise)  # noqa: E731
        return expectation(lambda standard: 2.0 * chance(standard) * (1.0 - chance(standard)))

    def variance(mean: float) -> float:
        def at(standard: float) -> float:
            first, second = (
                expectation(lambda drawn, power=power: score_of(mean + kept * standard + noise * drawn) ** power)
                for power in (1, 2)
            )
            return second - first**2

        return expectation(lambda standard: np.array([at(float(place)) for place in standard]))

    return {
        "flip_rate": float(np.mean([flips(mean) for mean in BEFORE.means])),
        "within_subject_sd": math.sqrt(float(np.mean([variance(mean) for mean in BEFORE.means]))),
    }


def studies() -> Iterator[Again]:
    """Return every setting."""
    for slight, cases, each in itertools.product((False, True), (100, 300, 1000), (1, 3)):
        yield Again(cases, each, slight)

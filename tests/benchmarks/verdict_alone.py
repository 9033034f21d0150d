"""Judges many made-up cases against twenty requirements, in all and in twelve subgroups.

``main`` runs in a process of its own and prints findings, intervals, wall seconds and CPU seconds.
"""

from __future__ import annotations

import time

import numpy as np
from made_up_evidence import OPERATING_POINT, policy_of, requirement

from gatekeeper.evidence import Evidence
from gatekeeper.policy import Policy, Requirement
from gatekeeper.verdict import judge

CASES, PATIENTS, REQUIREMENTS = 100_000, 40_000, 20
RESAMPLED = ("average_precision", "expected_calibration_error", "partial_auroc")
GROUPS = {"manufacturer": 4, "sex": 2, "age_band": 6}


def cases() -> Evidence:
    source = np.random.default_rng(0)
    label = (source.random(CASES) < 0.2).astype(int)
    patient = source.integers(0, PATIENTS, CASES)
    shift = source.normal(size=PATIENTS)[patient]
    score = 1.0 / (1.0 + np.exp(-(0.7 * shift + 0.7 * source.normal(size=CASES) + 2.5 * label - 1.2)))
    ids = [f"c{number:06}" for number in range(CASES)]
    columns = {
        "case_id": ids,
        "patient": [f"p{number:05}" for number in patient],
        "subject": ids,
        "label": label,
        "condition": ["baseline"] * CASES,
        "repeat": [0] * CASES,
        "outcome": ["ok"] * CASES,
        "score": score,
        "seconds": [None] * CASES,
    }
    groups = {name: [str(number % size) for number in range(CASES)] for name, size in GROUPS.items()}
    return Evidence.from_columns(columns, groups)


def at_most(metric: str, **options: object) -> Requirement:
    return requirement(metric, upper_limit={"at_most": 0.5}, **options)


def requirements(resampled: int) -> dict[str, Requirement]:
    """Return twenty requirements, so many of them with intervals by resampling."""
    by_resampling = [
        requirement(RESAMPLED[0]),
        at_most(RESAMPLED[1]),
        requirement(RESAMPLED[2], up_to_false_positive_rate=0.1),
    ]
    in_closed_form = [
        requirement("sensitivity"),
        requirement("specificity"),
        requirement("precision"),
        requirement("npv"),
        requirement("auroc"),
        requirement("precision", at_prevalence=0.1),
        requirement("npv", at_prevalence=0.1),
        requirement("sensitivity", at_specificity=0.9),
        requirement("specificity", at_sensitivity=0.9),
        at_most("negative_likelihood_ratio"),
        requirement("positive_likelihood_ratio"),
        requirement("net_benefit", at_threshold_probability=0.1, lower_limit={"at_least": 0.05}),
        at_most("expected_cost", miss_cost=5),
        at_most("abnormal_interpretation_rate", at_prevalence=0.1),
        requirement("balanced_accuracy"),
        requirement("f1"),
        requirement("matthews_correlation"),
        requirement("kappa"),
        requirement("youden"),
        requirement("accuracy"),
    ]
    chosen = [*by_resampling[:resampled], *in_closed_form][:REQUIREMENTS]
    return {f"requirement_{number:02}": item for number, item in enumerate(chosen)}


def policy(resampled: int) -> Policy:
    items = requirements(resampled)
    subgroups = {"by": tuple(GROUPS), "min_cases": 30, "requirements": tuple(items)}
    return policy_of(items, subgroups=subgroups)


def main(resampled: int) -> None:
    evidence, asked = cases(), policy(resampled)
    wall, cpu = time.perf_counter(), time.process_time()
    findings = judge(asked, evidence, OPERATING_POINT)
    seconds = time.perf_counter() - wall, time.process_time() - cpu
    print(len(findings), sum(finding.interval is not None for finding in findings), *seconds)

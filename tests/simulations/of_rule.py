"""The whole decision rule: how often a policy of three requirements says PASS when the truth lies on its thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from made_up_evidence import policy_of, requirement
from of_scores import drawn_rows

from gatekeeper.evidence import Evidence, VerdictWord
from gatekeeper.policy import Policy
from gatekeeper.statistics import ppv_at
from gatekeeper.verdict import decide, judge

SENSITIVITY, SPECIFICITY, PREVALENCE = 0.9, 0.9, 0.1


@dataclass(frozen=True)
class Rule:
    """A policy on sensitivity, specificity and precision; ``slack`` is what all but the first are easier by."""

    cases: int
    cases_each: int
    slack: float
    samples: int = 2000

    @property
    def policy(self) -> Policy:
        return _policy(self.slack)

    def passes(self, source: np.random.Generator) -> bool:
        rows = drawn_rows(source, self.cases, self.cases_each, SENSITIVITY, SPECIFICITY, 0.5)
        columns = {
            "case_id": rows.case,
            "patient": rows.patient,
            "subject": rows.subject,
            "label": rows.label,
            "condition": ["baseline"] * self.cases,
            "repeat": [0] * self.cases,
            "outcome": ["ok"] * self.cases,
            "score": rows.score,
            "seconds": [None] * self.cases,
        }
        return decide(judge(self.policy, Evidence.from_columns(columns, {}), 0.5)) is VerdictWord.PASS


@cache
def _policy(slack: float) -> Policy:
    precision = float(ppv_at(SENSITIVITY, SPECIFICITY, PREVALENCE))
    return policy_of(
        {
            "sensitivity": requirement("sensitivity", lower_limit={"at_least": SENSITIVITY}),
            "specificity": requirement("specificity", lower_limit={"at_least": SPECIFICITY - slack}),
            "precision": requirement(
                "precision", at_prevalence=PREVALENCE, lower_limit={"at_least": precision - 2.0 * slack}
            ),
        }
    )


def run(rule: Rule, share: float) -> dict[str, object]:
    """Return how often the rule says PASS."""
    source = np.random.default_rng([rule.cases, rule.cases_each, round(100 * rule.slack)])
    samples = max(2, round(rule.samples * share))
    passed = sum(rule.passes(source) for _ in range(samples))
    where = "all three truths on their thresholds" if rule.slack == 0.0 else "one truth on its threshold, two far above"
    return {
        "setting": where,
        "cases": rule.cases,
        "cases_each": rule.cases_each,
        "samples": samples,
        "false_releases": round(passed / samples, 4),
    }


def rules() -> Iterator[Rule]:
    """Return every setting."""
    sizes = ((100, 1), (300, 1), (300, 3), (1000, 1), (999, 3))
    yield from (Rule(cases, each, slack) for slack in (0.0, 0.2) for cases, each in sizes)

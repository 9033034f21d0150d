"""Shares of unusable inputs that were refused, from evidence made up by hand."""

from __future__ import annotations

import pytest
from scipy.stats import beta

from gatekeeper.evidence import Evidence, Reason
from gatekeeper.policy import Policy
from gatekeeper.suites import plan_policy, refusal


def policy_of(*kinds: str) -> Policy:
    from made_up_evidence import policy_of as made_up
    from made_up_evidence import requirement

    return made_up({"declines": requirement("refusal_rate")}, refusals=kinds, refusal_tries=5)


def evidence_of(*rows: tuple[str, str, str]) -> Evidence:
    """Make evidence of (kind, patient, outcome)."""
    columns = {
        "case_id": [f"c{at}" for at, _ in enumerate(rows)],
        "patient": [patient for _, patient, _ in rows],
        "subject": [f"c{at}" for at, _ in enumerate(rows)],
        "label": [0] * len(rows),
        "condition": [f"refusal.{kind}" for kind, _, _ in rows],
        "repeat": [0] * len(rows),
        "outcome": [outcome for _, _, outcome in rows],
        "score": [0.5 if outcome == "ok" else None for _, _, outcome in rows],
        "seconds": [None] * len(rows),
    }
    return Evidence.from_columns(columns, {})


def test_each_kind_is_planned_once_and_says_how_many_are_tried() -> None:
    planned = [one for one in plan_policy(policy_of("blank", "noise")).conditions if one.refusal]
    assert [(one.id, one.refusal, one.tries) for one in planned] == [
        ("refusal.blank", "blank", 5),
        ("refusal.noise", "noise", 5),
    ]


def test_a_crash_and_a_bad_output_are_no_refusals() -> None:
    outcomes = ("refused", "refused", "ok", "crashed", "timed_out")
    policy = policy_of("noise")
    evidence = evidence_of(*(("noise", f"p{at}", outcome) for at, outcome in enumerate(outcomes)))
    found = refusal.measure(policy.requirements["declines"], policy, evidence)
    assert (found.estimate, found.n, found.patients) == (pytest.approx(0.4), 5, 5)
    assert found.interval is not None
    # Clopper & Pearson (Biometrika 1934): the limits are quantiles of beta distributions.
    assert found.interval.lower == pytest.approx(beta.ppf(0.025, 2, 4))
    assert found.interval.upper == pytest.approx(beta.ppf(0.975, 3, 3))
    (told,) = refusal.by_kind(policy, evidence)
    assert (told.tries, told.refused, told.answered, told.failed) == (5, 2, 1, 2)


def test_tries_of_one_patient_are_not_counted_as_independent() -> None:
    policy = policy_of("noise", "blank")
    evidence = evidence_of(*((kind, f"p{at}", "refused") for kind in ("noise", "blank") for at in range(12)))
    found = refusal.measure(policy.requirements["declines"], policy, evidence)
    assert found.interval is not None
    assert found.interval.lower == pytest.approx(beta.ppf(0.025, 12, 1))
    assert found.n == 24


def test_a_kind_that_was_not_tried_leaves_no_interval_and_no_tries_no_value() -> None:
    policy = policy_of("noise", "another_species")
    requirement = policy.requirements["declines"]
    found = refusal.measure(requirement, policy, evidence_of(("noise", "p", "refused")))
    assert (found.interval, found.reason) == (None, Reason.NO_UNUSABLE_INPUT)
    assert "another species" in found.method
    assert refusal.by_kind(policy, evidence_of(("noise", "p", "refused")))[1].most_answered is None
    nothing = refusal.measure(requirement, policy, evidence_of())
    assert (nothing.estimate, nothing.reason) == (None, Reason.NO_UNUSABLE_INPUT)

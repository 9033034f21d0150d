from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_evidence import OPERATING_POINT, cells, evidence_of, policy_of, requirement
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from gatekeeper.evidence import Outcome
from gatekeeper.policy import Requirement
from gatekeeper.verdict import judge
from gatekeeper.verdict.claims import claimed_ids

NAMES = ("sensitivity", "specificity", "precision", "npv")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(min_value=1e-6, max_value=0.2), min_size=2, max_size=4, unique=True))
def test_holm_claims_what_statsmodels_rejects(p_values: list[float]) -> None:
    names = NAMES[: len(p_values)]
    by_name = dict(zip(names, p_values, strict=True))
    policy = policy_of({name: requirement(name) for name in names}, multiplicity="holm")

    def outcome_of(item: Requirement) -> Outcome:
        # A two-sided test of size 1 - confidence rejects exactly when its interval clears the threshold.
        return Outcome.MET if by_name[item.metric] <= 1.0 - item.confidence else Outcome.NOT_DECIDED

    outcomes = {name: outcome_of(policy.requirements[name]) for name in names}
    expected, *_ = multipletests([by_name[name] for name in names], alpha=0.05, method="holm")
    assert claimed_ids(policy, outcomes, outcome_of) == {
        name for name, rejected in zip(names, expected, strict=True) if rejected
    }


@pytest.mark.parametrize(("positives", "claimed"), [(19, False), (40, True)])
def test_holm_asks_more_of_a_claim_than_of_an_outcome(positives: int, claimed: bool) -> None:
    """One of two requirements is not met; the other has to be met at 97.5 % to be claimed."""
    items = {"sensitivity": requirement("sensitivity", lower_limit={"at_least": 0.82})} | {
        "specificity": requirement("specificity", lower_limit={"at_least": 0.99})
    }
    evidence = evidence_of({"baseline": cells(positives, 0, 10, 40)})
    findings = {item.id: item for item in judge(policy_of(items, multiplicity="holm"), evidence, OPERATING_POINT)}
    assert findings["sensitivity"].outcome is Outcome.MET
    assert findings["specificity"].outcome is Outcome.NOT_MET
    assert [item.claimed for item in findings.values()] == [claimed, False]
    z = norm.ppf(1 - 0.025 / 2)
    lower = positives / (positives + z**2)  # Wilson's lower limit of n of n
    assert bool(lower >= 0.82) is claimed


def test_an_estimate_is_claimed_when_met_and_takes_no_share_of_the_error() -> None:
    items = {
        "point": requirement("sensitivity", estimate={"at_least": 0.5}),
        "limit": requirement("specificity", lower_limit={"at_least": 0.8}),
    }
    evidence = evidence_of({"baseline": cells(30, 20, 0, 17)})
    findings = judge(policy_of(items, multiplicity="holm"), evidence, OPERATING_POINT)
    assert [item.claimed for item in findings] == [True, True]


@given(st.permutations(range(4)))
@settings(max_examples=24, deadline=None)
def test_holm_does_not_depend_on_the_order(order: list[int]) -> None:
    p_values = np.array([0.001, 0.012, 0.02, 0.9])
    by_name = dict(zip(NAMES, p_values, strict=True))

    def outcome_of(item: Requirement) -> Outcome:
        return Outcome.MET if by_name[item.metric] <= 1.0 - item.confidence else Outcome.NOT_DECIDED

    names = [NAMES[index] for index in order]
    policy = policy_of({name: requirement(name) for name in names}, multiplicity="holm")
    outcomes = {name: outcome_of(policy.requirements[name]) for name in names}
    assert claimed_ids(policy, outcomes, outcome_of) == {"sensitivity", "specificity", "precision"}


def test_in_serial_order_all_is_claimed_up_to_the_first_that_is_not_met() -> None:
    policy = policy_of({name: requirement(name) for name in NAMES})
    for outcomes in itertools.product(Outcome, repeat=4):
        found = claimed_ids(policy, dict(zip(NAMES, outcomes, strict=True)), lambda item: Outcome.MET)
        first = next((index for index, outcome in enumerate(outcomes) if outcome is not Outcome.MET), 3)
        assert found == set(NAMES[: first + 1])

"""Reruns that stop early decide as all of them would: against all reruns, and by simulation. All scores are made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_evidence import OPERATING_POINT, MadeUpCase, evidence_of, policy_of, requirement

from gatekeeper.evidence import Evidence, Outcome, Reason
from gatekeeper.policy import Policy, Requirement
from gatekeeper.suites import Measurement, is_decided
from gatekeeper.suites.levels import plan, reruns
from gatekeeper.suites.repeatability import measure
from gatekeeper.suites.stopping import reruns_needed

MOST = 5
DEVIATION = requirement("max_deviation", level="R0", estimate={"at_most": 0.0})
FLIPS = requirement("flip_rate", level="R0", upper_limit={"at_most": 0.1})
SPREAD = requirement("within_subject_sd", level="R0", upper_limit={"at_most": 0.1})


def policy_with(*items: Requirement, most: int = MOST) -> Policy:
    return policy_of({f"it-{number}": item for number, item in enumerate(items)}, repeatability={"reruns": most})


IDS = [condition.id for condition in reruns(policy_with(FLIPS))]


def evidence_with(calls: np.ndarray, made: int = MOST, patients: int | None = None) -> Evidence:
    """Runs of n cases: ``calls`` (1 + reruns, n), each 0.9 where called and 0.2 where not; NaN is no answer."""
    each = calls.shape[1] if patients is None else patients
    runs = {
        name: [
            MadeUpCase(0.9 if call else 0.2, 1, f"patient-{number % each:04}", answered=bool(np.isfinite(call)))
            for number, call in enumerate(row)
        ]
        for name, row in zip(("baseline", *IDS[:made]), calls, strict=False)
    }
    return evidence_of(runs)


def flipping(seed: int, cases: int, share: float, runs: int = MOST + 1) -> np.ndarray:
    """Calls of cases of whom each rerun calls every one otherwise with this probability."""
    source = np.random.default_rng(seed)
    first = source.integers(0, 2, size=cases)
    return np.stack([first, *(np.where(source.random(cases) < share, 1 - first, first) for _ in range(runs - 1))]) * 1.0


def outcome(item: Requirement, found: Measurement) -> Outcome:
    return item.threshold.outcome(found.rounded, found.limits)


def test_more_reruns_are_planned_each_in_a_fresh_process_and_only_until_decided() -> None:
    planned = plan(policy_with(FLIPS))
    assert [condition.id for condition in planned] == ["rerun", "rerun.2", "rerun.3", "rerun.4", "rerun.5"]
    assert all(condition.fresh_process for condition in planned)
    assert [condition.until_decided for condition in planned] == [False, True, True, True, True]
    assert plan(policy_of({"it": FLIPS})) == reruns(policy_of({"it": FLIPS}))
    assert len(plan(policy_of({"it": FLIPS}))) == 1


def test_the_first_rerun_that_differs_decides_that_all_are_to_be_the_same() -> None:
    calls = np.ones((6, 30))
    calls[2, 7] = 0.0  # in the second rerun
    policy, evidence = policy_with(DEVIATION), evidence_with(calls, made=2)
    assert not is_decided(policy, OPERATING_POINT, "rerun.2", evidence_with(calls, made=1))
    assert is_decided(policy, OPERATING_POINT, "rerun.3", evidence)
    found = measure(DEVIATION, policy, evidence, OPERATING_POINT)
    assert (found.estimate, found.n, found.n_of) == (pytest.approx(0.7), 30, "cases run 3 times")
    assert found.remark == "Stopped after 2 of 5 reruns: decided, since more could only add changes."


def test_a_candidate_that_never_differs_is_met_after_all_reruns_and_not_before() -> None:
    policy, calls = policy_with(DEVIATION, FLIPS), np.ones((6, 60))
    for made in range(1, MOST):
        evidence = evidence_with(calls, made)
        assert not is_decided(policy, OPERATING_POINT, IDS[made], evidence)
        assert measure(FLIPS, policy, evidence, OPERATING_POINT).reason is Reason.CONDITION_NOT_RUN
    found = measure(FLIPS, policy, evidence_with(calls), OPERATING_POINT)
    assert (outcome(FLIPS, found), found.remark, found.n_of) == (Outcome.MET, "", "cases run 6 times")


def test_reruns_go_on_until_every_requirement_on_them_is_decided() -> None:
    calls = np.ones((6, 60))
    calls[1:, 0] = 0.0  # one case that flips every time: no score is the same, and few calls flip
    assert len(reruns_needed(policy_with(DEVIATION), evidence_with(calls), OPERATING_POINT)) == 1
    assert len(reruns_needed(policy_with(DEVIATION, FLIPS), evidence_with(calls), OPERATING_POINT)) == MOST


def test_a_spread_can_shrink_again_and_never_stops_reruns() -> None:
    evidence = evidence_with(flipping(1, 60, 0.5))
    assert len(reruns_needed(policy_with(FLIPS), evidence, OPERATING_POINT)) == 1
    assert len(reruns_needed(policy_with(FLIPS, SPREAD), evidence, OPERATING_POINT)) == MOST


def test_where_patients_have_several_cases_limits_can_come_closer_and_all_reruns_are_made() -> None:
    evidence = evidence_with(flipping(1, 60, 0.5), patients=20)
    assert len(reruns_needed(policy_with(FLIPS), evidence, OPERATING_POINT)) == MOST
    on_estimate = requirement("flip_rate", level="R0", estimate={"at_most": 0.1})
    assert len(reruns_needed(policy_with(on_estimate), evidence, OPERATING_POINT)) == 1


def test_a_policy_of_fewer_reruns_takes_no_more_than_it_asks_for() -> None:
    calls = np.ones((6, 30))
    calls[3:, :20] = 0.0
    evidence = evidence_with(calls)
    assert measure(FLIPS, policy_with(FLIPS, most=2), evidence, OPERATING_POINT).estimate == 0.0
    assert measure(FLIPS, policy_with(FLIPS, most=3), evidence, OPERATING_POINT).estimate == pytest.approx(20 / 30)


@given(
    st.integers(0, 10_000),
    st.integers(5, 60),
    st.sampled_from([0.0, 0.02, 0.1, 0.3]),
    st.sampled_from([0.0, 0.05]),
    st.sampled_from([(DEVIATION,), (FLIPS,), (DEVIATION, FLIPS)]),
)
@settings(max_examples=60, deadline=None)
def test_stopping_early_changes_no_outcome(
    seed: int, cases: int, share: float, lost: float, items: tuple[Requirement, ...]
) -> None:
    """Also where answers are lost: a case that some runs do not answer has flipped, and stays so."""
    calls = flipping(seed, cases, share)
    calls[np.random.default_rng(seed + 1).random(calls.shape) < lost] = np.nan
    policy = policy_with(*items)
    needed = reruns_needed(policy, evidence_with(calls), OPERATING_POINT)
    assert needed == reruns_needed(policy, evidence_with(calls, len(needed)), OPERATING_POINT)
    stopped = evidence_with(calls, len(needed))
    for number, item in enumerate(items):
        whole = policy_with(*(items[:number] + items[number + 1 :]), item, SPREAD)  # a spread: all reruns
        early = measure(item, policy, stopped, OPERATING_POINT)
        late = measure(item, whole, evidence_with(calls), OPERATING_POINT)
        assert outcome(item, early) is outcome(item, late)
        assert early.estimate is not None
        assert late.estimate is not None
        assert early.estimate <= late.estimate


def test_looking_after_every_rerun_keeps_the_error_of_one_look() -> None:
    """Of 300 simulated studies of 100 cases, of whom 10 % flip within five reruns: the threshold itself.

    At most 2.5 % may be told that more do, and three standard errors of the simulation.
    """
    studies, each = 300, 1.0 - 0.9 ** (1.0 / MOST)
    policy, wrong = policy_with(FLIPS), 0
    for seed in range(studies):
        found = measure(FLIPS, policy, evidence_with(flipping(seed, 100, each)), OPERATING_POINT)
        wrong += outcome(FLIPS, found) is Outcome.NOT_MET
    assert wrong / studies <= 0.025 + 3.0 * np.sqrt(0.025 * 0.975 / studies)


@pytest.mark.parametrize(("share", "most_needed"), [(0.5, 1.0), (0.2, 1.4), (0.06, 4.5)])
def test_a_candidate_is_caught_with_as_few_reruns_as_its_flips_need(share: float, most_needed: float) -> None:
    needed = [
        len(reruns_needed(policy_with(FLIPS), evidence_with(flipping(seed, 100, share)), OPERATING_POINT))
        for seed in range(30)
    ]
    assert np.mean(needed) <= most_needed


def test_other_cases_in_a_rerun_are_an_error_and_no_decision() -> None:
    evidence = evidence_of(
        {"baseline": [MadeUpCase(0.9, 1)], "rerun": [replace(MadeUpCase(0.9, 1), case="other", subject="other")]}
    )
    with pytest.raises(ValueError, match="other cases"):
        is_decided(policy_with(FLIPS), OPERATING_POINT, "rerun.2", evidence)

from __future__ import annotations

import pytest
from made_up_findings import verdict

from gatekeeper.evidence import VerdictWord
from gatekeeper.policy import Policy, load_policy
from gatekeeper.policy.approval import Approval, FoundApproval
from gatekeeper.verdict import Bar, release_bars

STARTED = "2026-01-01T00:00:00Z"  # of the verdict made up


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy("neuro/ich_triage").policy


def approval(policy: Policy, **changes: object) -> FoundApproval:
    said: dict[str, object] = {
        "policy_id": policy.id,
        "policy_version": policy.version,
        "by": "Dr Ada Example",
        "role": "qa",
        "meaning": "approved",
        "approved": STARTED,
        "digest": policy.digest,
        "signer": "made up",
        "fingerprint": "sha256:" + "0" * 64,
        "development": False,
    }
    return FoundApproval(Approval.model_validate(said | changes), b"made up")


def reasons(policy: Policy, found: FoundApproval, exposures: int = 1, **changes: object) -> set[Bar]:
    development = bool(changes.pop("development", False))
    bars = release_bars(verdict(**changes), policy, found, development=development, exposures=exposures)
    return {bar.reason for bar in bars}


def test_a_pass_under_an_approved_policy_with_keys_for_release_is_not_barred(policy: Policy) -> None:
    assert reasons(policy, approval(policy)) == set()


def test_every_bar_bars_by_itself(policy: Policy) -> None:
    good = approval(policy)
    later = approval(policy, approved="2026-01-01T00:00:01Z")
    other = approval(policy, digest="sha256:" + "9" * 64)
    seen = [
        reasons(policy, good, verdict=VerdictWord.FAIL),
        reasons(policy, good, exploratory=True),
        reasons(policy, good, development=True),
        reasons(policy, FoundApproval()),
        reasons(policy, FoundApproval(problem="changed")),
        reasons(policy, other),
        reasons(policy, later),
        reasons(policy, good, exposures=6),
    ]
    assert [len(found) for found in seen] == [1] * len(seen)
    assert set.union(*seen) == set(Bar)


def test_a_test_set_may_be_used_as_often_as_the_policy_says(policy: Policy) -> None:
    assert policy.test_set_use is not None
    assert policy.test_set_use.max_release_evaluations == 5
    assert reasons(policy, approval(policy), exposures=5) == set()


def test_each_bar_says_what_mends_it(policy: Policy) -> None:
    bars = release_bars(
        verdict(verdict=VerdictWord.INCONCLUSIVE, exploratory=True),
        policy,
        FoundApproval(),
        development=True,
        exposures=9,
    )
    assert len(bars) == 5
    assert all(bar.words and bar.mend and not bar.words.endswith(".") for bar in bars)

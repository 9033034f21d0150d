"""Whether a run may be released, and what bars it: a PASS alone does not do.

A policy that nobody approved, a key that anybody could have made or a test set that is worn out bars a release too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gatekeeper.evidence import Verdict, VerdictWord
from gatekeeper.policy import Policy
from gatekeeper.policy.approval import FoundApproval


class Bar(StrEnum):
    """What bars a release. The list is closed."""

    NOT_PASSED = "NOT_PASSED"
    EXPLORATORY = "EXPLORATORY"
    DEVELOPMENT_KEY = "DEVELOPMENT_KEY"
    APPROVAL_MISSING = "APPROVAL_MISSING"
    APPROVAL_NOT_TRUSTED = "APPROVAL_NOT_TRUSTED"
    APPROVAL_MISMATCH = "APPROVAL_MISMATCH"
    APPROVAL_LATER_THAN_RUN = "APPROVAL_LATER_THAN_RUN"
    TEST_SET_WORN = "TEST_SET_WORN"


@dataclass(frozen=True)
class ReleaseBar:
    """One thing that bars a release: its stable name, a sentence without its full stop, and what would mend it."""

    reason: Bar
    words: str
    mend: str


def carried(bars: tuple[ReleaseBar, ...], policy: Policy) -> tuple[ReleaseBar, ...]:
    """Return the bars as a dossier tells them: an approval that did not hold is not in it, so to its reader is none."""
    (missing,) = approval_bars(policy, FoundApproval(), "")
    return tuple(missing if bar.reason is Bar.APPROVAL_NOT_TRUSTED else bar for bar in bars)


def release_bars(
    verdict: Verdict, policy: Policy, found: FoundApproval, *, development: bool, exposures: int
) -> tuple[ReleaseBar, ...]:
    """Return all that bars the release of a run; nothing for one that may be released.

    ``exposures`` is how often the test set had been used when the run began, this use included.
    """
    bars: list[ReleaseBar] = []
    if verdict.verdict is not VerdictWord.PASS:
        words = f"the verdict is {verdict.verdict.value}"
        bars.append(ReleaseBar(Bar.NOT_PASSED, words, "mend what is not met, and check again"))
    if verdict.exploratory:
        words = "the policy was changed on the command line"
        bars.append(ReleaseBar(Bar.EXPLORATORY, words, "check under the policy as it is filed"))
    if development:
        words = "it is signed with a development key, which anyone could have made"
        bars.append(ReleaseBar(Bar.DEVELOPMENT_KEY, words, "put the keys of your organisation into the keys folder"))
    bars += approval_bars(policy, found, verdict.run.started)
    allowed = policy.test_set_use.max_release_evaluations if policy.test_set_use else None
    if allowed is not None and exposures > allowed:
        words = f"the test set was used {exposures:,} times, and the policy allows {allowed:,}"
        bars.append(ReleaseBar(Bar.TEST_SET_WORN, words, "lock cases that nobody has tuned on"))
    return tuple(bars)


def approval_bars(policy: Policy, found: FoundApproval, started: str) -> Iterator[ReleaseBar]:
    """Give what is wrong with the approval of a policy for a run that started then (UTC, as text)."""
    mend = "approve the policy with `gatekeeper policy approve`, then check"
    approval = found.approval
    if approval is None and found.problem is None:
        yield ReleaseBar(Bar.APPROVAL_MISSING, "nobody has approved the policy", mend)
    elif approval is None:
        yield ReleaseBar(Bar.APPROVAL_NOT_TRUSTED, f"the approval does not hold ({found.problem})", mend)
    elif approval.digest != policy.digest:
        words = f"the approval of {approval.by} is of another version of the policy"
        yield ReleaseBar(Bar.APPROVAL_MISMATCH, words, mend)
    elif approval.approved > started:
        words = f"the policy was approved at {approval.approved}, after the run began at {started}"
        yield ReleaseBar(Bar.APPROVAL_LATER_THAN_RUN, words, "check again: what was approved first can release")

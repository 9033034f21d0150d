"""Why a test set is too small for a requirement, with the numbers needed."""

from __future__ import annotations

from gatekeeper.evidence import Finding, Reason
from gatekeeper.evidence.notation import write_demand, write_number
from gatekeeper.metrics import Suite
from gatekeeper.policy import Policy, Requirement
from gatekeeper.suites.clusters import FEWEST_CLUSTERS
from gatekeeper.suites.latency import COLD_ID, condition_of
from gatekeeper.verdict._needed import Need


def why_not(finding: Finding, requirement: Requirement, policy: Policy, need: Need | None) -> str:
    """Return why an errorless candidate does not meet a requirement: the second half of a sentence, no full stop."""
    followed = policy.requirements.get(requirement.of or "", requirement)
    if finding.reason is Reason.NOT_MEASURED:
        what = requirement.not_measured or followed.not_measured or finding.title
        return f"this version of gatekeeper does not measure it yet ({what})"
    if finding.reason is Reason.BREAKS_WITHOUT_STRESS:
        return f'it follows "{requirement.of}", which is not met here even without stress'
    if finding.reason is Reason.SUBGROUP_EMPTY:
        name, value = next(iter(finding.subgroup.items()))
        return f"no case has this {name.replace('_', ' ')}" if value else f'the test set has no attribute "{name}"'
    if need is None:
        no_value = f"it has no value ({requirement.spec.undefined})"
        return no_value if finding.estimate is None else f"it comes to {write_number(finding, finding.estimate)}"
    if requirement.spec.suite is Suite.LATENCY:
        if condition_of(requirement) == COLD_ID:
            return f"the policy times {need.have:,} cold starts, {need.needed:,} are needed; raise latency.cold_starts"
        return f"the policy times {need.have:,} calls, {need.needed:,} are needed; raise latency.timed_calls"
    return _counts(finding, requirement, policy, need)


def _counts(finding: Finding, requirement: Requirement, policy: Policy, need: Need) -> str:
    have = need.have_words or f"{need.have:,} {need.n_of}"
    end = "lower" if requirement.threshold.at_least is not None else "upper"
    wanted = write_demand(finding)
    if finding.reason is Reason.SUBGROUP_TOO_SMALL and policy.subgroups:
        return f"{have}, and a group is judged from {policy.subgroups.min_cases:,} on"
    if finding.reason is Reason.NO_REPEATS:
        have = "no case has a repeat (repeat_of)"
    elif finding.estimate is None and need.have_words:
        have = f"there {'is' if need.have == 1 else 'are'} {have}"
    elif finding.estimate is None:
        have = f"there is nothing to count ({requirement.spec.undefined})"
    elif finding.interval is not None:
        best = finding.interval[0] if end == "lower" else finding.interval[1]
        bound = "at most" if end == "lower" else "at least"
        have = f"{have} give {'a' if end == 'lower' else 'an'} {end} limit of {bound} {write_number(finding, best)}"
    else:
        have = f"{have} give no interval"
    if need.needed is None:
        return f"{have}, and no number of cases is enough for {wanted}"
    needed = need.needed_words or (f"{need.needed:,}" if finding.n and need.have else f"{need.needed:,} {need.n_of}")
    return f"{have}; {needed} are needed for {wanted}"


def why_fragile(need: Need) -> str:
    """Return why only a candidate without errors can meet a requirement."""
    return (
        f"it rests on {need.patients} patients, some with several cases; with an error their spread "
        f"decides, which needs {FEWEST_CLUSTERS}"
    )

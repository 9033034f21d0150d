"""Findings as sentences that a radiologist understands."""

from __future__ import annotations

from gatekeeper.evidence import Finding, Outcome, Reason
from gatekeeper.evidence.notation import write_declared_share, write_demand, write_magnitude, write_number
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy import Policy, Requirement
from gatekeeper.policy.titles import plural, spoken, title_of
from gatekeeper.suites.latency import NEVER

_NOT_MEASURED = {
    Reason.TOO_FEW_CASES: "There are too few cases to say",
    Reason.SUBGROUP_EMPTY: "No such case is in the test set",
    Reason.UNDEFINED_METRIC: "It has no value here, because there is nothing to count",
    Reason.NO_REPEATS: "The test set has no repeated subjects",
    Reason.CONDITION_NOT_RUN: "The run did not try this",
    Reason.NOT_MEASURED: "The evidence does not hold what it is measured from",
    Reason.CALLS_FAILED: "Timed calls failed, and a call without an answer has no time",
}
# What is done at a level of repeatability; R4 has repeats of its own.
_AGAIN = {
    "R0": "When the same input is given again",
    "R1": "When cases are given one at a time, the last one first",
    "R2": "When numbers are {}",
}


def words_of(finding: Finding, requirement: Requirement, policy: Policy) -> str:
    """Return what was seen, what is required, and what would decide it, each in one short sentence."""
    if finding.estimate is None:
        return f"{_no_value(finding, requirement, policy)}. {_required(finding)}"
    seen = _seen(finding, requirement, policy)
    if finding.subgroup:
        group = ", ".join(f"{spoken(name)} {value or 'not given'}" for name, value in finding.subgroup.items())
        seen = f"In {group}: {seen[0].lower()}{seen[1:]}"
    return f"{seen}. {_required(finding)}{_undecided(finding)}"


def _no_value(finding: Finding, requirement: Requirement, policy: Policy) -> str:
    reason = finding.reason or Reason.TOO_FEW_CASES
    followed = policy.requirements.get(requirement.of or "", requirement)
    if reason is Reason.NOT_MEASURED and (requirement.not_measured or followed.not_measured):
        return "This version of gatekeeper does not measure it yet"
    if reason is Reason.CONDITION_NOT_RUN and requirement.compared_format is not None:
        return (
            f"The candidate was not run again in {requirement.compared_format}: it does not declare that format, or "
            "the device does not have it, or the whole run was in it"
        )
    return _NOT_MEASURED.get(reason, "It could not be measured")


def _seen(finding: Finding, requirement: Requirement, policy: Policy) -> str:
    unit, units, positive = policy.context.unit, plural(policy.context.unit), policy.context.positive
    value, span = write_number(finding, finding.estimate or 0.0), _span(finding)
    metric = finding.metric
    if requirement.other_rate is not None and not requirement.perturbation:
        return f"{title_of(requirement.model_copy(update={'title': None}), policy)} is {value}{span}"
    if metric == "sensitivity":
        return f"Of the positive {units} ({positive}), {value} are found{span}"
    if metric == "specificity":
        return f"Of the negative {units} (not {positive}), {value} raise no alarm{span}"
    if metric in ("precision", "npv"):
        what = "alarms" if metric == "precision" else "all-clears"
        if requirement.prevalence is None:
            return f"Of the {what} in this test set, {value} are right{span}"
        declared = write_declared_share(requirement.prevalence)
        return f"Where {declared} of {units} are positive ({positive}), {value} of {what} are right{span}"
    if metric == "auroc":
        return f"A positive {unit} ({positive}) scores above a negative one in {value} of pairs{span}"
    again = _AGAIN.get(requirement.level or "", "").format(requirement.compared_format)
    if metric == "max_deviation":
        what = "score" if policy.context.task == "classification" else "value of its answer"
        changed = f"no {what} changes at all" if not finding.estimate else f"a {what} changes by up to {value}"
        return f"{again or 'Between repeats'}, {changed}"
    if metric == "flip_rate" and again:
        return f"{again}, the call changes for {value} of {units}{span}"
    if metric == "flip_rate":
        return f"Repeats of one {unit} get different calls for {value} of {units}{span}"
    if metric == "within_subject_sd":
        between = again or f"Between repeats of one {unit}"
        return f"{between}, the score varies with a standard deviation of {value}{span}"
    if metric == "imageability":
        return f"Of the {units}, {value} get an answer{span}"
    if metric == "abnormal_interpretation_rate":
        declared = write_declared_share(requirement.prevalence or 0.0)
        return f"Where {declared} of {units} are positive ({positive}), {value} of all {units} raise an alarm{span}"
    if metric == "mean_latency":
        return f"An answer takes {value} on average{span}"
    if metric == "latency" and (finding.estimate or 0.0) >= NEVER:
        return f"Fewer than {requirement.percentile:g} of 100 timed calls gave an answer"
    if metric == "latency":
        return f"{requirement.percentile:g} of 100 answers take at most {value}{span}"
    if metric == "accuracy":
        return f"Of the {units}, {value} are called right{span}"
    if requirement.perturbation is None:
        return f"{title_of(requirement.model_copy(update={'title': None}), policy)} is {value}{span}"
    return _stressed(finding, requirement, policy, span)


def _stressed(finding: Finding, requirement: Requirement, policy: Policy, span: str) -> str:
    perturbation = requirement.perturbation or ""
    ladder, unit = policy.magnitudes(perturbation), PERTURBATIONS.get(perturbation).unit
    if finding.metric == "breaking_point":
        return _broken(int(finding.estimate or 0), requirement, policy)
    under = f"Under {spoken(perturbation)} of {write_magnitude(ladder[(requirement.severity or 1) - 1], unit)}"
    if requirement.of is None:
        return f"{under}, the call changes for {write_number(finding, finding.estimate or 0.0)} of cases{span}"
    followed = policy.requirements[requirement.of]
    estimate, limits = finding.estimate or 0.0, finding.interval
    better = followed.spec.higher_is_better
    change = "falls" if (estimate >= 0) == better else "rises"
    way = "down" if better else "up"
    points = f"{abs(estimate) * 100:.1f} points"
    fall = f" ({limits[0] * 100:z.1f} to {limits[1] * 100:z.1f} {way})" if limits else ""
    return f"{under}, {title_of(followed, policy)} {change} by {points}{fall}"


def _broken(broken: int, requirement: Requirement, policy: Policy) -> str:
    name = requirement.perturbation or ""
    ladder, unit = policy.magnitudes(name), PERTURBATIONS.get(name).unit
    followed = title_of(policy.requirements[requirement.of or ""], policy)
    if broken == 0:
        return f"{followed} is not met even without {spoken(name)}"
    if broken > len(ladder):
        strongest = write_magnitude(ladder[-1], unit)
        return f"{followed} is still met at the strongest {spoken(name)} tried, {strongest}"
    at, step = write_magnitude(ladder[broken - 1], unit), f"severity {broken} of {len(ladder)}"
    return f"{followed} is no longer met from a {spoken(name)} of {at} on ({step})"


def _required(finding: Finding) -> str:
    threshold = finding.threshold
    side = "at least" if threshold.at_least is not None else "at most"
    end = {"lower_limit": "the lower limit", "upper_limit": "the upper limit", "estimate": "the value"}[threshold.of]
    wanted = write_demand(finding)
    if finding.unit == "severity":
        return f"Required: {wanted} or later."
    return f"Required: {end} {side} {wanted}."


def _undecided(finding: Finding) -> str:
    if finding.outcome is not Outcome.NOT_DECIDED:
        return ""
    if finding.reason is Reason.HARDWARE_DIFFERS:
        return " Not decided: it was timed on other hardware than the policy names."
    if finding.reason is Reason.CALLS_FAILED:
        return " Not decided: timed calls failed, so that the time has no upper limit."
    if finding.more_cases is None:
        return " Not decided."
    return f" Not decided: about {finding.more_cases:,} more {finding.n_of.partition(' (')[0]} would decide it."


def _span(finding: Finding) -> str:
    if finding.interval is None:
        return ""
    lower, upper = (write_number(finding, limit) for limit in finding.interval)
    if finding.is_time and finding.interval[1] >= NEVER:
        return f" ({lower} at least, since calls failed)"
    return f" ({lower} to {upper})"

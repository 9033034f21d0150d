"""Findings as sentences that a radiologist understands."""

from __future__ import annotations

from gatekeeper.evidence import Clock, Environment, Finding, Outcome, Reason
from gatekeeper.evidence.notation import (
    write_declared_share,
    write_demand,
    write_magnitude,
    write_number,
    write_seconds,
)
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy import Policy, Requirement
from gatekeeper.policy.titles import plural, spoken, title_of
from gatekeeper.suites.latency import NEVER
from gatekeeper.suites.subgroups import Gap

_NOT_MEASURED = {
    Reason.TOO_FEW_CASES: "There are too few cases to say",
    Reason.SUBGROUP_EMPTY: "No such case is in the test set",
    Reason.UNDEFINED_METRIC: "It has no value here, because there is nothing to count",
    Reason.NO_REPEATS: "The test set has no repeated subjects",
    Reason.CONDITION_NOT_RUN: "The run did not try this",
    Reason.NOT_MEASURED: "The evidence does not hold what it is measured from",
    Reason.CALLS_FAILED: "Timed calls failed, and a call without an answer has no time",
    Reason.NO_UNUSABLE_INPUT: "No unusable input was tried: there is none of these kinds, or the run left it out",
}
# What a stage is called: one of them, and many.
_STAGES = {
    "read": ("Reading a case", "readings of a case"),
    "decode": ("Decoding a case", "decodings of a case"),
    "preprocess": ("Preprocessing a case", "preprocessings of a case"),
    "transfer": ("A transfer to the device", "transfers to the device"),
    "forward": ("A forward pass", "forward passes"),
    "postprocess": ("Postprocessing an answer", "postprocessings of an answer"),
    "end_to_end": ("An answer, from the files on,", "answers, from the files on,"),
    "cold_start": ("A cold start", "cold starts"),
    "first_case": ("The first answer after a cold start", "first answers after a cold start"),
}
# What is done at a level of repeatability; R4 has repeats of its own.
_AGAIN = {
    "R0": "When the same input is given again",
    "R1": "When cases are given one at a time, the last one first",
    "R2": "When numbers are {}",
    "R3": "When an image changes in ways that mean nothing",
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


def words_of_worst(finding: Finding, groups: int, attribute: str) -> str:
    """Return what was seen of the worst group of an attribute, and what is required of it."""
    if finding.estimate is None:
        return f"No group by {spoken(attribute)} is large enough to be the worst. {_required(finding)}"
    of = "the only group" if groups == 1 else f"the worst of {groups} groups"
    name = next(iter(finding.subgroup.values())) or "not given"
    seen = f"{finding.title} is {write_number(finding, finding.estimate)}{_span(finding)}"
    undecided = " Not decided." if finding.outcome is Outcome.NOT_DECIDED else ""
    return f"In {name}, {of} by {spoken(attribute)}: {seen}. {_required(finding)}{undecided}"


def words_of_gap(finding: Finding, gap: Gap | None, attribute: str) -> str:
    """Return how far the best and the worst group lie apart, and how far they may."""
    if gap is None or finding.estimate is None:
        return f"Fewer than two groups by {spoken(attribute)} are large enough to be compared. {_required(finding)}"
    best, worst = gap.best or "not given", gap.worst or "not given"
    between = f"Between {best}, the best, and {worst}, the worst of {gap.groups} groups by {spoken(attribute)}"
    apart = f"{write_number(finding, finding.estimate)}{_span(finding)}. {_required(finding)}"
    undecided = " Not decided." if finding.outcome is Outcome.NOT_DECIDED else ""
    # a share differs by points: per cent of it would be something else
    return f"{between}, {finding.title} differs by {apart.replace(' %', ' points')}{undecided}"


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
    if metric == "refusal_rate":
        kinds = ", ".join(map(spoken, policy.refusals))
        return f"Of the unusable inputs that were tried ({kinds}), {value} are refused{span}"
    if metric == "imageability":
        return f"Of the {units}, {value} get an answer{span}"
    if metric == "abnormal_interpretation_rate":
        declared = write_declared_share(requirement.prevalence or 0.0)
        return f"Where {declared} of {units} are positive ({positive}), {value} of all {units} raise an alarm{span}"
    if metric == "mean_latency":
        return f"{_stage(requirement)[0]} takes {value} on average{span}"
    if metric == "throughput":
        of = " in batches" if requirement.batch == "declared" else ", one at a time"
        return f"Asked without a pause{of}, it answers {value}{span}"
    if metric == "peak_memory":
        return f"It held up to {value} of the {requirement.of_memory}'s memory"
    if metric == "time_to_notification":
        return _notified(finding, requirement, policy, span)
    if metric == "waiting_time_saved":
        return f"Where alarms are read first, a positive {unit} ({positive}) is saved {value}{span} of its wait"
    if metric == "latency" and (finding.estimate or 0.0) >= NEVER:
        return f"Fewer than {requirement.percentile:g} of 100 timed calls gave an answer"
    if metric == "latency":
        return f"{requirement.percentile:g} of 100 {_stage(requirement)[1]} take at most {value}{span}"
    if metric == "accuracy":
        return f"Of the {units}, {value} are called right{span}"
    if requirement.perturbation is None:
        return f"{title_of(requirement.model_copy(update={'title': None}), policy)} is {value}{span}"
    return _stressed(finding, requirement, policy, span)


def _stage(requirement: Requirement) -> tuple[str, str]:
    """Name what is timed: one of it, and many."""
    one, many = _STAGES.get(requirement.stage or "", ("An answer", "answers"))
    of = " of a batch" if requirement.batch == "declared" else ""
    return one + of, many + of


def _notified(finding: Finding, requirement: Requirement, policy: Policy, span: str) -> str:
    load, units = policy.latency.load, plural(policy.context.unit)
    arriving = f"Where {load.arrivals_per_hour if load else 0.0:g} {units} arrive in an hour"
    if (finding.estimate or 0.0) >= NEVER:
        return f"{arriving}, more than {100.0 - (requirement.percentile or 0.0):g} of 100 get no result in time"
    value = write_number(finding, finding.estimate or 0.0)
    return f"{arriving}, {requirement.percentile:g} of 100 have their result within {value} of arrival{span}"


def words_of_clock(requirement: Requirement, environment: Environment, clock: Clock | None) -> str:
    """Say for which device a time, or memory, holds, and what was not steady about it; begins with a space."""
    said = f" Measured on {''.join(filter(str.isprintable, environment.timed_on))}."
    if clock is None or requirement.spec.name == "peak_memory":
        return said
    if clock.stable is False:
        said += f" Times had not settled after {clock.warm_up_calls:,} warm-up calls."
    if clock.noisy:
        before, after = write_seconds(clock.before), write_seconds(clock.after)
        said += (
            f" The machine was noisy: a fixed calculation took {before} before and {after} after, and its slowest run "
            f"{clock.spread:.2g} times as long as its fastest."
        )
    return said


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
    if finding.reason is Reason.NOISY_MACHINE:
        return " Not decided: by as much as the machine drifted meanwhile, it could be otherwise."
    if finding.reason is Reason.NO_UNUSABLE_INPUT:
        return " Not decided: of a kind that is listed there was no input."
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
        why = "" if finding.metric == "time_to_notification" else ", since calls failed"
        return f" ({lower} at least{why})"
    return f" ({lower} to {upper})"

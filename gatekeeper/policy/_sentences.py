"""A requirement in plain English: what it is called, what is demanded, what each outcome means, what it weighs."""

from __future__ import annotations

from gatekeeper.evidence.notation import write_declared, write_declared_share, write_magnitude
from gatekeeper.metrics import Metric
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy.schema import Basis, Context, Policy, Requirement
from gatekeeper.policy.titles import plural, spoken, standing_of, title_of
from gatekeeper.statistics import DEFAULT_METHOD

_BETWEEN = {
    "R0": "when the same input is given again",
    "R1": "when cases are given one at a time, the last one first",
    "R2": "when numbers are {format} instead of what the run uses",
    "R3": "when the image changes in ways that mean nothing{changes}",
    "R4": "between true repeats of one {unit}",
}
_STAGES = {
    "end_to_end": ", from the files to the result,",
    "read": ", the reading of its files alone,",
    "decode": ", the decoding alone,",
    "preprocess": ", the preprocessing alone,",
    "transfer": ", the transfer to the device alone,",
    "forward": ", the forward pass alone,",
    "postprocess": ", the postprocessing alone,",
    "cold_start": ", the start of a new process alone,",
    "first_case": ", the first of a new process,",
}
_OWN = {"computed": "Computed by this project.", "project_choice": "Chosen by this project: no source prescribes it."}
_METHODS = {"wilson": "Wilson score", "clopper_pearson": "Clopper-Pearson (exact)", "jeffreys": "Jeffreys"}


def demanded(requirement: Requirement) -> str:
    """Return which end must clear which value, in few words: ``lower limit at least 80 %``."""
    value = write_value(requirement.spec, requirement.threshold.value)
    return f"{requirement.threshold.of.replace('_', ' ')} {side_of(requirement)} {value}"


def demand_of(requirement: Requirement, policy: Policy) -> str:
    """Return what is demanded as one sentence or two."""
    threshold, side = requirement.threshold, side_of(requirement)
    value = write_value(requirement.spec, threshold.value)
    reached = f"{value} or later" if requirement.spec.unit == "severity" else f"{side} {value}"
    wanted = f"{subject_of(requirement, policy)} must be {reached}"
    if threshold.of == "estimate":
        return f"{wanted}. The value measured decides by itself, without an interval."
    end = "lower" if threshold.of == "lower_limit" else "upper"
    sure = write_declared_share(requirement.confidence)
    return f"{wanted}: the {end} limit of the two-sided {sure} interval has to clear it, not the estimate."


def subject_of(requirement: Requirement, policy: Policy) -> str:
    """Return what the demand is about, as the subject of a sentence."""
    name, context = requirement.spec.name, policy.context
    if requirement.prevalence is not None:
        return _in_use(requirement, context)
    if requirement.level is not None:
        return _between_repeats(requirement, policy)
    if requirement.perturbation is not None:
        return _under_stress(requirement, policy)
    units, positive = plural(context.unit), context.positive or "as the label says"
    subjects = {
        "sensitivity": f"Of the positive {units} ({positive}), the share found",
        "specificity": f"Of the negative {units} (not {positive}), the share that raises no alarm",
        "precision": "Of the alarms in the test set, the share that is right",
        "npv": "Of the all-clears in the test set, the share that is right",
        "accuracy": f"Of all {units}, the share that is called right",
        "auroc": f"The share of pairs in which a positive {context.unit} ({positive}) scores above a negative one",
        "imageability": f"Of all {units}, the share that gets an answer",
        "refusal_rate": f"Of the unusable inputs ({', '.join(map(spoken, policy.refusals))}), the share refused",
        "latency": f"The time{_stage(requirement)} within which {requirement.percentile or 0.0:g} of 100 answers come",
        "mean_latency": f"The mean time to an answer{_stage(requirement)}",
        "throughput": f"How many {units} a second get an answer, asked without a pause{_stage(requirement)}",
        "peak_memory": f"The most memory of the {requirement.of_memory} that is held",
        "time_to_notification": f"Where {units} arrive at random at the rate of latency.load, the time from arrival to "
        f"result within which {requirement.percentile or 0.0:g} of 100 have theirs",
        "waiting_time_saved": f"By how much less a positive {context.unit} ({positive}) waits for a reader on average "
        "when alarms are read first than first come, first served, at the rates of latency.load",
    }
    of = f" of the {requirement.structure}" if requirement.structure else ""
    return subjects.get(name, f"{requirement.spec.title}{of}") + _operating_point(requirement)


def outcomes_of(requirement: Requirement) -> dict[str, str]:
    """Return what each of the three outcomes means here."""
    threshold, value = requirement.threshold, write_value(requirement.spec, requirement.threshold.value)
    good, bad = ("at or above", "below") if threshold.at_least is not None else ("at or below", "above")
    gate = {
        "not met": "the verdict is FAIL" if requirement.blocking else "reported, no more",
        "not decided": "the verdict is no PASS" if requirement.blocking else "reported, no more",
    }
    if threshold.of == "estimate":
        return {
            "met": f"the value is {good} {value}",
            "not met": f"the value is {bad} {value}; {gate['not met']}",
            "not decided": f"it cannot be measured; {gate['not decided']}",
        }
    worse, better = ("lower", "upper") if threshold.at_least is not None else ("upper", "lower")
    return {
        "met": f"the {worse} limit is {good} {value}",
        "not met": f"the {better} limit is {bad} {value}; {gate['not met']}",
        "not decided": f"{value} lies within the interval, or there is none: more cases are needed; "
        f"{gate['not decided']}",
    }


def interval_of(requirement: Requirement) -> str:
    """Return how the interval is made that decides; why there is none for a demand on the value itself."""
    spec = requirement.spec
    if requirement.threshold.of == "estimate":
        return "none: the value measured decides, and chance in the choice of cases is not allowed for"
    effective = "; on the effective number of cases (Korn & Graubard) where a patient has several"
    if spec.name in ("precision", "npv") and requirement.prevalence is not None:
        return f"logit of Mercaldo, Lau & Zhou, the prevalence taken as known{effective}"
    if requirement.other_rate is not None and spec.proportion is not None:
        return f"MOVER (Zou & Donner) of limits of the rate and of the cut of the score{effective}"
    if requirement.interval is not None:
        return f"{_METHODS[requirement.interval]}, named by the policy{effective}"
    return f"{_METHODS[DEFAULT_METHOD]}{effective}" if spec.proportion is not None else spec.interval or "none"


def weight_of(id_: str, policy: Policy) -> str:
    """Return whether a requirement blocks, its place in the order, and what the order means for its claim."""
    if not policy.requirements[id_].blocking:
        return "Advisory: judged and shown; it never closes the gate and is never claimed."
    place, count = policy.order.index(id_) + 1, len(policy.order)
    if count == 1:
        return "Blocking, the only one."
    blocking = f"Blocking, number {place} of {count}."
    if policy.multiplicity == "holm":
        strictest = 1.0 - (1.0 - policy.requirements[id_].confidence) / count
        return (
            f"{blocking} Claimed by Holm's procedure: those that are met at a confidence of "
            f"{write_declared_share(strictest)} first, then the rest at the error that is left. The order does not "
            f"matter."
        )
    if place == 1:
        return f"{blocking} In serial order the first to be claimed: all others wait for it."
    before = ", ".join(policy.order[: place - 1])
    verb = "is" if place == 2 else "are"
    return (
        f"{blocking} In serial order it is claimed only when {'the one' if place == 2 else 'all'} before it {verb} met "
        f"({before}); it is judged and shown all the same."
    )


def basis_of(basis: Basis | None) -> str:
    """Return where a number comes from, and how sure that is."""
    if basis is None:
        return "No basis is given."
    note = f" {basis.note.strip()}" if basis.note else ""
    own = _OWN.get(basis.status) if basis.source == "project" else None
    return f"{own or f'{basis.source} ({standing_of(basis)}).'}{note}"


def write_value(spec: Metric, value: float) -> str:
    """Write a value in the unit of a metric: ``80 %``, ``0.91``, ``200 ms``, ``severity 2``."""
    return write_declared(value, spec.name, spec.unit)


def side_of(requirement: Requirement) -> str:
    """Return ``at least`` or ``at most``."""
    return "at least" if requirement.threshold.at_least is not None else "at most"


def uncapitalised(title: str) -> str:
    """Return a title within a sentence; abbreviations stay as they are."""
    return title if title[1:2].isupper() else f"{title[:1].lower()}{title[1:]}"


def _in_use(requirement: Requirement, context: Context) -> str:
    units, positive = plural(context.unit), context.positive or "as the label says"
    declared = write_declared_share(requirement.prevalence or 0.0)
    share = {
        "precision": "the share of alarms that is right",
        "npv": "the share of all-clears that is right",
        "abnormal_interpretation_rate": f"the share of all {units} that raises an alarm",
        "detection_rate": f"the share of all {units} that is positive and raises an alarm",
    }.get(requirement.spec.name, f"the {uncapitalised(requirement.spec.title)}")
    return f"Where {declared} of {units} are positive ({positive}), {share}"


def _between_repeats(requirement: Requirement, policy: Policy) -> str:
    unit = policy.context.unit
    what = {
        "flip_rate": f"The share of {plural(unit)} whose call changes",
        "max_deviation": "The largest change of a score",
        "within_subject_sd": "The standard deviation of the score",
    }.get(requirement.spec.name, requirement.spec.title)
    of = f" of the {requirement.structure}" if requirement.structure else ""
    tried = [
        f"{spoken(name)} of {write_magnitude(size, PERTURBATIONS.get(name).unit)}"
        for name, size in policy.benign_magnitudes.items()
    ]
    changes, reruns = f" ({', '.join(tried)})" if tried else "", policy.repeatability.reruns
    often = f", up to {reruns} times" if requirement.level == "R0" and reruns > 1 else ""
    when = _BETWEEN[requirement.level or "R4"].format(unit=unit, format=requirement.compared_format, changes=changes)
    return f"{what}{of} {when}{often}"


def _under_stress(requirement: Requirement, policy: Policy) -> str:
    name = requirement.perturbation or ""
    ladder, severity = policy.magnitudes(name), requirement.severity
    followed = "" if requirement.of is None else title_of(policy.requirements[requirement.of], policy)
    if severity is None:
        return f"The first step of {spoken(name)} at which {followed} is no longer met"
    size = write_magnitude(ladder[severity - 1], PERTURBATIONS.get(name).unit)
    under = f"Under {spoken(name)} of {size} (step {severity} of {len(ladder)})"
    if requirement.of is None:
        return f"{under}, the share of {plural(policy.context.unit)} whose call changes"
    return f"{under}, what is lost of {followed}"


def _stage(requirement: Requirement) -> str:
    of = " (calls of a whole batch)" if requirement.batch == "declared" else ""
    return of + _STAGES.get(requirement.stage or "inference", "")


def _operating_point(requirement: Requirement) -> str:
    if requirement.at_sensitivity is not None:
        return f", at a sensitivity of {requirement.at_sensitivity}"
    if requirement.at_specificity is not None:
        return f", at a specificity of {requirement.at_specificity}"
    if requirement.at_false_positives_per_case is not None:
        return f", at {requirement.at_false_positives_per_case} false positives a case"
    return ""

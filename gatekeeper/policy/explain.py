"""What a policy requires, why, how sure the gate wants to be, and how many cases that takes."""

from __future__ import annotations

from collections.abc import Sequence

from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import Record
from gatekeeper.metrics import Metric
from gatekeeper.policy._design import Design
from gatekeeper.policy._designs import design_of
from gatekeeper.policy._meaning import misnamed
from gatekeeper.policy._sentences import basis_of, demand_of, interval_of, outcomes_of, weight_of, write_value
from gatekeeper.policy._sizes import POWERS, Plan, SampleSizes, Size, sizes_of
from gatekeeper.policy.schema import Policy, Requirement
from gatekeeper.policy.titles import title_of
from gatekeeper.quantities import parse_quantity

__all__ = ["Explanation", "Plan", "SampleSizes", "Size", "explain_policy", "explain_requirement", "read_plan"]


class Explanation(Record):
    """One requirement in plain English, and its sample sizes.

    ``outcomes`` says what met, not met and not decided mean here; ``not_measured`` what of it this version cannot
    measure, None if nothing. Every text is one or several whole sentences, but for ``interval`` and ``outcomes``.
    """

    id: str
    title: str
    blocking: bool
    demand: str
    measured: str
    source: str
    denominator: str
    confidence: float | None
    interval: str
    caution: str | None = None
    outcomes: dict[str, str]
    weight: str
    basis: str
    relaxed: str | None = None
    clause: str | None = None
    hazard: str | None = None
    subgroups: str | None = None
    waiver: str | None = None
    not_measured: str | None = None
    sizes: SampleSizes


def explain_policy(policy: Policy, plan: Plan | None = None) -> tuple[Explanation, ...]:
    """Explain every requirement: blocking ones in the policy's order, then advisory ones."""
    advisory = (id_ for id_, requirement in policy.requirements.items() if not requirement.blocking)
    return tuple(explain_requirement(policy, id_, plan) for id_ in (*policy.order, *advisory))


def explain_requirement(policy: Policy, id_: str, plan: Plan | None = None) -> Explanation:
    """Explain one requirement. Raises UsageError when the policy has none of this id."""
    requirement = _find(policy, id_)
    spec = requirement.spec
    return Explanation(
        id=id_,
        title=title_of(requirement, policy),
        blocking=requirement.blocking,
        demand=demand_of(requirement, policy),
        measured=f"{_sentence(spec.definition)} {_range(spec)}",
        source=spec.source,
        denominator=f"Counted over {spec.n_of}. Without a value: {spec.undefined}.",
        confidence=None if requirement.threshold.of == "estimate" else requirement.confidence,
        interval=interval_of(requirement),
        caution=_sentence(spec.caution[:1].upper() + spec.caution[1:]) if spec.caution else None,
        outcomes=outcomes_of(requirement),
        weight=weight_of(id_, policy),
        basis=basis_of(requirement.basis),
        relaxed=_relaxed(requirement),
        clause=requirement.clause,
        hazard=requirement.hazard,
        subgroups=_subgroups(id_, policy),
        waiver=_waiver(id_, policy),
        not_measured=_not_measured(requirement, policy),
        sizes=sizes_of(requirement, policy, plan or Plan()),
    )


def read_plan(
    policy: Policy,
    id_: str | None,
    truths: Sequence[str] = (),
    powers: Sequence[str] = (),
    confidence: str | None = None,
    positives_per_negative: float = 1.0,
) -> Plan:
    """Read what a study is planned for, as written on a command line: ``0.9``, ``90 %``, ``0.05``.

    ``truths`` are in the unit of the requirement ``id_``; of a percentile, the share of calls that are fast enough.
    Raises UsageError for what cannot be read or planned for.
    """
    if truths and id_ is None:
        raise UsageError(
            Code.MISSING_KEY, "a true value is one of a requirement", mend="name the requirement after the policy"
        )
    if not 0.0 < positives_per_negative < float("inf"):
        raise UsageError(Code.BAD_VALUE, "the class ratio is more than 0", mend="write it like --ratio 0.5")
    read_confidence = None if confidence is None else _share(confidence, "confidence", 0.5)
    return Plan(
        truths=_truths(_find(policy, id_), policy, truths) if id_ is not None and truths else (),
        powers=tuple(_share(power, "power", 0.0) for power in powers) or POWERS,
        confidence=read_confidence,
        positives_per_negative=positives_per_negative,
    )


def _find(policy: Policy, id_: str) -> Requirement:
    if id_ not in policy.requirements:
        fault = misnamed("requirement", id_, policy.requirements, ())
        raise UsageError(fault.code, fault.what, where=policy.id, mend=fault.mend)
    return policy.requirements[id_]


def _truths(requirement: Requirement, policy: Policy, written: Sequence[str]) -> tuple[float, ...]:
    design = design_of(requirement, policy)
    if design.count is None:
        why = design.notes[0] if design.notes else None
        raise UsageError(Code.BAD_VALUE, "no sample size depends on a true value here", why=why, mend="leave it out")
    unit = "1" if requirement.spec.suite == "latency" else requirement.spec.unit
    truths = tuple(_number(text, unit, "true value") for text in written)
    for truth in truths:
        _check_truth(truth, design)
    return truths


def _check_truth(truth: float, design: Design) -> None:
    if min(design.goal, design.end) < truth < max(design.goal, design.end):
        return
    better, goal, end = (
        "above" if design.end > design.goal else "below",
        design.write(design.goal),
        design.write(design.end),
    )
    raise UsageError(
        Code.BAD_VALUE,
        f"a true value of {design.write(truth)} clears no threshold of {goal}",
        why="no number of cases shows what is not so",
        mend=f"give one {better} {goal}, on this side of {end}",
    )


def _share(written: str, what: str, above: float) -> float:
    share = _number(written, "1", what)
    if not above < share < 1.0:
        raise UsageError(Code.BAD_VALUE, f"a {what} lies between {above:g} and 1", mend="write it like 0.9 or 90 %")
    return share


def _number(written: str, unit: str, what: str) -> float:
    try:
        return parse_quantity(float(written) if _is_bare(written) else written, unit)
    except ValueError as error:
        raise UsageError(Code.BAD_VALUE, f'cannot read the {what} "{written}"', why=str(error)) from error


def _is_bare(written: str) -> bool:
    try:
        float(written)
    except ValueError:
        return False
    return True


def _range(spec: Metric) -> str:
    span = f"From {write_value(spec, spec.lowest)} to {write_value(spec, spec.highest)}"
    if spec.unit == "s":
        span = "In seconds"
    return f"{span}; {'more' if spec.higher_is_better else 'less'} is better."


def _relaxed(requirement: Requirement) -> str | None:
    if requirement.relaxes is None:
        return None
    return f"Less than a layer below asks: {_sentence(requirement.relaxes.why)} Decided by {requirement.relaxes.by}."


def _subgroups(id_: str, policy: Policy) -> str | None:
    asked = policy.subgroups
    if asked is None or id_ not in asked.requirements:
        return None
    spec = policy.requirements[id_].spec
    gate = "each group can close the gate" if asked.blocking else "reported, they never close the gate"
    expected = "".join(
        f" Expected of {name.replace('_', ' ')}: {', '.join(groups)}." for name, groups in asked.expected.items()
    )
    by = ", ".join(name.replace("_", " ") for name in asked.by)
    most = str(asked.largest_gap.get(id_, "")).replace("%", "points")
    gap = f" The best and the worst group may lie at most {most} apart, by the upper limit." if most else ""
    groups = f"in groups of {asked.min_cases:,} {spec.n_of} or more, and for the worst of them"
    return f"Looked at again by {by}, {groups}; {gate}.{expected}{gap}"


def _waiver(id_: str, policy: Policy) -> str | None:
    for waiver in policy.waivers:
        if waiver.requirement == id_:
            return f"Waived until {waiver.expires} by {waiver.by}: {_sentence(waiver.reason)} The finding still shows."
    return None


def _not_measured(requirement: Requirement, policy: Policy) -> str | None:
    followed = policy.requirements.get(requirement.of or "", requirement)
    missing = requirement.not_measured or followed.not_measured
    if missing is None:
        return None
    end = " The verdict cannot be PASS with it." if requirement.blocking else ""
    return f"This version of gatekeeper does not measure it yet ({missing}): it stays not decided.{end}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."

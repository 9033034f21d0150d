"""How many cases a requirement needs, by the interval that the gate will use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gatekeeper.evidence import Record
from gatekeeper.evidence.notation import write_declared_share
from gatekeeper.policy._design import MOST_CASES, Cases, Design
from gatekeeper.policy._designs import design_of
from gatekeeper.policy._sentences import side_of, write_value
from gatekeeper.policy.schema import Policy, Requirement
from gatekeeper.policy.titles import title_of

POWERS = (0.8, 0.9)


class Size(Record):
    """How many cases let a requirement be met with probability ``power`` when the true value is ``truth``.

    ``cases`` counts what each of its keys names; None where none is found, for the reason in ``why``.
    """

    truth: float
    truth_words: str
    power: float
    cases: dict[str, int] | None
    why: str | None = None


class SampleSizes(Record):
    """How many independent cases a requirement needs.

    ``purpose`` is what they are to show. ``fewest`` is the smallest test set on which it can be met if all
    comes out as ``best`` says. Without ``sizes``, ``notes`` say why.
    """

    purpose: str
    method: str
    assumptions: tuple[str, ...] = ()
    sizes: tuple[Size, ...] = ()
    fewest: dict[str, int] | None = None
    best: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a study is planned for: true values in the metric's unit, powers, confidence, positives a negative.

    Without ``truths`` two are chosen: a quarter, and half, of the way from the threshold to the best value. Without
    ``confidence`` it is the requirement's.
    """

    truths: tuple[float, ...] = ()
    powers: tuple[float, ...] = POWERS
    confidence: float | None = None
    positives_per_negative: float = 1.0


def sizes_of(requirement: Requirement, policy: Policy, plan: Plan) -> SampleSizes:
    """Return how many cases a requirement of this policy needs."""
    if plan.confidence is not None:
        requirement = requirement.model_copy(update={"confidence": plan.confidence})
    design = design_of(requirement, policy, plan.positives_per_negative)
    name, value = title_of(requirement, policy), write_value(requirement.spec, requirement.threshold.value)
    purpose = f"{name}, {side_of(requirement)} {value}"
    if requirement.threshold.of != "estimate":
        purpose += f", with {write_declared_share(requirement.confidence)} confidence (two-sided)"
    return SampleSizes(
        purpose=purpose,
        method=design.method,
        assumptions=design.assumptions + (_chosen(plan, design) if design.count else ()),
        sizes=tuple(_sizes(design, plan)),
        fewest=design.fewest,
        best=design.best,
        notes=design.notes,
    )


def default_truths(goal: float, best: float) -> tuple[float, float]:
    """Return true values half, and a quarter, of the way from the threshold to the best value, in round numbers."""
    gap = best - goal
    if best not in (0.0, 1.0):
        return float(f"{goal + gap * 0.5:.3g}"), float(f"{goal + gap * 0.25:.3g}")
    half, quarter = (best - float(f"{gap * share:.2g}") for share in (0.5, 0.75))
    return float(f"{half:.10g}"), float(f"{quarter:.10g}")


def _sizes(design: Design, plan: Plan) -> Sequence[Size]:
    count = design.count
    if count is None:
        return []
    truths = plan.truths or design.usual or default_truths(design.goal, design.end)
    return [_size(design, count, truth, power) for truth in truths for power in plan.powers]


def _size(design: Design, count: Callable[[float, float], Cases | str], truth: float, power: float) -> Size:
    words = design.write(truth)
    if not min(design.goal, design.end) < truth < max(design.goal, design.end):
        why = f"it does not lie strictly between {design.write(design.goal)} and {design.write(design.end)}"
        return Size(truth=truth, truth_words=words, power=power, cases=None, why=why)
    try:
        found = count(truth, power)
    except ValueError:
        found = f"more than {MOST_CASES:,} would be needed"
    if isinstance(found, str):
        return Size(truth=truth, truth_words=words, power=power, cases=None, why=found)
    return Size(truth=truth, truth_words=words, power=power, cases=found)


def _chosen(plan: Plan, design: Design) -> tuple[str, ...]:
    if plan.truths:
        return ("The true values are those that you gave.",)
    if design.usual_words:
        return (f"The true values are those {design.usual_words}; --truth sets others.",)
    goal, end = design.write(design.goal), design.write(design.end)
    return (f"The true values are about half, and a quarter, of the way from {goal} to {end}; --truth sets others.",)

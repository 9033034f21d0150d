"""What is wrong with one part of a policy, every key of which is well formed: sentences, each at its key."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gatekeeper.catalogue import Catalogue, Entry, nearest
from gatekeeper.errors import Code
from gatekeeper.metrics import METRICS
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.quantities import parse_quantity
from gatekeeper.strict_yaml import KeyPath
from gatekeeper.validation import Fault

if TYPE_CHECKING:
    from gatekeeper.policy.schema import Context, Load, Requirement, Subgroups

# What a call of many cases is timed by: cases are read and prepared one by one, and a start has none.
_STAGES_OF_A_BATCH = ("inference", "transfer", "forward")
_POSITIVE_NUMBERS = (("tolerance", "mm"), ("at_false_positives_per_case", "count"), ("beta", "1"), ("miss_cost", "1"))
# What level R3 compares unless a policy says otherwise: at most one pixel, one degree, 1 % of intensity, for which no
# reader calls otherwise. A choice of this project.
BENIGN: dict[str, str | int | float] = {
    "translation_pixels": 1,
    "rotation": "1 degree",
    "brightness_raised": "1 %",
    "gaussian_noise": "1 %",
}
ENDS = ("lower_limit", "upper_limit", "estimate")
DECLARED = "declared"
OPTIONS = (
    "interval",
    "at_prevalence",
    "at_sensitivity",
    "at_specificity",
    "at_precision",
    "at_false_positives_per_case",
    "at_threshold_probability",
    "up_to_false_positive_rate",
    "beta",
    "miss_cost",
    "bins",
    "of_class",
    "average",
    "structure",
    "tolerance",
    "level",
    "numeric_format",
    "stage",
    "batch",
    "of_memory",
    "percentile",
    "of",
    "perturbation",
    "severity",
)


def faults_of_metric(name: str) -> Iterator[Fault]:
    """Say when no metric has this name or alias."""
    return unknown_in(METRICS, name)


def faults_of_context(context: Context) -> Iterator[Fault]:
    """Say what the task needs that the context does not name, and what it names that the task has no use for."""
    if context.task in ("classification", "detection") and context.positive is None:
        yield Fault((), f"a context of {context.task} says what a positive unit is", mend='add "positive:"')
    if context.task == "multiclass_classification" and len(context.classes) < 3:
        yield Fault(("classes",), "a multi-class classification names three classes or more", mend='add "classes:"')
    if context.task != "multiclass_classification" and context.classes:
        yield Fault(("classes",), f"a context of {context.task} names no classes", mend="remove it")
    if context.task in ("segmentation", "quantification") and not context.structures:
        yield Fault(("structures",), f"a context of {context.task} names what it measures", mend='add "structures:"')
    for key in ("classes", "structures"):
        names = getattr(context, key)
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Fault((key, index), f'"{name}" is listed twice', mend="keep one of the two")


def faults_of_expected_groups(subgroups: Subgroups) -> Iterator[Fault]:
    """Say which expected groups are of no attribute that is looked at, and which list is empty."""
    for attribute, groups in subgroups.expected.items():
        if attribute not in subgroups.by:
            yield misnamed("attribute", attribute, subgroups.by, ("expected", attribute))
        elif not groups:
            yield Fault(("expected", attribute), "no group is expected", mend="name the groups, or remove it")


def faults_of_load(load: Load) -> Iterator[Fault]:
    """Say why a prevalence is none, and when readers get more than they can read."""
    if load.prevalence != DECLARED:
        yield from faults_of_share(load.prevalence, ("prevalence",))
    work = load.arrivals_per_hour * (load.reading_minutes or 0.0) / 60.0
    if work >= load.readers:
        what = f"{work:g} hours of reading arrive in an hour, for readers: {load.readers}: the queue grows without end"
        yield Fault(("arrivals_per_hour",), what, mend="name more readers, a shorter reading, or fewer arrivals")


def faults_of_requirement(requirement: Requirement) -> Iterator[Fault]:
    """Say what does not fit the metric: options, the end of the interval, the side and size of the threshold."""
    yield from _faults_of_options(requirement)
    yield from _faults_of_limits(requirement)


def faults_of_ladder(name: str, steps: tuple[str | int | float, ...]) -> Iterator[Fault]:
    """Say why severities are no ladder: unknown perturbation, unreadable, out of range, not climbing."""
    unknown = list(unknown_in(PERTURBATIONS, name, (name,)))
    if unknown:
        yield from unknown
        return
    perturbation = PERTURBATIONS.get(name)
    unreadable = [
        fault
        for index, step in enumerate(steps)
        for fault in faults_of_quantity(step, perturbation.unit, (name, index))
    ]
    if unreadable:
        yield from unreadable
        return
    values = [parse_quantity(step, perturbation.unit) for step in steps]
    span = f"{perturbation.lowest:g} to {perturbation.highest:g} {perturbation.unit}"
    for index, value in enumerate(values):
        if not perturbation.lowest <= value <= perturbation.highest:
            yield Fault((name, index), f"the severity lies outside {span}")
        elif value == perturbation.neutral:
            yield Fault((name, index), f"at {value:g} {perturbation.unit} nothing changes", mend="remove it")
    apart = [abs(value - perturbation.neutral) for value in values]
    if not apart or apart != sorted(set(apart)):
        yield Fault((name,), "severities are listed from the least to the greatest, none twice")


def faults_of_share(written: str | int | float, path: KeyPath = (), what: str = "a prevalence") -> Iterator[Fault]:
    """Say why a quantity is no share strictly between 0 and 1."""
    if written == DECLARED:
        mend = "add context.prevalence with its value and basis, or write the prevalence here"
        yield Fault(path, "the context declares no prevalence", mend=mend)
        return
    unreadable = list(faults_of_quantity(written, "1", path))
    if unreadable:
        yield from unreadable
    elif not 0.0 < parse_quantity(written, "1") < 1.0:
        yield Fault(path, f"{what} lies between 0 and 1")


def _faults_of_options(requirement: Requirement) -> Iterator[Fault]:
    spec = requirement.spec
    given = {name for name in OPTIONS if getattr(requirement, name) is not None}
    for name in sorted(spec.must - given):
        yield Fault((), f"the metric {spec.name} needs {name}", mend=f'add "{name}:"')
    for name in sorted(given - spec.options):
        yield Fault((name,), f"the metric {spec.name} does not take {name}", mend="remove it")
    if requirement.at_prevalence is not None:
        yield from faults_of_share(requirement.at_prevalence, ("at_prevalence",))
        if requirement.interval is not None:
            what = "at a prevalence, the metric has an interval of its own, made from sensitivity and specificity"
            yield Fault(("interval",), what, mend="remove it")
    for name in ("at_sensitivity", "at_specificity", "at_precision"):
        written = getattr(requirement, name)
        if written is not None:
            yield from faults_of_share(written, (name,), "an operating point")
            if requirement.interval is not None:
                what = "at another operating point, the interval allows for the choice of the cut as well"
                yield Fault(("interval",), what, mend="remove it")
    for name in ("at_threshold_probability", "up_to_false_positive_rate"):
        written = getattr(requirement, name)
        if written is not None:
            yield from faults_of_share(written, (name,), name)
    if requirement.numeric_format is not None and requirement.level != "R2" and "level" in spec.options:
        mend = "write level: R2, or remove it"
        yield Fault(("numeric_format",), "another numeric format is compared at level R2 alone", mend=mend)
    if requirement.percentile == 100.0:
        what = "the slowest of all calls has no upper limit, however many were timed"
        mend = "write a percentile such as 99.9, for which 3,688 calls are needed; the slowest is in every dossier"
        yield Fault(("percentile",), what, mend=mend)
    if requirement.batch == "declared" and (requirement.stage or "inference") not in _STAGES_OF_A_BATCH:
        stages = ", ".join(_STAGES_OF_A_BATCH)
        yield Fault(("batch",), f"a batch is timed by {stages}, not by {requirement.stage}", mend="remove it")
    for name, unit in _POSITIVE_NUMBERS:
        written = getattr(requirement, name)
        if written is None:
            continue
        unreadable = list(faults_of_quantity(written, unit, (name,)))
        yield from unreadable
        if not unreadable and not parse_quantity(written, unit) > 0.0:
            yield Fault((name,), f"{name} is more than 0")


def _faults_of_limits(requirement: Requirement) -> Iterator[Fault]:
    ends = [name for name in ENDS if getattr(requirement, name) is not None]
    if len(ends) != 1:
        yield Fault(tuple(ends[1:2]), "give exactly one of lower_limit, upper_limit, estimate")
        return
    end, limit = ends[0], getattr(requirement, ends[0])
    side = "at_least" if limit.at_least is not None else "at_most"
    demand = "at_least" if requirement.spec.higher_is_better else "at_most"
    unreadable = list(faults_of_quantity(getattr(limit, side), requirement.spec.unit, (end, side)))
    if end != "estimate" and requirement.spec.interval is None:
        yield Fault((end,), f"{requirement.spec.name} has no interval to require a limit of", mend='write "estimate:"')
    elif side != {"lower_limit": "at_least", "upper_limit": "at_most"}.get(end, side):
        wanted = "a lower limit is required to be at_least" if side == "at_most" else "an upper limit at_most"
        yield Fault((end, side), f"{wanted} something")
    elif side != demand:
        name = requirement.spec.name
        yield Fault((end, side), f"{name} is a metric on which {demand} is a demand; {side} demands nothing")
    elif unreadable:
        yield from unreadable
    elif not requirement.spec.lowest <= requirement.threshold.value <= requirement.spec.highest:
        span = f"{requirement.spec.lowest:g} to {requirement.spec.highest:g}"
        yield Fault((end, side), f"the threshold is outside the range of {requirement.spec.name}, {span}")


def unknown_in(catalogue: Catalogue[Entry], name: str, path: KeyPath = ()) -> Iterator[Fault]:
    """Say when a catalogue has no entry of this name."""
    if name not in catalogue:
        near = nearest(name, catalogue.names())
        mend = f'did you mean "{near}"?' if near else catalogue.how_to_see_all
        yield Fault(path, f'unknown {catalogue.kind} "{name}"', Code.UNKNOWN_NAME, mend)


def misnamed(kind: str, name: str, known: Iterable[str], path: KeyPath) -> Fault:
    """Return the fault of a name that leads nowhere, with the nearest one that does."""
    near = nearest(name, known)
    mend = f'did you mean "{near}"?' if near else f"known: {', '.join(sorted(known))}"
    return Fault(path, f'unknown {kind} "{name}"', Code.UNKNOWN_NAME, mend)


def faults_of_quantity(written: str | int | float, unit: str, path: KeyPath) -> Iterator[Fault]:
    """Say why a quantity cannot be read in this unit."""
    try:
        value = parse_quantity(written, unit)
    except ValueError as error:
        yield Fault(path, str(error))
    else:
        if not math.isfinite(value):
            yield Fault(path, "a number too large to compute with")

"""Explanations as text for a terminal: a column of headings, and paragraphs beside it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from gatekeeper.evidence.notation import write_declared_share
from gatekeeper.policy.explain import Explanation, SampleSizes, Size
from gatekeeper.policy.schema import Policy

_HEADING = 14
_OUTCOME = 13
_WIDEST = 110
_NARROWEST = 60
_BEFORE_A_UNIT = re.compile(r"(?<=\d) (?=%|ms\b|s\b|mm\b)")


def explanation_text(explanation: Explanation, policy: Policy, width: int) -> str:
    """Return all that is to be said of one requirement, in lines of at most ``width`` characters."""
    columns = min(max(width, _NARROWEST), _WIDEST)
    lines = [*_heading(explanation.title, f"{explanation.id} of {policy.id} {policy.version}", columns), ""]
    for heading, text in _parts(explanation):
        lines += _paragraph(heading, text, columns)
    lines += _outcomes(explanation, columns)
    for heading, text in _reasons(explanation):
        lines += _paragraph(heading, text, columns)
    lines += _sizes(explanation.sizes, columns)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def overview_text(explanations: Sequence[Explanation], policy: Policy, width: int) -> str:
    """Return the demand, basis and least number of cases of every requirement of a policy."""
    columns = min(max(width, _NARROWEST), _WIDEST)
    lines = [*_heading(policy.title, f"{policy.id} {policy.version}", columns), ""]
    lines += _wrapped(policy.context.intended_use, columns)
    for number, explanation in enumerate(explanations, start=1):
        weight = f"{number}" if explanation.blocking else "advisory"
        lines += ["", *_heading(f"{weight}  {explanation.title}", explanation.id, columns)]
        for text in _brief(explanation):
            lines += _wrapped(text, columns, "   ", "   ")
    lines += ["", f"All of one requirement: gatekeeper policy explain POLICY {explanations[0].id}"]
    return "\n".join(lines) + "\n"


def _parts(explanation: Explanation) -> Iterator[tuple[str, str]]:
    yield "Demand", explanation.demand
    if explanation.not_measured:
        yield "Not measured", explanation.not_measured
    yield "What it is", explanation.measured
    yield "", explanation.denominator
    yield "", f"Source: {explanation.source}."
    yield "How sure", f"Interval: {explanation.interval}."
    if explanation.caution:
        yield "", f"Caution: {explanation.caution}"


def _reasons(explanation: Explanation) -> Iterator[tuple[str, str]]:
    yield "Weight", explanation.weight
    yield "Basis", explanation.basis
    for heading, text in (
        ("", explanation.relaxed),
        ("Clause", explanation.clause),
        ("Hazard", explanation.hazard),
        ("Subgroups", explanation.subgroups),
        ("Waiver", explanation.waiver),
    ):
        if text:
            yield heading, text


def _heading(title: str, names: str, columns: int) -> list[str]:
    line = f"{title}   ({names})"
    return [line] if len(line) <= columns else [*_wrapped(title, columns), f"({names})"]


def _paragraph(heading: str, text: str, columns: int) -> list[str]:
    return _wrapped(text, columns, heading.ljust(_HEADING), " " * _HEADING)


def _wrapped(text: str, columns: int, first: str = "", rest: str = "") -> list[str]:
    """Break a text into lines, but not between a number and its unit."""
    plain = _BEFORE_A_UNIT.sub("\u00a0", " ".join(text.split()))
    lines = textwrap.wrap(plain, columns, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return [line.replace("\u00a0", " ") for line in lines]


def _outcomes(explanation: Explanation, columns: int) -> Iterator[str]:
    indent = " " * (_HEADING + _OUTCOME)
    for outcome, text in explanation.outcomes.items():
        first = " " * _HEADING + outcome.ljust(_OUTCOME)
        yield from _wrapped(text, columns, first, indent)


def _sizes(sizes: SampleSizes, columns: int) -> Iterator[str]:
    if not sizes.sizes and sizes.fewest is None:
        yield from _paragraph("How many", " ".join(sizes.notes), columns)
        return
    names = next((" + ".join(size.cases) for size in sizes.sizes if size.cases), "").replace(" cases + ", " + ")
    purpose = f"To show {sizes.purpose}, takes this many {names}:" if names else f"{sizes.purpose}:"
    yield from _paragraph("How many", purpose, columns)
    yield from _table(sizes.sizes)
    for truth, why in dict.fromkeys((size.truth_words, size.why) for size in sizes.sizes if size.why):
        yield from _paragraph("", f"{truth}: {why}.", columns)
    if sizes.fewest is not None:
        yield from _paragraph("", _least(sizes), columns)
    method = f"{sizes.method[0].upper()}{sizes.method[1:]}."
    yield from _paragraph("", " ".join((method, *sizes.assumptions, *sizes.notes)), columns)


def _table(sizes: Sequence[Size]) -> Iterator[str]:
    """Set out one row a true value, one column a power."""
    if not sizes:
        return
    powers = dict.fromkeys(size.power for size in sizes)
    truths = dict.fromkeys(size.truth_words for size in sizes)
    first = max(12, *(len(truth) + 1 for truth in truths))
    width = max(15, *(len(_number(size)) + 2 for size in sizes))
    header = "".join(f"{f'power {write_declared_share(power)}':>{width}}" for power in powers)
    yield f"{'':{_HEADING}}{'true value':{first}}{header}"
    for truth in truths:
        numbers = "".join(f"{_number(size):>{width}}" for size in sizes if size.truth_words == truth)
        yield f"{'':{_HEADING}}{truth:{first}}{numbers}"


def _number(size: Size) -> str:
    return "–" if size.cases is None else " + ".join(f"{number:,}" for number in size.cases.values())


def _least(sizes: SampleSizes) -> str:
    counted = _spoken(sizes.fewest or {})
    if not sizes.best:
        return f"It takes {counted} at least."
    return f"If {sizes.best}, {counted} are enough; fewer are not."


def _spoken(cases: dict[str, int]) -> str:
    return " and ".join(f"{number:,} {name}" for name, number in cases.items())


def _brief(explanation: Explanation) -> Iterator[str]:
    yield explanation.demand
    if explanation.not_measured:
        yield explanation.not_measured
    yield explanation.basis
    sizes = explanation.sizes
    first = next((size for size in sizes.sizes if size.cases), None)
    told = []
    if sizes.fewest is not None:
        told.append(f"at least {_spoken(sizes.fewest)}{f' if {sizes.best}' if sizes.best else ''}")
    if first is not None and first.cases is not None:
        power = write_declared_share(first.power)
        told.append(f"{_spoken(first.cases)} when the true value is {first.truth_words} (power {power})")
    if told:
        yield f"Needs {'; '.join(told)}."

"""The catalogue as a page: every metric with what it means, how sure it is, and where that ends."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from gatekeeper.metrics.specification import EVERY_TASK, Metric, Suite

HEAD = """\
# Metrics

Every metric that a policy can require, with its definition, the convention that is meant where several are in use, and
how its interval is made. Generated from the catalogue by `gatekeeper policy metrics --markdown`; do not edit it by
hand.

How often the intervals hold the truth has been measured: see [coverage.md](coverage.md). Patients are resampled, never
images. A metric without a value is *not decided*: it closes the gate and never opens it.
"""
_SUITES = {
    Suite.PERFORMANCE: "How often the model is right",
    Suite.REPEATABILITY: "How steady the answer is",
    Suite.ROBUSTNESS: "What is left under stress",
    Suite.REFUSAL: "What is declined",
    Suite.LATENCY: "How long it takes",
}
_UNITS = {
    **{unit: unit for unit in ("s", "mm", "mL", "MiB", "cases/s")},
    "count": "a number",
    "severity": "a step of the ladder",
}


def metrics_markdown(metrics: Iterable[Metric]) -> str:
    """Return the page: a table of all, then each by suite."""
    listed = sorted(metrics, key=lambda spec: list(_SUITES).index(spec.suite))
    lines = ["| metric | better | range | tasks |", "| --- | --- | --- | --- |"]
    lines += [
        f"| [{spec.title}](#{spec.name}) `{spec.name}` | {direction_of(spec)} | {range_of(spec)} | {tasks_of(spec)} |"
        for spec in listed
    ]
    sections = [
        f"\n## {title}\n" + "".join(_entry(spec) for spec in listed if spec.suite is suite)
        for suite, title in _SUITES.items()
    ]
    return HEAD + "\n" + "\n".join(lines) + "\n" + "".join(sections)


def metric_text(spec: Metric, width: int = 100) -> str:
    """Return one entry for a terminal of so many columns."""
    lines = [spec.title, ""]
    for name, said in facts_of(spec):
        lines += textwrap.wrap(said, width, initial_indent=f"  {name:<16}  ", subsequent_indent=" " * 20)
    return "\n".join(lines) + "\n"


def facts_of(spec: Metric) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of a metric, each with its name."""
    yield "in a policy", f"metric: {spec.name}" + (f" (or {', '.join(spec.aliases)})" if spec.aliases else "")
    yield "definition", spec.definition
    if spec.convention:
        yield "convention", spec.convention
    yield "range", f"{range_of(spec)}; {direction_of(spec)} is better"
    if spec.options:
        yield "takes", ", ".join(f"{name} (needed)" if name in spec.must else name for name in sorted(spec.options))
    yield "n counts", spec.n_of
    yield "no value when", spec.undefined
    yield "interval", spec.interval or "none: only its estimate can be required"
    if spec.caution:
        yield "caution", spec.caution
    yield "tasks", tasks_of(spec)
    yield "source", spec.source
    if not spec.measured:
        yield "not measured yet", "a requirement on it is accepted, and not decided by this version"


def direction_of(spec: Metric) -> str:
    """Return which way is better."""
    return "higher" if spec.higher_is_better else "lower"


def range_of(spec: Metric) -> str:
    """Return the range of values in words."""
    ends = (spec.lowest, spec.highest)
    low, high = (f"{end:,.0f}" if abs(end) >= 1000 else f"{end:g}" for end in ends)
    unit = _UNITS.get(spec.unit)
    return f"{low} to {high}" + (f" ({unit})" if unit else "")


def tasks_of(spec: Metric) -> str:
    """Return the tasks in whose policies a metric can stand."""
    names = sorted(spec.tasks)
    return "all" if spec.tasks == EVERY_TASK else ", ".join(name.replace("_", " ") for name in names)


def _entry(spec: Metric) -> str:
    facts = "".join(f"- **{name}**: {_escaped(said)}\n" for name, said in facts_of(spec))
    return f'\n<a id="{spec.name}"></a>\n### {spec.title}\n\n{facts}'


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")

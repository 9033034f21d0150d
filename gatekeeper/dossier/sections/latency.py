"""How long answers took: the distribution of timed calls, stages, the machine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Facts, Figure, Paragraph, Row, Table
from gatekeeper.dossier.charts import latency_chart, percentile
from gatekeeper.dossier.material import DossierMaterial, StageTimes
from gatekeeper.dossier.numerals import Style
from gatekeeper.dossier.sections.found import findings_of, words_of
from gatekeeper.evidence import Environment
from gatekeeper.metrics import Suite
from gatekeeper.policy import Requirement
from gatekeeper.suites.latency import LATENCY_ID, condition_of

_PERCENTILES = (50.0, 90.0, 95.0, 99.0)
_SHOWN = (50.0, 95.0, 99.0)


def latency(material: DossierMaterial) -> tuple[Block, ...]:
    """Show the distribution of timed calls, its percentiles, and the machine on which they were timed."""
    words = words_of(material, Suite.LATENCY)
    seconds = material.latency_seconds
    if not seconds:
        return (*words, Paragraph("No call was timed."), *_stages(material.stages))
    asked = material.policy.requirements
    wanted = [
        finding.threshold.value
        for finding in findings_of(material, Suite.LATENCY)
        if finding.id in asked and _is_of_the_chart(asked[finding.id])
    ]
    ordered = sorted(seconds)
    answered = [value for value in ordered if math.isfinite(value)]
    if not answered:
        return (*words, Paragraph(f"None of {numerals.counted(len(seconds), 'timed call')} gave an answer."))
    named = [(f"p{percent:g}", _time(percentile(ordered, percent))) for percent in _PERCENTILES]
    summary = ", ".join(f"{name} {value}" for name, value in [*named, ("slowest", _time(answered[-1]))])
    failed = len(seconds) - len(answered)
    summary += f", {failed:,} without an answer" if failed else ""
    environment = material.environment
    clock = environment.clocks.get(LATENCY_ID)
    warm_up = numerals.counted(material.policy.latency.warm_up_calls, "warm-up call")
    if clock is not None:
        settled = {True: ", then stable", False: ", still not stable", None: ""}[clock.stable]
        warm_up = numerals.counted(clock.warm_up_calls, "warm-up call") + settled
    facts = (
        ("Percentiles", f"{summary} ({numerals.counted(len(seconds), 'timed call')})"),
        ("Protocol", f"batch size 1, cases in turn, after {warm_up}; files may be in the system's cache"),
        ("Device", f"{environment.device_name} ({environment.device}), {environment.numeric_format}"),
        (
            "Processor",
            f"{environment.processor}, {numerals.counted(environment.cores, 'core')}, "
            f"{numerals.counted(environment.threads, 'thread')} used",
        ),
        *((f"Peak memory, {owner}", numerals.number(peak, Style.MEMORY)) for owner, peak in material.peak_mib),
        *_steadiness(environment),
    )
    caption = "Share of calls that were done by a time. A duration is the one kind of number that differs between runs."
    chart = Figure((latency_chart(seconds, sorted(set(wanted))),), caption)
    return (*words, chart, Facts(facts), *_stages(material.stages))


def _steadiness(environment: Environment) -> Iterator[tuple[str, str]]:
    """Say how long a fixed calculation took before and after each timed condition, and where that is too uneven."""
    for id_, clock in environment.clocks.items():
        noisy = "noisy: " if clock.noisy else ""
        told = f"{noisy}{_time(clock.before)} before, {_time(clock.after)} after, spread {clock.spread:.2g}"
        yield f"Fixed calculation, {id_.replace('_', ' ')}", told


def _stages(stages: Sequence[StageTimes]) -> Iterator[Table]:
    if not stages:
        return
    columns = (
        Column("Stage", 40.0),
        *(Column(name, 11.0, "right") for name in (*(f"p{percent:g}" for percent in _SHOWN), "slowest", "calls")),
    )
    rows = []
    for stage in stages:
        ordered = sorted(stage.seconds)
        told = [*(_time(percentile(ordered, percent)) for percent in _SHOWN), _time(ordered[-1]), f"{len(ordered):,}"]
        rows.append(Row((Cell(stage.name), *(Cell(one) for one in told))))
    yield Table("Time by stage", columns, tuple(rows))


def _is_of_the_chart(requirement: Requirement) -> bool:
    """Say whether a requirement is on what the chart shows: seconds of inference, one case at a time."""
    alone = condition_of(requirement) == LATENCY_ID and requirement.spec.name in ("latency", "mean_latency")
    return alone and requirement.stage in (None, "inference")


def _time(seconds: float) -> str:
    return numerals.number(seconds, numerals.Style.TIME) if math.isfinite(seconds) else "no answer"

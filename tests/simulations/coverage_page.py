"""The report of the simulations as a page, for people who have to defend an interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gatekeeper.metrics import METRICS, Metric

PROMISED, LEAST, MOST = 0.025, 0.93, 0.97
SIZES = {
    "below 100 cases": (1, 99),
    "100 to 299": (100, 299),
    "300 to 899": (300, 899),
    "900 and more": (900, 10**9),
}
SAME_FUNCTION = {
    "dice": "iou voxel_precision voxel_recall normalized_surface_distance normalized_surface_distance_by_area "
    "boundary_iou cl_dice panoptic_quality lesion_sensitivity lesion_precision",
    "hausdorff_95": "hausdorff hausdorff_95_pooled assd masd",
    "relative_volume_difference": "volume_bias absolute_volume_difference",
    "expected_calibration_error": "classwise_calibration_error",
    "sensitivity": "refusal_rate waiting_time_saved flips_under_stress",
    "mean_latency": "throughput",
}
HEAD = """\
# How often the intervals hold the truth

A gate that decides on the limit of an interval is as good as that limit. So the limits are not taken on trust: test
sets are drawn from models whose truth is known, the gate measures each as it would a real one, and what is counted is
how often a limit lies on the wrong side of the truth. All data here are simulated; nothing was measured on patients,
and what holds in these models is evidence, not proof, for others.

**What is promised.** A two-sided 95 % interval holds the truth in 95 % of test sets; from 93 to 97 % is as promised.
Each of its limits is wrong in 2.5 % of test sets at most.

**What matters most is the false release**: the model's true value lies exactly on the threshold, so that it should not
pass, and the limit that the policy asks for (the lower one of a sensitivity, the upper one of an error) clears the
threshold all the same. That is the worst case: a model that is worse than its threshold is released more rarely.

**What counts as a broken promise.** A share counted on n samples has a standard error of its own,
{error}. A rate of false releases
counts as more than 2.5 %, and a coverage as less than 93 %, when it is so by more than three standard errors: in one
setting, or over all settings of one size together. Of {rows:,} rows one or two may do so by chance; the worst of many
settings always looks worse than it is.

**Coverage above 97 %** breaks no promise: no model is released by it. It costs cases, since the interval is wider than
it need be. Exact intervals (Clopper-Pearson) and those with few errors to count do so by their nature.

`make coverage` simulates all this again, from fixed seeds, in ten to twenty minutes on two cores; all rows are in
`reports/benchmarks/coverage.json`, with what the gate measured each with.
"""


@dataclass(frozen=True)
class Row:
    """One metric in one setting, as ``study.COLUMNS`` names its parts."""

    metric: str
    setting: str
    cases: int
    cases_each: int
    samples: int
    without_interval: int
    coverage: float
    lower_limit_above: float
    upper_limit_below: float
    false_releases: float

    @property
    def spec(self) -> Metric:
        """What the catalogue says of the metric."""
        return METRICS.get(self.metric.split()[0].strip(","))

    @property
    def where(self) -> str:
        """The setting in words."""
        each = "" if self.cases_each == 1 else f", {self.cases_each} of a patient"
        return f"{self.cases:,} cases{each}; {self.setting}"

    @property
    def size(self) -> str:
        """The class of sizes that it is of."""
        return next(name for name, (low, high) in SIZES.items() if low <= self.cases <= high)


def rows_of(content: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Return the rows of a report by family."""
    return {family: [Row(*row) for row in rows] for family, rows in content["measured"].items()}


def releases_too_often(rows: Sequence[Row]) -> bool:
    """Say whether a limit on the demanded side is wrong more often than promised, in all of these samples together."""
    samples = sum(row.samples for row in rows)
    return released(rows) > PROMISED + 3.0 * math.sqrt(PROMISED * (1.0 - PROMISED) / samples)


def released(rows: Sequence[Row]) -> float:
    """Return the share of false releases in all samples of some rows."""
    return sum(row.samples * row.false_releases for row in rows) / sum(row.samples for row in rows)


def covers_too_little(rows: Sequence[Row]) -> bool:
    """Say whether intervals hold the truth less often than 93 %, in all of these samples together."""
    decided = [row.samples - row.without_interval for row in rows]
    held = sum(n * row.coverage for n, row in zip(decided, rows, strict=True)) / max(1, sum(decided))
    return held < LEAST - 3.0 * math.sqrt(LEAST * (1.0 - LEAST) / max(1, sum(decided)))


def breaks(rows: Sequence[Row]) -> bool:
    """Say whether a promise is broken in all of these samples together."""
    return releases_too_often(rows) or covers_too_little(rows)


def broken_sizes(of_metric: Sequence[Row]) -> list[str]:
    """Return the sizes at which a metric breaks a promise, in one setting or in all together."""
    by_size = {size: [row for row in of_metric if row.size == size] for size in SIZES}
    return [size for size, rows in by_size.items() if rows and any(map(breaks, (rows, *([row] for row in rows))))]


def by_metric(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return rows by metric."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.metric, []).append(row)
    return found


def page_of(content: Mapping[str, Any]) -> str:
    """Return the page."""
    families = rows_of(content)
    every = [row for rows in families.values() for row in rows]
    parts = [HEAD.format(error=content["standard_error"], rows=len(every)), _whole_rule(content["whole_rule"])]
    parts += [_broken(every), _wide(every), _without(every)]
    for family, rows in families.items():
        model = content["families"][family]["model"]
        parts.append(f"## {family.capitalize()}\n\n{model}\n\n{_table(rows)}\n\n{_methods(rows)}\n")
    return "\n".join([*parts, _same()])


def _whole_rule(rows: Iterable[Mapping[str, Any]]) -> str:
    lines = ["| truth | cases | of a patient | samples | PASS |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {row['setting']} | {row['cases']:,} | {row['cases_each']} | {row['samples']:,} "
        f"| {row['false_releases']:.2%} |"
        for row in rows
    ]
    words = (
        "## The whole rule\n\nA policy of three blocking requirements in serial order: sensitivity, specificity, and "
        "precision at a prevalence of 10 %. All of them have to be met, so that several truths on their thresholds "
        "release a model more rarely than one does, and no correction for their number is needed. How often the "
        "verdict is PASS, at most 2.5 % promised:\n\n"
    )
    return words + "\n".join(lines) + "\n"


def _broken(every: Sequence[Row]) -> str:
    lines = ["| metric | at | worst setting | false releases | coverage | what the catalogue says |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for metric, rows in by_metric(every).items():
        sizes = broken_sizes(rows)
        if not sizes:
            continue
        worst = max((row for row in rows if row.size in sizes), key=lambda row: row.false_releases)
        lines.append(
            f"| {metric} | {_listed(sizes)} | {worst.where} | {worst.false_releases:.1%} | {worst.coverage:.1%} "
            f"| {worst.spec.caution or '–'} |"
        )
    head = "## Where the promise is not kept\n\n"
    if len(lines) == 2:
        return head + "Nowhere in these settings.\n"
    words = (
        "A policy that leans on one of these metrics asks for more cases than these, or for a higher confidence. The "
        "setting shown is the one with the most false releases at a size at which the promise is broken.\n\n"
    )
    return head + words + "\n".join(lines) + "\n"


def _wide(every: Sequence[Row]) -> str:
    largest = {
        metric: [row.coverage for row in rows if row.size == rows[-1].size]
        for metric, rows in by_metric(sorted(every, key=lambda row: row.cases)).items()
    }
    found = [f"{metric} ({_span(shares)})" for metric, shares in largest.items() if min(shares) > MOST]
    words = "## Where intervals are wider than they need be\n\n"
    if not found:
        return words + "With the most cases simulated, no metric holds the truth in more than 97 % of all settings.\n"
    return words + f"Above 97 % in every setting, even with the most cases simulated: {_listed(found)}.\n"


def _without(every: Sequence[Row]) -> str:
    """Name the metrics that often have no interval: the gate then leaves the requirement undecided."""
    found = {
        metric: max(rows, key=lambda row: row.without_interval / row.samples)
        for metric, rows in by_metric(every).items()
    }
    lines = [
        f"- {metric}: {row.without_interval / row.samples:.1%} ({row.where})"
        for metric, row in found.items()
        if row.without_interval > 0.01 * row.samples
    ]
    if not lines:
        return ""
    words = (
        "## Where there is no interval\n\nIn more than 1 % of test sets, since there was too little to count; such a "
        "requirement is left undecided, and releases nothing. The worst setting of each:\n\n"
    )
    return words + "\n".join(lines) + "\n"


def _table(rows: Sequence[Row]) -> str:
    sizes = [size for size in SIZES if any(row.size == size for row in rows)]
    head = ["metric", *(f"coverage, {size}" for size in sizes), "false releases, all", "most", "where", "promise"]
    lines = [f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    for metric, of_metric in by_metric(rows).items():
        worst = max(of_metric, key=lambda row: row.false_releases)
        cells = [_span([row.coverage for row in of_metric if row.size == size]) for size in sizes]
        cells += [f"{released(of_metric):.1%}", f"{worst.false_releases:.1%}", worst.where, _promise(of_metric)]
        lines.append(f"| {metric} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _promise(of_metric: Sequence[Row]) -> str:
    sizes = broken_sizes(of_metric)
    return f"**not kept** ({_listed(sizes)})" if sizes else "kept"


def _methods(rows: Sequence[Row]) -> str:
    """Name the methods as the catalogue does, each with its metrics."""
    found: dict[str, list[str]] = {}
    for row in rows:
        names = found.setdefault(row.spec.interval or "", [])
        if row.spec.name not in names:
            names.append(row.spec.name)
    return "How these intervals are made:\n\n" + "\n".join(f"- {', '.join(of)}: {how}" for how, of in found.items())


def _same() -> str:
    lines = [f"- as {like}: {', '.join(names.split())}" for like, names in SAME_FUNCTION.items()]
    words = (
        "## What is not simulated itself\n\nThese intervals are made by the same function, of values of the same kind, "
        "as one that is:\n\n"
    )
    return words + "\n".join(lines) + "\n"


def _span(shares: Sequence[float]) -> str:
    if not shares:
        return "–"
    low, high = f"{min(shares):.1%}", f"{max(shares):.1%}"
    return low if low == high else f"{low} to {high}"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"

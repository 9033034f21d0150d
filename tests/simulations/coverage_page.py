"""The report of the simulations as a page, for people who have to defend an interval."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]

PROMISED = 0.025
LEAST, MOST = 0.93, 0.97
SIZES = ((100, 299), (300, 999), (1000, 10**9))
HEAD = """\
# How often the intervals hold the truth

A gate that decides on the limit of an interval is as good as that limit. So the limits are not taken on trust: test
sets are drawn from models whose truth is known, the gate measures each as it would a real one, and what is counted is
how often a limit lies on the wrong side of the truth. All data here are simulated; nothing was measured on patients.

A two-sided 95 % interval promises that each limit is wrong in 2.5 % of test sets at most. What matters most is the
**false release**: the model's true value lies exactly on the threshold, and the limit clears it all the same. It is
given for the demanded side (the lower limit of a sensitivity, the upper one of an error), as the worst of all settings;
a rate on n samples counts as more than 2.5 % when it exceeds that by three standard errors. Coverage is the share of
intervals that hold the truth, from the lowest to the highest of all settings. From 93 to 97 % is as promised; exact
intervals, and those on effective numbers of cases, hold it more often than they promise, which costs cases and never
releases a model.

Made by `make coverage`, which takes some minutes; the rows are in `reports/benchmarks/coverage.json`.
"""
MODELS = {
    "scores of two classes": "Binormal scores, 20 or 50 % positive, three pairs of true rates; one case a patient, or "
    "three that share 60 % of the variance of the score. The operating point is fixed beforehand.",
    "several classes": "Three classes of 50, 30 and 20 %; one case a patient, or three that share half of the "
    "variance.",
    "findings and lesions": "One lesion a case on average, 85 or 97 % of them marked, one false mark a case, "
    "both clustered in patients; one case a patient or three.",
    "masks": "Dice from a beta distribution of mean 0.9, log-normal distances of mean 4.6 mm; none or 5 % of the "
    "structures missed, at the declared cost of 0 or of the volume's diagonal; one case a patient or three.",
    "repeated quantities": "Normal subjects measured twice, scatter of 5 % in proportion to the value.",
    "times": "Log-normal times of single calls.",
}


def page_of(content: dict[str, list[Row]]) -> str:
    """Return the page."""
    rows = content["measured"]
    parts = [HEAD, _whole_rule(content["whole_rule"])]
    for family, model in MODELS.items():
        of_family = [row for row in rows if row["family"] == family]
        if of_family:
            parts.append(f"## {family.capitalize()}\n\n{model}\n\n{_table(of_family)}\n")
    return "\n".join([*parts, _exceeding(rows)])


def exceeds(row: Row) -> bool:
    """Say whether a limit on the demanded side is wrong more often than promised, beyond the chance of a simulation."""
    error = math.sqrt(PROMISED * (1.0 - PROMISED) / max(1, int(row["samples"])))
    return float(row["false_releases"]) > PROMISED + 3.0 * error


def covers_too_little(row: Row) -> bool:
    """Say whether an interval holds the truth less often than 93 %, beyond the chance of a simulation."""
    decided = max(1, int(row["samples"]) - int(row["without_interval"]))
    return float(row["coverage"]) < LEAST - 3.0 * math.sqrt(LEAST * (1.0 - LEAST) / decided)


def _whole_rule(rows: Iterable[Row]) -> str:
    lines = ["| truth | cases | samples | PASS |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {row['setting']} | {row['cases']:,} | {row['samples']:,} | {row['false_releases']:.2%} |" for row in rows
    ]
    words = (
        "## The whole rule\n\nA policy of three blocking requirements: sensitivity, specificity, and precision at a "
        "prevalence of 10 %. How often it says PASS:\n\n"
    )
    return words + "\n".join(lines) + "\n"


def _table(rows: list[Row]) -> str:
    head = "| metric | coverage, 100 to 299 cases | 300 to 999 | 1,000 and more | most false releases | where |"
    lines = [head, "| --- | --- | --- | --- | --- | --- |"]
    for metric in dict.fromkeys(row["metric"] for row in rows):
        of_metric = [row for row in rows if row["metric"] == metric]
        worst = max(of_metric, key=lambda row: float(row["false_releases"]))
        mark = " **more than promised**" if any(map(exceeds, of_metric)) else ""
        cells = [_range([row for row in of_metric if low <= row["cases"] <= high]) for low, high in SIZES]
        lines.append(f"| {metric} | {' | '.join(cells)} | {worst['false_releases']:.1%}{mark} | {_where(worst)} |")
    return "\n".join(lines)


def _range(rows: list[Row]) -> str:
    if not rows:
        return "–"
    shares = [float(row["coverage"]) for row in rows]
    low, high = f"{min(shares):.1%}", f"{max(shares):.1%}"
    mark = " **too little**" if any(map(covers_too_little, rows)) else ""
    return (low if low == high else f"{low} to {high}") + mark


def _where(row: Row) -> str:
    each = "" if row["cases_each"] == 1 else f", {row['cases_each']} each"
    return f"{row['cases']:,} cases{each}; {row['setting']}"


def _exceeding(rows: list[Row]) -> str:
    found = [row for row in rows if exceeds(row) or covers_too_little(row)]
    if not found:
        return "## Where the promise is not kept\n\nNowhere in these settings.\n"
    lines = [
        f"- **{row['metric']}**, {_where(row)}: {row['false_releases']:.1%} false releases, "
        f"coverage {row['coverage']:.1%} ({row['samples']:,} samples)"
        for row in sorted(found, key=lambda row: -float(row["false_releases"]))
    ]
    words = (
        "## Where the promise is not kept\n\nSettings in which a limit on the demanded side is wrong more often than "
        "in 2.5 % of test sets, or the interval holds the truth less often than in 93 %, beyond the chance of the "
        "simulation. The catalogue says so in its cautions ([metrics.md](metrics.md)). A policy that leans on one of "
        "these metrics asks for more cases, or for a higher confidence.\n\n"
    )
    return words + "\n".join(lines) + "\n"

"""How often the gate's intervals hold the truth, and how often the gate opens when the truth is at the threshold.

Simulated, and so labelled: the truth follows from the model that the cases are drawn from. Every interval is the one
that the gate itself makes. ``make coverage`` runs it, writes ``reports/benchmarks/coverage.json`` and renders
``docs/coverage.md`` from that; with ``--render`` it renders the page alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "reports" / "benchmarks" / "coverage.json"
PAGE = ROOT / "docs" / "coverage.md"

sys.path[:0] = [str(ROOT / "tests"), str(Path(__file__).parent)]

import of_classes  # noqa: E402
import of_findings  # noqa: E402
import of_masks  # noqa: E402
import of_repeats  # noqa: E402
import of_reruns  # noqa: E402
import of_rule  # noqa: E402
import of_scores  # noqa: E402
import of_times  # noqa: E402
from coverage_page import page_of  # noqa: E402
from study import COLUMNS, Study, simulate  # noqa: E402

FAMILIES = (of_scores, of_classes, of_findings, of_masks, of_reruns, of_repeats, of_times)
ERROR = "√(p (1 - p) / n) for a share p: for 2.5 % it is 0.35 % on 2,000 samples, 0.49 % on 1,000 and 0.78 % on 400"


def main() -> None:
    """Run all settings on all cores and write the report and its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="share of the samples to draw, for a quick look")
    parser.add_argument("--render", action="store_true", help="simulate nothing: renew the page from the report")
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--page", type=Path, default=PAGE)
    chosen = parser.parse_args()
    if not chosen.render:
        chosen.report.write_text(report_of(chosen.share), encoding="utf-8")
    chosen.page.write_text(page_of(json.loads(chosen.report.read_text(encoding="utf-8"))), encoding="utf-8")


def report_of(share: float) -> str:
    """Simulate every setting and return the report, one row a line."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    started = time.monotonic()
    every: list[Study] = [study for family in FAMILIES for study in family.studies()]
    longest_first = sorted(range(len(every)), key=lambda number: -every[number].cases * every[number].samples)
    rows: dict[int, list[list[object]]] = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        rules = [pool.submit(of_rule.run, rule, share) for rule in of_rule.rules()]
        work = {pool.submit(simulate, every[number], share): number for number in longest_first}
        for done in as_completed(work):
            rows[work[done]] = done.result()
            took = time.monotonic() - started
            print(f"{len(rows)} of {len(every)} settings, {took:.0f} s", file=sys.stderr, flush=True)
        whole = [rule.result() for rule in rules]
    measured: dict[str, list[list[object]]] = {}
    for number in sorted(rows):
        measured.setdefault(every[number].family, []).extend(rows[number])
    models = {next(iter(family.studies())).family: family for family in FAMILIES}
    return _text(
        {
            "what": "simulated; two-sided 95 % intervals of the gate",
            "standard_error": ERROR,
            "families": {
                name: {"model": family.MODEL, "measured_with": family.MEASURED_WITH} for name, family in models.items()
            },
            "columns": COLUMNS,
        },
        measured,
        whole,
    )


def _text(head: Mapping[str, object], measured: Mapping[str, Sequence[object]], whole: Sequence[object]) -> str:
    parts = [f" {_json(key)}: {_json(value)}" for key, value in head.items()]
    families = ",\n".join(f"  {_json(name)}: {_lines(rows, 3)}" for name, rows in measured.items())
    parts += [f' "measured": {{\n{families}\n }}', f' "whole_rule": {_lines(whole, 2)}']
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(rows: Sequence[object], indent: int) -> str:
    space = " " * indent
    return "[\n" + ",\n".join(space + _json(row) for row in rows) + f"\n{space[1:]}]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()

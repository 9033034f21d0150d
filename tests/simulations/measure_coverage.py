"""How often the gate's intervals hold the truth, and how often the gate opens when the truth is at the threshold.

Simulated, and so labelled: the truth follows from the model that the cases are drawn from. Every interval is the one
that the gate itself makes. ``make coverage`` runs it, writes ``reports/benchmarks/coverage.json`` and renders
``docs/coverage.md`` from that.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
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
import of_rule  # noqa: E402
import of_scores  # noqa: E402
from coverage_page import page_of  # noqa: E402
from study import simulate  # noqa: E402

FAMILIES = (of_scores, of_classes, of_findings, of_masks, of_repeats)


def main() -> None:
    """Run all settings on all cores and write the report and its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="share of the samples to draw, for a quick look")
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--page", type=Path, default=PAGE)
    chosen = parser.parse_args()
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    started = time.monotonic()
    every = [study for family in FAMILIES for study in family.studies()]
    rows: dict[int, list[dict[str, object]]] = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        rules = [pool.submit(of_rule.run, rule, chosen.share) for rule in of_rule.rules()]
        work = {pool.submit(simulate, study, chosen.share): number for number, study in enumerate(every)}
        for done in as_completed(work):
            rows[work[done]] = done.result()
            took = time.monotonic() - started
            print(f"{len(rows)} of {len(every)} settings, {took:.0f} s", file=sys.stderr, flush=True)
        whole = [rule.result() for rule in rules]
    content = {"measured": [row for number in sorted(rows) for row in rows[number]], "whole_rule": whole}
    lines = {key: ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in value) for key, value in content.items()}
    text = ",\n".join(f' "{key}": [\n  {value}\n ]' for key, value in lines.items())
    chosen.report.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
    chosen.page.write_text(page_of(json.loads(chosen.report.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()

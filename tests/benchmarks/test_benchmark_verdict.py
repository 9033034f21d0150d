"""What a verdict over many cases costs, all intervals included: wall and CPU seconds, and the peak of memory.

Writes ``reports/benchmarks/verdict.json``. The evidence is made up; each verdict is made in a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ratios import REPORTS, machine, measured_alone
from verdict_alone import CASES, GROUPS, PATIENTS, REQUIREMENTS, RESAMPLED

from gatekeeper.canonical import JSON, pretty_json

pytestmark = pytest.mark.benchmark

MOST_SECONDS = 10
PROGRAM = """
import sys
from verdict_alone import main
main(int(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def verdicts() -> Iterator[list[JSON]]:
    found: list[JSON] = []
    yield found
    content: JSON = {
        "what": f"{CASES:,} made-up cases of {PATIENTS:,} patients against {REQUIREMENTS} requirements, in all and in "
        f"{sum(GROUPS.values())} subgroups; seconds of judging alone, the peak that of the whole process",
        "machine": machine(),
        "verdicts": list(found),
    }
    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / "verdict.json").write_text(pretty_json(content), encoding="utf-8")


@pytest.mark.parametrize("resampled", range(len(RESAMPLED) + 1))
def test_a_verdict_over_many_cases(verdicts: list[JSON], resampled: int) -> None:
    """The resampled ones take their intervals from 2,000 resamples each, in all and in each subgroup."""
    findings, intervals, wall, cpu, peak = measured_alone(PROGRAM, str(resampled))
    assert findings == intervals == REQUIREMENTS * (1 + sum(GROUPS.values()))
    by_resampling = ", ".join(RESAMPLED[:resampled]) or "none"
    print(f"\nresampled: {by_resampling}: {wall:.1f} s wall, {cpu:.1f} s CPU, {peak:.0f} MiB")
    verdicts.append(
        {
            "requirements_resampled": by_resampling,
            "intervals": int(intervals),
            "wall_seconds": round(wall, 2),
            "cpu_seconds": round(cpu, 2),
            "wall_seconds_at_most": MOST_SECONDS,
            "peak_mebibytes": round(peak),
        }
    )

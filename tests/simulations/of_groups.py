"""How often the gap between groups lies outside its interval: `python tests/simulations/of_groups.py`. All simulated.

Groups of so many positives each, found with a share of 90 % but for one, that is found with 80 % or 90 %: the true gap
is 0.1 or 0. A wrong upper limit lets a gap pass that is larger than allowed; a wrong lower one tells of none as of one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from made_up_evidence import policy_of, requirement

from gatekeeper.evidence import Evidence
from gatekeeper.suites.subgroups import gap_between

MOST = 0.9
SAMPLES = 1000


@dataclass(frozen=True)
class Groups:
    """So many groups of so many positives each, and the share found in the worst; ``method`` of their intervals."""

    groups: int
    cases: int
    worst: float
    method: str

    def run(self, samples: int) -> tuple[float, float, float]:
        """Return how often the upper limit is below the truth, the lower one above it, and the mean estimate."""
        source = np.random.default_rng([self.groups, self.cases, round(100 * self.worst)])
        item = requirement("sensitivity", interval=self.method)
        asked = {"by": ("site",), "min_cases": 10, "requirements": ("found",)}
        policy, truth = policy_of({"found": item}, subgroups=asked), MOST - self.worst
        below = above = 0
        estimates = []
        for _ in range(samples):
            gap = gap_between(item, policy, self._drawn(source), 0.5, "site")
            if gap is None or gap.measurement.interval is None or gap.measurement.estimate is None:
                raise ValueError("a gap without an interval")
            below += gap.measurement.interval.upper < truth
            above += gap.measurement.interval.lower > truth
            estimates.append(gap.measurement.estimate)
        return below / samples, above / samples, float(np.mean(estimates))

    def _drawn(self, source: np.random.Generator) -> Evidence:
        number = np.arange(self.groups * self.cases)
        group = number // self.cases
        found = source.random(len(number)) < np.where(group == 0, self.worst, MOST)
        names = [f"c{one}" for one in number]
        columns = {
            "case_id": names,
            "patient": names,
            "subject": names,
            "label": np.ones(len(number), dtype=np.int8),
            "condition": ["baseline"] * len(number),
            "repeat": [0] * len(number),
            "outcome": ["ok"] * len(number),
            "score": np.where(found, 0.9, 0.1),
            "seconds": [None] * len(number),
        }
        return Evidence.from_columns(columns, {"site": [f"s{one}" for one in group]})


def settings() -> Iterator[Groups]:
    """Return every setting."""
    for method in ("clopper_pearson", "wilson"):
        for worst in (0.8, 0.9):
            for groups, cases in ((2, 30), (2, 100), (4, 30), (4, 100), (8, 30), (8, 100)):
                yield Groups(groups, cases, worst, method)


if __name__ == "__main__":
    print("method, groups, cases of each, true gap: upper limit below it, lower limit above it, mean estimate")
    for one in settings():
        below, above, mean = one.run(SAMPLES)
        where = f"{one.method}, {one.groups}, {one.cases}, {MOST - one.worst:.1f}"
        print(f"{where}: {below:.2%}, {above:.2%}, {mean:.3f}", flush=True)

"""Quantities of subjects measured twice: normal, scatter in proportion to the value; and times of single calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import norm
from study import Drawn, item_of

from gatekeeper.statistics import Interval
from gatekeeper.statistics.quantiles import quantile_interval
from gatekeeper.suites import Measurement
from gatekeeper.suites.clusters import Clusters
from gatekeeper.suites.quantities import AGREEMENT, Repeated

MEAN, SPREAD, CV = 60.0, 12.0, 0.05
LARGE = 300_000


@dataclass(frozen=True)
class Repeats:
    """Subjects, each a patient, with two measurements."""

    cases: int
    cases_each: int = 1
    samples: int = 1000
    family: str = "repeated quantities"

    @property
    def setting(self) -> str:
        return f"{self.cases} subjects measured twice, wCV {CV:.0%}"

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        repeated = _repeated(_values(source, self.cases))
        for name, how in AGREEMENT.items():
            item = item_of(name, level="R4")
            truth = truth_of(name)
            if name == "bias":
                continue  # a magnitude: at a truth of 0 its lower limit cannot be wrong
            value, interval = how(repeated, item.confidence)
            yield Drawn(name, _measurement(value, interval, self.cases), truth, item)


@dataclass(frozen=True)
class Times:
    """Calls that take log-normal times."""

    cases: int
    cases_each: int = 1
    samples: int = 4000
    family: str = "times"

    @property
    def setting(self) -> str:
        return f"{self.cases} timed calls, log-normal"

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        value, interval = quantile_interval(np.exp(0.3 * source.normal(size=self.cases)), 0.95)
        item = item_of("latency", percentile=95.0)
        truth = float(np.exp(0.3 * norm.ppf(0.95)))
        yield Drawn("latency, p95", _measurement(value, interval, self.cases), truth, item)


def _values(source: np.random.Generator, subjects: int) -> np.ndarray:
    true = source.normal(MEAN, SPREAD, (subjects, 1)).clip(10.0)
    return np.asarray(true * (1.0 + CV * source.normal(size=(subjects, 2))))


def _repeated(values: np.ndarray) -> Repeated:
    names = tuple(f"subject-{number:06}" for number in range(len(values)))
    return Repeated(values, names, Clusters(np.arange(len(values)), len(values)))


def _measurement(value: float, interval: Interval, n: int) -> Measurement:
    return Measurement(value, interval, interval.method, n, "subjects", n)


@cache
def truth_of(name: str) -> float:
    """Return the value on 300,000 subjects; a mean of them where the metric is a mean."""
    values = _values(np.random.default_rng(2026), LARGE)
    if name == "rescan_difference":
        return float((np.abs(values[:, 0] - values[:, 1]) / values.mean(axis=1)).mean())
    return AGREEMENT[name](_repeated(values), 0.95)[0]


def studies() -> Iterator[Repeats | Times]:
    """Return every setting."""
    yield from (Repeats(subjects) for subjects in (35, 100, 300))
    yield from (Times(calls) for calls in (100, 300, 1000))

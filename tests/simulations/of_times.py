"""Times of single calls, and of cases that queue for them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from study import Drawn, item_of

from gatekeeper.statistics import Interval, quantile_interval
from gatekeeper.statistics.means import skew_corrected_mean_interval
from gatekeeper.statistics.queueing import notification_interval
from gatekeeper.suites import Measurement
from gatekeeper.suites.latency import NEVER

MODEL = (
    "Log-normal times of single calls (SD of the logarithm 0.3), or the same with one call in fifty that takes ten "
    "times as long; for a queue before one device, exponential times and Poisson arrivals that keep it busy for some "
    "share of the time (M/M/1, in which the time in the system is exponential as well). Truths follow from the model."
)
MEASURED_WITH = (
    "gatekeeper.statistics.quantile_interval, gatekeeper.statistics.means.skew_corrected_mean_interval and "
    "gatekeeper.statistics.queueing.notification_interval"
)
LOG_SD, SLOW, TIMES = 0.3, 0.02, 10.0
PERCENTILES = (50.0, 95.0, 99.0)


@dataclass(frozen=True)
class Times:
    """So many timed calls, some of them slow or none."""

    cases: int
    slow: float
    cases_each: int = 1
    samples: int = 4000
    family: str = "times"

    @property
    def setting(self) -> str:
        """Return the setting in words."""
        return f"{self.slow:.0%} of calls slow"

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        """Draw the times of all calls."""
        seconds = np.exp(LOG_SD * source.normal(size=self.cases))
        seconds *= np.where(source.random(self.cases) < self.slow, TIMES, 1.0)
        for percentile in PERCENTILES if self.slow == 0.0 else ():
            if percentile == 99.0 and self.cases < 368:  # fewer leave it without an upper limit
                continue
            item = item_of("latency", percentile=percentile)
            truth = math.exp(LOG_SD * float(ndtri(percentile / 100.0)))
            found = quantile_interval(seconds, percentile / 100.0, item.confidence)
            yield Drawn(f"latency, p{percentile:.0f}", _measurement(*found, self.cases), truth, item)
        item = item_of("mean_latency")
        truth = math.exp(LOG_SD**2 / 2.0) * (1.0 + self.slow * (TIMES - 1.0))
        found = skew_corrected_mean_interval(seconds, item.confidence)
        yield Drawn("mean_latency", _measurement(*found, self.cases), truth, item)


@dataclass(frozen=True)
class Queued:
    """So many timed calls of exponential times, of mean 1, before which cases queue."""

    cases: int
    load: float
    cases_each: int = 1
    samples: int = 1000
    family: str = "times"

    @property
    def setting(self) -> str:
        """Return the setting in words."""
        return f"the device is busy {self.load:.0%} of the time"

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        """Draw the times of all calls."""
        item = item_of("time_to_notification", percentile=95.0)
        seconds, lost = source.exponential(size=self.cases), np.zeros(self.cases, dtype=np.bool_)
        found = notification_interval(seconds, lost, self.load, 0.95, item.confidence, NEVER)
        truth = -math.log(1.0 - 0.95) / (1.0 - self.load)
        yield Drawn("time_to_notification, p95", _measurement(*found, self.cases), truth, item)


def _measurement(value: float, interval: Interval, calls: int) -> Measurement:
    return Measurement(value, interval, interval.method, calls, "timed calls", 1)


def studies() -> Iterator[Times | Queued]:
    """Return every setting."""
    for slow in (0.0, SLOW):
        for cases in (100, 300, 1000):
            yield Times(cases, slow)
    for load in (0.3, 0.7):
        for cases in (200, 1000):
            yield Queued(cases, load)

"""How long a candidate takes."""

from __future__ import annotations

from gatekeeper.metrics.specification import EVERY_TASK, Metric, Suite

LATENCY = Metric(
    name="latency",
    title="Time to answer",
    suite=Suite.LATENCY,
    definition=(
        "percentile of the wall time of one case, after warm-up, monotonic clock; stage inference (the default): "
        "transfer to the device, forward pass, transfer back; stage end_to_end: from the files to the result; a call "
        "that failed counts as longer than any answer"
    ),
    source="order-statistic percentile and its distribution-free interval: Hahn & Meeker, Statistical Intervals, 1991",
    undefined="no call was timed",
    n_of="timed calls",
    interval="distribution-free, from order statistics",
    tasks=EVERY_TASK,
    unit="s",
    highest=86400.0,
    higher_is_better=False,
    options=frozenset({"percentile", "stage"}),
    must=frozenset({"percentile"}),
)
MEAN_LATENCY = Metric(
    name="mean_latency",
    title="Mean time to answer",
    suite=Suite.LATENCY,
    definition="arithmetic mean of the wall time of one case, after warm-up, monotonic clock; stages as of latency",
    source="Hall, J R Stat Soc B 1992;54:221, for the interval of the mean",
    undefined="fewer than two calls were timed, or one of them failed",
    n_of="timed calls",
    interval="Student t over timed calls, skewness removed (Hall)",
    caution="slow calls that a run does not show are in no interval: where one call in fifty takes ten times as long, "
    "the upper limit is wrong in 14 % of runs of 100 calls instead of 2.5 %; time 300, or require a percentile",
    tasks=EVERY_TASK,
    unit="s",
    highest=86400.0,
    higher_is_better=False,
    options=frozenset({"stage"}),
)

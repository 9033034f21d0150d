"""How long a candidate takes."""

from __future__ import annotations

from gatekeeper.metrics.specification import Metric, Suite

LATENCY = Metric(
    name="latency",
    title="Time to answer",
    suite=Suite.LATENCY,
    definition=(
        "percentile of the wall time of one forward pass of one case, after warm-up: transfer to the device, forward, "
        "transfer back; monotonic clock"
    ),
    source="order-statistic percentile and its distribution-free interval: Hahn & Meeker, Statistical Intervals, 1991",
    undefined="no call was timed",
    n_of="timed calls",
    unit="s",
    highest=86400.0,
    higher_is_better=False,
    options=frozenset({"percentile"}),
    must=frozenset({"percentile"}),
)

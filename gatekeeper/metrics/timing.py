"""How long a candidate takes, how much memory, and what that does to a queue of cases."""

from __future__ import annotations

from gatekeeper.metrics.specification import CALLS, EVERY_TASK, Metric, Suite

_LONGEST = 86400.0  # s
_STAGES = (
    "stage inference (the default): transfer to the device, forward pass, transfer back; read: bytes of the files, "
    "which the system may hold in its cache, and their digests; decode; preprocess; transfer; forward; postprocess: "
    "transfer back, and holding the outputs against the contract; end_to_end: from the files to the result, the line "
    "to the worker included; cold_start: from the start of a new process until it is ready; first_case: end to end of "
    "its first case"
)
_CLOCK = "monotonic clock, CUDA events between the steps of the device"

LATENCY = Metric(
    name="latency",
    title="Time to answer",
    suite=Suite.LATENCY,
    definition=(
        f"percentile of the time of one call, after warm-up, {_CLOCK}; {_STAGES}; a call that failed counts as longer "
        "than any answer; batch one (the default): one case a call; declared: as many as the run's batches have"
    ),
    source="order-statistic percentile and its distribution-free interval: Hahn & Meeker, Statistical Intervals, 1991",
    undefined="no call was timed",
    n_of="timed calls",
    interval="distribution-free, from order statistics",
    tasks=EVERY_TASK,
    unit="s",
    highest=_LONGEST,
    higher_is_better=False,
    options=frozenset({"percentile", "stage", "batch"}),
    must=frozenset({"percentile"}),
)
MEAN_LATENCY = Metric(
    name="mean_latency",
    title="Mean time to answer",
    suite=Suite.LATENCY,
    definition=f"arithmetic mean of the time of one call, after warm-up, {_CLOCK}; stages and batches as of latency",
    source="Hall, J R Stat Soc B 1992;54:221, for the interval of the mean",
    undefined="fewer than two calls were timed, or one of them failed",
    n_of="timed calls",
    interval="Student t over timed calls, skewness removed (Hall)",
    caution="slow calls that a run does not show are in no interval: where one call in fifty takes ten times as long, "
    "the upper limit is wrong in 14 % of runs of 100 calls instead of 2.5 %; time 300, or require a percentile",
    tasks=EVERY_TASK,
    unit="s",
    highest=_LONGEST,
    higher_is_better=False,
    options=frozenset({"stage", "batch"}),
)
THROUGHPUT = Metric(
    name="throughput",
    title="Throughput",
    suite=Suite.LATENCY,
    definition="cases a second, of calls one after another: cases of a call over its mean inference time, after "
    "warm-up; batches as of latency; reading and preparing, which go on beside it, are left out",
    source="reciprocal of the mean time of a call, as mean_latency",
    undefined="fewer than two calls were timed, or one of them failed",
    n_of="timed calls",
    interval="Student t over timed calls, skewness removed (Hall), reciprocal",
    caution="as of mean_latency: slow calls that a run does not show are in no interval",
    tasks=EVERY_TASK,
    unit="cases/s",
    highest=1e9,
    options=frozenset({"batch"}),
)
PEAK_MEMORY = Metric(
    name="peak_memory",
    title="Peak memory",
    suite=Suite.LATENCY,
    definition="the most memory held up to the last timed call; host: resident memory of the worker and of what it "
    "started (VmHWM, or the peak of processes that are gone), mapped files included; device: what torch allocated on "
    "the CUDA device (max_memory_allocated), without what the driver holds",
    source="proc(5), getrusage(2); torch.cuda.max_memory_allocated",
    undefined="no call was timed, or the device does not tell, as where ONNX Runtime allocates",
    n_of="timed calls",
    tasks=EVERY_TASK,
    unit="MiB",
    highest=1e9,
    higher_is_better=False,
    options=frozenset({"of_memory"}),
    must=frozenset({"of_memory"}),
)
TIME_TO_NOTIFICATION = Metric(
    name="time_to_notification",
    title="Time to notification",
    suite=Suite.LATENCY,
    definition="percentile of the time from the arrival of a case to its result, where cases arrive at random "
    "(Poisson) at latency.load.arrivals_per_hour whether or not earlier ones are done, and one device answers them in "
    "turn: the wait in the queue, by Lindley's recursion over the measured times end to end, and the case's own; a "
    "call that failed counts as longer than any answer, and holds the device as long as the slowest",
    source="Lindley, Math Proc Camb Phil Soc 1952;48:277; simulated, seeded, over resampled times",
    undefined="no call was timed end to end",
    n_of="timed calls",
    interval="distribution-free, from order statistics, or percentile bootstrap through simulated queues where wider",
    caution="arrivals are modelled, not made: what a device does under load beyond queueing, such as getting hot, is "
    "in no interval; nor are slow calls that a run does not show, which hold up all that come after them",
    tasks=EVERY_TASK,
    unit="s",
    highest=_LONGEST,
    higher_is_better=False,
    options=frozenset({"percentile"}),
    must=frozenset({"percentile"}),
)
WAITING_TIME_SAVED = Metric(
    name="waiting_time_saved",
    title="Waiting time saved",
    suite=Suite.LATENCY,
    definition="mean wait for the reader of a positive case where cases are read first come, first served, less that "
    "where those that raise an alarm are read first and interrupt others; Poisson arrivals, exponential reading times, "
    "readers, prevalence and rates of latency.load, sensitivity and specificity as at baseline; the time of the device "
    "itself is left out, and alarms that turn out wrong save nothing",
    source="Thompson et al., Queueing Systems 2024;108:579, doi 10.1007/s11134-024-09927-w (QuCAD)",
    convention="preemptive-resume priority; wait is the time in the system less the mean reading time",
    undefined="there is no positive or no negative case",
    n_of="cases",
    interval="Clopper-Pearson (exact) limits of sensitivity and specificity, each with half of the error, put into the "
    "formula",
    tasks=CALLS,
    unit="s",
    lowest=-_LONGEST,
    highest=1e9,
)

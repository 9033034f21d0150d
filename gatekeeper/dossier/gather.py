"""From evidence to what a dossier draws: scatter, times and failures, by the suites' own measurements."""

from __future__ import annotations

import numpy as np

from gatekeeper.dossier.material import Failures, RepeatScatter, StageTimes
from gatekeeper.evidence import BASELINE, Evidence
from gatekeeper.suites.latency import BATCH_ID, COLD_ID, LATENCY_ID, stage_seconds
from gatekeeper.suites.repeats import Repeats


def repeat_scatter(evidence: Evidence, operating_point: float) -> RepeatScatter | None:
    """Return mean and spread of the scores of each subject's true repeats at baseline; None when there are none."""
    repeats = Repeats.true(evidence, operating_point)
    count = len(repeats.subjects)
    if count == 0 or np.isnan(repeats.score).any():
        return None
    squares, freedom = repeats.squares
    rows = np.bincount(repeats.subject, minlength=count)
    mean = np.bincount(repeats.subject, weights=repeats.score, minlength=count) / rows
    return RepeatScatter(
        mean=tuple(mean.tolist()),
        spread=tuple(np.sqrt(squares / freedom).tolist()),
        flipped=tuple(repeats.flips.tolist()),
    )


def latency_seconds(evidence: Evidence) -> tuple[float, ...]:
    """Return the seconds of the timed calls, in the order in which they were made; infinite for those that failed."""
    rows = evidence.under(LATENCY_ID)
    return tuple(np.where(rows.answered & np.isfinite(rows.seconds), rows.seconds, np.inf).tolist())


_STAGES = {
    "read": "reading of the files",
    "decode": "decoding",
    "preprocess": "preprocessing",
    "transfer": "transfer to the device",
    "forward": "forward pass",
    "postprocess": "transfer back, postprocessing",
    "inference": "inference: transfer, forward pass, transfer back",
    "end_to_end": "end to end",
}
_OF_OTHERS = (
    (BATCH_ID, "inference", "inference of a batch"),
    (COLD_ID, "cold_start", "cold start"),
    (COLD_ID, "first_case", "first case, end to end"),
)


def stage_times(evidence: Evidence) -> tuple[StageTimes, ...]:
    """Return the seconds of timed calls by stage, then those of calls of a batch and of cold starts, as they are."""
    wanted = [*((LATENCY_ID, stage, name) for stage, name in _STAGES.items()), *_OF_OTHERS]
    found = [(name, stage_seconds(evidence.under(id_), stage)) for id_, stage, name in wanted]
    return tuple(StageTimes(name, tuple(taken.tolist())) for name, taken in found if taken is not None and len(taken))


def peak_memory(evidence: Evidence) -> tuple[tuple[str, float], ...]:
    """Return the most memory in MiB that was held up to the last timed call, by whose it is: host, device."""
    told = [
        (owner, evidence.under(id_).clock.get(f"peak.{owner}"))
        for owner in ("host", "device")
        for id_ in (LATENCY_ID, BATCH_ID)
    ]
    peaks: dict[str, float] = {}
    for owner, values in told:
        if values is not None and np.isfinite(values).any():
            peaks[owner] = max(peaks.get(owner, 0.0), float(np.nanmax(values)))
    return tuple(peaks.items())


def failures(evidence: Evidence) -> tuple[Failures, ...]:
    """Group the cases of the baseline that gave no usable answer, the largest group first."""
    groups: dict[tuple[str, str], list[str]] = {}
    for outcome, why, case_id in evidence.failures_under(BASELINE.id):
        groups.setdefault((outcome.value.replace("_", " "), why), []).append(case_id)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return tuple(Failures(outcome, why, tuple(cases)) for (outcome, why), cases in ordered)

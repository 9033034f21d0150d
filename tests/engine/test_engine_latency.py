"""Time by stage in a whole check: plug-ins that sleep where they are told to, on made-up discs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import made_up_volumes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_bench import Bench
from made_up_formats import write_yaml
from made_up_plugins import write_plugin

from gatekeeper.engine import timing
from gatekeeper.engine.journal import Journal
from gatekeeper.evidence import Clock, Environment, Evidence, Finding, Outcome, Reason, Rows, read_evidence
from gatekeeper.gate import CheckRequest, check
from gatekeeper.suites.latency import BATCH_ID, COLD_ID, LATENCY_ID
from gatekeeper.trust import load_keys
from gatekeeper.verification import verify

CALLS, BATCH, SLEEP = 12, 3, 0.015
POLICY = f"""\
id: made_up_times
version: "1.0.0"
title: Discs under the clock, made up for tests
context:
  modality: CT
  body_part: CHEST
  task: classification
  unit: disc
  positive: large
  prevalence: {{value: 20 %, basis: {{source: made up, status: project_choice}}}}
  intended_use: Tests of the gate. Not for clinical use.
latency:
  warm_up_calls: 2
  timed_calls: {CALLS}
  cold_starts: 2
  load: {{arrivals_per_hour: 12, reading_minutes: 4}}
requirements:
  sensitivity:
    metric: sensitivity
    lower_limit: {{at_least: 1 %}}
    basis: {{source: made up, status: project_choice}}
"""
BASIS = "basis: {source: made up, status: project_choice}, blocking: false"
REQUIRED = {
    "inference": "metric: mean_latency, upper_limit: {at_most: 10 s}",
    "end_to_end": "metric: mean_latency, stage: end_to_end, upper_limit: {at_most: 10 s}",
    "too_slow": f"metric: latency, percentile: 50, stage: forward, upper_limit: {{at_most: {SLEEP / 2 * 1000:g} ms}}",
    "median": "metric: latency, percentile: 50, stage: read, upper_limit: {at_most: 10 s}",
    "batched": "metric: throughput, batch: declared, lower_limit: {at_least: 0.1 cases/s}",
    "memory": "metric: peak_memory, of_memory: host, estimate: {at_most: 64 GiB}",
    "device_memory": "metric: peak_memory, of_memory: device, estimate: {at_most: 64 GiB}",
    "start": "metric: mean_latency, stage: cold_start, estimate: {at_most: 5 min}",
    "first": "metric: mean_latency, stage: first_case, estimate: {at_most: 5 min}",
    "notified": "metric: time_to_notification, percentile: 50, upper_limit: {at_most: 1 min}",
    "saved": "metric: waiting_time_saved, estimate: {at_least: 0 s}",
}
# The mean of an image. The first case of a process takes long, and so does every call.
SLEEPING = f"""
import time
import numpy as np

def load(folder, device):
    time.sleep(0.2)
    seen = []

    def call(case):
        time.sleep({SLEEP} if seen else 0.4)
        seen.append(1)
        return {{"output": np.float64(min(1.0, float(case.image.mean()) * 2))}}

    return call
"""


class Timed(NamedTuple):
    folder: Path
    evidence: Evidence
    environment: Environment
    found: dict[str, Finding]

    def rows(self, id_: str) -> Rows:
        return self.evidence.under(id_)

    def seconds(self, id_: str, stage: str) -> np.ndarray:
        return self.rows(id_).clock[f"seconds.{stage}"]


def timed(bench: Bench, plugin: str, required: Sequence[str] = tuple(REQUIRED)) -> Timed:
    lines = "".join(f"  {name}: {{{REQUIRED[name]}, {BASIS}}}\n" for name in required)
    bench.policy.write_text(POLICY + lines + "order: [sensitivity]\n")
    request = CheckRequest(
        policy=str(bench.policy),
        candidate=write_plugin(bench.folder / "plugin", "plugin", plugin),
        testset=bench.lock,
        out=bench.out,
        home=bench.home,
        overrides=("engine.device=cpu", f"engine.batch_size={BATCH}"),
    )
    result = check(request)
    evidence = read_evidence(result.folder / "evidence" / "cases.parquet")
    environment = Environment.model_validate_json((result.folder / "evidence" / "environment.json").read_bytes())
    return Timed(result.folder, evidence, environment, {one.id: one for one in result.verdict.findings})


@pytest.fixture(scope="module")
def slept(tmp_path_factory: pytest.TempPathFactory, pristine_bench: Bench) -> Timed:
    import shutil

    folder = tmp_path_factory.mktemp("latency") / "bench"
    shutil.copytree(pristine_bench.folder, folder)
    return timed(Bench(folder, pristine_bench.home), SLEEPING)


def test_sleep_in_the_candidate_shows_in_the_forward_pass_alone(slept: Timed) -> None:
    assert (slept.seconds(LATENCY_ID, "forward") >= SLEEP).all()
    for stage in ("read", "decode", "preprocess", "transfer", "postprocess"):
        assert (slept.seconds(LATENCY_ID, stage) > 0.0).all()
        assert np.median(slept.seconds(LATENCY_ID, stage)) < SLEEP / 2
    assert (slept.found["too_slow"].outcome, slept.found["median"].outcome) == (Outcome.NOT_MET, Outcome.MET)
    assert slept.found["too_slow"].words.startswith("50 of 100 forward passes take at most")


def test_the_parts_of_a_call_make_no_more_than_the_whole(slept: Timed) -> None:
    parts = [slept.seconds(LATENCY_ID, stage) for stage in ("read", "decode", "preprocess", "transfer", "forward")]
    whole, inference = slept.seconds(LATENCY_ID, "end_to_end"), slept.rows(LATENCY_ID).seconds
    assert (sum(parts) + slept.seconds(LATENCY_ID, "postprocess") <= whole).all()
    assert (parts[3] + parts[4] < inference).all()
    assert (inference < whole).all()
    assert slept.found["end_to_end"].estimate == pytest.approx(whole.mean())


def test_a_declared_batch_is_timed_as_one_call(slept: Timed) -> None:
    rows = slept.rows(BATCH_ID)
    assert len(rows) == CALLS
    assert (rows.seconds >= BATCH * SLEEP).all()
    assert rows.clock["seconds.per_case"] == pytest.approx(rows.seconds / BATCH)
    assert slept.found["batched"].estimate == pytest.approx(BATCH / rows.seconds.mean())
    assert slept.found["batched"].words.startswith("Asked without a pause in batches, it answers")
    assert (slept.found["batched"].estimate or 1e9) < 1.0 / SLEEP


def test_cold_starts_and_first_cases_are_of_processes_of_their_own(slept: Timed) -> None:
    rows = slept.rows(COLD_ID)
    assert (len(rows), slept.found["start"].n) == (2, 2)
    assert (rows.seconds > 0.2).all()
    assert (slept.seconds(COLD_ID, "first_case") >= 0.4).all()
    assert np.median(slept.rows(LATENCY_ID).seconds) < slept.seconds(COLD_ID, "first_case").min()
    assert slept.found["first"].words.startswith("The first answer after a cold start takes")


def test_memory_of_the_host_is_seen_and_that_of_no_device_is_not(slept: Timed) -> None:
    held = slept.found["memory"].estimate or 0.0
    assert 20.0 < held < 4096.0
    assert slept.found["memory"].words.startswith(f"It held up to {held:.3g} MiB" if held < 999 else "It held up to")
    assert (slept.found["device_memory"].outcome, slept.found["device_memory"].reason) == (
        Outcome.NOT_DECIDED,
        Reason.NOT_MEASURED,
    )


def test_what_queues_make_of_it_is_found(slept: Timed) -> None:
    notified, alone = slept.found["notified"].estimate or 0.0, np.median(slept.seconds(LATENCY_ID, "end_to_end"))
    assert 0.9 * alone <= notified < 2.0 * alone  # one case in five minutes meets no queue
    assert slept.found["saved"].unit == "s"
    assert not slept.found["saved"].is_time


def test_device_and_noise_are_told_with_every_time(slept: Timed) -> None:
    assert set(slept.environment.clocks) == {LATENCY_ID, BATCH_ID, COLD_ID}
    clock = slept.environment.clocks[LATENCY_ID]
    assert 4 <= clock.warm_up_calls <= 10
    assert clock.stable is not None
    for name in ("inference", "too_slow", "batched", "start"):
        assert f"Measured on {slept.environment.timed_on}." in slept.found[name].words
        assert ("The machine was noisy" in slept.found[name].words) == (
            slept.environment.clocks[{"batched": BATCH_ID, "start": COLD_ID}.get(name, LATENCY_ID)].noisy
        )


def test_all_of_it_is_recomputed_from_the_evidence(slept: Timed, pristine_bench: Bench) -> None:
    again = verify(slept.folder, load_keys(pristine_bench.home).trust).verdict
    assert again.findings == tuple(slept.found.values())


def test_a_batch_that_is_answered_case_by_case_alone_has_no_time(bench: Bench) -> None:
    """The answers of a batch differ in their names, which is a fault of the batch and of no case."""
    late = SLEEPING.replace("0.2", "0").replace("0.4", "0").replace(f"{SLEEP} if", "0 if")
    names = late.replace('"output": np', '"output": np.float64(0.5), f"more{len(seen) % 2}": np')
    found = timed(bench, names, ["batched"])
    rows = found.rows(BATCH_ID)
    assert not rows.answered.any()
    assert found.found["batched"].reason is Reason.CALLS_FAILED
    assert verify(found.folder, load_keys(bench.home).trust).verdict.findings == tuple(found.found.values())


def test_a_call_whose_output_does_not_hold_has_no_time(bench: Bench) -> None:
    late = SLEEPING.replace("0.2", "0").replace("0.4", "0").replace(f"{SLEEP} if", "0 if")
    wrong = late.replace("min(1.0, float(case.image.mean()) * 2)", "2.0 if len(seen) % 7 == 0 else 0.5")
    found = timed(bench, wrong, ["inference", "notified"])
    rows = found.rows(LATENCY_ID)
    assert 0 < (~rows.answered).sum() < CALLS
    assert np.isnan(rows.seconds[~rows.answered]).all()
    assert np.isnan(found.seconds(LATENCY_ID, "end_to_end")[~rows.answered]).all()
    assert found.found["inference"].reason is Reason.CALLS_FAILED


@given(st.floats(1e-6, 1e3), st.integers(1, 10), st.floats(-0.2, 0.2))
def test_times_are_stable_when_medians_of_two_windows_are_alike(level: float, window: int, change: float) -> None:
    before, after = [level] * window, [level * (1.0 + change)] * window
    assert timing.is_stable([9.0 * level, *before, *after], window) == (abs(change * level) < 0.05 * level)


def test_calls_that_fail_are_never_stable() -> None:
    assert not timing.is_stable([np.inf] * 4, 2)
    assert not timing.is_stable([1.0, 1.0, np.inf, np.inf], 2)


def test_the_fixed_calculation_takes_a_time() -> None:
    took = timing.calibrated()
    assert len(took) > 2
    assert min(took) > 0.0


@pytest.mark.parametrize("kind", ["mask", "mask_probability"])
def test_masks_are_timed_to_the_outline_on_the_image_and_not_to_its_comparison(
    kind: str, tmp_path: Path, home: Path
) -> None:
    volumes = made_up_volumes.make_volumes(tmp_path / "volumes", home, 2)
    required = f"  time: {{metric: mean_latency, stage: postprocess, upper_limit: {{at_most: 1 min}}, {BASIS}}}\n"
    policy = made_up_volumes.POLICY.replace("requirements:\n", "requirements:\n" + required)
    volumes.policy.write_text(policy + "latency: {warm_up_calls: 1, timed_calls: 4}\n")
    code = """
import numpy as np

def load(folder, device):
    return lambda case: {"output": (case.image > 100).astype(np.KIND)}
""".replace("KIND", "uint8" if kind == "mask" else "float32")
    folder = write_plugin(volumes.folder / "plugin", "outlines", code).parent
    label = 1 if kind == "mask" else 0
    cut = "" if kind == "mask" else "operating_point: 0.5\n"
    output = f"output: {{kind: {kind}, structures: {{ball: {label}}}}}\n{cut}"
    candidate = write_yaml(
        folder, "python", "artefact: code\nplugin: outlines\nproducer: trusted\n", "input: {dimensions: 3}\n", output
    )
    result = check(
        CheckRequest(
            str(volumes.policy), candidate, volumes.lock, volumes.out, volumes.home, overrides=("engine.device=cpu",)
        )
    )
    rows = read_evidence(result.folder / "evidence" / "cases.parquet").under(LATENCY_ID)
    assert rows.answered.all()
    assert (rows.clock["seconds.postprocess"] > 0.0).all()
    found = next(one for one in result.verdict.findings if one.id == "time")
    assert (found.outcome, found.n) == (Outcome.MET, 4)


def test_how_steady_the_machine_was_is_kept_beside_the_part(tmp_path: Path) -> None:
    journal, clock = Journal(tmp_path), Clock(before=1.0, after=1.5, spread=1.0, warm_up_calls=7, stable=False)
    assert journal.clock("pass-001") is None
    journal.keep_clock("pass-001", clock)
    assert Journal(tmp_path).clock("pass-001") == clock
    assert (clock.drift, clock.noisy) == (1.5, True)

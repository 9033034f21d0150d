"""Each fault of a candidate is an outcome of its case; each fault of the machinery is none of the candidate's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from made_up_bench import CONTEXT, Bench
from made_up_plugins import MOODY, write_moods, write_plugin

from gatekeeper.errors import Code, InvalidRunError
from gatekeeper.evidence import BASELINE, read_evidence
from gatekeeper.gate import CheckRequest, check

BASELINE_ALONE = (
    CONTEXT
    + """\
requirements:
  sensitivity:
    metric: sensitivity
    lower_limit: {at_least: 30 %}
    basis: {source: made up, status: project_choice}
order: [sensitivity]
"""
)
QUICK = ("engine.case_timeout=3 s", "engine.candidate_memory=4096")


def request_for(bench: Bench, code: str = MOODY, name: str = "moody", **changes: object) -> CheckRequest:
    bench.policy.write_text(BASELINE_ALONE)
    request = CheckRequest(
        policy=str(bench.policy),
        candidate=write_plugin(bench.folder / name, name, code),
        testset=bench.lock,
        out=bench.out,
        home=bench.home,
        overrides=QUICK,
    )
    return replace(request, **changes)  # type: ignore[arg-type]


def outcomes_of(run: Path) -> dict[str, tuple[str, str]]:
    table = read_evidence(run / "evidence" / "cases.parquet").table.to_pylist()
    return {row["case_id"]: (row["outcome"], row["fault"]) for row in table if row["condition"] == BASELINE.id}


def test_each_fault_costs_one_case_and_is_told_apart(bench: Bench) -> None:
    moods = {
        1: ("raise", "crashed", "ValueError"),
        5: ("decline", "refused", "Declined"),
        9: ("exit", "crashed", "exit status 3"),
        13: ("segfault", "crashed", "SIGSEGV"),
        17: ("hang", "timed_out", "no answer within 3 s"),
        21: ("allocate", "out_of_memory", ""),
        25: ("nan", "invalid_output", "no number"),
        29: ("outside", "invalid_output", "outside 0 to 1"),
        33: ("shape", "invalid_output", ""),
        37: ("print", "ok", ""),
        41: ("fork", "crashed", ""),
    }
    write_moods(bench, {number: mood for number, (mood, _, _) in moods.items()})
    result = check(request_for(bench))
    found = outcomes_of(result.folder)
    for number, (mood, outcome, fault) in moods.items():
        assert found[f"disc-{number:03}-0"][0] == outcome, mood
        assert fault in found[f"disc-{number:03}-0"][1], mood
    others = {case: told for case, told in found.items() if case not in {f"disc-{n:03}-0" for n in moods}}
    assert set(others.values()) == {("ok", "")}
    environment = json.loads((result.folder / "evidence" / "environment.json").read_text())
    assert environment["restarts"] >= 3
    whole = b"".join(path.read_bytes() for path in result.folder.rglob("*") if path.is_file())
    assert b"Jane" not in whole


def test_a_worker_that_keeps_being_killed_makes_the_run_invalid_and_no_answer_wrong(bench: Bench) -> None:
    write_moods(bench, {9: "kill_itself"})
    with pytest.raises(InvalidRunError) as caught:
        check(request_for(bench))
    assert caught.value.problems[0].code is Code.WORKER_LOST
    assert "SIGKILL" in caught.value.problems[0].what


def test_a_candidate_that_always_ends_its_worker_is_given_up_soon(bench: Bench) -> None:
    with pytest.raises(InvalidRunError, match="answered nothing"):
        check(request_for(bench, MOODY.replace("mood = round", "os._exit(9); mood = round")))


_SLOW = MOODY.replace("image = case.image[0]", "image = case.image[0]; time.sleep(0.08)").replace("batch_size", "")


def started_check(request: CheckRequest, *more: str) -> subprocess.Popen[bytes]:
    arguments = ["check", "--policy", request.policy, "--candidate", str(request.candidate)]
    arguments += ["--testset", str(request.testset), "--out", str(request.out), *more, *request.overrides]
    environment = {**os.environ, "GATEKEEPER_HOME": str(request.home)}
    return subprocess.Popen(
        [sys.executable, "-m", "gatekeeper", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def until(holds: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def workers_below(pid: int) -> list[int]:
    found, queue = [], [pid]
    while queue:
        parent = queue.pop()
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            children = [int(child) for child in task.read_text().split()]
            queue += children
            found += [one for one in children if b"candidate.worker" in Path(f"/proc/{one}/cmdline").read_bytes()]
    return found


def reproducible(folder: Path) -> str:
    return str(json.loads((folder / "verdict.json").read_text())["reproducible"])


@pytest.fixture
def slow(bench: Bench) -> CheckRequest:
    """A check of 90 cases that takes some seconds, in batches of 4."""
    return request_for(bench, _SLOW, overrides=(*QUICK, "engine.batch_size=4"))


def test_a_worker_killed_in_mid_run_changes_nothing_of_the_verdict(slow: CheckRequest) -> None:
    undisturbed = reproducible(check(slow).folder)
    before = set(slow.out.iterdir())
    process = started_check(slow)
    until(lambda: any(slow.out.glob(".*.partial/journal/pass-000-00000016.arrow")), process)
    for worker in workers_below(process.pid):
        with suppress(ProcessLookupError):  # the wall's own process may take it along
            os.kill(worker, signal.SIGKILL)
    assert process.wait(60) == 0
    (run,) = set(slow.out.iterdir()) - before
    assert reproducible(run) == undisturbed
    assert json.loads((run / "evidence" / "environment.json").read_text())["restarts"] >= 1


def test_a_check_killed_in_mid_run_is_resumed_to_the_same_verdict(slow: CheckRequest) -> None:
    undisturbed = reproducible(check(slow).folder)
    before = set(slow.out.iterdir())
    process = started_check(slow)
    until(lambda: any(slow.out.glob(".*.partial/journal/pass-000-00000016.arrow")), process)
    workers = workers_below(process.pid)
    process.kill()
    process.wait()
    (partial,) = set(slow.out.iterdir()) - before
    parts = {path.name: path.stat().st_mtime_ns for path in (partial / "journal").glob("*.arrow")}
    resumed = check(replace(slow, resume=True))
    assert resumed.verdict.reproducible == undisturbed
    assert len(parts) >= 2
    assert not partial.exists()
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_a_run_that_was_begun_with_other_packages_is_not_gone_on_with(
    slow: CheckRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gatekeeper import gate
    from gatekeeper.engine.components import Component, Installed
    from gatekeeper.errors import UsageError

    process = started_check(slow)
    until(lambda: any(slow.out.glob(".*.partial/journal/pass-000-00000016.arrow")), process)
    process.kill()
    process.wait()
    monkeypatch.setattr(gate, "installed", lambda plugin: Installed(Component("gatekeeper-imaging", "0"), (), "3"))
    with pytest.raises(UsageError, match="no unfinished run"):
        check(replace(slow, resume=True))
    monkeypatch.undo()
    resumed = check(replace(slow, resume=True))
    bill = json.loads((resumed.folder / "sbom.cdx.json").read_text())
    assert bill["metadata"]["timestamp"][:19] == resumed.verdict.run.finished[:19]


def test_without_an_unfinished_run_there_is_nothing_to_resume(slow: CheckRequest) -> None:
    from gatekeeper.errors import UsageError

    with pytest.raises(UsageError, match="no unfinished run"):
        check(replace(slow, resume=True))

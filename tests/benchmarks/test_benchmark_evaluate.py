"""What `gatekeeper evaluate` costs for 10,000 cases, the whole command as a user calls it.

Writes ``reports/benchmarks/evaluate.json``. The run is made up: scores from a random generator, signed with development
keys, so that only its size is real. The peer is one bootstrap interval of one sensitivity by ``scipy.stats.bootstrap``
over as many resamples, in a process of its own.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made_up_bench import CANDIDATE, POLICY, WEIGHTS
from made_up_environment import environment

from gatekeeper.attestation import LedgerState, Standing, attest
from gatekeeper.candidate import load_candidate
from gatekeeper.canonical import JSON, pretty_json
from gatekeeper.evidence import Evidence, Plan, RunStamp
from gatekeeper.policy import load_policy
from gatekeeper.policy.approval import FoundApproval
from gatekeeper.run_records import ATTESTATION, RunRecords
from gatekeeper.suites import plan_policy
from gatekeeper.testset import LockedCase, LockedFile, Manifest
from gatekeeper.trust import load_keys
from gatekeeper.verdict import conclude, judge, release_bars

pytestmark = pytest.mark.benchmark

REPORT = Path(__file__).parents[2] / "reports" / "benchmarks" / "evaluate.json"
CASES = 10_000
ROUNDS = 5
PEER = """
import numpy as np
from scipy.stats import bootstrap
hits = np.random.default_rng(1).random(4000) < 0.9
bootstrap((hits,), np.mean, n_resamples=2000, method="percentile", batch=100, rng=1)
"""


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, JSON]]:
    found: dict[str, JSON] = {"cases": CASES, "rounds": ROUNDS}
    yield found
    found["machine"] = {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(pretty_json(found), encoding="utf-8")


def _locked(cases_each: int, label: list[int]) -> Manifest:
    return Manifest.of(
        "made-up",
        tuple(
            LockedCase(
                case_id=f"case-{index:05}",
                patient=f"{index // cases_each:064x}",
                files=(LockedFile(role="image", path=f"{index}.dcm", sha256=f"sha256:{index:064x}", size=1),),
                label=label[index],
                subject=f"case-{index:05}",
                attributes={"site": "abc"[index % 3]},
            )
            for index in range(CASES)
        ),
    )


def _evidence(plan: Plan, manifest: Manifest, score: list[float]) -> Evidence:
    columns: dict[str, list[object]] = {}
    attributes: list[str] = []
    for condition in plan.conditions:
        timed = condition.timed_calls
        for index in range(timed or CASES):
            case = manifest.cases[index]
            row = {
                "case_id": case.case_id,
                "patient": case.patient,
                "subject": case.subject,
                "label": case.label,
                "condition": condition.id,
                "repeat": 0,
                "outcome": "ok",
                "score": None if timed else score[index] * (1.0 - 0.03 * (condition.severity or 0)),
                "seconds": 0.01 if timed else None,
            }
            for name, value in row.items():
                columns.setdefault(name, []).append(value)
            attributes.append(case.attributes["site"])
    return Evidence.from_columns(columns, {"site": attributes})


def _finished_run(folder: Path, cases_each: int) -> Path:
    random = np.random.default_rng(1)
    label = (random.random(CASES) < 0.4).astype(int)
    score = 1.0 / (1.0 + np.exp(-(random.normal(size=CASES) + 2.5 * label - 1.2)))
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "other.yaml").write_text(POLICY.replace("at_least: 30 %", "at_least: 50 %"))
    shutil.copy(WEIGHTS, folder / WEIGHTS.name)
    (folder / "candidate.yaml").write_text(CANDIDATE.format(operating_point=0.5))
    policy, candidate = load_policy(str(folder / "policy.yaml")).policy, load_candidate(folder / "candidate.yaml")
    plan, manifest = plan_policy(policy), _locked(cases_each, label.tolist())
    evidence = _evidence(plan, manifest, score.tolist())
    made = environment()
    stamp = RunStamp(id="made-up", started="2026-01-01T00:00:00Z", finished="2026-01-01T00:00:01Z")
    findings = judge(policy, evidence, 0.5, environment=made, started=stamp.started)
    verdict = conclude(policy, plan, findings, candidate.record, manifest, stamp, evidence=evidence, exploratory=False)
    records = RunRecords(policy, plan, candidate.record, manifest, made, evidence, verdict)
    run = folder / "run"
    (run / "evidence").mkdir(parents=True)
    files = records.to_files(run)
    keys = load_keys(folder / "home")
    ledger = LedgerState(size=1, head="sha256:" + "0" * 64, exposures=1)
    bars = release_bars(verdict, policy, FoundApproval(), development=True, exposures=1)
    standing = Standing(development=True, ledger=ledger, bars=bars)
    (run / ATTESTATION).write_bytes(attest(b"", records, files, keys.tool, standing))
    return run


def _seconds(command: list[str], home: Path) -> float:
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        done = subprocess.run(
            command, env={**os.environ, "GATEKEEPER_HOME": str(home)}, capture_output=True, text=True, check=False
        )
        took.append(time.perf_counter() - start)
        assert done.returncode in (0, 1, 4), done.stderr
        assert "GK" not in done.stderr
    return statistics.median(took)


@pytest.mark.parametrize("cases_each", [1, 4])
def test_evaluate_under_another_policy(results: dict[str, JSON], tmp_path: Path, cases_each: int) -> None:
    run = _finished_run(tmp_path, cases_each)
    command = [sys.executable, "-m", "gatekeeper", "evaluate", str(run), "--policy", str(tmp_path / "other.yaml")]
    ours = _seconds([*command, "--json"], tmp_path / "home")
    peer = _seconds([sys.executable, "-c", PEER], tmp_path / "home")
    verdict = json.loads(
        subprocess.run(
            [*command, "--json", "--exit-zero"],
            env={**os.environ, "GATEKEEPER_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )
    assert verdict["exploratory"]
    results[f"{cases_each} case{'s' * (cases_each > 1)} a patient"] = {
        "findings": len(verdict["findings"]),
        "evaluate_seconds": round(ours, 3),
        "scipy_bootstrap_of_one_sensitivity_seconds": round(peer, 3),
        "ratio": round(ours / peer, 2),
    }
    print(f"evaluate {ours:.2f} s, scipy bootstrap of one interval {peer:.2f} s")

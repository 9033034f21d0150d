"""`gatekeeper demo brain` as it is: real heads, the published network, the engine. It runs once for all tests here."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from brain_packages import needs_deepbet, needs_heads, pictured_in

from gatekeeper.evaluation import evaluate
from gatekeeper.evidence import BASELINE, read_evidence
from gatekeeper.trust import load_keys
from gatekeeper.verification import verify

pytestmark = [needs_heads, needs_deepbet]


@dataclass(frozen=True)
class Shown:
    """What the command printed, and where it wrote."""

    printed: str
    run: Path
    home: Path


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo-brain"
    folder.mkdir(exist_ok=True)
    printed = folder / "printed.txt"
    with (folder / "lock").open("w") as lock:  # processes of pytest-xdist share one run
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            command = [sys.executable, "-m", "gatekeeper", "demo", "brain", "--out", str(folder / "out")]
            environment = {**os.environ, "GATEKEEPER_HOME": str(folder / "home"), "COLUMNS": "200"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500, check=False)
            assert done.returncode == 0, done.stderr
            printed.write_text(done.stdout)
    (run,) = (folder / "out").glob("2*")
    return Shown(printed.read_text(), run, folder / "home")


def test_the_outlines_are_those_that_deepbet_is_known_to_give(shown: Shown) -> None:
    rows = read_evidence(shown.run / "evidence" / "cases.parquet").table.to_pylist()
    found = {row["case_id"]: row for row in rows if row["condition"] == BASELINE.id}
    assert {row["outcome"] for row in rows if not row["condition"].startswith("refusal.")} == {"ok"}
    # What it does with what it should decline: a blank head is refused, a macaque's brain is outlined without a word.
    odd = {row["condition"]: row["outcome"] for row in rows if row["condition"].startswith("refusal.")}
    assert (odd["refusal.blank"], odd["refusal.another_species"]) == ("refused", "ok")
    # 0.936 against BET's outline by deepbet's own command line, on the same two files
    assert found["colin27"]["measured.brain.dice"] == pytest.approx(0.936, abs=0.005)
    assert found["mni152"]["measured.brain.dice"] == pytest.approx(0.981, abs=0.005)
    assert found["colin27"]["measured.brain.reference"] == pytest.approx(1737.2, abs=0.1)  # mL, of ch2bet


def test_two_heads_decide_little_and_it_is_said(shown: Shown) -> None:
    verdict = json.loads((shown.run / "verdict.json").read_text())
    outcomes = {finding["id"]: finding["outcome"] for finding in verdict["findings"]}
    assert verdict["verdict"] == "INCONCLUSIVE"
    assert outcomes["rerun"] == "met"
    assert outcomes["dice"] == outcomes["rescan"] == "not decided"
    assert "Two heads decide little" in shown.printed
    assert "2 heads on T1-weighted MR" in shown.printed
    assert not [line for line in shown.printed.splitlines() if "e-" in line and " mm" in line]


def test_the_dossier_pictures_both_heads_and_verifies(shown: Shown) -> None:
    different, told = pictured_in(shown.run)
    assert different == 6
    for plane in ("axial", "coronal", "sagittal"):
        assert f"{plane}; Dice coefficient 0.936" in told
    trust = load_keys(shown.home).trust
    assert any("verdict recomputed: INCONCLUSIVE" in sentence for sentence in verify(shown.run, trust).checked)
    again = evaluate(shown.run, trust)
    assert again.reproducible == json.loads((shown.run / "verdict.json").read_text())["reproducible"]


def test_the_candidate_is_named_by_the_weights_that_ran(shown: Shown) -> None:
    candidate = json.loads((shown.run / "candidate.json").read_text())
    assert sorted(candidate["files"]) == ["models/bbox_model.pt", "models/model.pt"]
    assert candidate["contract"]["producer"] == "trusted"

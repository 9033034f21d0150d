"""A verified run in MLflow: in a real server and in a database, once however often it is logged."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from made_up_mlflow import new_database

from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import GatekeeperError, IntegrityError, UsageError
from gatekeeper.evidence import Verdict
from gatekeeper.mlflow_server import connect
from gatekeeper.tracking import Tracked, track
from gatekeeper.tracking.told import metrics
from gatekeeper.trust import own_trust
from gatekeeper.verification import verify

NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture(params=["server", "database"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "server":
        return str(request.getfixturevalue("mlflow_server"))
    return new_database(tmp_path / "mlflow.db")


def logged(run: Path, uri: str, home: Path, name: str, **asked: Any) -> Tracked:
    return track(run, uri, f"experiment {name}", own_trust(home), home, NOW, **asked)


def test_a_run_is_logged_once_with_all_that_it_said(
    finished_run: Path, uri: str, home: Path, request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]
) -> None:
    name = re.sub(r"\W", "-", request.node.name)
    first = logged(finished_run, uri, home, name, model=name)
    again = logged(finished_run, uri, home, name, model=name)
    assert (first.again, again.again) == (False, True)
    assert (again.mlflow_run, again.version) == (first.mlflow_run, first.version) == (first.mlflow_run, "1")
    assert capfd.readouterr() == ("", "")
    client = connect(uri).client
    experiment = client.get_experiment_by_name(f"experiment {name}")
    (run,) = client.search_runs([experiment.experiment_id])
    verdict = Verdict.model_validate_json((finished_run / "verdict.json").read_bytes())
    assert run.data.params["policy.id"] == verdict.policy_id
    assert run.data.params["candidate.digest"] == verdict.digests.candidate
    assert run.data.params["numeric_format"] == "fp32"
    assert run.data.tags["gatekeeper.verdict"] == "PASS"
    assert run.data.tags["gatekeeper.releasable"] == "false"  # its keys are for development
    assert run.info.status == "FINISHED"
    finding = verdict.findings[0]
    assert finding.interval is not None
    assert run.data.metrics[f"{finding.id}/estimate"] == finding.estimate
    assert run.data.metrics[f"{finding.id}/lower"] == finding.interval[0]
    assert run.data.metrics[f"{finding.id}/upper"] == finding.interval[1]
    assert run.data.metrics[f"{finding.id}/n"] == finding.n
    assert len(client.get_metric_history(run.info.run_id, f"{finding.id}/n")) == 1
    (version,) = client.search_model_versions(f"name = '{name}'")
    assert version.tags["gatekeeper.verdict"] == "PASS"
    assert version.tags["gatekeeper.context"] == verdict.policy_id
    assert version.tags["gatekeeper.candidate"] == verdict.digests.candidate
    assert version.tags["gatekeeper.run"] == verdict.run.id
    attestation = (finished_run / "attestation.dsse.json").read_bytes()
    assert version.tags["gatekeeper.attestation"] == digest_bytes(attestation)


def test_artefacts_are_those_of_the_run_and_the_table_of_cases_only_when_asked(
    finished_run: Path, uri: str, home: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name = re.sub(r"\W", "-", request.node.name)
    tracked = logged(finished_run, uri, home, name)
    client = connect(uri).client
    expected = {"dossier.pdf", "dossier.html", "attestation.dsse.json", "verdict.json", "junit.xml"}
    expected.add("test-result.dsse.json")
    assert {file.path for file in client.list_artifacts(tracked.mlflow_run)} == expected
    (tmp_path / "got").mkdir()
    for given in ("dossier.pdf", "attestation.dsse.json", "verdict.json", "junit.xml"):
        got = Path(client.download_artifacts(tracked.mlflow_run, given, str(tmp_path / "got")))
        assert got.read_bytes() == (finished_run / given).read_bytes()
    assert verify(tmp_path / "got" / "dossier.pdf", own_trust(home)).verdict.verdict.value == "PASS"
    logged(finished_run, uri, home, name, with_evidence=True)
    assert {file.path for file in client.list_artifacts(tracked.mlflow_run)} == {*expected, "cases.parquet"}


@pytest.mark.parametrize("name", ["attestation.dsse.json", "verdict.json", "dossier.pdf", "test-result.dsse.json"])
def test_a_run_that_does_not_hold_is_not_logged(run_copy: Path, home: Path, tmp_path: Path, name: str) -> None:
    file = run_copy / name
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(IntegrityError):
        logged(run_copy, f"sqlite:///{tmp_path}/mlflow.db", home, "x")
    assert not (tmp_path / "mlflow.db").exists()


def test_what_is_unsigned_beside_a_dossier_is_made_anew(run_copy: Path, home: Path, tmp_path: Path) -> None:
    for name in ("dossier.html", "junit.xml"):
        (run_copy / name).write_text("<b>PASS, trust me</b>")
    logged(run_copy, new_database(tmp_path / "mlflow.db"), home, "x")
    kept = {path.name: path.read_text() for path in (tmp_path / "mlartifacts").rglob("*.*ml")}
    assert set(kept) == {"dossier.html", "junit.xml"}
    assert all("trust me" not in text for text in kept.values())


def test_a_dossier_alone_is_logged(finished_run: Path, home: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(finished_run / "dossier.pdf", tmp_path))
    tracked = logged(alone, new_database(tmp_path / "mlflow.db"), home, "x", model="nodules")
    assert "attestation.dsse.json" not in tracked.artefacts


def test_mlflow_is_not_let_tell_its_makers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
    program = "from gatekeeper.mlflow_server import connect; import os, sys; connect(sys.argv[1]); "
    program += "from mlflow.telemetry.client import get_telemetry_client as client; print(client())"
    asked = [sys.executable, "-c", program, new_database(tmp_path / "mlflow.db")]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_names_that_mlflow_would_refuse_or_confuse_stay_apart(finished_run: Path, home: Path) -> None:
    verified = verify(finished_run, own_trust(home))
    (finding, *_) = verified.verdict.findings
    ids = ["a/b", "a_b", "a:b", "../../x", "ä", "x" * 400, "x" * 401, "a[site=north]"]
    findings = tuple(finding.model_copy(update={"id": given}) for given in ids)
    verdict = verified.verdict.model_copy(update={"findings": findings})
    named = {name for name in metrics(replace(verified, verdict=verdict)) if name.endswith("/n")}
    assert len(named) == len(ids)
    for name in named:
        assert re.fullmatch(r"[A-Za-z0-9_\-. ]+/n", name)
        assert ".." not in name
        assert len(name) <= 250


def test_a_number_that_is_none_is_left_out(finished_run: Path, home: Path) -> None:
    verified = verify(finished_run, own_trust(home))
    (finding, *_) = verified.verdict.findings
    odd = finding.model_copy(update={"estimate": None, "interval": (float("nan"), float("inf"))})
    verdict = verified.verdict.model_copy(update={"findings": (odd,)})
    assert set(metrics(replace(verified, verdict=verdict))) == {"cases", "patients", f"{odd.id}/n"}


@pytest.mark.parametrize(
    "uri",
    ["file:///etc", "mysql://u:hunter2@h/db", "sqlite:///", "sqlite:////no/such/folder/x.db", "http://", "x", ""],
)
def test_another_address_is_code_2_without_its_password(uri: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        connect(uri, new=True)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("name", ["", "  ", "x" * 300, "a\nb", "\x1b[31m"])
def test_an_experiment_of_an_odd_name_is_refused(finished_run: Path, home: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="name of an experiment"):
        track(finished_run, f"sqlite:///{tmp_path}/mlflow.db", name, own_trust(home), home, NOW)
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize("name", ["a'b", "../x", "", "x" * 300])
def test_a_model_of_an_odd_name_is_refused_before_anything_is_written(
    finished_run: Path, home: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(GatekeeperError):
        logged(finished_run, f"sqlite:///{tmp_path}/mlflow.db", home, "x", model=name)
    assert not (tmp_path / "mlflow.db").exists()

"""The command ``track`` in a process of its own: where it logs, what it says, what it never says."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from pathlib import Path

from command_line import call

from gatekeeper.errors import Code
from gatekeeper.trust import Ledger

ROOT = Path(__file__).parents[2]


def test_the_command_logs_beside_the_runs_and_leaves_a_line(finished_run: Path, home: Path, tmp_path: Path) -> None:
    (tmp_path / "gatekeeper.yaml").write_text("out: runs\n")
    (tmp_path / "runs").mkdir()
    done = call("track", finished_run, "--register", "nodules", home=home, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("logged    PASS of run ")
    told = json.loads(call("track", finished_run, "--register", "nodules", "--json", home=home, cwd=tmp_path).stdout)
    assert (told["verdict"], told["again"], told["model"], told["version"]) == ("PASS", True, "nodules", "1")
    assert told["mlflow_run"] in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gatekeeper.yaml", "runs"]
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["mlartifacts", "mlflow.db"]
    with sqlite3.connect(tmp_path / "runs" / "mlflow.db") as database:
        assert database.execute("select count(*) from model_versions").fetchone() == (1,)
    with Ledger(home / "ledger.sqlite") as ledger:
        body = ledger.entries("run.tracked")[-1].body
    assert isinstance(body, dict)
    assert (body["store"], body["model"]) == ("sqlite:///runs/mlflow.db", "nodules")


def test_a_server_that_is_not_there_is_told_in_seconds_without_its_password(finished_run: Path, home: Path) -> None:
    uri = "http://someone:hunter2@127.0.0.1:9/mlflow?token=hunter2"
    began = datetime.now()
    done = call("track", finished_run, "--tracking-uri", uri, home=home)
    assert done.returncode == 2
    assert (datetime.now() - began).total_seconds() < 20
    assert "cannot be reached" in done.stderr
    assert "http://127.0.0.1:9/mlflow" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "someone" not in done.stdout + done.stderr


def test_without_mlflow_it_says_what_to_install(finished_run: Path, home: Path, tmp_path: Path) -> None:
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "__init__.py").write_text("raise ImportError(name='mlflow')\n")
    done = call("track", finished_run, home=home, cwd=tmp_path, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert done.returncode == 2
    assert "pip install 'gatekeeper-imaging[mlflow]'" in done.stderr
    assert Code.MISSING_PACKAGE.value in done.stderr

"""The job of the template for GitLab: its script run as one shell runs it there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from action.conftest import INPUTS
from action.runner import REPOSITORY, Runner

TEMPLATE = yaml.safe_load((REPOSITORY / "docs" / "templates" / "gitlab-ci.yml").read_text())
GIVEN = {
    "GATEKEEPER_POLICY": INPUTS["policy"],
    "GATEKEEPER_CANDIDATE": "candidate/moved.yaml",
    "GATEKEEPER_TESTSET": INPUTS["testset"],
    "GATEKEEPER_TRUST": INPUTS["trust"],
}


def run(runner: Runner, **variables: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": runner.path, "HOME": str(runner.temp), "GATEKEEPER_HOME": str(runner.temp / "keys-and-ledger")}
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(TEMPLATE["gatekeeper"]["script"])],
        cwd=runner.workspace,
        env={**TEMPLATE["variables"], **given, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_defective_candidate_is_blocked_and_its_findings_are_a_test_report(machine: Callable[..., Runner]) -> None:
    runner = machine()
    folder = next(runner.temp.glob("tools/gatekeeper/*/bin"))
    runner.path = f"{folder}:{os.environ['PATH']}"
    done = run(runner, **GIVEN)
    assert done.returncode == 1, done.stderr
    assert "<failure" in (runner.workspace / "gatekeeper.junit.xml").read_text()
    assert "FAIL" in (runner.workspace / "gatekeeper.md").read_text()
    assert list(runner.workspace.glob("reports/*/dossier.pdf"))


@pytest.mark.parametrize(
    ("code", "mode", "due"), [(4, "warn", 0), (4, "block", 4), (1, "warn", 1), (5, "warn", 5), (0, "block", 0)]
)
def test_only_what_is_inconclusive_may_warn(tmp_path: Path, code: int, mode: str, due: int) -> None:
    runner = Runner(tmp_path / "workspace", tmp_path / "temp")
    program = tmp_path / "gatekeeper"
    program.write_text(f'#!/bin/sh\n[ "$1" != check ] || exit {code}\n')
    program.chmod(0o755)
    runner.path = f"{tmp_path}:{os.environ['PATH']}"
    assert run(runner, GATEKEEPER_INCONCLUSIVE=mode).returncode == due

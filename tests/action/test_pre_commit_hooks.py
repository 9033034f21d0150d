"""The hooks, run by pre-commit itself in a repository of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from action.runner import REPOSITORY
from made_up_bench import POLICY, Bench

PRE_COMMIT = shutil.which("pre-commit", path=str(Path(sys.executable).parent))
HOOKS = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())

pytestmark = pytest.mark.skipif(PRE_COMMIT is None, reason="needs pre-commit: make lint installs it")


def call(cwd: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{cwd / 'bin'}:{os.environ['PATH']}", "PRE_COMMIT_HOME": str(cwd / "cache")}
    given = [str(argument) for argument in arguments]
    return subprocess.run(given, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def repository(tmp_path: Path, home: Path) -> Path:
    """A repository that runs the hooks as they are, but for the installation: the command is the one under test."""
    local = [{**hook, "language": "system"} for hook in HOOKS]
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": local}]}))
    program = tmp_path / "bin" / "gatekeeper"
    program.parent.mkdir()
    paths = f'PYTHONPATH="{REPOSITORY}" GATEKEEPER_HOME="{home}"'
    program.write_text(f'#!/bin/sh\n{paths} exec "{sys.executable}" -m gatekeeper "$@"\n')
    program.chmod(0o755)
    call(tmp_path, "git", "init", "--quiet")
    return tmp_path


def test_the_manifest_is_one_that_pre_commit_takes() -> None:
    done = call(REPOSITORY, PRE_COMMIT, "validate-manifest", REPOSITORY / ".pre-commit-hooks.yaml")
    assert done.returncode == 0, done.stdout


def test_a_policy_with_a_misspelt_metric_is_not_committed_and_a_sound_one_is(repository: Path) -> None:
    policy = repository / "policies" / "site" / "our policy.yaml"
    policy.parent.mkdir(parents=True)
    policy.write_text(POLICY.replace("metric: specificity", "metric: specifity"))
    call(repository, "git", "add", "policies")
    refused = call(repository, PRE_COMMIT, "run", "gatekeeper-policy-lint")
    assert refused.returncode == 1, refused.stdout
    assert "specifity" in refused.stdout
    policy.write_text(POLICY)
    call(repository, "git", "add", "policies")
    taken = call(repository, PRE_COMMIT, "run", "gatekeeper-policy-lint")
    assert taken.returncode == 0, taken.stdout
    assert "Passed" in taken.stdout


def test_a_test_set_that_was_changed_is_not_pushed(repository: Path, bench: Bench) -> None:
    shutil.copytree(bench.folder, repository / "second set")
    (repository / "uv.lock").write_text("another tool's\n")
    call(repository, "git", "add", "discs/discs.lock", "second set/discs.lock", "uv.lock")
    arguments = (PRE_COMMIT, "run", "gatekeeper-lock-verify", "--hook-stage", "manual")
    sound = call(repository, *arguments)
    assert sound.returncode == 0, sound.stdout
    assert "Passed" in sound.stdout
    image = next((repository / "discs" / "images").glob("*.dcm"))
    image.write_bytes(image.read_bytes()[:-1])
    assert call(repository, *arguments).returncode == 1

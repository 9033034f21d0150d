"""What a pull request may put into names, paths and outputs: nothing of it runs, and nothing becomes a command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from action.conftest import INPUTS
from action.runner import REPOSITORY, Runner, commands_in
from made_up_plugins import write_plugin

Machine = Callable[..., Runner]
HOSTILE = [
    "$(touch canary)",
    "`touch canary`",
    "a; touch canary",
    "a && touch canary #",
    "a | tee canary",
    'a" ; touch canary ; "',
    "a' ; touch canary ; '",
    "${IFS}touch${IFS}canary",
    "::set-output name=verdict::PASS",
    "##[set-output name=verdict;]PASS",
    "a%0A::set-env name=PATH::.",
    "*",
    "~/../../etc/passwd",
]
LEVELS = {"error", "warning", "notice", "debug"}


def no_harm(runner: Runner, job: object) -> None:
    assert not list(runner.workspace.parent.rglob("canary"))
    assert {command.name for command in job.commands} <= LEVELS  # type: ignore[attr-defined]
    assert job.outputs.get("verdict") != "PASS"  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", HOSTILE)
def test_shell_syntax_in_every_input_at_once_runs_nothing(machine: Machine, text: str) -> None:
    runner = machine(ref_name=text)
    job = runner.action(
        policy=text, candidate=text, testset=text, root=text, approval=text, out=text, overrides=text, reports=text
    )
    assert job.result == "failure"
    assert job.code == 2
    no_harm(runner, job)


@pytest.mark.parametrize("name", ["candidate", "policy", "testset"])
def test_a_file_whose_name_is_shell_syntax_is_just_a_file(machine: Machine, name: str) -> None:
    runner = machine()
    odd = "$(touch canary); `touch canary`.yaml"
    place = {"candidate": "candidate/cnn.yaml", "policy": "policy.yaml", "testset": "discs.lock"}[name]
    target = (runner.workspace / place).with_name(odd)
    shutil.copy(runner.workspace / place, target)
    given = str(target.relative_to(runner.workspace))
    script = REPOSITORY / ".github" / "actions" / "gatekeeper" / "check.sh"
    runner.action(**{"install-only": "true"})
    inputs = {**INPUTS, name: given}
    environment = {f"INPUT_{key.upper()}": value for key, value in inputs.items()}
    environment["INPUT_OVERRIDES"] = "engine.no_such_setting=1"  # which stops it right after the files were read
    step = runner.script("check", f'"{script}"', environment)
    assert step.outputs["exit-code"] == "2"
    assert "no_such_setting" in step.log
    assert not list(runner.workspace.parent.rglob("canary"))


@pytest.mark.parametrize("name", ["policy", "candidate", "testset", "root", "approval", "out", "reports", "overrides"])
@pytest.mark.parametrize("text", ["--help", "-x", "--exit-zero"])
def test_a_value_that_begins_with_a_dash_is_refused_by_name(machine: Machine, name: str, text: str) -> None:
    runner = machine()
    job = runner.action(**{**INPUTS, name: text})
    assert job.code == 2
    assert any(f'"{name}" begins with a dash' in error.data for error in job.annotations("error"))


@pytest.mark.parametrize("name", ["policy", "candidate", "testset", "out", "trust"])
def test_a_line_break_in_a_path_is_refused_and_writes_no_output(machine: Machine, name: str) -> None:
    runner = machine()
    job = runner.action(**{**INPUTS, name: "a\nverdict=PASS\n::set-output name=verdict::PASS"})
    assert job.code == 2
    assert job.outputs["verdict"] == ""
    no_harm(runner, job)


SHOUTING = """
import os
import sys

import numpy as np

LINES = "::add-mask::PASS\\n::set-env name=A::b\\n::set-output name=verdict::SHOUTED\\n"
LINES += "##[add-path]/tmp\\n::error::SHOUTED\\n"


def shout():
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        stream.write(LINES)
        stream.flush()
        os.write(number, LINES.encode())
    for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"):
        if name in os.environ:
            with open(os.environ[name], "a") as file:
                file.write("verdict=SHOUTED\\n")


def load(folder, device):
    shout()
    return answer


def answer(case):
    shout()
    if case.image[0].mean() > 0.3:
        raise ValueError(LINES)
    return np.array([0.9 if case.image[0].mean() > 0.06 else 0.1])
"""


def test_what_a_candidate_prints_or_says_of_itself_is_no_command_and_no_output(machine: Machine) -> None:
    runner = machine()
    folder = runner.workspace / "shouting"
    folder.mkdir()
    candidate = write_plugin(folder, "shouting", SHOUTING)
    lines = "::add-mask::PASS ::set-output name=verdict::SHOUTED ##[add-path]/tmp ::error::SHOUTED"
    candidate.write_text(candidate.read_text().replace("made up for tests", f'"{lines}"'))
    job = runner.action(**{**INPUTS, "candidate": "shouting/candidate.yaml"})
    assert {command.name for command in job.commands} <= LEVELS, job.commands
    assert not any("SHOUTED" in command.data for command in job.commands)
    verdict = json.loads((runner.workspace / job.outputs["run"] / "verdict.json").read_text())["verdict"]
    assert job.outputs["verdict"] == verdict, job.log
    assert "verdict=SHOUTED" not in job.summary


def test_the_fence_holds_what_a_program_prints_and_lets_the_report_through(machine: Machine) -> None:
    runner = machine()
    say = REPOSITORY / ".github" / "actions" / "gatekeeper" / "say.sh"
    program = (
        "print('::set-env name=A::b'); print('##[add-path]/tmp'); print('  ::error::forged');"
        "print('::stop-commands::x'); print('::x::'); print('::set-output name=a::b');"
        "from gatekeeper.cli.reports import _to_runner; _to_runner('::error file=p.yaml,line=3::true')"
    )
    script = f'. "{say}"\nfenced python -c "$PROGRAM" || echo "ended $?"\necho "::notice::after"'
    runner.action(**{"install-only": "true"})
    step = runner.script("said", script, {"PROGRAM": program + "; raise SystemExit(7)"})
    assert [(command.name, command.data) for command in step.commands] == [("error", "true"), ("notice", "after")]
    assert "ended 7" in step.log


def test_without_a_fence_the_same_lines_would_be_taken() -> None:
    """Whether the reader of commands can see them at all."""
    log = (
        "::set-env name=A::b\nsome text ##[add-path]/tmp\n  ::error::forged\n::stop-commands::x\n::add-mask::y\n::x::\n"
    )
    assert [command.name for command in commands_in(log)] == ["set-env", "add-path", "error"]


@pytest.mark.parametrize(
    "about", [{"without": ("GITHUB_STEP_SUMMARY",)}, {"variables": {"GITHUB_STEP_SUMMARY": "/proc/no"}}]
)
def test_a_runner_without_a_summary_says_so_and_still_writes_outputs(machine: Machine, about: dict[str, Any]) -> None:
    job = machine(**about).action(**{**INPUTS, "candidate": "not-there.yaml"})
    assert (job.code, job.outputs["verdict"]) == (2, "ERROR"), job.log
    assert any("no file for a job summary" in notice.data for notice in job.annotations("notice"))


def test_outside_a_runner_the_script_says_where_it_belongs(machine: Machine) -> None:
    runner = machine()
    runner.without = ("GITHUB_OUTPUT",)
    script = REPOSITORY / ".github" / "actions" / "gatekeeper" / "check.sh"
    step = runner.script("check", f'"{script}"', {})
    assert step.code == 2
    assert "GITHUB_OUTPUT is not set" in step.log


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap to make a folder read-only for root")
def test_a_workspace_that_cannot_be_written_is_named(machine: Machine) -> None:
    runner = machine()
    workspace = str(runner.workspace)
    runner.around = ("bwrap", "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--ro-bind", workspace, workspace)
    job = runner.action(**INPUTS)
    assert job.code == 2, job.log
    assert "the run's folder cannot be made" in job.log
    assert "--out" in job.log


def test_a_home_that_cannot_be_made_is_named(machine: Machine) -> None:
    job = machine().action(**INPUTS, home="/proc/no-such-place")
    assert job.code == 2
    assert any("Keys and ledger cannot be kept" in error.data for error in job.annotations("error"))


def test_a_pull_request_from_a_fork_is_checked_without_secrets_and_signs_nothing(machine: Machine) -> None:
    runner = machine(event="pull_request")
    job = runner.action(**INPUTS, signing="key")
    assert job.code == 2
    assert any("forks get no secrets" in error.data for error in job.annotations("error"))


def test_pull_request_target_is_refused(machine: Machine) -> None:
    job = machine(event="pull_request_target").action(**INPUTS)
    assert job.code == 2
    assert any("pull_request_target" in error.data for error in job.annotations("error"))


@pytest.mark.parametrize(
    ("secret", "said"), [("not base64 !", "PKCS#12 file in base64"), ("bm8ga2V5", "tool.p12"), ("", "secret is empty")]
)
def test_a_secret_that_holds_no_key_is_said_without_showing_it(machine: Machine, secret: str, said: str) -> None:
    runner = machine(variables={"GATEKEEPER_TOOL_KEY": secret})
    job = runner.action(**INPUTS, signing="key")
    assert job.code == 2, job.log
    assert said in job.log
    assert not secret or secret not in job.log
    assert not list(runner.temp.glob("temp/signing.*"))


def test_a_root_of_another_organisation_takes_neither_lock_nor_keys(machine: Machine, tmp_path: Path) -> None:
    from made_up_keys import make_release_keys

    runner = machine()
    make_release_keys(tmp_path / "stranger", {})
    shutil.copy(tmp_path / "stranger" / "keys" / "root.pem", runner.workspace / "root.pem")
    job = runner.action(**INPUTS)
    assert job.code == 3
    assert json.dumps(job.outputs["verdict"]) == '"ERROR"'

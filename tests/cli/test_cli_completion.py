"""Completion in shells: the protocol as bash, zsh and fish speak it, and bash itself."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.main import get_command

from gatekeeper.candidate.contract import Format
from gatekeeper.cli.app import app
from gatekeeper.cli.completing import OFFERS, formats, policies, roles, shipped_policies, tasks
from gatekeeper.metrics import METRICS
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy import policy_names
from gatekeeper.policy.schema.context import Task
from gatekeeper.trust import ROLES

# As the console script is called: the name of the program gives that of the variable.
PROGRAM = [sys.executable, "-c", "import sys; sys.argv[0] = 'gatekeeper'; from gatekeeper.__main__ import run; run()"]


def answer(line: str, cwd: Path, shell: str = "bash", program: list[str] = PROGRAM) -> str:
    """Return what is said to a shell that asks what may stand behind a line."""
    words = shlex.split(line)
    begun = line.endswith(" ")
    variables = {
        "_GATEKEEPER_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) if begun else len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    environment = {**os.environ, **variables}
    done = subprocess.run(program, env=environment, cwd=cwd, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return done.stdout


def completed(line: str, cwd: Path) -> list[str]:
    """Return what bash is offered behind a line."""
    return answer(line, cwd).split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("gatekeeper ch", ["check"]),
        ("gatekeeper policy di", ["diff"]),
        ("gatekeeper check --dry", ["--dry-run"]),
        ("gatekeeper check --policy neuro/ich", ["neuro/ich_triage"]),
        ("gatekeeper policy diff neuro/ich_triage chest_ct/pe", ["chest_ct/pe_triage"]),
        ("gatekeeper policy metrics precision_at", ["precision_at_sensitivity"]),
        ("gatekeeper policy perturbations gaussian_n", ["gaussian_noise"]),
        ("gatekeeper sign x.pdf --role q", ["qa"]),
        ("gatekeeper verify x.pdf --require-role ", ["engineer", "qa"]),
        ("gatekeeper init --format saf", ["safetensors"]),
        ("gatekeeper check --policy no/such", []),
    ],
)
def test_names_are_offered_behind_what_was_begun(line: str, offered: list[str], tmp_path: Path) -> None:
    assert completed(line, tmp_path) == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_offered_the_same(shell: str, tmp_path: Path) -> None:
    told = answer("gatekeeper policy show neuro/", tmp_path, shell)
    for name in ("neuro/ich_triage", "neuro/brain_extraction"):
        assert name in told
    assert "chest_ct" not in told


def test_one_s_own_policies_are_offered_first_and_layers_never(tmp_path: Path) -> None:
    (tmp_path / "policies" / "base").mkdir(parents=True)
    (tmp_path / "policies" / "ours.yaml").write_text("broken: [")
    (tmp_path / "policies" / "base" / "ours.yaml").write_text("")
    assert completed("gatekeeper check --policy ou", tmp_path) == ["ours"]
    assert completed("gatekeeper check --policy base", tmp_path) == []


def test_what_is_offered_is_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typing import get_args

    monkeypatch.chdir(tmp_path)
    assert policies() == shipped_policies() == policy_names()
    assert set(roles()) == set(ROLES) - {"tool"}
    assert formats() == [
        "onnx",
        "safetensors",
        *[one for one in get_args(Format) if one not in ("onnx", "safetensors")],
    ]
    assert set(tasks()) <= set(get_args(Task))
    assert {metric.name for metric in METRICS} == set(OFFERS["policy metrics", "names"]())
    assert {one.name for one in PERTURBATIONS} == set(OFFERS["policy perturbations", "names"]())


def test_kinds_of_reports_are_those_of_the_catalogue() -> None:
    kinds = pytest.importorskip("gatekeeper.reporters.kinds").REPORTERS
    assert {offer.partition(":")[0] for offer in OFFERS["check", "report"]()} == {reporter.name for reporter in kinds}


def test_every_line_of_the_table_is_of_a_parameter_that_there_is() -> None:
    def parameters(command: object, path: tuple[str, ...] = ()) -> set[tuple[str, str]]:
        found = {(" ".join(path), parameter.name) for parameter in getattr(command, "params", ())}
        for name, below in getattr(command, "commands", {}).items():
            found |= parameters(below, (*path, name))
        return found

    known = parameters(get_command(app))
    reports = {("check", "report"), ("evaluate", "report")}
    for command, name in set(OFFERS) - reports:
        assert (command, name) in known or (command == "" and name in {each for _, each in known}), (command, name)


@pytest.mark.parametrize("line", ["gatekeeper check --policy neuro/", "gatekeeper policy metrics pre", "gatekeeper ch"])
def test_an_answer_comes_at_once_and_imports_nothing_heavy(line: str, tmp_path: Path) -> None:
    times = []
    for _ in range(3):
        before = time.perf_counter()
        completed(line, tmp_path)
        times.append(time.perf_counter() - before)
    # Twice what it takes on an idle machine with two cores: other work shares them.
    assert min(times) < 0.6
    heavy = "[name for name in ('torch', 'hydra', 'scipy', 'pydicom') if name in sys.modules]"
    told = PROGRAM[-1].removesuffix("run()") + f"import atexit; atexit.register(lambda: print({heavy})); run()"
    assert answer(line, tmp_path, program=[*PROGRAM[:-1], told]).splitlines()[-1] == "[]"


def test_bash_itself_completes_with_the_script_that_is_shown(tmp_path: Path) -> None:
    """The script is put in, and a key press is played: bash calls the function and reads what it offers."""
    program = tmp_path / "gatekeeper"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n')
    program.chmod(0o755)
    played = """
        eval "$(gatekeeper --show-completion)"
        complete -p gatekeeper
        COMP_WORDS=(gatekeeper check --policy neuro/ich); COMP_CWORD=3; COMP_LINE="${COMP_WORDS[*]}"
        _gatekeeper_completion gatekeeper
        echo "offered: ${COMPREPLY[*]}"
    """
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["bash", "-c", played], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert "offered: neuro/ich_triage" in done.stdout, done.stderr
    assert "-o default" in done.stdout


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_itself_completes_with_the_script_that_is_shown(tmp_path: Path) -> None:
    program = tmp_path / "gatekeeper"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n')
    program.chmod(0o755)
    played = 'gatekeeper --show-completion | source; complete -C "gatekeeper check --policy neuro/ich"'
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["fish", "-c", played], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == ["neuro/ich_triage"], done.stderr


def test_installing_writes_to_the_home_of_the_user_alone(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "gatekeeper"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["bash", "-c", "gatekeeper --install-completion; true"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "bash completion installed" in done.stdout
    assert "gatekeeper" in (tmp_path / ".bashrc").read_text()

"""A runner of GitHub Actions, small: it reads actions and workflows, and runs their scripts for real.

Files, variables and commands are as GitHub's documentation tells of them ("Workflow commands", "Variables"). What
another repository's action does is stood in for, since its code is not here: checkouts and artifacts are copies of
folders, the cache never has anything, an attestation is only written down.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from action.expressions import as_text, evaluated, interpolated

REPOSITORY = Path(__file__).parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
_COMMAND = re.compile(r"\s*::(?P<name>[^: ]+)(?: (?P<properties>.*?))?::(?P<data>.*)")
_OLD_COMMAND = re.compile(r"##\[(?P<name>[A-Za-z-]+)(?: (?P<properties>[^\]]*))?\](?P<data>.*)")
_KNOWN = {
    *("debug", "notice", "warning", "error", "group", "endgroup", "add-mask", "add-matcher"),
    *("save-state", "set-output", "set-env", "add-path", "echo"),
}


@dataclass(frozen=True)
class Command:
    """A command that the runner took from the log."""

    name: str
    properties: str
    data: str


@dataclass
class Step:
    """What became of a step."""

    name: str
    outcome: str  # success, failure, skipped
    conclusion: str
    code: int = 0
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    inner: list[Step] = field(default_factory=list)


@dataclass
class Job:
    """What became of a job, or of an action."""

    steps: list[Step] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    @property
    def result(self) -> str:
        return "failure" if any(step.conclusion == "failure" for step in self.steps) else "success"

    @property
    def code(self) -> int:
        """The code of the first step that failed; 0 if none did."""
        return next((step.code for step in self.every_step() if step.conclusion == "failure" and not step.inner), 0)

    @property
    def log(self) -> str:
        return "".join(step.log for step in self.every_step())

    @property
    def commands(self) -> list[Command]:
        return [command for step in self.every_step() for command in step.commands]

    def annotations(self, level: str) -> list[Command]:
        return [command for command in self.commands if command.name == level]

    def every_step(self) -> list[Step]:
        return [one for step in self.steps for one in (step.inner or [step])]

    def step(self, name: str) -> Step:
        return next(step for step in self.every_step() if step.name == name)


@dataclass
class Runner:
    """A machine with a workspace, for one job. ``artifacts`` outlive it, as on GitHub.

    ``repository`` is what a checkout gives; ``around`` goes before each script's command line, such as walls.
    """

    workspace: Path
    temp: Path
    repository: Path | None = None
    artifacts: Path | None = None
    event: str = "push"
    ref_name: str = "main"
    hosted: bool = True
    secrets: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    matrix: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    attested: list[dict[str, str]] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        self.workspace.mkdir(parents=True, exist_ok=True)
        for folder in ("files", "temp", "tools", "home"):
            (self.temp / folder).mkdir(parents=True, exist_ok=True)
        (self.temp / "files" / "event.json").write_text(json.dumps({"ref": f"refs/heads/{self.ref_name}"}))
        (self.temp / "files" / "summary.md").touch()
        self.path = os.environ["PATH"]

    # A job, an action

    def job(self, workflow: str, name: str) -> Job:
        """Run one job of a workflow of this repository."""
        job = yaml.safe_load((REPOSITORY / ".github" / "workflows" / workflow).read_text())["jobs"][name]
        identity = job["permissions"].get("id-token") == "write" and {
            "ACTIONS_ID_TOKEN_REQUEST_URL": "https://x.example"
        }
        self.variables = {**(identity or {}), **self.variables}
        about = {"workflow_sha": COMMIT, "workflow_repository": "OWNER/gatekeeper"}
        given = {"inputs": self.inputs, "secrets": self.secrets, "matrix": self.matrix}
        contexts = self._contexts({**given, "strategy": {"job-index": 0}, "job": about})
        return self._steps(job["steps"], contexts, None)

    def action(self, **inputs: str) -> Job:
        """Run this repository's action."""
        return self._action(REPOSITORY / ".github" / "actions" / "gatekeeper", inputs, self._contexts({}))

    def _action(self, folder: Path, given: Mapping[str, Any], around: Mapping[str, Any]) -> Job:
        action = yaml.safe_load((folder / "action.yml").read_text())
        unknown = set(given) - set(action["inputs"])
        assert not unknown, f"no such inputs: {unknown}"
        inputs = {name: as_text(given.get(name, about.get("default"))) for name, about in action["inputs"].items()}
        contexts = {**around, "inputs": inputs, "steps": {}}
        done = self._steps(action["runs"]["steps"], contexts, folder)
        done.outputs = {
            name: as_text(interpolated(about["value"], contexts, {})) for name, about in action["outputs"].items()
        }
        return done

    def _contexts(self, more: Mapping[str, Any]) -> dict[str, Any]:
        place = "github-hosted" if self.hosted else "self-hosted"
        return {
            "github": {"event_name": self.event, "workspace": str(self.workspace), "ref_name": self.ref_name},
            "runner": {"temp": str(self.temp / "temp"), "environment": place, "os": "Linux"},
            "env": {},
            "vars": {},
            "needs": {},
            "steps": {},
            **more,
        }

    def _steps(self, steps: list[dict[str, Any]], contexts: dict[str, Any], folder: Path | None) -> Job:
        job = Job()
        for step in steps:
            failed = job.result == "failure"
            functions: dict[str, Callable[..., Any]] = {
                "success": lambda failed=failed: not failed,
                "failure": lambda failed=failed: failed,
                "always": lambda: True,
                "cancelled": lambda: False,
                "fromJSON": json.loads,
            }
            wanted = str(step.get("if", "success()")).strip().removeprefix("${{").removesuffix("}}")
            asks = any(f"{word}()" in wanted for word in ("success", "failure", "always", "cancelled"))
            runs = evaluated(wanted, contexts, functions) and (asks or not failed)
            name = step.get("name") or step.get("uses") or step["run"]
            done = self._step(name, step, contexts, functions, folder) if runs else Step(name, "skipped", "skipped")
            if done.outcome == "failure" and step.get("continue-on-error"):
                done.conclusion = "success"
            job.steps.append(done)
            if "id" in step:
                about = {"outputs": done.outputs, "outcome": done.outcome, "conclusion": done.conclusion}
                contexts["steps"][step["id"]] = about
        summary = self.temp / "files" / "summary.md"
        job.summary = summary.read_text() if summary.exists() else ""
        return job

    def _step(
        self, name: str, step: dict[str, Any], contexts: dict[str, Any], functions: dict[str, Any], folder: Path | None
    ) -> Step:
        def value_of(value: Any) -> str:
            return as_text(interpolated(str(value), contexts, functions) if isinstance(value, str) else value)

        if "run" in step:
            environment = {key: value_of(value) for key, value in step.get("env", {}).items()}
            assert "${{" not in step["run"], "an expression within a script"
            assert step.get("shell", "bash") == "bash"
            return self.script(name, step["run"], environment, folder)
        given = {key: value_of(value) for key, value in step.get("with", {}).items()}
        if step["uses"].startswith("./"):
            place = self.workspace / step["uses"]
            done = self._action(place, given, contexts)
            outcome = done.result
            return Step(name, outcome, outcome, done.code, outputs=done.outputs, inner=done.steps)
        owner, _, pin = step["uses"].partition("@")
        assert re.fullmatch("[0-9a-f]{40}", pin), f"not pinned: {step['uses']}"
        outputs = STAND_INS[owner](self, given)
        return Step(name, "success", "success", outputs=outputs)

    # A script

    def script(self, name: str, script: str, environment: dict[str, str], folder: Path | None = None) -> Step:
        """Run one script as a step; ``folder`` is that of the action which it belongs to."""
        self._count += 1
        files = {kind: self.temp / "files" / f"{kind}-{self._count}" for kind in ("OUTPUT", "ENV", "PATH", "STATE")}
        for file in files.values():
            file.touch()
        written = self.temp / "files" / f"script-{self._count}.sh"
        written.write_text(script)
        variables = {
            "PATH": self.path,
            "HOME": str(self.temp / "home"),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": self.event,
            "GITHUB_EVENT_PATH": str(self.temp / "files" / "event.json"),
            "GITHUB_REF_NAME": self.ref_name,
            "GITHUB_HEAD_REF": self.ref_name,
            "GITHUB_REPOSITORY": "OWNER/models",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_RUN_ID": "1",
            "GITHUB_STEP_SUMMARY": str(self.temp / "files" / "summary.md"),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp / "temp"),
            "RUNNER_TOOL_CACHE": str(self.temp / "tools"),
            "RUNNER_OS": "Linux",
            **{f"GITHUB_{kind}": str(file) for kind, file in files.items()},
            **({"GITHUB_ACTION_PATH": str(folder)} if folder else {}),
            **self.variables,
            **environment,
        }
        variables = {key: value for key, value in variables.items() if key not in self.without}
        done = subprocess.run(
            [*self.around, "bash", "--noprofile", "--norc", "-eo", "pipefail", str(written)],
            env=variables,
            cwd=self.workspace,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        for line in files["PATH"].read_text().splitlines():
            self.path = f"{line}:{self.path}"
        outcome = "success" if done.returncode == 0 else "failure"
        outputs = read_environment_file(files["OUTPUT"].read_text())
        return Step(
            name, outcome, outcome, done.returncode, done.stdout, outputs, commands_in(done.stdout), environment
        )


def commands_in(log: str) -> list[Command]:
    """Return the commands that a runner takes from a log, in both of their forms; none within a fence."""
    taken: list[Command] = []
    stopped: str | None = None
    for line in log.splitlines():
        found = _COMMAND.match(line) or _OLD_COMMAND.search(line)
        if found is None:
            continue
        name = found["name"]
        if stopped is not None:
            stopped = None if name == stopped else stopped
        elif name == "stop-commands":
            stopped = found["data"]
        elif name in _KNOWN:
            taken.append(Command(name, found["properties"] or "", found["data"]))
    assert stopped is None, "a fence was left standing"
    return taken


def read_environment_file(text: str) -> dict[str, str]:
    """Read ``name=value`` and ``name<<WORD`` as a runner does; what is neither is an error there."""
    values: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            name, word = line.split("<<", 1)
            values[name] = "\n".join(iter(lambda: next(lines), word))
        elif equals >= 0:
            name, values[name] = line.split("=", 1)[0], line.split("=", 1)[1]
        elif line:
            raise AssertionError(f"a runner refuses this line: {line}")
    return values


def _checkout(runner: Runner, given: Mapping[str, str]) -> dict[str, str]:
    assert given["persist-credentials"] == "false"
    target = runner.workspace / given.get("path", ".")
    if given.get("repository") == "OWNER/gatekeeper":
        assert given["ref"] == COMMIT
        check_out(REPOSITORY, target)
        return {}
    assert runner.repository is not None
    sparse = given.get("sparse-checkout")
    if sparse is None:
        shutil.copytree(runner.repository, target, dirs_exist_ok=True)
    elif (runner.repository / sparse).is_dir():
        shutil.copytree(runner.repository / sparse, target / sparse, dirs_exist_ok=True)
    else:
        (target / sparse).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(runner.repository / sparse, target / sparse)
    return {}


def _upload(runner: Runner, given: Mapping[str, str]) -> dict[str, str]:
    source = runner.workspace / given["path"]
    assert source.is_dir(), f"nothing to upload at {source}"
    assert runner.artifacts is not None
    shutil.copytree(source, runner.artifacts / given["name"])
    return {"artifact-url": f"https://github.com/OWNER/models/actions/runs/1/artifacts/{given['name']}"}


def _download(runner: Runner, given: Mapping[str, str]) -> dict[str, str]:
    assert runner.artifacts is not None
    shutil.copytree(runner.artifacts / given["name"], given["path"], dirs_exist_ok=True)
    return {}


def _attest(runner: Runner, given: Mapping[str, str]) -> dict[str, str]:
    runner.attested.append(dict(given))
    return {}


STAND_INS: dict[str, Callable[[Runner, Mapping[str, str]], dict[str, str]]] = {
    "actions/checkout": _checkout,
    "actions/setup-python": lambda runner, given: {"python-path": sys.executable},
    "actions/cache": lambda runner, given: {"cache-hit": ""},
    "actions/upload-artifact": _upload,
    "actions/download-artifact": _download,
    "actions/attest": _attest,
}


def check_out(part_of: Path, target: Path) -> None:
    """Copy what an installation of gatekeeper is made of, and its workflows."""
    for part in (".github", ".ci", "gatekeeper", "policies", "configs"):
        compiled = shutil.ignore_patterns("__pycache__")
        shutil.copytree(part_of / part, target / part, dirs_exist_ok=True, ignore=compiled)
    for part in ("pyproject.toml", "constraints.txt"):
        shutil.copy(part_of / part, target)


_NAMES: dict[tuple[str, str], str] = {}  # of folders, by extras and index: the same for all machines of a session


def with_gatekeeper(runner: Runner, extra_index_url: str = "") -> Runner:
    """Put the code under test where the action installs, as the cache would: the key is computed for real."""
    script = REPOSITORY / ".github" / "actions" / "gatekeeper" / "key.sh"
    for extras in ("models", ""):
        about = (extras, extra_index_url)
        if about not in _NAMES:
            inputs = {"INPUT_PYTHON": sys.executable, "INPUT_EXTRAS": extras, "INPUT_EXTRA_INDEX_URL": extra_index_url}
            _NAMES[about] = Path(runner.script("key", f'"{script}"', inputs).outputs["folder"]).name
        folder = runner.temp / "tools" / "gatekeeper" / _NAMES[about]
        (folder / "bin").mkdir(parents=True)
        for name, call in (("gatekeeper", "-m gatekeeper "), ("python", "")):
            program = folder / "bin" / name
            program.write_text(f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec "{sys.executable}" {call}"$@"\n')
            program.chmod(0o755)
        (folder / ".whole").touch()
    return runner

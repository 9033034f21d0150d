"""What `make lint` asks of workflows holds, and each of its tools can say no."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from action.runner import REPOSITORY

BIN = Path(sys.executable).parent
TOOLS = ("zizmor", "check-jsonschema", "actionlint", "yamllint", "shellcheck")
SHA = "08c6903cd8c0fde910a37f88322edcfb5dd907a8"

pytestmark = pytest.mark.skipif(
    not all(shutil.which(tool, path=str(BIN)) for tool in TOOLS), reason="needs the linters: make lint installs them"
)

SOUND = f"""\
name: Sound
on: push
permissions: {{}}
concurrency: {{group: one, cancel-in-progress: false}}
jobs:
  one:
    name: One
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions: {{contents: read}}
    steps:
      - uses: actions/checkout@{SHA} # v5.0.0
        with: {{persist-credentials: false}}
      - run: echo "$TITLE"
        env: {{TITLE: "${{{{ github.event.pull_request.title }}}}"}}
"""
PLANTED = {
    "an injection": ("zizmor", 'echo "$TITLE"', 'echo "${{ github.event.pull_request.title }}"', "template-injection"),
    "a tag instead of a commit": ("zizmor", f"checkout@{SHA} # v5.0.0", "checkout@v5", "unpinned-uses"),
    "a token left on disk": ("zizmor", "        with: {persist-credentials: false}\n", "", "artipacked"),
    "too many permissions": (
        "zizmor",
        "permissions: {contents: read}",
        "permissions: write-all",
        "excessive-permissions",
    ),
    "pull_request_target": ("zizmor", "on: push", "on: pull_request_target", "dangerous-triggers"),
    "an unknown key": ("check-jsonschema", "timeout-minutes", "time-out-minutes", "time-out-minutes"),
    "an unknown context": ("actionlint", "github.event.pull_request.title", "githb.event", "githb"),
    "a script that splits words": ("actionlint", 'echo "$TITLE"', "echo $TITLE", "SC2086"),
    "a key twice": ("yamllint", "name: Sound\n", "name: Sound\nname: Sound\n", "duplication"),
}


def asked(tool: str, file: Path) -> subprocess.CompletedProcess[str]:
    commands = {
        "zizmor": ["zizmor", "--offline", "--no-progress", file],
        "check-jsonschema": ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", file],
        "actionlint": ["actionlint", "-config-file", REPOSITORY / ".github" / "actionlint.yaml", file],
        "yamllint": ["yamllint", "--strict", "--config-file", REPOSITORY / ".ci" / "yamllint.yaml", file],
    }
    given = [str(part) for part in commands[tool]]
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "NO_COLOR": "1"}
    return subprocess.run(given, env=environment, capture_output=True, text=True, timeout=60, check=False)


def planted_in(tmp_path: Path, text: str) -> Path:
    file = tmp_path / ".github" / "workflows" / "planted.yml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


def test_all_workflows_templates_and_scripts_pass() -> None:
    done = subprocess.run(
        [REPOSITORY / ".ci" / "lint-workflows", BIN], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("tool", ["zizmor", "check-jsonschema", "actionlint", "yamllint"])
def test_a_sound_workflow_passes_each_tool(tmp_path: Path, tool: str) -> None:
    done = asked(tool, planted_in(tmp_path, SOUND))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(tmp_path: Path, fault: str) -> None:
    tool, sound, faulty, said = PLANTED[fault]
    assert sound in SOUND
    done = asked(tool, planted_in(tmp_path, SOUND.replace(sound, faulty)))
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def test_every_foreign_action_is_pinned_by_commit_with_its_version_and_one_commit_a_version() -> None:
    files = [*REPOSITORY.glob(".github/workflows/*.yml"), *REPOSITORY.glob(".github/actions/*/action.yml")]
    used = [
        line.split("uses:")[1].strip() for file in files for line in file.read_text().splitlines() if "uses:" in line
    ]
    foreign = [name for name in used if not name.startswith("./")]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", name) for name in foreign)
    assert len(set(foreign)) == len({name.split("@")[0] for name in foreign})


def test_no_script_holds_an_expression() -> None:
    for file in (REPOSITORY / ".github").rglob("*.yml"):
        for script in re.findall(r"^ *(?:- )?run: (.*)$", file.read_text(), re.M):
            assert "${{" not in script

"""The page's own examples are what they say, and hold against schema and linter."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from action.runner import COMMIT, REPOSITORY

PAGE = (REPOSITORY / "docs" / "release-check.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
ACTION = yaml.safe_load((REPOSITORY / ".github" / "actions" / "gatekeeper" / "action.yml").read_text())
CALLED = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "release-check.yml").read_text())[True]["workflow_call"]


def test_the_page_has_every_input_and_output_of_the_action() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (.*?) \|(?: (.*?) \|)?$", PAGE.split("## Reusable workflow")[0], re.M)
    told = {name: first for name, first, _ in rows}
    assert set(told) == set(ACTION["inputs"]) | set(ACTION["outputs"])
    for name, about in ACTION["inputs"].items():
        assert told[name] == (f"`{about['default']}`" if about["default"] else "–"), name


def test_five_lines_are_five_lines_and_name_inputs_that_there_are() -> None:
    steps = yaml.safe_load(BLOCKS[0])["steps"]
    assert len(BLOCKS[0].splitlines()) == 5
    assert set(steps[1]["with"]) <= set(ACTION["inputs"])


def test_the_call_of_the_workflow_names_inputs_and_secrets_that_there_are() -> None:
    job = yaml.safe_load(BLOCKS[1])["jobs"]["release"]
    assert set(job["with"]) <= set(CALLED["inputs"])
    assert {name for name, about in CALLED["inputs"].items() if about.get("required")} <= set(job["with"])
    assert set(job["secrets"]) <= set(CALLED["secrets"])
    assert not any("QA" in name for name in job["secrets"])


def test_the_hooks_of_the_page_are_those_of_the_repository() -> None:
    (repository,) = yaml.safe_load(BLOCKS[2])["repos"]
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in repository["hooks"]] == [hook["id"] for hook in hooks]


@pytest.mark.parametrize("number", [0, 1])
def test_the_examples_are_workflows(tmp_path: Path, number: int) -> None:
    tools = {name: shutil.which(name, path=str(Path(sys.executable).parent)) for name in ("check-jsonschema", "zizmor")}
    if not all(tools.values()):
        pytest.skip("needs the linters: make lint installs them")
    block = BLOCKS[number].replace("COMMIT", COMMIT)
    if number == 0:
        body = "".join(f"    {line}\n" for line in block.splitlines())
        block = f"jobs:\n  one:\n    runs-on: ubuntu-24.04\n    permissions: {{contents: read}}\n{body}"
    file = tmp_path / ".github" / "workflows" / "example.yml"
    file.parent.mkdir(parents=True)
    file.write_text(f"name: Example\non: pull_request\npermissions: {{}}\n{block}")
    for command in (
        [tools["check-jsonschema"], "--builtin-schema", "vendor.github-workflows", file],
        [tools["zizmor"], "--offline", "--no-progress", file],
    ):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_link_of_the_page_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (REPOSITORY / "docs" / target).exists(), target

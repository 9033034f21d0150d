from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from broken_compositions import BROKEN_COMPOSITIONS, CHILD
from made_up_bench import POLICY

from gatekeeper.errors import Code, ExitCode, UsageError
from gatekeeper.policy import load_policy


@pytest.mark.parametrize("name", BROKEN_COMPOSITIONS)
def test_a_broken_composition_is_refused_in_the_file_that_is_to_blame(name: str, tmp_path: Path) -> None:
    broken, folder = BROKEN_COMPOSITIONS[name], tmp_path / "policies"
    folder.mkdir()
    child = broken.write(folder)
    with pytest.raises(UsageError) as caught:
        load_policy(str(child))
    assert caught.value.exit_code is ExitCode.USAGE
    found = [
        (problem.code, Path(problem.where.path).name, problem.where.line)
        for problem in caught.value.problems
        if problem.where
    ]
    wanted = (broken.code, broken.blamed[0], broken.line(folder))
    assert wanted in found
    if broken.mend is not None:
        assert broken.mend in (caught.value.problems[found.index(wanted)].mend or "")


def test_the_compositions_are_layers_over_a_sound_policy(tmp_path: Path) -> None:
    (tmp_path / "parent.yaml").write_text(POLICY)
    (tmp_path / "child.yaml").write_text(CHILD)
    assert (
        load_policy(str(tmp_path / "child.yaml")).policy.digest
        == load_policy(str(tmp_path / "parent.yaml")).policy.digest
    )


RELAXED = [
    "requirements:\n  sensitivity: {lower_limit: {at_least: 20 %}, RELAXES}\n",
    "requirements:\n  flips: {upper_limit: {at_most: 95 %}, RELAXES}\n",
    "requirements:\n  time: {percentile: 50, RELAXES}\n",
    "requirements:\n  flips: {confidence: 0.6, RELAXES}\n",
    "robustness: {contour_erosion: [0.75 mm]}\nRELAXES\n",
    "failure_costs: {crash: negative}\nRELAXES\n",
    "subgroups: {missing: not_judged}\nRELAXES\n",
]


@pytest.mark.parametrize("text", RELAXED)
def test_what_is_weakened_with_a_reason_and_a_name_is_taken_and_listed(text: str, tmp_path: Path) -> None:
    (tmp_path / "parent.yaml").write_text(POLICY)
    child = tmp_path / "child.yaml"
    child.write_text(CHILD + text.replace("RELAXES", "relaxes: {why: our scanner, by: QA}"))
    relaxed = load_policy(str(child)).relaxed
    assert relaxed
    assert {(item.why, item.by) for item in relaxed} == {("our scanner", "QA")}


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    for raw in (
        POLICY.encode("utf-16"),
        POLICY.replace("made up", "für Tests").encode("latin-1"),
        POLICY.encode() + b"\x00",
        b"\xff\xfe\x00",
        b"PK\x03\x04" + bytes(200),
        bytes(range(256)),
    ):
        path.write_bytes(raw)
        with pytest.raises(UsageError) as caught:
            load_policy(str(path))
        assert caught.value.problems[0].code is Code.BAD_SYNTAX
    path.write_bytes(b"\xef\xbb\xbf" + POLICY.encode())
    assert load_policy(str(path)).policy.id == "made_up_discs"


@pytest.mark.parametrize("command", ["show", "lint", "explain", "diff", "sources", "approve"])
def test_every_command_says_what_is_wrong_with_a_file_without_a_traceback(command: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.replace("title: Discs", 'title: "\\e[31m${x}"\ntitle: Discs').replace("R0", "R9"))
    arguments = {"diff": [path, path], "approve": [path, "--by", "QA"]}.get(command, [path])
    done = subprocess.run(
        [sys.executable, "-m", "gatekeeper", "policy", command, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"GATEKEEPER_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == ExitCode.USAGE
    said = done.stdout + done.stderr
    assert "error[GK107]" in said
    assert "Traceback" not in said
    assert "\x1b" not in said
    assert f"{path}:4:" in said

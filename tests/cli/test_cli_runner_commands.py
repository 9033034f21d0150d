"""What a stranger's pull request names is printed, and never obeyed by the runner that reads the log."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command_line import call
from made_up_bench import Bench
from made_up_runner import commands

NAMES = ["::error::x", "a ##[add-mask]x\n::set-output name=verdict::PASS"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "arguments",
    [
        ["{}"],
        ["check", "--{}"],
        ["check", "--policy", "{}"],
        ["check", "--report", "json:{}/"],
        ["verify", "{}"],
        ["candidate", "digest", "{}"],
        ["policy", "lint", "{}"],
        ["policy", "explain", "chest_ct/nodule_malignancy", "{}"],
        ["lock", "verify", "{}"],
    ],
    ids=" ".join,
)
def test_words_of_the_command_line_are_no_commands(name: str, arguments: list[str], tmp_path: Path) -> None:
    done = call(*(part.format(name) for part in arguments), home=tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    assert commands(done.stdout + done.stderr) == []


def test_names_of_files_and_titles_are_no_commands(bench: Bench) -> None:
    hostile = "::error ::b ##[error]c"
    folder = bench.folder / hostile
    shutil.copytree(bench.candidate.parent, folder)
    policy = bench.policy.read_text()
    policy = policy.replace("metric: sensitivity", f'metric: sensitivity\n    title: "{hostile * 3}"', 1)
    bench.policy.write_text(policy.replace("at_least: 30 %", "at_least: 99 %").replace("large", "::warning::y"))
    candidate = folder / f"{hostile}.yaml"
    candidate.write_text((folder / "cnn.yaml").read_text().replace("large", '"::warning::y"'))
    arguments = ["check", "--policy", bench.policy, "--candidate", candidate, "--testset", bench.lock]
    done = call(*arguments, home=bench.home, cwd=bench.folder, COLUMNS="60")
    assert commands(done.stdout + done.stderr) == []
    assert done.returncode in (1, 4), done.stderr
    assert "FAIL" in done.stdout or "INCONCLUSIVE" in done.stdout
    told = call("policy", "explain", bench.policy, home=bench.home, cwd=bench.folder, COLUMNS="60")
    assert commands(told.stdout + told.stderr) == []

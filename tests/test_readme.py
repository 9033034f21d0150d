"""What the README says is what happens: its commands, its YAML, its example."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from made_up_bench import Bench

from gatekeeper.cli import main
from gatekeeper.trust import load_trust_root

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "reports" / "example"
_PROGRESS = ("reading ", "running ", "judging ", "hashing ", "verifying ")


def blocks(language: str, text: str = README) -> list[str]:
    """Return the fenced blocks of a text in a language ('' for plain ones)."""
    fenced = re.findall(r"^```(.*?)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [block for tagged, block in fenced if tagged == language]


def commands(text: str = README) -> list[str]:
    return [
        line.partition("#")[0].strip()
        for block in blocks("", text)
        for line in block.splitlines()
        if "gatekeeper " in line
    ]


def commands_from(first: str) -> list[str]:
    """Return the commands of the README from this one on."""
    every = commands()
    return every[every.index(f"gatekeeper {first}") :]


def test_one_s_own_model_and_test_set_go_through_the_gate_as_described(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(bench.folder)
    monkeypatch.setenv("GATEKEEPER_HOME", str(tmp_path / "home"))
    shutil.move(bench.candidate.parent, "model")
    shutil.move(bench.policy, "my_policy.yaml")
    Path("stricter.yaml").write_text(Path("my_policy.yaml").read_text().replace("at_most: 60 s", "at_most: 0.001 ms"))
    candidate, _ = blocks("yaml")
    Path("model/cnn.yaml").write_text(candidate)
    lock, check, evaluate, verify = commands_from("lock create --table cases.csv --out mine.lock")[:4]
    engineer, qa, required = commands_from("sign reports/RUN --role engineer")[:3]
    assert main(shlex.split(lock)[1:]) == 0
    assert main(shlex.split(check)[1:]) == 0
    (run,) = Path("reports").iterdir()
    assert main(shlex.split(evaluate.replace("reports/RUN", str(run)))[1:]) == 1
    assert main(shlex.split(verify.replace("reports/RUN", str(run)))[1:]) == 0
    assert "numbers recomputed" in capsys.readouterr().out
    for line in (engineer, qa, required):
        assert main(shlex.split(line.replace("reports/RUN", str(run)))[1:]) == 0
    assert "signature of the qa" in capsys.readouterr().out


def test_a_site_s_own_policy_is_the_shipped_one_but_for_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("policies").mkdir()
    _, site = blocks("yaml")
    Path("policies/our_ich.yaml").write_text(site)
    assert main(["policy", "diff", "neuro/ich_triage", "our_ich"]) == 0
    told = capsys.readouterr().out
    assert "8 %" in told
    assert "sensitivity" not in told.lower()


def test_the_example_dossier_holds_and_is_the_one_shown(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["verify", str(EXAMPLE / "dossier.pdf"), "--trust", str(EXAMPLE / "root.pem"), "--require-pass"]
    assert main(arguments) == 0
    assert "verdict recomputed: PASS" in capsys.readouterr().out
    assert "DEVELOPMENT" in load_trust_root(EXAMPLE / "root.pem").subject.rfc4514_string()


def test_the_output_in_the_readme_is_that_of_the_example_run() -> None:
    printed = (EXAMPLE / "demo-output.txt").read_text(encoding="utf-8").splitlines()
    lines = [line.rstrip() for line in printed if not line.startswith(_PROGRESS)]
    assert "\n".join(lines).strip() + "\n" in blocks("")


def test_the_python_of_the_readme_gives_what_it_says() -> None:
    """Each line with a remark is evaluated; the numbers of the remark are in what it gives, to the digits shown."""
    (block,) = blocks("python")
    names: dict[str, object] = {}
    said = 0
    for line in block.splitlines():
        code, _, remark = line.partition("#")
        if not remark:
            exec(code, names)
            continue
        found = str(eval(code, names))
        numbers = [f"{float(number):.3g}" for number in re.findall(r"-?\d+\.\d+", found)]
        assert all(f"{float(number):.3g}" in numbers for number in re.findall(r"\d+\.\d+", remark)), line
        said += bool(re.findall(r"\d+\.\d+", remark)) or remark.strip() == found
    assert said == 4

"""``--report`` and ``--no-color`` of the program itself: a check, an evaluation, and what goes wrong with them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import junitparser
import pytest
from command_line import call
from made_up_bench import Bench
from made_up_runner import commands, outputs

KINDS = ("text", "json", "junit", "sarif", "github", "markdown", "html")
ALL = [part for kind in KINDS for part in ("--report", f"{kind}:out/{kind}")]


def check(bench: Bench, *arguments: object, cwd: Path | None = None, **variables: str):  # type: ignore[no-untyped-def]
    given = ["--policy", "policy.yaml", "--candidate", "candidate/cnn.yaml", "--testset", "discs.lock"]
    return call("check", *given, *arguments, home=bench.home, cwd=cwd or bench.folder, **variables)


def test_a_failed_check_writes_every_report_and_keeps_its_code(bench: Bench) -> None:
    strict = bench.policy.read_text().replace("at_most: 60 s", "at_most: 0.001 ms")
    bench.policy.write_text(strict)
    (bench.folder / "summary").touch()
    (bench.folder / "output").touch()
    runner = {"GITHUB_STEP_SUMMARY": str(bench.folder / "summary"), "GITHUB_OUTPUT": str(bench.folder / "output")}
    done = check(bench, "--json", *ALL, "--report", "github", "--report", "json:/proc/none/a.json", CI="true", **runner)
    assert done.returncode == 1, done.stderr
    out = bench.folder / "out"
    (run,) = bench.runs()
    assert (out / "json").read_text() == done.stdout
    assert (out / "junit").read_bytes() == (run / "junit.xml").read_bytes()
    assert (out / "html").read_bytes() == (run / "dossier.html").read_bytes()
    for kind in ("text", "github", "markdown"):
        assert "FAIL" in (out / kind).read_text()
    assert max(map(len, (out / "text").read_text().splitlines())) < 200
    parsed = junitparser.JUnitXml.fromfile(str(out / "junit"))
    assert (parsed.failures, parsed.errors) == (1, 0)
    (result,) = [
        one for one in json.loads((out / "sarif").read_text())["runs"][0]["results"] if one["level"] == "error"
    ]
    line = strict.splitlines().index("  time:") + 1
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "policy.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": line, "startColumn": 3},
    }
    (annotation,) = commands(done.stderr)
    assert annotation.properties["file"] == "policy.yaml"
    assert annotation.properties["line"] == str(line)
    assert commands(done.stdout) == []
    told = outputs((bench.folder / "output").read_text())
    assert told["verdict"] == "FAIL"
    assert Path(told["dossier"]).is_file()
    assert Path(told["attestation"]).is_file()
    assert Path(told["run"]) == run
    assert "❌ FAIL" in (bench.folder / "summary").read_text()
    assert done.stderr.count("warning: the report json:/proc/none/a.json could not be written") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [(["engine.batch_siz=1"], 2, "GK105"), (["--root", "/nowhere"], 2, "GK101")],
)
def test_a_check_that_ends_in_an_error_leaves_reports_that_say_so(
    bench: Bench, arguments: list[str], code: int, error: str
) -> None:
    out = bench.folder / "out"
    out.mkdir()
    for kind in KINDS:
        (out / kind).write_text("PASS, an hour ago")
    done = check(bench, *ALL, *arguments)
    assert done.returncode == code
    for kind in KINDS[:-1]:
        assert error in (out / kind).read_text()
        assert "PASS" not in (out / kind).read_text()
    assert not (out / "html").exists()
    assert ET.parse(out / "junit").getroot().get("errors") == "1"


def test_images_that_changed_are_reported_with_code_3(bench: Bench) -> None:
    image = next((bench.folder / "images").iterdir())
    image.write_bytes(image.read_bytes() + b"x")
    done = check(bench, "--report", "json:a.json")
    assert done.returncode == 3
    assert json.loads((bench.folder / "a.json").read_text())["error"]["exit_code"] == 3


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ("jsn:a.json", "did you mean"),
        ("github", "GITHUB_STEP_SUMMARY"),
        ("json:policy.yaml", "written over a file that is read"),
        ("json:candidate/nodule_cnn.safetensors", "written over a file that is read"),
        ("json:.", "a folder is there"),
    ],
)
def test_a_report_that_cannot_be_meant_stops_before_anything_is_run(bench: Bench, report: str, words: str) -> None:
    before = bench.policy.read_text()
    weights = (bench.candidate.parent / "nodule_cnn.safetensors").read_bytes()
    done = check(bench, "--report", report, GITHUB_STEP_SUMMARY="", GITHUB_OUTPUT="")
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""
    assert bench.runs() == []
    assert bench.policy.read_text() == before
    assert (bench.candidate.parent / "nodule_cnn.safetensors").read_bytes() == weights


def test_a_dry_run_has_nothing_to_report(bench: Bench) -> None:
    done = check(bench, "--dry-run", "--report", "json:a.json")
    assert done.returncode == 2
    assert "nothing to report" in done.stderr


def test_evidence_judged_again_is_reported(finished_run: Path, home: Path, bench: Bench) -> None:
    arguments = ["--policy", "policy.yaml", "policy.requirements.time.upper_limit.at_most=1e-6 s"]
    reports = ["--report", "json:a.json", "--report", "sarif:a.sarif", "--report", "markdown:a.md"]
    done = call("evaluate", finished_run, *arguments, "--json", *reports, home=home, cwd=bench.folder)
    assert done.returncode == 1
    assert (bench.folder / "a.json").read_text() == done.stdout
    assert "release" not in json.loads(done.stdout)
    assert "releases nothing" in (bench.folder / "a.md").read_text()
    run = json.loads((bench.folder / "a.sarif").read_text())["runs"][0]
    assert run["properties"]["releasable"] is False
    (result,) = [one for one in run["results"] if one["level"] == "error"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "policy.yaml"
    own = call("evaluate", finished_run, "--report", "junit:own.xml", home=home, cwd=bench.folder)
    assert own.returncode == 0
    assert (bench.folder / "own.xml").read_bytes() == (finished_run / "junit.xml").read_bytes()
    page = call("evaluate", finished_run, "--report", "html:a.html", home=home, cwd=bench.folder)
    assert page.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "variables", "coloured"),
    [
        ([], {"FORCE_COLOR": "1"}, True),
        (["--no-color"], {"FORCE_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {}, False),
    ],
)
def test_colour_can_be_asked_for_and_forbidden(
    arguments: list[str], variables: dict[str, str], coloured: bool, finished_run: Path, home: Path
) -> None:
    done = call("evaluate", finished_run, *arguments, home=home, TERM="xterm", **variables)
    assert ("\x1b" in done.stdout) == coloured
    done = call("verify", finished_run, *arguments, home=home, TERM="xterm", **variables)
    assert "\x1b" not in done.stdout


def test_a_log_that_is_no_utf_8_gets_plain_letters(finished_run: Path, home: Path) -> None:
    done = call("evaluate", finished_run, home=home, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "\\u" not in done.stdout
    assert "---o" in done.stdout or "o---" in done.stdout

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gatekeeper.errors import Code
from gatekeeper.reporters.requests import OUTPUT, SUMMARY, collisions, read_requests

RUNNER = {SUMMARY: "/runner/summary", OUTPUT: "/runner/output"}


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.mark.parametrize(
    "entry",
    ["json:a.json", "text:a:b.txt", "sarif:/tmp/x.sarif", "junit:new/folder/a.xml", "html:../page.html", "github:s.md"],
)
def test_a_kind_and_a_file_are_read(entry: str) -> None:
    (request,), problems = read_requests([entry], {})
    assert problems == ()
    kind, _, path = entry.partition(":")
    assert request.reporter.name == kind
    assert str(request.path) == path


def test_several_are_read_at_once_and_github_goes_to_the_runner() -> None:
    requests, problems = read_requests(["json:a.json", "junit:a.xml", "github", "github:a.md"], RUNNER)
    assert problems == ()
    assert [request.path for request in requests] == [Path("a.json"), Path("a.xml"), None, Path("a.md")]


@pytest.mark.parametrize(
    ("entry", "code", "words"),
    [
        ("jsn:a.json", Code.UNKNOWN_NAME, 'did you mean "json"?'),
        ("", Code.UNKNOWN_NAME, "known: github, html, json, junit, markdown, sarif, text"),
        (":a.json", Code.UNKNOWN_NAME, "known: "),
        ("a.json", Code.UNKNOWN_NAME, "json"),
        ("json", Code.MISSING_KEY, "--report json:FILE"),
        ("json:", Code.MISSING_KEY, "--report json:FILE"),
        ("github:", Code.MISSING_KEY, "--report github:FILE"),
        ("json: ", Code.MISSING_KEY, "--report json:FILE"),
        ("json:.", Code.CANNOT_WRITE, "a folder is there"),
        ("json:new/", Code.CANNOT_WRITE, "ends in a slash"),
        ("json:file/a.json", Code.CANNOT_WRITE, "is no folder"),
        ("json:/dev/null", Code.CANNOT_WRITE, "no plain file"),
        ("json:/dev/stdout", Code.CANNOT_WRITE, "no plain file"),
        ("json:link.json", Code.CANNOT_WRITE, "no plain file"),
        ("json:out/a.json", Code.CANNOT_WRITE, "leads out of the working folder"),
        ("json:out/new/a.json", Code.CANNOT_WRITE, "leads out of the working folder"),
        ("json:" + "x" * 300, Code.CANNOT_WRITE, "too long"),
        ("json:a\0b", Code.CANNOT_WRITE, "no path"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(entry: str, code: Code, words: str, tmp_path: Path) -> None:
    Path("file").write_text("in the way")
    Path("out").symlink_to(tmp_path)
    Path("link.json").symlink_to(tmp_path / "elsewhere.json")
    requests, (problem,) = read_requests([entry], RUNNER)
    assert requests == ()
    assert problem.code is code
    assert f"--report {entry}".rstrip("\0") in str(problem.where)
    assert words in f"{problem.what} {problem.why} {problem.mend}"


def test_a_link_that_stays_in_the_working_folder_is_followed(workspace: Path) -> None:
    (workspace / "real").mkdir()
    Path("here").symlink_to("real")
    requests, problems = read_requests(["json:here/a.json"], {})
    assert len(requests) == 1
    assert problems == ()


@pytest.mark.parametrize("second", ["junit:a.json", "json:./a.json", "json:b/../a.json"])
def test_two_reports_of_one_place_are_wrong_usage(second: str) -> None:
    requests, (problem,) = read_requests(["json:a.json", second], {})
    assert len(requests) == 1
    assert problem.code is Code.DUPLICATE
    assert read_requests(["github", "github"], RUNNER)[1][0].code is Code.DUPLICATE


@pytest.mark.parametrize("missing", [SUMMARY, OUTPUT])
def test_github_without_a_runner_says_what_is_missing(missing: str) -> None:
    for environ in ({**RUNNER, missing: ""}, {name: value for name, value in RUNNER.items() if name != missing}):
        requests, (problem,) = read_requests(["github"], environ)
        assert requests == ()
        assert problem.why == f"not set: {missing}"
        assert problem.mend is not None
        assert "github:FILE" in problem.mend


def test_a_page_of_evidence_judged_again_is_wrong_usage() -> None:
    requests, (problem,) = read_requests(["html:a.html", "json:a.json"], {}, with_run=False)
    assert [request.reporter.name for request in requests] == ["json"]
    assert problem.code is Code.FORBIDDEN


def test_all_that_is_wrong_is_told_at_once() -> None:
    _, problems = read_requests(["jsn:a", "json", "html:/"], {})
    assert len(problems) == 3


def test_a_report_over_a_file_that_is_read_is_found(workspace: Path) -> None:
    Path("policy.yaml").write_text("x")
    os.link("policy.yaml", "same.yaml")
    requests, _ = read_requests(["json:./policy.yaml", "text:a.txt"], {})
    ((request, problem),) = collisions(requests, [workspace / "policy.yaml"])
    assert request.given == "json:./policy.yaml"
    assert problem.code is Code.FORBIDDEN


@pytest.mark.parametrize("name", ["verdict.json", "evidence/cases.parquet", "new.json"])
def test_the_folder_of_a_finished_run_is_left_as_it_is(name: str, workspace: Path) -> None:
    (workspace / "run" / "evidence").mkdir(parents=True)
    (workspace / "run" / "verdict.json").write_text("{}")
    _, (problem,) = read_requests([f"json:run/{name}"], {})
    assert problem.why is not None
    assert "finished run" in problem.why
    assert read_requests(["json:gate.json"], {})[1] == ()

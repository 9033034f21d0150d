from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from made_up_findings import finding
from made_up_reports import judged
from made_up_runner import commands, outputs

from gatekeeper.errors import Code, IntegrityError, Place, UsageError
from gatekeeper.reporters import Asked
from gatekeeper.reporters.delivery import Reports, reporting
from gatekeeper.reporters.kinds import REPORTERS
from gatekeeper.reporters.reporter import Reporter
from gatekeeper.reporters.requests import OUTPUT, SUMMARY
from gatekeeper.reporters.told import Judged

FILES = [f"{reporter.name}:{reporter.name}.out" for reporter in REPORTERS]


@dataclass
class Said:
    warnings: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def runner(tmp_path: Path) -> Mapping[str, str]:
    for name in (SUMMARY, OUTPUT):
        (tmp_path / name).touch()
    return {name: str(tmp_path / name) for name in (SUMMARY, OUTPUT)}


@contextmanager
def made(given: list[str], said: Said, environ: Mapping[str, str] | None = None, **more: object) -> Iterator[Reports]:
    asked = Asked(Path.cwd(), "ours.yaml", "cnn.yaml")
    with reporting(given, asked, environ or {}, said.warnings.append, said.commands.append, **more) as reports:  # type: ignore[arg-type]
        yield reports


def with_page(workspace: Path) -> Judged:
    told = judged(workspace)
    assert told.run is not None
    told.run.folder.mkdir(parents=True)
    told.run.page.write_text("<!doctype html><title>made up</title>")
    return told


def test_every_kind_tells_of_a_verdict(workspace: Path, said: Said) -> None:
    with made(FILES, said) as reports:
        reports.begin()
        reports.tell(with_page(workspace))
    assert said == Said()
    texts = {reporter.name: (workspace / f"{reporter.name}.out").read_text() for reporter in REPORTERS}
    assert json.loads(texts["json"])["verdict"] == "FAIL"
    assert ET.fromstring(texts["junit"]).get("failures") == "2"
    assert json.loads(texts["sarif"])["version"] == "2.1.0"
    assert texts["html"].startswith("<!doctype html>")
    for name in ("text", "github", "markdown"):
        assert "FAIL" in texts[name]
        assert "Specificity" in texts[name]


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (UsageError(Code.BAD_VALUE, "bad", where=Place("ours.yaml", 1)), "GK104", 2),
        (IntegrityError(Code.DIGEST_MISMATCH, "bad"), "GK301", 3),
        (RuntimeError("Doe^Jane"), "GK599", 5),
    ],
)
def test_every_kind_replaces_an_earlier_report_when_there_is_an_error(
    error: Exception, code: str, exit_code: int, workspace: Path, said: Said
) -> None:
    for entry in FILES:
        Path(entry.partition(":")[2]).write_text("PASS, an hour ago")

    def end_in_an_error() -> None:
        with made(FILES, said) as reports:
            reports.begin()
            raise error

    with pytest.raises(type(error)):
        end_in_an_error()
    assert said == Said()
    assert not Path("html.out").exists()
    for reporter in REPORTERS:
        if reporter.failed is not None:
            text = Path(f"{reporter.name}.out").read_text()
            assert code in text
            assert "PASS" not in text
            assert "Doe" not in text
    assert json.loads(Path("json.out").read_text())["error"]["exit_code"] == exit_code
    assert ET.parse("junit.out").getroot().get("errors") == "1"


def test_a_run_that_is_killed_leaves_no_report_of_an_earlier_one(said: Said) -> None:
    Path("a.json").write_text("PASS, an hour ago")

    def be_interrupted() -> None:
        with made(["json:a.json"], said) as reports:
            reports.begin()
            assert not Path("a.json").exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        be_interrupted()
    assert not Path("a.json").exists()


def test_wrong_usage_of_one_report_is_told_by_the_others(said: Said) -> None:
    Path("a.json").write_text("PASS, an hour ago")
    with pytest.raises(UsageError), made(["json:a.json", "jsn:b.json"], said):
        pass
    assert json.loads(Path("a.json").read_text())["error"]["problems"][0]["code"] == "GK102"


def test_an_input_is_never_written_over(said: Said) -> None:
    for known_before in (True, False):
        Path("policy.yaml").write_text("id: x\n")
        with (
            pytest.raises(UsageError),
            made(["json:policy.yaml"], said, inputs=[Path("policy.yaml")] if known_before else []) as reports,
        ):
            reports.begin(Path("policy.yaml"))
        assert Path("policy.yaml").read_text() == "id: x\n"


def test_what_cannot_be_written_is_a_warning_and_no_more(workspace: Path, said: Said) -> None:
    with made(["json:sub/a.json", "text:a.txt"], said) as reports:
        reports.begin()
        Path("sub").write_text("in the way by now")
        reports.tell(judged(workspace))
    (warning,) = said.warnings
    assert "json:sub/a.json could not be written" in warning
    assert "is no folder" in warning
    assert "The verdict stands." in warning
    assert Path("a.txt").exists()


def test_a_link_that_comes_later_is_not_followed(workspace: Path, said: Said) -> None:
    outside = workspace.parent / f"{workspace.name}-outside"
    outside.mkdir()
    with made(["json:sub/a.json"], said) as reports:
        reports.begin()
        Path("sub").symlink_to(outside)
        reports.tell(judged(workspace))
    assert "leads out of the working folder" in said.warnings[0]
    assert list(outside.iterdir()) == []


def test_a_full_disk_leaves_nothing_half_written(workspace: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    Path("ours.yaml").write_text("x")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    told = judged(workspace)
    with made(["json:a.json"], said) as reports:
        reports.begin()
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        try:
            reports.tell(told)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "File too large" in said.warnings[0]
    assert not Path("a.json").exists()
    assert not list(workspace.glob(".*"))


def test_a_reporter_that_fails_is_a_warning_and_leaves_no_earlier_report(workspace: Path, said: Said) -> None:
    def break_down(told: object) -> str:
        raise RuntimeError("Doe^Jane")

    asked = Asked(workspace)
    from gatekeeper.reporters.requests import ReportRequest

    request = ReportRequest("odd:a.txt", Reporter("odd", break_down, break_down), Path("a.txt"))
    reports = Reports((request,), asked, {}, said.warnings.append, said.commands.append)
    reports.begin()
    Path("a.txt").write_text("made meanwhile")
    reports.tell(judged(workspace))
    assert "RuntimeError" in said.warnings[0]
    assert "Doe" not in said.warnings[0]
    assert not Path("a.txt").exists()


def test_a_report_is_readable_by_others_as_the_umask_has_it(workspace: Path, said: Said) -> None:
    with made(["json:new/folder/a.json"], said) as reports:
        reports.begin()
        reports.tell(judged(workspace))
    mask = os.umask(0)
    os.umask(mask)
    assert Path("new/folder/a.json").stat().st_mode & 0o777 == 0o666 & ~mask
    assert [path.name for path in Path("new/folder").iterdir()] == ["a.json"]


# the runner


def test_the_runner_gets_summary_annotations_and_outputs_beside_what_it_has(
    workspace: Path, said: Said, runner: Mapping[str, str]
) -> None:
    Path(runner[SUMMARY]).write_text("# Before\n")
    Path(runner[OUTPUT]).write_text("before=1\n")
    with made(["github"], said, runner) as reports:
        reports.begin()
        reports.tell(judged(workspace))
    assert said.warnings == []
    assert len(commands("\n".join(said.commands))) == 3
    assert Path(runner[SUMMARY]).read_text().startswith("# Before\n## ❌ FAIL")
    told = outputs(Path(runner[OUTPUT]).read_text())
    assert told["before"] == "1"
    assert told["verdict"] == "FAIL"


@pytest.mark.parametrize("missing", [SUMMARY, OUTPUT])
def test_a_file_of_the_runner_that_is_not_there_is_a_warning(
    missing: str, workspace: Path, said: Said, runner: Mapping[str, str]
) -> None:
    Path(runner[missing]).unlink()
    with made(["github"], said, runner) as reports:
        reports.tell(judged(workspace))
    (warning,) = said.warnings
    assert f"${missing}: No such file" in warning
    assert not Path(runner[missing]).exists()
    (other,) = {SUMMARY, OUTPUT} - {missing}
    assert Path(runner[other]).stat().st_size > 0
    assert len(said.commands) == 3


def test_summaries_of_one_step_stay_under_the_limit_together(
    workspace: Path, said: Said, runner: Mapping[str, str]
) -> None:
    many = [finding(id=f"sensitivity[site={n}]", subgroup={"site": f"{n}"}) for n in range(6000)]
    told = judged(workspace, *many)
    for _ in range(3):
        with made(["github"], said, runner) as reports:
            reports.tell(told)
    assert Path(runner[SUMMARY]).stat().st_size < 2**20
    assert "leave no room" in said.warnings[-1]


def test_an_error_reaches_the_runner_too(said: Said, runner: Mapping[str, str]) -> None:
    with pytest.raises(UsageError), made(["github"], said, runner):
        raise UsageError(Code.BAD_VALUE, "bad")
    assert outputs(Path(runner[OUTPUT]).read_text())["verdict"] == "ERROR"
    assert "Nothing was judged" in Path(runner[SUMMARY]).read_text()
    assert commands(said.commands[0])[0].name == "error"

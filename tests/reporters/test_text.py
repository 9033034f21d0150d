from __future__ import annotations

from pathlib import Path

import pytest
from made_up_reports import HOSTILE, failed, judged, released
from made_up_runner import commands

from gatekeeper.errors import Code, Place, Problem
from gatekeeper.evidence import Outcome
from gatekeeper.reporters.text import failed_text, judged_text


def test_it_is_what_the_terminal_shows_without_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = judged_text(judged(tmp_path))
    assert "\x1b" not in text
    lines = text.splitlines()
    assert all(line == line.rstrip() for line in lines)
    for start in (
        "✗  Sensitivity ",
        "FAIL  ",
        "blind    this policy would not see: latency tripled",
        "release  barred: the",
    ):
        assert any(line.startswith(start) for line in lines), start
    assert f"dossier  {tmp_path}/reports/run/dossier.pdf   signed: tool (DEVELOPMENT KEY, not for release)" in lines
    assert "release  nothing bars it" in judged_text(released(tmp_path))


def test_an_error_reads_as_in_the_terminal_and_says_that_nothing_was_judged(tmp_path: Path) -> None:
    told = failed(tmp_path)
    assert failed_text(told) == f"{told.problems[0]}\n\nNothing was judged (exit code 2).\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_no_command(text: str, tmp_path: Path) -> None:
    findings = [
        one.model_copy(update={"title": text, "subgroup": {"site": text}, "words": text, "outcome": Outcome.NOT_MET})
        for one in judged(tmp_path).verdict.findings
    ]
    made = judged(tmp_path, *findings, candidate=text, testset=text, words=text)
    for told in (judged_text(made), failed_text(failed(tmp_path, Problem(Code.BAD_VALUE, text, Place(text), text)))):
        assert commands(told) == []
        assert set(told) <= {"\n", *filter(str.isprintable, told)}

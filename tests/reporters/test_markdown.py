from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_up_findings import finding
from made_up_reports import HOSTILE, failed, judged, released
from test_github import MANY
from test_markdown_text import CALLS, outside_code, read, tags

from gatekeeper.errors import Code, Place, Problem
from gatekeeper.evidence import Outcome
from gatekeeper.evidence.findings import Waived
from gatekeeper.reporters.markdown import comment

PARTS = {"h2", "p", "code", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "br"}
DETAILS = {"details", "summary"}


def test_a_comment_is_found_again_by_its_first_line(tmp_path: Path) -> None:
    first = comment(judged(tmp_path)).splitlines()[0]
    assert re.fullmatch(r"<!-- gatekeeper-report [0-9a-f]{12} -->", first)
    assert comment(released(tmp_path)).splitlines()[0] == first
    assert comment(failed(tmp_path)).splitlines()[0] == first
    other = judged(tmp_path)
    other = replace(other, asked=replace(other.asked, candidate="another.yaml"))
    assert comment(other).splitlines()[0] != first


def test_it_tells_verdict_findings_what_bars_and_where_the_dossier_is(tmp_path: Path) -> None:
    text = comment(judged(tmp_path))
    page = read(text)
    assert tags(page) == PARTS | DETAILS
    assert "FAIL: nodule" in page.replace("\\", "").replace("_cnn", "")
    rows = [re.sub(r"<[^>]*>", " ", row).split() for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)]
    marks = [row[0][:1] for row in rows if row[0] != "requirement,"]
    assert marks == ["✗", "✗", "?", "✓", "✗", "?"]
    assert "<li>the verdict is FAIL: mend what is not met, and check again</li>" in page
    assert f"<code>{tmp_path}/reports/run/dossier.pdf</code>" in page
    assert "DEVELOPMENT KEY" in page
    assert "nothing bars it" in comment(released(tmp_path))


def test_an_interval_is_drawn_over_its_numbers(tmp_path: Path) -> None:
    row = next(line for line in comment(judged(tmp_path)).splitlines() if "Specificity" in line and "|" in line)
    assert "| `··├───●───┤·······┃··`<br>40.0\u00a0%\u00a0to\u00a060.0\u00a0% |" in row


def test_what_is_waived_says_until_when(tmp_path: Path) -> None:
    waived = Waived(reason="r", by="QA", expires="2027-01-01")
    assert "(waived until 2027-01-01)" in comment(judged(tmp_path, finding(outcome=Outcome.NOT_MET, waived=waived)))


def test_evidence_judged_again_releases_nothing(tmp_path: Path) -> None:
    text = comment(replace(judged(tmp_path), run=None))
    assert "this releases nothing" in text
    assert "dossier" not in text.lower()


def test_an_error_says_that_nothing_was_judged(tmp_path: Path) -> None:
    text = comment(failed(tmp_path))
    assert "Nothing was judged (exit code 2)" in text
    assert "**GK102** Unknown metric" in text
    many = comment(failed(tmp_path, *[Problem(Code.BAD_VALUE, "x" * 5000, None, "y" * 5000, "z" * 5000)] * 60))
    assert len(many.encode()) < 64_000
    assert "and 40 more" in many


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str, tmp_path: Path) -> None:
    waived = Waived(reason=text, by=text, expires=text)
    site = {"id": f"a[site={text}]", "subgroup": {"site": text}, "title": text, "words": text, "n_of": text}
    findings = [
        finding(**site, outcome=Outcome.NOT_MET),
        finding(**site, outcome=Outcome.NOT_MET, waived=waived),
        finding(**site, blocking=False),
    ]
    made = judged(tmp_path, *findings, candidate=text, testset=text, policy_version=text, words=text)
    page = read(comment(made))
    assert tags(page) <= PARTS | DETAILS
    assert page.count("<tr>") == 5
    assert page.count("<td>") + page.count('<td align="right">') == 15
    assert not CALLS.search(outside_code(page))
    error = read(comment(failed(tmp_path, Problem(Code.BAD_VALUE, text, Place(text, 1), text, text))))
    assert tags(error) <= PARTS
    assert error.count("<li>") == 1
    assert not CALLS.search(outside_code(error))


def test_thousands_of_findings_fit_into_a_comment(tmp_path: Path) -> None:
    text = comment(judged(tmp_path, *MANY, words="w" * 500_000))
    assert len(text.encode()) < 64_000
    assert "findings are left out here" in text

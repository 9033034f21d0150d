from __future__ import annotations

from pathlib import Path

import pytest
from made_up_reports import failed, judged

from gatekeeper.errors import Code, UsageError
from gatekeeper.reporters.kinds import REPORTERS
from gatekeeper.reporters.requests import read_requests

PLUGIN = """
from gatekeeper.reporters.reporter import Reporter

def one_word(told):
    return told.verdict.verdict.value

word = Reporter("word", one_word, lambda failed: "ERROR")
none = "no reporter"
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_up_words.py").write_text(PLUGIN)
    described = tmp_path / "made_up_words-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up-words\nVersion: 1.0\n")
    points = "[gatekeeper.reporters]\nword = made_up_words:word\nnone = made_up_words:none\nlost = made_up_words:gone\n"
    (described / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(REPORTERS, "_by_name", dict(REPORTERS._by_name))  # what is loaded is forgotten again


@pytest.mark.usefixtures("plugin")
def test_a_kind_of_another_package_is_found_by_its_name(tmp_path: Path) -> None:
    (request,), problems = read_requests([f"word:{tmp_path}/word.txt"], {})
    assert problems == ()
    assert request.reporter.of(judged(tmp_path)) == "FAIL"
    assert request.reporter.of(failed(tmp_path)) == "ERROR"


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(("name", "code"), [("none", Code.BAD_VALUE), ("lost", Code.UNKNOWN_NAME)])
def test_a_plug_in_that_is_no_reporter_is_wrong_usage(name: str, code: Code) -> None:
    requests, (problem,) = read_requests([f"{name}:a.txt"], {})
    assert requests == ()
    assert problem.code is code


def test_an_unknown_kind_suggests_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        REPORTERS.get("sarf")
    assert caught.value.problems[0].mend == 'did you mean "sarif"?'

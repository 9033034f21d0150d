from __future__ import annotations

import re
from pathlib import Path

import pytest
from made_up_reports import HOSTILE
from made_up_runner import commands

import gatekeeper
from gatekeeper.errors import Code, ExitCode, IntegrityError, InvalidRunError, Place, Problem, UsageError, printable


def test_an_error_shows_what_where_why_and_what_mends_it() -> None:
    place = Place("policies/lvo.yaml", 14, 13, excerpt="    metric: precison")
    error = UsageError(Code.UNKNOWN_NAME, 'unknown metric "precison"', where=place, mend='did you mean "precision"?')
    assert str(error).splitlines() == [
        'error[GK102]: unknown metric "precison"',
        "  --> policies/lvo.yaml:14:13",
        "   |",
        "14 |     metric: precison",
        "   |             ^",
        'help: did you mean "precision"?',
    ]


def test_one_error_tells_all_problems() -> None:
    problems = [Problem(Code.BAD_VALUE, "first"), Problem(Code.DUPLICATE, "second")]
    text = str(UsageError.of(problems))
    assert "first" in text
    assert "second" in text


def test_each_kind_of_error_has_the_exit_code_of_the_design() -> None:
    assert UsageError(Code.BAD_VALUE, "x").exit_code == ExitCode.USAGE == 2
    assert IntegrityError(Code.BAD_SIGNATURE, "x").exit_code == ExitCode.INTEGRITY == 3
    assert InvalidRunError(Code.WORKER_LOST, "x").exit_code == ExitCode.INVALID == 5


def test_every_code_is_used_and_has_one_meaning() -> None:
    source = "".join(path.read_text() for path in Path(gatekeeper.__file__).parent.rglob("*.py"))
    for code in Code:
        raised = re.search(rf"Code\.{code.name}\b", source)
        assert raised or code is Code.UNEXPECTED, f"{code.name} is raised nowhere"
    assert len({code.value for code in Code}) == len(list(Code))


def test_an_error_cannot_steer_the_terminal() -> None:
    place = Place("a\x1b[2J.yaml", 1, 1, excerpt="title: \x1b]0;pwned\x07 \u202egnp.exe")
    text = str(UsageError(Code.BAD_VALUE, "bad \x1b[31mvalue", where=place))
    assert "bad ·[31mvalue" in text
    assert all(letter.isprintable() or letter == "\n" for letter in text)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("before", ["", "   ", "a "])
def test_what_is_printed_holds_no_command_for_a_runner(text: str, before: str) -> None:
    printed = printable(before + text)
    # wherever a terminal's width breaks the line
    for width in range(1, min(len(printed), 60) + 1):
        folded = "\n".join(printed[start : start + width] for start in range(0, len(printed), width))
        assert commands(folded) == []


def test_other_text_is_printed_as_it_is() -> None:
    for text in ("12:30: a # b ## [c]", "sha256:ab", "{'a': [1]}", "≥ 80 %"):
        assert printable(text) == text
    assert printable("a::b:::c ##[d]") == "a:·:b:·:·:c ##·[d]"

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.engine.journal import Found, Journal
from gatekeeper.errors import InvalidRunError
from gatekeeper.evidence import CaseOutcome

_NUMBERS = st.floats(allow_nan=False, allow_infinity=True)
_FINDINGS = st.lists(st.tuples(_NUMBERS, st.integers(-2, 9)), max_size=3).map(
    lambda pairs: ([score for score, _ in pairs], [lesion for _, lesion in pairs])
)
_ROW = st.fixed_dictionaries(
    {
        "case": st.integers(0, 99),
        "condition": st.integers(0, 9),
        "outcome": st.sampled_from(list(CaseOutcome)),
        "repeat": st.integers(0, 5),
        "fault": st.text(max_size=5),
        "score": st.none() | _NUMBERS,
        "seconds": st.none() | _NUMBERS,
        "answers": st.dictionaries(st.sampled_from(["measured.a.dice", "probability.b", "x"]), _NUMBERS),
        "findings": st.none() | _FINDINGS,
    }
)


def found_of(rows: list[dict]) -> Found:
    found = Found()
    for row in rows:
        found.add(**row)
    return found


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(_ROW, max_size=8))
def test_a_part_is_read_back_as_it_was_written(rows: list[dict], tmp_path_factory: pytest.TempPathFactory) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal"))
    assert not journal.has("part")
    journal.write("part", found_of(rows))
    assert journal.has("part")
    assert journal.read("part") == found_of(rows)


@settings(max_examples=100, deadline=None)
@given(first=st.lists(_ROW, max_size=5), second=st.lists(_ROW, max_size=5))
def test_parts_put_together_are_the_rows_of_both(first: list[dict], second: list[dict]) -> None:
    together = found_of(first)
    together.extend(found_of(second))
    whole = found_of(first + second)
    assert together == whole
    assert {len(values) for values in whole.answers.values()} <= {len(whole)}


def test_a_part_that_was_cut_off_is_no_part_and_one_that_was_damaged_is_said(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    (tmp_path / ".half.partial").write_bytes(b"ARROW1")
    assert not journal.has("half")
    (tmp_path / "bad.arrow").write_bytes(b"ARROW1\0\0 and nothing else")
    with pytest.raises(InvalidRunError, match="resumed"):
        journal.read("bad")

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.errors import Code, UsageError
from gatekeeper.strict_yaml import parse_yaml, read_yaml

# What is wrong, and where: (bytes, code, line, column).
BROKEN = {
    "a key given twice": (b"a: 1\nb: 2\na: 3\n", Code.DUPLICATE, 3, 1),
    "a nested key given twice": (b"x:\n  a: 1\n  a: 2\n", Code.DUPLICATE, 3, 3),
    "NO for Norway": (b"country: NO\n", Code.BAD_VALUE, 1, 10),
    "on for true": (b"blocking: on\n", Code.BAD_VALUE, 1, 11),
    "a time of day read to base 60": (b"at: 12:30\n", Code.BAD_VALUE, 1, 5),
    "a number read as octal": (b"id: 0777\n", Code.BAD_VALUE, 1, 5),
    "a number with underscores": (b"n: 1_000\n", Code.BAD_VALUE, 1, 4),
    "not a number": (b"limit: .nan\n", Code.BAD_VALUE, 1, 8),
    "infinity": (b"limit: -.inf\n", Code.BAD_VALUE, 1, 8),
    "a date": (b"expires: 2027-01-01\n", Code.BAD_VALUE, 1, 10),
    "an anchor": (b"a: &x 1\n", Code.FORBIDDEN, 1, 4),
    "an alias": (b"a: &x [1]\nb: *x\n", Code.FORBIDDEN, 1, 4),
    "a python tag": (b"a: !!python/object/apply:os.system [id]\n", Code.FORBIDDEN, 1, 4),
    "a tag of one's own": (b"a: !secret x\n", Code.FORBIDDEN, 1, 4),
    "an interpolation": (b"a: ${oc.env:HOME}\n", Code.FORBIDDEN, 1, 4),
    "a quoted interpolation": (b'a: "${b}"\n', Code.FORBIDDEN, 1, 4),
    "an open bracket": (b"a: [1, 2\nb: 3\n", Code.BAD_SYNTAX, 2, 2),
    "a tab for indentation": (b"a:\n\tb: 1\n", Code.BAD_SYNTAX, 2, 1),
    "a list at the top": (b"- a\n- b\n", Code.BAD_SYNTAX, None, None),
    "nothing": (b"", Code.BAD_SYNTAX, None, None),
    "a second document": (b"a: 1\n---\nb: 2\n", Code.BAD_SYNTAX, 2, 1),
    "latin-1": (b"a: 1\nname: caf\xe9\n", Code.BAD_SYNTAX, 2, None),
    "utf-16": ("a: 1\n".encode("utf-16"), Code.BAD_SYNTAX, 1, None),
    "a mapping for a key": (b"? {a: 1}\n: 2\n", Code.BAD_SYNTAX, 1, 3),
    "deeper than anyone writes": (b"a: " + b"[" * 25 + b"]" * 25, Code.BAD_SYNTAX, 1, None),
    "a bomb of brackets": (b"[" * 100_000, Code.BAD_SYNTAX, 1, 21),
    "more than a megabyte": (b"a: " + b"x" * 1_000_001, Code.BAD_SYNTAX, None, None),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_refused_at_its_place(name: str) -> None:
    raw, code, line, column = BROKEN[name]
    with pytest.raises(UsageError) as caught:
        parse_yaml(raw, "policy.yaml")
    problem = caught.value.problems[0]
    assert problem.code is code
    assert problem.where is not None
    assert problem.where.path == "policy.yaml"
    if line is not None:
        assert problem.where.line == line
    if column is not None:
        assert problem.where.column == column


def test_plain_values_mean_what_they_look_like() -> None:
    document = parse_yaml(b"i: 3\nf: 0.5\ne: 1e-3\nt: true\nn: null\ns: 20 ms\nq: 'NO'\nv: 1.2.0\nl: [a, 1]\n", "p")
    assert document.data == {
        "i": 3,
        "f": 0.5,
        "e": 0.001,
        "t": True,
        "n": None,
        "s": "20 ms",
        "q": "NO",
        "v": "1.2.0",
        "l": ["a", 1],
    }
    assert (document.places[("l", 1)].line, document.places[("l", 1)].column) == (9, 8)


def test_all_that_is_wrong_comes_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        parse_yaml(b"a: NO\nb: 12:30\na: 3\n", "p")
    assert [problem.code for problem in caught.value.problems] == [Code.BAD_VALUE, Code.BAD_VALUE, Code.DUPLICATE]


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_yaml(tmp_path / "none.yaml")
    assert caught.value.problems[0].code is Code.FILE_NOT_FOUND


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab:-[]{}\"'#&*!|>%@ \n\t0123.~?,", max_size=60).map(str.encode) | st.binary(max_size=40))
def test_no_input_leads_to_anything_but_a_document_or_an_error(raw: bytes) -> None:
    with contextlib.suppress(UsageError):
        assert isinstance(parse_yaml(raw, "p").data, dict)

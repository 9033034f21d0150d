from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.canonical import canonical_json, digest_bytes, digest_file, digest_json, pretty_json, stable

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_rfc_8785_example_of_section_3_2_3() -> None:
    # RFC 8785, section 3.2.3: the sorting of property names by UTF-16 code units.
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    expected = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical_json(dict.fromkeys(names)))) == expected


@given(_JSON)
def test_canonical_json_is_a_fixed_point(value: object) -> None:
    once = canonical_json(value)  # type: ignore[arg-type]
    assert canonical_json(json.loads(once)) == once


def test_the_order_of_keys_does_not_change_a_digest() -> None:
    assert digest_json({"a": 1, "b": [2.5, None]}) == digest_json({"b": [2.5, None], "a": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**60])
def test_what_json_cannot_carry_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="canonical JSON"):
        canonical_json({"x": value})


def test_a_file_and_its_bytes_have_one_digest(tmp_path: Path) -> None:
    data = bytes(range(256)) * 9000
    (tmp_path / "f").write_bytes(data)
    assert digest_file(tmp_path / "f") == digest_bytes(data)
    # FIPS 180-2, appendix B.1
    assert digest_bytes(b"abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_is_stable_and_close(value: float) -> None:
    rounded = stable(value)
    assert stable(rounded) == rounded
    assert abs(rounded - value) <= abs(value) * 1e-11


@given(_JSON)
def test_the_fast_spelling_is_that_of_the_library(value: object) -> None:
    import rfc8785

    assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["\x00\x1f\x7f", '\b\f\n\r\t"\\/', "\u2028\u00e9\U0001f600", ""])
def test_texts_are_escaped_as_the_library_does(text: str) -> None:
    import rfc8785

    assert canonical_json({"a": [text, 1, True, None]}) == rfc8785.dumps({"a": [text, 1, True, None]})


def test_json_for_people_holds_no_command_for_a_runner_and_says_the_same() -> None:
    content = {"##[error]": ["a ##[set-output name=verdict]PASS", "###[x"], "plain": "## [y] #["}
    text = pretty_json(content)  # type: ignore[arg-type]
    assert "##[" not in text
    assert json.loads(text) == content

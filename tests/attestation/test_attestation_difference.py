from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.attestation.difference import Difference, first_difference
from gatekeeper.canonical import JSON, canonical_json

leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-1, 1) | st.text(max_size=2)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("01a"), inner, max_size=3)
)


@given(stated=values, found=values)
def test_there_is_a_difference_exactly_where_the_canonical_spelling_differs(stated: JSON, found: JSON) -> None:
    assert (first_difference(stated, found) is None) is (canonical_json(stated) == canonical_json(found))


@pytest.mark.parametrize(
    ("stated", "found", "told"),
    [
        ({"a": 1}, {"a": 1.0}, None),
        ({"a": 1}, {"a": True}, Difference("a", "1", "true")),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, Difference("a.b.1", "2", "3")),
        ({}, {"a": None}, Difference("a", "nothing", "null")),
        ({"a": None, "b": 1}, {"a": None}, Difference("b", "1", "nothing")),
        ({"a": []}, {"a": {}}, Difference("a", "[]", "{}")),
        ({"a": {"0": 1}}, {"a": [1]}, Difference("a.0", "nothing", "1")),
        ({"a.b": 1}, {"a": {"b": 1}}, Difference("a.b", "nothing", "1")),
    ],
)
def test_the_first_difference_is_told_with_its_place(stated: JSON, found: JSON, told: Difference | None) -> None:
    assert first_difference(stated, found) == told

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.canonical import JSON, canonical_json
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.trust.statement import PREDICATE_TYPE, Statement, parse_statement, statement

DIGEST = "sha256:" + "ab" * 32
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
digests = st.binary(min_size=32, max_size=32).map(lambda data: "sha256:" + data.hex())
numbers = st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False)
predicates = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=6), numbers | st.booleans())


@settings(max_examples=50, deadline=None)
@given(subjects=st.dictionaries(names, digests, min_size=1, max_size=4), predicate=predicates)
def test_what_was_stated_is_what_is_read(subjects: dict[str, str], predicate: dict[str, JSON]) -> None:
    payload = statement(subjects, PREDICATE_TYPE, predicate)
    assert parse_statement(payload, where="x") == Statement(subjects, PREDICATE_TYPE, predicate)


def test_a_statement_has_the_form_of_in_toto_version_1() -> None:
    assert json.loads(statement({"model": DIGEST}, PREDICATE_TYPE, {"verdict": "PASS"})) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": {"sha256": "ab" * 32}}],
        "predicateType": "https://gatekeeper.dev/model-validation/v1",
        "predicate": {"verdict": "PASS"},
    }


def test_the_order_of_subjects_does_not_matter() -> None:
    other = "sha256:" + "cd" * 32
    assert statement({"a": DIGEST, "b": other}, "t", {}) == statement({"b": other, "a": DIGEST}, "t", {})


@pytest.mark.parametrize(
    ("subjects", "kind", "predicate"),
    [
        ({}, "t", {}),
        ({"": DIGEST}, "t", {}),
        ({"a": "ab" * 32}, "t", {}),
        ({"a": DIGEST.upper()}, "t", {}),
        ({"a": DIGEST + "\n"}, "t", {}),
        ({"a": DIGEST}, "", {}),
        ({"a": DIGEST}, "t", []),
        ({"a": DIGEST}, "t", {"x": float("nan")}),
    ],
)
def test_an_empty_or_malformed_statement_is_not_made(subjects: dict[str, str], kind: str, predicate: JSON) -> None:
    with pytest.raises(ValueError, match=r"."):
        statement(subjects, kind, predicate)


def altered(**entries: Any) -> bytes:
    return canonical_json({**json.loads(statement({"a": DIGEST}, PREDICATE_TYPE, {"v": 1})), **entries})


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b'{"_type":1,"_type":1}',
        altered(extra=1),
        altered(_type="https://in-toto.io/Statement/v0.1"),
        altered(predicateType="https://in-toto.io/attestation/test-result/v0.1"),
        altered(predicate=[1]),
        altered().replace(b'{"v":1}', b'{"v":1152921504606846976}'),
        altered(subject=[]),
        altered(subject={"name": "a"}),
        altered(subject=[1]),
        altered(subject=[{"name": 1, "digest": {"sha256": "ab" * 32}}]),
        altered(subject=[{"name": "a", "digest": {"sha512": "ab" * 64}}]),
        altered(subject=[{"name": "a", "digest": {"sha256": "AB" * 32}}]),
        altered(subject=[{"name": "a", "digest": {"sha256": 5}}]),
        altered(subject=[{"name": "a", "digest": {"sha256": "ab" * 32}}] * 2),
        altered(subject=[{"name": n, "digest": {"sha256": "ab" * 32}} for n in ("b", "a")]),
        statement({"a": DIGEST}, PREDICATE_TYPE, {"v": 1}) + b" ",
    ],
)
def test_anything_else_is_not_read_as_a_statement(payload: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        parse_statement(payload, where="dossier.pdf")
    assert caught.value.problems[0].code is Code.BAD_SIGNATURE
    assert str(caught.value.problems[0].where) == "dossier.pdf"

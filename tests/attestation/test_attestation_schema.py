"""The JSON Schema of ``model-validation/v1``, asked by the package jsonschema: an implementation of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from attested import Run, predicate_of, put
from jsonschema import Draft202012Validator

from gatekeeper.attestation import json_schema
from gatekeeper.canonical import JSON, pretty_json
from gatekeeper.run_records import ATTESTATION
from gatekeeper.trust import PREDICATE_TYPE

PAGE = (Path(__file__).parents[2] / "docs" / "attestation.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    text = files("gatekeeper.attestation").joinpath("model-validation-v1.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@pytest.fixture(scope="module")
def validator(shipped: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(shipped)


@pytest.fixture(scope="module")
def predicate(run: Run) -> dict[str, JSON]:
    return predicate_of((run.folder / ATTESTATION).read_bytes())


def places(value: JSON, before: str = "") -> Iterator[tuple[str, JSON]]:
    """Give every place of a value, keys and numbers joined by dots, with what stands there."""
    parts = list(value.items()) if isinstance(value, dict) else []
    parts += [(str(number), part) for number, part in enumerate(value)] if isinstance(value, list) else []
    for name, part in parts:
        yield f"{before}{name}", part
        yield from places(part, f"{before}{name}.")


def test_the_shipped_schema_is_made_from_the_records(shipped: dict[str, Any]) -> None:
    """``make catalogue`` renews it."""
    assert pretty_json(shipped) == pretty_json(json_schema())
    Draft202012Validator.check_schema(shipped)
    assert shipped["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert shipped["$id"] == PREDICATE_TYPE


def test_a_real_attestation_is_valid(validator: Draft202012Validator, predicate: dict[str, JSON]) -> None:
    assert list(validator.iter_errors(predicate)) == []


def test_a_release_is_valid_only_without_bars_and_for_a_pass(
    validator: Draft202012Validator, predicate: dict[str, JSON]
) -> None:
    assert validator.is_valid({**predicate, "releasable": True, "bars": []})
    assert not validator.is_valid({**predicate, "releasable": True})
    assert not validator.is_valid({**predicate, "bars": []})
    assert not validator.is_valid({**predicate, "releasable": True, "bars": [], "verdict": "FAIL"})


def test_nothing_may_be_left_out(validator: Draft202012Validator, predicate: dict[str, JSON]) -> None:
    tried = 0
    for place, value in [("", predicate), *places(predicate)]:
        for name in value if isinstance(value, dict) else ():
            shorter: JSON = {key: item for key, item in value.items() if key != name}  # type: ignore[union-attr]
            mutant = put(predicate, place, shorter) if place else shorter
            assert f"'{name}' is a required property" in {error.message for error in validator.iter_errors(mutant)}
            tried += 1
    assert tried > 60


def test_nothing_may_be_added(validator: Draft202012Validator, predicate: dict[str, JSON]) -> None:
    inner = [place for place, value in places(predicate) if isinstance(value, dict)]
    assert {"policy", "run", "ledger", "findings.0", "findings.0.threshold"} < set(inner)
    for mutant in [{**predicate, "more": 1}, *(put(predicate, f"{place}.more", 1) for place in inner)]:
        assert not validator.is_valid(mutant)


def test_no_value_may_be_of_another_kind(validator: Draft202012Validator, predicate: dict[str, JSON]) -> None:
    for place, _ in places(predicate):
        assert not validator.is_valid(put(predicate, place, {"of": ["another", "kind"]})), place
        assert not validator.is_valid(put(predicate, place, [[]])), place


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("verdict", "PASSED"),
        ("bars.0", "TIRED"),
        ("policy.digest", "sha256:" + "0" * 63),
        ("policy.digest", "sha256:" + "A" * 64),
        ("candidate.digest", "0" * 64),
        ("testset.cases", 0),
        ("testset.patients", -1),
        ("ledger.size", 1.5),
        ("ledger.exposures", 0),
        ("findings", []),
        ("findings.0.outcome", "perhaps"),
        ("findings.0.interval", [0.1]),
        ("findings.0.interval", [0.1, 0.2, 0.3]),
        ("findings.0.reason", "BECAUSE"),
        ("findings.0.threshold.of", "hope"),
        ("findings.0.waived", {"reason": "none"}),
    ],
)
def test_a_value_that_cannot_be_is_not_valid(
    validator: Draft202012Validator, predicate: dict[str, JSON], place: str, value: JSON
) -> None:
    assert not validator.is_valid(put(predicate, place, value))


def test_the_page_names_every_field(shipped: dict[str, Any]) -> None:
    told = set(re.findall(r"`([a-z_]+)`", PAGE))
    records = [shipped, *shipped["$defs"].values()]
    assert {name for record in records for name in record.get("properties", ())} <= told

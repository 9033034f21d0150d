"""in-toto Statement v1: what an attestation says about which subjects.

Source: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gatekeeper.canonical import JSON, canonical_json
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.trust._json import read_object

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://gatekeeper.dev/model-validation/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"

_LARGEST_BYTES = 64 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Statement:
    """A statement: ``subjects`` maps a name to its digest (``sha256:<hex>``); the predicate is what is said of them."""

    subjects: dict[str, str]
    predicate_type: str
    predicate: dict[str, JSON]


def statement(subjects: Mapping[str, str], predicate_type: str, predicate: JSON) -> bytes:
    """Return the statement as canonical JSON, subjects in the order of their names.

    ``subjects`` maps names to digests ``sha256:<64 hex digits>``. Raises ValueError when there is no subject, a name
    is empty, a digest has another form, or the predicate is not a JSON object.
    """
    if not subjects:
        raise ValueError("a statement needs at least one subject")
    if not isinstance(predicate, dict):
        raise ValueError("a predicate is a JSON object")
    if not predicate_type:
        raise ValueError("a predicate has a type")
    listed: list[JSON] = []
    for name in sorted(subjects):
        if not name or not _DIGEST.fullmatch(subjects[name]):
            raise ValueError(f"not a subject: {name!r} with digest {subjects[name]!r}")
        listed.append({"name": name, "digest": {"sha256": subjects[name].removeprefix("sha256:")}})
    return canonical_json(
        {"_type": STATEMENT_TYPE, "subject": listed, "predicateType": predicate_type, "predicate": predicate}
    )


def parse_statement(payload: bytes, *, where: str, predicate_type: str = PREDICATE_TYPE) -> Statement:
    """Read a statement that ``statement`` wrote; ``where`` names the file in errors.

    Raises IntegrityError BAD_SIGNATURE for anything else: other keys, another predicate type, a subject twice or
    without one SHA-256 digest, or JSON that is not canonical. Call it on a payload whose signature holds.
    """
    try:
        return _parsed(payload, predicate_type)
    except ValueError as error:
        raise IntegrityError(
            Code.BAD_SIGNATURE,
            "what is signed is not the statement that was expected",
            where=where,
            why=str(error),
            mend="ask whoever made it for the attestation again",
        ) from error


def _parsed(payload: bytes, predicate_type: str) -> Statement:
    value = read_object(payload, limit=_LARGEST_BYTES)
    if set(value) != {"_type", "subject", "predicateType", "predicate"}:
        raise ValueError("its keys are not those of a statement")
    if value["_type"] != STATEMENT_TYPE:
        raise ValueError("it is not an in-toto statement, version 1")
    if value["predicateType"] != predicate_type:
        raise ValueError(f"its predicate is not of the type {predicate_type}")
    predicate, listed = value["predicate"], value["subject"]
    if not isinstance(predicate, dict) or not isinstance(listed, list) or not listed:
        raise ValueError("it lacks a predicate or a subject")
    subjects = dict(_subject(item) for item in listed)
    # What the builder would write from this must be these bytes: no second spelling of the same statement.
    if statement(subjects, predicate_type, predicate) != payload:
        raise ValueError("it has a subject twice, or is not in canonical form")
    return Statement(subjects, predicate_type, predicate)


def _subject(item: JSON) -> tuple[str, str]:
    if not isinstance(item, dict) or set(item) != {"name", "digest"}:
        raise ValueError("a subject has a name and a digest, and nothing else")
    name, digest = item["name"], item["digest"]
    if not isinstance(name, str) or not isinstance(digest, dict) or set(digest) != {"sha256"}:
        raise ValueError("a subject has one SHA-256 digest")
    return name, f"sha256:{digest['sha256']}"

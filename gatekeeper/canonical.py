"""Canonical JSON (RFC 8785) and SHA-256 digests: one spelling for everything that is compared or signed."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import rfc8785

JSON: TypeAlias = "str | int | float | bool | list[JSON] | dict[str, JSON] | None"

_LARGEST_INTEGER = 2**53 - 1
_CHUNK_BYTES = 1 << 20
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def canonical_json(value: JSON) -> bytes:
    """Return ``value`` as RFC 8785 canonical JSON in UTF-8. Raises ValueError for NaN, infinity, integers over 2^53."""
    if _is_plain(value):
        # The standard library's encoder, in C, spells such values in the same way, and five times faster.
        return _ENCODER.encode(value).encode()
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"not representable as canonical JSON: {error}") from error


def _is_plain(value: JSON) -> bool:
    """Whether there are only texts, small integers, true, false and null under ASCII keys: no float to spell."""
    items: Iterable[JSON] = (value,)
    if isinstance(value, dict):
        if not "".join(value).isascii():
            return False
        items = value.values()
    elif isinstance(value, list):
        items = value
    for item in items:
        kind = type(item)
        if kind is str or item is None or kind is bool:
            continue
        if kind is int:
            if not -_LARGEST_INTEGER <= item <= _LARGEST_INTEGER:  # type: ignore[operator]
                return False
        elif kind not in (dict, list) or not _is_plain(item):
            return False
    return True


def pretty_json(value: JSON) -> str:
    """Return ``value`` as JSON for people: keys in the given order, two spaces, ends with a newline, no NaN.

    ``##[`` in a text is spelt with an escape: a runner of GitHub Actions takes it for a command wherever a log has it.
    """
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False).replace("##[", "##\\u005b") + "\n"


def digest_bytes(data: bytes) -> str:
    """Return the SHA-256 of ``data`` as ``sha256:<64 hex digits>``."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest_json(value: JSON) -> str:
    """Return the SHA-256 of the canonical JSON of ``value``."""
    return digest_bytes(canonical_json(value))


def digest_file(path: Path) -> str:
    """Return the SHA-256 of the bytes of a file, read in pieces of 1 MiB."""
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK_BYTES):
            state.update(piece)
    return "sha256:" + state.hexdigest()


def stable(value: float) -> float:
    """Round to 12 significant digits, so that machines which differ in the last bit write the same number.

    Findings are rounded before they are compared with a threshold: what is printed is what was decided on.
    """
    if not math.isfinite(value) or value == 0.0:
        return value
    return float(f"{value:.12g}")

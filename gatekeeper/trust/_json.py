"""Reading JSON that somebody else may have written: one object, no duplicate key, no NaN, bounded."""

from __future__ import annotations

import json
from typing import NoReturn

from gatekeeper.canonical import JSON

_EXACT_INTEGERS = 2.0**53


def read_object(data: bytes, *, limit: int) -> dict[str, JSON]:
    """Return the one JSON object that ``data`` holds. Raises ValueError, in one sentence, for everything else.

    ``limit`` is the largest size that is read, in bytes.
    """
    if len(data) > limit:
        raise ValueError(f"it is larger than {limit >> 20} MiB")
    try:
        value: JSON = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_int=_number,
        )
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON (line {error.lineno}, column {error.colno})") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value


def _number(digits: str) -> int | float:
    # RFC 8785 writes the double 4e16 as 40000000000000000: past 2^53 only a double can have been meant.
    value = float(digits)
    return int(digits) if abs(value) < _EXACT_INTEGERS else value


def _without_duplicates(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it has a key twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is not JSON")

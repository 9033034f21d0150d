"""Where two JSON values differ first, leaf by leaf, to the spelling of a number and the lack of a key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gatekeeper.canonical import JSON, canonical_json

# Names of keys and numbers of entries: a key "0" is not the first entry of a list.
_Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Difference:
    """A place, keys and numbers joined by dots, and what stands there in both, as canonical JSON."""

    place: str
    stated: str
    found: str


def first_difference(stated: JSON, found: JSON) -> Difference | None:
    """Return the first place at which two values differ, in the order of ``found``; None when they are the same."""
    said, seen = dict(_leaves(stated)), dict(_leaves(found))
    for place in {**seen, **said}:
        if said.get(place) != seen.get(place):
            name = ".".join(str(part) for part in place)
            return Difference(name, said.get(place, "nothing"), seen.get(place, "nothing"))
    return None


def _leaves(value: JSON, place: _Place = ()) -> Iterator[tuple[_Place, str]]:
    parts: list[tuple[str | int, JSON]] = []
    if isinstance(value, dict):
        parts.extend(value.items())
    elif isinstance(value, list):
        parts.extend(enumerate(value))
    if not parts:
        yield place, canonical_json(value).decode()
    for name, part in parts:
        yield from _leaves(part, (*place, name))

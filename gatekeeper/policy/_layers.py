"""Layers: their names, what they may hold, and which of them set a key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatekeeper.canonical import JSON
from gatekeeper.errors import Code, Place, Problem, UsageError
from gatekeeper.strict_yaml import Document, KeyPath, shortened

LAYER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(/[A-Za-z0-9_][A-Za-z0-9_-]*)*")
MISSING = "???"  # OmegaConf's word for a value that must still be given
_DEEPEST_LAYER = 4
_WRITTEN: dict[type, str] = {list: "a list", dict: "a group of keys"}


@dataclass(frozen=True)
class Composition:
    """Merged layers: plain data, the documents it came from, the lowest layer first, and the overrides."""

    data: dict[str, JSON]
    layers: tuple[Document, ...]
    overrides: tuple[str, ...] = ()

    def place_of(self, path: KeyPath) -> Place:
        """Return what sets a key: an override of it or of one below, else the last layer that has it or one above."""
        for override in self.overrides:
            if path and _sets(override, dotted(path)):
                return Place(f"the override {shortened(override)}")
        for length in range(len(path), 0, -1):
            for layer in reversed(self.layers):
                if path[:length] in layer.places:
                    return layer.places[path[:length]]
        return Place(self.layers[-1].path)


def check_layer(document: Document) -> None:
    """Refuse keys and values that Hydra and OmegaConf would take for their own."""
    problems = [
        Problem(Code.FORBIDDEN, f'the key "{shortened(str(path[-1]))}" is not allowed here', place, mend="remove it")
        for path, place in document.places.items()
        if str(path[-1]).startswith("_") or path == ("hydra",)
    ]
    problems += [
        Problem(Code.BAD_VALUE, f'the key "{dotted(path)}" has no value yet', place, mend=f"replace {MISSING}")
        for path, place in document.places.items()
        if _value_at(document.data, path) == MISSING
    ]
    if problems:
        raise UsageError.of(problems)


def _sets(override: str, key: str) -> bool:
    """Say whether an override is of ``key``, of one below it, or of one above it that it does not merely merge into."""
    own, _, value = override.partition("=")
    if key.startswith(f"{own}.") and value.startswith("{"):
        return key.removeprefix(f"{own}.").partition(".")[0] in value
    return f"{own}.".startswith(f"{key}.") or key.startswith(f"{own}.")


def clashes(layers: Sequence[Document]) -> Iterator[Problem]:
    """Tell where a layer has a list and one below it has keys, or the other way round."""
    kinds: dict[KeyPath, type] = {}
    for layer in layers:
        for path, place in layer.places.items():
            kind = type(_value_at(layer.data, path))
            if kind not in _WRITTEN or any(isinstance(part, int) for part in path):
                continue  # what stands in a list is replaced with it
            if kinds.setdefault(path, kind) is not kind:
                what = f"{dotted(path)} is {_WRITTEN[kind]} here, and {_WRITTEN[kinds[path]]} in a layer below"
                mend = f"write it as {_WRITTEN[kinds[path]]}"
                yield Problem(Code.BAD_VALUE, what, place, "the layers cannot be merged", mend)


def _value_at(data: JSON, path: KeyPath) -> JSON:
    for part in path:
        data = data[part]  # type: ignore[index]
    return data


def layers_below(document: Document) -> list[tuple[str, Place]]:
    """Return the names that a layer lists under ``defaults``, with their places.

    Raises UsageError for what is no name.
    """
    entries = document.data.get("defaults", [])
    listed = entries if isinstance(entries, list) else [entries]
    places = [document.places.get(("defaults", index), _top(document)) for index in range(len(listed))]
    problems = [
        Problem(
            Code.FORBIDDEN,
            "defaults list layers by name, such as base/triage",
            place,
            why="a layer stays inside its search folder, and lies upon all that it lists",
            mend="write only names, with / between folder and name",
        )
        for entry, place in zip(listed, places, strict=True)
        if not isinstance(entry, str) or not LAYER_NAME.fullmatch(entry) or entry == "_self_"
    ]
    if problems:
        raise UsageError.of(problems)
    return [(str(entry), place) for entry, place in zip(listed, places, strict=True)]


def _top(document: Document) -> Place:
    return document.places.get(("defaults",), Place(document.path))


def layer_names(folders: Sequence[Path]) -> list[str]:
    """Return the names of all layers in the search folders, sorted; folders are searched four levels deep."""
    patterns = ["*/" * depth + "*.yaml" for depth in range(_DEEPEST_LAYER)]
    files = {file.relative_to(folder) for folder in folders for pattern in patterns for file in folder.glob(pattern)}
    names = {file.with_suffix("").as_posix() for file in files}
    return sorted(name for name in names if LAYER_NAME.fullmatch(name))


def dotted(path: KeyPath) -> str:
    """Write a key as overrides do."""
    return ".".join(str(part) for part in path)

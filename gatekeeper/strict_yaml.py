"""YAML in which every value means what it looks like, each with its place.

The reading is that of YAML 1.2's core schema (strings, integers, decimals, true, false, null). What YAML 1.1 reads
otherwise than people do (``NO``, ``1:30``, ``0777``) is an error that says "quote it"; so are duplicate keys, tags,
anchors and aliases. All of a file's errors come at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from gatekeeper.canonical import JSON
from gatekeeper.errors import Code, Place, Problem, UsageError

Mark: TypeAlias = "yaml.error.Mark | yaml._yaml.Mark"
KeyPath: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

_INTEGER = re.compile(r"^[-+]?(0|[1-9]\d*)$")
_DECIMAL = re.compile(r"^[-+]?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$")
_SURPRISING = re.compile(
    r"^(y|n|yes|no|on|off)$|^[-+]?\d[\d_]*(:\d+)+(\.\d*)?$|^[-+]?0[\d_xob][\d_a-f]*$|^[-+]?\d[\d_]*_[\d_]*$"
    r"|^[-+]?\.(inf|nan)$|^\.nan$|^\d{4}-\d\d?-\d\d?([Tt ].*)?$|^[-+]?\.\d+$|^[-+]?\d+\.([eE].*)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Document:
    """A file's content as plain data, and the place of each key and item in it."""

    path: str
    data: dict[str, JSON]
    places: dict[KeyPath, Place]


@dataclass
class _Reading:
    path: str
    lines: list[str]
    problems: list[Problem] = field(default_factory=list)
    places: dict[KeyPath, Place] = field(default_factory=dict)

    def place(self, mark: Mark | None) -> Place:
        if mark is None:
            return Place(self.path)
        excerpt = self.lines[mark.line] if mark.line < len(self.lines) else None
        return Place(self.path, mark.line + 1, mark.column + 1, excerpt=excerpt)

    def complain(self, code: Code, what: str, mark: Mark | None, mend: str) -> None:
        self.problems.append(Problem(code, what, self.place(mark), mend=mend))


def read_yaml(path: Path) -> Document:
    """Read a YAML file that must hold a mapping. Raises UsageError with all that is wrong with it."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(Code.FILE_NOT_FOUND, "no such file", where=str(path), mend="check the path") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(Code.FILE_NOT_FOUND, "the file cannot be read", where=str(path), why=reason) from error
    return parse_yaml(raw, str(path))


def parse_yaml(raw: bytes, path: str) -> Document:
    """Read YAML from bytes; ``path`` is what errors call it."""
    if len(raw) > MAX_BYTES:
        raise UsageError(Code.BAD_SYNTAX, f"larger than {MAX_BYTES:,} bytes", where=path, mend="shorten the file")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UsageError(
            Code.BAD_SYNTAX, "the file is not UTF-8 text", where=Place(path, line), mend="save it as UTF-8"
        ) from error
    reading = _Reading(path, text.splitlines())
    try:
        _refuse_references(text, reading)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = reading.place(mark) if mark else Place(path)
        raise UsageError(Code.BAD_SYNTAX, f"not YAML: {error.problem}", where=where, mend="mend the line") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageError(Code.BAD_SYNTAX, "not YAML", where=path, why=type(error).__name__) from error
    if reading.problems:
        raise UsageError.of(reading.problems)
    if not isinstance(node, yaml.MappingNode):
        raise UsageError(Code.BAD_SYNTAX, "the file holds no mapping of keys to values", where=path)
    data = _mapping(node, (), reading)
    if reading.problems:
        raise UsageError.of(reading.problems)
    return Document(path, data, reading.places)


def _refuse_references(text: str, reading: _Reading) -> None:
    """Look at the events before a tree is built: no references, no tags, no depth that would take for ever."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise UsageError(
                Code.BAD_SYNTAX,
                f"nested deeper than {MAX_DEPTH} levels",
                where=reading.place(event.start_mark),
                mend="flatten it",
            )
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            reading.complain(Code.FORBIDDEN, "anchors and aliases are not allowed", event.start_mark, "write it out")
        elif (tag := getattr(event, "tag", None)) is not None:
            reading.complain(Code.FORBIDDEN, f"YAML tags are not allowed ({tag})", event.start_mark, "remove it")


def _value(node: yaml.Node, path: KeyPath, reading: _Reading) -> JSON:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, reading)
    if isinstance(node, yaml.SequenceNode):
        items: list[JSON] = []
        for index, item in enumerate(node.value):
            reading.places[(*path, index)] = reading.place(item.start_mark)
            items.append(_value(item, (*path, index), reading))
        return items
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node, reading)


def _mapping(node: yaml.MappingNode, path: KeyPath, reading: _Reading) -> dict[str, JSON]:
    result: dict[str, JSON] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            reading.complain(Code.BAD_SYNTAX, "a key must be plain text", key_node.start_mark, "name the key")
            continue
        key = key_node.value
        if key in result:
            first = reading.places[(*path, key)].line
            mend = f"it stands in line {first} already: keep one of the two"
            reading.complain(Code.DUPLICATE, f'the key "{key}" is given twice', key_node.start_mark, mend)
            continue
        reading.places[(*path, key)] = reading.place(key_node.start_mark)
        result[key] = _value(value_node, (*path, key), reading)
    return result


def _scalar(node: yaml.ScalarNode, reading: _Reading) -> JSON:
    text: str = node.value
    if "${" in text:
        reading.complain(Code.FORBIDDEN, "interpolations are not allowed", node.start_mark, "write the value itself")
    if node.style is not None:
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.match(text):
        return int(text)
    if _DECIMAL.match(text):
        return float(text)
    if _SURPRISING.match(text):
        reading.complain(
            Code.BAD_VALUE,
            f"{text} can be read in two ways",
            node.start_mark,
            f'quote it ("{text}") if it is text, or write a plain number, true or false',
        )
    return text

"""Reading a YAML file as plain data, with the place of every key and item.

Duplicate keys, tags, anchors, aliases, merge keys, interpolations and characters that cannot be seen are errors, and so
is a scalar that could be read in two ways. All of a file's errors come at once, up to ``MAX_TOLD``. A file that would
take long to read is refused: a policy is written by hand, and so small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from gatekeeper.canonical import JSON
from gatekeeper.errors import Code, GatekeeperError, Place, Problem, UsageError
from gatekeeper.strict_yaml.characters import shortened, unseen_character
from gatekeeper.strict_yaml.scalars import Unclear, plain_value

Mark: TypeAlias = "yaml.error.Mark | yaml._yaml.Mark | None"
KeyPath: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 250_000
MAX_DEPTH = 20
MAX_VALUES = 10_000
MAX_TOLD = 50
_LONGEST_EXCERPT = 160
_NAMELESS = ("a key without a name", "name the key")

_MENDS = {
    "mapping values are not allowed here": "quote the text if it holds a colon and a blank, or mend the indentation",
    "found character '\\t' that cannot start any token": "indent with blanks, not with tabs",
    "found character '%' that cannot start any token": "write a number before the %, or quote the text",
    "could not find expected ':'": "write it as key: value",
    "found unexpected end of stream": "close the quote or the bracket",
}


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

    def place(self, mark: Mark) -> Place:
        return Place(self.path) if mark is None else _place(self.path, self.lines, mark.line, mark.column)

    def complain(self, code: Code, what: str, mark: Mark, mend: str) -> None:
        self.problems.append(Problem(code, what, self.place(mark), mend=mend))


def read_yaml(path: Path) -> Document:
    """Read a YAML file that must hold a mapping. Raises UsageError with all that is wrong with it."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise UsageError(Code.FILE_NOT_FOUND, "no such file", where=str(path), mend="check the path") from error
    except (OSError, ValueError) as error:
        why, mend = getattr(error, "strerror", None) or type(error).__name__, "name a file that you may read"
        what = "the file cannot be read"
        raise UsageError(Code.FILE_NOT_FOUND, what, where=str(path), why=why, mend=mend) from error
    return parse_yaml(raw, str(path))


def parse_yaml(raw: bytes, path: str) -> Document:
    """Read YAML from bytes; ``path`` is what errors call it."""
    text = _text(raw, path)
    reading = _Reading(path, text.splitlines())
    data: JSON = None
    try:
        events = _events(text, reading)
        for event in events:
            data = _value(event, events, (), reading)
    except yaml.MarkedYAMLError as error:
        mend = _MENDS.get(error.problem or "", "mend the line, or the one above it")
        mark = error.problem_mark or error.context_mark
        reading.complain(Code.BAD_SYNTAX, f"not YAML: {error.problem}", mark, mend)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        why = type(error).__name__
        reading.problems.append(Problem(Code.BAD_SYNTAX, "not YAML", Place(path), why, "write it as key: value"))
    if reading.problems:
        raise UsageError.of(first_of(reading.problems))
    if not isinstance(data, dict):
        what = "the file holds no mapping of keys to values"
        raise UsageError(Code.BAD_SYNTAX, what, where=path, mend="write it as key: value")
    return Document(path, data, reading.places)


def first_of(problems: Sequence[Problem]) -> Sequence[Problem]:
    """Return the first ``MAX_TOLD`` problems, and one that tells how many more there are."""
    more = len(problems) - MAX_TOLD
    if more <= 0:
        return problems
    last = problems[MAX_TOLD]
    where = Place(last.where.path, last.where.line, last.where.column) if last.where else None
    return [*problems[:MAX_TOLD], Problem(last.code, f"and {more:,} more", where, mend="mend those above first")]


def _text(raw: bytes, path: str) -> str:
    if len(raw) > MAX_BYTES:
        raise UsageError(Code.BAD_SYNTAX, f"larger than {MAX_BYTES:,} bytes", where=path, mend="shorten the file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = Place(path, raw.count(b"\n", 0, error.start) + 1)
        raise UsageError(Code.BAD_SYNTAX, "the file is not UTF-8 text", where=where, mend="save it as UTF-8") from error
    unseen = unseen_character(text)
    if unseen is not None:
        before = text[: unseen[0]].rpartition("\n")[2]
        line = text.count("\n", 0, unseen[0])
        where = _place(path, text.split("\n"), line, len(before))
        what = f"the file holds a character that cannot be seen ({unseen[1]})"
        raise UsageError(Code.BAD_SYNTAX, what, where=where, mend="remove it, and save the file as plain UTF-8 text")
    return text


def _place(path: str, lines: list[str], line: int, column: int) -> Place:
    """Return a place, of zero-based line and column, with as much of the line as can be shown."""
    shown = shortened(lines[line], _LONGEST_EXCERPT) if line < len(lines) and column < _LONGEST_EXCERPT else None
    return Place(path, line + 1, column + 1, excerpt=shown)


def _events(text: str, reading: _Reading) -> Iterator[yaml.Event]:
    """Give the parser's events of keys and values, as long as they are of one document and of a bearable size."""
    depth = values = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        values += isinstance(event, yaml.NodeEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > MAX_DEPTH:
            raise _too_much(f"nested deeper than {MAX_DEPTH} levels", "flatten it", event, reading)
        if values > MAX_VALUES:
            raise _too_much(f"more than {MAX_VALUES:,} keys and values", "shorten the file", event, reading)
        if documents > 1:
            raise _too_much("a second document in one file", "remove the line --- and what follows", event, reading)
        if isinstance(event, yaml.NodeEvent):
            _refuse_references(event, reading)
        if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
            yield event


def _too_much(what: str, mend: str, event: yaml.Event, reading: _Reading) -> GatekeeperError:
    reading.complain(Code.BAD_SYNTAX, what, event.start_mark, mend)
    return UsageError.of(first_of(reading.problems))


def _refuse_references(event: yaml.NodeEvent, reading: _Reading) -> None:
    tag: str | None = getattr(event, "tag", None)
    if event.anchor is not None:
        reading.complain(Code.FORBIDDEN, "anchors and aliases are not allowed", event.start_mark, "write it out")
    elif tag is not None:
        what = f"YAML tags are not allowed ({shortened(tag)})"
        reading.complain(Code.FORBIDDEN, what, event.start_mark, "remove it")


def _value(event: yaml.Event, events: Iterator[yaml.Event], path: KeyPath, reading: _Reading) -> JSON:
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(events, path, reading)
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[JSON] = []
        while not isinstance(item := next(events), yaml.SequenceEndEvent):
            inner = (*path, len(items))
            reading.places[inner] = reading.place(item.start_mark)
            items.append(_value(item, events, inner, reading))
        return items
    return _scalar(event, reading) if isinstance(event, yaml.ScalarEvent) else None


def _mapping(events: Iterator[yaml.Event], path: KeyPath, reading: _Reading) -> dict[str, JSON]:
    result: dict[str, JSON] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _key(event, events, reading)
        value = next(events)
        if key is None:
            _skip(value, events)
        elif key in result:
            mend = f"it stands in line {reading.places[(*path, key)].line} already: keep one of the two"
            reading.complain(Code.DUPLICATE, f'the key "{shortened(key)}" is given twice', event.start_mark, mend)
            _skip(value, events)
        else:
            reading.places[(*path, key)] = reading.place(event.start_mark)
            result[key] = _value(value, events, (*path, key), reading)
    return result


def _key(event: yaml.Event, events: Iterator[yaml.Event], reading: _Reading) -> str | None:
    """Return the text of a key, or None when it is none."""
    if not isinstance(event, yaml.ScalarEvent):
        reading.complain(Code.BAD_SYNTAX, "a key must be plain text", event.start_mark, "name the key")
        _skip(event, events)
        return None
    key = _seen(event, reading)
    if event.style is None and key == "<<":
        reading.complain(Code.FORBIDDEN, "merge keys are not allowed", event.start_mark, "write the keys out")
    elif event.style is None and not _is_text(key):
        told = shortened(key)
        what, mend = (f"the key {told} is no text", f'quote it ("{told}") if it is a name') if key else _NAMELESS
        reading.complain(Code.BAD_SYNTAX, what, event.start_mark, mend)
    return key


def _is_text(key: str) -> bool:
    try:
        return isinstance(plain_value(key), str)
    except Unclear:
        return True  # whatever YAML 1.1 makes of NO or 12:30, as a key it is a name


def _skip(event: yaml.Event, events: Iterator[yaml.Event]) -> None:
    """Pass over a value that is not used."""
    depth = int(isinstance(event, yaml.CollectionStartEvent))
    while depth:
        event = next(events)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)


def _scalar(event: yaml.ScalarEvent, reading: _Reading) -> JSON:
    text = _seen(event, reading)
    if event.style is not None:
        return text
    try:
        return plain_value(text)
    except Unclear as unclear:
        reading.complain(Code.BAD_VALUE, unclear.what, event.start_mark, unclear.mend)
        return text


def _seen(event: yaml.ScalarEvent, reading: _Reading) -> str:
    """Return a scalar's text, and complain when it is not what it seems: escapes can write what files may not hold."""
    text: str = event.value
    unseen = unseen_character(text)
    if "${" in text:
        reading.complain(Code.FORBIDDEN, "interpolations are not allowed", event.start_mark, "write the value itself")
    if unseen is not None:
        what = f"the text holds a character that cannot be seen ({unseen[1]})"
        reading.complain(Code.BAD_VALUE, what, event.start_mark, "remove it")
    return text

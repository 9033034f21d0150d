"""Records from YAML documents: pydantic's complaints, told with file, line, column and the nearest valid key."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from gatekeeper.canonical import JSON
from gatekeeper.catalogue import nearest
from gatekeeper.errors import Code, Place, Problem, UsageError
from gatekeeper.strict_yaml import Document, KeyPath

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Fault:
    """What a record's own validator finds wrong, and at which key below the record or field that it validates."""

    path: KeyPath
    what: str
    code: Code = Code.BAD_VALUE
    mend: str | None = None


def refuse(faults: Iterable[Fault]) -> None:
    """Raise, within a validator of pydantic, one error of all faults; do nothing when there is none."""
    listed = list(faults)
    if listed:
        raise PydanticCustomError("faults", "{first}", {"first": listed[0].what, "faults": listed})


def validate(model: type[Model], document: Document) -> Model:
    """Make a record of a document. Raises UsageError with every complaint at its place."""
    return validate_data(model, document.data, lambda path: find_place(document, path))


def validate_data(model: type[Model], data: JSON, place_of: Callable[[KeyPath], Place]) -> Model:
    """Make a record of plain data whose places are told by ``place_of``."""
    try:
        return model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        errors = error.errors()
        misspelt = {_near(model, tuple(details["loc"])) for details in errors if details["type"] == "extra_forbidden"}
        # A key that is there under a misspelt name is not missing as well.
        told = [details for details in errors if details["type"] != "missing" or details["loc"] not in misspelt]
        problems = [problem for details in told for problem in _problems(model, details, place_of)]
        raise UsageError.of(problems) from error


def find_place(document: Document, path: KeyPath) -> Place:
    """Return the place of a key, or of the nearest key above it that stands in the document."""
    for length in range(len(path), 0, -1):
        place = document.places.get(path[:length])
        if place is not None:
            return place
    return Place(document.path)


def _problems(model: type[BaseModel], details: ErrorDetails, place_of: Callable[[KeyPath], Place]) -> Iterator[Problem]:
    kind = details["type"]
    path: KeyPath = tuple(part for part in details["loc"] if part != "[key]")
    if kind == "faults":
        for fault in details["ctx"]["faults"]:
            inner = (*path, *fault.path)
            what = fault.what if fault.code is Code.UNKNOWN_NAME else _about(inner, fault.what)
            yield Problem(fault.code, what, place_of(inner), mend=fault.mend)
    elif path and kind == "missing":
        mend = f'add "{path[-1]}:"'
        yield Problem(Code.MISSING_KEY, f'the key "{_dotted(path)}" is missing', place_of(path[:-1]), mend=mend)
    elif path and kind == "extra_forbidden":
        near = _near(model, path)
        mend = f'did you mean "{near[-1]}"?' if near else f"known here: {', '.join(_keys_at(model, path[:-1]))}"
        yield Problem(Code.UNKNOWN_KEY, f'unknown key "{path[-1]}"', place_of(path), mend=mend)
    else:
        yield Problem(Code.BAD_VALUE, _about(path, details["msg"].removeprefix("Value error, ")), place_of(path))


def _near(model: type[BaseModel], path: KeyPath) -> KeyPath | None:
    """Return the path of the key for which the last one of ``path`` was perhaps meant."""
    found = nearest(str(path[-1]).casefold(), _keys_at(model, path[:-1]))
    return (*path[:-1], found) if found else None


def _about(path: KeyPath, what: str) -> str:
    return f"{_dotted(path)}: {what}" if path else what


def _dotted(path: KeyPath) -> str:
    return ".".join(str(part) for part in path)


def _keys_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    current: object = model
    for part in path:
        current = _step(current, part)
    found = _model_in(current)
    return list(found.model_fields) if found else []


def _step(annotation: object, part: str | int) -> object:
    found = _model_in(annotation)
    if found is not None and isinstance(part, str) and part in found.model_fields:
        return found.model_fields[part].annotation
    for option in _options(annotation):
        if get_origin(option) is dict:
            return get_args(option)[1]
        if get_origin(option) in (tuple, list):
            return get_args(option)[0]
    return None


def _model_in(annotation: object) -> type[BaseModel] | None:
    for option in _options(annotation):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None


def _options(annotation: object) -> tuple[object, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)

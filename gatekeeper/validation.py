"""Records from YAML documents: pydantic's complaints, told with file, line, column and the nearest valid key."""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from typing import TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gatekeeper.canonical import JSON
from gatekeeper.catalogue import nearest
from gatekeeper.errors import Code, Place, Problem, UsageError
from gatekeeper.strict_yaml import Document, KeyPath

Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], document: Document) -> Model:
    """Make a record of a document. Raises UsageError with every complaint at its place."""
    return validate_data(model, document.data, lambda path: find_place(document, path))


def validate_data(model: type[Model], data: JSON, place_of: Callable[[KeyPath], Place]) -> Model:
    """Make a record of plain data whose places are told by ``place_of``."""
    try:
        return model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        raise UsageError.of(_problem(model, details, place_of) for details in error.errors()) from error


def find_place(document: Document, path: KeyPath) -> Place:
    """Return the place of a key, or of the nearest key above it that stands in the document."""
    for length in range(len(path), 0, -1):
        place = document.places.get(path[:length])
        if place is not None:
            return place
    return Place(document.path)


def _problem(model: type[BaseModel], details: ErrorDetails, place_of: Callable[[KeyPath], Place]) -> Problem:
    kind = details["type"]
    path: KeyPath = tuple(details["loc"])
    if path and kind == "missing":
        mend = f'add "{path[-1]}:"'
        return Problem(Code.MISSING_KEY, f'the key "{_dotted(path)}" is missing', place_of(path[:-1]), mend=mend)
    if path and kind == "extra_forbidden":
        known = _keys_at(model, path[:-1])
        near = nearest(str(path[-1]), known)
        mend = f'did you mean "{near}"?' if near else f"known here: {', '.join(known)}"
        return Problem(Code.UNKNOWN_KEY, f'unknown key "{path[-1]}"', place_of(path), mend=mend)
    context = details.get("ctx", {})
    if kind == "unknown_name":
        return Problem(Code.UNKNOWN_NAME, details["msg"], place_of(path), mend=str(context.get("mend")))
    what = details["msg"].removeprefix("Value error, ")
    subject = f"{_dotted(path)}: " if path else ""
    return Problem(Code.BAD_VALUE, f"{subject}{what}", place_of(path))


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

"""What help calls a value: PATH for a file or folder, NUMBER, else the parameter's own name in capitals."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args, get_origin


def name_values(command: Any) -> None:
    """Give a placeholder to every parameter of a command, and of those below it, that has none; choices stay."""
    for parameter in getattr(command, "params", ()):
        kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
        placeholder = _of(kind, parameter.name, argument=parameter.param_type_name == "argument")
        if parameter.metavar is None and placeholder is not None and not getattr(parameter, "is_flag", False):
            parameter.metavar = placeholder
    for below in getattr(command, "commands", {}).values():
        name_values(below)


def _of(kind: Any, name: str, *, argument: bool) -> str | None:
    inner = [_of(one, name, argument=argument) for one in get_args(kind) if one is not type(None)]
    if inner:
        return inner[0] if get_origin(kind) is not None and len(inner) == 1 else None
    if argument and kind in (Path, str):
        return name.upper()
    return {Path: "PATH", str: name.upper().replace("_", "-"), int: "NUMBER", float: "NUMBER"}.get(kind)

"""How templates write a value in YAML, and which paths may stand in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from gatekeeper.errors import Code, UsageError

# A path stands in YAML, in a workflow, where `${{` is evaluated, and in commands that a person copies.
_PLAIN = re.compile(r"[\w.+-]+( [\w.+-]+)*", re.ASCII)


def quoted(text: str) -> str:
    """Return text as a YAML scalar in double quotes, which is also JSON."""
    return json.dumps(text, ensure_ascii=False)


def names(texts: Iterable[str]) -> str:
    """Return a YAML list in one line."""
    return f"[{', '.join(quoted(text) for text in texts)}]"


def check_path(path: PurePosixPath, option: str) -> None:
    """Refuse a path that a shell, YAML or a workflow could take for something else. Raises UsageError."""
    inside = not path.is_absolute() and ".." not in path.parts and path.parts
    if not inside:
        raise UsageError(
            Code.FORBIDDEN,
            "the artefact lies outside the project's folder",
            where=f"{option} {path}",
            mend="copy it into a folder below it: a candidate names only files beside or below its YAML",
        )
    if not all(_PLAIN.fullmatch(part) and not part.startswith(("-", ".")) for part in path.parts):
        raise UsageError(
            Code.FORBIDDEN,
            "the path holds characters that do not belong into a workflow",
            where=f"{option} {path}",
            mend="rename it: letters without accents, digits, and . _ + - between them",
        )

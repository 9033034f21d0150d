"""Where something stands in the user's own files, as pipelines want it: relative to the workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gatekeeper
from gatekeeper.errors import Place, Problem
from gatekeeper.reporters.told import Asked, Judged

_PACKAGE = Path(gatekeeper.__file__).resolve().parent
_MOST_BYTES = 250_000


@dataclass(frozen=True)
class Location:
    """A line of a file: its path with slashes, relative to the workspace; line and column from one."""

    path: str
    line: int = 1
    column: int | None = None


def place_of_requirement(judged: Judged, id_: str) -> Location | None:
    """Return where the last layer sets a requirement; ``id_`` may be that of a finding on a subgroup.

    What a shipped layer sets stands, for the user, where the own policy names that layer: at its ``defaults:``, or at
    its ``id:``. A policy that has no file in the workspace stands where a file in it names it.
    """
    keys = (("requirements", id_.partition("[")[0]), ("defaults",), ("id",))
    places = [judged.written_at(key) for key in keys] if judged.written_at else []
    own = (Place(layer) for layer in reversed(judged.layers))
    found = (_located(place, judged.asked.workspace) for place in (*places, *own))
    return next((location for location in found if location), None) or anchor(judged.asked)


def place_of_problem(problem: Problem, asked: Asked) -> Location | None:
    """Return where a problem is, if that is in the workspace."""
    return _located(problem.where, asked.workspace) if problem.where else None


def anchor(asked: Asked) -> Location | None:
    """Return the first of the user's files that stands in the workspace, at its key ``policy:`` if it has one."""
    for file in asked.anchors:
        location = _located(Place(str(file), _line_of_policy(file)), asked.workspace)
        if location:
            return location
    return None


def _located(place: Place, workspace: Path) -> Location | None:
    try:
        for path, root in _spellings(place.path, workspace):
            if path.is_relative_to(root) and path.is_file() and not path.resolve().is_relative_to(_PACKAGE):
                return Location(path.relative_to(root).as_posix(), place.line or 1, place.column)
    except (OSError, ValueError):  # what was said of the place is no path
        pass
    return None


def _spellings(path: str, workspace: Path) -> Iterator[tuple[Path, Path]]:
    """Give a path and the workspace as they are written, then without links."""
    yield Path(os.path.abspath(path)), Path(os.path.abspath(workspace))
    yield Path(os.path.realpath(path)), Path(os.path.realpath(workspace))


def _line_of_policy(file: Path) -> int:
    try:
        with file.open("rb") as stream:
            lines = stream.read(_MOST_BYTES).splitlines()
    except OSError:
        return 1
    return next((number for number, line in enumerate(lines, start=1) if line.startswith(b"policy:")), 1)

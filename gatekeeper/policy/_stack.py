"""Which layers a policy is made of: found by name, read strictly, in the order in which they are merged.

A layer lists under ``defaults`` the layers that it lies upon. Each is looked for in the search folders, the first of
which that has it gives it; a link may not lead out of its folder. A layer that is reached twice is merged once, where
it is met first. A basis is one thing: a layer that names another source does not keep the note of the one below.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gatekeeper.canonical import JSON
from gatekeeper.catalogue import nearest
from gatekeeper.errors import Code, Place, Problem, UsageError
from gatekeeper.policy._layers import LAYER_NAME, check_layer, layer_names, layers_below
from gatekeeper.strict_yaml import Document, KeyPath, first_of, read_yaml, shortened

MAX_LAYERS = 50


def read_layers(top: str | Path, folders: Sequence[Path]) -> tuple[Document, ...]:
    """Read a layer, by name or by file, and all below it, the lowest first.

    Raises UsageError with all that is wrong with any of them: unknown names, circles, and what no layer may hold.
    """
    stack = _Stack(tuple(folders))
    file = top if isinstance(top, Path) else _find(top, folders)
    if file is None:
        raise UsageError.of([unknown_layer(str(top), folders, None)])
    stack.visit(file, ())
    if stack.problems:
        raise UsageError.of(first_of(stack.problems))
    return tuple(_with_whole_bases(stack.ordered))


def unknown_layer(name: str, folders: Sequence[Path], where: Place | None) -> Problem:
    """Return the problem of a name that no search folder has, with the nearest name that one has."""
    known = layer_names(folders)
    tails = {entry.rpartition("/")[2]: entry for entry in known}
    near = nearest(name, known) or tails.get(nearest(name.rpartition("/")[2], tails) or "")
    mend = f'did you mean "{near}"?' if near else f"known: {_listed(known)}"
    return Problem(Code.UNKNOWN_NAME, f'no policy or layer is called "{shortened(name)}"', where, mend=mend)


@dataclass
class _Stack:
    folders: tuple[Path, ...]
    ordered: list[Document] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: set[Path] = field(default_factory=set)

    def visit(self, file: Path, above: tuple[Path, ...]) -> None:
        """Read a layer once all below it are read; ``above`` are the files by way of which it was reached."""
        real = file.resolve()
        self.seen.add(real)
        try:
            document = read_yaml(file)
            check_layer(document)
            below = layers_below(document)
        except UsageError as error:
            self.problems += error.problems
            return
        for name, place in below:
            self._visit_below(name, place, (*above, real))
        self.ordered.append(document)

    def _visit_below(self, name: str, place: Place, above: tuple[Path, ...]) -> None:
        file = _find(name, self.folders)
        problem = self._problem_of(name, place, file, above)
        if problem is not None:
            self.problems.append(problem)
        elif file is not None and file.resolve() not in self.seen:
            self.visit(file, above)

    def _problem_of(self, name: str, place: Place, file: Path | None, above: tuple[Path, ...]) -> Problem | None:
        if file is None:
            return unknown_layer(name, self.folders, place)
        if file.resolve() in above:
            what = "the layers name each other in a circle" if file.resolve() != above[-1] else "a layer names itself"
            return Problem(Code.BAD_VALUE, what, place, mend=f'remove "{name}" here')
        if len(self.seen) >= MAX_LAYERS and file.resolve() not in self.seen:
            return Problem(Code.BAD_VALUE, f"more than {MAX_LAYERS} layers", place, mend="merge some of them")
        if not any(file.resolve().is_relative_to(folder.resolve()) for folder in _holding(name, self.folders)):
            what, why = f'"{name}" is a link that leads out of its folder', "a layer stays inside its search folder"
            return Problem(Code.FORBIDDEN, what, place, why, "put the file itself there")
        return None


def _with_whole_bases(layers: Sequence[Document]) -> Iterator[Document]:
    """Give the layers, each without the bases that a layer above gives anew."""
    for index, layer in enumerate(layers):
        given = (
            path[:-1] for other in layers[index + 1 :] for path in other.places if path[-2:] == ("basis", "source")
        )
        anew = set(given) & set(layer.places)
        places = {
            path: place
            for path, place in layer.places.items()
            if not any(path[:length] in anew for length in range(len(path) + 1))
        }
        yield replace(layer, data=_without(layer.data, anew, ()), places=places) if anew else layer


def _without(data: Mapping[str, JSON], paths: set[KeyPath], here: KeyPath) -> dict[str, JSON]:
    kept = {key: value for key, value in data.items() if (*here, key) not in paths}
    return {
        key: _without(value, paths, (*here, key)) if isinstance(value, dict) else value for key, value in kept.items()
    }


def _find(name: str, folders: Iterable[Path]) -> Path | None:
    return next((_file(name, folder) for folder in _holding(name, folders)), None)


def _holding(name: str, folders: Iterable[Path]) -> Iterator[Path]:
    """Give the folders that have a layer of this name."""
    if LAYER_NAME.fullmatch(name) and len(name) < 200:
        yield from (folder for folder in folders if os.path.isfile(_file(name, folder)))


def _file(name: str, folder: Path) -> Path:
    return folder / f"{name}.yaml"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")

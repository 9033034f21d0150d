"""Composition of layers by Hydra. The one file that knows Hydra and OmegaConf.

A layer is a YAML file of a search folder, read strictly. ``defaults: [base/triage]`` names layers below it, always
from the top of the search path; the first folder that has a file of that name gives it. Hydra resolves the defaults
list and merges; what it returns is plain data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from hydra import compose, initialize
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gatekeeper.canonical import JSON
from gatekeeper.catalogue import nearest
from gatekeeper.errors import Code, Place, Problem, UsageError
from gatekeeper.strict_yaml import Document, read_yaml

_LAYER_NAME = re.compile(r"^[a-z0-9_]+(/[a-z0-9_]+)*$")
_OVERRIDE_KEY = re.compile(r"^[a-z0-9_]+([.][a-z0-9_-]+)*$")
_SCHEME = "gatekeeper"
_GIVEN = "given_file"


@dataclass(frozen=True)
class Composition:
    """Merged layers: plain data, the documents it came from, the lowest layer first, and the overrides."""

    data: dict[str, JSON]
    layers: tuple[Document, ...]
    overrides: tuple[str, ...] = ()

    def place_of(self, path: tuple[str | int, ...]) -> Place:
        """Return what sets a key: an override of it or of one below, else the last layer that has it or one above."""
        for override in self.overrides:
            key = override.partition("=")[0]
            if key == _dotted(path) or (path and key.startswith(f"{_dotted(path)}.")):
                return Place(f"the override {override}")
        for length in range(len(path), 0, -1):
            for layer in reversed(self.layers):
                if path[:length] in layer.places:
                    return layer.places[path[:length]]
        return Place(self.layers[-1].path)


class _Search:
    """What the composition under way reads: Hydra makes its plug-ins itself, so they look here."""

    folders: tuple[Path, ...] = ()
    documents: ClassVar[dict[str, Document]] = {}
    given: Path | None = None


class _LayerSource(ConfigSource):
    """Hydra's view of a search folder."""

    @staticmethod
    def scheme() -> str:
        return _SCHEME

    def available(self) -> bool:
        return Path(self.path).is_dir()

    def load_config(self, config_path: str) -> ConfigResult:
        file = self._file(config_path)
        if not file.is_file():
            raise ConfigLoadError(f"no layer {config_path}")
        document = read_yaml(file)
        _refuse_what_belongs_to_hydra(document)
        data: dict[str, object] = dict(document.data)
        _Search.documents[config_path.removesuffix(".yaml")] = document
        data["defaults"] = [*(f"/{name}" for name in _layer_names(document)), "_self_"]
        return ConfigResult(
            config=OmegaConf.create(data),
            path=f"{self.scheme()}://{self.path}",
            provider=self.provider,
            header={"package": "_global_"},
        )

    def is_group(self, config_path: str) -> bool:
        return (Path(self.path) / config_path).is_dir()

    def is_config(self, config_path: str) -> bool:
        return self._file(config_path).is_file()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        return sorted(entry.stem for entry in (Path(self.path) / config_path).glob("*.yaml"))

    def _file(self, config_path: str) -> Path:
        if config_path.removesuffix(".yaml") == _GIVEN and _Search.given is not None:
            return _Search.given
        return Path(self.path) / f"{config_path.removesuffix('.yaml')}.yaml"


class _LayerFolders(SearchPathPlugin):
    """Puts the search folders of the composition under way on Hydra's search path, in their order."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        for folder in _Search.folders:
            search_path.append(provider="gatekeeper", path=f"{_SCHEME}://{folder}")


def compose_layers(top: str | Path, folders: Sequence[Path], overrides: Sequence[str] = ()) -> Composition:
    """Compose a layer, by name or by file, with all below it, from the first of ``folders`` that has each.

    ``overrides`` are in Hydra's grammar (``a.b=1``) and may only change keys that exist. Raises UsageError for an
    unknown layer, a cycle, or an override that does not fit.
    """
    name = _GIVEN if isinstance(top, Path) else top
    with _hydra(folders, top if isinstance(top, Path) else None):
        try:
            config = compose(config_name=name, overrides=list(_checked(overrides)))
            data: Any = OmegaConf.to_container(config, resolve=False, throw_on_missing=True)
        except UsageError:
            raise
        except (HydraException, OmegaConfBaseException, RecursionError) as error:
            raise _explained(error, str(top), overrides) from error
        return Composition(data, _in_merge_order(name), tuple(overrides))


@contextmanager
def _hydra(folders: Sequence[Path], given: Path | None) -> Iterator[None]:
    for plugin in (_LayerSource, _LayerFolders):
        Plugins.instance().register(plugin)
    GlobalHydra.instance().clear()
    _Search.folders = tuple(folder.resolve() for folder in folders)
    _Search.documents = {}
    _Search.given = given
    try:
        with initialize(version_base="1.3", config_path=None):
            yield
    finally:
        GlobalHydra.instance().clear()


def _refuse_what_belongs_to_hydra(document: Document) -> None:
    problems = [
        Problem(Code.FORBIDDEN, f'the key "{path[-1]}" is not allowed here', place, mend="remove it")
        for path, place in document.places.items()
        if str(path[-1]).startswith("_") or path == ("hydra",)
    ]
    if problems:
        raise UsageError.of(problems)


def _layer_names(document: Document) -> list[str]:
    entries = document.data.get("defaults", [])
    listed = entries if isinstance(entries, list) else [entries]
    problems = [
        Problem(
            Code.FORBIDDEN,
            "defaults list layers by name, such as base/triage",
            document.places.get(("defaults", index), document.places[("defaults",)]),
            why="a layer stays inside its search folder",
        )
        for index, entry in enumerate(listed)
        if not isinstance(entry, str) or not _LAYER_NAME.match(entry)
    ]
    if problems:
        raise UsageError.of(problems)
    return [str(entry) for entry in listed]


def _checked(overrides: Sequence[str]) -> Iterator[str]:
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals or not _OVERRIDE_KEY.match(key) or "${" in value:
            raise UsageError(
                Code.BAD_VALUE,
                f'cannot read the override "{override}"',
                mend="write it as key.key=value, for a key that the policy has",
            )
        yield override


def _explained(error: Exception, name: str, overrides: Sequence[str]) -> UsageError:
    if isinstance(error, RecursionError):
        places = [document.places[("defaults",)] for document in _Search.documents.values() if _layer_names(document)]
        return UsageError(
            Code.BAD_VALUE, "the layers name each other in a circle", where=places[-1], mend="remove one of the names"
        )
    missing = re.search(r"Could not (?:load|find) '([^']+)'|Cannot find primary config '([^']+)'", str(error))
    if missing:
        return unknown_layer(next(part for part in missing.groups() if part), _Search.folders)
    keys = sorted({_dotted(path) for document in _Search.documents.values() for path in document.places})
    for override in overrides:
        key = override.partition("=")[0]
        if key not in keys:
            near = nearest(key, keys)
            mend = f'did you mean "{near}"?' if near else f"keys: {', '.join(key for key in keys if '.' not in key)}"
            return UsageError(Code.UNKNOWN_KEY, f'no key "{key}" to override', mend=mend)
    first_line = str(error).strip().splitlines()[0]
    return UsageError(Code.BAD_VALUE, f"{name} cannot be composed", why=first_line)


def unknown_layer(name: str, folders: Sequence[Path]) -> UsageError:
    """Return the error for a name that no search folder has, with the nearest name that one has."""
    known = layer_names(folders)
    tails = {entry.rpartition("/")[2]: entry for entry in known}
    near = nearest(name, known) or tails.get(nearest(name.rpartition("/")[2], tails) or "")
    mend = f'did you mean "{near}"?' if near else f"known: {', '.join(known)}"
    users = [
        document.places[("defaults",)] for document in _Search.documents.values() if name in _layer_names(document)
    ]
    where = users[0] if users else None
    return UsageError(Code.UNKNOWN_NAME, f'no policy or layer is called "{name}"', where=where, mend=mend)


def layer_names(folders: Sequence[Path]) -> list[str]:
    """Return the names of all layers in the search folders, sorted."""
    return sorted(
        {file.relative_to(folder).with_suffix("").as_posix() for folder in folders for file in folder.rglob("*.yaml")}
    )


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in path)


def _in_merge_order(name: str) -> tuple[Document, ...]:
    ordered: list[Document] = []

    def visit(layer: str) -> None:
        document = _Search.documents[layer]
        for below in _layer_names(document):
            visit(below)
        if document not in ordered:
            ordered.append(document)

    visit(name)
    return tuple(ordered)

"""Composition of layers by Hydra. The one file that knows Hydra and OmegaConf.

A layer is a YAML file of a search folder, read strictly. ``defaults: [base/triage]`` names layers below it, always
from the top of the search path; the first folder that has a file of that name gives it. Hydra resolves the defaults
list and merges; what it returns is plain data.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from hydra import compose, initialize
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gatekeeper.canonical import JSON
from gatekeeper.catalogue import nearest
from gatekeeper.errors import Code, Place, Problem, UsageError
from gatekeeper.policy._layers import (
    LAYER_NAME,
    MISSING,
    Composition,
    check_layer,
    clash,
    dotted,
    layer_names,
    layers_below,
    places_of_use,
)
from gatekeeper.strict_yaml import Document, read_yaml

_OVERRIDE_KEY = re.compile(r"^[a-z0-9_]+([.][a-z0-9_-]+)*$")
_SCHEME = "gatekeeper"
_GIVEN = "given_file"


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
        check_layer(document)
        _Search.documents[config_path.removesuffix(".yaml")] = document
        for name in layers_below(document):
            if not _is_layer(name):
                raise unknown_layer(name, _Search.folders)
        data: dict[str, object] = dict(document.data)
        data["defaults"] = [*(f"/{name}" for name in layers_below(document)), "_self_"]
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


def _is_layer(name: str) -> bool:
    """Say whether a search folder has the layer: Hydra would also look among configurations of its own."""
    if name == _GIVEN and _Search.given is not None:
        return True
    return bool(LAYER_NAME.match(name)) and any(os.path.isfile(f / f"{name}.yaml") for f in _Search.folders)


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
        if not _is_layer(name):
            raise unknown_layer(name, folders)
        composition = Composition(_composed(name), _in_merge_order(name))
        if not overrides:
            return composition
        _check_overrides(overrides, composition)
        return Composition(_composed(name, overrides), composition.layers, tuple(overrides))


def _composed(name: str, overrides: Sequence[str] = ()) -> dict[str, JSON]:
    try:
        config = compose(config_name=name, overrides=list(overrides))
        data: Any = OmegaConf.to_container(config, resolve=False, throw_on_missing=True)
    except (HydraException, OmegaConfBaseException, RecursionError) as error:
        raise _explained(error, name, overrides) from error
    plain: dict[str, JSON] = data
    return plain


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


def _check_overrides(overrides: Sequence[str], composition: Composition) -> None:
    """Refuse what is not one plain value for a key that is there: Hydra would take more."""
    paths = {path for layer in composition.layers for path in layer.places if path[0] != "defaults"}
    keys = sorted(dotted(path) for path in paths)
    problems: list[Problem] = []
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals or not _OVERRIDE_KEY.match(key) or "${" in value or not _is_plain(override):
            mend = "write it as key.key=value; quote a value with commas, brackets or = in it: 'title=\"a, b\"'"
            problems.append(Problem(Code.BAD_VALUE, f'cannot read the override "{override}"', mend=mend))
        elif key not in keys:
            near = nearest(key, keys)
            mend = f'did you mean "{near}"?' if near else f"keys: {', '.join(key for key in keys if '.' not in key)}"
            problems.append(Problem(Code.UNKNOWN_KEY, f'no key "{key}" to override', mend=mend))
    if problems:
        raise UsageError.of(problems)


def _is_plain(override: str) -> bool:
    try:
        parsed = OverridesParser.create().parse_override(override)
        return not parsed.is_sweep_override() and MISSING not in str(parsed.value())
    except HydraException:
        return False


def _explained(error: Exception, name: str, overrides: Sequence[str]) -> UsageError:
    if isinstance(error, RecursionError):
        places = [document.places[("defaults",)] for document in _Search.documents.values() if layers_below(document)]
        return UsageError(
            Code.BAD_VALUE, "the layers name each other in a circle", where=places[-1], mend="remove one of the names"
        )
    # What is left is a list where there was a mapping, or the other way round.
    where = Place(f"the override {' '.join(overrides)}") if overrides else clash(_in_merge_order(name))
    first_line = str(error).strip().splitlines()[0]
    return UsageError(Code.BAD_VALUE, "the layers cannot be merged", where=where, why=first_line)


def unknown_layer(name: str, folders: Sequence[Path]) -> UsageError:
    """Return the error for a name that no search folder has, with the nearest name that one has."""
    known = layer_names(folders)
    tails = {entry.rpartition("/")[2]: entry for entry in known}
    near = nearest(name, known) or tails.get(nearest(name.rpartition("/")[2], tails) or "")
    mend = f'did you mean "{near}"?' if near else f"known: {', '.join(known)}"
    where = next((place for document in _Search.documents.values() for place in places_of_use(document, name)), None)
    return UsageError(Code.UNKNOWN_NAME, f'no policy or layer is called "{name}"', where=where, mend=mend)


def _in_merge_order(name: str) -> tuple[Document, ...]:
    ordered: list[Document] = []

    def visit(layer: str) -> None:
        document = _Search.documents[layer]
        for below in layers_below(document):
            visit(below)
        if document not in ordered:
            ordered.append(document)

    visit(name)
    return tuple(ordered)

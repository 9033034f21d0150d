"""Composition of layers by Hydra. The one file that knows Hydra and OmegaConf.

Hydra merges the layers of a stack, the lowest first, and the overrides of a command line into them; what it returns is
plain data. It reads no file: every layer has been read strictly before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from gatekeeper.policy._layers import MISSING, Composition, clashes, dotted
from gatekeeper.strict_yaml import Document, first_of, shortened, unseen_character

_OVERRIDE_KEY = re.compile(r"[a-z0-9_]+([.][a-z0-9_-]+)*")
_LONGEST_OVERRIDE = 2_000
_SCHEME = "gatekeeper"


class _Under:
    """The layers of the composition under way: Hydra makes its plug-ins itself, so they look here."""

    layers: ClassVar[dict[str, dict[str, JSON]]] = {}


class _LayerSource(ConfigSource):
    """Hydra's view of a stack: its layers are called by their number, and the last one lies upon all others."""

    @staticmethod
    def scheme() -> str:
        return _SCHEME

    def available(self) -> bool:
        return True

    def load_config(self, config_path: str) -> ConfigResult:
        name = config_path.removesuffix(".yaml")
        if name not in _Under.layers:
            raise ConfigLoadError(f"no layer {name}")
        data: dict[str, object] = {key: value for key, value in _Under.layers[name].items() if key != "defaults"}
        *below, top = _Under.layers
        if name == top:
            data["defaults"] = [*(f"/{layer}" for layer in below), "_self_"]
        return ConfigResult(
            config=OmegaConf.create(data),
            path=f"{self.scheme()}://{self.path}",
            provider=self.provider,
            header={"package": "_global_"},
        )

    def is_group(self, config_path: str) -> bool:
        return not config_path

    def is_config(self, config_path: str) -> bool:
        return config_path.removesuffix(".yaml") in _Under.layers

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        return sorted(_Under.layers)


class _Layers(SearchPathPlugin):
    """Puts the layers on Hydra's search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        search_path.append(provider="gatekeeper", path=f"{_SCHEME}://layers")


def compose_layers(layers: Sequence[Document], overrides: Sequence[str] = ()) -> Composition:
    """Merge layers, the lowest first, and overrides in Hydra's grammar (``a.b=1``) of keys that exist.

    Raises UsageError for a list where a layer below has keys, and for an override that does not fit.
    """
    composition = Composition({}, tuple(layers), tuple(overrides))
    problems = [*clashes(layers), *_faults_of_overrides(overrides, layers)]
    if problems:
        raise UsageError.of(first_of(problems))
    with _hydra(layers):
        return Composition(_composed(overrides), composition.layers, composition.overrides)


def _composed(overrides: Sequence[str]) -> dict[str, JSON]:
    try:
        config = compose(config_name=list(_Under.layers)[-1], overrides=list(overrides))
        data: Any = OmegaConf.to_container(config, resolve=False, throw_on_missing=True)
    except (HydraException, OmegaConfBaseException, RecursionError, ValueError) as error:
        why = shortened((str(error).strip().splitlines() or [""])[0], 200)
        where = Place(f"the override {shortened(' '.join(overrides))}") if overrides else None
        mend = "write one value for one key"
        raise UsageError(Code.BAD_VALUE, "the layers cannot be merged", where=where, why=why, mend=mend) from error
    plain: dict[str, JSON] = data
    return plain


@contextmanager
def _hydra(layers: Sequence[Document]) -> Iterator[None]:
    for plugin in (_LayerSource, _Layers):
        Plugins.instance().register(plugin)
    GlobalHydra.instance().clear()
    _Under.layers = {f"layer{number}": layer.data for number, layer in enumerate(layers)}
    try:
        with initialize(version_base="1.3", config_path=None):
            yield
    finally:
        GlobalHydra.instance().clear()


def _faults_of_overrides(overrides: Sequence[str], layers: Sequence[Document]) -> Iterator[Problem]:
    """Refuse what is not one plain value for a key that is there: Hydra would take more."""
    paths = {path for layer in layers for path in layer.places if path[0] != "defaults"} if overrides else set()
    keys = sorted({dotted(path) for path in paths})
    for override in overrides:
        key, equals, _ = override.partition("=")
        if not equals or not _OVERRIDE_KEY.fullmatch(key) or not _is_plain(override):
            mend = "write it as key.key=value; quote a value with commas, brackets or = in it: 'title=\"a, b\"'"
            what = f'cannot read the override "{shortened(override)}"'
            yield Problem(Code.BAD_VALUE, what, Place("the command line"), mend=mend)
        elif key not in keys:
            near = nearest(shortened(key), keys)
            mend = f'did you mean "{near}"?' if near else f"keys: {', '.join(key for key in keys if '.' not in key)}"
            what = f'no key "{shortened(key)}" to override'
            yield Problem(Code.UNKNOWN_KEY, what, Place("the command line"), mend=mend)


def _is_plain(override: str) -> bool:
    if len(override) > _LONGEST_OVERRIDE or unseen_character(override):
        return False
    try:
        parsed = OverridesParser.create().parse_override(override)
        value = str(parsed.value())
    except (HydraException, RecursionError, ValueError):
        return False
    return not parsed.is_sweep_override() and MISSING not in value and "${" not in value and "${" not in override

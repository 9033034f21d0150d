"""Finding, composing and validating a policy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gatekeeper.errors import Code, UsageError
from gatekeeper.policy.schema import Policy
from gatekeeper.validation import Model, validate_data


@dataclass(frozen=True)
class LoadedPolicy:
    """A resolved policy, the files it came from (lowest layer first), and whether the command line changed it."""

    policy: Policy
    layers: tuple[str, ...]
    exploratory: bool


def shipped(kind: str) -> Path:
    """Return the folder of shipped ``policies`` or ``configs``: inside the installed package, or beside it."""
    package = Path(__file__).resolve().parent.parent
    inside = package / kind
    return inside if inside.is_dir() else package.parent / kind


def search_folders(kind: str) -> tuple[Path, ...]:
    """Return the folders in which names are looked up: the user's own in the working folder, then the shipped one."""
    own = Path.cwd() / kind
    folders = [own] if own.is_dir() and own.resolve() != shipped(kind).resolve() else []
    return (*folders, shipped(kind))


def load_policy(name: str, overrides: Sequence[str] = ()) -> LoadedPolicy:
    """Resolve a policy by name in the search folders, or from a file.

    Raises UsageError for all that is wrong with it, with file, line and column.
    """
    from gatekeeper.policy._compose import compose_layers

    folders = search_folders("policies")
    given = Path(name)
    if given.suffix in (".yaml", ".yml") or os.path.isfile(name):
        if not os.path.isfile(name):
            raise UsageError(Code.FILE_NOT_FOUND, "no such policy file", where=name, mend="`gatekeeper policy list`")
        composition = compose_layers(given, (given.resolve().parent, *folders), overrides)
    else:
        composition = compose_layers(name, folders, overrides)
    policy = validate_data(Policy, composition.data, composition.place_of)
    return LoadedPolicy(policy, tuple(layer.path for layer in composition.layers), exploratory=bool(overrides))


def load_settings(model: type[Model], name: str, overrides: Sequence[str] = ()) -> Model:
    """Resolve settings, such as ``engine/default``, from the ``configs`` search folders into a record."""
    from gatekeeper.policy._compose import compose_layers

    composition = compose_layers(name, search_folders("configs"), overrides)
    return validate_data(model, composition.data, composition.place_of)


def policy_names() -> list[str]:
    """Return the names of all policies that can be asked for, without the layers they are built on (``base/``)."""
    from gatekeeper.policy._layers import layer_names

    return [name for name in layer_names(search_folders("policies")) if not name.startswith("base/")]

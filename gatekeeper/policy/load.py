"""Finding, composing and validating a policy."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gatekeeper.canonical import JSON
from gatekeeper.errors import Code, Place, UsageError
from gatekeeper.policy._layers import Composition
from gatekeeper.policy._meaning import DECLARED
from gatekeeper.policy._stack import read_layers
from gatekeeper.policy._weakening import Relaxed, find_weakenings
from gatekeeper.policy.schema import Policy
from gatekeeper.strict_yaml import KeyPath, first_of
from gatekeeper.validation import Model, validate_data


@dataclass(frozen=True)
class LoadedPolicy:
    """A resolved policy, the files it came from (lowest layer first), and whether the command line changed it.

    ``relaxed`` tells where a layer asks for less than the one below it, ``place_of`` what sets a key, ``written_at``
    which file does, whatever the command line changed.
    """

    policy: Policy
    layers: tuple[str, ...]
    exploratory: bool
    relaxed: tuple[Relaxed, ...] = ()
    place_of: Callable[[KeyPath], Place] = field(default=lambda path: Place("policy"), repr=False, compare=False)
    written_at: Callable[[KeyPath], Place] = field(default=lambda path: Place("policy"), repr=False, compare=False)


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
    folders = search_folders("policies")
    given = Path(name)
    if given.suffix in (".yaml", ".yml") or os.path.isfile(name):
        if not os.path.isfile(name):
            raise UsageError(Code.FILE_NOT_FOUND, "no such policy file", where=name, mend="`gatekeeper policy list`")
        composition = _composed(given, (given.resolve().parent, *folders), overrides)
    else:
        composition = _composed(name, folders, overrides)
    weakenings = find_weakenings(composition.layers)
    data = composition.data if overrides else weakenings.data
    problems = list(weakenings.problems)
    try:
        policy = validate_data(Policy, _resolved(data), composition.place_of)
    except UsageError as error:
        problems += error.problems
    if problems:
        raise UsageError.of(first_of(problems))
    layers = tuple(layer.path for layer in composition.layers)
    filed = replace(composition, overrides=())
    return LoadedPolicy(
        policy, layers, bool(overrides), tuple(weakenings.relaxed), composition.place_of, filed.place_of
    )


def _resolved(data: dict[str, JSON]) -> dict[str, JSON]:
    """Write the prevalence of the context wherever a requirement is ``at_prevalence: declared``."""
    context, requirements = data.get("context"), data.get("requirements")
    prevalence = context.get("prevalence") if isinstance(context, dict) else None
    value = prevalence.get("value") if isinstance(prevalence, dict) else None
    if value is None or not isinstance(requirements, dict):
        return data
    resolved: dict[str, JSON] = {
        id_: {**requirement, "at_prevalence": value}
        if isinstance(requirement, dict) and requirement.get("at_prevalence") == DECLARED
        else requirement
        for id_, requirement in requirements.items()
    }
    return {**data, "requirements": resolved}


def load_settings(model: type[Model], name: str, overrides: Sequence[str] = ()) -> Model:
    """Resolve settings, such as ``engine/default``, from the ``configs`` search folders into a record."""
    composition = _composed(name, search_folders("configs"), overrides)
    return validate_data(model, composition.data, composition.place_of)


def _composed(top: str | Path, folders: Sequence[Path], overrides: Sequence[str]) -> Composition:
    """Compose by Hydra, but for one layer alone: there is nothing to compose, and Hydra takes 0.2 s to start."""
    layers = read_layers(top, folders)
    if len(layers) == 1 and not overrides:
        return Composition({key: value for key, value in layers[0].data.items() if key != "defaults"}, layers)
    from gatekeeper.policy._compose import compose_layers

    return compose_layers(layers, overrides)


def policy_names() -> list[str]:
    """Return the names of all policies that can be asked for, without the layers they are built on (``base/``)."""
    from gatekeeper.policy._layers import layer_names

    return [name for name in layer_names(search_folders("policies")) if not name.startswith("base/")]

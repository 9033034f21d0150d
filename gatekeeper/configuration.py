"""A policy and the engine's settings, with what the command line overrides in them."""

from __future__ import annotations

from gatekeeper.engine import EngineSettings
from gatekeeper.errors import Code, UsageError
from gatekeeper.policy import LoadedPolicy, load_policy, load_settings


def configure(policy: str, overrides: tuple[str, ...]) -> tuple[LoadedPolicy, EngineSettings]:
    """Resolve a policy and the engine's settings, each with the overrides that begin with its name."""
    for override in overrides:
        if not override.startswith(("policy.", "engine.")):
            raise UsageError(
                Code.UNKNOWN_KEY,
                f'cannot place the override "{override}"',
                mend="begin it with policy. or engine., such as engine.device=cpu",
            )
    settings = load_settings(EngineSettings, "engine/default", _under("engine", overrides))
    return load_policy(policy, _under("policy", overrides)), settings


def _under(group: str, overrides: tuple[str, ...]) -> tuple[str, ...]:
    prefix = f"{group}."
    return tuple(override.removeprefix(prefix) for override in overrides if override.startswith(prefix))

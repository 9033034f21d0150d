"""What the evidence of a run must hold for a policy to be judged by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.candidate import Contract
from gatekeeper.candidate.contract import MASKS
from gatekeeper.metrics.masks import VALUES
from gatekeeper.policy import Policy

if TYPE_CHECKING:
    from gatekeeper.engine.measuring import Asked


def asked_of(policy: Policy, contract: Contract) -> Asked:
    """Return the structures and their values, and the classes, that a policy's requirements speak of."""
    from gatekeeper.engine.measuring import Asked  # verification, which runs nothing, does without the engine

    structures: dict[str, list[tuple[str, float | None]]] = {}
    if contract.output.kind in MASKS:
        structures = {name: [] for name in policy.context.structures}
        for requirement in policy.requirements.values():
            of = [requirement.structure] if requirement.structure else list(structures)
            if requirement.metric in VALUES:
                for name in of:
                    structures.setdefault(name, []).append((requirement.spec.name, requirement.tolerance_mm))
    return Asked(
        structures={name: tuple(dict.fromkeys(values)) for name, values in structures.items()},
        classes=policy.context.classes,
    )

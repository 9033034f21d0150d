"""Registered network definitions: weights alone say nothing, so a candidate names what they belong to.

A definition is code of this package or of an installed plug-in; a candidate's file can only name it and set its whole
numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from gatekeeper.catalogue import Catalogue, nearest
from gatekeeper.errors import Code, UsageError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Architecture:
    """A network definition: its arguments with their defaults, and the function that makes it from all of them."""

    name: str
    description: str
    arguments: Mapping[str, int]
    make: Callable[[Mapping[str, int]], nn.Module]
    aliases: tuple[str, ...] = ()

    def build(self, **arguments: int) -> nn.Module:
        """Return the network with fresh weights, in training mode, on the CPU, float32.

        Raises UsageError for an argument that it does not have, or one below 1.
        """
        for name, value in arguments.items():
            if name not in self.arguments:
                near = nearest(name, self.arguments)
                raise UsageError(
                    Code.UNKNOWN_KEY,
                    f'the architecture "{self.name}" has no argument "{name}"',
                    mend=f'did you mean "{near}"?' if near else f"it has: {', '.join(self.arguments)}",
                )
            if value < 1:
                raise UsageError(
                    Code.BAD_VALUE,
                    f'the argument "{name}" of the architecture "{self.name}" is {value}',
                    mend=f"give a whole number from 1; the default is {self.arguments[name]}",
                )
        return self.make({**self.arguments, **arguments})


def _nodule_cnn(arguments: Mapping[str, int]) -> nn.Module:
    from torch import nn

    width, hidden = arguments["width"], arguments["hidden"]
    return nn.Sequential(
        nn.Conv2d(1, width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(8),
        nn.Flatten(),
        nn.Linear(4 * width, hidden),
        nn.ReLU(),
        nn.Linear(hidden, 1),
    )


NODULE_CNN = Architecture(
    name="nodule_cnn",
    description=(
        "three strided convolutions, the mean over the image, two linear layers; input (n, 1, 64, 64) float32, output "
        "(n, 1) logits; no layer looks at other images of the batch"
    ),
    arguments=MappingProxyType({"width": 8, "hidden": 16}),
    make=_nodule_cnn,
)

ARCHITECTURES: Catalogue[Architecture] = Catalogue("architecture", [NODULE_CNN])

"""What the catalogue says of a metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatekeeper.metrics.confusion import ConfusionTable, Proportion


class Suite(StrEnum):
    """The suite that measures a metric."""

    PERFORMANCE = "performance"
    REPEATABILITY = "repeatability"
    ROBUSTNESS = "robustness"
    LATENCY = "latency"


@dataclass(frozen=True)
class Metric:
    """A metric as policies name it.

    ``unit`` is ``1`` for proportions and probabilities, ``s`` for seconds, ``severity`` for a step of a ladder.
    ``lowest`` and ``highest`` bound its values. ``options`` are the keys that a requirement on it may or must carry
    (``must`` is the subset without which it has no meaning). ``proportion`` computes it from a confusion table when
    it is a share of counted cases. ``undefined`` says when it has no value; without ``has_interval``, only its estimate
    can be required.
    """

    name: str
    title: str
    suite: Suite
    definition: str
    source: str
    undefined: str
    n_of: str
    unit: str = "1"
    lowest: float = 0.0
    highest: float = 1.0
    higher_is_better: bool = True
    has_interval: bool = True
    aliases: tuple[str, ...] = ()
    options: frozenset[str] = frozenset()
    must: frozenset[str] = frozenset()
    proportion: Callable[[ConfusionTable], Proportion] | None = None

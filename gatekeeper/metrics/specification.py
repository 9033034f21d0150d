"""What the catalogue says of a metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatekeeper.metrics.confusion import ConfusionTable, Counts, Proportion


class Suite(StrEnum):
    """The suite that measures a metric."""

    PERFORMANCE = "performance"
    REPEATABILITY = "repeatability"
    ROBUSTNESS = "robustness"
    LATENCY = "latency"
    REFUSAL = "refusal"


EVERY_TASK = frozenset({"classification", "multiclass_classification", "detection", "segmentation", "quantification"})
MEAN_OVER_CASES = (
    "studentised bootstrap of patients, at least Student t; a fifth of a patient at the worst possible value is added "
    "to the spread"
)
FEW_PATIENTS = (
    "with 30 patients of whom one in twenty fails, the limit on the demanded side is wrong in 13 to 20 % of test sets "
    "instead of 2.5 %; failures that no patient shows are in no interval"
)
CALLS = frozenset({"classification", "detection"})


@dataclass(frozen=True)
class Metric:
    """A metric as policies name it.

    ``unit`` is ``1`` for proportions and probabilities, ``s`` for seconds, ``mm`` for lengths, ``count`` for numbers
    of things, ``severity`` for a step of a ladder. ``lowest`` and ``highest`` bound its values. ``options`` are the
    keys that a requirement on it may or must carry (``must`` is the subset without which it has no meaning).
    ``proportion`` computes it from a confusion table when it is a share of counted cases, ``of_table`` when it is
    another number of the whole table (NaN where it has no value); keyword arguments of the latter are options that the
    requirement carries. ``undefined`` says when it has no value; ``interval`` how its interval is made, None where only
    its estimate can be required. ``convention`` names which of several conventions in use is meant, ``caution`` where
    the interval cannot keep its promise. ``tasks`` are those in whose policies it can stand. A metric that is not
    ``measured`` can be required, and is judged on evidence that holds it; the runs of this version bring no such
    evidence, and leave it undecided.
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
    interval: str | None = None
    aliases: tuple[str, ...] = ()
    options: frozenset[str] = frozenset()
    must: frozenset[str] = frozenset()
    tasks: frozenset[str] = CALLS
    measured: bool = True
    convention: str = ""
    caution: str = ""
    proportion: Callable[[ConfusionTable], Proportion] | None = None
    of_table: Callable[..., Counts] | None = None

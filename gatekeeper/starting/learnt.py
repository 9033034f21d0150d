"""What the files of a candidate tell of its contract: format, size, channels, what comes out."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.candidate.contract import Format

if TYPE_CHECKING:
    from gatekeeper.candidate.adapters.anatomy import Anatomy, Port

_LENGTH = re.compile(r"\d{1,6}")
_ENDS_IN_PROBABILITIES = ("Sigmoid", "Softmax", "Exp", "LogSoftmax", "HardSigmoid")


@dataclass(frozen=True)
class Learnt:
    """What an artefact says of itself; None is what it does not say.

    ``size`` along the axes of an image, ``axes`` how many there are. ``answers`` is the number of values (or channels)
    that come out for a case, ``has_axes`` whether they are images. ``probabilities``: the graph holds an operator that
    makes probabilities, somewhere. ``parse_error`` is the type of what stopped the parser.
    """

    format: Format
    size: tuple[int, ...] | None = None
    axes: int | None = None
    channels: int | None = None
    answers: int | None = None
    has_axes: bool | None = None
    whole_numbers: bool = False
    probabilities: bool | None = None
    parameters: int | None = None
    parse_error: str | None = None


def learn(artefact: Path) -> Learnt:
    """Inspect an artefact behind the walls. Raises UsageError where it is not there, or of no known format."""
    from gatekeeper.candidate.inspection import inspect

    found = inspect(artefact)
    return replace(learnt_from(found.format, found.anatomy), parse_error=found.parse_error)


def learnt_from(form: Format, anatomy: Anatomy) -> Learnt:
    """Read what ports and operators say."""
    taken = _lengths(anatomy.inputs[0]) if len(anatomy.inputs) == 1 else None
    given = _lengths(anatomy.outputs[0]) if anatomy.outputs else None
    shape = taken[2:] if taken is not None and len(taken) in (4, 5) else None
    sizes = tuple(length for length in shape or () if length is not None)
    channels = taken[1] if shape is not None and taken is not None else None
    operators = {name.rpartition(".")[2] for name in anatomy.operators}
    return Learnt(
        format=form,
        size=sizes if shape is not None and len(sizes) == len(shape) else None,
        axes=len(shape) if shape is not None else None,
        channels=channels if channels in (1, 3) else None,
        answers=_answers(given),
        has_axes=None if given is None else len(given) >= 3,
        whole_numbers=bool(anatomy.outputs) and "int" in anatomy.outputs[0].dtype,
        probabilities=bool(operators.intersection(_ENDS_IN_PROBABILITIES)) if operators else None,
        parameters=anatomy.parameters,
    )


def _lengths(port: Port) -> tuple[int | None, ...] | None:
    """Return the lengths of a shape, None for one that is free."""
    parts = port.shape.split(" x ") if port.shape else []
    lengths = tuple(int(part) if _LENGTH.fullmatch(part) else None for part in parts)
    return lengths if lengths and math.prod(length or 1 for length in lengths) > 0 else None


def _answers(given: tuple[int | None, ...] | None) -> int | None:
    if given is None:
        return None
    return given[1] if len(given) > 1 else 1

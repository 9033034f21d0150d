"""A candidate's outputs, held against its contract before anything is made of them, and what each case's are worth.

Nothing that a candidate says gets into a message or a column: an output that does not hold is one of ``OutputFault``.
An output that is not there, or of another shape or type, is a fault of every case of its batch; any other is one of the
case alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.contract import CALLS, MASKS, Contract, OutputContract
from gatekeeper.engine.grid import Grid, restored
from gatekeeper.engine.measuring import (
    LARGEST_PIXEL,
    SMALLEST_BOX,
    Asked,
    Reference,
    findings_of,
    measured_labels,
    measured_masks,
    measured_of_failure,
)
from gatekeeper.engine.output_faults import Invalid, OutputFault, require
from gatekeeper.engine.probabilities import (
    class_probabilities,
    declared_labels,
    highest,
    positive_probabilities,
    voxel_probabilities,
)
from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import CaseOutcome
from gatekeeper.metrics.surface import bounding_box

Array = NDArray[Any]


@dataclass(frozen=True)
class CaseAnswer:
    """What one case's output is worth.

    ``score``: the probability of the positive class; of findings the highest of their scores, 0 without any; None
    where there is no such thing. ``answers``: the further columns of evidence. ``findings``: scores, and the lesion
    that each hits (-1 none, -2 not counted). ``fault`` is None where the outcome is ok. ``mask``: of the structure that
    was to be kept, on the image's own grid; ``masks``: of every structure asked, where all were to be kept.
    """

    outcome: CaseOutcome
    score: float | None = None
    answers: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[list[float], list[int]] | None = None
    fault: OutputFault | None = None
    mask: NDArray[np.bool_] | None = field(default=None, compare=False)
    masks: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict, compare=False)


def check_answerable(contract: Contract, asked: Asked) -> None:
    """Raise UsageError when the outputs that a contract declares cannot be what a policy asks for."""
    output = contract.output

    def mismatch(what: str) -> UsageError:
        return UsageError(
            Code.MISMATCH, what, mend="choose another policy, or mend the output contract in the candidate's YAML"
        )

    if asked.structures and output.kind not in MASKS:
        raise mismatch(f"the policy is on structures, the candidate's output of kind {output.kind} is no mask")
    lacking = [name for name in asked.structures if name not in output.structures]
    if lacking:
        raise mismatch(f"the policy asks for structures that the candidate does not outline: {', '.join(lacking)}")
    if len(asked.classes) > 2 and set(asked.classes) != set(output.classes):
        raise mismatch(f"the candidate's classes are not those of the policy: {', '.join(asked.classes)}")


def hold(
    outputs: Mapping[str, NDArray[np.generic]],
    contract: Contract,
    grids: Sequence[Grid],
    references: Sequence[Reference],
    asked: Asked,
    kept: str | None = None,
    *,
    every: bool = False,
) -> list[CaseAnswer]:
    """Hold the outputs of one batch against the contract, and measure each case.

    Parameters
    ----------
    outputs : by name, the first axis of each being the n cases. ``boxes`` are two: corners (n, m, 2, axes) by the
        contract's ``name`` or that of ``boxes``, otherwise the first, and scores (n, m) by the name of ``scores``,
        otherwise the next one; where corners and score of a row are all NaN it is no finding. Of a single case the
        first axis of both may be left out
    contract : of the candidate
    grids : of the n prepared arrays, which have one shape
    references : what is right of the n cases
    kept : the structure whose masks come with the answers; none do without it
    every : whether the masks of all structures asked come with them

    Returns
    -------
    An answer for each case. Of classes, ``probability.<class>`` in the order of the policy where there are more than
    two, otherwise in that of the contract. A voxel is called on the image's own grid: where the image was resampled its
    probabilities are interpolated first. What the candidate was not shown is background.

    Raises UsageError as ``check_answerable``.
    """
    check_answerable(contract, asked)
    if not len(grids) == len(references) > 0:
        raise ValueError(f"{len(grids)} grids for {len(references)} references")
    try:
        cases = _by_case(outputs, contract.output, len(grids), grids[0].shape)
    except Invalid as invalid:
        return [_failed(invalid.fault, *pair, contract, asked) for pair in zip(references, grids, strict=True)]
    return [_held(*one, contract, asked, kept, every) for one in zip(cases, references, grids, strict=True)]


def called_at_once(outputs: Mapping[str, Array], output: OutputContract, count: int) -> list[float] | None:
    """Return the scores of n cases that are one or two probabilities each.

    None where the output is something else, or does not hold for one of them: ``hold`` then tells which.
    """
    if output.kind not in CALLS or len(output.classes) > 2:
        return None
    try:
        values = _whole(outputs, output, count, ())
        return positive_probabilities(values.reshape(count, -1).astype(np.float64), output)
    except Invalid:
        return None


def _held(
    values: tuple[Array, ...],
    reference: Reference,
    grid: Grid,
    contract: Contract,
    asked: Asked,
    kept: str | None,
    every: bool,
) -> CaseAnswer:
    try:
        if contract.output.kind in CALLS:
            return _called(values[0], contract.output, asked)
        if contract.output.kind in MASKS:
            return _masked(values[0], reference, grid, contract, asked, kept, every)
        return _found(values[0], values[1], reference, grid, asked)
    except Invalid as invalid:
        return _failed(invalid.fault, reference, grid, contract, asked)


def _failed(fault: OutputFault, reference: Reference, grid: Grid, contract: Contract, asked: Asked) -> CaseAnswer:
    answers = measured_of_failure(reference, grid, contract.output, asked)
    return CaseAnswer(CaseOutcome.INVALID_OUTPUT, answers=answers, fault=fault)


def _by_case(
    outputs: Mapping[str, Array], output: OutputContract, count: int, shape: tuple[int, ...]
) -> list[tuple[Array, ...]]:
    """Choose the outputs, see that the whole batch has the right shape and type, and return what is of each case."""
    if output.kind == "boxes":
        return _boxes_by_case(_chosen(outputs, output), _scores(outputs, output), count, len(shape))
    return [(case,) for case in _whole(outputs, output, count, shape)]


def _whole(outputs: Mapping[str, Array], output: OutputContract, count: int, shape: tuple[int, ...]) -> Array:
    values = _chosen(outputs, output)
    if output.kind in ("probability", "logit"):
        fits = values.shape in ((count,), (count, 1))
    elif output.kind in ("softmax", "logits"):
        fits = values.shape == (count, len(output.classes))
    elif output.kind == "mask":
        fits = values.shape in ((count, *shape), (count, 1, *shape))
    else:
        channels = max(output.structures.values()) + 1
        fits = values.ndim == 2 + len(shape) and values.shape[1] >= channels
        fits = fits and (values.shape[0], *values.shape[2:]) == (count, *shape)
    require(fits, OutputFault.SHAPE)
    require(values.dtype.kind in ("buif" if output.kind == "mask" else "f"), OutputFault.TYPE)
    return values


def _boxes_by_case(boxes: Array, scores: Array, count: int, axes: int) -> list[tuple[Array, ...]]:
    if count == 1 and boxes.ndim == 3 and scores.ndim == 1:
        boxes, scores = boxes[np.newaxis], scores[np.newaxis]
    require(scores.ndim == 2 and len(scores) == count, OutputFault.SHAPE)
    require(boxes.shape == (*scores.shape, 2, axes), OutputFault.SHAPE)
    require(boxes.dtype.kind in "uif" and scores.dtype.kind == "f", OutputFault.TYPE)
    return list(zip(boxes, scores, strict=True))


def _chosen(outputs: Mapping[str, Array], output: OutputContract) -> Array:
    names = [name for name in outputs if name != output.refuses.flag]
    usual = "boxes" if output.kind == "boxes" and "boxes" in names else next(iter(names), "")
    name = usual if output.name is None else output.name
    require(name in outputs, OutputFault.MISSING)
    return outputs[name]


def _scores(outputs: Mapping[str, Array], output: OutputContract) -> Array:
    boxes = _chosen(outputs, output)
    others = [name for name, array in outputs.items() if name != output.refuses.flag and array is not boxes]
    require(bool(others), OutputFault.MISSING)
    return outputs["scores" if "scores" in others else others[0]]


def _called(values: Array, output: OutputContract, asked: Asked) -> CaseAnswer:
    raw = np.atleast_1d(values).astype(np.float64)
    if len(raw) < 3:
        return CaseAnswer(CaseOutcome.OK, positive_probabilities(raw[np.newaxis], output)[0])
    by_class = dict(zip(output.classes, class_probabilities(raw, output), strict=True))
    order = asked.classes if len(asked.classes) > 2 else output.classes
    answers = {f"probability.{name}": by_class[name] for name in order}
    return CaseAnswer(CaseOutcome.OK, None if output.positive is None else by_class[output.positive], answers)


def _masked(
    values: Array, reference: Reference, grid: Grid, contract: Contract, asked: Asked, kept: str | None, every: bool
) -> CaseAnswer:
    output = contract.output
    wanted = dict.fromkeys((*(asked.structures if every else ()), *((kept,) if kept else ())))
    if output.kind in ("mask", "mask_softmax"):
        labels = _image_labels(values, output, grid)
        masks = {name: np.asarray(labels == output.structures[name]) for name in wanted}
        answers = measured_labels(labels, reference, grid, output, asked)
    else:
        probabilities = voxel_probabilities(values, output)
        masks = {
            name: _image_mask(probabilities[output.structures[name]], contract.operating_point, grid)
            for name in asked.structures
        }
        answers = measured_masks(masks, reference, grid, output, asked)
    return CaseAnswer(
        CaseOutcome.OK,
        answers=answers,
        mask=masks[kept] if kept else None,
        masks={name: masks[name] for name in asked.structures} if every else {},
    )


def _image_labels(values: Array, output: OutputContract, grid: Grid) -> NDArray[np.uint16]:
    if output.kind == "mask":
        return restored(declared_labels(values.reshape(grid.shape), output), grid)
    probabilities = voxel_probabilities(values, output)
    called = highest(probabilities)
    if not grid.resampled:
        return restored(called, grid)
    box = _around(called != 0)
    if box is None:
        return np.zeros(grid.image_shape, dtype=np.uint16)
    return highest(restored(probabilities[:, *box], grid.within(box)))


def _image_mask(probabilities: Array, operating_point: float, grid: Grid) -> NDArray[np.bool_]:
    called = probabilities >= operating_point
    if not grid.resampled:
        return restored(called, grid)
    box = _around(called)
    if box is None:
        return np.zeros(grid.image_shape, dtype=np.bool_)
    return np.asarray(restored(probabilities[box], grid.within(box)) >= operating_point)


def _around(called: NDArray[np.bool_]) -> tuple[slice, ...] | None:
    """Return the box beyond which nothing is called, also between voxels: there all neighbours are background."""
    box = bounding_box(called)
    sides = zip(box or (), called.shape, strict=False)
    return box and tuple(slice(max(0, part.start - 1), min(size, part.stop + 1)) for part, size in sides)


def _found(boxes: Array, scores: Array, reference: Reference, grid: Grid, asked: Asked) -> CaseAnswer:
    corners, rank = boxes.astype(np.float64), scores.astype(np.float64)
    there = ~(np.isnan(rank) & np.isnan(corners).all(axis=(1, 2)))
    corners, rank = corners[there], rank[there]
    require(bool(np.isfinite(rank).all() and (np.abs(corners) <= LARGEST_PIXEL).all()), OutputFault.NOT_FINITE)
    require(bool(((rank >= 0.0) & (rank <= 1.0)).all()), OutputFault.NO_PROBABILITY)
    require(bool((corners[:, 1] - corners[:, 0] >= SMALLEST_BOX).all()), OutputFault.NO_BOX)
    findings = findings_of(corners, rank, reference, grid, asked.criterion)
    return CaseAnswer(CaseOutcome.OK, score=max(findings[0], default=0.0), findings=findings)

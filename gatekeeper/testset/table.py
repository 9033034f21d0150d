"""The table of a test set: one row a case, as CSV or Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import NoReturn, cast, get_args

from pydantic import Field
from pydantic.dataclasses import dataclass

from gatekeeper.canonical import JSON, canonical_json
from gatekeeper.catalogue import nearest
from gatekeeper.errors import Code, Place, Problem, UsageError
from gatekeeper.evidence import STRICT
from gatekeeper.evidence.conditions import UnusableKind
from gatekeeper.testset.manifest import Task
from gatekeeper.testset.rows import read_rows

_ALWAYS = ("case_id", "patient_id", "image")
_REFERENCE: dict[Task, str] = {"classification": "label", "segmentation": "mask", "detection": "boxes"}
_OPTIONAL = ("repeat_of", "label", "mask", "boxes", "must_refuse")
_KINDS = get_args(UnusableKind)
_MOST_PROBLEMS = 20
_LEAST_TELLING = 4


@dataclass(config=STRICT, frozen=True, slots=True, kw_only=True)
class Case:
    """One unit of input. ``subject`` is the case that it truly repeats, or its own id; ``label`` 1 is positive.

    ``image`` and ``mask`` are paths of a file, or of a folder with the files of one series. ``boxes`` is a JSON list.
    ``must_refuse`` says of an input that no candidate may answer what is wrong with it.
    """

    case_id: str
    patient_id: str
    image: str
    label: int = Field(ge=0, le=1)
    subject: str
    attributes: dict[str, str]
    mask: str | None = None
    boxes: str | None = None
    must_refuse: UnusableKind | None = None


def read_table(path: Path, task: Task = "classification") -> tuple[Case, ...]:
    """Read and check a table. Raises UsageError with (at most 20 of) all the rows that do not hold, by line.

    The reference standard is in the column ``label`` (classification: 0 or 1), ``mask`` (segmentation: a path; empty
    where there is nothing to find) or ``boxes`` (detection: a JSON list). A row with a kind under ``must_refuse`` has
    none: it is an input that a candidate must decline. Every column beyond these, ``case_id``, ``patient_id``,
    ``image`` and ``repeat_of`` is an attribute for subgroups.
    """
    problems: list[Problem] = []
    rows = list(read_rows(path, lambda header: _check_header(path, header, task), problems))
    if not rows and not problems:
        raise UsageError(
            Code.NOTHING_TO_JUDGE, "the table has no rows", where=str(path), mend="add a row for each case"
        )
    cases: list[Case] = []
    first_line: dict[str, int] = {}
    for line, row in rows:
        problem = _fault(path, line, row, first_line, task)
        first_line.setdefault(row["case_id"], line)
        if problem is None:
            cases.append(_case(row, task))
        else:
            problems.append(problem)
    problems += _bad_repeats(path, cases, first_line)
    if cases and all(case.must_refuse for case in cases):
        mend = "add cases with a reference: what must be declined is locked beside them"
        problems.append(Problem(Code.NOTHING_TO_JUDGE, "every row must be refused", Place(str(path)), mend=mend))
    if problems:
        problems.sort(key=lambda problem: (problem.where and problem.where.line) or 0)
        raise UsageError.of(problems[:_MOST_PROBLEMS])
    return tuple(cases)


def _case(row: dict[str, str], task: Task) -> Case:
    known = {*_ALWAYS, *_OPTIONAL}
    kind = cast("UnusableKind | None", row.get("must_refuse") or None)
    reference = ("0" if task == "classification" else "") if kind else row[_REFERENCE[task]]
    boxes = canonical_json(_boxes(reference)).decode() if task == "detection" else None
    return Case(
        case_id=row["case_id"],
        patient_id=row["patient_id"],
        image=row["image"],
        label=int(reference) if task == "classification" else int(reference not in ("", "[]")),
        subject=row.get("repeat_of") or row["case_id"],
        attributes={name: value for name, value in row.items() if name not in known},
        mask=(reference or None) if task == "segmentation" else None,
        boxes=boxes,
        must_refuse=kind,
    )


def _boxes(text: str) -> list[JSON]:
    """Read the boxes of a cell. Raises ValueError for what is no JSON list of numbers under names."""
    boxes = json.loads(text or "[]", parse_constant=_refuse_constant)
    if not isinstance(boxes, list) or not all(_is_box(box) for box in boxes):
        raise ValueError("not a list of boxes")
    return boxes


def _is_box(box: JSON) -> bool:
    if not isinstance(box, dict) or not {"low", "high"} <= set(box) <= {"low", "high", "unit"}:
        return False
    low, high = box["low"], box["high"]
    if not isinstance(low, list) or not isinstance(high, list) or len(low) != len(high) or len(low) not in (2, 3):
        return False
    numbers = all(type(value) in (int, float) for value in (*low, *high))
    return (
        numbers
        and all(a < b for a, b in zip(low, high, strict=True))  # type: ignore[operator]
        and box.get("unit", "pixel") in ("pixel", "mm")
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _fault(path: Path, line: int, row: dict[str, str], first_line: dict[str, int], task: Task) -> Problem | None:
    def problem(code: Code, what: str, mend: str) -> Problem:
        return Problem(code, what, Place(str(path), line), mend=mend)

    kind = row.get("must_refuse", "")
    needed = (*_ALWAYS, "label") if task == "classification" and not kind else _ALWAYS
    empty = [name for name in needed if not row[name]]
    if empty:
        return problem(Code.BAD_TABLE, f"no {' and no '.join(empty)} in this row", "fill the cell")
    if any(ord(character) < 32 for value in row.values() for character in value):
        return problem(Code.BAD_TABLE, "a cell of this row holds control characters", "remove them")
    case_id = row["case_id"]
    if case_id in first_line:
        what = f'the case id "{case_id}" stands in line {first_line[case_id]} already'
        return problem(Code.DUPLICATE, what, "give each case an id of its own")
    told = next((name for name in row if name != "patient_id" and _tells(row[name], row["patient_id"])), None)
    if told is not None:
        what = f"the column {told} contains the patient id"
        return problem(Code.FORBIDDEN, what, "take it out (dossiers carry every other column), or rename the patient")
    if kind and kind not in _KINDS:
        what = "must_refuse names no kind of unusable input"
        return problem(Code.UNKNOWN_NAME, what, f"write one of: {', '.join(_KINDS)}; or leave it empty")
    if kind and row.get("repeat_of"):
        return problem(Code.BAD_TABLE, "what must be refused repeats no case", "leave repeat_of empty")
    if kind:
        return _outside(row, ("image",), problem)
    if task == "classification" and row["label"] not in ("0", "1"):
        return problem(Code.BAD_VALUE, "a label is 0 (negative) or 1 (positive)", "write 0 or 1")
    if task == "detection":
        try:
            _boxes(row["boxes"])
        except (ValueError, RecursionError):
            mend = 'write [{"low": [x, y], "high": [x, y], "unit": "pixel"}], with z for volumes; mm or pixel'
            return problem(Code.BAD_VALUE, "the boxes are no JSON list of boxes", mend)
    return _outside(row, ("image", "mask") if task == "segmentation" and row["mask"] else ("image",), problem)


def _outside(
    row: dict[str, str], names: tuple[str, ...], problem: Callable[[Code, str, str], Problem]
) -> Problem | None:
    for name in names:
        given = PurePosixPath(row[name])
        if given.is_absolute() or ".." in given.parts or not given.parts:
            what = f"the {name} lies outside the test set's folder"
            return problem(Code.FORBIDDEN, what, "give a path below the table")
    return None


def _tells(value: str, patient_id: str) -> bool:
    # A shorter id would be found in other words by chance.
    return len(patient_id) >= _LEAST_TELLING and patient_id.casefold() in value.casefold()


def _bad_repeats(path: Path, cases: list[Case], first_line: dict[str, int]) -> Iterator[Problem]:
    by_id = {case.case_id: case for case in cases}
    for case in cases:
        if case.subject == case.case_id:
            continue
        original = by_id.get(case.subject)
        place = Place(str(path), first_line[case.case_id])
        if original is None and case.subject in first_line:
            continue  # Its own row is what is wrong, and is told of.
        if original is None:
            mend = "name a case_id of this table, or leave the cell empty"
            yield Problem(Code.BAD_TABLE, f'it repeats "{case.subject}", which is not in the table', place, mend=mend)
        elif original.must_refuse:
            mend = "name a case that is to be answered, or leave the cell empty"
            yield Problem(Code.BAD_TABLE, f'it repeats "{case.subject}", which must be refused', place, mend=mend)
        elif original.subject != original.case_id:
            mend = f'name the first one, "{original.subject}"'
            yield Problem(Code.BAD_TABLE, f'it repeats "{case.subject}", which is itself a repeat', place, mend=mend)
        elif (original.patient_id, original.label) != (case.patient_id, case.label):
            mend = "a repeat is the same subject: correct patient_id, label or repeat_of"
            yield Problem(Code.BAD_TABLE, "a repeat of another patient or with another label", place, mend=mend)


def _check_header(path: Path, header: list[str], task: Task) -> None:
    required = (*_ALWAYS, _REFERENCE[task])
    place = Place(str(path), 1)
    problems = [
        Problem(Code.DUPLICATE, f'two columns are called "{name}"', place, mend="rename one")
        for name in sorted({name for name in header if header.count(name) > 1})
    ]
    if header and not all(header):
        problems.append(Problem(Code.BAD_TABLE, "a column without a name", place, mend="name it, or remove it"))
    for name in required:
        if name not in header:
            others = {column.casefold(): column for column in header if column not in (*required, *_OPTIONAL)}
            near = others.get(nearest(name, others) or "")
            mend = f'is "{near}" meant to be it?' if near else "add the column"
            problems.append(Problem(Code.BAD_TABLE, f'no column "{name}"', place, mend=mend))
    if problems:
        raise UsageError.of(problems)

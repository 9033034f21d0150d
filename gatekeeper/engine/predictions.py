"""Predictions that were made elsewhere, as evidence of the baseline: a table of scores, or a folder of masks.

The table (CSV or Parquet) has a column ``case_id``, and ``output``, or ``output.<class>`` for each class where the
output is of several; what they hold is what the output contract says. ``refused`` is 1 for a case that was declined.
The folder has one mask a case, named by its id, on the grid of its image. Nothing else is decided by them: no time, no
repeatability, no stress.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate import Candidate, Contract
from gatekeeper.candidate.contract import MASKS, InputContract
from gatekeeper.engine.grid import Grid
from gatekeeper.engine.journal import Found
from gatekeeper.engine.kept_masks import KeptMasks
from gatekeeper.engine.measuring import Asked, Reference, measured_of_failure
from gatekeeper.engine.outputs import hold
from gatekeeper.engine.reading import Kind, Reader
from gatekeeper.engine.references import reference_of
from gatekeeper.engine.request import Progress, RunRequest
from gatekeeper.errors import Code, Place, Problem, UsageError
from gatekeeper.evidence import CaseOutcome
from gatekeeper.testset import LockedTestSet
from gatekeeper.testset.composition import NOT_STATED
from gatekeeper.testset.readers.mask import read_mask
from gatekeeper.testset.rows import read_rows

_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha", ".dcm", ".png")
_STAGE = "reading the predictions"
_REFUSED = ("1", "true", "True")
_ANSWERED = ("", "0", "false", "False")
NO_PREDICTION = "no prediction"
# Of a score no place is asked.
NOWHERE = Grid((1, 1), None, None, (0, 1), (False, False), (0.0, 0.0), (1.0, 1.0), (1, 1), (0, 0), (1, 1))


def read_predictions(request: RunRequest, masks: KeptMasks, progress: Progress) -> Found:
    """Return rows of the baseline for every case of the test set; a case without a prediction has no valid output.

    ``masks`` keeps those of its structure. Raises UsageError for a table that cannot be read or is empty, a case that
    is not in the test set or stands twice, a value that is no number, a mask that does not lie on its image.
    """
    if request.candidate.record.contract.output.kind in MASKS:
        return _masks(request, masks, progress)
    _check_kind(request.testset, request.kind)
    return _scores(request.candidate, request.testset, request.asked)


def _check_kind(testset: LockedTestSet, kind: Kind) -> None:
    """Hold what the lock says of its images against the policy: for scores no image is read."""
    if testset.manifest.composition.get("modality", {}).keys() - {kind.modality, NOT_STATED}:
        raise UsageError(
            Code.MISMATCH,
            f"the test set has images of another modality than {kind.modality}, which the policy speaks of",
            mend="choose a policy for these images, or another test set",
        )


def _scores(candidate: Candidate, testset: LockedTestSet, asked: Asked) -> Found:
    contract, path = candidate.record.contract, candidate.artefact
    places = {case.case_id: index for index, case in enumerate(testset.manifest.cases)}
    rows = _rows(path, contract, places)
    found = Found()
    for case_id, index in places.items():
        line, row = rows.get(case_id, (0, {}))
        values = [row.get(name, "") for name in _columns(contract)]
        if row.get("refused") in _REFUSED:
            found.add(index, 0, CaseOutcome.REFUSED)
        elif not all(values):
            found.add(index, 0, CaseOutcome.INVALID_OUTPUT, fault=NO_PREDICTION)
        else:
            reference = Reference(testset.manifest.cases[index].label)
            (answer,) = hold({"output": _numbers(path, line, values)}, contract, [NOWHERE], [reference], asked)
            found.add_answer(index, 0, answer)
    return found


def _masks(request: RunRequest, masks: KeptMasks, progress: Progress) -> Found:
    candidate, testset, asked = request.candidate, request.testset, request.asked
    contract = candidate.record.contract
    of_case = _mask_files(candidate, testset)
    own_grid = contract.model_copy(update={"input": InputContract(dimensions=contract.input.axes)})
    reader = Reader(testset, own_grid, request.kind, request.settings.memory_bytes, threads=2)
    found, cases = Found(), testset.manifest.cases
    for index, case in enumerate(cases):
        read = reader.read(index)
        grid = read.prepared.grid
        reference = reference_of(testset, read, contract.output, asked)
        name = of_case.get(case.case_id)
        if name is not None:
            mask = read_mask({name: candidate.read(name)}, read.image, case.case_id)
            outputs = {"output": mask.reshape(1, *grid.shape)}
            (answer,) = hold(outputs, contract, [grid], [reference], asked, masks.structure)
            found.add_answer(index, 0, answer)
            masks.keep(index, answer.mask)
        else:
            lost = measured_of_failure(reference, grid, contract.output, asked)
            found.add(index, 0, CaseOutcome.INVALID_OUTPUT, fault=NO_PREDICTION, answers=lost)
        progress(_STAGE, index + 1, len(cases))
    return found


def _mask_files(candidate: Candidate, testset: LockedTestSet) -> dict[str, str]:
    """Return the file of each case that has one."""
    known = {case.case_id for case in testset.manifest.cases}
    found: dict[str, str] = {}
    for name in candidate.record.files:
        if PurePosixPath(candidate.record.contract.artefact or "") not in PurePosixPath(name).parents:
            continue
        file = name.rpartition("/")[2]
        case_id = next((file.removesuffix(end) for end in _ENDINGS if file.endswith(end)), file)
        if case_id not in known:
            what, mend = "a file that is of no case of the test set", f"name masks by their case: ID{_ENDINGS[0]}"
            raise UsageError(Code.BAD_TABLE, what, where=str(candidate.folder / name), mend=mend)
        if case_id in found:
            what = f'two files are of the case "{case_id}"'
            raise UsageError(Code.BAD_TABLE, what, where=str(candidate.folder / name), mend="leave one of them")
        found[case_id] = name
    if not found:
        raise UsageError(
            Code.NOTHING_TO_JUDGE,
            "the folder holds no mask",
            where=str(candidate.artefact),
            mend=f"put a mask there for each case, named by its id: ID{_ENDINGS[0]}",
        )
    return found


def _rows(path: Path, contract: Contract, known: Mapping[str, int]) -> dict[str, tuple[int, dict[str, str]]]:
    def check(header: list[str]) -> None:
        missing = [name for name in ("case_id", *_columns(contract)) if name not in header]
        if missing:
            raise _fault(path, 1, f"no column {' and no '.join(missing)}", "add it: the output contract asks for it")
        if len(set(header)) != len(header):
            raise _fault(path, 1, "two columns have the same name", "rename one")

    problems: list[Problem] = []
    rows: dict[str, tuple[int, dict[str, str]]] = {}
    for line, row in read_rows(path, check, problems):
        case_id = row["case_id"]
        if case_id not in known:
            raise _fault(path, line, "a case that is not in the test set", "leave it out, or choose its test set")
        if case_id in rows:
            raise _fault(path, line, f'the case "{case_id}" stands twice', "leave one of them")
        if row.get("refused", "") not in (*_REFUSED, *_ANSWERED):
            raise _fault(path, line, "a value under refused that is neither 1 nor 0", "write 1 for a refused case")
        rows[case_id] = (line, row)
    if problems:
        raise UsageError.of(problems)
    if not rows:
        raise UsageError(
            Code.NOTHING_TO_JUDGE, "the table has no rows", where=str(path), mend="add a row for each case"
        )
    return rows


def _columns(contract: Contract) -> Sequence[str]:
    several = contract.output.kind in ("softmax", "logits")
    return [f"output.{name}" for name in contract.output.classes] if several else ["output"]


def _numbers(path: Path, line: int, values: Sequence[str]) -> NDArray[np.float64]:
    try:
        return np.array([[float(value) for value in values]], dtype=np.float64)
    except ValueError:
        raise _fault(path, line, "a value that is no number", "write a number, or nothing") from None


def _fault(path: Path, line: int, what: str, mend: str) -> UsageError:
    return UsageError(Code.BAD_TABLE, what, where=Place(str(path), line), mend=mend)

"""A plan over a locked test set: inputs to workers, their answers to evidence."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate import Candidate
from gatekeeper.candidate.worker import Report, Request
from gatekeeper.canonical import digest_file
from gatekeeper.engine.answers import read_answers
from gatekeeper.engine.environment import describe_environment
from gatekeeper.engine.inputs import Inputs, Kind, read_inputs
from gatekeeper.engine.settings import EngineSettings
from gatekeeper.engine.workers import run_worker, work_folder
from gatekeeper.errors import Code, IntegrityError, InvalidRunError
from gatekeeper.evidence import CaseOutcome, Condition, Environment, Evidence, Plan
from gatekeeper.perturbations import case_seed
from gatekeeper.testset import LockedTestSet

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class RunResult:
    """Evidence, and where it was made."""

    evidence: Evidence
    environment: Environment
    inference_seconds: dict[str, float]


def run_plan(
    plan: Plan,
    candidate: Candidate,
    testset: LockedTestSet,
    kind: Kind,
    settings: EngineSettings,
    log: Path,
    progress: Progress = lambda stage, done, total: None,
) -> RunResult:
    """Run every condition of a plan over every case, in worker processes.

    Conditions with ``fresh_process`` get a process of their own. ``progress`` is told (stage, done, total).
    """
    contract = candidate.record.contract
    cases = len(testset.manifest.cases)
    inputs = read_inputs(testset, contract, kind, lambda done: progress("reading images", done, cases))
    shared = [condition for condition in plan.conditions if not condition.fresh_process]
    groups = [shared, *([condition] for condition in plan.conditions if condition.fresh_process)]
    answers: dict[str, NDArray[np.float64]] = {}
    took: dict[str, float] = {}
    total = cases * len(plan.conditions)
    finished = 0
    report: Report | None = None
    for group in groups:
        before = finished

        def tell(index: int, done: int, before: int = before) -> None:
            progress("running the candidate", before + index * cases + done, total)

        with work_folder() as folder:
            report = _run_group(folder, group, candidate, testset, inputs, settings, log, tell)
            answers |= read_answers(folder, group, contract, testset)
        took |= report.inference_seconds
        finished += cases * len(group)
    if report is None:
        raise ValueError("a plan without conditions")
    evidence = _evidence(plan, testset, answers)
    return RunResult(evidence, describe_environment(report, settings), took)


def _run_group(
    folder: Path,
    group: Sequence[Condition],
    candidate: Candidate,
    testset: LockedTestSet,
    inputs: Inputs,
    settings: EngineSettings,
    log: Path,
    tell: Callable[[int, int], None],
) -> Report:
    perturbations = tuple(sorted({condition.perturbation for condition in group if condition.perturbation}))
    ids = [case.case_id for case in testset.manifest.cases]
    # One draw a case and perturbation, shared by all severities: a ladder climbs along one direction.
    seeds = [[case_seed(case_id, name) for case_id in ids] for name in perturbations]
    try:
        np.save(folder / "inputs.npy", inputs.images, allow_pickle=False)
        np.save(folder / "spacing.npy", inputs.spacing, allow_pickle=False)
        np.save(folder / "seeds.npy", np.asarray(seeds, dtype=np.uint64).reshape(len(seeds), len(ids)))
        artefact = _handed_over(candidate, folder)
    except OSError as error:
        raise InvalidRunError(
            Code.CANNOT_WRITE,
            "the inputs cannot be handed to the worker",
            why=error.strerror,
            mend="make room in the temporary folder, or set TMPDIR to another one",
        ) from error
    request = Request(
        artefact=str(artefact),
        architecture=candidate.record.contract.architecture,
        device=settings.device,
        batch_size=settings.batch_size,
        threads=settings.thread_count,
        perturbations=perturbations,
        conditions=tuple(group),
    )
    return run_worker(folder, request, log, settings.timeout_seconds, tell)


def _handed_over(candidate: Candidate, folder: Path) -> Path:
    """Copy the artefact for the worker; what runs is then what was identified, whatever happens to the original."""
    copy = folder / "artefact"
    shutil.copyfile(candidate.artefact, copy)
    name = candidate.record.contract.artefact
    if digest_file(copy) != candidate.record.files[name]:
        raise IntegrityError(
            Code.DIGEST_MISMATCH,
            f'the artefact "{name}" changed while it was being checked',
            where=str(candidate.artefact),
            mend="leave the candidate's files alone during a check",
        )
    return copy


def _evidence(plan: Plan, testset: LockedTestSet, answers: dict[str, NDArray[np.float64]]) -> Evidence:
    cases = testset.manifest.cases
    names = sorted({name for case in cases for name in case.attributes})
    columns: dict[str, list[object]] = {}
    attributes: dict[str, list[object]] = {name: [] for name in names}

    def add(name: str, values: Sequence[object]) -> None:
        columns.setdefault(name, []).extend(values)

    for condition in plan.conditions:
        answer = answers[condition.id].tolist()
        timed = condition.timed_calls > 0
        order = [cases[index % len(cases)] for index in range(len(answer))]
        add("case_id", [case.case_id for case in order])
        add("patient", [case.patient for case in order])
        add("subject", [case.subject for case in order])
        add("label", [case.label for case in order])
        add("condition", [condition.id] * len(answer))
        add("repeat", [index // len(cases) for index in range(len(answer))])
        add("outcome", [CaseOutcome.OK.value] * len(answer))
        add("score", [None] * len(answer) if timed else answer)
        add("seconds", answer if timed else [None] * len(answer))
        for name in names:
            attributes[name].extend(case.attributes.get(name, "") for case in order)
    return Evidence.from_columns(columns, attributes)

"""A plan over a locked test set: cases to workers, their answers to evidence."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from gatekeeper.candidate.isolation import Confinement, Level, choose
from gatekeeper.candidate.isolation.visible import gpu_devices
from gatekeeper.candidate.protocol import Order, Ready
from gatekeeper.engine.assembly import assembled
from gatekeeper.engine.between_runs import BetweenRuns
from gatekeeper.engine.crew import Crew, Heard
from gatekeeper.engine.environment import Circumstances, describe_environment
from gatekeeper.engine.journal import Found, Journal
from gatekeeper.engine.kept_masks import KeptMasks
from gatekeeper.engine.measuring import Reference, measured_of_failure
from gatekeeper.engine.moved import moved
from gatekeeper.engine.outputs import called_at_once, hold
from gatekeeper.engine.passes import Pass, can_be_run, passes_of
from gatekeeper.engine.predictions import read_predictions
from gatekeeper.engine.reading import ReadCase, Reader, batch_of, mismatch
from gatekeeper.engine.references import reference_of
from gatekeeper.engine.refusals import Refusals
from gatekeeper.engine.request import Progress, RunRequest
from gatekeeper.engine.session import Place, Session, made_place, work_folder
from gatekeeper.engine.settings import EngineSettings
from gatekeeper.engine.timing import Timer
from gatekeeper.errors import Code, InvalidRunError
from gatekeeper.evidence import BASELINE, Clock, Condition, Environment, Evidence
from gatekeeper.perturbations import case_seed
from gatekeeper.testset.readers.image import Unfit
from gatekeeper.testset.unusable import inputs_of

_STAGE = "running the candidate"
# Batches that are journalled together, and within which batches of one shape are formed.
_BATCHES_OF_A_PART = 4
_LARGEST_FILE = 4 << 30


@dataclass(frozen=True)
class RunResult:
    """Evidence, and where it was made.

    ``masks`` are those of the structure ``pictured``, for as long as the journal is there.
    """

    evidence: Evidence
    environment: Environment
    inference_seconds: dict[str, float]
    masks: KeptMasks


@dataclass
class _Run:
    request: RunRequest
    progress: Progress
    level: Level
    reader: Reader
    journal: Journal
    place: Place
    deadline: float
    masks: KeptMasks
    between: BetweenRuns
    circumstances: Circumstances = field(default_factory=Circumstances)
    took: dict[str, float] = field(default_factory=dict)
    done: int = 0

    @cached_property
    def in_millimetres(self) -> bool:
        """Whether the images are perturbed by millimetres."""
        return any(condition.unit == "mm" for condition in self.request.plan.conditions)


def run_plan(request: RunRequest, progress: Progress = lambda stage, done, total: None) -> RunResult:
    """Run every condition of a plan over every case, in worker processes within their walls.

    A condition that cannot be run here is left out (``passes.can_be_run``), and has no rows; so is one that is run
    ``until_decided`` once what was found decides.
    What the journal holds already is not run again. ``progress`` is told (stage, done, total). Raises UsageError when
    candidate and images do not fit, or no walls can be put up here; InvalidRunError when the machinery failed.
    """
    contract, settings = request.candidate.record.contract, request.settings
    masks = KeptMasks(request.journal, request.testset.manifest.cases, request.pictured)
    if contract.format == "predictions":
        found = read_predictions(request, masks, progress)
        evidence = assembled(request.plan, request.testset, found, request.asked)
        return RunResult(evidence, describe_environment(Circumstances(), settings, contract), {}, masks)
    level = choose(settings.isolation)
    with work_folder() as folder:
        run = _Run(
            request,
            progress,
            level,
            Reader(request.testset, contract, request.kind, settings.memory_bytes, _readers(settings)),
            Journal(request.journal),
            made_place(request.candidate, Path(folder)),
            time.monotonic() + settings.timeout_seconds,
            masks,
            BetweenRuns(request.journal, request.plan, contract),
        )
        found = Found()
        Refusals(request).check()
        passes = passes_of(request.plan)
        for process in sorted({one.process for one in passes}):
            those = [one for one in passes if one.process == process]
            if not _is_decided(run, those, found):
                _of_process(run, those, passes, found)
    evidence = assembled(request.plan, request.testset, found, request.asked)
    run.circumstances.ready = run.circumstances.ready or run.journal.ready()
    return RunResult(evidence, describe_environment(run.circumstances, settings, contract), run.took, masks)


def _is_decided(run: _Run, those: Sequence[Pass], found: Found) -> bool:
    """Say whether the only condition of a process need not be run any more; then its cases count as done."""
    request = run.request
    conditions = [request.plan.conditions[index] for one in those for index in one.conditions]
    if not all(condition.until_decided for condition in conditions):
        return False
    so_far = assembled(request.plan, request.testset, found, request.asked)
    decided = all(request.decided(condition.id, so_far) for condition in conditions)
    if decided:
        _tell(run, len(conditions) * len(request.testset.manifest.cases))
    return decided


def _of_process(run: _Run, those: Sequence[Pass], passes: Sequence[Pass], found: Found) -> None:
    with ExitStack() as stack:
        crew: Crew | None = None
        known = False
        for one in those:
            number = passes.index(one)
            parts = list(_parts(run, one, number))
            for name, indices in parts:
                if run.journal.has(name):
                    found.extend(run.journal.read(name))
                    _keep_clock(run, one, run.journal.clock(name))
                    _tell(run, len(indices) * len(one.conditions))
            missing = [(name, indices) for name, indices in parts if not run.journal.has(name)]
            if not missing:
                continue
            if crew is None:
                crew = stack.enter_context(_crew(run))
                _check_same_machine(run.journal.ready(), crew.ready)
                run.circumstances.ready = crew.ready
                run.journal.keep_ready(crew.ready)
            one = _left_to_run(run, crew, one, missing)
            if not one.conditions:
                continue
            crew.conditions, crew.timed = one.conditions, one.timed
            started = time.perf_counter()
            if one.timed:
                found.extend(_timed(run, crew, one, missing[0][0]))
            elif one.refusal:
                found.extend(_refused(run, crew, one, missing[0][0], known=known))
            else:
                for part in _asked(run, crew, one, missing):
                    found.extend(part)
            ids = [run.request.plan.conditions[index].id for index in one.conditions]
            run.took |= dict.fromkeys(ids, (time.perf_counter() - started) / len(ids))
            known = True
        if crew is not None:
            run.circumstances.restarts += crew.restarts


def _left_to_run(run: _Run, crew: Crew, one: Pass, missing: Sequence[tuple[str, Sequence[int]]]) -> Pass:
    """Return a pass without the conditions that this candidate, on this device, cannot be run under."""
    request = run.request
    contract, conditions = request.candidate.record.contract, request.plan.conditions
    able = [
        index
        for index in one.conditions
        if can_be_run(conditions[index], contract, request.settings, crew.ready.device)
    ]
    left_out = len(one.conditions) - len(able)
    if left_out:
        _tell(run, left_out * sum(len(indices) for _, indices in missing))
    return replace(one, conditions=tuple(able))


def _check_same_machine(before: Ready | None, now: Ready) -> None:
    """Raise InvalidRunError when a run is resumed where numbers may come out otherwise than in its first part."""
    if before is None:
        return
    for what in ("device", "device_name", "packages", "deterministic"):
        if getattr(before, what) != getattr(now, what):
            raise InvalidRunError(
                Code.MISMATCH,
                f"the run was begun with another {what.replace('_', ' ')} than is here now",
                mend="resume it where it was begun, or start it anew without --resume",
            )


def _parts(run: _Run, one: Pass, number: int) -> Iterator[tuple[str, Sequence[int]]]:
    cases = len(run.request.testset.manifest.cases)
    if one.timed or one.refusal:
        yield f"pass-{number:03}", range(cases)
        return
    size = _BATCHES_OF_A_PART * max(one.batch_size or 1, run.request.batch_size)
    starts = range(0, cases, size)
    for start in reversed(starts) if one.reverse else starts:
        indices = range(start, min(start + size, cases))
        yield f"pass-{number:03}-{start:08}", indices[::-1] if one.reverse else indices


def _asked(run: _Run, crew: Crew, one: Pass, missing: Sequence[tuple[str, Sequence[int]]]) -> Iterator[Found]:
    """Ask all cases of the parts that are missing; give a part, journalled, as soon as its last answer is heard."""
    indices_of = dict(missing)
    part_of = {index: name for name, indices in missing for index in indices}
    left = {name: len(indices) * len(one.conditions) for name, indices in missing}
    found = {name: Found() for name in left}
    read: dict[int, tuple[ReadCase, Reference]] = {}

    def kept(heard: Heard) -> Iterator[Found]:
        name = part_of[heard.batch.cases[0]]
        _take(run, heard, [read[case] for case in heard.batch.cases], found[name])
        left[name] -= len(heard.batch.cases)
        _tell(run, len(heard.batch.cases))
        if left[name] == 0:
            run.journal.write(name, found[name])
            for index in indices_of[name]:
                del read[index]
            yield found.pop(name)

    size = one.batch_size or run.request.batch_size
    for cases in run.reader.batches([indices for _, indices in missing], size):
        read |= {case.index: (case, _reference(run, case)) for case in cases}
        for heard in crew.put(batch_of(cases)):
            yield from kept(heard)
    for heard in crew.rest():
        yield from kept(heard)


def _reference(run: _Run, case: ReadCase) -> Reference:
    request = run.request
    if run.in_millimetres and case.prepared.spacing_mm is None:
        unfit = Unfit("the image does not say its spacing, and the policy has it perturbed by millimetres")
        raise mismatch(request.testset.manifest.cases[case.index], unfit)
    return reference_of(request.testset, case, request.candidate.record.contract.output, request.asked)


def _take(run: _Run, heard: Heard, cases: Sequence[tuple[ReadCase, Reference]], found: Found) -> None:
    """Hold what was heard of a batch against the contract and the references, and add it as rows."""
    request = run.request
    contract, condition = request.candidate.record.contract, request.plan.conditions[heard.condition]
    kept = run.masks.structure if condition.id == BASELINE.id else None
    for positions, outputs in heard.parts:
        scores = called_at_once(outputs, contract.output, len(positions))
        if scores is not None:
            found.add_scores([cases[position][0].index for position in positions], heard.condition, scores)
            continue
        grids = [cases[position][0].prepared.grid for position in positions]
        references = [_moved(run, condition, *cases[position]) for position in positions]
        first, again = condition.id == BASELINE.id and run.between.wanted, run.between.compares(condition)
        answers = hold(outputs, contract, grids, references, request.asked, kept, every=first or again)
        for position, answer in zip(positions, answers, strict=True):
            index = cases[position][0].index
            run.masks.keep(index, answer.mask)
            if first and answer.masks:
                run.between.keep(index, answer.masks)
            if again:  # the baseline of a case is always heard before
                answer = replace(answer, answers={**answer.answers, **run.between.dice(index, answer.masks)})
            found.add_answer(index, heard.condition, answer)
    for position, outcome, word in heard.failed:
        case, reference = cases[position]
        right = _moved(run, condition, case, reference)
        lost = measured_of_failure(right, case.prepared.grid, contract.output, request.asked)
        found.add(case.index, heard.condition, outcome, fault=word, answers=lost)


def _moved(run: _Run, condition: Condition, case: ReadCase, reference: Reference) -> Reference:
    """Return what is right of a case under a condition: where it moves the object, the reference moves along."""
    prepared = case.prepared
    seed = _seed(condition, run.request.testset.manifest.cases[case.index].case_id)
    return moved(reference, condition, prepared.grid, prepared.spacing_mm, seed)


def _timed(run: _Run, crew: Crew, one: Pass, name: str) -> Found:
    """Ask call after call by the condition's protocol, and journal them."""
    request, (index,) = run.request, one.conditions
    condition, cases = request.plan.conditions[index], len(request.testset.manifest.cases)
    timer = Timer(request.candidate.record.contract, request.asked, run.reader, cases, request.batch_size)
    if condition.cold_starts:
        found, clock = timer.cold_starts(lambda: _crew(run), condition, index)
    else:
        found, clock = timer.calls(crew, condition, index)
    _keep_clock(run, one, clock)
    run.journal.keep_clock(name, clock)
    run.journal.write(name, found)
    _tell(run, cases)
    return found


def _refused(run: _Run, crew: Crew, one: Pass, name: str, *, known: bool) -> Found:
    """Hand in the unusable inputs of one kind, and journal what became of them."""
    found = Refusals(run.request).tried(crew, one.conditions[0], known=known)
    run.journal.write(name, found)
    _tell(run, len(run.request.testset.manifest.cases))
    return found


def _keep_clock(run: _Run, one: Pass, clock: Clock | None) -> None:
    if clock is not None:
        run.circumstances.clocks[run.request.plan.conditions[one.conditions[0]].id] = clock


def _tell(run: _Run, answers: int) -> None:
    run.done += answers
    total = len(run.request.plan.conditions) * len(run.request.testset.manifest.cases)
    run.progress(_STAGE, run.done, total)


def _crew(run: _Run) -> Crew:
    request, settings = run.request, run.request.settings
    contract = request.candidate.record.contract
    confinement = Confinement(
        read=(str(run.place.model),),
        write=str(run.place.work),
        memory_bytes=settings.candidate_bytes,
        cpu_seconds=None,
        file_bytes=_LARGEST_FILE,
        processes=settings.candidate_processes if contract.format == "command" or contract.compile else 0,
        gpu=settings.device != "cpu" and bool(gpu_devices()),
    )
    order = Order(
        contract=contract,
        folder=str(run.place.model),
        device=settings.device,
        threads=settings.thread_count,
        numeric_format=settings.numeric_format,
        channels_last=settings.channels_last,
        compiled=contract.compile,
        deterministic=settings.deterministic,
        # A candidate could read here that it is tried.
        conditions=tuple(BASELINE if one.refusal else one for one in request.plan.conditions),
    )
    cases, conditions = inputs_of(request.testset.manifest), request.plan.conditions
    return Crew(
        launch=lambda: _launched(run, order, confinement),
        conditions=(),
        seed=lambda condition, case: _seed(conditions[condition], cases[case].case_id),
        start_seconds=settings.start_seconds,
        case_seconds=settings.case_seconds,
        deadline=run.deadline,
        log=request.log,
        quiet=contract.input.gives == "original",
    )


def _launched(run: _Run, order: Order, confinement: Confinement) -> Session:
    """Start a worker with an empty folder of its own: it finds nothing by which an earlier one has answered."""
    used = run.place.work.with_name(f"used-{secrets.token_hex(8)}")
    run.place.work.rename(used)
    run.place.work.mkdir()
    shutil.rmtree(used, ignore_errors=True)
    return Session(order, confinement, run.level)


def _seed(condition: Condition, case_id: str) -> int:
    # One draw a case and perturbation, shared by all severities: a ladder climbs along one direction.
    return case_seed(case_id, condition.perturbation) if condition.perturbation else 0


def _readers(settings: EngineSettings) -> int:
    return min(8, max(2, settings.thread_count))

"""The use cases: check a candidate, rehearse a check."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper import __version__
from gatekeeper.attestation import LedgerState, Standing, attest, attest_result, state
from gatekeeper.candidate import Candidate, Contract, load_candidate
from gatekeeper.canonical import JSON, digest_bytes, digest_json
from gatekeeper.configuration import configure
from gatekeeper.engine import EngineSettings, Kind, RunRequest, run_plan, why_unanswered, without_reference
from gatekeeper.engine.bill_of_materials import bill_of_materials, components_in
from gatekeeper.engine.components import Installed, installed
from gatekeeper.engine.measuring import reference_label
from gatekeeper.errors import Code, InvalidRunError, UsageError
from gatekeeper.evidence import Environment, Evidence, Plan, RunStamp, Verdict
from gatekeeper.evidence.detached import attachable
from gatekeeper.evidence.self_test import SelfTest
from gatekeeper.exposure import record_use
from gatekeeper.fitting import check_candidate, check_hidden, check_refusals, check_test_set
from gatekeeper.policy import LoadedPolicy, Policy
from gatekeeper.policy.approval import FoundApproval, find_approval
from gatekeeper.reporters import junit_xml
from gatekeeper.run_records import (
    ATTESTATION,
    DOSSIER,
    JUNIT,
    PAGE,
    STATEMENT,
    TEST_RESULT,
    NewRun,
    RunRecords,
    Unfinished,
    find_unfinished,
    new_run,
    resumed_run,
)
from gatekeeper.suites import is_decided, plan_policy
from gatekeeper.testset import LockedTestSet, open_lock, verify_files
from gatekeeper.trust import Ledger, Stamp, load_baseline, load_keys, sign_pdf
from gatekeeper.trust.settings import load_settings
from gatekeeper.verdict import (
    ReleaseBar,
    approval_bars,
    carried,
    conclude,
    judge,
    release_bars,
    run_self_test,
    shortfalls,
    told,
)

if TYPE_CHECKING:
    from gatekeeper.dossier import DossierMaterial, LedgerFact, Overlay, StructureResult
    from gatekeeper.engine.kept_masks import KeptMasks
    from gatekeeper.trust import Baseline, KeyRing

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class CheckRequest:
    """What to check: a policy (name or file) and its approval, a candidate's YAML, a lock, and where to write.

    With ``resume`` the newest unfinished run of the same check is finished, and no other begun.
    """

    policy: str
    candidate: Path
    testset: Path
    out: Path
    home: Path
    root: Path | None = None
    approval: Path | None = None
    overrides: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    resume: bool = False


@dataclass(frozen=True)
class CheckResult:
    """A finished run: its verdict, its folder, how often the test set was used so far, seconds of inference.

    ``bars`` is all that bars its release; without any it may be released. ``self_test`` says which planted defects the
    gate sees on this evidence. ``loaded`` is the policy that judged, which knows the place of each requirement.
    """

    verdict: Verdict
    folder: Path
    exposures: int
    development: bool
    inference_seconds: dict[str, float]
    bars: tuple[ReleaseBar, ...]
    self_test: SelfTest
    loaded: LoadedPolicy


def check(
    request: CheckRequest,
    progress: Progress = lambda stage, done, total: None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> CheckResult:
    """Run a candidate over a locked test set, judge it, and write the run's folder with its signed dossier.

    Before anything is run, ``tell`` gets a sentence for each requirement that this test set can never show to be met,
    for an approval that was given and does not fit, and for a positive class of another name than the policy's; after
    it, why cases have no usable answer, and which structure no reference has.
    Raises UsageError, IntegrityError or InvalidRunError; then no finished run's folder is left, and an unfinished one
    only where there is something to go on with by ``resume``.
    """
    started = _now()
    loaded, settings = configure(request.policy, request.overrides)
    plan = plan_policy(loaded.policy)
    candidate = load_candidate(request.candidate)
    keys = load_keys(request.home)
    baseline = load_baseline(keys.folder)
    testset = open_lock(request.testset, keys.root, root=request.root)
    if not testset.root.is_dir():
        where, mend = str(testset.root), "say by --root where the images lie"
        raise UsageError(Code.FILE_NOT_FOUND, "the folder of the images is not there", where=where, mend=mend)
    check_test_set(loaded.policy, testset.manifest)
    asked = check_candidate(loaded.policy, plan, candidate.record.contract)
    check_refusals(loaded.policy, candidate.record.contract, testset.manifest)
    check_hidden(candidate, testset, request.testset, (request.home, request.out))
    found = find_approval(
        loaded.policy, _iso(started), keys.trust, request.home, Path(loaded.layers[-1]), request.approval
    )
    for sentence in told(shortfalls(loaded.policy, testset.manifest)):
        tell(sentence)
    for bar in approval_bars(loaded.policy, found, _iso(started)) if request.approval else ():
        tell(f"This run cannot be released: {bar.words}; {bar.mend}.")
    looked_for, positive = loaded.policy.context.positive, candidate.record.contract.output.positive
    if positive and looked_for and positive.casefold() != looked_for.casefold():
        tell(f'The candidate looks for "{positive}", the policy is on "{looked_for}": see that both are the same.')
    verify_files(testset, lambda done, total: progress("verifying the lock", done, total))
    packages = installed(candidate.record.plugin)
    key = _run_key(loaded.policy, plan, candidate, testset, settings, packages)
    with _told_when_full(request.out), _run_folder(request, key, started, loaded, candidate, tell) as (run, unfinished):
        fact = record_use(request.home, candidate, testset, loaded.policy, _iso(started), tell)
        context, log = loaded.policy.context, request.home / "logs" / f"{unfinished.run_id}.log"
        result = run_plan(
            RunRequest(
                plan=plan,
                candidate=candidate,
                testset=testset,
                kind=Kind(context.modality, context.body_part),
                asked=asked,
                settings=settings,
                journal=run.journal,
                log=log,
                pictured=next(iter(asked.structures), None) if loaded.policy.dossier.pictures else None,
                decided=partial(is_decided, loaded.policy, candidate.record.contract.operating_point),
            ),
            progress,
        )
        unanswered = why_unanswered(result.evidence, log)
        if unanswered is not None:
            tell(unanswered)
        for sentence in without_reference(result.evidence, candidate.record.contract.output, asked):
            tell(sentence)
        progress("judging and writing the dossier", 0, 1)
        stamp = RunStamp(id=unfinished.run_id, started=unfinished.started, finished=_iso(_now()))
        findings = judge(
            loaded.policy,
            result.evidence,
            candidate.record.contract.operating_point,
            environment=result.environment,
            started=stamp.started,
        )
        verdict = conclude(
            loaded.policy,
            plan,
            findings,
            candidate.record,
            testset.manifest,
            stamp,
            evidence=result.evidence,
            exploratory=loaded.exploratory,
        )
        tested = _self_test(loaded.policy, result.evidence, candidate.record.contract, result.environment, stamp)
        records = RunRecords(
            loaded.policy,
            plan,
            candidate.record,
            testset.manifest,
            result.environment,
            result.evidence,
            verdict,
            found.envelope,
            tested,
            bill_of_materials(packages, stamp.finished),
        )
        bars = release_bars(verdict, loaded.policy, found, development=keys.development, exposures=fact.exposures)
        material = material_of(
            records,
            fact,
            request.notes,
            found,
            bars,
            development=keys.development,
            layers=loaded.layers,
            kept=(testset, result.masks),
        )
        write_run(run.partial, records, material, keys, baseline)
        progress("judging and writing the dossier", 1, 1)
    with Ledger(request.home / "ledger.sqlite") as ledger:
        ledger.append("run.finished", {"run": stamp.id, "verdict": verdict.verdict.value}, _iso(_now()))
    return CheckResult(
        verdict, run.final, fact.exposures, keys.development, result.inference_seconds, bars, tested, loaded
    )


def rehearse(policy: str, overrides: tuple[str, ...], testset: Path | None, home: Path) -> tuple[Plan, tuple[str, ...]]:
    """Return what a check would run and, given a lock, what this test set can never show to be met. Nothing is run."""
    loaded, _ = configure(policy, overrides)
    plan = plan_policy(loaded.policy)
    if testset is None:
        return plan, ()
    manifest = open_lock(testset, load_keys(home).root).manifest
    check_test_set(loaded.policy, manifest)
    return plan, tuple(told(shortfalls(loaded.policy, manifest)))


def _self_test(
    policy: Policy, evidence: Evidence, contract: Contract, environment: Environment, stamp: RunStamp
) -> SelfTest:
    """Test the gate on the evidence. Raises InvalidRunError where the same evidence is not judged alike."""
    tested = run_self_test(policy, evidence, contract.operating_point, environment=environment, started=stamp.started)
    if not tested.a_a:
        raise InvalidRunError(
            Code.NOT_RECOMPUTED,
            "the gate does not judge the same evidence alike when its rows stand in another order",
            why=f"what differs: {', '.join(tested.differing)}",
            mend="this is a fault of gatekeeper, not of the candidate: report it with the names of these requirements",
        )
    return tested


def _run_key(
    policy: Policy,
    plan: Plan,
    candidate: Candidate,
    testset: LockedTestSet,
    settings: EngineSettings,
    packages: Installed,
) -> str:
    """Return the digest of all that a run's evidence depends on: what was found under it may be gone on with."""
    content: dict[str, JSON] = {
        "gatekeeper": __version__,
        "policy": policy.digest,
        "plan": plan.digest,
        "candidate": candidate.record.digest,
        "lock": testset.manifest.digest,
        "settings": settings.deciding(),
        "packages": packages.digest,
    }
    return digest_json(content)


@contextmanager
def _run_folder(
    request: CheckRequest,
    key: str,
    started: datetime,
    loaded: LoadedPolicy,
    candidate: Candidate,
    tell: Callable[[str], None],
) -> Iterator[tuple[NewRun, Unfinished]]:
    """Give the folder of a new run, or of the unfinished one that is to be resumed."""
    if request.resume:
        with resumed_run(request.out, key) as resumed:
            yield resumed
        return
    if find_unfinished(request.out, key):
        tell("An unfinished run of this very check is there: `gatekeeper check --resume` goes on with it.")
    unfinished = Unfinished(key=key, run_id=f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}", started=_iso(started))
    name = f"{started:%Y-%m-%d-%H%M%S}-{loaded.policy.id}-{candidate.record.digest[7:11]}"
    with new_run(request.out, name, unfinished) as run:
        yield run, unfinished


@contextmanager
def _told_when_full(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidRunError(
            Code.CANNOT_WRITE,
            "the run could not be written to the end",
            where=str(out),
            why=error.strerror,
            mend="make room, or choose another folder with --out",
        ) from error


def material_of(
    records: RunRecords,
    fact: LedgerFact,
    notes: tuple[str, ...],
    found: FoundApproval,
    bars: tuple[ReleaseBar, ...],
    *,
    development: bool,
    layers: tuple[str, ...] = (),
    kept: tuple[LockedTestSet, KeptMasks] | None = None,
) -> DossierMaterial:
    """Gather what a dossier is made from; pictures only where masks were ``kept``."""
    from gatekeeper.dossier import DossierMaterial, structure_results
    from gatekeeper.dossier.gather import failures, latency_seconds, peak_memory, repeat_scatter, stage_times
    from gatekeeper.dossier.gather_cases import case_table
    from gatekeeper.dossier.gather_curves import roc_curve
    from gatekeeper.dossier.gather_shown import shown
    from gatekeeper.dossier.gather_stress import ladders
    from gatekeeper.dossier.thumbnails import thumbnails_of
    from gatekeeper.suites.refusal import by_kind
    from gatekeeper.suites.repeat_summary import level_summaries
    from gatekeeper.suites.stress_summary import corruption_errors, envelope
    from gatekeeper.suites.subgroups import gaps

    told_bars = carried(bars, records.policy)
    contract = records.candidate.contract
    operating_point = contract.operating_point
    evidence = records.evidence.counting(records.policy.failure_costs.by_outcome)
    structures = structure_results(records.policy, evidence, contract.input.axes)
    return DossierMaterial(
        verdict=records.verdict,
        policy=records.policy,
        plan=records.plan,
        candidate=records.candidate,
        manifest=records.manifest,
        environment=records.environment,
        roc=roc_curve(records.policy, evidence, operating_point),
        ladders=ladders(records.policy, evidence, operating_point),
        repeatability=repeat_scatter(evidence, operating_point),
        levels=level_summaries(records.policy, evidence, operating_point),
        latency_seconds=latency_seconds(evidence),
        stages=stage_times(evidence),
        peak_mib=peak_memory(evidence),
        failures=failures(evidence),
        corruption_errors=corruption_errors(records.policy, evidence, operating_point),
        envelope=envelope(records.policy, evidence, operating_point),
        refusals=by_kind(records.policy, evidence),
        gaps=gaps(records.policy, evidence, operating_point),
        cases=case_table(records.policy, evidence, contract),
        ledger=fact,
        development=development,
        policy_layers=tuple(Path(layer).name for layer in layers),
        notes=notes,
        approval=found.approval,
        bars=told_bars,
        structures=structures,
        overlays=_overlays(structures, contract, *kept) if kept else (),
        self_test=records.self_test,
        shown=shown(
            records.policy,
            evidence,
            operating_point,
            partial(thumbnails_of, kept[0], intensity=contract.input.intensity) if kept else None,
        ),
        components=components_in(records.sbom) if records.sbom else 0,
    )


def write_run(folder: Path, records: RunRecords, material: DossierMaterial, keys: KeyRing, baseline: Baseline) -> None:
    """Write the records, the dossier made of them and its attestation."""
    from gatekeeper.dossier import render_dossier, render_web

    fact = material.ledger
    files = records.to_files(folder)
    ledger = LedgerState(size=fact.sequence, head=fact.head, exposures=fact.exposures)
    standing = Standing(keys.development, ledger, material.bars)
    inner = state(records, files, keys.tool, standing)
    rendered = render_dossier(material, {**attachable(files), STATEMENT: inner})
    stamp = Stamp(meaning=load_settings(keys.folder).meaning("tool"), boxes=rendered.boxes)
    root = keys.trust.root_of("tool")
    pdf = sign_pdf(rendered.pdf, keys.tool, root, stamp=stamp, signing_time=_now(), baseline=baseline)
    (folder / DOSSIER).write_bytes(pdf)
    page = render_web(material, {**attachable(files), STATEMENT: inner}, digest_bytes(pdf))
    (folder / PAGE).write_text(page, encoding="utf-8")
    (folder / ATTESTATION).write_bytes(attest(pdf, records, files, keys.tool, standing))
    (folder / TEST_RESULT).write_bytes(attest_result(pdf, records, files, keys.tool, standing))
    (folder / JUNIT).write_text(junit_xml(records.verdict), encoding="utf-8")


def _overlays(
    structures: tuple[StructureResult, ...], contract: Contract, testset: LockedTestSet, masks: KeptMasks
) -> tuple[Overlay, ...]:
    """Return pictures of the structure whose masks were kept, which are none where the policy allows no pictures."""
    from gatekeeper.dossier import pictures_of

    shown = [result for result in structures if result.name == masks.structure]
    return tuple(
        overlay
        for result in shown
        for overlay in pictures_of(testset, result, masks, reference_label(contract.output, result.name))
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"

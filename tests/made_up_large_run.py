"""A finished run of very many cases, made up: no image, no model, and no number in it was measured on anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from made_up_environment import environment
from made_up_evidence import BASIS, CONTEXT, OPERATING_POINT

from gatekeeper.attestation import LedgerState, Standing, attest, state
from gatekeeper.candidate import CandidateRecord
from gatekeeper.dossier import DossierMaterial, LedgerFact, render_dossier
from gatekeeper.evidence import Evidence, RunStamp
from gatekeeper.evidence.detached import attachable
from gatekeeper.policy import Policy
from gatekeeper.policy.approval import FoundApproval
from gatekeeper.run_records import ATTESTATION, DOSSIER, STATEMENT, RunRecords
from gatekeeper.suites import plan_policy
from gatekeeper.testset import LockedCase, LockedFile, Manifest
from gatekeeper.trust import KeyRing, Stamp, sign_pdf
from gatekeeper.verdict import conclude, judge, release_bars

_STAMP = RunStamp(id="made-up", started="2026-11-23T10:02:11Z", finished="2026-11-23T10:11:42Z")
_DEMAND = {"lower_limit": {"at_least": 0.6}, "basis": BASIS}
_POLICY = {
    "id": "made_up_at_scale",
    "version": "1.0.0",
    "title": "Made up, to see what size does",
    "context": CONTEXT,
    "requirements": {name: {"metric": name, **_DEMAND} for name in ("sensitivity", "specificity")},
    "robustness": {"contour_erosion": ["0.3 mm", "0.6 mm", "0.9 mm", "1.2 mm", "1.5 mm"]},
    "order": ["sensitivity", "specificity"],
}
_CANDIDATE = {
    "name": "made_up",
    "digest": "",
    "contract": {
        "description": "made up",
        "format": "predictions",
        "artefact": "scores.csv",
        "input": {"size": [64, 64]},
        "output": {"kind": "probability", "classes": ["benign", "malignant"], "positive": "malignant"},
        "operating_point": OPERATING_POINT,
        "producer": "untrusted",
    },
    "files": {"scores.csv": f"sha256:{'0' * 64}"},
}


def write_large_run(folder: Path, cases: int, keys: KeyRing, largest: int) -> dict[str, bytes]:
    """Write a run of so many cases, six rows each, with a signed PDF; return its files by name."""
    (folder / "evidence").mkdir(parents=True)
    records = _records(cases)
    files = records.to_files(folder, largest)
    bars = release_bars(records.verdict, records.policy, FoundApproval(), development=keys.development, exposures=1)
    ledger = LedgerState(size=1, head=f"sha256:{'1' * 64}", exposures=1)
    standing = Standing(keys.development, ledger, bars)
    inner = state(records, files, keys.tool, standing)
    rendered = render_dossier(_material(records, standing), {**attachable(files), STATEMENT: inner})
    stamp, now = Stamp(meaning="made up", boxes=rendered.boxes), datetime.now(UTC).replace(microsecond=0)
    signed = sign_pdf(rendered.pdf, keys.tool, keys.root, stamp=stamp, signing_time=now)
    (folder / DOSSIER).write_bytes(signed)
    (folder / ATTESTATION).write_bytes(attest(signed, records, files, keys.tool, standing))
    return files


def _material(records: RunRecords, standing: Standing) -> DossierMaterial:
    return DossierMaterial(
        verdict=records.verdict,
        policy=records.policy,
        plan=records.plan,
        candidate=records.candidate,
        manifest=records.manifest,
        environment=records.environment,
        roc=None,
        ladders=(),
        repeatability=None,
        latency_seconds=(),
        ledger=LedgerFact(1, standing.ledger.head, 1),
        development=standing.development,
        policy_layers=(),
        notes=(),
        bars=standing.bars,
    )


def _records(count: int) -> RunRecords:
    policy = Policy.model_validate_json(json.dumps(_POLICY))
    record = CandidateRecord.model_validate_json(json.dumps(_CANDIDATE))
    candidate = record.model_copy(update={"digest": record.recomputed})
    plan, manifest, surroundings = plan_policy(policy), _manifest(count), environment()
    evidence = _evidence(manifest, [condition.id for condition in plan.conditions])
    findings = judge(policy, evidence, OPERATING_POINT, environment=surroundings, started=_STAMP.started)
    verdict = conclude(policy, plan, findings, candidate, manifest, _STAMP, evidence=evidence, exploratory=False)
    return RunRecords(policy, plan, candidate, manifest, surroundings, evidence, verdict)


def _manifest(count: int) -> Manifest:
    dice = np.random.default_rng(0)
    positive, drawn = dice.random(count) < 0.3, dice.bytes(32 * count).hex()
    digests = [f"sha256:{drawn[64 * place : 64 * place + 64]}" for place in range(count)]
    return Manifest.of(
        "made up",
        tuple(
            LockedCase(
                case_id=f"c{place:06}",
                patient=digest,
                files=(LockedFile(role="image", path=f"{place:06}.dcm", sha256=digest, size=524_288),),
                label=int(positive[place]),
                subject=f"c{place:06}",
                attributes={"site": "ABC"[place % 3]},
            )
            for place, digest in enumerate(digests)
        ),
    )


def _evidence(manifest: Manifest, conditions: list[str]) -> Evidence:
    cases, times = manifest.cases, len(conditions)
    label = np.array([case.label for case in cases] * times)
    score = np.clip(np.random.default_rng(1).normal(0.35 + 0.3 * label, 0.2), 0.0, 1.0)
    rows = len(label)
    columns = {
        "case_id": [case.case_id for case in cases] * times,
        "patient": [case.patient for case in cases] * times,
        "subject": [case.subject for case in cases] * times,
        "label": label,
        "condition": [name for name in conditions for _ in cases],
        "repeat": [0] * rows,
        "outcome": ["ok"] * rows,
        "score": score,
        "seconds": [None] * rows,
    }
    return Evidence.from_columns(columns, {"site": [case.attributes["site"] for case in cases] * times})

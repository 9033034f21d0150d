"""A dossier's material, made up by hand: no number in it was measured on anything."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

from made_up_environment import environment

from gatekeeper.candidate import CandidateRecord
from gatekeeper.dossier import DossierMaterial, Ladder, LadderStep, LedgerFact, RepeatScatter, RocCurve
from gatekeeper.evidence import (
    Condition,
    Digests,
    Finding,
    Outcome,
    Plan,
    Reason,
    RunStamp,
    Threshold,
    Verdict,
    VerdictWord,
)
from gatekeeper.policy import Policy
from gatekeeper.testset import LockedCase, LockedFile, Manifest

PROJECT = {"source": "this project", "status": "project_choice"}

POLICY = {
    "id": "nodule_malignancy",
    "version": "1.2.0",
    "title": "Suspicion of malignancy in lung nodules on chest CT",
    "context": {
        "modality": "CT",
        "body_part": "CHEST",
        "task": "classification",
        "unit": "nodule",
        "positive": "suspicious",
        "prevalence": {"value": 0.12, "basis": {"source": "made-up registry 2024, table 3", "status": "secondary"}},
        "intended_use": (
            "Second reader for solid and part-solid nodules of 4 to 30 mm on low-dose CT of adults; the radiologist "
            "decides. Not for patients with a known malignancy of the chest."
        ),
    },
    "requirements": {
        "sensitivity": {
            "metric": "sensitivity",
            "lower_limit": {"at_least": 0.8},
            "basis": {"source": "510(k) practice for triage", "status": "secondary", "note": "goal of 80 %"},
            "hazard": "H-01",
        },
        "specificity": {"metric": "specificity", "lower_limit": {"at_least": 0.8}, "basis": PROJECT},
        "precision": {
            "metric": "precision",
            "at_prevalence": 0.12,
            "lower_limit": {"at_least": 0.41},
            "basis": {
                "source": "predicate's limits of Se and Sp",
                "status": "computed",
                "note": "Bayes at the declared prevalence",
            },
            "hazard": "H-03",
        },
        "rerun": {
            "title": "Same input, same answer",
            "metric": "max_deviation",
            "level": "R0",
            "estimate": {"at_most": 0.0},
            "basis": PROJECT,
        },
        "flips": {"metric": "flip_rate", "level": "R4", "upper_limit": {"at_most": "5 %"}, "basis": PROJECT},
        "breaking": {
            "metric": "breaking_point",
            "of": "sensitivity",
            "perturbation": "contour_dilation",
            "estimate": {"at_least": 3},
            "basis": PROJECT,
        },
        "latency": {
            "metric": "latency",
            "percentile": 95,
            "upper_limit": {"at_most": "20 ms"},
            "basis": {"source": "reading-room survey, made up", "status": "unverified"},
        },
        "auroc": {"metric": "auroc", "lower_limit": {"at_least": 0.9}, "blocking": False, "basis": PROJECT},
        "wsd": {
            "metric": "within_subject_sd",
            "level": "R4",
            "upper_limit": {"at_most": 0.1},
            "blocking": False,
            "basis": PROJECT,
        },
    },
    "robustness": {
        "contour_translation": ["0.5 mm", "1 mm", "1.5 mm", "2 mm", "3 mm"],
        "contour_rotation": ["5 degree", "10 degree", "15 degree", "20 degree", "30 degree"],
        "contour_erosion": ["0.3 mm", "0.6 mm", "0.9 mm", "1.2 mm", "1.5 mm"],
        "contour_dilation": ["0.3 mm", "0.6 mm", "0.9 mm", "1.2 mm", "1.5 mm"],
    },
    "subgroups": {"by": ["manufacturer", "sex"], "min_cases": 30, "requirements": ["sensitivity", "specificity"]},
    "order": ["sensitivity", "specificity", "precision", "rerun", "flips", "breaking", "latency"],
    "notes": ["Labels are the median of up to four readers, not pathology."],
}

BOOTSTRAP = "patient-cluster bootstrap, percentile, 2,000 resamples, seed 0"


def hexed(seed: str) -> str:
    digits = random.Random(seed)
    return "sha256:" + "".join(digits.choice("0123456789abcdef") for _ in range(64))


def finding(id_: str, **changed: object) -> Finding:
    base: dict[str, object] = {
        "id": id_,
        "suite": "performance",
        "metric": "sensitivity",
        "title": "Sensitivity",
        "outcome": Outcome.MET,
        "estimate": 175 / 188,
        "interval": (0.884, 0.960),
        "confidence": 0.95,
        "method": BOOTSTRAP,
        "n": 188,
        "n_of": "positive cases",
        "patients": 176,
        "unit": "1",
        "threshold": Threshold(of="lower_limit", at_least=0.8),
        "blocking": True,
        "claimed": True,
        "words": (
            "Of the suspicious nodules, 93.1 % are found (88.4 % to 96 %). Required: the lower limit at least 80 %."
        ),
    }
    return Finding(**{**base, **changed})


def main_findings() -> tuple[Finding, ...]:
    return (
        finding("sensitivity"),
        finding(
            "specificity",
            metric="specificity",
            title="Specificity",
            estimate=206 / 224,
            interval=(0.8798, 0.9487),
            n=224,
            n_of="negative cases",
            patients=210,
            words="Of the nodules that are not suspicious, 92 % raise no alarm (88 % to 94.9 %). Required: the lower "
            "limit at least 80 %.",
        ),
        finding(
            "precision",
            metric="precision",
            title="Precision (PPV) at 12 %",
            outcome=Outcome.NOT_MET,
            estimate=0.349,
            interval=(0.301, 0.398),
            n=412,
            n_of="cases (188 positive, 224 negative)",
            patients=384,
            threshold=Threshold(of="lower_limit", at_least=0.41),
            words="Where 12 % of nodules are suspicious, 34.9 % of alarms are right (30.1 % to 39.8 %). Required: the "
            "lower limit at least 41 %.",
        ),
        finding(
            "rerun",
            suite="repeatability",
            metric="max_deviation",
            title="Same input, same answer",
            estimate=0.0,
            interval=None,
            confidence=None,
            method="largest value, no interval",
            n=412,
            n_of="cases run twice",
            patients=384,
            threshold=Threshold(of="estimate", at_most=0.0),
            claimed=False,
            words="When the same input is given again, no score changes at all. Required: the value at most 0.",
        ),
        finding(
            "flips",
            suite="repeatability",
            metric="flip_rate",
            title="Flips between repeats",
            outcome=Outcome.NOT_DECIDED,
            reason=Reason.TOO_FEW_CASES,
            estimate=4 / 118,
            interval=(0.0093, 0.0845),
            method="Clopper-Pearson (exact)",
            n=118,
            n_of="subjects with repeats",
            patients=118,
            threshold=Threshold(of="upper_limit", at_most=0.05),
            claimed=False,
            more_cases=212,
            words="Repeats of one nodule get different calls for 3.4 % of nodules (0.9 % to 8.5 %). Required: the "
            "upper limit at most 5 %. Not decided: about 212 more subjects with repeats would decide it.",
        ),
        finding(
            "breaking",
            suite="robustness",
            metric="breaking_point",
            title="Breaking point: sensitivity, contour dilation",
            estimate=4.0,
            interval=None,
            confidence=None,
            method="least of 5 severities at which sensitivity is not met",
            unit="severity",
            threshold=Threshold(of="estimate", at_least=3.0),
            claimed=False,
            words="Sensitivity is no longer met from a contour dilation of 1.2 mm on (severity 4 of 5). Required: "
            "severity 3 or later.",
        ),
        finding(
            "latency",
            suite="latency",
            metric="latency",
            title="Time to answer, p95",
            estimate=0.01124,
            interval=(0.0108, 0.01187),
            method="order statistics, binomial",
            n=200,
            n_of="timed calls",
            patients=190,
            unit="s",
            threshold=Threshold(of="upper_limit", at_most=0.02),
            claimed=False,
            is_time=True,
            words="95 of 100 answers take at most 11.2 ms (10.8 ms to 11.9 ms). Required: the upper limit at most "
            "20 ms.",
        ),
        finding(
            "auroc",
            metric="auroc",
            title="Area under the ROC curve",
            estimate=0.9534,
            interval=(0.931, 0.9719),
            n=412,
            n_of="cases",
            patients=384,
            threshold=Threshold(of="lower_limit", at_least=0.9),
            blocking=False,
            claimed=False,
            words="A suspicious nodule scores above another one in 0.953 of pairs (0.931 to 0.972). Required: the "
            "lower limit at least 0.900.",
        ),
        finding(
            "wsd",
            suite="repeatability",
            metric="within_subject_sd",
            title="Within-subject SD of the score",
            estimate=0.0412,
            interval=(0.036, 0.0481),
            n=118,
            n_of="subjects with repeats",
            patients=118,
            threshold=Threshold(of="upper_limit", at_most=0.1),
            blocking=False,
            claimed=False,
            words="Between repeats of one nodule, the score varies with a standard deviation of 0.0412 (0.036 to "
            "0.0481). Required: the upper limit at most 0.1.",
        ),
    )


def subgroup_findings() -> tuple[Finding, ...]:
    found = []
    groups = {"manufacturer": ("GE MEDICAL SYSTEMS", "Philips", "SIEMENS", "TOSHIBA"), "sex": ("F", "M")}
    for attribute, values in groups.items():
        for metric in ("sensitivity", "specificity"):
            for index, value in enumerate(values):
                small = value == "TOSHIBA"
                found.append(
                    finding(
                        f"{metric}[{attribute}={value}]",
                        metric=metric,
                        title=metric.capitalize(),
                        subgroup={attribute: value},
                        outcome=Outcome.NOT_DECIDED if small else Outcome.MET,
                        reason=Reason.SUBGROUP_TOO_SMALL if small else None,
                        estimate=None if small else 0.95 - 0.011 * index,
                        interval=None if small else (0.86 - 0.02 * index, 0.985 - 0.005 * index),
                        confidence=None if small else 0.95,
                        n=9 if small else 94 - 14 * index,
                        patients=9 if small else 90 - 14 * index,
                        blocking=False,
                        claimed=False,
                    )
                )
    return tuple(found)


def verdict(findings: tuple[Finding, ...], word: VerdictWord = VerdictWord.FAIL, **changed: object) -> Verdict:
    base: dict[str, object] = {
        "verdict": word,
        "words": "1 of 7 blocking requirements is not met: Precision (PPV) at 12 %.",
        "policy_id": "nodule_malignancy",
        "policy_version": "1.2.0",
        "candidate": "nodule_net",
        "testset": "chest-ct-2026",
        "cases": 412,
        "patients": 384,
        "exploratory": False,
        "digests": Digests(
            policy=hexed("policy"), candidate=hexed("candidate"), lock=hexed("lock"), plan=hexed("plan")
        ),
        "findings": findings,
        "reproducible": hexed("reproducible"),
        "run": RunStamp(
            id="2026-11-23-nodule-4f1c", started="2026-11-23T10:02:11+00:00", finished="2026-11-23T10:11:42+00:00"
        ),
    }
    return Verdict(**{**base, **changed})


def manifest() -> Manifest:
    dice = random.Random(7)
    makers = ("GE MEDICAL SYSTEMS", "SIEMENS", "Philips", "TOSHIBA")
    cases = []
    for index in range(530):
        original = index if index < 412 else index - 412
        cases.append(
            LockedCase(
                case_id=f"c{index:04}",
                patient=hexed(f"patient-{original % 384}"),
                files=(
                    LockedFile(
                        role="image", path=f"{index:04}.dcm", sha256=hexed(f"file-{index}"), size=524288 + index
                    ),
                ),
                label=int(original < 188),
                subject=f"c{original:04}",
                attributes={
                    "manufacturer": makers[min(3, int(dice.expovariate(0.9)))],
                    "sex": "F" if original % 5 < 2 else "M",
                    "slice_mm": ("0.6", "1", "1.25", "2", "2.5", "3")[original % 6],
                },
            )
        )
    return Manifest.of("chest-ct-2026", tuple(cases))


def candidate() -> CandidateRecord:
    contract = {
        "description": "Convolutional network over one axial crop and its contour, trained on public data",
        "format": "safetensors",
        "architecture": {"name": "nodule_net", "arguments": {"width": 32, "blocks": 4}},
        "artefact": "nodule_net.safetensors",
        "input": {"size": [64, 64], "spacing_mm": [0.7, 0.7], "intensity": {"zero_at": -1000, "one_at": 400}},
        "output": {"kind": "logit", "classes": ["benign", "suspicious"], "positive": "suspicious"},
        "operating_point": 0.42,
        "producer": "untrusted",
    }
    record = {
        "name": "nodule_net",
        "digest": hexed("candidate"),
        "contract": contract,
        "files": {"nodule_net.safetensors": hexed("weights")},
    }
    return CandidateRecord.model_validate_json(json.dumps(record))


def roc() -> RocCurve:
    rates = [index / 224 for index in range(225)]
    return RocCurve(
        tuple(rates), tuple(1.0 - (1.0 - rate) ** 14 if rate < 1 else 1.0 for rate in rates), (18 / 224, 175 / 188)
    )


def ladders() -> tuple[Ladder, ...]:
    def ladder(name: str, unit: str, magnitudes: tuple[float, ...], fall: float, broken: int | None) -> Ladder:
        def step(severity: int, magnitude: float) -> LadderStep:
            estimate = 0.931 - fall * severity**1.6
            lower, upper = estimate - 0.045, min(1.0, estimate + 0.035)
            return LadderStep(severity, magnitude, estimate, lower, upper, lower >= 0.8)

        steps = tuple(step(index, magnitude) for index, magnitude in enumerate(magnitudes, start=1))
        return Ladder(name, unit, "Sensitivity", 0.8, step(0, 0.0), steps, broken)

    return (
        ladder("contour_translation", "mm", (0.5, 1.0, 1.5, 2.0, 3.0), 0.004, None),
        ladder("contour_rotation", "degree", (5, 10, 15, 20, 30), 0.011, 4),
        ladder("contour_erosion", "mm", (0.3, 0.6, 0.9, 1.2, 1.5), 0.03, 2),
        ladder("contour_dilation", "mm", (0.3, 0.6, 0.9, 1.2, 1.5), 0.0125, 4),
    )


def scatter() -> RepeatScatter:
    dice = random.Random(3)
    means = [dice.betavariate(0.5, 0.5) for _ in range(118)]
    spreads = [max(0.001, 0.22 * mean * (1 - mean) * dice.random() * 1.6) for mean in means]
    flipped = [abs(mean - 0.42) < 0.6 * spread for mean, spread in zip(means, spreads, strict=True)]
    return RepeatScatter(tuple(means), tuple(spreads), tuple(flipped))


def seconds() -> tuple[float, ...]:
    dice = random.Random(5)
    return tuple(0.0091 * math.exp(0.09 * dice.gauss(0, 1)) + (0.03 if index == 77 else 0.0) for index in range(200))


def policy() -> Policy:
    return Policy.model_validate_json(json.dumps(POLICY))


def plan() -> Plan:
    conditions = [Condition(id="baseline", suite="performance"), Condition(id="rerun", suite="repeatability")]
    for name, magnitudes in POLICY["robustness"].items():  # type: ignore[attr-defined]
        conditions += [
            Condition(id=f"{name}.{index}", suite="robustness", perturbation=name, severity=index)
            for index in range(1, len(magnitudes) + 1)
        ]
    return Plan(policy=hexed("policy"), conditions=tuple(conditions))


def material(**changed: object) -> DossierMaterial:
    base = DossierMaterial(
        verdict=verdict((*main_findings(), *subgroup_findings())),
        policy=policy(),
        plan=plan(),
        candidate=candidate(),
        manifest=manifest(),
        environment=environment(),
        roc=roc(),
        ladders=ladders(),
        repeatability=scatter(),
        latency_seconds=seconds(),
        ledger=LedgerFact(sequence=41, head=hexed("ledger"), exposures=2),
        development=True,
        policy_layers=("policies/base/triage.yaml", "policies/chest_ct/nodule_malignancy.yaml"),
        notes=("3 cases were answered only at the second attempt of the worker.",),
        components=181,
    )
    return replace(base, **changed)


def many_requirements(count: int) -> DossierMaterial:
    """The same with so many requirements more, each met, with a hazard of its own."""
    more = {
        f"r{number:03}": {
            "metric": "sensitivity",
            "title": f"Requirement {number}",
            "lower_limit": {"at_least": 0.5},
            "basis": PROJECT,
            "hazard": f"H-{100 + number}",
        }
        for number in range(count)
    }
    requirements, order = POLICY["requirements"], POLICY["order"]
    asked = {**POLICY, "requirements": {**requirements, **more}, "order": [*order, *more]}  # type: ignore[dict-item]
    found = tuple(finding(id_, title=str(made["title"])) for id_, made in more.items())
    return material(
        policy=Policy.model_validate_json(json.dumps(asked)),
        verdict=verdict((*main_findings(), *found, *subgroup_findings())),
    )


def material_of_text(text: str, **changed: object) -> DossierMaterial:
    """Material with this text wherever people or candidates can put one."""
    found = [finding(f"r{n}", title=text, words=text, n_of=text, method=text) for n in range(4)]
    grouped = finding("g", title=text, subgroup={text: text}, blocking=False)
    stamp = RunStamp(id=text, started="2026-11-23T10:11:42+00:00", finished="2026-11-23T10:11:42+00:00")
    names = {"words": text, "candidate": text, "testset": text}
    judged = verdict((*found, grouped), exploratory=True, run=stamp, **names)
    surroundings = environment().model_copy(update={"isolation": text, "packages": {text: text}})
    made = material(verdict=judged, notes=(text,), policy_layers=(text,), environment=surroundings)
    return replace(made, **changed)


def attachments() -> dict[str, bytes]:
    rows = bytes(random.Random(11).randrange(256) for _ in range(41_300))
    return {
        "policy.json": json.dumps(POLICY).encode(),
        "testset.json": b'{"format": "gatekeeper/lock/v1"}',
        "plan.json": b"{}",
        "candidate.yaml": b"format: safetensors\n",
        "cases.parquet": rows,
        "environment.json": b"{}",
        "verdict.json": b'{"verdict": "FAIL"}',
        "sbom.cdx.json": b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}',
        "statement.dsse.json": b'{"payloadType": "application/vnd.in-toto+json"}',
    }

"""A dossier of outlined structures, made up by hand: balls for brains, no number in it was measured on anyone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np
from made_up_evidence import MadeUpCase, evidence_of
from made_up_material import hexed, material
from numpy.typing import NDArray

from gatekeeper.candidate import CandidateRecord
from gatekeeper.dossier import DossierMaterial, Overlay, overlays_of
from gatekeeper.dossier.gather_structures import structure_results
from gatekeeper.evidence import Evidence, RunStamp
from gatekeeper.metrics.masks import VALUES, MaskComparison, charged, compare_masks
from gatekeeper.policy import Policy, load_policy
from gatekeeper.suites import plan_policy
from gatekeeper.testset import LockedCase, LockedFile, Manifest
from gatekeeper.testset.readers.image import Image
from gatekeeper.verdict import conclude, judge

Mask = NDArray[np.bool_]
SHAPE, SPACING = (24, 40, 36), (3.0, 2.0, 2.0)
OPTIONS: Mapping[str, dict[str, float]] = {
    "normalized_surface_distance": {"tolerance": 2.0},
    "normalized_surface_distance_by_area": {"tolerance": 2.0},
}


@dataclass(frozen=True, eq=False)
class Outlined:
    """A case: who, what is right, and what was outlined (None: no answer)."""

    case: MadeUpCase
    reference: Mask
    predicted: Mask | None


def ball(radius: float, shift: float = 0.0) -> Mask:
    centre = np.array(SHAPE) / 2 + np.array([0.0, shift, 0.0])
    away = (np.indices(SHAPE) - centre[:, None, None, None]) * np.array(SPACING)[:, None, None, None]
    return np.asarray((away**2).sum(axis=0) <= radius**2)


@lru_cache
def outlined(n: int = 40, lost: int = 2, repeats: int = 12, seed: int = 5) -> tuple[Outlined, ...]:
    """Balls of many sizes, outlined a little too large or too small; some lost, some scanned twice."""
    source = np.random.default_rng(seed)
    made = []
    for number in range(n):
        radius = source.uniform(20.0, 28.0)
        case = MadeUpCase(0.0, 1, f"patient-{number:03}", f"case-{number:03}", answered=number >= lost)
        drawn = ball(radius + source.normal(0.4, 0.8), source.normal(0.0, 0.4))
        made.append(Outlined(case, ball(radius), drawn if number >= lost else None))
        if lost <= number < lost + repeats:
            again = replace(case, case=f"case-{number:03}-again", subject=case.case)
            made.append(Outlined(again, ball(radius), ball(radius + source.normal(0.4, 0.8))))
    return tuple(made)


@cache
def compared(item: Outlined) -> MaskComparison:
    return compare_masks(item.reference, np.zeros(SHAPE, bool) if item.predicted is None else item.predicted, SPACING)


@cache
def value_of(name: str, item: Outlined) -> float:
    return charged(name, compared(item), **OPTIONS.get(name, {}))


def structure_evidence(items: Sequence[Outlined], structure: str = "brain", rerun: float = 0.0) -> Evidence:
    """Evidence with every metric of masks at baseline, and of a rerun that differs by ``rerun``."""
    conditions = {"baseline": [item.case for item in items], "rerun": [item.case for item in items]}
    table = evidence_of(conditions).table
    columns = {name: table[name].to_pylist() for name in table.column_names if not name.startswith("attribute.")}
    columns["score"] = [None] * table.num_rows
    found = [compared(item) for item in items]
    answers: dict[str, list[float | None]] = {}
    for name in VALUES:
        options = OPTIONS.get(name, {})
        column = f"measured.{structure}.{name}" + "".join(f"@{number:g}" for number in options.values())
        answers[column] = [None if item.predicted is None else value_of(name, item) for item in items]
    litres = [case.voxel_volume / 1000.0 for case in found]
    answers[f"measured.{structure}.diagonal"] = [case.diagonal for case in found]
    answers[f"measured.{structure}.reference"] = [
        (case.tp + case.fn) * size for case, size in zip(found, litres, strict=True)
    ]
    answers[f"measured.{structure}.quantity"] = [
        None if item.predicted is None else (case.tp + case.fp) * size
        for item, case, size in zip(items, found, litres, strict=True)
    ]
    both = {
        name: [*values, *(None if value is None else value + rerun for value in values)]
        for name, values in answers.items()
    }
    return Evidence.from_columns(columns, {}, both)


def structure_policy(name: str = "neuro/brain_extraction") -> Policy:
    return load_policy(name).policy


def structure_manifest(items: Sequence[Outlined]) -> Manifest:
    cases = [
        LockedCase(
            case_id=item.case.case,
            patient=hexed(item.case.patient),
            files=(LockedFile(role="image", path=f"{item.case.case}.nii.gz", sha256=hexed(item.case.case), size=9),),
            label=1,
            subject=item.case.subject or item.case.case,
            attributes={},
        )
        for item in items
    ]
    return Manifest.of("made-up-heads", tuple(cases), "segmentation")


def plugin_candidate() -> CandidateRecord:
    contract = {
        "description": "A plug-in that does not exist",
        "format": "python",
        "plugin": "deepbet",
        "input": {"dimensions": 3, "orientation": "RAS"},
        "output": {"kind": "mask", "structures": {"brain": 1}, "refuses": {"exceptions": ["ValueError"]}},
        "producer": "trusted",
    }
    record = {
        "name": "deepbet",
        "digest": hexed("deepbet"),
        "contract": contract,
        "files": {},
        "plugin": "deepbet 1.0.2",
    }
    return CandidateRecord.model_validate_json(json.dumps(record))


def made_up_head(item: Outlined) -> Image:
    """A volume that says where it lies: axes (slice, row, column) are head, back and left of the patient."""
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = SPACING[0], SPACING[1], SPACING[2], 1.0
    noise = np.random.default_rng(1).normal(0.0, 12.0, SHAPE)
    pixels = 60.0 + 90.0 * item.reference + 60.0 * ball(34.0) + noise
    return Image(pixels=pixels.astype(np.float32), spacing_mm=SPACING, affine=affine)


def made_up_overlays(items: Sequence[Outlined], most: int = 2) -> tuple[Overlay, ...]:
    shown = [item for item in items if item.predicted is not None][:most]
    return tuple(
        overlay
        for item in shown
        for overlay in overlays_of(item.case.case, made_up_head(item), item.reference, item.predicted, "Dice 0.97")
    )


def structure_material(items: Sequence[Outlined] | None = None, **changed: object) -> DossierMaterial:
    """The material of a run under the policy of brain extraction, judged and concluded as the gate does."""
    chosen = outlined() if items is None else items
    policy, evidence, manifest = structure_policy(), structure_evidence(chosen), structure_manifest(chosen)
    plan = plan_policy(policy)
    findings = judge(policy, evidence, 0.5, started="2026-11-23T10:02:11+00:00")
    stamp = RunStamp(id="2026-11-23-made-up", started="2026-11-23T10:02:11+00:00", finished="2026-11-23T10:11:42+00:00")
    base = material(
        verdict=conclude(
            policy, plan, findings, plugin_candidate(), manifest, stamp, evidence=evidence, exploratory=False
        ),
        policy=policy,
        plan=plan,
        candidate=plugin_candidate(),
        manifest=manifest,
        roc=None,
        ladders=(),
        repeatability=None,
        latency_seconds=(),
        policy_layers=("policies/base/segmentation.yaml", "policies/neuro/brain_extraction.yaml"),
        notes=(),
        structures=structure_results(policy, evidence, 3),
        overlays=made_up_overlays(chosen),
    )
    return replace(base, **changed)

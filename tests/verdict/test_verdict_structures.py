"""Policies of segmentation from evidence to verdict, and what a lock can never show; evidence and locks made up."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_evidence import MadeUpCase, evidence_of, policy_of, requirement

from gatekeeper.evidence import Evidence, Finding, Outcome, Reason
from gatekeeper.metrics import METRICS
from gatekeeper.metrics.masks import VALUES
from gatekeeper.policy import Policy, load_policy
from gatekeeper.suites import plan_policy
from gatekeeper.suites.quantities import AGREEMENT
from gatekeeper.testset import LockedCase, LockedFile, Manifest
from gatekeeper.verdict import judge, shortfalls, told

CONTEXT = {
    "modality": "MR",
    "body_part": "HEAD",
    "task": "segmentation",
    "unit": "patient",
    "structures": ("brain",),
    "intended_use": "Tests. Not for clinical use.",
}
DIGEST = "sha256:" + "0" * 64


def evidence(n: int, overlap: float = 0.97, repeats: int = 0) -> Evidence:
    """n patients with values about ``overlap``, some of them scanned twice; a rerun that gives the same."""
    source = np.random.default_rng(3)
    cases = [MadeUpCase(0.0, 1, f"patient-{at:03}", f"case-{at:03}") for at in range(n)]
    cases += [MadeUpCase(0.0, 1, f"patient-{at:03}", f"again-{at:03}", f"case-{at:03}") for at in range(repeats)]
    overlaps = (overlap + source.uniform(-0.01, 0.01, len(cases))).tolist()
    volumes = [1400.0 + 5.0 * (at % n) + float(source.normal(0.0, 3.0)) for at in range(len(cases))]
    answers = {
        "dice": overlaps,
        "voxel_recall": overlaps,
        "relative_volume_difference": [abs(1.0 - mark) for mark in overlaps],
        "hausdorff_95": [2.0 + 50.0 * (1.0 - mark) for mark in overlaps],
        "normalized_surface_distance@2": overlaps,
        "diagonal": [330.0] * len(cases),
        "quantity": volumes,
        "reference": [1410.0 + 5.0 * (at % n) for at in range(len(cases))],
    }
    table = evidence_of({"baseline": cases, "rerun": cases}).table
    columns = {name: table[name].to_pylist() for name in table.column_names} | {"score": [None] * table.num_rows}
    return Evidence.from_columns(
        columns, {}, {f"measured.brain.{name}": 2 * values for name, values in answers.items()}
    )


def lock(patients: int, repeats: int = 0, empty: int = 0) -> Manifest:
    def case(name: str, patient: int, subject: str) -> LockedCase:
        files = (LockedFile(role="image", path=f"{name}.nii", sha256=DIGEST, size=1),)
        return LockedCase(
            case_id=name,
            patient=f"{patient:064}",
            files=files,
            label=int(patient >= empty),
            subject=subject,
            attributes={},
        )

    cases = [case(f"c{at:04}", at, f"c{at:04}") for at in range(patients)]
    cases += [case(f"r{at:04}", at, f"c{at:04}") for at in range(repeats)]
    return Manifest.of("made-up", tuple(cases), "segmentation")


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy("neuro/brain_extraction").policy


def by_id(policy: Policy, brought: Evidence) -> dict[str, Finding]:
    return {finding.id: finding for finding in judge(policy, brought, 0.5)}


def test_every_requirement_that_this_version_measures_is_met_by_good_evidence(policy: Policy) -> None:
    found = by_id(policy, evidence(60, repeats=60))
    open_ones = {id_ for id_, finding in found.items() if finding.outcome is not Outcome.MET}
    assert open_ones == {"refusal_of_unusable_input", "time_to_result", "holds_in_noise"}
    assert found["refusal_of_unusable_input"].reason is Reason.NO_UNUSABLE_INPUT
    assert found["time_to_result"].reason is Reason.CONDITION_NOT_RUN
    assert not policy.requirements["time_to_result"].blocking


def test_bad_outlines_are_not_met_and_two_heads_decide_nothing(policy: Policy) -> None:
    bad = by_id(policy, evidence(60, overlap=0.8))
    assert {bad[id_].outcome for id_ in ("dice", "voxel_recall", "volume_difference")} == {Outcome.NOT_MET}
    few = by_id(policy, evidence(2))
    assert {few[id_].outcome for id_ in ("dice", "volume_difference", "voxel_recall", "rescan")} == {
        Outcome.NOT_DECIDED
    }
    assert few["rescan"].reason is Reason.NO_REPEATS
    assert few["rerun"].outcome is Outcome.MET
    assert few["dice"].more_cases is not None


def test_a_rerun_speaks_of_answers_and_not_of_scores(policy: Policy) -> None:
    assert "no value of its answer changes at all" in by_id(policy, evidence(20))["rerun"].words


def test_what_the_evidence_lacks_is_told_as_that_and_not_as_a_gap_of_this_version(policy: Policy) -> None:
    plain = evidence_of({"baseline": [MadeUpCase(0.5, 1)], "rerun": [MadeUpCase(0.5, 1)]})
    found = by_id(policy, plain)
    assert found["dice"].reason is Reason.NOT_MEASURED
    assert found["dice"].words.startswith("The evidence does not hold what it is measured from.")
    assert found["refusal_of_unusable_input"].words.startswith("No unusable input was tried")


def test_calls_are_timed_only_where_a_time_is_measured(policy: Policy) -> None:
    ids = [condition.id for condition in plan_policy(policy).conditions]
    assert [id_ for id_ in ids if "." not in id_] == ["baseline", "latency", "rerun"]
    assert [id_ for id_ in ids if id_.startswith("refusal.")] == [f"refusal.{kind}" for kind in policy.refusals]
    untimed = policy_of({"found": requirement("sensitivity")})
    assert "latency" not in [condition.id for condition in plan_policy(untimed).conditions]


def test_masks_and_repeated_quantities_are_measured_in_this_version() -> None:
    assert all(METRICS.get(name).measured for name in (*VALUES, *AGREEMENT))


# --- what a lock can never show


def test_two_heads_fall_short_of_every_limit_with_the_number_that_is_needed(policy: Policy) -> None:
    short = {item.id: item for item in shortfalls(policy, lock(2))}
    assert {"dice", "volume_difference", "voxel_recall", "rescan"} <= short.keys()
    assert "rerun" not in short
    assert short["dice"].have == 2
    assert told(list(short.values()))[0].startswith("No candidate can PASS")


@pytest.mark.parametrize("id_", ["dice", "voxel_recall", "volume_difference"])
def test_the_number_needed_is_the_first_that_suffices(id_: str, policy: Policy) -> None:
    needed = next(item.needed for item in shortfalls(policy, lock(2)) if item.id == id_)
    assert needed is not None
    ids = [{item.id for item in shortfalls(policy, lock(patients))} for patients in (needed - 1, needed)]
    assert [id_ in found for found in ids] == [True, False]


def test_enough_heads_with_rescans_fall_short_of_nothing_that_is_measured(policy: Policy) -> None:
    left = shortfalls(policy, lock(40, repeats=40))
    assert {item.id for item in left} == {"refusal_of_unusable_input"}  # no odd file is locked beside them


def test_distances_whose_bound_is_not_in_the_lock_are_left_open(policy: Policy) -> None:
    assert "boundary" not in {item.id for item in shortfalls(policy, lock(2))}


def test_cases_without_a_mask_have_nothing_to_recall() -> None:
    asked = policy_of(
        {"recall": requirement("voxel_recall", structure="brain", lower_limit={"at_least": 0.5})}, context=CONTEXT
    )
    (short,) = shortfalls(asked, lock(30, empty=30))
    assert short.reason is Reason.UNDEFINED_METRIC
    assert not shortfalls(asked, lock(30, empty=10))


def test_a_single_pair_of_scans_is_too_few_for_an_agreement(policy: Policy) -> None:
    rescan = next(item for item in shortfalls(policy, lock(60, repeats=1)) if item.id == "rescan")
    assert "there is no more than 1 subject with repeats" in rescan.words
    assert rescan.needed is not None
    for repeats, falls_short in ((rescan.needed - 1, True), (rescan.needed, False)):
        assert ("rescan" in {item.id for item in shortfalls(policy, lock(60, repeats=repeats))}) is falls_short

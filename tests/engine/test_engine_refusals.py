"""Unusable inputs handed to real workers: who declines, who answers all the same, who falls over. Made-up discs."""

from __future__ import annotations

import csv
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
from gated import CPU, checked, refused, request_for
from made_up_bench import CONTEXT, Bench, disc, write_dicom
from made_up_plugins import CONTRACT, write_plugin
from scipy.stats import beta

from gatekeeper.errors import Code
from gatekeeper.evidence import Evidence, Outcome, Reason, read_evidence
from gatekeeper.gate import check
from gatekeeper.locking import lock_testset
from gatekeeper.policy import load_policy
from gatekeeper.suites.refusal import by_kind

KINDS = "[blank, inverted, cropped, noise, corrupted, wrong_modality]"
POLICY = (
    CONTEXT
    + """\
requirements:
  sensitivity:
    metric: sensitivity
    lower_limit: {{at_least: 30 %}}
    basis: {{source: made up, status: project_choice}}
  refusal:
    metric: refusal_rate
    lower_limit: {{at_least: 70 %}}
    blocking: {blocking}
    basis: {{source: made up, status: project_choice}}
refusals: {kinds}
refusal_tries: 12
order: {order}
"""
)
# A disc looks the same after half a turn, is bright in the middle and dark in the corner.
ANSWERS = dedent(
    """
    import os

    import numpy as np


    class Declined(Exception):
        pass


    def load(folder, device):
        return answer


    def answer(case):
        image = case.image[0]
        good = np.array_equal(image, image[::-1, ::-1]) and image[32, 32] == 1.0 and image[0, 0] == 0.0
        if not good:
            {otherwise}
        return np.array([0.9 if image.mean() > 0.06 else 0.1])
    """
)
OTHERWISE = {"exception": "raise Declined", "nothing": "pass", "crash": "os._exit(7)", "flaw": "return np.array([7.0])"}


def policy_of(kinds: str = KINDS, *, blocking: bool = False) -> str:
    order = "[sensitivity, refusal]" if blocking else "[sensitivity]"
    return POLICY.format(kinds=kinds, blocking=str(blocking).lower(), order=order)


def candidate_of(bench: Bench, otherwise: str) -> Path:
    return write_plugin(bench.folder / otherwise, otherwise, ANSWERS.format(otherwise=OTHERWISE[otherwise]))


def lock_an_odd_file(bench: Bench, **changes: object) -> None:
    """Add an MR image, made up, that must be refused, and lock the bench again."""
    pixels = disc(9.0)
    pixels[:, :20] = 90
    write_dicom(bench.folder / "odd" / "head.dcm", pixels, Modality="MR", BodyPartExamined="HEAD", **changes)
    with bench.table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    odd = {"case_id": "odd", "patient_id": "ODD-PATIENT", "image": "odd/head.dcm", "must_refuse": "wrong_modality"}
    with bench.table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0], "must_refuse"], restval="")
        writer.writeheader()
        writer.writerows([*rows, odd])
    lock_testset(bench.table, bench.lock, bench.home)


def evidence_of(run: Path) -> Evidence:
    return read_evidence(run / "evidence" / "cases.parquet")


def rows_under(run: Path, condition: str) -> list[dict[str, Any]]:
    return [row for row in evidence_of(run).table.to_pylist() if row["condition"] == condition]


@pytest.mark.parametrize(
    ("otherwise", "outcome"), [("exception", Outcome.MET), ("nothing", Outcome.NOT_MET), ("crash", Outcome.NOT_MET)]
)
def test_declining_is_met_and_answering_or_crashing_is_not(bench: Bench, otherwise: str, outcome: Outcome) -> None:
    lock_an_odd_file(bench)
    result = checked(bench, policy_of(), candidate_of(bench, otherwise))
    finding = next(item for item in result.verdict.findings if item.id == "refusal")
    assert finding.outcome is outcome
    assert finding.estimate == (1.0 if otherwise == "exception" else 0.0)
    told = {
        one.kind: one
        for one in by_kind(
            load_policy(str(bench.folder / otherwise / "policy.yaml")).policy, evidence_of(result.folder)
        )
    }
    tries = {kind: one.tries for kind, one in told.items()}
    # Every blank image is the same one; of the other kinds there are as many as differ from each other and the case.
    assert (tries["blank"], tries["noise"], tries["wrong_modality"]) == (1, 12, 1)
    assert all(6 <= tries[kind] <= 12 for kind in ("inverted", "cropped", "corrupted"))
    of = {"exception": "refused", "nothing": "answered", "crash": "failed"}[otherwise]
    assert all(getattr(one, of) == one.tries for one in told.values())
    assert finding.n == sum(one.tries for one in told.values())
    # The performance of the cases is not touched: 90 of them, all answered.
    assert {row["outcome"] for row in rows_under(result.folder, "baseline")} == {"ok"}
    assert len(rows_under(result.folder, "baseline")) == 90
    assert [row["case_id"] for row in rows_under(result.folder, "refusal.wrong_modality")] == ["odd"]


def test_an_answer_that_does_not_hold_is_no_refusal(bench: Bench) -> None:
    result = checked(bench, policy_of("[noise]"), candidate_of(bench, "flaw"))
    assert {row["outcome"] for row in rows_under(result.folder, "refusal.noise")} == {"invalid_output"}
    (finding,) = (item for item in result.verdict.findings if item.id == "refusal")
    assert finding.estimate == 0.0


def test_a_flag_among_the_outputs_is_a_refusal(bench: Bench) -> None:
    code = ANSWERS.format(otherwise='return {"score": np.array([0.5]), "bad": np.array([1])}')
    code = code.replace("return np.array([0.9", 'return {"bad": np.array([0]), "score": np.array([0.9').replace(
        "else 0.1])", "else 0.1])}"
    )
    candidate = write_plugin(bench.folder / "flag", "flag", code)
    contract = CONTRACT.format(name="flag").replace("exceptions: [Declined]", "flag: bad")
    candidate.write_text(contract.replace("  kind: probability\n", "  kind: probability\n  name: score\n"))
    result = checked(bench, policy_of("[noise, blank]"), candidate)
    rows = rows_under(result.folder, "refusal.noise")
    assert {row["outcome"] for row in rows} == {"refused"}
    (finding,) = (item for item in result.verdict.findings if item.id == "refusal")
    # 12 patients, each always refused: Clopper and Pearson's limit for 12 of 12 is a quantile of a beta distribution.
    assert len({row["patient"] for row in rows}) == finding.patients == 12
    assert finding.interval is not None
    assert finding.interval[0] == pytest.approx(beta.ppf(0.025, 12, 1))


def test_a_kind_without_an_input_is_not_decided_and_named(bench: Bench) -> None:
    result = checked(bench, policy_of("[blank, another_species]"), candidate_of(bench, "exception"))
    (finding,) = (item for item in result.verdict.findings if item.id == "refusal")
    assert finding.outcome is Outcome.NOT_DECIDED
    assert finding.reason is Reason.NO_UNUSABLE_INPUT
    assert "another species" in finding.method


@pytest.mark.parametrize("kind", ["another_species", "missing_slices"])
def test_a_blocking_requirement_on_a_kind_without_an_input_is_an_error_before_anything_is_run(
    bench: Bench, kind: str
) -> None:
    error = refused(bench, policy_of(f"[blank, {kind}]", blocking=True), candidate_of(bench, "exception"))
    assert kind in error.problems[0].what
    assert error.problems[0].code is Code.MISMATCH


def test_a_locked_input_that_the_candidate_cannot_take_is_an_error_that_names_it(bench: Bench) -> None:
    lock_an_odd_file(bench, PixelSpacing=[3.0, 3.0])
    error = refused(bench, policy_of(), candidate_of(bench, "exception"))
    assert "odd/head.dcm (case odd)" in str(error.problems[0].where)


def test_a_resumed_run_tries_what_is_left_and_ends_alike(bench: Bench) -> None:
    request = request_for(bench, policy_of("[noise, blank]"), candidate_of(bench, "crash"), CPU)
    first, second = check(request), check(request)
    assert first.verdict.reproducible == second.verdict.reproducible
    assert rows_under(first.folder, "refusal.noise") == rows_under(second.folder, "refusal.noise")


def test_what_is_made_is_the_same_every_time_and_unlike_the_case() -> None:
    from gatekeeper.engine.unusable import overwritten, spoilt
    from gatekeeper.testset.readers.image import Image
    from gatekeeper.testset.unusable import MADE

    pixels = np.random.default_rng(3).normal(size=(9, 16, 12)).astype(np.float32)
    for kind in sorted(MADE):
        made = spoilt(Image(pixels), kind, 5).pixels
        assert made.shape == pixels.shape
        assert made.dtype == pixels.dtype
        assert np.isfinite(made).all()
        assert not np.array_equal(made, pixels), kind
        assert np.array_equal(made, spoilt(Image(pixels), kind, 5).pixels)
        assert made.min() >= pixels.min() - 1e-5
    scrambled = spoilt(Image(pixels), "corrupted", 5).pixels
    assert np.array_equal(np.sort(scrambled, axis=None), np.sort(pixels, axis=None))
    data = {"a": bytes(100_000), "b": b""}
    assert overwritten(data, 5) == overwritten(data, 5) != data
    assert [len(part) for part in overwritten(data, 5).values()] == [100_000, 0]

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from made_up_bench import CANDIDATE, Bench, disc, write_dicom
from made_up_keys import make_release_keys
from pypdf import PdfReader
from torch.cuda import is_available as cuda_is_available

from gatekeeper.attestation import checkpoint_of
from gatekeeper.errors import Code, ExitCode, GatekeeperError, IntegrityError, InvalidRunError, UsageError
from gatekeeper.evaluation import evaluate
from gatekeeper.evidence import Evidence, Finding, Outcome, VerdictWord, read_evidence
from gatekeeper.gate import CheckRequest, check
from gatekeeper.locking import lock_testset
from gatekeeper.policy import Policy, load_policy
from gatekeeper.policy.approval import approve
from gatekeeper.trust import Ledger, load_keys
from gatekeeper.verdict import Bar, judge
from gatekeeper.verification import verify


def request_for(bench: Bench, **changes: object) -> CheckRequest:
    request = CheckRequest(
        policy=str(bench.policy), candidate=bench.candidate, testset=bench.lock, out=bench.out, home=bench.home
    )
    return replace(request, **changes)  # type: ignore[arg-type]


def refused(request: CheckRequest) -> GatekeeperError:
    """Run a check that must end in an error, and see that it leaves nothing that looks like a run."""
    with pytest.raises(GatekeeperError) as caught:
        check(request)
    assert not request.out.exists() or not list(request.out.iterdir())
    return caught.value


def test_a_run_leaves_every_file_of_the_design(finished_run: Path) -> None:
    found = {str(path.relative_to(finished_run)) for path in finished_run.rglob("*") if path.is_file()}
    assert found == {
        "verdict.json",
        "plan.json",
        "policy.json",
        "candidate.json",
        "testset.json",
        "evidence/cases.parquet",
        "evidence/environment.json",
        "dossier.pdf",
        "dossier.html",
        "attestation.dsse.json",
        "test-result.dsse.json",
        "junit.xml",
        "self_test.json",
        "sbom.cdx.json",
    }


def test_the_dossier_shows_curves_calibration_and_no_picture_without_leave(finished_run: Path) -> None:
    reader = PdfReader(finished_run / "dossier.pdf")
    text = " ".join(page.extract_text() for page in reader.pages)
    for shown in ("ROC curve", "Precision-recall at 20.0", "Expected calibration error", "Example cases"):
        assert shown in text
    assert not any(image for page in reader.pages for image in page.images)


def test_the_dossier_shows_images_of_wrong_calls_where_the_policy_allows_it(bench: Bench) -> None:
    bench.candidate.write_text(CANDIDATE.format(operating_point=0.9999))  # which misses
    with bench.policy.open("a") as stream:
        stream.write("dossier: {pictures: true}\n")
    folder = check(request_for(bench)).folder
    pages = PdfReader(folder / "dossier.pdf").pages
    images = {image.name: image.image for page in pages for image in page.images}  # every page lists all of them
    assert 1 <= len(images) <= 8
    assert {image.size for image in images.values() if image} == {(64, 64)}


def test_the_same_inputs_give_the_same_verdict_json_but_for_times_and_run_id(bench: Bench) -> None:
    texts = []
    for _ in range(2):
        content = json.loads((check(request_for(bench)).folder / "verdict.json").read_text())
        content.pop("run")
        for finding in content["findings"]:
            if finding["is_time"]:
                finding.update(estimate=None, interval=None, words=None)
        texts.append(json.dumps(content))
    assert texts[0] == texts[1]


def test_a_run_is_verified_without_model_and_images(finished_run: Path, home: Path, tmp_path: Path) -> None:
    alone = tmp_path / "dossier.pdf"
    shutil.copy(finished_run / "dossier.pdf", alone)
    verification = verify(alone, load_keys(home).trust)
    assert verification.development
    assert any("numbers recomputed" in sentence for sentence in verification.checked)
    assert any("attestation" in sentence for sentence in verification.not_checked)
    whole = verify(finished_run, load_keys(home).trust)
    assert not any("attestation" in sentence for sentence in whole.not_checked)


@pytest.mark.parametrize(
    "name", ["verdict.json", "policy.json", "evidence/cases.parquet", "testset.json", "self_test.json"]
)
def test_a_changed_file_of_a_run_is_found(run_copy: Path, home: Path, name: str) -> None:
    data = bytearray((run_copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (run_copy / name).write_bytes(data)
    with pytest.raises(IntegrityError) as caught:
        verify(run_copy, load_keys(home).trust)
    assert caught.value.problems[0].code is Code.DIGEST_MISMATCH
    assert Path(name).name in caught.value.problems[0].what


def test_a_dossier_is_untrusted_on_a_machine_with_other_keys(finished_run: Path, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify(finished_run / "dossier.pdf", load_keys(tmp_path / "elsewhere").trust)
    assert caught.value.problems[0].code is Code.UNTRUSTED_KEY


def test_a_dossier_beside_another_run_s_attestation_is_refused(bench: Bench, run_copy: Path) -> None:
    other = check(request_for(bench)).folder
    shutil.copy(other / "attestation.dsse.json", run_copy)
    with pytest.raises(IntegrityError) as caught:
        verify(run_copy / "dossier.pdf", load_keys(bench.home).trust)
    assert caught.value.problems[0].code is Code.DIGEST_MISMATCH


def test_evaluate_gives_the_same_findings_as_check(finished_run: Path, home: Path) -> None:
    verdict = evaluate(finished_run, load_keys(home).trust)
    stored = json.loads((finished_run / "verdict.json").read_text())
    assert verdict.to_json() == stored


def test_evaluate_under_a_stricter_policy_fails_and_is_exploratory(
    finished_run: Path, pristine_bench: Bench, tmp_path: Path
) -> None:
    stricter = tmp_path / "stricter.yaml"
    stricter.write_text(pristine_bench.policy.read_text().replace("at_most: 60 s", "at_most: 0.001 ms"))
    verdict = evaluate(finished_run, load_keys(pristine_bench.home).trust, str(stricter))
    assert verdict.verdict is VerdictWord.FAIL
    assert verdict.exploratory
    assert {finding.id: finding.outcome for finding in verdict.findings}["time"] is Outcome.NOT_MET


def test_evaluate_does_not_decide_what_the_run_did_not_try(
    finished_run: Path, pristine_bench: Bench, tmp_path: Path
) -> None:
    longer = tmp_path / "longer.yaml"
    longer.write_text(pristine_bench.policy.read_text().replace("contour_erosion", "contour_dilation"))
    verdict = evaluate(finished_run, load_keys(pristine_bench.home).trust, str(longer))
    findings = {finding.id: finding for finding in verdict.findings}
    assert findings["breaking"].outcome is Outcome.NOT_DECIDED
    assert findings["breaking"].reason == "CONDITION_NOT_RUN"


def test_evaluate_refuses_an_override_that_it_cannot_place(finished_run: Path, pristine_bench: Bench) -> None:
    trust = load_keys(pristine_bench.home).trust
    with pytest.raises(UsageError, match='cannot place the override "requirements'):
        evaluate(finished_run, trust, str(pristine_bench.policy), ("requirements.sensitivity.lower_limit=1 %",))


def test_evaluate_refuses_evidence_that_was_changed(run_copy: Path, home: Path) -> None:
    path = run_copy / "evidence" / "cases.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(IntegrityError):
        evaluate(run_copy, load_keys(home).trust)


def test_a_moved_operating_point_is_another_candidate_with_another_verdict(bench: Bench) -> None:
    sound = check(request_for(bench))
    bench.candidate.write_text(CANDIDATE.format(operating_point=1e-9))
    moved = check(request_for(bench))
    assert moved.verdict.digests.candidate != sound.verdict.digests.candidate
    outcomes = {finding.id: finding.outcome for finding in moved.verdict.findings}
    assert outcomes["specificity"] is Outcome.NOT_MET
    assert moved.verdict.verdict is VerdictWord.FAIL


def test_an_overridden_policy_makes_the_run_exploratory(bench: Bench) -> None:
    override = "policy.requirements.sensitivity.lower_limit.at_least=0.99"
    result = check(request_for(bench, overrides=(override, "engine.batch_size=7")))
    assert result.verdict.exploratory
    sensitivity = next(finding for finding in result.verdict.findings if finding.id == "sensitivity")
    assert sensitivity.threshold.at_least == 0.99


def test_use_of_the_test_set_is_in_the_ledger_before_anything_ran(bench: Bench, tmp_path: Path) -> None:
    home = tmp_path / "own-home"
    lock_testset(bench.table, bench.lock, home, secret_file=bench.lock.with_name("discs.lock.secret"))
    bench.candidate.parent.joinpath("nodule_cnn.safetensors").write_bytes(b"no weights")
    refused(request_for(bench, home=home))
    with Ledger(home / "ledger.sqlite") as ledger:
        kinds = [entry.kind for entry in ledger.entries()]
    assert kinds == ["testset.opened"]


def test_a_file_changed_after_locking_is_named_before_anything_runs(bench: Bench) -> None:
    path = bench.folder / "images" / "disc-004-0.dcm"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    error = refused(request_for(bench))
    assert error.exit_code == ExitCode.INTEGRITY
    assert "disc-004-0" in error.problems[0].what


def test_a_missing_file_and_a_link_are_named(bench: Bench) -> None:
    (bench.folder / "images" / "disc-001-0.dcm").unlink()
    link = bench.folder / "images" / "disc-002-0.dcm"
    link.rename(bench.folder / "elsewhere.dcm")
    link.symlink_to(bench.folder / "elsewhere.dcm")
    error = refused(request_for(bench))
    assert error.exit_code == ExitCode.INTEGRITY
    assert [problem.what.split('"')[1] for problem in error.problems] == ["disc-001-0", "disc-002-0"]


def test_labels_swapped_in_the_lock_break_its_signature(bench: Bench) -> None:
    envelope = json.loads(bench.lock.read_text())
    import base64

    payload = base64.b64decode(envelope["payload"]).replace(b'"label":0', b'"label":1')
    envelope["payload"] = base64.b64encode(payload).decode()
    bench.lock.write_text(json.dumps(envelope))
    assert refused(request_for(bench)).exit_code == ExitCode.INTEGRITY


def test_a_lock_signed_elsewhere_is_not_trusted(bench: Bench, tmp_path: Path) -> None:
    lock_testset(bench.table, bench.lock, tmp_path / "stranger")
    error = refused(request_for(bench))
    assert error.problems[0].code is Code.UNTRUSTED_KEY


def test_an_image_of_another_modality_is_refused(bench: Bench) -> None:
    write_dicom(bench.folder / "images" / "disc-003-0.dcm", disc(5.0), Modality="MR")
    lock_testset(bench.table, bench.lock, bench.home)
    error = refused(request_for(bench))
    assert error.problems[0].code is Code.MISMATCH
    assert "disc-003-0" in str(error)


def test_an_image_of_another_size_is_refused(bench: Bench) -> None:
    write_dicom(bench.folder / "images" / "disc-003-0.dcm", disc(5.0)[:32])
    lock_testset(bench.table, bench.lock, bench.home)
    error = refused(request_for(bench))
    assert "32 x 64" in str(error)
    assert "disc-003-0" in str(error)


def test_weights_that_do_not_fit_are_a_configuration_error(bench: Bench) -> None:
    from safetensors.numpy import load_file, save_file

    weights = bench.candidate.parent / "nodule_cnn.safetensors"
    tensors = load_file(weights)
    tensors.pop(next(iter(tensors)))
    save_file(tensors, weights)
    error = refused(request_for(bench))
    assert error.exit_code == ExitCode.USAGE
    assert "does not fit" in str(error)


def test_weights_with_nan_give_no_valid_output_and_fail_the_candidate(bench: Bench) -> None:
    import numpy as np
    from safetensors.numpy import load_file, save_file

    weights = bench.candidate.parent / "nodule_cnn.safetensors"
    save_file({name: np.full_like(tensor, np.nan) for name, tensor in load_file(weights).items()}, weights)
    result = check(request_for(bench))
    assert result.verdict.verdict is VerdictWord.FAIL
    rows = read_evidence(result.folder / "evidence" / "cases.parquet").under("baseline")
    assert not rows.answered.any()


def test_a_candidate_that_takes_too_long_is_stopped(bench: Bench) -> None:
    error = refused(request_for(bench, overrides=("engine.timeout=10 ms",)))
    assert isinstance(error, InvalidRunError)
    assert error.problems[0].code is Code.WORKER_TIMEOUT


def test_a_subgroup_that_the_test_set_lacks_is_told_before_inference(bench: Bench) -> None:
    bench.policy.write_text(bench.policy.read_text().replace("by: [site]", "by: [scanner]"))
    error = refused(request_for(bench))
    assert error.exit_code == ExitCode.USAGE
    assert "site" in (error.problems[0].mend or "")


def test_an_out_folder_that_is_a_file_is_said(bench: Bench) -> None:
    bench.out.write_text("in the way")
    with pytest.raises(UsageError) as caught:
        check(request_for(bench))
    assert caught.value.problems[0].code is Code.CANNOT_WRITE


@pytest.mark.skipif(cuda_is_available(), reason="says what happens without a CUDA device, and there is one here")
def test_asking_for_cuda_where_there_is_none_is_a_configuration_error(bench: Bench) -> None:
    error = refused(request_for(bench, overrides=("engine.device=cuda",)))
    assert error.exit_code == ExitCode.USAGE
    assert "engine.device=cpu" in (error.problems[0].mend or "")


# Release


def test_a_run_under_an_approved_policy_with_keys_for_release_may_be_released(bench: Bench, tmp_path: Path) -> None:
    home = tmp_path / "release"
    make_release_keys(home, {"qa": "qa"})
    lock_testset(bench.table, bench.lock, home=home)
    policy = load_policy(str(bench.policy)).policy
    request = request_for(bench, home=home)
    assert [bar.reason for bar in check(request).bars] == [Bar.APPROVAL_MISSING]
    approve(policy, "Dr Ada Example", "qa", "approved", home, datetime.now(UTC))
    result = check(request)
    assert (result.verdict.verdict, result.bars) == (VerdictWord.PASS, ())
    held = verify(result.folder, load_keys(home).trust)
    assert held.bars == ()
    assert any("Dr Ada Example (qa)" in sentence for sentence in held.checked)


def test_an_approval_after_the_run_began_and_one_of_another_policy_bar_the_release(bench: Bench) -> None:
    policy = load_policy(str(bench.policy)).policy
    late, told = bench.folder / "late.json", []
    approve(policy, "Dr Ada Example", "qa", "approved", bench.home, datetime.now(UTC) + timedelta(hours=1), late)
    result = check(request_for(bench, approval=late), tell=told.append)
    assert {bar.reason for bar in result.bars} == {Bar.DEVELOPMENT_KEY, Bar.APPROVAL_LATER_THAN_RUN}
    assert any("cannot be released" in sentence for sentence in told)
    bench.policy.write_text(bench.policy.read_text() + "notes: [changed]\n")
    result = check(request_for(bench, approval=late))
    assert {bar.reason for bar in result.bars} == {Bar.DEVELOPMENT_KEY, Bar.APPROVAL_MISMATCH}
    assert {bar.reason for bar in verify(result.folder, load_keys(bench.home).trust).bars} == {
        bar.reason for bar in result.bars
    }


def test_an_approval_that_was_given_and_does_not_hold_stops_the_check(bench: Bench) -> None:
    (bench.folder / "given.json").write_text("{}")
    error = refused(request_for(bench, approval=bench.folder / "given.json"))
    assert error.problems[0].code is Code.BAD_SIGNATURE


# How often a test set may be used


def test_a_worn_test_set_is_refused_before_anything_is_run_and_told_of_earlier(bench: Bench) -> None:
    bench.policy.write_text(bench.policy.read_text() + "test_set_use: {max_release_evaluations: 3}\n")
    home, told = bench.folder / "home of its own", []
    lock_testset(bench.table, bench.lock, home=home)

    def check_with(cut: str) -> int:
        bench.candidate.write_text(CANDIDATE.format(operating_point=cut))
        told.clear()
        return check(request_for(bench, home=home), tell=told.append).exposures

    assert check_with("0.50") == 1
    assert told == []
    assert check_with("0.51") == 2
    assert told == ['This is use 2 of the 3 that the policy allows of the test set "discs".']
    assert check_with("0.52") == 3
    assert check_with("0.51") == 3  # what was checked before may be checked again
    bench.candidate.write_text(CANDIDATE.format(operating_point="0.53"))
    with Ledger(home / "ledger.sqlite") as ledger:
        before = ledger.checkpoint()
        with pytest.raises(UsageError) as caught:
            check(request_for(bench, home=home))
        assert ledger.checkpoint() == before
    assert caught.value.problems[0].code is Code.FORBIDDEN
    assert "use 4 of it, and the policy allows 3" in caught.value.problems[0].what
    assert len(bench.runs()) == 4


def test_a_ledger_passes_through_the_checkpoints_that_runs_signed(bench: Bench) -> None:
    home = bench.folder / "home of its own"
    lock_testset(bench.table, bench.lock, home=home)
    runs = [check(request_for(bench, home=home)).folder for _ in range(2)]
    trust = load_keys(home).trust
    with Ledger(home / "ledger.sqlite") as ledger:
        for run in runs:
            ledger.verify(checkpoint_of(run, trust))
            assert checkpoint_of(run / "attestation.dsse.json", trust) == checkpoint_of(run, trust)
    (bench.home / "ledger.sqlite").unlink()
    with Ledger(bench.home / "ledger.sqlite") as ledger, pytest.raises(IntegrityError, match="ledger"):
        ledger.verify(checkpoint_of(runs[0], trust))


@pytest.mark.parametrize(("body_part", "taken"), [("LUNG", True), ("", True), ("HEAD", False)])
def test_an_image_of_another_body_part_is_refused(bench: Bench, body_part: str, taken: bool) -> None:
    write_dicom(bench.folder / "images" / "disc-001-0.dcm", disc(5.0), BodyPartExamined=body_part)
    lock_testset(bench.table, bench.lock, home=bench.home)
    if taken:
        assert check(request_for(bench)).verdict.cases > 0
        return
    error = refused(request_for(bench))
    assert error.problems[0].code is Code.MISMATCH
    assert "body part is not CHEST" in error.problems[0].what


def test_a_gate_that_does_not_judge_the_same_evidence_alike_makes_the_run_invalid(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_order(policy: Policy, evidence: Evidence, operating_point: float, **more: object) -> tuple[Finding, ...]:
        first, *others = judge(policy, evidence, operating_point, **more)  # type: ignore[arg-type]
        return (first.model_copy(update={"estimate": float(evidence.under("baseline").score[0])}), *others)

    monkeypatch.setattr("gatekeeper.verdict.self_test.judge", of_order)
    with pytest.raises(InvalidRunError) as caught:
        check(request_for(bench))
    assert caught.value.exit_code is ExitCode.INVALID
    assert caught.value.problems[0].why == "what differs: sensitivity"
    assert not [run for run in bench.runs() if not run.name.startswith(".")]

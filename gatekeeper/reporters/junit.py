"""A verdict as JUnit XML: one test case a finding, for pipelines that show nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from gatekeeper.errors import printable
from gatekeeper.evidence import Finding, Outcome, Verdict, VerdictWord
from gatekeeper.reporters.told import Failed, Judged

_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def judged_junit(judged: Judged) -> str:
    """Return ``junit_xml`` of the verdict."""
    return junit_xml(judged.verdict)


def junit_xml(verdict: Verdict) -> str:
    """Return JUnit XML. A blocking finding that is not met is a failure, one that is not decided an error.

    Findings that are not met or not decided and are advisory, or waived, are skipped test cases: they never turn a
    pipeline red. A verdict that is not PASS does in any case.
    """
    suite = ET.Element("testsuite", name=f"gatekeeper {verdict.policy_id} {verdict.policy_version}")
    for finding in verdict.findings:
        _add_case(suite, verdict, finding)
    red = [*suite.iter("failure"), *suite.iter("error")]
    if verdict.verdict is not VerdictWord.PASS and not red:
        case = ET.SubElement(suite, "testcase", classname=verdict.policy_id, name="verdict")
        ET.SubElement(case, "error", type=verdict.verdict.value, message=printable(verdict.words))
    return _document(suite)


def failed_junit(failed: Failed) -> str:
    """Return JUnit XML of one test case, which tells in its error all that kept a verdict from being reached."""
    suite = ET.Element("testsuite", name="gatekeeper")
    case = ET.SubElement(suite, "testcase", classname="gatekeeper", name="verdict")
    first = failed.problems[0]
    error = ET.SubElement(case, "error", type=first.code.value, message=printable(first.what))
    error.text = "\n\n".join(str(problem) for problem in failed.problems)
    return _document(suite)


def _add_case(suite: ET.Element, verdict: Verdict, finding: Finding) -> None:
    words, outcome = printable(finding.words), finding.outcome.value
    classname = f"{verdict.policy_id}.{finding.suite}"
    case = ET.SubElement(suite, "testcase", classname=classname, name=printable(finding.id))
    if finding.outcome is Outcome.MET:
        ET.SubElement(case, "system-out").text = words
    elif finding.waived is not None:
        ET.SubElement(case, "skipped", message=f"waived, {outcome}: {words}")
    elif not finding.blocking:
        ET.SubElement(case, "skipped", message=f"advisory, {outcome}: {words}")
    elif finding.outcome is Outcome.NOT_MET:
        ET.SubElement(case, "failure", type=outcome, message=words)
    else:
        ET.SubElement(case, "error", type=finding.reason or outcome, message=words)


def _document(suite: ET.Element) -> str:
    counts = {name: sum(1 for _ in suite.iter(tag)) for name, tag in {"tests": "testcase", **_COUNTED}.items()}
    root = ET.Element("testsuites")
    for element in (root, suite):
        for name, count in counts.items():
            element.set(name, str(count))
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"

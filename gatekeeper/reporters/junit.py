"""A verdict as JUnit XML: one test case a finding, for pipelines that show nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from gatekeeper.errors import printable
from gatekeeper.evidence import Outcome, Verdict


def junit_xml(verdict: Verdict) -> str:
    """Return JUnit XML. A blocking finding that is not met is a failure, one that is not decided an error.

    Findings that are not met or not decided and are advisory, or waived, are skipped test cases: they never turn a
    pipeline red.
    """
    failures = errors = skipped = 0
    suite = ET.Element("testsuite", name=f"gatekeeper {verdict.policy_id} {verdict.policy_version}")
    for finding in verdict.findings:
        name, words = printable(finding.id), printable(finding.words)
        case = ET.SubElement(suite, "testcase", classname=f"{verdict.policy_id}.{finding.suite}", name=name)
        if finding.outcome is Outcome.MET:
            ET.SubElement(case, "system-out").text = words
        elif finding.waived is not None:
            skipped += 1
            ET.SubElement(case, "skipped", message=f"waived, {finding.outcome.value}: {words}")
        elif not finding.blocking:
            skipped += 1
            ET.SubElement(case, "skipped", message=f"advisory, {finding.outcome.value}: {words}")
        elif finding.outcome is Outcome.NOT_MET:
            failures += 1
            ET.SubElement(case, "failure", type=finding.outcome.value, message=words)
        else:
            errors += 1
            ET.SubElement(case, "error", type=finding.reason or finding.outcome.value, message=words)
    counts = {"tests": len(verdict.findings), "failures": failures, "errors": errors, "skipped": skipped}
    for name, count in counts.items():
        suite.set(name, str(count))
    root = ET.Element("testsuites", {name: str(count) for name, count in counts.items()})
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"

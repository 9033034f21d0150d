"""A verdict as SARIF 2.1.0 (OASIS Standard, errata 01), for code scanning: a rule a requirement, a result a finding.

A finding that is met is no result. GitHub reads ``level`` and not ``kind``, and the standard lets only ``fail`` have a
level (3.27.10): so what is not decided is a ``fail`` of level ``warning`` too, for the gate stays shut on it.
"""

from __future__ import annotations

import hashlib
import os
from urllib.parse import quote

from gatekeeper import __version__
from gatekeeper.canonical import JSON, pretty_json
from gatekeeper.errors import Problem, printable
from gatekeeper.evidence import Finding, Outcome
from gatekeeper.reporters.places import Location, anchor, place_of_problem, place_of_requirement
from gatekeeper.reporters.sarif_rules import rules_of
from gatekeeper.reporters.told import Asked, Failed, Judged, by_weight, sentences

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_MOST_RESULTS = 5_000  # GitHub shows no more of a run
_BLOCKING = {Outcome.NOT_MET: "error", Outcome.NOT_DECIDED: "warning"}


def judged_sarif(judged: Judged) -> str:
    """Return a SARIF log of one run, its results the findings that are not met or not decided, the gravest first."""
    verdict = judged.verdict
    findings = [finding for finding in by_weight(verdict.findings) if finding.outcome is not Outcome.MET]
    rules = rules_of(judged.policy)
    numbers = {rule["id"]: number for number, rule in enumerate(rules)}
    results: list[JSON] = [_result(judged, finding, numbers) for finding in findings[:_MOST_RESULTS]]
    times = {"startTimeUtc": verdict.run.started, "endTimeUtc": verdict.run.finished}
    properties: dict[str, JSON] = {
        "verdict": verdict.verdict.value,
        "words": printable(verdict.words),
        "releasable": judged.releasable,
        "candidate": printable(verdict.candidate),
        "digests": verdict.digests.to_json(),
        "findings": len(verdict.findings),
        "resultsLeftOut": max(0, len(findings) - _MOST_RESULTS),
    }
    invocation: dict[str, JSON] = {"executionSuccessful": True, **times}
    run_id = f"gatekeeper/{verdict.policy_id}/{printable(verdict.candidate)}/{verdict.run.id}"
    return _log([*rules], results, invocation, run_id, properties)


def failed_sarif(failed: Failed) -> str:
    """Return a SARIF log of a run that ended in an error: a notification and a result for each problem.

    Results as well, because a log without any would close what an earlier one had opened.
    """
    codes = {problem.code.value: None for problem in failed.problems}
    rules: list[JSON] = [
        {"id": code, "shortDescription": {"text": "The check ended in an error: nothing was judged."}} for code in codes
    ]
    notifications: list[JSON] = [_notification(problem, failed.asked) for problem in failed.problems]
    results: list[JSON] = [_error_result(problem, failed.asked) for problem in failed.problems]
    invocation: dict[str, JSON] = {
        "executionSuccessful": False,
        "exitCode": failed.exit_code,
        "exitCodeDescription": "nothing was judged",
        "toolExecutionNotifications": notifications,
    }
    return _log(rules, results, invocation, "gatekeeper/", {"verdict": None})


def _log(
    rules: list[JSON], results: list[JSON], invocation: dict[str, JSON], run_id: str, properties: dict[str, JSON]
) -> str:
    driver: dict[str, JSON] = {"name": "gatekeeper", "semanticVersion": __version__, "rules": rules}
    run: dict[str, JSON] = {
        "tool": {"driver": driver},
        "automationDetails": {"id": run_id},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": results,
        "properties": properties,
    }
    return pretty_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(judged: Judged, finding: Finding, numbers: dict[JSON, int]) -> JSON:
    rule = finding.id.partition("[")[0]
    level = _BLOCKING[finding.outcome] if finding.blocking and finding.waived is None else "note"
    title = printable(f"{finding.full_title}: {finding.outcome.value}")
    logical: dict[str, JSON] = {"fullyQualifiedName": f"{judged.verdict.policy_id}/{printable(finding.id)}"}
    result: dict[str, JSON] = {
        "ruleId": rule,
        "kind": "fail",
        "level": level,
        "message": {"text": f"{title}. {printable(finding.words)}"},
        "locations": [_location(place_of_requirement(judged, finding.id), logical)],
        "partialFingerprints": _fingerprints(judged.verdict.policy_id, finding.id),
        "properties": {
            "outcome": finding.outcome.value,
            "reason": finding.reason.value if finding.reason else None,
            "blocking": finding.blocking,
            "estimate": finding.estimate,
            "interval": list(finding.interval) if finding.interval else None,
            "n": finding.n,
        },
    }
    if rule in numbers:
        result["ruleIndex"] = numbers[rule]
    if finding.waived is not None:
        why = printable(f"{finding.waived.reason} (by {finding.waived.by}, until {finding.waived.expires})")
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
    return result


def _notification(problem: Problem, asked: Asked) -> JSON:
    return {
        "level": "error",
        "descriptor": {"id": problem.code.value},
        "message": {"text": _told(problem)},
        "locations": [_of_problem(problem, asked)],
    }


def _error_result(problem: Problem, asked: Asked) -> JSON:
    return {
        "ruleId": problem.code.value,
        "kind": "fail",
        "level": "error",
        "message": {"text": _told(problem)},
        "locations": [_of_problem(problem, asked)],
        "partialFingerprints": _fingerprints("gatekeeper", f"{problem.code.value} {problem.what}"),
    }


def _of_problem(problem: Problem, asked: Asked) -> JSON:
    """Return a place in any case: GitHub refuses a log with a result that has none."""
    return _location(place_of_problem(problem, asked) or anchor(asked), {"fullyQualifiedName": "gatekeeper"})


def _told(problem: Problem) -> str:
    where = f" ({problem.where})" if problem.where else ""
    return printable(sentences(problem) + where)


def _location(found: Location | None, logical: dict[str, JSON]) -> JSON:
    if found is None:
        return {"logicalLocations": [logical]}
    region: dict[str, JSON] = {"startLine": found.line}
    if found.column is not None:
        region["startColumn"] = found.column
    artifact: dict[str, JSON] = {"uri": quote(os.fsencode(found.path)), "uriBaseId": _ROOT}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}, "logicalLocations": [logical]}


def _fingerprints(policy: str, finding: str) -> JSON:
    """Name a result by what it is about, whatever its line and its numbers; the second is the one that GitHub reads."""
    digest = hashlib.sha256(f"{policy}\0{finding}".encode("utf-8", "replace")).hexdigest()[:16]
    return {"gatekeeperFinding/v1": digest, "primaryLocationLineHash": f"{digest}:1"}

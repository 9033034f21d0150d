"""A verdict for GitHub Actions: the job summary, annotations on the policy's own lines, and the step's outputs.

Workflow commands and environment files are as GitHub's documentation of Actions tells of them ("Workflow commands for
GitHub Actions").
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from gatekeeper.errors import printable
from gatekeeper.evidence import Finding, Outcome
from gatekeeper.reporters.markdown import page
from gatekeeper.reporters.places import Location, place_of_problem, place_of_requirement
from gatekeeper.reporters.reporter import RunnerReport
from gatekeeper.reporters.told import Failed, Judged, Told, by_weight, closes_the_gate, sentences

MOST_ANNOTATIONS = 10  # GitHub shows no more of a step
MOST_BYTES = 1_000_000  # of a job summary; GitHub refuses more than 1 MiB
NO_VERDICT = "ERROR"
OUTPUTS = ("verdict", "releasable", "dossier", "attestation", "digest", "run")


def summary(told: Told, most_bytes: int = MOST_BYTES) -> str:
    """Return the page of a job summary, with a note where not all that closes the gate is annotated."""
    note = _not_annotated(told)
    return page(told, most_bytes - len(note.encode())) + note


def on_runner(told: Told) -> RunnerReport:
    """Return all that a runner is told."""
    return RunnerReport(
        summary=lambda most_bytes: summary(told, most_bytes), commands=tuple(_commands(told)), outputs=outputs(told)
    )


def outputs(told: Told) -> dict[str, str]:
    """Return the step's outputs. Without a verdict ``verdict`` is ERROR, and what there is not is empty.

    Paths are absolute: the steps that read them may work in another folder.
    """
    values = dict.fromkeys(OUTPUTS, "")
    if isinstance(told, Failed):
        return {**values, "verdict": NO_VERDICT, "releasable": "false"}
    values["verdict"] = told.verdict.verdict.value
    values["releasable"] = "true" if told.releasable else "false"
    values["digest"] = told.verdict.digests.candidate
    if told.run is not None:
        files = {"run": told.run.folder, "dossier": told.run.dossier, "attestation": told.run.attestation}
        values |= {name: os.path.abspath(file) for name, file in files.items()}
    return values


def command(level: str, location: Location | None, title: str, message: str) -> str:
    """Return a workflow command that annotates a line; nothing in its texts can begin another command."""
    properties = {"title": title}
    if location is not None:
        properties = {"file": location.path, "line": str(location.line), **properties}
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{_data(message)}"


def _commands(told: Told) -> Iterator[str]:
    if isinstance(told, Failed):
        for problem in told.problems[:MOST_ANNOTATIONS]:
            location = place_of_problem(problem, told.asked)
            yield command("error", location, f"gatekeeper {problem.code.value}", sentences(problem))
        return
    for finding in _annotated(told)[:MOST_ANNOTATIONS]:
        level = "error" if finding.outcome is Outcome.NOT_MET else "warning"
        title = f"{finding.full_title}: {finding.outcome.value}"
        yield command(level, place_of_requirement(told, finding.id), title, finding.words)


def _annotated(judged: Judged) -> list[Finding]:
    return [finding for finding in by_weight(judged.verdict.findings) if closes_the_gate(finding)]


def _not_annotated(told: Told) -> str:
    if isinstance(told, Failed) or len(_annotated(told)) <= MOST_ANNOTATIONS:
        return ""
    more = len(_annotated(told)) - MOST_ANNOTATIONS
    return (
        f"\nGitHub shows {MOST_ANNOTATIONS} annotations of a step: {more:,} findings that close the gate have none.\n"
    )


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

"""A verdict as JSON: what ``--json`` prints."""

from __future__ import annotations

from dataclasses import asdict

from gatekeeper.canonical import JSON, pretty_json
from gatekeeper.errors import Place, Problem
from gatekeeper.reporters.told import Failed, FinishedRun, Judged


def judged_json(judged: Judged) -> str:
    """Return the content of ``verdict.json``; of a finished run also ``release``, which tells what that lacks.

    Where it was asked for, the content of ``self_test.json`` stands under ``self_test``.
    """
    content = judged.verdict.to_json()
    run = judged.run
    if run is not None:
        content["release"] = _release(run)
        if run.with_self_test:
            content["self_test"] = run.self_test.to_json()
    return pretty_json(content)


def failed_json(failed: Failed) -> str:
    """Return all that is wrong under ``error``; there is no ``verdict``."""
    problems: list[JSON] = [_problem(problem) for problem in failed.problems]
    return pretty_json({"error": {"exit_code": failed.exit_code, "problems": problems}})


def _release(run: FinishedRun) -> dict[str, JSON]:
    return {
        "releasable": not run.bars,
        "bars": [{"reason": bar.reason.value, "words": bar.words, "mend": bar.mend} for bar in run.bars],
        "development": run.development,
        "exposures": run.exposures,
        "folder": str(run.folder),
    }


def _problem(problem: Problem) -> dict[str, JSON]:
    return {
        "code": problem.code.value,
        "what": problem.what,
        "where": None if problem.where is None else _place(problem.where),
        "why": problem.why,
        "mend": problem.mend,
    }


def _place(place: Place) -> dict[str, JSON]:
    return {name: value for name, value in asdict(place).items() if name != "excerpt" and value is not None}

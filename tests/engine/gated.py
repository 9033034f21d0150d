"""A check through the whole gate, and what its evidence says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from made_up_bench import Bench

from gatekeeper.errors import GatekeeperError
from gatekeeper.evaluation import evaluate
from gatekeeper.evidence import BASELINE, read_evidence
from gatekeeper.gate import CheckRequest, CheckResult, check
from gatekeeper.trust import load_keys
from gatekeeper.verification import verify

CPU = "engine.device=cpu"


def request_for(bench: Bench, policy: str, candidate: Path, *overrides: str) -> CheckRequest:
    """Write a policy beside a candidate, and return what to check; runs go into a folder beside them."""
    (candidate.parent / "policy.yaml").write_text(policy)
    return CheckRequest(
        policy=str(candidate.parent / "policy.yaml"),
        candidate=candidate,
        testset=bench.lock,
        out=candidate.parent / "reports",
        home=bench.home,
        overrides=(CPU, *overrides),
    )


def checked(bench: Bench, policy: str, candidate: Path, *overrides: str) -> CheckResult:
    """Check a candidate, and see that the run verifies and that its evidence gives the same verdict again."""
    result = check(request_for(bench, policy, candidate, *overrides))
    trust = load_keys(bench.home).trust
    assert any("numbers recomputed" in sentence for sentence in verify(result.folder, trust).checked)
    assert evaluate(result.folder, trust).reproducible == result.verdict.reproducible
    return result


def refused(bench: Bench, policy: str, candidate: Path, *overrides: str, needs_mend: bool = True) -> GatekeeperError:
    """Check what must end in an error that says how to mend it, and see that nothing is left that looks like a run."""
    request = request_for(bench, policy, candidate, *overrides)
    try:
        result = check(request)
    except GatekeeperError as error:
        assert not request.out.exists() or not list(request.out.iterdir())
        for problem in error.problems:
            assert problem.mend or not needs_mend, problem.what
        return error
    raise AssertionError(f"it was checked: {result.verdict.verdict}")


def rows_of(run: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of the baseline, by case."""
    rows = read_evidence(run / "evidence" / "cases.parquet").table.to_pylist()
    return {row["case_id"]: row for row in rows if row["condition"] == BASELINE.id}


def column(run: Path, name: str) -> dict[str, Any]:
    """Return a column of the baseline, by case; every case has an answer."""
    rows = rows_of(run)
    assert {(row["outcome"], row["fault"]) for row in rows.values()} == {("ok", "")}
    return {case: row[name] for case, row in rows.items()}

"""What MLflow is told of a verified run, in MLflow's own kinds: parameters, metrics, tags."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from gatekeeper.canonical import digest_bytes
from gatekeeper.evidence import Finding
from gatekeeper.mlflow_server import PREFIX
from gatekeeper.verification import Verification

# MLflow takes letters, digits, "_", "-", ".", " ", ":" and "/", up to 250 of them; "/" makes a group of its page.
_UNFIT = re.compile(r"[^A-Za-z0-9_\-. ]")
_LONGEST_NAME = 200


def parameters(verified: Verification) -> dict[str, str]:
    """Return what the run was of: policy, candidate, test set, plan, numeric format."""
    verdict, records = verified.verdict, verified.records
    return {
        "policy.id": verdict.policy_id,
        "policy.version": verdict.policy_version,
        "policy.digest": verdict.digests.policy,
        "candidate.name": verdict.candidate,
        "candidate.digest": verdict.digests.candidate,
        "testset.name": verdict.testset,
        "testset.digest": verdict.digests.lock,
        "plan.digest": verdict.digests.plan,
        "numeric_format": records.environment.numeric_format,
    }


def metrics(verified: Verification) -> dict[str, float]:
    """Return every finding's ``estimate``, ``lower``, ``upper`` and ``n``, and how many cases and patients there were.

    A limit that there is not, or that is no finite number, is left out: MLflow would draw it.
    """
    verdict = verified.verdict
    found: dict[str, float] = {"cases": float(verdict.cases), "patients": float(verdict.patients)}
    for finding in verdict.findings:
        name = _name(finding.id, found)
        found |= {f"{name}/{part}": value for part, value in _numbers(finding)}
    return found


def tags(verified: Verification) -> dict[str, str]:
    """Return what the run is found by, and how it ended."""
    verdict = verified.verdict
    told = {
        "verdict": verdict.verdict.value,
        "releasable": str(not verified.bars).lower(),
        "bars": " ".join(bar.reason.value for bar in verified.bars),
        "development": str(verified.development).lower(),
        "exploratory": str(verdict.exploratory).lower(),
        "signed": " ".join(verified.signed),
        "context": verdict.policy_id,
        "candidate": verdict.digests.candidate,
        "policy": verdict.digests.policy,
        "testset": verdict.digests.lock,
        "run": verdict.run.id,
        "dossier": verified.digest,
        "reproducible": verdict.reproducible,
    }
    return {f"{PREFIX}{name}": value for name, value in told.items()}


def _numbers(finding: Finding) -> Iterator[tuple[str, float]]:
    lower, upper = finding.interval or (None, None)
    for part, value in (("estimate", finding.estimate), ("lower", lower), ("upper", upper), ("n", float(finding.n))):
        if value is not None and math.isfinite(value):
            yield part, value


def _name(given: str, taken: dict[str, float]) -> str:
    """Return a name that MLflow takes; one that had to be changed ends with a digest, so that no two become one."""
    fit = _UNFIT.sub("_", given).strip(". ")
    while ".." in fit:
        fit = fit.replace("..", "_")
    if fit == given and len(fit) <= _LONGEST_NAME and fit not in taken:
        return fit
    return f"{fit[:_LONGEST_NAME]}-{digest_bytes(given.encode()).removeprefix('sha256:')[:8]}"

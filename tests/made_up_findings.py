"""Findings and verdicts made up by hand: no number here was measured on anything."""

from __future__ import annotations

from gatekeeper.evidence import Digests, Finding, Outcome, RunStamp, Threshold, Verdict, VerdictWord

DIGESTS = Digests(
    policy="sha256:" + "1" * 64, candidate="sha256:" + "2" * 64, lock="sha256:" + "3" * 64, plan="sha256:" + "4" * 64
)


def finding(**changes: object) -> Finding:
    """Return a finding that is met, with these changes."""
    content: dict[str, object] = {
        "id": "sensitivity",
        "suite": "performance",
        "metric": "sensitivity",
        "title": "Sensitivity",
        "outcome": Outcome.MET,
        "estimate": 0.931,
        "interval": (0.9, 0.96),
        "confidence": 0.95,
        "method": "Wilson score",
        "n": 100,
        "n_of": "positive cases",
        "patients": 100,
        "unit": "1",
        "threshold": Threshold(of="lower_limit", at_least=0.8),
        "blocking": True,
        "words": "Of the malignant nodules, 93.1 % are found.",
    }
    return Finding.model_validate(content | changes)


def verdict(*findings: Finding, **changes: object) -> Verdict:
    """Return a verdict of these findings, with these changes."""
    content: dict[str, object] = {
        "verdict": VerdictWord.PASS,
        "words": "Made up.",
        "policy_id": "made_up",
        "policy_version": "1.0.0",
        "candidate": "nodule_cnn",
        "testset": "discs",
        "cases": 1200,
        "patients": 60,
        "exploratory": False,
        "digests": DIGESTS,
        "findings": findings,
        "reproducible": "sha256:" + "5" * 64,
        "run": RunStamp(id="run", started="2026-01-01T00:00:00Z", finished="2026-01-01T00:00:01Z"),
    }
    return Verdict.model_validate(content | changes)

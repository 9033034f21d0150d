"""The use cases on stored evidence: judge it again, plant defects in it. Nothing is run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gatekeeper.attestation import open_attestation
from gatekeeper.configuration import configure
from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import Verdict
from gatekeeper.policy import LoadedPolicy, Policy, load_policy
from gatekeeper.policy.lint import Remark
from gatekeeper.run_records import ATTESTATION, RunRecords, read_records, read_run_files
from gatekeeper.suites import plan_policy
from gatekeeper.trust import Trust
from gatekeeper.verdict import blind_spots, conclude, judge, run_self_test


@dataclass(frozen=True)
class Evaluation:
    """Evidence judged again: verdict and policy. ``loaded`` knows places; None for the run's own policy."""

    verdict: Verdict
    policy: Policy
    loaded: LoadedPolicy | None


def evaluate(folder: Path, trust: Trust, policy: str | None = None, overrides: tuple[str, ...] = ()) -> Verdict:
    """Return the verdict of ``judge_again``."""
    return judge_again(folder, trust, policy, overrides).verdict


def judge_again(folder: Path, trust: Trust, policy: str | None = None, overrides: tuple[str, ...] = ()) -> Evaluation:
    """Judge the evidence of a finished run again, under its own policy or another one. Nothing is run or written.

    Under another policy the verdict is exploratory: thresholds chosen after the evidence was seen release nothing.
    Raises IntegrityError when the run's files are not those that a trusted key attested.
    """
    records = _attested(folder, trust)
    loaded: LoadedPolicy | None = None
    if policy is None and not overrides:
        judged, exploratory = records.policy, records.verdict.exploratory
    else:
        if policy is None:
            raise UsageError(Code.MISSING_KEY, "an override needs a policy to change", mend="give --policy as well")
        loaded, _ = configure(policy, overrides)
        judged = loaded.policy
        exploratory = loaded.exploratory or judged.digest != records.policy.digest
    findings = judge(
        judged,
        records.evidence,
        records.candidate.contract.operating_point,
        environment=records.environment,
        started=records.verdict.run.started,
    )
    verdict = conclude(
        judged,
        plan_policy(judged),
        findings,
        records.candidate,
        records.manifest,
        records.verdict.run,
        evidence=records.evidence,
        exploratory=exploratory,
    )
    return Evaluation(verdict, judged, loaded)


def lint_against(policies: tuple[str, ...], folder: Path, trust: Trust) -> dict[str, tuple[Remark, ...]]:
    """Say of each policy, by its name or file, which defects planted in the evidence of a finished run it does not see.

    Raises UsageError for a policy of another task than the run's, and IntegrityError as ``evaluate`` does.
    """
    records = _attested(folder, trust)
    found = {}
    for name in policies:
        loaded, task = load_policy(name), records.policy.context.task
        if loaded.policy.context.task != task:
            raise UsageError(
                Code.MISMATCH,
                f"a policy of {loaded.policy.context.task} says nothing about a run of {task}",
                where=name,
                mend="give a run of the policy's own task with --against",
            )
        tested = run_self_test(
            loaded.policy,
            records.evidence,
            records.candidate.contract.operating_point,
            environment=records.environment,
            started=records.verdict.run.started,
        )
        found[name] = blind_spots(loaded, tested)
    return found


def _attested(folder: Path, trust: Trust) -> RunRecords:
    files = read_run_files(folder)
    open_attestation(folder / ATTESTATION, trust).hold(files, str(folder))
    return read_records(files, str(folder))

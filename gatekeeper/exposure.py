"""The use of a test set: written down in the ledger before anything is run, and refused where the set is worn."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.candidate import Candidate
from gatekeeper.canonical import JSON
from gatekeeper.errors import Code, UsageError
from gatekeeper.policy import Policy
from gatekeeper.testset import LockedTestSet
from gatekeeper.trust import Ledger

if TYPE_CHECKING:
    from gatekeeper.dossier import LedgerFact


def record_use(
    home: Path,
    candidate: Candidate,
    testset: LockedTestSet,
    policy: Policy,
    started: str,
    tell: Callable[[str], None],
) -> LedgerFact:
    """Write down that the test set is about to be used (``started``: ISO 8601, UTC), before anything is run.

    A candidate under a policy counts once, however often it is run. Raises UsageError when that would be one use more
    than the policy allows.
    """
    from gatekeeper.dossier import LedgerFact

    use: dict[str, JSON] = {
        "lock": testset.manifest.digest,
        "candidate": candidate.record.digest,
        "policy": policy.digest,
        "purpose": "check",
        "actor": _actor(),
    }
    allowed = policy.test_set_use.max_release_evaluations if policy.test_set_use else None
    with Ledger(home / "ledger.sqlite") as ledger:
        _refuse_worn(len(_uses(ledger, testset) | {(use["candidate"], use["policy"])}), allowed, testset, tell)
        ledger.append("testset.opened", use, started)
        exposures, checkpoint = len(_uses(ledger, testset)), ledger.checkpoint()
    return LedgerFact(sequence=checkpoint.size, head=checkpoint.head, exposures=exposures)


def _uses(ledger: Ledger, testset: LockedTestSet) -> set[tuple[JSON, JSON]]:
    bodies = (entry.body for entry in ledger.entries("testset.opened"))
    return {(body["candidate"], body["policy"]) for body in bodies if body.get("lock") == testset.manifest.digest}


def _refuse_worn(exposures: int, allowed: int | None, testset: LockedTestSet, tell: Callable[[str], None]) -> None:
    if allowed is None:
        return
    name = testset.manifest.name
    if exposures > allowed:
        raise UsageError(
            Code.FORBIDDEN,
            f'the test set "{name}" is worn: this would be use {exposures:,} of it, and the policy allows {allowed:,}',
            why="every release decided on the same cases tells the developer more about them",
            mend="lock cases that nobody has tuned on; what was checked before may be checked again",
        )
    if exposures >= allowed - 1:
        tell(f'This is use {exposures:,} of the {allowed:,} that the policy allows of the test set "{name}".')


def _actor() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return f"uid {os.getuid()}"

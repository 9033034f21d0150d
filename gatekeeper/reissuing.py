"""The use case: a run's dossier made again from its verified evidence, under other keys. Nothing is run."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gatekeeper.canonical import JSON
from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import Verdict
from gatekeeper.gate import material_of, write_run
from gatekeeper.policy.approval import FoundApproval, open_approval
from gatekeeper.run_records import APPROVAL, new_run
from gatekeeper.trust import Ledger, Trust, load_baseline, load_keys
from gatekeeper.verdict import ReleaseBar, release_bars
from gatekeeper.verification import Verification, verify


@dataclass(frozen=True)
class Reissued:
    """A dossier issued anew: the verdict, the new run's folder, what bars a release, and who had signed before.

    ``before`` is the fingerprint of the certificate that had signed the run.
    """

    verdict: Verdict
    folder: Path
    development: bool
    bars: tuple[ReleaseBar, ...]
    before: str


def reissue(run: Path, out: Path, home: Path, trust: Trust, approval: Path | None = None) -> Reissued:
    """Verify a run as ``trust`` has it, and write it anew below ``out``, signed by the tool's key in ``home``.

    So a machine that holds the keys for release needs neither model nor images, and a machine that runs models needs no
    such key. The records stay as they are, and with them the verdict; the approval (the run's own, unless one is given)
    is held against what ``home`` trusts. Pictures, the remarks of the run and the names of the policy's files are not
    among the records, and so not in the new dossier. The state of the ledger is the one that the run had attested.

    Raises UsageError where ``run`` is no folder of a run, or people have signed it already, and IntegrityError where it
    does not hold; then nothing was written.
    """
    if not os.path.isdir(run):
        mend = "give a folder that `gatekeeper check` wrote"
        raise UsageError(Code.FILE_NOT_FOUND, "not the folder of a finished run", where=str(run), mend=mend)
    verified = verify(run, trust)
    if len(verified.signed) > 1:
        raise UsageError(
            Code.DUPLICATE,
            f"this dossier is signed by the {' and the '.join(verified.signed[1:])}, whose signatures would be lost",
            where=str(run),
            mend="issue a run anew before people sign it",
        )
    keys = load_keys(home)
    records, ledger = verified.records, verified.standing.ledger
    found = _approval(verified, keys.trust, approval, str(run))
    bars = release_bars(
        records.verdict, records.policy, found, development=keys.development, exposures=ledger.exposures
    )
    from gatekeeper.dossier import LedgerFact

    before = verified.signatures[0]
    note = (
        f"Issued anew from the stored evidence of run {records.verdict.run.id}, which {before.fingerprint} had signed. "
        "Nothing was run again; pictures and the remarks of the run are in that dossier alone."
    )
    records = replace(records, approval=found.envelope)
    fact = LedgerFact(ledger.size, ledger.head, ledger.exposures)
    material = material_of(records, fact, (note,), found, bars, development=keys.development)
    with new_run(out, run.resolve().name) as issued:
        write_run(issued.partial, records, material, keys, load_baseline(keys.folder))
    with Ledger(home / "ledger.sqlite") as book:
        body: dict[str, JSON] = {"run": records.verdict.run.id, "from": verified.digest, "signer": before.fingerprint}
        book.append("dossier.reissued", body, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    return Reissued(records.verdict, issued.final, keys.development, bars, before.fingerprint)


def _approval(verified: Verification, trust: Trust, given: Path | None, where: str) -> FoundApproval:
    if given is not None:
        return FoundApproval(open_approval(given, trust), given.read_bytes())
    envelope = verified.records.approval
    if envelope is None:
        return FoundApproval()
    return FoundApproval(open_approval(envelope, trust, f"{where}: {APPROVAL}"), envelope)

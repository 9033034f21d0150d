"""The page for browsers, made again from a dossier that was verified."""

from __future__ import annotations

from gatekeeper.gate import material_of
from gatekeeper.verification import Verification

_NOTE = (
    "This page was made again from the signed dossier, which alone holds the pictures, the remarks of the run and the "
    "names of the policy's files."
)


def page_of(verified: Verification) -> str:
    """Return the page of a verified dossier, of what is attached to it; the same text each time."""
    from gatekeeper.dossier import LedgerFact, render_web

    ledger = verified.standing.ledger
    material = material_of(
        verified.records,
        LedgerFact(ledger.size, ledger.head, ledger.exposures),
        (_NOTE,),
        verified.approval,
        verified.standing.bars,
        development=verified.standing.development,
    )
    return render_web(material, verified.attached, verified.digest)

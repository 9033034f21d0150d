"""Evidence and verdict as a document: one page for a radiologist, an hour for a regulator."""

from gatekeeper.dossier.geometry import SignatureBox
from gatekeeper.dossier.material import (
    DossierMaterial,
    Ladder,
    LadderStep,
    LedgerFact,
    RepeatScatter,
    RocCurve,
)
from gatekeeper.dossier.pdf import RenderedDossier, render_dossier

__all__ = [
    "DossierMaterial",
    "Ladder",
    "LadderStep",
    "LedgerFact",
    "RenderedDossier",
    "RepeatScatter",
    "RocCurve",
    "SignatureBox",
    "render_dossier",
]

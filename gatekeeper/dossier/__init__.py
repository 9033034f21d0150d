"""Evidence and verdict as a document: one page for a radiologist, an hour for a regulator."""

from gatekeeper.dossier.curves import RocCurve
from gatekeeper.dossier.gather_structures import structure_results
from gatekeeper.dossier.geometry import SignatureBox
from gatekeeper.dossier.material import (
    DossierMaterial,
    Ladder,
    LadderStep,
    LedgerFact,
    Overlay,
    RepeatScatter,
    StructureResult,
    StructureValue,
    VolumePairs,
)
from gatekeeper.dossier.overlays import overlays_of, pictures_of
from gatekeeper.dossier.pdf import RenderedDossier, render_dossier
from gatekeeper.dossier.web import render_web

__all__ = [
    "DossierMaterial",
    "Ladder",
    "LadderStep",
    "LedgerFact",
    "Overlay",
    "RenderedDossier",
    "RepeatScatter",
    "RocCurve",
    "SignatureBox",
    "StructureResult",
    "StructureValue",
    "VolumePairs",
    "overlays_of",
    "pictures_of",
    "render_dossier",
    "render_web",
    "structure_results",
]

"""How an acquisition or a contour can go wrong: one file each, by family. All of them stand in this table."""

from __future__ import annotations

from gatekeeper.catalogue import Catalogue
from gatekeeper.perturbations.contour.dilation import CONTOUR_DILATION
from gatekeeper.perturbations.contour.erosion import CONTOUR_EROSION
from gatekeeper.perturbations.contour.rotation import CONTOUR_ROTATION
from gatekeeper.perturbations.contour.translation import CONTOUR_TRANSLATION
from gatekeeper.perturbations.specification import Perturbation, Stack, case_seed

PERTURBATIONS: Catalogue[Perturbation] = Catalogue(
    "perturbation",
    [
        CONTOUR_TRANSLATION,
        CONTOUR_ROTATION,
        CONTOUR_EROSION,
        CONTOUR_DILATION,
    ],
    listed_by="gatekeeper policy perturbations",
)

__all__ = ["PERTURBATIONS", "Perturbation", "Stack", "case_seed"]

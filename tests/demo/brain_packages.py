"""What the demonstration of brain extraction needs of other packages, with marks that skip; what its dossier shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatekeeper.demo.brain import find_heads
from gatekeeper.demo.deepbet_plugin import weights_folder
from gatekeeper.errors import UsageError


def _heads_are_here() -> bool:
    try:
        find_heads()
    except UsageError:
        return False
    return True


def _deepbet_is_here() -> bool:
    try:
        weights_folder()
    except UsageError:
        return False
    return True


needs_heads = pytest.mark.skipif(not _heads_are_here(), reason="needs the heads of mricron-data and nilearn")
needs_deepbet = pytest.mark.skipif(not _deepbet_is_here(), reason="needs deepbet and its weights")


def pictured_in(run: Path) -> tuple[int, str]:
    """Return how many different pixel images a run's dossier holds, and what it says, on one line."""
    pypdf = pytest.importorskip("pypdf")
    pages = pypdf.PdfReader(run / "dossier.pdf").pages
    different = {image.data for page in pages for image in page.images}
    return len(different), " ".join(" ".join(page.extract_text() for page in pages).split())

from __future__ import annotations

import warnings
from datetime import UTC, datetime

import pytest
from trust_material import ATTACHED, BOXES, MEANING, SIGNED_AT, Trio, make_trio

from gatekeeper.trust.pdf_signature import Stamp, sign_pdf


@pytest.fixture(scope="session")
def trio() -> Trio:
    return make_trio()


@pytest.fixture(scope="session")
def strangers() -> Trio:
    return make_trio()


@pytest.fixture(scope="session")
def unsigned_pdf() -> bytes:
    from weasyprint import HTML, Attachment

    written = datetime(2026, 3, 4, tzinfo=UTC)
    attachment = Attachment(string=ATTACHED, name="verdict.json", created=written, modified=written)
    page = '<html lang="en"><title>Dossier</title><body><p>PASS</p><p style="break-before: page">Second page</p>'
    with warnings.catch_warnings():
        # WeasyPrint leaves its colour profile to be closed by the interpreter.
        warnings.simplefilter("ignore", ResourceWarning)
        pdf: bytes = HTML(string=page).write_pdf(pdf_variant="pdf/a-3u", pdf_tags=True, attachments=[attachment])
    return pdf


@pytest.fixture(scope="session")
def signed_pdf(unsigned_pdf: bytes, trio: Trio) -> bytes:
    stamp = Stamp(MEANING, BOXES)
    return sign_pdf(unsigned_pdf, trio.ring.tool, trio.ring.root, stamp=stamp, signing_time=SIGNED_AT)

"""Signing a dossier: three signature fields, the tool's certification of the document, and countersignatures.

The fields of the engineer and of QA are made empty before the tool signs, so that countersigning only fills a form:
the one kind of change that the certification (DocMDP P=2) leaves open. QA's field locks the document once it is filled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from gatekeeper.trust import _certificates as certificates
from gatekeeper.trust._pdf_session import open_writer, sign_field
from gatekeeper.trust._quiet import quiet
from gatekeeper.trust.baseline import OFFLINE, Baseline

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    from gatekeeper.trust.keys import Signer

# role -> name of its signature field, in the order of signing
FIELDS = {"tool": "GatekeeperTool", "engineer": "Engineer", "qa": "QA"}

_LABELS = {"tool": "Signature of the tool", "engineer": "Signature of the engineer", "qa": "Signature of QA"}


class Box(Protocol):
    """A rectangle on a page: ``page`` counts from 0; corners in PDF points, the origin at the page's bottom left."""

    @property
    def page(self) -> int:
        """Index of the page."""

    @property
    def x1(self) -> float:
        """Left edge."""

    @property
    def y1(self) -> float:
        """Bottom edge."""

    @property
    def x2(self) -> float:
        """Right edge."""

    @property
    def y2(self) -> float:
        """Top edge."""


@dataclass(frozen=True)
class Stamp:
    """What the tool's visible mark says beside name and time, and where the marks of all three roles stand.

    ``boxes`` has one box for each of ``tool``, ``engineer`` and ``qa``.
    """

    meaning: str
    boxes: Mapping[str, Box]


def sign_pdf(
    pdf: bytes,
    signer: Signer,
    chain_root: Certificate,
    *,
    stamp: Stamp,
    signing_time: datetime,
    baseline: Baseline = OFFLINE,
) -> bytes:
    """Return the PDF with its three signature fields, certified by the tool.

    One revision is appended; the signature covers the file from its first byte to its last. ``signing_time`` is an
    aware datetime in UTC. Raises ValueError when it is not, when a box is missing, empty or on no page, when the
    stamp does not fit, or when ``pdf`` is no PDF of one revision without a form; IntegrityError UNTRUSTED_KEY when
    ``chain_root`` did not issue the signer's certificate, or one of the two was not valid at ``signing_time``;
    InvalidRunError NO_TIMESTAMP when a timestamp is wanted and not to be had.
    """
    from pyhanko.sign.fields import MDPPerm
    from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata

    if set(stamp.boxes) != set(FIELDS) or not all(b.x1 < b.x2 and b.y1 < b.y2 for b in stamp.boxes.values()):
        raise ValueError(f"a stamp has one box that is not empty for each of {', '.join(FIELDS)}")
    _check(signer, chain_root, stamp.meaning, signing_time)
    with quiet():
        writer = open_writer(pdf)
        if writer.prev.total_revisions != 1 or "/AcroForm" in writer.root:
            raise ValueError("only a PDF of one revision, without a form, can be certified")
        _add_fields(writer, stamp.boxes)
        metadata = PdfSignatureMetadata(
            field_name=FIELDS["tool"],
            name=signer.common_name,
            reason=stamp.meaning,
            certify=True,
            docmdp_permissions=MDPPerm.FILL_FORMS,
        )
        box = stamp.boxes["tool"]
        return sign_field(
            writer,
            metadata,
            signer,
            chain_root,
            size=(box.x2 - box.x1, box.y2 - box.y1),
            signing_time=signing_time,
            baseline=_until_the_last(baseline),
        )


def countersign_pdf(
    pdf: bytes,
    signer: Signer,
    chain_root: Certificate,
    *,
    meaning: str,
    signing_time: datetime,
    baseline: Baseline = OFFLINE,
) -> bytes:
    """Return the PDF with the field of the signer's role filled, in one more revision.

    ``pdf`` is a dossier whose signatures hold and whose field of that role is the next to be filled: ``verify_pdf``
    must have been asked before. Raises as ``sign_pdf`` does, and ValueError when there is no such field.
    """
    from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata

    _check(signer, chain_root, meaning, signing_time)
    with quiet():
        writer = open_writer(pdf)
        metadata = PdfSignatureMetadata(field_name=FIELDS[signer.role], name=signer.common_name, reason=meaning)
        last = signer.role == tuple(FIELDS)[-1]
        return sign_field(
            writer,
            metadata,
            signer,
            chain_root,
            size=_size_of(writer, FIELDS[signer.role]),
            signing_time=signing_time,
            baseline=baseline if last else _until_the_last(baseline),
        )


def _check(signer: Signer, root: Certificate, meaning: str, signing_time: datetime) -> None:
    if signing_time.utcoffset() != timedelta(0):
        raise ValueError("a signing time is aware and in UTC")
    if not meaning.strip():
        raise ValueError("a signature has a meaning")
    certificates.require_issued_by(signer.certificate, root, where="signing key", at=signing_time)


def _until_the_last(baseline: Baseline) -> Baseline:
    """Return the level of those who are not the last to sign: a timestamp over the whole is the last one's to add."""
    return replace(baseline, level="B-LT") if baseline.level == "B-LTA" else baseline


def _size_of(writer: IncrementalPdfFileWriter, name: str) -> tuple[float, float]:
    """Return width and height in points of an empty signature field."""
    for reference in writer.root["/AcroForm"]["/Fields"]:
        field = reference.get_object()
        if str(field["/T"]) == name and "/V" not in field:
            x1, y1, x2, y2 = (float(corner) for corner in field["/Rect"])
            return x2 - x1, y2 - y1
    raise ValueError(f"there is no empty field {name}")


def _add_fields(writer: IncrementalPdfFileWriter, boxes: Mapping[str, Box]) -> None:
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec, append_signature_field

    everything = FieldMDPSpec(FieldMDPAction.ALL)
    for role, name in FIELDS.items():
        box = boxes[role]
        field = SigFieldSpec(
            name,
            on_page=box.page,
            box=(box.x1, box.y1, box.x2, box.y2),  # type: ignore[arg-type]  # it takes fractions of a point as well
            readable_field_name=_LABELS[role],
            field_mdp_spec=everything if role == "qa" else None,
            doc_mdp_update_value=MDPPerm.NO_CHANGES if role == "qa" else None,
        )
        try:
            append_signature_field(writer, field)
        except PdfError as error:
            raise ValueError(f"the PDF has no page {box.page} for the box of {role}") from error

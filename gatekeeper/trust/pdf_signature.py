"""Signing a dossier: three signature fields, and the tool's certification of the document (PAdES B-B, offline).

The fields of the engineer and of QA are made empty before the tool signs, so that countersigning only fills a form:
the one kind of change that the certification (DocMDP P=2) leaves open. QA's field locks the document once it is filled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gatekeeper.trust import _certificates as certificates
from gatekeeper.trust._quiet import quiet
from gatekeeper.trust._stamp import render_stamp

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.signers import PdfSigner, SimpleSigner
    from pyhanko.stamp import StaticStampStyle

    from gatekeeper.trust.keys import Signer

# role -> name of its signature field, in the order of signing
FIELDS = {"tool": "GatekeeperTool", "engineer": "Engineer", "qa": "QA"}

_LABELS = {"tool": "Signature of the tool", "engineer": "Signature of the engineer", "qa": "Signature of QA"}
_CMS_ALLOWANCE_BYTES = 1024


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


def sign_pdf(pdf: bytes, signer: Signer, chain_root: Certificate, *, stamp: Stamp, signing_time: datetime) -> bytes:
    """Return the PDF with its three signature fields, certified by the tool.

    One revision is appended; the signature covers the file from its first byte to its last. ``signing_time`` is an
    aware datetime in UTC. Raises ValueError when it is not, when a box is missing, empty or on no page, when the
    stamp does not fit, or when ``pdf`` is no PDF of one revision without a form; IntegrityError UNTRUSTED_KEY when
    ``chain_root`` did not issue the signer's certificate, or one of the two was not valid at ``signing_time``.
    """
    from tempfile import TemporaryDirectory

    if signing_time.utcoffset() != timedelta(0):
        raise ValueError("a signing time is aware and in UTC")
    if set(stamp.boxes) != set(FIELDS) or not all(b.x1 < b.x2 and b.y1 < b.y2 for b in stamp.boxes.values()):
        raise ValueError(f"a stamp has one box that is not empty for each of {', '.join(FIELDS)}")
    if not stamp.meaning.strip():
        raise ValueError("a signature has a meaning")
    certificates.require_issued_by(signer.certificate, chain_root, where="signing key", at=signing_time)
    with quiet():
        writer = _writer(pdf)
        _add_fields(writer, stamp.boxes)
        with TemporaryDirectory() as folder:
            style = _style(signer, stamp, signing_time, Path(folder))
            return _certified(writer, signer, chain_root, style, stamp.meaning, signing_time)


def _writer(pdf: bytes) -> IncrementalPdfFileWriter:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.misc import PdfError

    class Writer(IncrementalPdfFileWriter):
        """Leaves the metadata as the dossier wrote it: pyHanko would put the clock and its own name there."""

        def _update_meta(self) -> None:
            pass

    try:
        writer = Writer(BytesIO(pdf))
        if writer.prev.encrypted or writer.prev.total_revisions != 1 or "/AcroForm" in writer.root:
            raise ValueError("only a PDF of one revision, without encryption and forms, can be signed")
    except PdfError as error:
        raise ValueError("this is not a PDF that can be signed") from error
    return writer


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


def _style(signer: Signer, stamp: Stamp, signing_time: datetime, folder: Path) -> StaticStampStyle:
    from pyhanko.pdf_utils.layout import AxisAlignment as Align
    from pyhanko.pdf_utils.layout import Margins, SimpleBoxLayoutRule
    from pyhanko.stamp import StaticStampStyle

    box = stamp.boxes["tool"]
    drawing = folder / "stamp.pdf"
    drawing.write_bytes(
        render_stamp(
            signer.common_name,
            stamp.meaning,
            signing_time,
            development=signer.development,
            width=box.x2 - box.x1,
            height=box.y2 - box.y1,
        )
    )
    layout = SimpleBoxLayoutRule(x_align=Align.ALIGN_MID, y_align=Align.ALIGN_MID, margins=Margins())
    return StaticStampStyle.from_pdf_file(
        str(drawing), border_width=0, background_opacity=1.0, background_layout=layout
    )


def _certified(
    writer: IncrementalPdfFileWriter,
    signer: Signer,
    root: Certificate,
    style: StaticStampStyle,
    meaning: str,
    signing_time: datetime,
) -> bytes:
    import asyncio

    from pyhanko.sign.ades.api import CAdESSignedAttrSpec
    from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes

    session = _pdf_signer(signer, root, style, meaning).init_signing_session(writer, existing_fields_only=True)
    session.system_time = signing_time
    reserved = len(certificates.der(signer.certificate)) + len(certificates.der(root)) + _CMS_ALLOWANCE_BYTES
    document = session.prepare_tbs_document(validation_info=None, bytes_reserved=2 * reserved)
    output = BytesIO()
    digest, _ = document.digest_tbs_document(output=output)
    attributes = PdfCMSSignedAttributes(cades_signed_attrs=CAdESSignedAttrSpec())
    asyncio.run(document.perform_signature(digest.document_digest, attributes))
    return output.getvalue()


def _pdf_signer(signer: Signer, root: Certificate, style: StaticStampStyle, meaning: str) -> PdfSigner:
    from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
    from pyhanko.sign.signers import PdfSigner
    from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata

    class Pdf17Signer(PdfSigner):
        """Leaves the version alone: pyHanko would make it PDF 2.0 for the curve, and PDF/A-3 is PDF 1.7."""

        def register_extensions(self, pdf_out: object, *, md_algorithm: str) -> None:
            pass

    metadata = PdfSignatureMetadata(
        field_name=FIELDS["tool"],
        md_algorithm="sha256",
        name=signer.common_name,
        reason=meaning,
        certify=True,
        docmdp_permissions=MDPPerm.FILL_FORMS,
        subfilter=SigSeedSubFilter.PADES,
    )
    return Pdf17Signer(metadata, _cms_signer(signer, root), stamp_style=style)


def _cms_signer(signer: Signer, root: Certificate) -> SimpleSigner:
    from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    from gatekeeper.trust._development import private_pem

    (own,) = load_certs_from_pemder_data(certificates.der(signer.certificate))
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register_multiple(load_certs_from_pemder_data(certificates.der(root)))
    key = load_private_key_from_pemder_data(private_pem(signer.private_key), passphrase=None)
    return SimpleSigner(signing_cert=own, signing_key=key, cert_registry=store)

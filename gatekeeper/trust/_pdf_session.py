"""One signature into one field of a PDF: the mark, the CMS container, and what its baseline level adds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gatekeeper.errors import Code, IntegrityError
from gatekeeper.trust import _certificates as certificates
from gatekeeper.trust._stamp import render_stamp
from gatekeeper.trust.baseline import Baseline

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.signers import PdfSigner, Signer
    from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata
    from pyhanko.stamp import StaticStampStyle
    from pyhanko_certvalidator import ValidationContext

    from gatekeeper.trust.keys import Signer as OwnSigner

ARCHIVE_FIELD = "GatekeeperArchive"
_CMS_ALLOWANCE_BYTES = 1024
_TIMESTAMP_ALLOWANCE_BYTES = 12_288
_LONGEST_SIGNATURE = 72  # DER of two integers of 33 bytes


def open_writer(pdf: bytes) -> IncrementalPdfFileWriter:
    """Open a PDF for one more revision. Raises ValueError when it is none."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.misc import PdfError

    class Writer(IncrementalPdfFileWriter):
        """Leaves metadata and extensions as the dossier wrote them: pyHanko would put the clock and its name there."""

        def _update_meta(self) -> None:
            pass

        def register_extension(self, *_: object) -> None:
            pass

    try:
        writer = Writer(BytesIO(pdf))
        if writer.prev.encrypted:
            raise ValueError("an encrypted PDF cannot be signed")
    except PdfError as error:
        raise ValueError("this is not a PDF that can be signed") from error
    return writer


def sign_field(
    writer: IncrementalPdfFileWriter,
    metadata: PdfSignatureMetadata,
    signer: OwnSigner,
    root: Certificate,
    *,
    size: tuple[float, float],
    signing_time: datetime,
    baseline: Baseline,
) -> bytes:
    """Sign the field that the metadata names; return the file.

    ``size`` is the width and height in points of the field's place, which the mark fills. Raises IntegrityError
    UNTRUSTED_KEY when revocation lists are to be embedded and do not say that the certificates are valid.
    """
    import asyncio

    from pyhanko.sign.general import SigningError

    told = _leveled(metadata, baseline, root, signing_time)
    with _style(signer, str(metadata.reason), size, signing_time) as style:
        try:
            pdf_signer = _pdf_signer(told, signer, root, style, baseline)
            return asyncio.run(_signed(writer, pdf_signer, signing_time, baseline))
        except SigningError as error:
            raise IntegrityError(
                Code.UNTRUSTED_KEY,
                f"the certificate of the {signer.role} cannot be shown to be valid",
                where="signing key",
                why=str(error.__cause__ or error),
                mend="see that revocation_lists (signing.yaml) has a list of every issuer that is in force",
            ) from error


async def _signed(
    writer: IncrementalPdfFileWriter, pdf_signer: PdfSigner, signing_time: datetime, baseline: Baseline
) -> bytes:
    from pyhanko.sign.ades.api import CAdESSignedAttrSpec
    from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes

    session = pdf_signer.init_signing_session(writer, existing_fields_only=True)
    session.system_time = signing_time
    collected = await session.perform_presign_validation(writer) if baseline.long_term else None
    reserved = _CMS_ALLOWANCE_BYTES + _size_of_certificates(pdf_signer)
    reserved += _TIMESTAMP_ALLOWANCE_BYTES if baseline.timestamper is not None else 0
    document = session.prepare_tbs_document(validation_info=collected, bytes_reserved=2 * reserved)
    output = BytesIO()
    digest, _ = document.digest_tbs_document(output=output)
    attributes = PdfCMSSignedAttributes(cades_signed_attrs=CAdESSignedAttrSpec())
    await document.perform_signature(digest.document_digest, attributes)
    return await _archived(output.getvalue(), baseline) if baseline.level == "B-LTA" else output.getvalue()


async def _archived(pdf: bytes, baseline: Baseline) -> bytes:
    """Put a timestamp over the whole document, in a revision of its own."""
    from pyhanko.sign.signers import PdfTimeStamper

    if baseline.timestamper is None:
        raise ValueError("a timestamp needs an authority")
    timestamper = PdfTimeStamper(baseline.timestamper, field_name=ARCHIVE_FIELD)
    reserved = 2 * _TIMESTAMP_ALLOWANCE_BYTES
    stamped = await timestamper.async_timestamp_pdf(open_writer(pdf), "sha256", bytes_reserved=reserved)
    data: bytes = stamped.getvalue()
    return data


def _size_of_certificates(pdf_signer: PdfSigner) -> int:
    signer = pdf_signer.signer
    return sum(len(certificate.dump()) for certificate in (signer.signing_cert, *signer.cert_registry) if certificate)


def _leveled(
    metadata: PdfSignatureMetadata, baseline: Baseline, root: Certificate, signing_time: datetime
) -> PdfSignatureMetadata:
    from dataclasses import replace

    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference

    plain = replace(metadata, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    if not baseline.long_term:
        return plain
    # In the same revision as the signature: nothing may follow the last one, nor stand unsigned between two.
    together = DSSContentSettings(include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE)
    return replace(
        plain,
        embed_validation_info=True,
        validation_context=_context(baseline, root, signing_time),
        dss_settings=together,
    )


def _context(baseline: Baseline, root: Certificate, signing_time: datetime) -> ValidationContext:
    from pyhanko.keys import load_certs_from_pemder_data
    from pyhanko_certvalidator import ValidationContext

    roots = [root] if baseline.authority_root is None else [root, baseline.authority_root]
    return ValidationContext(
        trust_roots=[one for each in roots for one in load_certs_from_pemder_data(certificates.der(each))],
        crls=baseline.revocation_lists,
        moment=signing_time,
        allow_fetching=False,
        revocation_mode="require",
        retroactive_revinfo=True,
    )


def _pdf_signer(
    metadata: PdfSignatureMetadata, signer: OwnSigner, root: Certificate, style: StaticStampStyle, baseline: Baseline
) -> PdfSigner:
    from pyhanko.sign.signers import PdfSigner

    class Pdf17Signer(PdfSigner):
        """Leaves the version alone: pyHanko would make it PDF 2.0 for the curve, and PDF/A-3 is PDF 1.7."""

        def register_extensions(self, pdf_out: object, *, md_algorithm: str) -> None:
            pass

    return Pdf17Signer(metadata, cms_signer(signer, root), timestamper=baseline.timestamper, stamp_style=style)


def cms_signer(signer: OwnSigner, root: Certificate) -> Signer:
    """Return what makes pyHanko's CMS containers with a key of ours, wherever that lies."""
    from pyhanko.keys import load_certs_from_pemder_data
    from pyhanko.sign.signers import Signer
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    class KeyedSigner(Signer):
        async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
            return bytes(_LONGEST_SIGNATURE) if dry_run else signer.sign(data)

    (own,) = load_certs_from_pemder_data(certificates.der(signer.certificate))
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register_multiple(load_certs_from_pemder_data(certificates.der(root)))
    return KeyedSigner(signing_cert=own, cert_registry=store)


@contextmanager
def _style(
    signer: OwnSigner, meaning: str, size: tuple[float, float], signing_time: datetime
) -> Iterator[StaticStampStyle]:
    from pyhanko.pdf_utils.layout import AxisAlignment as Align
    from pyhanko.pdf_utils.layout import Margins, SimpleBoxLayoutRule
    from pyhanko.stamp import StaticStampStyle

    width, height = size
    layout = SimpleBoxLayoutRule(x_align=Align.ALIGN_MID, y_align=Align.ALIGN_MID, margins=Margins())
    with TemporaryDirectory() as folder:
        drawn = Path(folder) / "stamp.pdf"
        development = signer.development
        drawn.write_bytes(
            render_stamp(signer.common_name, meaning, signing_time, development=development, width=width, height=height)
        )
        yield StaticStampStyle.from_pdf_file(
            str(drawn), border_width=0, background_opacity=1.0, background_layout=layout
        )

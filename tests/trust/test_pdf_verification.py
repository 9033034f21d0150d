from __future__ import annotations

import asyncio
import logging
import random
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.x509 import Certificate
from pyhanko.pdf_utils.generic import DictionaryObject, NameObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers import PdfSigner
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata
from trust_material import ATTACHED, BOXES, MEANING, SIGNED_AT, Trio

from gatekeeper.errors import Code, IntegrityError
from gatekeeper.trust._certificates import pem
from gatekeeper.trust._pdf_session import cms_signer, open_writer
from gatekeeper.trust.anchors import Trust
from gatekeeper.trust.keys import Signer
from gatekeeper.trust.pdf_signature import Stamp, sign_pdf
from gatekeeper.trust.pdf_verification import verify_pdf

Change = Callable[[IncrementalPdfFileWriter], None]


def refused(pdf: bytes, root: Certificate, code: Code = Code.ALTERED_DOSSIER) -> str:
    with pytest.raises(IntegrityError) as caught:
        verify_pdf(pdf, Trust(root), where="dossier.pdf")
    problem = caught.value.problems[0]
    assert problem.code is code, problem
    assert str(problem.where) == "dossier.pdf"
    return problem.why or ""


def updated(pdf: bytes, change: Change) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    change(writer)
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def countersigned(
    pdf: bytes, signer: Signer, root: Certificate, field: str, *, change: Change | None = None, certify: bool = False
) -> bytes:
    """Sign a field as a person's tool would; ``change`` is smuggled into the same revision."""
    writer = open_writer(pdf)
    metadata = PdfSignatureMetadata(
        field_name=field,
        md_algorithm="sha256",
        reason="Reviewed",
        subfilter=SigSeedSubFilter.PADES,
        certify=certify,
        docmdp_permissions=MDPPerm.FILL_FORMS,
    )
    session = Pdf17Signer(metadata, cms_signer(signer, root)).init_signing_session(writer, existing_fields_only=True)
    session.system_time = datetime(2026, 3, 5, tzinfo=UTC)
    if change is not None:
        change(writer)
    document = session.prepare_tbs_document(validation_info=None, bytes_reserved=6000)
    output = BytesIO()
    digest, _ = document.digest_tbs_document(output=output)
    asyncio.run(document.perform_signature(digest.document_digest, PdfCMSSignedAttributes()))
    return output.getvalue()


class Pdf17Signer(PdfSigner):
    def register_extensions(self, pdf_out: object, *, md_algorithm: str) -> None:
        pass


def swap_attachment(writer: IncrementalPdfFileWriter) -> None:
    tree = writer.root["/Names"]["/EmbeddedFiles"]
    stream = tree["/Names"][1]["/EF"]["/F"]
    stream._data, stream._encoded_data = b'{"verdict":"FAIL"}', None
    writer.update_container(stream)


def redraw_page(writer: IncrementalPdfFileWriter) -> None:
    """Exchange what a page shows for as many other bytes, under the same dictionary."""
    page = writer.root["/Pages"]["/Kids"][0]
    stream = page["/Contents"]
    stream = stream[0] if isinstance(stream, list) else stream
    stream._encoded_data = bytes(len(stream.encoded_data))
    stream._data = None
    writer.update_container(stream)


def exchange_catalogue(writer: IncrementalPdfFileWriter) -> None:
    """Let the file begin at another catalogue, a new object that is the old one but for a key."""
    catalogue = DictionaryObject({key: writer.root.raw_get(key) for key in writer.root})
    catalogue[pdf_name("/PageMode")] = pdf_name("/UseNone")
    writer._root = writer.add_object(catalogue)


def remove_last_field(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/AcroForm"]["/Fields"].pop()
    writer.update_container(writer.root["/AcroForm"]["/Fields"])


def empty_the_tools_field(writer: IncrementalPdfFileWriter) -> None:
    field = writer.root["/AcroForm"]["/Fields"][0]
    del field["/V"]
    writer.update_container(field)


def add_field(writer: IncrementalPdfFileWriter) -> None:
    append_signature_field(writer, SigFieldSpec("Fourth"))


def change_nothing(writer: IncrementalPdfFileWriter) -> None:
    writer.root[NameObject("/Lang")] = writer.root["/Lang"]
    writer.update_root()


@pytest.fixture(scope="module")
def root(trio: Trio) -> Certificate:
    return trio.ring.root


@pytest.fixture(scope="module")
def by_engineer(signed_pdf: bytes, trio: Trio, root: Certificate) -> bytes:
    return countersigned(signed_pdf, trio.engineer, root, "Engineer")


@pytest.fixture(scope="module")
def by_all(by_engineer: bytes, trio: Trio, root: Certificate) -> bytes:
    return countersigned(by_engineer, trio.qa, root, "QA")


def test_a_signed_dossier_holds(signed_pdf: bytes, trio: Trio, root: Certificate) -> None:
    document = verify_pdf(signed_pdf, Trust(root), where="dossier.pdf")
    (fact,) = document.fields
    assert (fact.role, fact.field) == ("tool", "GatekeeperTool")
    assert fact.common_name == "gatekeeper DEVELOPMENT tool"
    assert fact.fingerprint == trio.ring.tool.fingerprint
    assert fact.development
    assert fact.signed_at == "2026-03-04T05:06:07Z"
    assert fact.meaning == MEANING
    assert document.attachments == {"verdict.json": ATTACHED}
    assert any("revocation" in sentence for sentence in document.not_checked)


def test_later_signatures_hold_in_their_order(by_engineer: bytes, by_all: bytes, root: Certificate) -> None:
    two, three = (verify_pdf(pdf, Trust(root), where="x") for pdf in (by_engineer, by_all))
    assert [fact.role for fact in two.fields] == ["tool", "engineer"]
    assert [fact.role for fact in three.fields] == ["tool", "engineer", "qa"]
    assert three.fields[2].meaning == "Reviewed"
    assert two.attachments == three.attachments == {"verdict.json": ATTACHED}


@pytest.mark.parametrize("junk", [b"\n", b"\x00", b"% harmless\n", b"%%EOF\n", b"x" * 5000])
def test_bytes_after_the_last_signature_are_refused(
    signed_pdf: bytes, by_all: bytes, root: Certificate, junk: bytes
) -> None:
    for pdf in (signed_pdf, by_all):
        why = refused(pdf + junk, root)
        assert "after the last signature" in why or "damaged" in why


def test_junk_that_a_reader_passes_over_is_named(signed_pdf: bytes, root: Certificate) -> None:
    assert "bytes after the last signature" in refused(signed_pdf + b"\n", root)


def test_a_roll_back_to_the_unsigned_revision_is_refused(
    unsigned_pdf: bytes, signed_pdf: bytes, root: Certificate
) -> None:
    assert refused(signed_pdf[: len(unsigned_pdf)], root) == "it is not signed"


def test_a_roll_back_to_an_earlier_signature_shows_in_the_fields(
    signed_pdf: bytes, by_all: bytes, root: Certificate
) -> None:
    cut = by_all[: len(signed_pdf)]
    assert [fact.role for fact in verify_pdf(cut, Trust(root), where="x").fields] == ["tool"]


def test_a_changed_byte_in_an_attachment_is_refused(signed_pdf: bytes, root: Certificate) -> None:
    start = signed_pdf.index(b"/EmbeddedFile")
    stream = signed_pdf.index(b"stream", start) + 12
    assert refused(flipped(signed_pdf, stream), root) == "it was changed after the tool signed it"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (swap_attachment, "a revision that is not signed"),
        (change_nothing, "a revision that is not signed"),
        (remove_last_field, "fields are not exactly GatekeeperTool, Engineer, QA"),
        (add_field, "fields are not exactly GatekeeperTool, Engineer, QA"),
        (empty_the_tools_field, "the tool has not signed it"),
    ],
)
def test_an_incremental_update_is_refused(signed_pdf: bytes, root: Certificate, change: Change, why: str) -> None:
    assert why in refused(updated(signed_pdf, change), root)


def test_an_update_between_two_signatures_is_refused(signed_pdf: bytes, trio: Trio, root: Certificate) -> None:
    between = countersigned(updated(signed_pdf, change_nothing), trio.engineer, root, "Engineer")
    assert "a revision that is not signed" in refused(between, root)


def test_an_attachment_swapped_in_the_engineers_revision_is_refused(
    signed_pdf: bytes, trio: Trio, root: Certificate
) -> None:
    pdf = countersigned(signed_pdf, trio.engineer, root, "Engineer", change=swap_attachment)
    assert "the signature of the tool does not allow" in refused(pdf, root)


def test_another_catalogue_in_a_later_revision_is_refused(signed_pdf: bytes, trio: Trio, root: Certificate) -> None:
    forged = countersigned(signed_pdf, trio.engineer, root, "Engineer", change=exchange_catalogue)
    assert b"/UseNone" in forged
    assert "the signature of the tool does not allow" in refused(forged, root)


@pytest.mark.parametrize("role", ["engineer", "qa"])
def test_a_page_redrawn_in_a_later_revision_is_refused(
    signed_pdf: bytes, by_engineer: bytes, trio: Trio, root: Certificate, role: str
) -> None:
    pdf, signer, field = (signed_pdf, trio.engineer, "Engineer") if role == "engineer" else (by_engineer, trio.qa, "QA")
    forged = countersigned(pdf, signer, root, field, change=redraw_page)
    assert "the signature of the tool does not allow" in refused(forged, root)


def test_another_key_set_is_not_trusted(unsigned_pdf: bytes, strangers: Trio, root: Certificate) -> None:
    ring = strangers.ring
    pdf = sign_pdf(unsigned_pdf, ring.tool, ring.root, stamp=Stamp(MEANING, BOXES), signing_time=SIGNED_AT)
    assert "was not issued by the trusted root" in refused(pdf, root, Code.UNTRUSTED_KEY)
    assert verify_pdf(pdf, Trust(ring.root), where="x").fields[0].role == "tool"


def test_a_countersignature_by_a_stranger_is_not_trusted(signed_pdf: bytes, strangers: Trio, root: Certificate) -> None:
    pdf = countersigned(signed_pdf, strangers.engineer, strangers.ring.root, "Engineer")
    refused(pdf, root, Code.UNTRUSTED_KEY)


def test_qa_does_not_sign_before_the_engineer(signed_pdf: bytes, trio: Trio, root: Certificate) -> None:
    pdf = countersigned(signed_pdf, trio.qa, root, "QA")
    assert refused(pdf, root) == "QA has signed it before the engineer"
    late = countersigned(pdf, trio.engineer, root, "Engineer")
    assert refused(late, root) == "its signatures were not made in the order of their fields"


def test_one_key_does_not_sign_in_two_roles(signed_pdf: bytes, trio: Trio, root: Certificate) -> None:
    pdf = countersigned(signed_pdf, trio.ring.tool, root, "Engineer")
    assert refused(pdf, root) == "one key signed in two roles"


def test_a_tool_that_does_not_certify_is_refused(unsigned_pdf: bytes, trio: Trio, root: Certificate) -> None:
    def add_fields(writer: IncrementalPdfFileWriter) -> None:
        for name in ("GatekeeperTool", "Engineer", "QA"):
            append_signature_field(writer, SigFieldSpec(name))

    writer = IncrementalPdfFileWriter(BytesIO(unsigned_pdf))
    add_fields(writer)
    metadata = PdfSignatureMetadata(
        field_name="GatekeeperTool", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason="x"
    )
    output = PdfSigner(metadata, cms_signer(trio.ring.tool, root)).sign_pdf(writer, existing_fields_only=True)
    assert refused(output.getvalue(), root) == "the signature of the tool does not certify the document"


def test_an_unsigned_pdf_is_refused(unsigned_pdf: bytes, root: Certificate) -> None:
    assert refused(unsigned_pdf, root) == "it is not signed"


@pytest.mark.parametrize(
    ("data", "why"), [(b"", "it is empty"), (b"PK\x03\x04", "it is not a PDF"), (b"%PDF-1.7\n%%EOF\n", "damaged")]
)
def test_what_is_no_pdf_is_refused(data: bytes, why: str, root: Certificate) -> None:
    assert why in refused(data, root)


def test_more_zeros_or_fewer_in_the_container_are_refused(signed_pdf: bytes, root: Certificate) -> None:
    end = signed_pdf.index(b">", signed_pdf.index(b"/Contents <"))
    refused(signed_pdf[:end] + b"00" + signed_pdf[end:], root)
    refused(signed_pdf[: end - 2] + signed_pdf[end:], root)
    assert "uncovered" in refused(signed_pdf[: end - 2] + b"\n\n" + signed_pdf[end:], root)


def flipped(pdf: bytes, position: int, mask: int = 1) -> bytes:
    changed = bytearray(pdf)
    changed[position] ^= mask
    return bytes(changed)


def is_refused(pdf: bytes, root: Certificate) -> bool:
    try:
        verify_pdf(pdf, Trust(root), where="x")
    except IntegrityError:
        return True
    return False


def test_no_changed_byte_is_accepted(signed_pdf: bytes, root: Certificate) -> None:
    draw = random.Random(20260304)
    found = re.search(rb"/Contents <([0-9A-F]+?)0*>", signed_pdf)
    assert found is not None
    everywhere = draw.sample(range(len(signed_pdf)), 150)
    container = draw.sample(range(found.start(1) - 20, found.end(1) + 40), 150)
    accepted = [
        (position, mask)
        for position in everywhere + container
        for mask in (1 << draw.randrange(8),)
        if not is_refused(flipped(signed_pdf, position, mask), root)
    ]
    assert accepted == []


def test_no_other_case_of_a_hexadecimal_is_accepted(signed_pdf: bytes, root: Certificate) -> None:
    letter = re.search(rb"/Contents <\d*([A-F])", signed_pdf)
    assert letter is not None
    assert "uncovered" in refused(flipped(signed_pdf, letter.start(1), 0x20), root)


def test_no_cut_and_no_insertion_is_accepted(by_engineer: bytes, signed_pdf: bytes, root: Certificate) -> None:
    draw = random.Random(7)
    for position in draw.sample(range(len(signed_pdf)), 60):
        assert is_refused(signed_pdf[:position], root), position
        assert is_refused(signed_pdf[position + 1 :], root), position
        assert is_refused(signed_pdf[:position] + signed_pdf[position + 1 :], root), position
        assert is_refused(signed_pdf[:position] + b"0" + signed_pdf[position:], root), position
    for position in draw.sample(range(len(signed_pdf) + 1, len(by_engineer)), 60):
        assert is_refused(by_engineer[:position], root), position


def test_no_log_and_no_warning_leaks(
    signed_pdf: bytes, root: Certificate, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings():
        warnings.simplefilter("error")
        verify_pdf(signed_pdf, Trust(root), where="x")
        draw = random.Random(3)
        for position in draw.sample(range(len(signed_pdf)), 40):
            is_refused(flipped(signed_pdf, position), root)
    assert [record for record in caplog.records if not record.name.startswith("asyncio")] == []
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("pyhanko").propagate


def test_duplicate_attachments_are_refused(trio: Trio, root: Certificate, unsigned_pdf: bytes) -> None:
    def twice(writer: IncrementalPdfFileWriter) -> None:
        names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
        names.extend([names.raw_get(0), names.raw_get(1)])
        writer.update_container(names)

    assert refused(rewritten_and_signed(unsigned_pdf, twice, trio), root) == "two attachments have the same name"


def test_too_many_attachments_are_refused(trio: Trio, root: Certificate, unsigned_pdf: bytes) -> None:
    from pyhanko.pdf_utils.generic import DictionaryObject, pdf_string

    def many(writer: IncrementalPdfFileWriter) -> None:
        names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
        files = names[1]["/EF"]
        for number in range(64):
            name = pdf_string(f"{number}.txt")
            names.extend([name, DictionaryObject({pdf_name("/UF"): name, pdf_name("/EF"): files})])
        writer.update_container(names)

    assert refused(rewritten_and_signed(unsigned_pdf, many, trio), root) == "it has more than 64 attachments"


def test_an_attachment_under_two_names_is_refused(trio: Trio, root: Certificate, unsigned_pdf: bytes) -> None:
    from pyhanko.pdf_utils.generic import pdf_string

    def renamed(writer: IncrementalPdfFileWriter) -> None:
        file = writer.root["/Names"]["/EmbeddedFiles"]["/Names"][1]
        file[pdf_name("/UF")] = pdf_string("other.json")
        writer.update_container(file)

    assert refused(rewritten_and_signed(unsigned_pdf, renamed, trio), root) == "an attachment has two different names"


def test_an_attachment_that_grows_without_end_is_refused(trio: Trio, root: Certificate, unsigned_pdf: bytes) -> None:
    import zlib

    packer = zlib.compressobj(9)
    piece = bytes(1 << 20)
    bomb = b"".join(packer.compress(piece) for _ in range(257)) + packer.flush()

    def inflate(writer: IncrementalPdfFileWriter) -> None:
        stream = writer.root["/Names"]["/EmbeddedFiles"]["/Names"][1]["/EF"]["/F"]
        stream._data, stream._encoded_data = None, bomb
        stream[pdf_name("/Filter")] = pdf_name("/FlateDecode")
        writer.update_container(stream)

    assert refused(rewritten_and_signed(unsigned_pdf, inflate, trio), root) == "an attachment is larger than 256 MiB"


def rewritten_and_signed(pdf: bytes, change: Change, trio: Trio) -> bytes:
    """Sign a document that was malformed before it was signed."""
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    whole = BytesIO()
    copy_into_new_writer(PdfFileReader(BytesIO(updated(pdf, change)))).write(whole)
    stamp = Stamp(MEANING, BOXES)
    return sign_pdf(whole.getvalue(), trio.ring.tool, trio.ring.root, stamp=stamp, signing_time=SIGNED_AT)


def test_verification_needs_neither_torch_nor_weasyprint(signed_pdf: bytes, root: Certificate, tmp_path: Path) -> None:
    (tmp_path / "signed.pdf").write_bytes(signed_pdf)
    (tmp_path / "root.pem").write_text(pem(root))
    code = (
        "import sys; from pathlib import Path; from gatekeeper.trust import Trust, load_trust_root, verify_pdf;"
        "verify_pdf(Path('signed.pdf').read_bytes(), Trust(load_trust_root(Path('root.pem'))), where='x');"
        "print(sorted({'torch', 'weasyprint', 'numpy', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")

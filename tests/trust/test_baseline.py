"""PAdES B-T, B-LT and B-LTA, with an authority that is asked over HTTP."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.x509 import Certificate
from made_up_authority import make_authority, revocation_list, serving
from pyhanko.pdf_utils.reader import PdfFileReader
from trust_material import BOXES, MEANING, SIGNED_AT

from gatekeeper.errors import Code, IntegrityError, InvalidRunError
from gatekeeper.trust._certificates import pem
from gatekeeper.trust._development import issue, make_root
from gatekeeper.trust.anchors import AUTHORITY, Trust
from gatekeeper.trust.baseline import Baseline, http_timestamper
from gatekeeper.trust.keys import Signer
from gatekeeper.trust.pdf_signature import Stamp, countersign_pdf, sign_pdf
from gatekeeper.trust.pdf_verification import verify_pdf


@dataclass(frozen=True)
class Site:
    """Who signs under one root, that root's key, and an authority that is up."""

    root: Certificate
    root_key: EllipticCurvePrivateKey
    signers: dict[str, Signer]
    authority_root: Certificate
    lists: tuple[bytes, ...]
    url: str

    @property
    def trust(self) -> Trust:
        return Trust(self.root, {AUTHORITY: self.authority_root})

    def baseline(self, level: str) -> Baseline:
        return Baseline(level, http_timestamper(self.url), self.authority_root, self.lists)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    root, root_key = make_root(SIGNED_AT)
    signers = {role: Signer(role, *issue(role, root, root_key, SIGNED_AT)) for role in ("tool", "engineer", "qa")}
    authority_root, authority_key, timestamper = make_authority(SIGNED_AT + timedelta(seconds=2))
    lists = (
        revocation_list(root, root_key, SIGNED_AT),
        revocation_list(authority_root, authority_key, SIGNED_AT),
    )
    with serving(timestamper) as url:
        yield Site(root, root_key, signers, authority_root, lists, url)


def signed(pdf: bytes, site: Site, baseline: Baseline, *roles: str) -> bytes:
    """Sign as the tool, then as others."""
    now = SIGNED_AT
    stamp = Stamp(MEANING, BOXES)
    pdf = sign_pdf(pdf, site.signers["tool"], site.root, stamp=stamp, signing_time=now, baseline=baseline)
    for role in roles:
        pdf = countersign_pdf(
            pdf, site.signers[role], site.root, meaning=f"{role} agrees", signing_time=now, baseline=baseline
        )
    return pdf


def refused(pdf: bytes, trust: Trust, code: Code) -> str:
    with pytest.raises(IntegrityError) as caught:
        verify_pdf(pdf, trust, where="dossier.pdf")
    assert caught.value.problems[0].code is code, caught.value
    return caught.value.problems[0].why or ""


@pytest.fixture(scope="module")
def archived(unsigned_pdf: bytes, site: Site) -> bytes:
    return signed(unsigned_pdf, site, site.baseline("B-LTA"), "engineer", "qa")


@pytest.mark.parametrize(("level", "not_checked"), [("B-T", "revocation of certificates (offline)"), ("B-LT", "after")])
def test_a_timestamp_gives_the_time_and_lists_tell_of_revocation(
    unsigned_pdf: bytes, site: Site, level: str, not_checked: str
) -> None:
    pdf = signed(unsigned_pdf, site, site.baseline(level), "engineer")
    document = verify_pdf(pdf, site.trust, where="x")
    assert [(fact.role, fact.level, fact.signed_at) for fact in document.fields] == [
        ("tool", level, "2026-03-04T05:06:09Z"),
        ("engineer", level, "2026-03-04T05:06:09Z"),
    ]
    assert document.archived_at is None
    assert [sentence for sentence in document.not_checked if not_checked in sentence]
    assert not [sentence for sentence in document.not_checked if "own word" in sentence]


def test_the_last_signature_is_archived_and_nothing_follows(archived: bytes, site: Site) -> None:
    document = verify_pdf(archived, site.trust, where="x")
    assert [fact.level for fact in document.fields] == ["B-LT"] * 3
    assert document.archived_at == "2026-03-04T05:06:09Z"
    assert "bytes after the last signature" in refused(archived + b"\n", site.trust, Code.ALTERED_DOSSIER)


def test_openssl_agrees_that_each_timestamp_is_over_its_signature(archived: bytes, site: Site, tmp_path: Path) -> None:
    (tmp_path / "authority.pem").write_text(pem(site.authority_root))
    reader = PdfFileReader(BytesIO(archived))
    assert len(reader.embedded_regular_signatures) == 3
    for signature in reader.embedded_regular_signatures:
        token = signature.signer_info["unsigned_attrs"][0]["values"][0].dump()
        (tmp_path / "token.der").write_bytes(token)
        (tmp_path / "signature").write_bytes(signature.signer_info["signature"].native)
        asked = "-token_in -in token.der -data signature -CAfile authority.pem -attime 1772600769"
        done = subprocess.run(
            ["openssl", "ts", "-verify", *asked.split()], cwd=tmp_path, capture_output=True, text=True
        )
        assert "Verification: OK" in done.stdout + done.stderr, done.stderr
    (archive,) = reader.embedded_timestamp_signatures
    assert (archive.field_name, archive.sig_object["/SubFilter"]) == ("GatekeeperArchive", "/ETSI.RFC3161")


def test_a_trusted_time_that_nobody_here_trusts_is_refused(archived: bytes, site: Site) -> None:
    assert "not known here" in refused(archived, Trust(site.root), Code.UNTRUSTED_KEY)
    stranger, _, _ = make_authority(SIGNED_AT)
    assert "timestamp" in refused(archived, Trust(site.root, {AUTHORITY: stranger}), Code.UNTRUSTED_KEY)


def test_a_certificate_that_was_revoked_when_it_signed_is_refused(unsigned_pdf: bytes, site: Site) -> None:
    tool = site.signers["tool"].certificate
    listed = revocation_list(site.root, site.root_key, SIGNED_AT, tool)
    late = replace(site.baseline("B-LT"), revocation_lists=(listed, site.lists[1]))
    with pytest.raises(IntegrityError, match="cannot be shown to be valid"):
        signed(unsigned_pdf, site, late)
    pdf = signed(unsigned_pdf, site, site.baseline("B-LT"))
    assert verify_pdf(pdf, site.trust, where="x").fields[0].level == "B-LT"
    engineer = site.signers["engineer"]
    told = countersign_pdf(pdf, engineer, site.root, meaning="engineer agrees", signing_time=SIGNED_AT, baseline=late)
    assert "revoked" in refused(told, site.trust, Code.UNTRUSTED_KEY)


def test_a_timestamp_over_all_that_draws_on_the_page_is_refused(
    unsigned_pdf: bytes, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyhanko.sign.fields import SigFieldSpec, append_signature_field

    from gatekeeper.trust import _pdf_session as session

    def visible(pdf: bytes) -> object:
        writer = real(pdf)
        append_signature_field(writer, SigFieldSpec(session.ARCHIVE_FIELD, box=(50, 500, 400, 700)))
        return writer

    signed_by_all = signed(unsigned_pdf, site, site.baseline("B-LT"), "engineer", "qa")
    real = session.open_writer
    monkeypatch.setattr(session, "open_writer", visible)
    forged = asyncio.run(session._archived(signed_by_all, site.baseline("B-LTA")))
    assert "draws on a page" in refused(forged, site.trust, Code.ALTERED_DOSSIER)


def test_cutting_the_archive_timestamp_off_shows(archived: bytes, site: Site) -> None:
    end = archived.rindex(b"%%EOF", 0, len(archived) - 10) + len(b"%%EOF\n")
    cut = archived[:end]
    assert verify_pdf(cut, site.trust, where="x").archived_at is None


def test_an_authority_that_does_not_answer_stops_the_signature(unsigned_pdf: bytes, site: Site) -> None:
    _, _, timestamper = make_authority(SIGNED_AT)
    with serving(timestamper, broken=True) as url:
        baseline = replace(site.baseline("B-T"), timestamper=http_timestamper(url))
        with pytest.raises(InvalidRunError) as caught:
            signed(unsigned_pdf, site, baseline)
    assert caught.value.problems[0].code is Code.NO_TIMESTAMP
    with pytest.raises(InvalidRunError):  # nobody listens there now
        signed(unsigned_pdf, site, baseline)

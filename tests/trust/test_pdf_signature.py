from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader
from trust_material import BOXES, MEANING, SIGNED_AT, Trio

from gatekeeper.errors import Code, IntegrityError
from gatekeeper.trust._certificates import pem
from gatekeeper.trust._stamp import render_stamp
from gatekeeper.trust.pdf_signature import Box, Stamp, sign_pdf


def byte_range(pdf: bytes) -> tuple[int, int, int, int]:
    found = re.findall(rb"/ByteRange *\[(\d+) (\d+) (\d+) (\d+) *\]", pdf)
    assert len(found) == 1
    start, size, resumed, rest = (int(number) for number in found[0])
    return start, size, resumed, rest


def test_signing_only_appends_and_covers_the_whole_file(unsigned_pdf: bytes, signed_pdf: bytes) -> None:
    assert signed_pdf.startswith(unsigned_pdf)
    start, size, resumed, rest = byte_range(signed_pdf)
    assert start == 0
    assert resumed + rest == len(signed_pdf)
    assert re.fullmatch(rb"<[0-9A-F]+>", signed_pdf[size:resumed])


def test_three_fields_stand_where_they_were_asked_for(signed_pdf: bytes) -> None:
    reader = PdfReader(BytesIO(signed_pdf))
    fields = [entry.get_object() for entry in reader.root_object["/AcroForm"]["/Fields"]]  # type: ignore[index]
    assert [field["/T"] for field in fields] == ["GatekeeperTool", "Engineer", "QA"]
    assert ["/V" in field for field in fields] == [True, False, False]
    assert ["/Lock" in field for field in fields] == [False, False, True]
    for field, box in zip(fields, BOXES.values(), strict=True):
        assert [float(edge) for edge in field["/Rect"]] == [box.x1, box.y1, box.x2, box.y2]
        assert field["/P"].get_object() == reader.pages[0]


def test_the_signature_says_who_when_and_what_for(signed_pdf: bytes) -> None:
    reader = PdfReader(BytesIO(signed_pdf))
    fields = reader.root_object["/AcroForm"]["/Fields"]  # type: ignore[index]
    signature = fields[0].get_object()["/V"]
    assert signature["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature["/Name"] == "gatekeeper DEVELOPMENT tool"
    assert signature["/Reason"] == MEANING
    assert signature["/M"] == "D:20260304050607+00'00'" or signature["/M"].startswith("D:20260304050607Z")
    reference = signature["/Reference"][0].get_object()
    assert reference["/TransformMethod"] == "/DocMDP"
    assert reference["/TransformParams"]["/P"] == 2


def test_signing_leaves_version_and_metadata_as_they_were(unsigned_pdf: bytes, signed_pdf: bytes) -> None:
    before, after = (PdfReader(BytesIO(pdf)) for pdf in (unsigned_pdf, signed_pdf))
    assert "/Version" not in after.root_object
    assert after.root_object["/Metadata"].get_data() == before.root_object["/Metadata"].get_data()  # type: ignore[attr-defined]
    assert after.metadata == before.metadata


def test_openssl_agrees_that_the_signature_holds(signed_pdf: bytes, trio: Trio, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not on PATH")
    _, size, resumed, _ = byte_range(signed_pdf)
    (tmp_path / "cms").write_bytes(bytes.fromhex(signed_pdf[size + 1 : resumed - 1].decode()))
    (tmp_path / "content").write_bytes(signed_pdf[:size] + signed_pdf[resumed:])
    (tmp_path / "root.pem").write_text(pem(trio.ring.root))
    command = [openssl, "cms", "-verify", "-binary", "-inform", "DER", "-in", "cms", "-content", "content"]
    command += ["-CAfile", "root.pem", "-purpose", "any", "-out", "seen"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "successful" in done.stderr.lower(), done.stderr


def test_pdfsig_agrees_that_the_signature_holds(signed_pdf: bytes, tmp_path: Path) -> None:
    pdfsig = shutil.which("pdfsig")
    if pdfsig is None:
        pytest.skip("pdfsig (poppler) is not on PATH")
    (tmp_path / "signed.pdf").write_bytes(signed_pdf)
    seen = subprocess.run([pdfsig, "-nocert", "signed.pdf"], cwd=tmp_path, capture_output=True, text=True).stdout
    assert "Signature is Valid." in seen
    assert "Total document signed" in seen
    assert seen.count("The signature form field is not signed.") == 2


def test_a_stamp_shows_name_time_meaning_and_development() -> None:
    stamp = render_stamp("A <b> & Co", MEANING, SIGNED_AT, development=True, width=144, height=60)
    (page,) = PdfReader(BytesIO(stamp)).pages
    text = " ".join(page.extract_text().split())
    assert "A <b> & Co" in text
    assert "2026-03-04 05:06:07 UTC" in text
    assert MEANING in text
    assert "DEVELOPMENT" in text
    assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx((144, 60))
    assert all("SourceSansPro" in font for font in fonts_of(page))


def fonts_of(page: object) -> list[str]:
    fonts = page["/Resources"]["/Font"]  # type: ignore[index]
    return [fonts[name]["/BaseFont"].replace("-", "") for name in fonts]


def test_the_stamp_of_a_release_key_does_not_say_development() -> None:
    stamp = render_stamp("Site", MEANING, SIGNED_AT, development=False, width=144, height=60)
    assert "DEVELOPMENT" not in PdfReader(BytesIO(stamp)).pages[0].extract_text()


def test_a_stamp_that_has_no_room_is_refused_and_never_cut_off() -> None:
    with pytest.raises(ValueError, match="no room"):
        render_stamp("Site", MEANING * 40, SIGNED_AT, development=False, width=144, height=60)


@pytest.mark.parametrize(
    ("boxes", "meaning"),
    [
        ({role: box for role, box in BOXES.items() if role != "qa"}, MEANING),
        ({**BOXES, "other": BOXES["qa"]}, MEANING),
        ({**BOXES, "qa": replace(BOXES["qa"], x2=0.0)}, MEANING),
        ({**BOXES, "qa": replace(BOXES["qa"], page=9)}, MEANING),
        (BOXES, " "),
    ],
)
def test_a_stamp_without_its_places_or_meaning_is_refused(
    unsigned_pdf: bytes, trio: Trio, boxes: dict[str, Box], meaning: str
) -> None:
    with pytest.raises(ValueError, match=r"box|meaning"):
        sign_pdf(unsigned_pdf, trio.ring.tool, trio.ring.root, stamp=Stamp(meaning, boxes), signing_time=SIGNED_AT)


@pytest.mark.parametrize("pdf", [b"", b"hello", b"%PDF-1.7\n"])
def test_what_is_no_pdf_cannot_be_signed(pdf: bytes, trio: Trio) -> None:
    with pytest.raises(ValueError, match="PDF"):
        sign_pdf(pdf, trio.ring.tool, trio.ring.root, stamp=Stamp(MEANING, BOXES), signing_time=SIGNED_AT)


def test_a_signed_pdf_is_not_certified_again(signed_pdf: bytes, trio: Trio) -> None:
    with pytest.raises(ValueError, match="one revision"):
        sign_pdf(signed_pdf, trio.ring.tool, trio.ring.root, stamp=Stamp(MEANING, BOXES), signing_time=SIGNED_AT)


@pytest.mark.parametrize("moment", [SIGNED_AT.replace(tzinfo=None), SIGNED_AT.astimezone(timezone(timedelta(hours=1)))])
def test_a_signing_time_is_in_utc(unsigned_pdf: bytes, trio: Trio, moment: datetime) -> None:
    with pytest.raises(ValueError, match="UTC"):
        sign_pdf(unsigned_pdf, trio.ring.tool, trio.ring.root, stamp=Stamp(MEANING, BOXES), signing_time=moment)


def test_a_key_does_not_sign_outside_its_time_or_under_another_root(
    unsigned_pdf: bytes, trio: Trio, strangers: Trio
) -> None:
    stamp = Stamp(MEANING, BOXES)
    for root, moment in ((trio.ring.root, datetime(2025, 1, 1, tzinfo=UTC)), (strangers.ring.root, SIGNED_AT)):
        with pytest.raises(IntegrityError) as caught:
            sign_pdf(unsigned_pdf, trio.ring.tool, root, stamp=stamp, signing_time=moment)
        assert caught.value.problems[0].code is Code.UNTRUSTED_KEY

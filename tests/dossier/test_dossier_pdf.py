"""The PDF: the same bytes each time, whole, tagged, with its evidence attached, and safe with any text."""

from __future__ import annotations

import io
import logging
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest
from made_up_material import (
    attachments,
    finding,
    hexed,
    main_findings,
    material,
    material_of_text,
    subgroup_findings,
    verdict,
)

from gatekeeper.canonical import digest_bytes
from gatekeeper.dossier import RenderedDossier, render_dossier
from gatekeeper.dossier.attachments import describe_attachments
from gatekeeper.dossier.pdf import print_html
from gatekeeper.errors import Code, InvalidRunError, UsageError
from gatekeeper.evidence import VerdictWord

FINISHED = "2026-11-23T10:11:42+00:00"
HOSTILE = (
    '<script>alert("x")</script> {{ 7 * 191 }} {% include "/etc/passwd" %} \u202eSSAP\u202c שלום مرحبا '
    "😀 " + "w" * 300 + ' </td></table><img src="file:///etc/passwd"> \x00'
)


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


@pytest.fixture(scope="module")
def rendered() -> RenderedDossier:
    return render_dossier(material(), attachments())


@pytest.fixture(scope="module")
def released() -> RenderedDossier:
    made = material(development=False, verdict=verdict(main_findings(), VerdictWord.PASS, words="All are met."))
    return render_dossier(made, {})


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def tight(text: str) -> str:
    """Text without white space, so that line breaks do not matter."""
    return re.sub(r"\s", "", text)


def test_equal_material_gives_equal_bytes(rendered: RenderedDossier) -> None:
    assert render_dossier(material(), attachments()).pdf == rendered.pdf


def test_another_run_gives_other_bytes(rendered: RenderedDossier) -> None:
    made = material()
    other = replace(made, ledger=replace(made.ledger, sequence=42))
    assert render_dossier(other, attachments()).pdf != rendered.pdf


def test_a_typical_dossier_has_eleven_to_fifteen_pages_and_page_one_stands_alone(rendered: RenderedDossier) -> None:
    texts = pages(rendered.pdf)
    assert 11 <= len(texts) <= 15
    assert texts[0].count("FAIL") == 1
    assert "Contents" not in texts[0]
    assert "Contents" in texts[1]
    assert all(f"page {index} of {len(texts)}" in text for index, text in enumerate(texts, start=1))


def test_the_table_of_contents_names_the_right_pages(rendered: RenderedDossier) -> None:
    texts = pages(rendered.pdf)
    for title in ("Test set", "Methods", "Glossary"):
        told = re.search(rf"{title}[ .]+?(\d+)\s", texts[1])
        assert told is not None
        assert re.search(rf"^\d+\s*{title}$", texts[int(told[1]) - 1], re.MULTILINE)


def test_title_author_language_dates_and_bookmarks(rendered: RenderedDossier) -> None:
    reader = pypdf.PdfReader(io.BytesIO(rendered.pdf))
    assert reader.metadata is not None
    assert reader.metadata.title == "Release dossier: nodule_net under nodule_malignancy 1.2.0"
    assert reader.metadata.author == "gatekeeper"
    assert reader.metadata["/CreationDate"] == reader.metadata["/ModDate"] == "D:20261123101142Z"
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert len(reader.outline) + sum(len(part) for part in reader.outline if isinstance(part, list)) >= 14


def test_it_claims_pdf_a_3u_and_embeds_only_the_bundled_fonts(rendered: RenderedDossier) -> None:
    reader = pypdf.PdfReader(io.BytesIO(rendered.pdf))
    told = reader.trailer["/Root"]["/Metadata"].get_data()
    assert b'pdfaid:part="3"' in told
    assert b'pdfaid:conformance="U"' in told
    fonts = {
        str(font["/BaseFont"]).partition("+")[2]
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts == {"Dossier-Sans", "Dossier-Sans-Semi-Bold", "Dossier-Sans-Bold"}


def test_each_attachment_is_listed_once_with_its_type_and_relationship(rendered: RenderedDossier) -> None:
    reader = pypdf.PdfReader(io.BytesIO(rendered.pdf))
    listed = [entry.get_object() for entry in reader.trailer["/Root"]["/AF"]]
    found = {
        str(item["/UF"]): (str(item["/EF"]["/F"].get_object()["/Subtype"]), str(item["/AFRelationship"]))
        for item in listed
    }
    assert len(listed) == len(found) == len(attachments())
    assert found["policy.json"] == ("/application/json", "/Source")
    assert found["testset.json"] == ("/application/json", "/Source")
    assert found["candidate.yaml"] == ("/application/yaml", "/Source")
    assert found["cases.parquet"] == ("/application/vnd.apache.parquet", "/Data")
    assert found["verdict.json"] == ("/application/json", "/Data")
    assert found["sbom.cdx.json"] == ("/application/vnd.cyclonedx+json", "/Supplement")
    assert found["statement.dsse.json"] == ("/application/json", "/Supplement")


def test_attachments_come_out_as_they_went_in_and_their_digests_are_printed(rendered: RenderedDossier) -> None:
    reader = pypdf.PdfReader(io.BytesIO(rendered.pdf))
    assert {name: parts[0] for name, parts in reader.attachments.items()} == attachments()
    everything = tight("".join(pages(rendered.pdf)))
    for data in attachments().values():
        assert digest_bytes(data) in everything


def test_every_attachment_of_a_run_is_known_and_listed_once(finished_run: Path) -> None:
    from gatekeeper.run_records import FILES, SBOM, SELF_TEST, STATEMENT

    reader = pypdf.PdfReader(io.BytesIO((finished_run / "dossier.pdf").read_bytes()))
    listed = [entry.get_object() for entry in reader.trailer["/Root"]["/AF"]]
    names = [str(item["/UF"]) for item in listed]
    assert sorted(names) == sorted({*FILES, SBOM, SELF_TEST, STATEMENT})
    assert set(reader.attachments) == set(names)
    for item in listed:
        assert str(item["/AFRelationship"]) in ("/Source", "/Data", "/Supplement")
        assert str(item["/EF"]["/F"].get_object()["/Subtype"]).startswith("/application/")


@pytest.mark.parametrize("name", ["sbom.cdx.json", "detached.json", "self_test.json", "approval.dsse.json"])
def test_a_record_that_not_every_run_has_is_described_as_well(name: str) -> None:
    (item,) = describe_attachments({name: b"{}"})
    assert item.description != describe_attachments({"something-else.bin": b""})[0].description
    assert item.media_type.startswith("application/")
    assert item.media_type != "application/octet-stream"


def test_identical_attachments_do_not_collide() -> None:
    same = {"plan.json": b"{}", "statement.json": b"{}", "cases.parquet": b"{}"}
    pdf = print_html("<title>x</title><p>x</p>", describe_attachments(same), FINISHED)
    listed = [entry.get_object() for entry in pypdf.PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/AF"]]
    told = [(str(item["/UF"]), str(item["/AFRelationship"])) for item in listed]
    assert told == [("cases.parquet", "/Data"), ("plan.json", "/Source"), ("statement.json", "/Supplement")]


def test_the_development_band_stands_on_page_one_and_in_every_footer(rendered: RenderedDossier) -> None:
    texts = pages(rendered.pdf)
    assert texts[0].count("DEVELOPMENT SIGNATURE — not for release") == 2
    assert all("DEVELOPMENT SIGNATURE — not for release" in text for text in texts)


def test_a_release_bears_no_warning(released: RenderedDossier) -> None:
    text = "".join(pages(released.pdf))
    assert "DEVELOPMENT SIGNATURE" not in text
    assert "EXPLORATORY" not in text


def test_an_exploratory_verdict_says_that_it_cannot_release() -> None:
    made = material(development=False, verdict=verdict(main_findings(), exploratory=True))
    texts = pages(render_dossier(made, {}).pdf)
    assert all("EXPLORATORY — the policy was changed on the command line; cannot release" in text for text in texts)


def test_the_footer_identifies_document_run_policy_and_candidate(rendered: RenderedDossier) -> None:
    shown = {name: hexed(name).removeprefix("sha256:")[:12] for name in ("reproducible", "policy", "candidate")}
    for text in pages(rendered.pdf):
        assert f"document {shown['reproducible']} · run 2026-11-23-nodule-4f1c" in text
        assert f"policy {shown['policy']} · candidate {shown['candidate']}" in text


def test_signature_boxes_lie_on_page_one_side_by_side(rendered: RenderedDossier) -> None:
    page = pypdf.PdfReader(io.BytesIO(rendered.pdf)).pages[0]
    boxes = list(rendered.boxes.values())
    assert list(rendered.boxes) == ["tool", "engineer", "qa"]
    assert {(box.page, box.y1, box.y2) for box in boxes} == {(0, boxes[0].y1, boxes[0].y2)}
    edges = [0.0, *(edge for box in boxes for edge in (box.x1, box.x2)), float(page.mediabox.width)]
    assert edges == sorted(edges)
    assert all(box.x2 - box.x1 > 140 and box.y2 - box.y1 > 55 and box.y1 > 40 for box in boxes)


def _grey(pdf: bytes, folder: Path) -> tuple[list[bytes], float]:
    """Page one as rows of grey pixels, and pixels a point."""
    (folder / "dossier.pdf").write_bytes(pdf)
    command = ["pdftoppm", "-r", "144", "-gray", "-f", "1", "-l", "1", "-singlefile", "dossier.pdf", "page"]
    subprocess.run(command, cwd=folder, check=True)
    _, width, height, _, pixels = (folder / "page.pgm").read_bytes().split(maxsplit=4)[:5]
    columns = int(width)
    pixels = pixels[-columns * int(height) :]
    return [pixels[start : start + columns] for start in range(0, len(pixels), columns)], 2.0


@pytest.fixture(scope="module")
def hostile() -> RenderedDossier:
    return render_dossier(material_of_text(HOSTILE), {})


@needs("pdftoppm")
@pytest.mark.parametrize("name", ["rendered", "released", "hostile"])
def test_frames_are_drawn_where_the_boxes_say_and_are_empty_whatever_the_text(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    drawn: RenderedDossier = request.getfixturevalue(name)
    rows, scale = _grey(drawn.pdf, tmp_path)
    for box in drawn.boxes.values():
        left, right = round(box.x1 * scale), round(box.x2 * scale)
        top, bottom = len(rows) - round(box.y2 * scale), len(rows) - round(box.y1 * scale)
        inside = b"".join(row[left + 4 : right - 4] for row in rows[top + 4 : bottom - 4])
        assert min(inside) == 255
        assert max(min(rows[y][(left + right) // 2] for y in range(edge - 2, edge + 3)) for edge in (top, bottom)) < 220
        assert max(min(rows[(top + bottom) // 2][edge - 2 : edge + 3]) for edge in (left, right)) < 220


def test_hostile_text_is_shown_as_text(hostile: RenderedDossier) -> None:
    texts = pages(hostile.pdf)
    everything = tight("".join(texts))
    assert everything.count("</script>") > 8
    assert everything.count("{{7*191}}") > 8
    assert "1337" not in everything
    assert '<imgsrc="file:///etc/passwd">' in everything
    assert "root:x:0" not in everything
    assert "‹U+202E›SSAP" in everything
    assert "\u202e" not in everything
    assert "‹U+0000›" in everything
    assert "Qualityassurance" in tight(texts[0])
    assert "Contents" in texts[1]


def test_300_findings_repeat_the_head_of_the_table_on_every_page() -> None:
    groups = tuple(
        finding(f"s[{index}]", title="Sensitivity", subgroup={"site": f"site {index:03}"}, estimate=None, interval=None)
        for index in range(280)
    )
    main = tuple(finding(f"r{index}", title=f"Requirement {index}") for index in range(20))
    made = material(verdict=verdict((*main, *groups), VerdictWord.PASS), ladders=(), roc=None)
    texts = pages(render_dossier(made, {}).pdf)
    with_groups = [text for text in texts if re.search(r"site \d{3}", text)]
    assert len(with_groups) > 10
    assert all("Interval against threshold" in text for text in with_groups)
    assert {f"site {index:03}" for index in range(280)} <= set(re.findall(r"site \d{3}", "".join(texts)))
    assert texts[0].count("Tool") == 1


def test_a_dossier_without_subgroups_curve_repeats_ladders_and_timing_still_renders() -> None:
    made = material(
        verdict=verdict((), VerdictWord.INVALID, words="The worker was lost twice."),
        roc=None,
        ladders=(),
        repeatability=None,
        latency_seconds=(),
    )
    texts = pages(render_dossier(made, {}).pdf)
    assert "INVALID" in texts[0]
    assert "The worker was lost twice." in texts[0]


@pytest.mark.parametrize(
    "page",
    [
        '<img src="file:///etc/passwd">',
        '<img src="http://localhost/x.png">',
        '<img src="data:image/png;base64,AAAA">',
        '<link rel="attachment" href="file:///etc/passwd">',
        '<link rel="stylesheet" href="file:///etc/passwd">',
        '<style>@import url("file:///etc/passwd");</style>',
        '<p style="background: url(file:///etc/passwd)">x</p>',
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd" width="9" height="9"/></svg>',
        '<style>@font-face { font-family: x; src: url("dossier-font:../../etc/passwd") }</style>',
    ],
)
def test_nothing_outside_the_dossier_is_fetched(page: str) -> None:
    with pytest.raises(InvalidRunError) as caught:
        print_html(f"<title>x</title>{page}", (), FINISHED)
    assert caught.value.problems[0].code is Code.UNEXPECTED
    assert caught.value.problems[0].what == "a page of the dossier asks for something outside itself"


def test_the_style_sheet_raises_no_complaint() -> None:
    complaints: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: complaints.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("weasyprint")
    logger.addHandler(handler)
    try:
        render_dossier(material(verdict=verdict((*main_findings(), *subgroup_findings()))), {})
    finally:
        logger.removeHandler(handler)
    assert complaints == []


def test_no_line_of_the_printer_reaches_the_terminal(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    print_html('<title>x</title><p style="colour: of-no-kind; width: wide">x</p>', (), FINISHED)
    assert [record for record in caplog.records if record.name.startswith(("weasyprint", "fontTools"))] == []
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("weasyprint").propagate


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"__init__.py": 'raise OSError("cannot load library libpango-1.0-0\\nmore")'}, "libpango-1.0-0"),
        (
            {"__init__.py": "", "text/__init__.py": "", "text/ffi.py": "harfbuzz_subset = None"},
            "without libharfbuzz-subset",
        ),
    ],
)
def test_a_missing_system_library_is_told_with_the_packages_to_install(
    files: dict[str, str], why: str, tmp_path: Path
) -> None:
    for name, source in files.items():
        path = tmp_path / "weasyprint" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from gatekeeper.dossier.pdf import print_html\n"
        "from gatekeeper.errors import UsageError\n"
        "try:\n    print_html('<p>x</p>', (), '2026-11-23T10:11:42')\n"
        "except UsageError as error:\n    print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told.startswith(f"error[{Code.MISSING_PACKAGE.value}]")
    assert why in told
    assert "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in told
    assert issubclass(UsageError, Exception)


@needs("qpdf")
def test_qpdf_finds_no_fault(rendered: RenderedDossier, tmp_path: Path) -> None:
    (tmp_path / "dossier.pdf").write_bytes(rendered.pdf)
    subprocess.run(["qpdf", "--check", "dossier.pdf"], cwd=tmp_path, check=True, capture_output=True)


@needs("pdfinfo")
def test_pdfinfo_reads_a_tagged_a4_document(rendered: RenderedDossier, tmp_path: Path) -> None:
    (tmp_path / "dossier.pdf").write_bytes(rendered.pdf)
    told = subprocess.run(["pdfinfo", "dossier.pdf"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert re.search(r"Tagged:\s+yes", told)
    assert "(A4)" in told
    assert re.search(r"JavaScript:\s+no", told)

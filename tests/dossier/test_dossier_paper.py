"""The dossier on A4 and on US Letter: sizes, page one, the places of signatures, the foot of each page."""

from __future__ import annotations

import io
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pypdf
import pytest
from made_up_material import POLICY, attachments, finding, hexed, main_findings, material, verdict
from pydantic import ValidationError

from gatekeeper.dossier import RenderedDossier, render_dossier
from gatekeeper.dossier.geometry import MARGIN_SIDE, PAPERS, frames
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.evidence import Outcome
from gatekeeper.policy import Policy, load_policy, policy_names

# ISO 216; ANSI/ASME Y14.1: 8.5 x 11 inches of 72 points.
POINTS = {"a4": (210 / 25.4 * 72, 297 / 25.4 * 72), "letter": (612.0, 792.0)}
both = pytest.mark.parametrize("paper", PAPERS)


def on(paper: str, made: DossierMaterial) -> DossierMaterial:
    pages = made.policy.dossier.model_copy(update={"paper": paper})
    return replace(made, policy=made.policy.model_copy(update={"dossier": pages}))


def long_words() -> DossierMaterial:
    """A material with more words than page one has room for, and both warnings above them."""
    words = "A sentence that goes on for longer than a page about one requirement would like it to. " * 6
    found = tuple(finding(f"r{n}", title=words, words=words, outcome=Outcome.NOT_MET) for n in range(30))
    judged = verdict((*found, *main_findings()), words=words, candidate="c" * 300, testset="t" * 300, exploratory=True)
    return material(verdict=judged)


KINDS: dict[str, Callable[[], DossierMaterial]] = {"usual": material, "long": long_words}
every_kind = pytest.mark.parametrize("kind", KINDS)


@cache
def rendered(paper: str, kind: str) -> RenderedDossier:
    return render_dossier(on(paper, KINDS[kind]()), attachments())


def reader(paper: str, kind: str) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(rendered(paper, kind).pdf))


@both
def test_every_page_has_the_size_of_the_paper(paper: str) -> None:
    for page in reader(paper, "usual").pages:
        assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx(POINTS[paper], abs=0.01)


@every_kind
@both
def test_page_one_stays_one_page(paper: str, kind: str) -> None:
    first, second = (page.extract_text() for page in list(reader(paper, kind).pages)[:2])
    assert "Quality assurance" in first
    assert "Contents" not in first
    assert "Contents" in second
    assert "Quality assurance" not in second


@every_kind
@both
def test_boxes_lie_within_the_page_and_its_margins_beside_one_another(paper: str, kind: str) -> None:
    width, height = POINTS[paper]
    boxes = list(rendered(paper, kind).boxes.values())
    side = MARGIN_SIDE / 25.4 * 72
    edges = [side, *(edge for box in boxes for edge in (box.x1, box.x2)), width - side]
    assert edges == pytest.approx(sorted(edges))
    assert edges[1] == pytest.approx(side, abs=0.01)
    assert edges[-2] == pytest.approx(width - side, abs=0.01)
    assert all(0 < box.y1 < box.y2 < height / 3 for box in boxes)
    assert {box.page for box in boxes} == {0}


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm is not installed")
@every_kind
@both
def test_nothing_is_printed_where_signatures_go_or_beyond_the_margins(paper: str, kind: str, tmp_path: Path) -> None:
    drawn = rendered(paper, kind)
    (tmp_path / "x.pdf").write_bytes(drawn.pdf)
    subprocess.run(["pdftoppm", "-r", "72", "-gray", "-singlefile", "x.pdf", "x"], cwd=tmp_path, check=True)
    _, columns, height, _ = (tmp_path / "x.pgm").read_bytes().split(maxsplit=4)[:4]
    width = int(columns)
    pixels = (tmp_path / "x.pgm").read_bytes()[-width * int(height) :]
    rows = [pixels[start : start + width] for start in range(0, len(pixels), width)]
    for box in drawn.boxes.values():
        top, bottom = len(rows) - round(box.y2) + 2, len(rows) - round(box.y1) - 2
        assert {pixel for row in rows[top:bottom] for pixel in row[round(box.x1) + 2 : round(box.x2) - 2]} == {255}
    side = int(MARGIN_SIDE / 25.4 * 72) - 1
    assert {pixel for row in rows for pixel in (*row[:side], *row[-side:])} == {255}


@every_kind
@both
def test_the_foot_of_each_page_has_its_number_and_what_the_document_is(paper: str, kind: str) -> None:
    texts = [page.extract_text() for page in reader(paper, kind).pages]
    document, policy, candidate = (hexed(name)[7:19] for name in ("reproducible", "policy", "candidate"))
    for number, text in enumerate(texts, start=1):
        assert f"page {number} of {len(texts)}" in text
        assert f"document {document} · run 2026-11-23-nodule-4f1c · policy {policy} · candidate {candidate}" in text
        assert "DEVELOPMENT SIGNATURE — not for release" in text


@both
def test_frames_fill_the_width_between_the_margins(paper: str) -> None:
    placed = frames(PAPERS[paper])
    assert [frame.role for frame in placed] == ["tool", "engineer", "qa"]
    assert placed[0].left == 0.0
    assert placed[-1].left + placed[-1].width == pytest.approx(PAPERS[paper].width - 2 * MARGIN_SIDE)
    gaps = {round(later.left - frame.left - frame.width, 9) for frame, later in itertools.pairwise(placed)}
    assert len(gaps) == 1
    assert min(gaps) > 5.0


@both
def test_the_contents_are_above_the_first_section_and_do_not_touch_it(paper: str) -> None:
    lines = reader(paper, "usual").pages[1].extract_text().splitlines()
    heading = next(place for place, line in enumerate(lines) if re.fullmatch(r"2\s*Requirements", line))
    assert any(line.startswith("Glossary") or "Glossary" in line for line in lines[:heading])


def test_a_policy_names_its_paper_and_a4_is_usual() -> None:
    assert {load_policy(name).policy.dossier.paper for name in policy_names()} == {"a4"}
    named = {paper: Policy.model_validate_json(json.dumps({**POLICY, "dossier": {"paper": paper}})) for paper in PAPERS}
    assert [policy.dossier.paper for policy in named.values()] == list(PAPERS)
    assert "paper" not in named["a4"].model_dump_json()
    assert Policy.model_validate_json(named["letter"].model_dump_json()) == named["letter"]
    assert named["letter"].digest != named["a4"].digest
    with pytest.raises(ValidationError, match=r"dossier\.paper"):
        Policy.model_validate_json(json.dumps({**POLICY, "dossier": {"paper": "legal"}}))

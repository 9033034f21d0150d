"""The page for browsers: whole in itself, the same bytes each time, of the PDF's own content."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from made_up_evidence import evidence_of, random_cases
from made_up_material import attachments, candidate, hexed, material, policy
from made_up_structures import structure_material

from gatekeeper.dossier import DossierMaterial, render_web
from gatekeeper.dossier.attachments import describe_attachments
from gatekeeper.dossier.content import compose_content
from gatekeeper.dossier.gather_cases import case_table
from gatekeeper.dossier.wording import unbroken

SIGNED = hexed("pdf")


def with_cases(made: DossierMaterial) -> DossierMaterial:
    evidence = evidence_of({"baseline": random_cases(4, 60, 2)})
    return replace(made, cases=case_table(policy(), evidence, candidate().contract))


class Outline(HTMLParser):
    """Elements with their attributes, and all text but style and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._last = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._last = tag

    def handle_data(self, data: str) -> None:
        self.text += "" if self._last in ("style", "script") else data


@pytest.fixture(scope="module", params=[material, structure_material], ids=["scores", "structures"])
def made(request: pytest.FixtureRequest) -> DossierMaterial:
    return with_cases(request.param())


@pytest.fixture(scope="module")
def page(made: DossierMaterial) -> str:
    return render_web(made, attachments(), SIGNED)


def test_equal_material_gives_equal_bytes(made: DossierMaterial, page: str) -> None:
    assert render_web(made, attachments(), SIGNED) == page


def test_nothing_outside_the_page_is_named(page: str) -> None:
    outline = Outline(page)
    named = [
        value
        for _, attributes in outline.elements
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset", "data", "poster")
    ]
    assert named
    assert all(value is not None and value.startswith(("#", "data:image/png;base64,")) for value in named)
    assert set(re.findall(r"url\(\"?([a-z]+:[a-z0-9/]+)", page)) == {"data:font/woff2"}
    assert "@import" not in page


def test_style_and_script_are_those_that_the_policy_names_and_stand_in_no_attribute(page: str) -> None:
    outline = Outline(page)
    rules = next(a["content"] for tag, a in outline.elements if a.get("http-equiv") == "Content-Security-Policy")
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    first, second = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script))
    assert rules == (
        f"default-src 'none'; style-src 'sha256-{first}'; script-src 'sha256-{second}'; img-src data:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    named = {name for _, attributes in outline.elements for name in attributes}
    assert not {name for name in named if name == "style" or name.startswith("on")}


def test_all_that_the_pdf_says_is_said_in_its_order_under_its_numbers(made: DossierMaterial, page: str) -> None:
    content = compose_content(made, describe_attachments(attachments()))
    heads = re.findall(r'<h2><span class="number">(\d+)</span>(.*?)</h2>', page)
    assert heads[:-1] == [(str(part.number), part.title) for part in content.sections]
    assert heads[-1] == (str(content.sections[-1].number + 1), "Every case")
    told = Outline(page).text
    assert content.footer in told
    assert unbroken(content.first_page.words) in told


def test_it_says_that_it_is_not_signed_and_what_is(made: DossierMaterial, page: str) -> None:
    told = Outline(page).text
    assert f"document {made.verdict.reproducible[7:19]}, with {SIGNED} when" in told
    assert "gatekeeper verify dossier.pdf" in told
    assert "Quality assurance" not in page.partition('id="section-2"')[0]


def test_numbers_stand_below_every_figure_that_has_any(page: str) -> None:
    assert page.count("<details") >= 3
    assert page.count("<details") == page.count("<summary>Numbers</summary>")


def test_a_dossier_without_cases_has_no_table_of_them() -> None:
    page = render_web(material(), attachments(), SIGNED)
    assert not {"cases", "case-data"} & {attributes.get("id") for _, attributes in Outline(page).elements}

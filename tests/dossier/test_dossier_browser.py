"""The page in headless Chromium: silent, alone, sorted, narrowed down, readable on a phone, deaf to hostile text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from made_up_browser import complaints, needs_browser, open_browser, requests, visit
from made_up_evidence import MadeUpCase, evidence_of
from made_up_material import attachments, candidate, hexed, material, material_of_text, policy
from made_up_structures import structure_material

from gatekeeper.dossier import DossierMaterial, render_web
from gatekeeper.dossier.cases import CaseTable, Numbers, Words
from gatekeeper.dossier.gather_cases import case_table

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = needs_browser

MAKERS = ("GE MEDICAL SYSTEMS", "SIEMENS", "Philips")
MANY = 100_000


def cases(n: int = 2_300) -> CaseTable:
    source = np.random.default_rng(8)
    made = [
        MadeUpCase(
            float(source.random()),
            int(source.random() < 0.4),
            answered=bool(source.random() > 0.05),
            attributes={"manufacturer": MAKERS[number % 3], "sex": "FM"[number % 2]},
        )
        for number in range(n)
    ]
    return case_table(policy(), evidence_of({"baseline": made}), candidate().contract)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def written(made: DossierMaterial, folder: Path) -> Path:
    page = folder / "dossier.html"
    page.write_text(render_web(made, attachments(), hexed("pdf")), encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(material(cases=cases()), tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def structures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(structure_material(), tmp_path_factory.mktemp("structures"))


def column(browser: Chrome, heading: str) -> list[str]:
    """Return the texts of a column as drawn."""
    script = """
        const table = document.getElementById("cases");
        const at = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === arguments[0]);
        return [...table.tBodies[0].rows].map((row) => row.cells[at].textContent);
    """
    found: list[str] = browser.execute_script(script, heading)
    return found


def press(browser: Chrome, heading: str) -> str:
    """Press the button in a heading by keyboard; return what the heading then says of its order."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    button = browser.find_element(By.XPATH, f"//table[@id='cases']//th/button[.='{heading}']")
    button.send_keys(Keys.ENTER)
    return button.find_element(By.XPATH, "..").get_attribute("aria-sort") or ""


def choose(browser: Chrome, label: str, text: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.select import Select

    box = browser.find_element(By.XPATH, f"//label[starts-with(normalize-space(.), '{label}')]/select")
    shown = next(option.text for option in Select(box).options if option.text.startswith(text))
    Select(box).select_by_visible_text(shown)


def count(browser: Chrome) -> str:
    told: str = browser.execute_script("return document.getElementById('case-count').textContent")
    return told


@pytest.mark.parametrize("name", ["page", "structures"])
@pytest.mark.parametrize("width", [1280, 375])
def test_it_loads_in_silence_asks_for_nothing_and_never_scrolls_sideways(
    browser: Chrome, name: str, width: int, request: pytest.FixtureRequest
) -> None:
    opened: Path = request.getfixturevalue(name)
    visit(browser, opened, width=width)
    browser.execute_script("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert complaints(browser) == []
    assert requests(browser) == [opened.as_uri()]
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert all(name.startswith("data:") for name in fetched)
    assert browser.execute_script("return [...document.fonts].map((face) => face.status)") == ["loaded"] * 3


def test_what_a_page_must_not_hold_is_stopped_and_would_be_seen(browser: Chrome, page: Path, tmp_path: Path) -> None:
    smuggled = '<p style="color: red">x</p><script>window.owned = 1</script><img src="https://example.org/x.png">'
    changed = tmp_path / "changed.html"
    changed.write_text(page.read_text(encoding="utf-8").replace("</main>", f"{smuggled}</main>"), encoding="utf-8")
    visit(browser, changed)
    assert browser.execute_script("return window.owned") is None
    assert sum("Content Security Policy" in complaint for complaint in complaints(browser)) == 3
    assert requests(browser) == [changed.as_uri(), "https://example.org/x.png"]


def test_numbers_sort_as_numbers_with_what_is_missing_last(browser: Chrome, page: Path) -> None:
    visit(browser, page)
    heading = "Score of “suspicious”"
    lock_order = column(browser, "Case")
    assert press(browser, heading) == "ascending"
    least = [float(text) for text in column(browser, heading)]
    assert least == sorted(least)
    assert press(browser, heading) == "descending"
    most = [float(text) for text in column(browser, heading)]
    assert most == sorted(most, reverse=True)
    assert min(most) > max(least) - 1.0
    assert most[0] > 0.99
    choose(browser, "Outcome", "crashed")
    assert set(column(browser, heading)) == {"–"}
    choose(browser, "Outcome", "all")
    assert press(browser, heading) == "none"
    assert column(browser, "Case") == lock_order


def test_words_sort_and_only_one_column_says_that_it_is_sorted(browser: Chrome, page: Path) -> None:
    visit(browser, page)
    press(browser, "Sex")
    assert press(browser, "Manufacturer") == "ascending"
    found = column(browser, "Manufacturer")
    assert found == sorted(found)
    heads = "return [...document.querySelectorAll('#cases th[aria-sort]')].map((head) => head.ariaSort)"
    told = browser.execute_script(heads)
    assert sorted(told) == ["ascending", *["none"] * (len(told) - 1)]


def test_choices_narrow_rows_down_together_and_the_count_says_to_how_many(browser: Chrome, page: Path) -> None:
    table = {column.heading: column.values for column in cases().columns}
    wanted = [
        name
        for name, outcome, maker in zip(table["Case"], table["Outcome"], table["Manufacturer"], strict=True)
        if outcome == "crashed" and maker == "SIEMENS"
    ]
    visit(browser, page)
    assert count(browser) == "1,000 of 2,300 shown; 1,300 more fit"
    choose(browser, "Outcome", "crashed")
    choose(browser, "Manufacturer", "SIEMENS")
    assert wanted
    assert column(browser, "Case") == wanted
    assert count(browser) == f"{len(wanted)} of 2,300 shown"
    browser.execute_script("document.getElementById('choose-all').click()")
    assert count(browser) == "1,000 of 2,300 shown; 1,300 more fit"


def test_more_rows_are_drawn_when_asked_for(browser: Chrome, page: Path) -> None:
    visit(browser, page)
    for shown in (2_000, 2_300):
        browser.execute_script("document.getElementById('case-more').click()")
        assert len(column(browser, "Case")) == shown
    assert count(browser) == "2,300 of 2,300 shown"
    assert browser.execute_script("return document.getElementById('case-more').checkVisibility()") is False


def test_without_scripts_everything_can_be_read(browser: Chrome, page: Path, tmp_path: Path) -> None:
    few = written(material(cases=cases(40)), tmp_path)
    visit(browser, few, scripts=False)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert len(column(browser, "Case")) == 40
    assert count(browser) == "40 of 40 shown"
    assert browser.execute_script("return document.querySelector('.choices').checkVisibility()") is False
    assert browser.execute_script("return document.querySelectorAll('#cases button').length") == 0


def test_numbers_below_a_figure_open_without_a_script(browser: Chrome, page: Path) -> None:
    from selenium.webdriver.common.by import By

    visit(browser, page)
    first = browser.find_element(By.CSS_SELECTOR, "details.numbers")
    table = first.find_element(By.TAG_NAME, "table")
    assert not table.is_displayed()
    first.find_element(By.TAG_NAME, "summary").click()
    assert table.is_displayed()


def test_every_control_has_a_name(browser: Chrome, page: Path) -> None:
    visit(browser, page)
    unnamed = """
        return [...document.querySelectorAll("select, button, [role=region]")].filter((part) =>
          !(part.labels?.[0]?.textContent.trim() || part.ariaLabel || part.textContent.trim())).length;
    """
    assert browser.execute_script(unnamed) == 0


def test_a_hundred_thousand_cases_do_not_hang_it(browser: Chrome, tmp_path: Path) -> None:
    source = np.random.default_rng(1)
    names = tuple(f"case-{number:06}" for number in source.permutation(MANY))
    scores = tuple(round(float(score), 4) for score in source.random(MANY))
    table = CaseTable((Words("Case", names), Words("Outcome", ("ok",) * MANY, True), Numbers("Score", scores, 4)), MANY)
    many = written(material(cases=table), tmp_path)
    began = time.monotonic()
    visit(browser, many)
    for heading in ("Score", "Case"):
        press(browser, heading)
    assert column(browser, "Case")[:2] == ["case-000000", "case-000001"]
    assert len(column(browser, "Case")) == 1_000
    assert time.monotonic() - began < 30.0


def test_hostile_text_is_shown_and_runs_nowhere(browser: Chrome, tmp_path: Path) -> None:
    text = (
        "</script></style></title></table><script>window.owned = 1</script><img src=x onerror='window.owned = 1'>"
        "<svg onload='window.owned = 1'></svg> {{ 7 * 191 }} {% include '/etc/passwd' %} \u202eSSAP\u202c 😀 "
        '" onmouseover="window.owned = 1" <base href="https://example.org/">'
        '<meta http-equiv="refresh" content="0;url=x">'
    )
    table = CaseTable((Words("Case", (text, "b")), Words(text, (text, text), True)), 2)
    hostile = written(material_of_text(text, cases=table), tmp_path)
    visit(browser, hostile)
    browser.execute_script("document.querySelectorAll('#cases th button').forEach((button) => button.click())")
    assert browser.execute_script("return window.owned") is None
    assert browser.execute_script("return document.querySelectorAll('img, base, meta[http-equiv=refresh]').length") == 0
    assert complaints(browser) == []
    assert requests(browser) == [hostile.as_uri()]
    shown: str = browser.execute_script("return document.body.textContent")
    assert shown.count("<script>window.owned = 1</script>") > 8
    assert "{{ 7 * 191 }}" in shown
    assert "1337" not in shown
    assert "\u202e" not in shown
    assert "‹U+202E›SSAP" in shown
    assert column(browser, "Case")[0].startswith("</script></style>")

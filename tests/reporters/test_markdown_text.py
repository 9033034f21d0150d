"""The oracle is cmark-gfm, GitHub's own reader of Markdown, with all of GitHub's extensions."""

from __future__ import annotations

import html
import re

import cmarkgfm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_reports import HOSTILE

from gatekeeper.errors import printable
from gatekeeper.reporters.markdown_text import code, plain

EXTENSIONS = ["table", "strikethrough", "autolink", "tagfilter", "tasklist"]
# What GitHub makes of finished text: mentions, references, emoji.
CALLS = re.compile(r"(?<![\w`])@[a-z0-9]|#\d|\bgh-\d|:[\w+-]+:|\bwww\.|://", re.IGNORECASE)


def read(markdown: str) -> str:
    """Return the HTML that GitHub makes, before it looks into finished text; raw HTML is let through."""
    return str(cmarkgfm.markdown_to_html_with_extensions(markdown, options=1 << 17, extensions=EXTENSIONS))


def tags(page: str) -> set[str]:
    return set(re.findall(r"<([a-z0-9]+)", page))


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page)).replace("\u200b", "").strip()


def outside_code(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<code>.*?</code>", "", page, flags=re.DOTALL)))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    ("frame", "allowed"),
    [
        ("{}", {"p"}),
        ("- {}", {"ul", "li"}),
        ("**a.** {}", {"p", "strong"}),
        ("| a | b |\n|---|---|\n| {} | x |", {"table", "thead", "tbody", "tr", "th", "td"}),
        ("## {}", {"h2"}),
    ],
    ids=["paragraph", "item", "middle", "cell", "heading"],
)
def test_text_stays_text_and_calls_nobody(text: str, frame: str, allowed: set[str]) -> None:
    page = read(frame.format(plain(text, 6000)))
    assert tags(page) <= allowed
    assert not CALLS.search(outside_code(page))
    assert " ".join(printable(text).split()) in " ".join(text_of(page).split())


@pytest.mark.parametrize("text", HOSTILE)
def test_code_stays_code(text: str) -> None:
    page = read(f"a {code(text, 6000)} b")
    assert tags(page) == {"p", "code"}
    assert CALLS.search(outside_code(page)) is None
    assert " ".join(printable(text).split()) in " ".join(text_of(page).split())


@given(st.text(alphabet="`|\\<>*_[]()!@#:/w.~-+1 ag&\"'$\n", max_size=40))
def test_no_mixture_of_marks_is_more_than_text(text: str) -> None:
    page = read(f"| a |\n|---|\n| x{plain(text)} |\n")
    assert tags(page) <= {"table", "thead", "tbody", "tr", "th", "td"}
    assert page.count("<td>") == 1
    assert not CALLS.search(outside_code(page).partition("x")[2])
    assert tags(read(f"x {code(text)} y")) == {"p", "code"}


def test_long_text_is_cut_with_a_sign() -> None:
    assert plain("a" * 20, 10) == "a" * 9 + "…"
    assert code("a" * 20, 10) == "`" + "a" * 9 + "…`"

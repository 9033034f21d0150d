"""Text as it may be shown."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.dossier.wording import joined, plain_name, shortened, unbroken, visible


def test_controls_that_would_reorder_or_hide_text_are_spelt_out() -> None:
    assert visible("\u202eSSAP\u202c") == "‹U+202E›SSAP‹U+202C›"
    assert visible("a\u200bb\x00c\u2066d") == "a‹U+200B›b‹U+0000›c‹U+2066›d"


def test_white_space_becomes_plain_spaces() -> None:
    assert visible("one\ttwo\r\nthree") == "one two  three"


def test_foreign_scripts_and_emoji_stay_as_they_are() -> None:
    assert visible("שלום مرحبا 漢字 😀 é ñ") == "שלום مرحبا 漢字 😀 é ñ"


def test_a_pile_of_combining_marks_is_cut_at_three() -> None:
    assert visible("a" + "\u0301" * 5) == "a" + "\u0301" * 3 + "‹U+0301›‹U+0301›"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_nothing_that_is_shown_is_invisible(text: str) -> None:
    shown = visible(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert visible(shown) == shown


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.integers(2, 40))
def test_a_shortened_text_fits_and_says_that_it_was_cut(text: str, most: int) -> None:
    cut = shortened(text, most)
    assert len(cut) <= most
    assert cut == text or cut.endswith("…")


def test_numbers_stay_with_their_units() -> None:
    assert (
        unbroken("88.4 % to 96 %, 12 ms, 5 mm, 3 minutes")
        == "88.4\u00a0% to 96\u00a0%, 12\u00a0ms, 5\u00a0mm, 3 minutes"
    )


def test_lists_and_names() -> None:
    assert [joined(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert plain_name("gaussian_noise") == "gaussian noise"

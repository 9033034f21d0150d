"""Numbers as the dossier prints them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_material import finding

from gatekeeper.dossier import numerals
from gatekeeper.dossier.numerals import MINUS, Style
from gatekeeper.evidence import Threshold


def plain(text: str | None) -> str:
    return (text or "").replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("value", "style", "written"),
    [
        (0.9308, Style.SHARE, "0.931"),
        (1.0, Style.SHARE, "1.000"),
        (0.00012, Style.SHARE, "1.2e−4"),
        (0.0093, Style.PERCENT, "0.9 %"),
        (0.01124, Style.TIME, "11.2 ms"),
        (0.0, Style.TIME, "0 ms"),
        (11.9, Style.TIME, "11.9 s"),
        (270.0, Style.TIME, "4.50 min"),
        (0.031, Style.SIGNED, "+0.031"),
        (-0.0042, Style.SIGNED, "−0.004"),
        (-0.0001, Style.SIGNED, "0.000"),
        (0.0, Style.SMALL, "0"),
        (1.2e-7, Style.SMALL, "1.2e−7"),
        (0.0412, Style.SMALL, "0.041"),
        (3.0, Style.STEP, "3"),
        (-1000.0, Style.PLAIN, "−1000"),
        (float("nan"), Style.SHARE, "undefined"),
    ],
)
def test_each_kind_of_number_has_its_way_of_writing(value: float, style: Style, written: str) -> None:
    assert plain(numerals.number(value, style)) == written


@pytest.mark.parametrize(
    ("value", "style", "written"),
    [
        (0.8, Style.SHARE, "0.80"),
        (0.8125, Style.SHARE, "0.8125"),
        (0.05, Style.PERCENT, "5 %"),
        (0.0, Style.SMALL, "0"),
        (0.02, Style.TIME, "20 ms"),
        (30.0, Style.TIME, "30 s"),
        (600.0, Style.TIME, "10 min"),
        (3.0, Style.STEP, "3"),
    ],
)
def test_a_threshold_is_written_in_full(value: float, style: Style, written: str) -> None:
    assert plain(numerals.bound(value, style)) == written


def test_a_limit_just_below_its_threshold_is_not_rounded_onto_it() -> None:
    near = finding("sensitivity", interval=(0.79996, 0.96), threshold=Threshold(of="lower_limit", at_least=0.8))
    assert plain(numerals.interval(near)) == "0.79996 to 0.960"


@settings(max_examples=200, deadline=None)
@given(st.floats(0.0, 1.0), st.integers(0, 100), st.sampled_from([Style.SHARE, Style.PERCENT, Style.SMALL]))
def test_what_is_printed_lies_on_the_side_of_the_threshold_on_which_it_was_decided(
    value: float, percent: int, style: Style
) -> None:
    bound = percent / 100.0
    if abs(value - bound) < 1e-6:
        return
    written = plain(numerals.beside(value, bound, style)).replace(MINUS, "-")
    read = float(written.removesuffix(" %")) / (100.0 if style is Style.PERCENT else 1.0)
    assert (round(read, 12) > bound) == (value > bound)
    assert round(read, 12) != bound


def test_an_interval_names_a_common_unit_once() -> None:
    percent = finding("flips", metric="flip_rate", interval=(0.003, 0.024))
    seconds = finding("latency", metric="latency", unit="s", interval=(0.0108, 0.0119))
    assert plain(numerals.interval(percent)) == "0.3 to 2.4 %"
    assert plain(numerals.interval(seconds)) == "10.8 to 11.9 ms"
    assert numerals.interval(finding("rerun", interval=None)) is None


def test_counts_sizes_digests_and_times() -> None:
    assert numerals.counted(1, "case") == "1 case"
    assert numerals.counted(1240, "case") == "1,240 cases"
    assert plain(numerals.size(999)) == "999 bytes"
    assert plain(numerals.size(41_300)) == "41.3 kB"
    assert plain(numerals.size(999_960)) == "1.0 MB"
    assert numerals.short_digest("sha256:" + "ab" * 32) == "ab" * 6
    assert numerals.moment("2026-11-23T11:11:42+01:00") == "2026-11-23 10:11 UTC"
    assert numerals.moment("2026-11-23T10:11:42") == "2026-11-23 10:11 UTC"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("<b>", "<b>"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (3, "3"),
        (12345.6, "12,346"),
        (-0.91234, "−0.9123"),
        (0.00012, "1.2e−4"),
    ],
)
def test_a_number_behind_a_chart_is_written_to_four_digits(value: str | float | None, written: str) -> None:
    assert numerals.shown(value) == written

"""The page of metrics is that of the catalogue, and every entry says what a reader needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatekeeper.metrics import METRICS, Metric
from gatekeeper.metrics.page import facts_of, metric_text, metrics_markdown, range_of

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
EVERY = pytest.mark.parametrize("spec", tuple(METRICS), ids=lambda spec: spec.name)


def test_the_page_is_that_of_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == metrics_markdown(METRICS), "renew it with `make catalogue`"


@EVERY
def test_every_entry_says_what_it_is_how_sure_and_when_it_has_no_value(spec: Metric) -> None:
    said = dict(facts_of(spec))
    for name in ("definition", "range", "n counts", "no value when", "interval", "tasks", "source"):
        assert said[name].strip(), name
    assert spec.lowest < spec.highest
    assert spec.must <= spec.options
    assert spec.title in metric_text(spec)
    for text in said.values():
        assert "\n" not in text
        assert "  " not in text


@EVERY
def test_an_entry_of_shares_has_bounds_of_shares(spec: Metric) -> None:
    if spec.proportion is not None:
        assert (spec.lowest, spec.highest, spec.unit) == (0.0, 1.0, "1")


def test_ranges_are_written_with_their_unit() -> None:
    assert range_of(METRICS.get("latency")) == "0 to 86,400 (s)"
    assert range_of(METRICS.get("youden")) == "-1 to 1"

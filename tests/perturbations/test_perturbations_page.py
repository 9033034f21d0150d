"""The page of perturbations is that of the registry, and every entry says what a reader needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatekeeper.perturbations import PERTURBATIONS, Perturbation
from gatekeeper.perturbations.page import facts_of, perturbation_text, perturbations_markdown, range_of

PAGE = Path(__file__).parents[2] / "docs" / "perturbations.md"
EVERY = pytest.mark.parametrize("one", tuple(PERTURBATIONS), ids=lambda one: one.name)


def test_the_page_is_that_of_the_registry() -> None:
    assert PAGE.read_text(encoding="utf-8") == perturbations_markdown(PERTURBATIONS), "renew it with `make catalogue`"


@EVERY
def test_every_entry_says_what_it_does_how_much_and_whose_definition_it_is(one: Perturbation) -> None:
    said = dict(facts_of(one))
    assert all(text.strip() and "\n" not in text and "  " not in text for text in said.values())
    assert one.lowest < one.highest
    assert one.axes <= {2, 3}
    assert one.name in perturbation_text(one)


def test_a_range_begins_where_nothing_changes() -> None:
    assert range_of(PERTURBATIONS.get("contour_erosion")) == "up from 0 (nothing changes) to 20 mm"
    assert range_of(PERTURBATIONS.get("ct_dose")) == "down from 1 (nothing changes) to 0.01"

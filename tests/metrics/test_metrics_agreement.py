from __future__ import annotations

import pytest

from gatekeeper.metrics import agreement
from gatekeeper.metrics.specification import Metric, Suite

ENTRIES = [entry for entry in vars(agreement).values() if isinstance(entry, Metric)]
NAMES = {
    "within_subject_cv",
    "repeatability_coefficient",
    "repeatability_coefficient_absolute",
    "reproducibility_coefficient",
    "limits_of_agreement",
    "bias",
    "rescan_difference",
    "icc",
    "concordance_correlation",
}


def test_entries_are_those_of_the_catalogue() -> None:
    assert {entry.name for entry in ENTRIES} == NAMES
    words = [word for entry in ENTRIES for word in (entry.name, *entry.aliases)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_says_what_it_is(entry: Metric) -> None:
    assert entry.suite is Suite.REPEATABILITY
    assert all((entry.title, entry.definition, entry.source, entry.undefined, entry.n_of, entry.interval))
    assert entry.convention
    assert entry.lowest < entry.highest
    assert entry.must <= entry.options
    assert entry.measured == (entry.name != "reproducibility_coefficient")  # no run has two conditions of a scanner


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_only_correlations_are_better_when_higher(entry: Metric) -> None:
    """A bias is a magnitude: were it signed, one far below 0 would pass an upper bound."""
    assert entry.higher_is_better == (entry.name in ("icc", "concordance_correlation"))
    assert entry.higher_is_better or entry.lowest == 0.0

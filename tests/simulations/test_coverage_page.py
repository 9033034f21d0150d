"""The page of coverage is that of the report, and what it says where the promise is not kept the catalogue says too."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from gatekeeper.metrics import METRICS

sys.path.insert(0, str(Path(__file__).parent))

from coverage_page import covers_too_little, exceeds, page_of
from measure_coverage import FAMILIES, PAGE, REPORT
from study import simulate

CONTENT = json.loads(REPORT.read_text(encoding="utf-8"))
ROWS = CONTENT["measured"]


def test_the_page_is_that_of_the_report() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_of(CONTENT), "renew both with `make coverage`"


def test_every_setting_is_in_the_report() -> None:
    wanted = {(study.family, study.setting, study.cases, study.cases_each) for f in FAMILIES for study in f.studies()}
    assert {(row["family"], row["setting"], row["cases"], row["cases_each"]) for row in ROWS} == wanted


@pytest.mark.parametrize("row", [row for row in ROWS if exceeds(row) or covers_too_little(row)], ids=str)
def test_what_does_not_keep_its_promise_has_a_caution(row: dict[str, object]) -> None:
    name = str(row["metric"]).split()[0].strip(",")
    assert METRICS.get(name).caution, f"{name} promises too much: say so in its caution"


def test_the_whole_rule_releases_no_more_often_than_promised() -> None:
    assert len(CONTENT["whole_rule"]) == 6
    assert not [row for row in CONTENT["whole_rule"] if exceeds(row)]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_a_simulation_draws_the_same_again_and_measures_every_metric_of_the_report(family: object) -> None:
    study = next(iter(family.studies()))  # type: ignore[attr-defined]
    first = simulate(study, 4 / study.samples)
    assert first == simulate(study, 4 / study.samples)
    assert {row["metric"] for row in first} == {row["metric"] for row in ROWS if row["setting"] == study.setting}

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REPORTS = ROOT / "reports" / "benchmarks"
PAGE: Callable[[Path], str] = runpy.run_path(str(ROOT / ".ci" / "benchmark-table"))["page"]


def made_up_page(folder: Path, content: dict[str, object]) -> str:
    (folder / "made_up.json").write_text(json.dumps(content))
    return PAGE(folder).split("## Made_up")[1]


def row(ratio: float, least: float, most: float, at_least: float) -> dict[str, object]:
    figures = {"ratio": ratio, "ratio_least": least, "ratio_most": most, "ratio_at_least": at_least}
    return {"work": "w", "peer": "p", **figures}


def test_the_page_shows_what_the_files_hold() -> None:
    """`.ci/benchmark-table` renews it."""
    assert (REPORTS / "README.md").read_text(encoding="utf-8") == PAGE(REPORTS)


def test_every_file_of_benchmarks_has_a_section() -> None:
    text = PAGE(REPORTS)
    for file in REPORTS.glob("*.json"):
        assert (f"\n## {file.stem.capitalize()}\n" in text) == (file.stem != "coverage")


def test_a_ratio_stands_in_one_column_with_its_least_and_most(tmp_path: Path) -> None:
    text = made_up_page(tmp_path, {"measured": [row(60.0, 55.5, 70.0, 50.0)]})
    assert "| work | peer | ratio at least | ratio |\n| --- | --- | --- | --- |" in text
    assert "| w | p | 50.0 | **60.0**, 55.5 to 70.0 |" in text


@pytest.mark.parametrize(("least", "missed"), [(49.9, True), (50.0, False)])
def test_a_ratio_whose_least_round_falls_short_is_marked(tmp_path: Path, least: float, missed: bool) -> None:
    assert ("(missed)" in made_up_page(tmp_path, {"measured": [row(60.0, least, 70.0, 50.0)]})) == missed


@pytest.mark.parametrize(("seconds", "missed"), [(10.1, True), (10, False)])
def test_a_figure_above_its_bound_is_marked(tmp_path: Path, seconds: float, missed: bool) -> None:
    text = made_up_page(tmp_path, {"runs": [{"wall_seconds": seconds, "wall_seconds_at_most": 10}]})
    assert ("(missed)" in text) == missed


def test_single_figures_and_the_machine_are_shown(tmp_path: Path) -> None:
    machine = {"cores": 2, "architecture": "x86_64", "python": "3.11"}
    text = made_up_page(tmp_path, {"part": {"cases_read": 10_000}, "machine": machine, "rounds": 5})
    assert "| part, cases read | 10,000 |" in text
    assert "Machine: 2 cores, x86_64, python 3.11; 5 rounds." in text

"""What docs/candidates.md shows is what the contract takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from gatekeeper.candidate.contract import NEED_TRUST, Contract, Format, OutputKind
from gatekeeper.evidence import CaseOutcome
from gatekeeper.strict_yaml import read_yaml
from gatekeeper.validation import validate

PAGE = (Path(__file__).parents[2] / "docs" / "candidates.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: re.search(r"format: (\w+)", text)[1])  # type: ignore[index]
def test_every_example_is_a_contract(text: str, tmp_path: Path) -> None:
    path = tmp_path / "candidate.yaml"
    path.write_text(text)
    assert validate(Contract, read_yaml(path)).description


def test_every_format_stands_in_the_table_with_the_trust_that_it_needs() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (yes|no) \|$", PAGE, re.MULTILINE))
    assert set(rows) == set(get_args(Format))
    assert {name for name, trust in rows.items() if trust == "yes"} == set(NEED_TRUST)


def test_every_kind_of_output_and_every_outcome_is_named() -> None:
    assert all(f"`{kind}`" in PAGE for kind in get_args(OutputKind))
    assert all(f"`{outcome}`" in PAGE for outcome in CaseOutcome if outcome is not CaseOutcome.OK)

"""The page on candidates: every example holds, and its tables are those of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from gatekeeper.candidate import Contract
from gatekeeper.candidate.adapters.command_answers import CaseJson
from gatekeeper.candidate.contract import (
    CALLS,
    MASKS,
    NEED_TRUST,
    Format,
    InputContract,
    OutputContract,
    OutputKind,
    Refusing,
)
from gatekeeper.engine import EngineSettings
from gatekeeper.evidence import CaseOutcome
from gatekeeper.strict_yaml import read_yaml
from gatekeeper.validation import validate

PAGE = (Path(__file__).parents[2] / "docs" / "candidates.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def table_under(title: str) -> list[list[str]]:
    """Return the cells of the first table below a title (or another piece of text), without its head."""
    below = PAGE[PAGE.index(title) :]
    lines = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert lines is not None
    return [[cell.strip() for cell in line.strip("|\n ").split(" | ")] for line in lines.group().splitlines()[2:]]


def names_in(cells: list[str]) -> list[str]:
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_contract(tmp_path: Path, example: str) -> None:
    (tmp_path / "candidate.yaml").write_text(example)
    contract = validate(Contract, read_yaml(tmp_path / "candidate.yaml"))
    assert Contract.model_validate_json(contract.model_dump_json()) == contract


def test_there_is_an_example_of_every_format() -> None:
    shown = [re.search(r"^format: (\w+)$", example, re.MULTILINE) for example in EXAMPLES]
    assert {found.group(1) for found in shown if found} == set(get_args(Format))


def test_formats_and_what_needs_trust_are_those_of_the_contract() -> None:
    rows = table_under("## Formats")
    assert {row[0].strip("`"): row[-1] for row in rows} == {
        name: "needed" if name in NEED_TRUST else "not needed" for name in get_args(Format)
    }


def test_every_key_of_input_and_every_kind_of_output_has_its_row() -> None:
    assert set(names_in([row[0] for row in table_under("## Input")])) == set(InputContract.model_fields)
    assert set(names_in([row[0] for row in table_under("## Output")])) == set(get_args(OutputKind))
    below = PAGE[PAGE.index("## Output") : PAGE.index("## What may happen")]
    told = set(re.findall(r"`(\w+)", below))
    assert set(OutputContract.model_fields) - {"kind", "classes"} <= told
    assert set(Refusing.model_fields) <= told


def test_what_a_command_writes_is_what_is_read() -> None:
    rows = table_under("It leaves in `{output}` for each case")
    written = {row[0]: json.loads(row[1].strip("`")) for row in rows if row[1].startswith("`")}
    assert {name for kind in written for name in names_in([kind])} == {*CALLS, "boxes"}
    assert not {*MASKS} & {name for kind in written for name in names_in([kind])}
    for answer in written.values():
        assert CaseJson.model_validate_json(json.dumps(answer)).model_fields_set == set(answer)


def test_every_outcome_has_its_row_and_every_setting_is_one() -> None:
    assert [row[0].strip("`") for row in table_under("## What may happen")] == [
        outcome.value for outcome in CaseOutcome
    ]
    settings = set(re.findall(r"`engine\.(\w+)", PAGE))
    assert settings <= set(EngineSettings.model_fields)
    assert EngineSettings().candidate_processes == 64
    assert (EngineSettings().start_seconds, EngineSettings().case_seconds) == (300.0, 120.0)
    assert EngineSettings().timeout_seconds == 12 * 3600.0

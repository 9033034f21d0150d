"""The table of every case: what evidence holds of each, one row a case, and nobody's name."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_up_evidence import MadeUpCase, evidence_of, policy_of, requirement
from made_up_material import candidate
from made_up_structures import outlined, plugin_candidate, structure_evidence, structure_policy, value_of

from gatekeeper.candidate import Contract
from gatekeeper.dossier.cases import CaseTable, Numbers, Words
from gatekeeper.dossier.gather_cases import case_table
from gatekeeper.dossier.web_cases import web_cases
from gatekeeper.evidence import CaseOutcome, Evidence
from gatekeeper.policy import Policy

CASES = [
    MadeUpCase(0.9, 1, "ana", "c1", attributes={"sex": "F", "site": "north"}),
    MadeUpCase(0.41999, 0, "ben", "c2", attributes={"sex": "M", "site": "north"}),
    MadeUpCase(0.3, 1, "ben", "c3", "c2", attributes={"sex": "", "site": "south"}),
    MadeUpCase(0.0, 0, "cleo", "c4", answered=False, attributes={"sex": "F", "site": "north"}),
]


def by_sex() -> Policy:
    item = requirement("sensitivity")
    return policy_of(
        {"sensitivity": item}, subgroups={"by": ("sex",), "min_cases": 1, "requirements": ("sensitivity",)}
    )


def columns(table: CaseTable) -> dict[str, tuple[str | float | None, ...]]:
    return {column.heading: column.values for column in table.columns}


def scored(evidence: Evidence | None = None) -> dict[str, tuple[str | float | None, ...]]:
    return columns(case_table(by_sex(), evidence or evidence_of({"baseline": CASES}), candidate().contract))


def test_a_case_of_scores_tells_truth_score_call_and_whether_it_is_right() -> None:
    assert scored() == {
        "Case": ("c1", "c2", "c3", "c4"),
        "Repeat of": ("–", "–", "c2", "–"),
        "Outcome": ("ok", "ok", "ok", "crashed"),
        "Truth": ("suspicious", "benign", "suspicious", "benign"),
        "Score of “suspicious”": (0.9, 0.42, 0.3, None),
        "Call": ("called positive", "not called", "not called", "–"),
        "Result": ("right", "right", "wrong", "counts as wrong"),
        "Sex": ("F", "M", "not given", "F"),
    }


def test_only_attributes_that_the_policy_asks_about_are_told_and_no_patient() -> None:
    told = json.dumps([list(values) for values in scored().values()])
    assert all(name not in told for name in ("north", "south", "ana", 'ben"', "cleo"))


def test_a_failure_counts_as_the_policy_declares() -> None:
    evidence = evidence_of({"baseline": CASES}).counting({CaseOutcome.CRASHED: "negative"})
    assert scored(evidence)["Result"][3] == "counts as right"


def test_why_a_case_has_no_answer_stands_beside_it() -> None:
    table = evidence_of({"baseline": CASES}).table
    told = table.set_column(table.schema.get_field_index("fault"), "fault", [["", "", "", "out of range"]])
    assert scored(Evidence(told))["Why"] == ("–", "–", "–", "out of range")


def test_of_several_classes_the_likeliest_is_called() -> None:
    cases = [MadeUpCase(0.0, label, case=f"c{label}", answered=label < 2) for label in (0, 1, 2)]
    base = evidence_of({"baseline": cases}).table
    kept = {name: base[name].to_pylist() for name in base.column_names}
    shares = {"low": [0.7, 0.6, None], "mid": [0.2, 0.3, None], "high": [0.1, 0.1, None]}
    answers = {f"probability.{name}": values for name, values in shares.items()}
    told = columns(case_table(by_sex(), Evidence.from_columns(kept, {}, answers), candidate().contract))
    assert told["Truth"] == ("low", "mid", "high")
    assert told["Call"] == ("low", "low", "–")
    assert told["Probability of “mid”"] == (0.2, 0.3, None)
    assert told["Result"] == ("right", "wrong", "counts as wrong")


def test_findings_are_counted_at_the_operating_point() -> None:
    cases = [MadeUpCase(0.0, 1, case="c1"), MadeUpCase(0.0, 0, case="c2", answered=False)]
    base = evidence_of({"baseline": cases}).table
    kept = {name: base[name].to_pylist() for name in base.column_names}
    found = {
        "finding_score": [[0.9, 0.8, 0.7, 0.6, 0.1], []],
        "finding_lesion": [[0, 0, -1, -2, 1], []],
        "lesions": [2, 1],
    }
    told = columns(case_table(by_sex(), Evidence.from_columns(kept, {}, found), candidate().contract))
    assert (told["Lesions"], told["Lesions found"], told["False findings"]) == ((2.0, 1.0), (1.0, None), (1.0, None))


def test_a_case_of_structures_tells_what_the_policy_asks_and_both_volumes() -> None:
    items = outlined(n=6, lost=1, repeats=1)
    told = columns(case_table(structure_policy(), structure_evidence(items), plugin_candidate().contract))
    wanted = [None if item.predicted is None else round(value_of("dice", item), 3) for item in items]
    assert told["brain: Dice coefficient"] == tuple(wanted)
    assert told["brain: candidate, mL"][0] is None
    assert all(isinstance(value, float) for value in told["brain: reference, mL"])


def test_there_is_room_for_so_many_columns_and_rows_and_no_more() -> None:
    names = [f"rib_{number}" for number in range(30)]
    base = evidence_of({"baseline": CASES}).table
    kept = {name: base[name].to_pylist() for name in base.column_names if not name.startswith("attribute.")}
    answers = {f"measured.{name}.dice": [0.5] * 4 for name in names}
    policy, contract = structure_policy(), plugin_candidate().contract
    table = case_table(policy, Evidence.from_columns(kept, {}, answers), contract, most=3)
    assert (len(table), table.total, table.left_out) == (3, 4, 6)
    said = web_cases(table, 9).blocks[0]
    assert "first 3" in getattr(said, "text", "")
    assert "6 further columns" in getattr(said, "text", "")


@pytest.mark.parametrize("text", ["</script><script>", "<!--", "]]>", "&lt;", "\u2028", "\u202eabc"])
def test_data_cannot_end_the_element_it_stands_in(text: str) -> None:
    data = web_cases(CaseTable((Words("Case", (text,)), Numbers("x", (None,), 2)), 1), 2).data.text
    assert not set("<>&") & set(data)
    assert data.isascii()
    (word,) = json.loads(data)["columns"][0]["words"]
    assert word == text.replace("\u2028", "‹U+2028›").replace("\u202e", "‹U+202E›")


def test_what_is_sorted_is_what_is_shown() -> None:
    source = np.random.default_rng(3).random(200)
    evidence = evidence_of({"baseline": [MadeUpCase(float(score), 1) for score in source]})
    contract: Contract = candidate().contract
    shown = web_cases(case_table(by_sex(), evidence, contract), 9)
    place = [heading for heading, _ in shown.headings].index("Score of “suspicious”")
    values = json.loads(shown.data.text)["columns"][place]["values"]
    assert [row[place][0] for row in shown.rows] == [f"{value:.4f}" for value in values]

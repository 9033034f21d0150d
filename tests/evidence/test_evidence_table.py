from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_evidence import MadeUpCase, evidence_of, random_cases

from gatekeeper.errors import Code, IntegrityError
from gatekeeper.evidence import Evidence, read_evidence


def made_up() -> Evidence:
    cases = [*random_cases(1, patients=6, cases_each=2), MadeUpCase(0.5, 1, answered=False, attributes={"site": "a"})]
    return evidence_of({"baseline": cases, "contour_erosion.1": cases}, {"latency": [0.01, 0.02]})


def parquet_of(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def test_evidence_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    evidence = made_up()
    evidence.write(tmp_path / "cases.parquet")
    assert read_evidence(tmp_path / "cases.parquet").table.equals(evidence.table)
    assert read_evidence((tmp_path / "cases.parquet").read_bytes()).table.equals(evidence.table)


def with_answers() -> Evidence:
    table = evidence_of({"baseline": [MadeUpCase(0.5, 1), MadeUpCase(0.2, 0), MadeUpCase(0.1, 0)]}).table
    columns = {name: table[name].to_pylist() for name in table.column_names}
    answers = {
        "probability.mild": [0.2, 0.3, None],
        "probability.severe": [0.8, 0.7, None],
        "measured.lesion.dice": [0.9, None, 0.0],
        "finding_score": [[0.9, 0.4], [], [0.3]],
        "finding_lesion": [[0, -1], [], [-2]],
        "lesions": [2, 0, 1],
    }
    return Evidence.from_columns(columns, {}, answers)


def test_answers_of_more_than_one_number_are_read_back(tmp_path: Path) -> None:
    evidence = with_answers()
    evidence.write(tmp_path / "cases.parquet")
    rows = read_evidence(tmp_path / "cases.parquet").under("baseline")
    assert list(rows.answers) == ["probability.mild", "probability.severe", "measured.lesion.dice"]
    assert rows.answers["probability.severe"].tolist()[:2] == [0.8, 0.7]
    assert np.isnan(rows.answers["measured.lesion.dice"][1])
    assert rows.findings is not None
    assert [scores.tolist() for scores in rows.findings.scores] == [[0.9, 0.4], [], [0.3]]
    chosen = rows.where(np.array([True, False, True]))
    assert chosen.findings is not None
    assert [hits.tolist() for hits in chosen.findings.hits] == [[0, -1], [-2]]
    assert chosen.findings.lesions.tolist() == [2, 1]
    assert chosen.answers["measured.lesion.dice"].tolist() == [0.9, 0.0]


def replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def test_findings_of_another_format_are_refused() -> None:
    table = with_answers().table
    for altered in (
        table.drop_columns(["lesions"]),
        replaced(table, "finding_score", pa.array([[0.9, None], [], [0.3]])),
        replaced(table, "finding_score", pa.array([None, [], [0.3]], type=pa.list_(pa.float64()))),
        replaced(table, "finding_lesion", pa.array([[0, -1], [], [-2]], type=pa.list_(pa.int64()))),
        replaced(table, "probability.mild", pa.array(["a", "b", "c"])),
    ):
        with pytest.raises(IntegrityError, match="lacks a column"):
            read_evidence(parquet_of(altered))


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    made_up().write(tmp_path / "first")
    made_up().write(tmp_path / "second")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_evidence_of_a_run_is_read_back_and_written_to_the_same_bytes(finished_run: Path, tmp_path: Path) -> None:
    path = finished_run / "evidence" / "cases.parquet"
    read_evidence(path).write(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_rows_know_their_condition_attributes_and_answers() -> None:
    evidence = made_up()
    assert evidence.conditions == ("baseline", "contour_erosion.1", "latency")
    assert evidence.attributes == ("site",)
    rows = evidence.under("baseline")
    assert (len(rows), len(evidence.under("latency")), len(evidence.under("never run"))) == (13, 2, 0)
    assert rows.answered.tolist() == [True] * 12 + [False]
    assert np.isnan(rows.score[-1])
    assert np.isnan(rows.seconds).all()
    assert evidence.under("latency").seconds.tolist() == [0.01, 0.02]
    assert rows.where(rows.attributes["site"] == "a").case.tolist() == [rows.case[-1]]
    assert len(evidence.under("never run").originals()) == 0


def test_a_case_is_called_at_the_operating_point_and_without_an_answer_wrongly() -> None:
    cases = [MadeUpCase(0.5, 1), MadeUpCase(0.49, 1), MadeUpCase(1.0, 1, answered=False), MadeUpCase(0.0, 0)]
    cases.append(MadeUpCase(0.0, 0, answered=False))
    called = evidence_of({"baseline": cases}).under("baseline").called(0.5)
    assert called.tolist() == [True, False, False, False, True]


def test_repeats_are_no_originals() -> None:
    cases = [MadeUpCase(0.5, 1, case="a"), MadeUpCase(0.6, 1, case="b", subject="a")]
    assert evidence_of({"baseline": cases}).under("baseline").originals().case.tolist() == ["a"]


def nulled(table: pa.Table, name: str) -> pa.Table:
    values = table[name].to_pylist()
    values[0] = None
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values, type=table[name].type))


ALTERED = {
    "a column less": lambda table: table.drop_columns(["label"]),
    "a column of another type": lambda table: table.set_column(3, "label", table["label"].cast(pa.int64())),
    "a column twice": lambda table: table.append_column("label", table["label"]),
    "an attribute of numbers": lambda table: table.append_column("attribute.age", table["label"]),
    "a label with a gap": lambda table: nulled(table, "label"),
    "a patient with a gap": lambda table: nulled(table, "patient"),
    "an attribute with a gap": lambda table: nulled(table, "attribute.site"),
}


@pytest.mark.parametrize("what", sorted(ALTERED))
def test_a_table_of_another_format_is_refused(what: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        read_evidence(parquet_of(ALTERED[what](made_up().table)))
    assert caught.value.problems[0].code is Code.DIGEST_MISMATCH
    assert any(name in str(caught.value) for name in ("label", "attribute.age", "patient", "attribute.site"))


@pytest.mark.parametrize("data", [b"", b"PAR1", b"no table at all", b"PAR1" + bytes(64) + b"PAR1"])
def test_what_is_no_parquet_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "cases.parquet").write_bytes(data)
    for source in (data, tmp_path / "cases.parquet"):
        with pytest.raises(IntegrityError, match="Parquet"):
            read_evidence(source)


def test_missing_evidence_is_said(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="missing"):
        read_evidence(tmp_path / "cases.parquet")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(place=st.floats(0.0, 1.0, exclude_max=True), flip=st.integers(1, 255), cut=st.booleans())
def test_damaged_bytes_are_refused_or_read_and_nothing_else_happens(place: float, flip: int, cut: bool) -> None:
    data = bytearray(parquet_of(made_up().table))
    position = int(place * len(data))
    data[position] ^= flip
    try:
        evidence = read_evidence(bytes(data[:position] if cut else data))
    except IntegrityError:
        return
    for condition in evidence.conditions:
        evidence.under(condition)

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatekeeper.errors import Code, Problem, UsageError
from gatekeeper.testset.table import Case, read_table

HEADER = "case_id,patient_id,image,label,repeat_of,site\n"
ROWS = (
    "c1,PAT-0001,images/c1.dcm,0,,north\nc2,PAT-0002,images/c2.dcm,1,,south\nc2b,PAT-0002,images/c2b.dcm,1,c2,south\n"
)


def read(text: str | bytes, folder: Path) -> tuple[Case, ...]:
    path = folder / "cases.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_table(path)


def refused(text: str | bytes, folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(UsageError) as caught:
        read(text, folder)
    assert all(problem.where and problem.where.path == str(folder / "cases.csv") for problem in caught.value.problems)
    assert all("PAT-" not in str(problem) for problem in caught.value.problems)
    return caught.value.problems


def test_a_row_is_a_case_and_further_columns_are_attributes(tmp_path: Path) -> None:
    cases = read(HEADER + ROWS, tmp_path)
    assert [case.case_id for case in cases] == ["c1", "c2", "c2b"]
    assert [case.subject for case in cases] == ["c1", "c2", "c2"]
    assert [case.label for case in cases] == [0, 1, 1]
    assert [case.attributes for case in cases] == [{"site": "north"}, {"site": "south"}, {"site": "south"}]


def test_repeats_and_attributes_may_be_left_out(tmp_path: Path) -> None:
    (case,) = read("label,image,patient_id,case_id\n1,a.dcm,p,x\n", tmp_path)
    assert (case.subject, case.attributes) == ("x", {})


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + HEADER + ROWS,
        (HEADER + ROWS).replace("\n", "\r\n"),
        HEADER + "\n" + ROWS.replace("\n", "\n\n") + "\n  \n,,,,,\n",
        HEADER.replace(",", " , ") + ROWS.replace(",", " ,  "),
        "".join(",".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in (HEADER + ROWS).splitlines()),
        (HEADER + ROWS).removesuffix("\n"),
    ],
    ids=["byte order mark", "carriage returns", "blank lines", "blanks around cells", "all quoted", "no last newline"],
)
def test_spellings_of_one_table_are_one_table(text: str, tmp_path: Path) -> None:
    assert read(text, tmp_path) == read(HEADER + ROWS, tmp_path)


def test_a_quoted_comma_is_no_border(tmp_path: Path) -> None:
    assert read(HEADER + 'c1,p1,a.dcm,0,,"north, by the sea"\n', tmp_path)[0].attributes == {
        "site": "north, by the sea"
    }


def test_parquet_and_csv_of_one_table_are_one_table(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    lines = [line.split(",") for line in ROWS.splitlines()]
    columns = dict(zip(HEADER.strip().split(","), map(list, zip(*lines, strict=True)), strict=True))
    columns["label"] = [int(label) for label in columns["label"]]
    columns["repeat_of"] = [original or None for original in columns["repeat_of"]]
    pq.write_table(pa.table(columns), tmp_path / "cases.parquet")
    assert read_table(tmp_path / "cases.parquet") == read(HEADER + ROWS, tmp_path)


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        (",PAT-0009,a.dcm,0,,x", Code.BAD_TABLE, "no case_id"),
        ("c9,,,0,,x", Code.BAD_TABLE, "no patient_id and no image"),
        ("c1,PAT-0009,a.dcm,0,,x", Code.DUPLICATE, "line 2"),
        ("c9,PAT-0009,a.dcm,2,,x", Code.BAD_VALUE, "0 (negative) or 1 (positive)"),
        ("c9,PAT-0009,a.dcm,1.0,,x", Code.BAD_VALUE, "label"),
        ("c9,PAT-0009,a.dcm,yes,,x", Code.BAD_VALUE, "label"),
        ("c9,PAT-0009,../a.dcm,1,,x", Code.FORBIDDEN, "outside"),
        ("c9,PAT-0009,a/../../a.dcm,1,,x", Code.FORBIDDEN, "outside"),
        ("c9,PAT-0009,/etc/passwd,1,,x", Code.FORBIDDEN, "outside"),
        ("c9,PAT-0009,.,1,,x", Code.FORBIDDEN, "outside"),
        ("c9-PAT-0009,PAT-0009,a.dcm,1,,x", Code.FORBIDDEN, "case_id"),
        ("c9-pat-0009,PAT-0009,a.dcm,1,,x", Code.FORBIDDEN, "case_id"),
        ("c9,PAT-0009,images/PAT-0009/1.dcm,1,,x", Code.FORBIDDEN, "image"),
        ("c9,PAT-0009,a.dcm,1,,of PAT-0009", Code.FORBIDDEN, "site"),
        ("c9,PAT-0009,a.dcm,1,c8,x", Code.BAD_TABLE, "not in the table"),
        ("c9,PAT-0002,a.dcm,1,c2b,x", Code.BAD_TABLE, "itself a repeat"),
        ("c9,PAT-0009,a.dcm,1,c2,x", Code.BAD_TABLE, "another patient"),
        ("c9,PAT-0002,a.dcm,0,c2,x", Code.BAD_TABLE, "another label"),
        ("c9,PAT-0009,a.dcm,1,", Code.BAD_TABLE, "5 cells where the header has 6"),
        ("c9,PAT-0009,a.dcm,1,,x,y", Code.BAD_TABLE, "7 cells"),
        ("c\x1b9,PAT-0009,a.dcm,1,,x", Code.BAD_TABLE, "control"),
        ("c9,PAT-0009,a\x00.dcm,1,,x", Code.BAD_TABLE, "control"),
    ],
)
def test_a_row_that_does_not_hold_is_named_by_its_line(row: str, code: Code, words: str, tmp_path: Path) -> None:
    (problem,) = refused(HEADER + ROWS + "\n" + row + "\n", tmp_path)
    assert problem.code is code
    assert words in problem.what
    assert problem.where is not None
    assert problem.where.line == 6


def test_all_rows_that_do_not_hold_are_told_at_once_in_their_order(tmp_path: Path) -> None:
    text = HEADER + "c1,p1,a.dcm,9,,x\nc2,p2,b.dcm\nc3,p3,/c.dcm,0,,x\nc4,p4,d.dcm,0,c9,x\nc5,p5,e.dcm,0,c1,x\n" + ROWS
    problems = refused(text, tmp_path)
    assert [problem.where.line for problem in problems if problem.where] == [2, 3, 4, 5, 7]


def test_no_more_problems_are_told_than_a_person_reads(tmp_path: Path) -> None:
    assert len(refused(HEADER + "c,p,a.dcm,9,,x\n" * 100, tmp_path)) == 20


@pytest.mark.parametrize(
    ("header", "mend"),
    [
        ("case_id,patient_id,image,labl\n", '"labl"'),
        ("case_id,patient,image,label\n", '"patient"'),
        ("case_id;patient_id;image;label\n", "add the column"),
        ("Case_ID,patient_id,image,label\n", '"Case_ID"'),
        ("", "add the column"),
        ("case_id,patient_id,image,label,\n", "name it"),
        ("case_id,patient_id,image,label,site,site\n", "rename"),
    ],
)
def test_a_header_that_does_not_hold_says_what_to_mend(header: str, mend: str, tmp_path: Path) -> None:
    problems = refused(header + "c1,p1,a.dcm,0\n" if header else header, tmp_path)
    assert any(mend in (problem.mend or "") for problem in problems)
    assert {problem.where.line for problem in problems if problem.where} == {1}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (HEADER, Code.NOTHING_TO_JUDGE),
        (HEADER + "\n\n", Code.NOTHING_TO_JUDGE),
        (HEADER.encode() + b"c1,p1,a.dcm,0,,caf\xe9\n", Code.BAD_TABLE),
        (HEADER + 'c1,p1,a.dcm,0,,"open\n', Code.BAD_TABLE),
        (HEADER + 'c1,p1,a.dcm,0,,"a"b\n', Code.BAD_TABLE),
        ((HEADER + ROWS).encode("utf-16"), Code.BAD_TABLE),
    ],
    ids=["no rows", "blank rows", "latin-1", "an open quote", "text after a quote", "utf-16"],
)
def test_a_file_that_is_no_table_is_refused(text: str | bytes, code: Code, tmp_path: Path) -> None:
    assert refused(text, tmp_path)[0].code is code


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    for name in ("none.csv", "none.parquet"):
        with pytest.raises(UsageError) as caught:
            read_table(tmp_path / name)
        assert caught.value.problems[0].code is Code.FILE_NOT_FOUND


def test_a_folder_or_a_text_is_no_parquet_table(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "text.parquet").write_text(HEADER + ROWS)
    for name in ("folder.csv", "folder.parquet", "text.parquet"):
        with pytest.raises(UsageError) as caught:
            read_table(tmp_path / name)
        assert caught.value.problems[0].code is Code.BAD_TABLE


def test_parquet_cells_are_held_to_the_same_rules(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {"case_id": ["a", None], "patient_id": ["p", "q"], "image": ["a.dcm", "b.dcm"], "label": [1.0, 0.0]}
    )
    pq.write_table(table, tmp_path / "cases.parquet")
    with pytest.raises(UsageError) as caught:
        read_table(tmp_path / "cases.parquet")
    assert [problem.code for problem in caught.value.problems] == [Code.BAD_VALUE, Code.BAD_TABLE]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tail=st.text(alphabet="c12p,\"'\n\r\x00 ./é;\ufeff0", max_size=60) | st.binary(max_size=40))
def test_no_bytes_lead_to_anything_but_cases_or_a_usage_error(tail: str | bytes, tmp_path: Path) -> None:
    with contextlib.suppress(UsageError):
        assert read(HEADER.encode() + (tail.encode() if isinstance(tail, str) else tail), tmp_path)


def test_what_must_be_refused_needs_no_reference_and_names_its_kind(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    head = "case_id,patient_id,image,label,must_refuse,repeat_of\n"
    path.write_text(f"{head}a,P1,a.png,1,,\nodd,P2,b.png,,another_species,\n")
    assert [(case.label, case.must_refuse) for case in read_table(path)] == [(1, None), (0, "another_species")]
    assert read_table(path)[0].attributes == {}
    for rows, what in (
        ("a,P1,a.png,1,,\nodd,P2,b.png,,another_spices,\n", "no kind of unusable input"),
        ("a,P1,a.png,1,,\nodd,P1,b.png,,noise,a\n", "repeats no case"),
        ("a,P1,a.png,0,,odd\nodd,P1,b.png,,noise,\n", "which must be refused"),
        ("odd,P1,b.png,,noise,\n", "every row must be refused"),
        ("a,P1,a.png,1,,\nodd,P2,../b.png,,noise,\n", "outside the test set's folder"),
    ):
        path.write_text(head + rows)
        with pytest.raises(UsageError) as caught:
            read_table(path)
        assert what in caught.value.problems[0].what

from __future__ import annotations

from pathlib import Path

import pytest

from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.run_records import FILES, SELF_TEST, new_run, read_records, read_run_files


def test_a_run_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    with new_run(tmp_path / "out", "run") as run:
        (run.partial / "verdict.json").write_text("{}")
        assert not run.final.exists()
        assert run.partial.name.startswith(".")
    assert (tmp_path / "out" / "run" / "verdict.json").is_file()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_run_that_breaks_off_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def broken_off() -> None:
        with new_run(tmp_path, "run") as run:
            (run.partial / "verdict.json").write_text("{}")
            raise error

    with pytest.raises(error):
        broken_off()
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with new_run(tmp_path, "run") as second, new_run(tmp_path, "run") as third:
        names = (second.final.name, third.final.name)
    assert names == ("run-2", "run-3")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError) as caught, new_run(out, "run"):
            pass
        assert caught.value.problems[0].code is Code.CANNOT_WRITE


def test_a_folder_that_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not the folder of a finished run"):
        read_run_files(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_record_that_is_missing_or_broken_is_named(finished_run: Path, name: str) -> None:
    files = read_run_files(finished_run)
    read_records(files, "here")
    for changed in ({key: data for key, data in files.items() if key != name}, files | {name: b"{}"}):
        with pytest.raises(IntegrityError) as caught:
            read_records(changed, "here")
        assert name.removesuffix(".parquet") in str(caught.value) or "evidence" in str(caught.value)


def test_a_run_of_before_gates_tested_themselves_is_read_and_a_broken_self_test_is_named(finished_run: Path) -> None:
    files = read_run_files(finished_run)
    assert read_records(files, "here").self_test is not None
    older = {name: data for name, data in files.items() if name != SELF_TEST}
    assert read_records(older, "here").self_test is None
    for broken in (b"{}", b'{"a_a": true, "defects": []}', b"\xff"):
        with pytest.raises(IntegrityError, match=SELF_TEST):
            read_records(files | {SELF_TEST: broken}, "here")

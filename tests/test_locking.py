from __future__ import annotations

import stat
from pathlib import Path

import pytest
from made_up_bench import Bench

from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.locking import lock_testset, read_lock, verify_lock


def refused(table: Path, out: Path, home: Path, secret_file: Path | None = None) -> Code:
    with pytest.raises(UsageError) as caught:
        lock_testset(table, out, home, secret_file=secret_file)
    assert not list(out.parent.glob(".*.partial"))
    return caught.value.problems[0].code


def test_a_lock_opens_where_it_was_made(bench: Bench) -> None:
    manifest = verify_lock(bench.lock, bench.home).manifest
    assert manifest.name == "discs"
    assert (len(manifest.cases), manifest.patients) == (90, 30)
    assert read_lock(bench.lock, bench.home).root == bench.folder


def test_the_secret_is_kept_beside_the_lock_for_its_owner_alone(bench: Bench) -> None:
    secret = bench.folder / "discs.lock.secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert len(secret.read_bytes().strip()) == 64
    assert secret.read_bytes().strip() not in bench.lock.read_bytes()


def test_the_secret_is_used_again_so_that_a_set_keeps_its_digest(bench: Bench) -> None:
    before = read_lock(bench.lock, bench.home).manifest.digest
    kept = (bench.folder / "discs.lock.secret").read_bytes()
    assert lock_testset(bench.table, bench.lock, bench.home).digest == before
    assert (bench.folder / "discs.lock.secret").read_bytes() == kept
    (bench.folder / "discs.lock.secret").unlink()
    assert lock_testset(bench.table, bench.lock, bench.home).digest != before


def test_a_secret_of_one_s_own_is_used_and_no_other_is_made(bench: Bench, tmp_path: Path) -> None:
    own = tmp_path / "own.secret"
    own.write_bytes((bench.folder / "discs.lock.secret").read_bytes())
    out = tmp_path / "out" / "discs.lock"
    made = lock_testset(bench.table, out, bench.home, root=bench.folder, secret_file=own)
    assert made.digest == read_lock(bench.lock, bench.home).manifest.digest
    assert sorted(path.name for path in out.parent.iterdir()) == ["discs.lock"]


def test_a_short_secret_is_refused(bench: Bench, tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_text("  fifteen bytes!!   \n")
    assert refused(bench.table, tmp_path / "a.lock", bench.home, short) is Code.BAD_VALUE
    (tmp_path / "b.lock.secret").write_text("")
    assert refused(bench.table, tmp_path / "b.lock", bench.home) is Code.BAD_VALUE


def test_a_secret_that_is_not_there_is_said(bench: Bench, tmp_path: Path) -> None:
    assert refused(bench.table, tmp_path / "a.lock", bench.home, tmp_path / "none") is Code.FILE_NOT_FOUND
    assert refused(bench.table, tmp_path / "a.lock", bench.home, tmp_path) is Code.FILE_NOT_FOUND


def test_a_lock_that_cannot_be_written_is_said_and_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "folder.lock").mkdir()
    assert refused(bench.table, tmp_path / "folder.lock", bench.home) is Code.CANNOT_WRITE
    (tmp_path / "file").write_text("in the way")
    assert refused(bench.table, tmp_path / "file" / "a.lock", bench.home) is Code.CANNOT_WRITE


def test_a_bad_table_leaves_an_earlier_lock_as_it_was(bench: Bench) -> None:
    before = bench.lock.read_bytes()
    bench.table.write_text("case_id\n")
    refused(bench.table, bench.lock, bench.home)
    assert bench.lock.read_bytes() == before


def test_verifying_a_lock_hashes_every_file(bench: Bench) -> None:
    told: list[tuple[str, int, int]] = []
    verify_lock(bench.lock, bench.home, progress=lambda *step: told.append(step))
    assert told[-1] == ("hashing", 90, 90)
    (bench.folder / "images" / "disc-059-0.dcm").write_bytes(b"")
    with pytest.raises(IntegrityError, match="disc-059-0"):
        verify_lock(bench.lock, bench.home)


def test_a_lock_elsewhere_is_told_where_its_images_are(bench: Bench, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "discs.lock"
    moved.parent.mkdir()
    bench.lock.rename(moved)
    with pytest.raises(IntegrityError):
        verify_lock(moved, bench.home)
    verify_lock(moved, bench.home, bench.folder)

"""Files are written whole or not at all, and read whole, within a bound, or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gatekeeper.errors import Code, UsageError
from gatekeeper.whole_files import read_whole, write_whole


def test_what_was_written_is_read(tmp_path: Path) -> None:
    for content in (b"", b"one", b"two" * 100_000):
        write_whole(tmp_path / "file", content)
        assert read_whole(tmp_path / "file", len(content)) == content
    assert os.listdir(tmp_path) == ["file"]


def test_a_new_file_has_the_umask_s_mode_and_a_replaced_one_keeps_its_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~current_umask()
    path.chmod(0o640)
    write_whole(path, b"two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_failure_leaves_the_old_content_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    for name in ("replace", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, failing)
            with pytest.raises(UsageError) as caught:
                write_whole(path, b"new")
        assert caught.value.problems[0].code is Code.CANNOT_WRITE
        assert path.read_bytes() == b"old"
        assert os.listdir(tmp_path) == ["file"]


def failing(*given: object, **more: object) -> None:
    raise OSError(28, "No space left on device")


def link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize("make", [link, os.mkfifo, os.mkdir])
def test_what_is_no_regular_file_is_neither_written_nor_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "name"
    make(path)
    with pytest.raises(UsageError, match="cannot be written"):
        write_whole(path, b"new")
    with pytest.raises(ValueError, match=r"link|regular"):
        read_whole(path, 10)
    assert os.listdir(tmp_path) == ["name"]


@pytest.mark.parametrize("path", ["/dev/null", "missing/file", "/dev/stdout"])
def test_devices_and_missing_folders_are_refused(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="cannot be written"):
        write_whole(Path(path), b"new")


def test_what_is_larger_than_the_bound_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as stream:
        stream.truncate(3 << 40)
    with pytest.raises(ValueError, match="larger than 1 MiB"):
        read_whole(path, 1 << 20)
    path.write_bytes(b"123")
    with pytest.raises(ValueError, match="over 2 bytes"):
        read_whole(path, 2)

"""The files of a test set on disk: found by path and never by a link, hashed in several threads."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TypeVar

from gatekeeper.errors import Code, IntegrityError

Item = TypeVar("Item")
Result = TypeVar("Result")

NO_SUCH_FILE = "no such file"
MOST_FILES_OF_A_CASE = 20_000
_BATCH = 256
_MOST_THREADS = 8


def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Give the results of work on many items in their order. Hashing and decoding let other threads run."""
    threads = min(_MOST_THREADS, 2 * (os.cpu_count() or 1))
    remaining = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        # In batches: a future for each of 100,000 files would take more memory than the files.
        while batch := list(islice(remaining, _BATCH)):
            yield from pool.map(work, batch)


def regular_file(root: Path, relative: str, case_id: str) -> Path:
    """Return the path of a regular file below ``root``. Raises IntegrityError for links, other paths, other kinds."""
    path, mode = _reached(root, relative, case_id)
    if not stat.S_ISREG(mode):
        raise not_there(relative, case_id, "not a regular file")
    return path


def files_at(root: Path, relative: str, case_id: str) -> Sequence[str]:
    """Return the paths that a cell of the table names: a file, or the files of a folder, sorted.

    Hidden files of a folder are left out. Raises IntegrityError for a folder within the folder, or an empty one.
    """
    path, mode = _reached(root, relative, case_id)
    if not stat.S_ISDIR(mode):
        return (relative,)
    names = visible_names(path)
    if not names:
        raise not_there(relative, case_id, "the folder is empty")
    if len(names) > MOST_FILES_OF_A_CASE:
        raise not_there(relative, case_id, f"the folder has more than {MOST_FILES_OF_A_CASE:,} files")
    return tuple((PurePosixPath(relative) / name).as_posix() for name in names)


def visible_names(folder: Path) -> list[str]:
    """Return the names in a folder, but for hidden ones, sorted."""
    return sorted(entry.name for entry in os.scandir(folder) if not entry.name.startswith("."))


def not_there(relative: str, case_id: str, why: str) -> IntegrityError:
    """Return the error of a file that cannot be taken for the one of a case."""
    return IntegrityError(
        Code.DIGEST_MISMATCH,
        f'the file of case "{case_id}" is not there',
        where=relative,
        why=why,
        mend="restore the file that was locked, or give --root",
    )


def _reached(root: Path, relative: str, case_id: str) -> tuple[Path, int]:
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise not_there(relative, case_id, "links and paths that leave the folder are refused")
    current, mode = root, 0
    for part in path.parts:
        current = current / part
        try:
            mode = os.lstat(current).st_mode
        except (FileNotFoundError, NotADirectoryError) as error:
            raise not_there(relative, case_id, NO_SUCH_FILE) from error
        except (OSError, ValueError) as error:
            raise not_there(relative, case_id, getattr(error, "strerror", None) or type(error).__name__) from error
        if stat.S_ISLNK(mode):
            raise not_there(relative, case_id, "links and paths that leave the folder are refused")
    return current, mode

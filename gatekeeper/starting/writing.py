"""Files written together: everything that could be in the way is looked for first."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from gatekeeper.errors import Code, Place, Problem, UsageError


def write_together(folder: Path, files: Mapping[PurePosixPath, str], *, force: bool) -> tuple[Path, ...]:
    """Write files below a folder, all or none, and return where they are.

    Raises UsageError with all that is in the way: files that are there (unless ``force``), links and folders in their
    place, a link that leads out of the folder, what cannot be written.
    """
    problems = list(_in_the_way(folder, files, force=force))
    if problems:
        raise UsageError.of(problems)
    targets = {folder / path: text for path, text in files.items()}
    made: list[Path] = []
    drafts: dict[Path, Path] = {}
    try:
        for target, text in targets.items():
            made += _make_folders(target.parent)
            draft = target.with_name(f".{target.name}.{os.getpid()}.partial")
            with draft.open("x", encoding="utf-8", newline="") as stream:
                drafts[draft] = target
                stream.write(text)
        for draft, target in drafts.items():
            draft.replace(target)
    except OSError as error:
        for draft in drafts:
            with suppress(OSError):
                draft.unlink()
        for empty in reversed(made):
            with suppress(OSError):
                empty.rmdir()
        raise UsageError(
            Code.CANNOT_WRITE,
            "the project cannot be written",
            where=str(folder),
            why=error.strerror,
            mend="choose a folder that can be written, and has room",
        ) from error
    return tuple(targets)


def _in_the_way(folder: Path, files: Mapping[PurePosixPath, str], *, force: bool) -> Iterator[Problem]:
    root = Path(os.path.realpath(folder))
    if os.path.lexists(folder) and not folder.is_dir():
        yield Problem(Code.CANNOT_WRITE, "the folder is a file", Place(str(folder)), mend="name another folder")
        return
    for path in files:
        target = folder / path
        place = Place(str(target))
        above = [one for one in target.parents if one != folder and one.is_relative_to(folder)]
        blocked = next((one for one in above if os.path.lexists(one) and not one.is_dir()), None)
        if not Path(os.path.realpath(target.parent)).is_relative_to(root):
            what = "a link leads out of the project's folder"
            yield Problem(Code.FORBIDDEN, what, place, mend="remove the link, or choose another folder")
        elif blocked is not None:
            what = "a file is where a folder has to be"
            yield Problem(Code.CANNOT_WRITE, what, Place(str(blocked)), mend="move it away")
        elif target.is_symlink() or target.is_dir():
            what = "a link or a folder is where a file has to be"
            yield Problem(Code.CANNOT_WRITE, what, place, mend="move it away: it is never replaced")
        elif target.exists() and not force:
            mend = "move it away, or replace all that is listed here with --force"
            yield Problem(Code.CANNOT_WRITE, "the file is there already", place, mend=mend)


def _make_folders(folder: Path) -> list[Path]:
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]

"""Room on the disks that a check writes to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gatekeeper.doctor.finding import Finding, broken, missing, works

_AREA = "disk"
_ENOUGH, _LEAST = 2 << 30, 200 << 20


def examine_disk(out: Path) -> Iterator[Finding]:
    """Tell of the folder for temporary files, and of the one in which runs are written (or would be made)."""
    try:
        temporary = Path(tempfile.gettempdir())
    except OSError:
        yield broken(_AREA, "TMPDIR", "no folder for temporary files can be written", "export TMPDIR=/a/folder")
    else:
        yield _room("TMPDIR", temporary, "export TMPDIR=/a/folder/with/room")
    nearest = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    yield _room(f"runs ({out})", nearest, "give another folder: gatekeeper check --out FOLDER")


def _room(what: str, folder: Path, mend: str) -> Finding:
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        return broken(_AREA, what, f"{folder} cannot be written", mend)
    free = shutil.disk_usage(folder).free
    told = f"{free / (1 << 30):.1f} GiB free in {folder}"
    if free < _LEAST:
        return broken(_AREA, what, told, mend)
    return works(_AREA, what, told) if free >= _ENOUGH else missing(_AREA, what, told, mend)

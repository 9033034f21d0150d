"""Lines added to the files of a runner."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path


def size_of(path: Path) -> int:
    """Return the bytes of a plain file. Raises OSError when it is none."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(0, "no plain file")
    return found.st_size


def add(path: Path, content: bytes) -> None:
    """Add to the end of a file that is there. Raises OSError when it is not, or takes nothing."""
    with open(os.open(path, os.O_WRONLY | os.O_APPEND), "ab") as stream:
        stream.write(content)


def outputs_text(outputs: Mapping[str, str]) -> str:
    """Return outputs of a step in the form that takes several lines, each ended by a word that no value can know."""
    lines = []
    for name, value in outputs.items():
        end = f"gatekeeper-{secrets.token_hex(16)}"
        lines += [f"{name}<<{end}", value, end]
    return "\n".join(lines) + "\n"

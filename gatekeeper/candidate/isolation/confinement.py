"""What a candidate's process is allowed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gatekeeper.evidence import Record

Path = Annotated[str, Field(pattern=r"^/")]


class Level(StrEnum):
    """The outermost wall. Within bubblewrap Landlock stands as a second one where the kernel has it."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"


class Confinement(Record):
    """What a candidate's process may see, write and use up. All paths are absolute.

    ``read`` are files and folders that it may read besides Python and the system's libraries; ``write`` is the one
    folder that it may write. ``memory_bytes`` is for all its processes together, ``cpu_seconds`` for each of them.
    ``file_bytes`` is the size of a file, and of all that lies in ``write``. ``processes`` is how many further
    processes it may start: with 0 it has threads alone, and can neither fork nor execute. ``gpu`` lets it use NVIDIA
    devices, where there are any; this has not been tried on a machine with one.
    """

    read: tuple[Path, ...]
    write: Path
    memory_bytes: Annotated[int, Field(ge=64 << 20)]
    cpu_seconds: Annotated[int, Field(ge=1)] | None = None
    file_bytes: Annotated[int, Field(ge=1)]
    processes: Annotated[int, Field(ge=0)] = 0
    gpu: bool = False

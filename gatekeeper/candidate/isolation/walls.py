"""Called within a candidate's process before a byte of the candidate is read: puts the walls up, or fails."""

from __future__ import annotations

import os
import socket

from gatekeeper.candidate.isolation.confinement import Confinement, Level
from gatekeeper.candidate.isolation.landlock import landlock_abi, restrict_files
from gatekeeper.candidate.isolation.limits import give_up_privileges, limit_resources
from gatekeeper.candidate.isolation.system_calls import deny_calls, find_seccomp
from gatekeeper.candidate.isolation.visible import uses_gpu
from gatekeeper.errors import Code, InvalidRunError


def confine(confinement: Confinement, level: Level | str) -> tuple[str, ...]:
    """Put the walls around this process. Nothing takes them away again.

    Landlock stands around the calling thread and those that it starts: no other may be there yet.

    Returns
    -------
    The walls in words, for the dossier.

    Raises
    ------
    InvalidRunError
        A wall cannot be put up; the process must end without touching the candidate.
    """
    level = Level(level)
    walls = []
    find_seccomp()  # its library is looked for by running a program, which is denied below
    try:
        threads = len(os.listdir("/proc/self/task"))
        if threads != 1:
            raise _open_wall(f"{threads} threads run already, and Landlock would stand around one of them")
        if level is Level.BUBBLEWRAP:
            if (fault := _outside_bubblewrap()) is not None:
                raise _open_wall(fault)
            walls.append("bubblewrap: namespaces of its own for files, network and processes, root read-only")
        limit_resources(confinement)
        give_up_privileges()
        abi = landlock_abi()
        if abi:
            restrict_files(confinement, all_of_proc=level is Level.BUBBLEWRAP)
            walls.append(f"Landlock ABI {abi}: {_files_in_words(confinement)}")
        elif level is Level.LANDLOCK:
            raise _open_wall("the kernel has no Landlock")
    except InvalidRunError:
        raise
    except Exception as error:
        raise _open_wall(type(error).__name__) from None
    deny_calls(processes=confinement.processes, namespaces=level is Level.BUBBLEWRAP, landlock=abi)
    walls.append(f"seccomp: no sockets, {_processes_in_words(confinement)}, no privileged calls")
    walls.append(_limits_in_words(confinement))
    return tuple(walls)


def _outside_bubblewrap() -> str | None:
    """Return what shows that this process is not within bubblewrap, though it is said to be."""
    if {name for _, name in socket.if_nameindex()} - {"lo"}:
        return "the process has a network"
    if not os.statvfs("/").f_flag & os.ST_RDONLY:
        return "the root of the file system can be written"
    if os.getppid() != 1:
        return "the process sees others than its own"
    return None


def _open_wall(why: str) -> InvalidRunError:
    return InvalidRunError(
        Code.WORKER_LOST,
        "the candidate's process cannot be walled in",
        why=why,
        mend="try the other isolation: engine.isolation=landlock, or bubblewrap",
    )


def _files_in_words(confinement: Confinement) -> str:
    gpu = ", NVIDIA devices" if uses_gpu(confinement) else ""
    return f"reads its own files, Python and system libraries{gpu}; writes one private folder"


def _processes_in_words(confinement: Confinement) -> str:
    return f"up to {confinement.processes} processes" if confinement.processes else "no new process"


def _limits_in_words(confinement: Confinement) -> str:
    watched = " (watched)" if uses_gpu(confinement) else ""
    words = [f"memory {_in_words(confinement.memory_bytes)}{watched}", f"files {_in_words(confinement.file_bytes)}"]
    if confinement.cpu_seconds is not None:
        words.append(f"processor time {confinement.cpu_seconds} s")
    return "limits: " + ", ".join(words)


def _in_words(size: int) -> str:
    return f"{size / (1 << 30):.3g} GiB" if size >= 1 << 30 else f"{size / (1 << 20):.3g} MiB"

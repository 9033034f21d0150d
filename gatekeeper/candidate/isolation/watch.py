"""Looks from outside at what a candidate's processes take: what limits of a single process do not see."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from gatekeeper.candidate.isolation.confinement import Confinement

Over = Literal["memory", "processes", "files"]
_MOST_THREADS = 4096
_MOST_FILES = 100_000
_KIB = 1 << 10
_WAIT_SECONDS, _MOST_WAITS = 0.001, 5000


class Watch:
    """Measures a started process and all that descends from it, through bubblewrap too. Made right after ``start``.

    Memory is what is resident or swapped out and lies in no file on a disk, shared memory included. Between two looks
    it can be exceeded; the kernel's own killer then finds these processes first (``oom_score_adj``).
    """

    def __init__(self, pid: int, confinement: Confinement) -> None:
        self._pid, self._confinement = pid, confinement
        # bubblewrap stands before the process twice: outside, and as the first of the new process namespace.
        self._wrappers = 2 if "--unshare-all" in _arguments(pid) else 0

    def over(self) -> Over | None:
        """Return what is exceeded now: memory, processes (or their threads), files in the private folder."""
        family = self._family()
        if len(family) > self._wrappers + 1 + self._confinement.processes:
            return "processes"
        threads, memory = 0, 0
        for pid in family:
            status = _status(pid)
            threads += status.get("Threads", 0)
            memory += _memory(status)
        if threads > _MOST_THREADS:
            return "processes"
        if memory > self._confinement.memory_bytes and self._memory_shared_out(family) > self._confinement.memory_bytes:
            return "memory"
        return "files" if _is_larger(self._confinement.write, self._confinement.file_bytes) else None

    def peak(self) -> int:
        """Return the most bytes that were resident, mapped files included: the sum over the processes there are now.

        Of a process that is gone nothing is known.
        """
        return sum(_sum(_status(pid), "VmHWM") for pid in self._family()[self._wrappers :])

    def _family(self) -> list[int]:
        return list(_descendants(self._pid)) if self._confinement.processes else list(_line(self._pid, self._wrappers))

    def _memory_shared_out(self, family: list[int]) -> int:
        """Count pages that several processes share once: slower, hence only when the plain sum is too high."""
        total = 0
        for pid in family:
            status, rollup = _status(pid), _read_numbers(Path(f"/proc/{pid}/smaps_rollup"))
            if rollup:
                total += _sum(rollup, "Pss_Anon", "Pss_Shmem", "SwapPss", "Shared_Hugetlb", "Private_Hugetlb")
            else:
                total += _memory(status)
        return total


def _line(pid: int, wrappers: int) -> Iterator[int]:
    """Give a process, and the one child of each wrapper. What cannot fork has no children."""
    yield pid
    for _ in range(wrappers):
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return
        if not children:
            return
        pid = int(children[0])
        yield pid


def _descendants(leader: int) -> Iterator[int]:
    """Give a process, all that descend from it, and all of its session, whose parents may be gone."""
    children: dict[int, list[int]] = defaultdict(list)
    found = {leader}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            with suppress(OSError):
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
                children[int(fields[1])].append(int(entry))
                if int(fields[3]) == leader:
                    found.add(int(entry))
    ahead = list(found)
    while ahead:
        for child in children[ahead.pop()]:
            if child not in found:
                found.add(child)
                ahead.append(child)
    yield from found


def _arguments(pid: int) -> list[str]:
    """Return the command line of a process that was just started; while one program gives way to the next it is empty.

    To be asked before the candidate is loaded, which could change what stands there.
    """
    for _ in range(_MOST_WAITS):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
            ended = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
        except OSError:
            return []
        if line or ended:
            return line.split("\0")
        time.sleep(_WAIT_SECONDS)
    return []


def _memory(status: dict[str, int]) -> int:
    return _sum(status, "RssAnon", "RssShmem", "VmSwap", "HugetlbPages")


def _sum(numbers: dict[str, int], *names: str) -> int:
    return sum(numbers.get(name, 0) for name in names) * _KIB


def _status(pid: int) -> dict[str, int]:
    return _read_numbers(Path(f"/proc/{pid}/status"))


def _read_numbers(path: Path) -> dict[str, int]:
    """Read lines such as ``RssAnon: 1234 kB``; nothing when the process is gone or not to be looked at."""
    numbers = {}
    with suppress(OSError):
        for line in path.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            first = value.split()[:1]
            if first and first[0].isdecimal():
                numbers[name] = int(first[0])
    return numbers


def _is_larger(folder: str, limit: int) -> bool:
    total, count, ahead = 0, 0, [folder]
    while ahead:
        with suppress(OSError), os.scandir(ahead.pop()) as entries:
            for entry in entries:
                count += 1
                with suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        ahead.append(entry.path)
                if total > limit or count > _MOST_FILES:
                    return True
    return False

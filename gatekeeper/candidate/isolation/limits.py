"""What a candidate's process may use up, and the privileges that it gives away."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

from gatekeeper.candidate.isolation.confinement import Confinement
from gatekeeper.candidate.isolation.visible import uses_gpu

_OPEN_FILES = 4096
# From linux/prctl.h and linux/capability.h
_PR_CAPBSET_READ, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _CLEAR_ALL = 23, 24, 38, 47, 4
_PR_SET_PDEATHSIG = 1
_CAPABILITY_VERSION_3 = 0x20080522


def limit_resources(confinement: Confinement) -> None:
    """Limit memory, processor time, file size and open files of this process and those that it starts.

    Memory is limited by RLIMIT_DATA, which counts private writable memory: CUDA reserves address space that
    RLIMIT_AS would count, and pins memory, so that with a GPU only ``Watch`` limits memory. What is shared ``Watch``
    alone sees. RLIMIT_NPROC counts a user's threads on the whole machine and spares root: ``Watch`` counts processes.
    """
    if not uses_gpu(confinement):
        _limit(resource.RLIMIT_DATA, confinement.memory_bytes)
    if confinement.cpu_seconds is not None:
        _limit(resource.RLIMIT_CPU, confinement.cpu_seconds, confinement.cpu_seconds + 5)
    _limit(resource.RLIMIT_FSIZE, confinement.file_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_MSGQUEUE, 0)


def give_up_privileges() -> None:
    """Give up every capability for good: root, too, then keeps to limits and to the permissions of files.

    The process also ends with the thread that started it.

    Raises OSError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    prctl = libc.prctl
    prctl.argtypes = [ctypes.c_int, *(ctypes.c_ulong,) * 4]
    _done(prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if os.geteuid() == 0 or _has_capabilities():
        with suppress(OSError):  # before Linux 4.3 there are none
            _done(prctl(_PR_CAP_AMBIENT, _CLEAR_ALL, 0, 0, 0))
        for capability in range(64):
            if prctl(_PR_CAPBSET_READ, capability, 0, 0, 0) == 1:
                prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        _done(libc.capset(ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)())))
    # A candidate that hangs must not outlive an engine that was killed; after the capabilities, which would clear it.
    _done(prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
    if _has_capabilities():
        raise OSError("the process has capabilities still")


def _has_capabilities() -> bool:
    lines = Path("/proc/self/status").read_text().splitlines()
    told = dict(line.split(":", 1) for line in lines if line.startswith(("CapPrm", "CapEff", "CapInh")))
    return any(int(value, 16) for value in told.values())


def _limit(which: int, soft: int, hard: int | None = None) -> None:
    """Set a limit, never above the one that is there."""
    _, present = resource.getrlimit(which)
    hard = soft if hard is None else hard
    if present != resource.RLIM_INFINITY:
        soft, hard = min(soft, present), min(hard, present)
    resource.setrlimit(which, (soft, hard))


def _done(status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

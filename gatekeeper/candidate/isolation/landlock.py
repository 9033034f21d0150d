"""Landlock: what of the file system is left to this process, and nobody outside to signal or to connect to.

The package ``py-landlock`` is used since it negotiates the kernel's ABI for files, network and scopes; ``landlock`` on
PyPI knows files alone. Landlock says nothing of changing permissions, owners and times, nor of ``stat``: seccomp denies
the former; that a guessed path exists, and its size, can be seen at this level.
"""

from __future__ import annotations

import os
from pathlib import Path

from gatekeeper.candidate.isolation.confinement import Confinement
from gatekeeper.candidate.isolation.visible import DEVICES, gpu_devices, libraries, machine, uses_gpu


def landlock_abi() -> int:
    """Return the version of the kernel's Landlock ABI, 0 where there is none."""
    from py_landlock import LandlockError
    from py_landlock.landlock_sys import get_abi_version

    try:
        return int(get_abi_version())
    except (LandlockError, OSError):
        return 0


def restrict_files(confinement: Confinement, *, all_of_proc: bool) -> None:
    """Leave this thread, and those that it starts, with what the confinement names. Raises LandlockError or OSError.

    ``all_of_proc``: the process has a /proc of its own, in which only its own processes are.
    """
    from py_landlock import AccessFs, Landlock

    look = AccessFs.READ_FILE | AccessFs.READ_DIR
    run = AccessFs.EXECUTE if confinement.processes else AccessFs(0)
    make = AccessFs.MAKE_REG | AccessFs.MAKE_DIR | AccessFs.REMOVE_FILE | AccessFs.REMOVE_DIR | AccessFs.REFER
    change = AccessFs.WRITE_FILE | AccessFs.TRUNCATE
    of_files = AccessFs.READ_FILE | AccessFs.EXECUTE | change | AccessFs.IOCTL_DEV

    walls = Landlock(strict=False)  # rights that this kernel does not know are left out, not refused

    def allow(path: str, access: AccessFs) -> None:
        if os.path.exists(path):
            walls.add_path_rule(path, access=access if os.path.isdir(path) else access & of_files)

    for path in libraries():
        allow(path, look | run)
    for path in confinement.read:
        allow(path, look | run)
    for path in machine(confinement):
        allow(path, look)
    allow("/proc" if all_of_proc and confinement.processes else str(Path("/proc/self").resolve()), look)
    for path in DEVICES:
        allow(path, look | AccessFs.WRITE_FILE)
    if uses_gpu(confinement):
        for path in gpu_devices():
            allow(path, look | AccessFs.WRITE_FILE | AccessFs.IOCTL_DEV)
    allow(confinement.write, look | change | make)
    walls.apply()

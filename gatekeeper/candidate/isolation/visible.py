"""Which files a candidate's process sees besides its own: Python, the system's libraries, a few facts of the machine.

Folders are named narrowly. A home, a project or ``/usr/src`` may hold a test set: of Python's prefix only the parts
that Python needs are given, of an editable install of gatekeeper the package alone and never the folder around it.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Iterable
from glob import glob
from pathlib import Path

import gatekeeper
from gatekeeper.candidate.isolation.confinement import Confinement

_SYSTEM = (
    *("/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin"),
    *("/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/libexec", "/usr/bin", "/usr/sbin"),
    *("/usr/include", "/usr/share/zoneinfo", "/usr/share/locale", "/usr/share/perl", "/usr/share/perl5"),
    *("/usr/local/lib", "/usr/local/lib64", "/usr/local/bin"),
    *("/nix/store", "/gnu/store"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime"),
    *("/etc/ssl/openssl.cnf", "/etc/fonts"),
)
_OF_A_PREFIX = ("bin", "lib", "lib64", "include", "pyvenv.cfg", "ssl", "targets")  # the last two: conda's
# Read by torch, OpenMP and the C library for the number of cores, caches and memory nodes.
_MACHINE = ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/filesystems", "/proc/sys/vm")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
# After NVIDIA's list for containers (libnvidia-container); /dev/dxg is of WSL.
_GPU_DEVICES = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset", "/dev/dxg")


def libraries() -> tuple[str, ...]:
    """Return files and folders of Python, gatekeeper and the system that are here, without those within another."""
    prefixes = (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    parts = [os.path.join(prefix, part) for prefix in prefixes for part in _OF_A_PREFIX if _is_a_prefix(prefix)]
    installed = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    searched = [folder for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if os.path.isabs(folder)]
    package = str(Path(gatekeeper.__file__).parent)
    named = [*_SYSTEM, *parts, *installed, *site.getsitepackages(), *searched, package]
    return _outermost([*named, *(os.path.realpath(path) for path in named)])


def machine(confinement: Confinement) -> tuple[str, ...]:
    """Return what tells of the machine, to be read: processors and memory, and of a GPU its driver."""
    paths = [*_MACHINE]
    if uses_gpu(confinement):
        paths += ["/sys", "/proc/driver/nvidia", "/proc/devices", "/proc/modules", "/etc/OpenCL", "/etc/nvidia"]
    else:  # onnxruntime lists the devices to find accelerators among them
        paths += ["/sys/devices/system", "/sys/bus/pci", *sorted(glob("/sys/devices/pci*"))]
    return tuple(path for path in paths if os.path.exists(path))


def uses_gpu(confinement: Confinement) -> bool:
    """Return whether NVIDIA devices are allowed, and there."""
    return confinement.gpu and bool(gpu_devices())


def gpu_devices() -> tuple[str, ...]:
    """Return the device nodes of NVIDIA's driver that are here."""
    numbered = [*glob("/dev/nvidia[0-9]*"), *glob("/dev/nvidia-caps"), *glob("/dev/nvidia-caps-imex-channels")]
    return tuple(sorted(path for path in (*_GPU_DEVICES, *numbered) if os.path.exists(path)))


def exposed(paths: Iterable[str | os.PathLike[str]]) -> tuple[str, ...]:
    """Return those of the paths that lie where every candidate may read, as a test set within a Python would.

    For the engine, which refuses to run with labels, keys or a ledger in such a place.
    """
    roots = [Path(root).resolve() for root in libraries()]
    return tuple(str(path) for path in paths if any(Path(path).resolve().is_relative_to(root) for root in roots))


def _is_a_prefix(prefix: str) -> bool:
    return prefix not in ("", "/", "/usr", "/usr/local")  # of those _SYSTEM has what is needed


def _outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """Return each path that exists once, as it is spelled, without what lies within another one."""
    kept: list[str] = []
    for path in sorted({os.path.normpath(path) for path in paths}):
        if os.path.exists(path) and path != "/" and not any(path.startswith(f"{outer}/") for outer in kept):
            kept.append(path)
    return tuple(kept)

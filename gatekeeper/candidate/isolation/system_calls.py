"""seccomp: system calls that a candidate has no need of fail as if they were not permitted, so that libraries go on."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gatekeeper.errors import Code, InvalidRunError

if TYPE_CHECKING:
    from pyseccomp import SyscallFilter

_NETWORK = ("socket", "bind", "connect", "listen", "accept", "accept4")
_OTHER_PROCESSES = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp"),
    *("pidfd_open", "pidfd_getfd", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "tkill"),
    *("setpriority", "ioprio_set", "sched_setscheduler", "sched_setparam", "sched_setattr", "migrate_pages"),
)
# Without a namespace of its own, a group and a session are what all that was started is found and ended by.
_GROUPS = ("setsid", "setpgid")
_MOUNTS_AND_NAMESPACES = (
    *("mount", "umount", "umount2", "pivot_root", "chroot", "unshare", "setns", "mount_setattr", "open_tree"),
    *("open_tree_attr", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "statmount", "listmount"),
    *("name_to_handle_at", "open_by_handle_at", "fanotify_init", "fanotify_mark", "inotify_add_watch"),
)
_KERNEL = (
    *("add_key", "request_key", "keyctl", "bpf", "perf_event_open", "userfaultfd", "personality", "syslog"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register", "lookup_dcookie", "nfsservctl", "vm86", "vm86old"),
    *("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module"),
    *("reboot", "swapon", "swapoff", "quotactl", "quotactl_fd", "acct", "vhangup", "uselib", "_sysctl", "sysfs"),
    *("clock_settime", "clock_adjtime", "settimeofday", "adjtimex", "stime", "sethostname", "setdomainname"),
    *("iopl", "ioperm", "modify_ldt", "lsm_set_self_attr"),
)
# Memory that outlives the process, or that no map of it shows; the engine's own slots are inherited.
_HIDDEN_MEMORY = (
    *("shmget", "shmat", "shmctl", "msgget", "msgctl", "msgsnd", "msgrcv", "semget", "semctl", "semop", "semtimedop"),
    *("mq_open", "mq_unlink", "memfd_create", "memfd_secret"),
)
# A link or a pipe in its folder would lead or hold up whoever reads there.
_ODD_FILES = ("symlink", "symlinkat", "mknod", "mknodat")
# Landlock lets these through, on any file that is this user's.
_ATTRIBUTES = (
    *("chown", "fchown", "lchown", "fchownat", "file_setattr", "setxattr", "lsetxattr", "fsetxattr"),
    *("setxattrat", "removexattr", "lremovexattr", "fremovexattr", "removexattrat"),
)
# These do nothing and say that they did: copying a file ends with them, and would fail here and not in bubblewrap.
_MODES_AND_TIMES = ("chmod", "fchmod", "fchmodat", "fchmodat2", "utime", "utimes", "futimesat", "utimensat")
_NEW_PROCESSES = ("fork", "vfork", "execve", "execveat")
_ALWAYS = (*_NETWORK, *_OTHER_PROCESSES, *_MOUNTS_AND_NAMESPACES, *_KERNEL, *_HIDDEN_MEMORY, *_ODD_FILES)
# Younger than the libseccomp of some systems; from 424 on numbers are the same on all machines.
_NUMBERS = {
    **{"statmount": 457, "listmount": 458, "lsm_set_self_attr": 460, "fchmodat2": 452, "memfd_secret": 447},
    **{"setxattrat": 463, "removexattrat": 466, "open_tree_attr": 467, "file_setattr": 469, "quotactl_fd": 443},
    **{"process_mrelease": 448, "mount_setattr": 442, "process_madvise": 440, "pidfd_getfd": 438},
}

_TRUNCATION_SINCE, _SIGNALS_SINCE = 3, 6  # ABI of Landlock

_LOW_32 = 0xFFFFFFFF
_CLONE_THREAD = 0x00010000
_CLONE_NAMESPACES = (0x00000080, 0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
_F_SETOWN, _F_SETOWN_EX = 8, 15  # signals sent by way of a file
_FIOSETOWN, _SIOCSPGRP, _TIOCSTI, _TIOCLINUX = 0x8901, 0x8902, 0x5412, 0x541C
_SOCK_TYPE, _SOCK_DGRAM, _SOCK_RAW = 0xF, 2, 3
_ACCESS_AND_TRUNCATE, _TRUNCATE = 0o1003, 0o1000


def find_seccomp() -> None:
    """Load the library. Raises InvalidRunError when it is missing."""
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, RuntimeError, OSError):
        raise InvalidRunError(
            Code.MISSING_PACKAGE, "libseccomp cannot be used", mend="install it: sudo apt-get install libseccomp2"
        ) from None


def deny_calls(*, processes: int, namespaces: bool, landlock: int) -> None:
    """Deny system calls to this process for good.

    Parameters
    ----------
    processes
        0: neither a new process nor another program.
    namespaces
        Whether other files and processes are out of sight; False where only Landlock is around.
    landlock
        The version of Landlock's ABI, 0 without: what it does not know of is denied here.

    Raises
    ------
    InvalidRunError
        The kernel refused the filter.
    """
    import pyseccomp

    try:
        made = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
        made.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
        _deny(made, _ALWAYS)
        _deny_by_argument(made)
        if not processes:
            _deny(made, _NEW_PROCESSES)
            made.add_rule(_eperm(), "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, _CLONE_THREAD, 0))
        if not namespaces:
            _deny(made, (*_ATTRIBUTES, *_GROUPS))
            if landlock < _TRUNCATION_SINCE:
                _deny(made, ("truncate",))
            for call in _MODES_AND_TIMES:
                _add(made, call, action=pyseccomp.ERRNO(0))
        if not processes or not (namespaces or landlock >= _SIGNALS_SINCE):
            for call in ("kill", "tgkill"):
                made.add_rule(_eperm(), call, pyseccomp.Arg(0, pyseccomp.NE, os.getpid()))
        made.load()
    except (OSError, ValueError) as error:
        raise InvalidRunError(
            Code.WORKER_LOST,
            "the system calls of the candidate's process cannot be restricted",
            why=type(error).__name__,
            mend="the kernel needs CONFIG_SECCOMP_FILTER",
        ) from None


def _deny_by_argument(made: SyscallFilter) -> None:
    from pyseccomp import ERRNO, MASKED_EQ, NE, Arg

    enosys = ERRNO(errno.ENOSYS)  # for calls whose arguments cannot be looked at; the C library goes back to older ones
    for call in ("clone3", "openat2"):
        made.add_rule(enosys, _number(call, {"clone3": 435, "openat2": 437}))
    for flag in _CLONE_NAMESPACES:
        made.add_rule(_eperm(), "clone", Arg(0, MASKED_EQ, flag, flag))
    # A pair of datagram sockets can send to any datagram socket that has a name.
    for kind in (_SOCK_DGRAM, _SOCK_RAW):
        made.add_rule(_eperm(), "socketpair", Arg(1, MASKED_EQ, _SOCK_TYPE, kind))
    made.add_rule(_eperm(), "sendto", Arg(4, NE, 0))
    for command in (_F_SETOWN, _F_SETOWN_EX):
        made.add_rule(_eperm(), "fcntl", Arg(1, MASKED_EQ, _LOW_32, command))
    for command in (_FIOSETOWN, _SIOCSPGRP, _TIOCSTI, _TIOCLINUX):
        made.add_rule(_eperm(), "ioctl", Arg(1, MASKED_EQ, _LOW_32, command))
    # Opened to read and emptied all the same: Landlock before ABI 3 sees nothing of it.
    for call, position in (("open", 1), ("openat", 2)):
        _add(made, call, Arg(position, MASKED_EQ, _ACCESS_AND_TRUNCATE, _TRUNCATE))
    for call in ("prlimit64", "move_pages"):
        made.add_rule(_eperm(), call, Arg(0, NE, 0))


def _deny(made: SyscallFilter, calls: Iterable[str]) -> None:
    for call in calls:
        _add(made, call)


def _add(made: SyscallFilter, call: str, *arguments: object, action: int | None = None) -> None:
    """Add a rule where the machine has the call at all: arm64 has neither ``fork`` nor ``open``."""
    number = _number(call, _NUMBERS)
    if number >= 0:
        made.add_rule(_eperm() if action is None else action, number, *arguments)


def _number(call: str, numbers: dict[str, int]) -> int:
    import pyseccomp

    found = int(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, call))
    return found if found >= 0 else numbers.get(call, -1)


def _eperm() -> int:
    import pyseccomp

    return int(pyseccomp.ERRNO(errno.EPERM))

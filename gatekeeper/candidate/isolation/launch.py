"""Starts a candidate's process: within bubblewrap, or bare where it is to put Landlock around itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from gatekeeper.candidate.isolation.confinement import Confinement, Level
from gatekeeper.candidate.isolation.visible import gpu_devices, libraries, machine, uses_gpu
from gatekeeper.errors import Code, InvalidRunError

# OpenBLAS starts its threads when numpy is imported, and Landlock stands around one thread alone: see ``confine``.
# torch.compile asks for a user's name, and /etc/passwd is not there. onnxruntime would keep and send an identifier.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "LOGNAME": "candidate", "ORT_DISABLE_TELEMETRY": "1"}
# When memory runs out the kernel ends this process first, and what it starts. A container may refuse it.
_FIRST_TO_BE_ENDED = ("/bin/sh", "-c", 'echo 1000 2>&- >/proc/self/oom_score_adj; exec "$0" "$@"')


def start(
    arguments: Sequence[str],
    confinement: Confinement,
    level: Level,
    *,
    pass_fds: Sequence[int] = (),
    environment: Mapping[str, str],
    output: int,
) -> subprocess.Popen[bytes]:
    """Start a process that will call ``confine``; until then only bubblewrap stands around it.

    Parameters
    ----------
    arguments
        The program and its arguments.
    pass_fds
        Open files that it inherits, under their numbers.
    environment
        All its environment variables, besides a few that this module adds.
    output
        Where its output and its errors go: the writing end of a pipe.

    Returns
    -------
    The process, leader of its own session. Killing its process group ends all that it started.

    Raises
    ------
    InvalidRunError
        The process cannot be started.
    """
    wrapper = _bubblewrap(confinement) if level is Level.BUBBLEWRAP else []
    try:
        return subprocess.Popen(
            [*_FIRST_TO_BE_ENDED, *wrapper, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_ENVIRONMENT | dict(environment),
            cwd=confinement.write,
            pass_fds=pass_fds,
            start_new_session=True,
            umask=0o077,
        )
    except OSError as error:
        raise InvalidRunError(
            Code.WORKER_LOST, "the candidate's process cannot be started", why=error.strerror
        ) from error


def _bubblewrap(confinement: Confinement) -> list[str]:
    """Return the command line that goes before the program; later mounts cover earlier ones."""
    program = shutil.which("bwrap")
    if program is None:
        raise InvalidRunError(
            Code.MISSING_PACKAGE, "bubblewrap is not installed", mend="install it: sudo apt-get install bubblewrap"
        )
    line = [program, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    line += ["--hostname", "candidate", "--proc", "/proc", "--dev", "/dev"]
    for path in (*libraries(), *(path for path in machine(confinement) if not path.startswith("/proc/"))):
        line += _shown(path)
    if uses_gpu(confinement):
        for device in gpu_devices():
            line += ["--dev-bind", device, device]
    for path in confinement.read:
        line += ["--ro-bind", path, path]
    line += ["--bind", confinement.write, confinement.write]
    # Root may write to files below /proc/sys without any capability, and bubblewrap 0.8 does not cover them.
    for path in ("/proc", "/dev", "/"):
        line += ["--remount-ro", path]
    return [*line, "--chdir", confinement.write, "--"]


def _shown(path: str) -> list[str]:
    """Bind a path; a link to a folder stays one, as /lib is where everything lies in /usr (its target is shown too)."""
    if os.path.islink(path) and os.path.isdir(path):
        return ["--symlink", os.readlink(path), path]
    return ["--ro-bind", path, path]

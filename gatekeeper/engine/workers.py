"""Starting a worker process, following it, ending it, and reading what it left."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gatekeeper.candidate.worker import Refusal, Report, Request
from gatekeeper.errors import Code, InvalidRunError, UsageError

ISOLATION = "separate process, clean environment, no sandbox"

Progress = Callable[[int, int], None]


def run_worker(folder: Path, request: Request, log: Path, timeout: float, progress: Progress) -> Report:
    """Run one worker over a prepared folder. ``progress`` is told (condition index, cases done).

    Raises UsageError when the artefact or the device cannot be used, InvalidRunError when the worker ends without a
    report or takes longer than ``timeout`` seconds; what it printed is kept in ``log``.
    """
    (folder / "request.json").write_text(request.model_dump_json())
    log.parent.mkdir(parents=True, exist_ok=True)
    with _started(folder, log, request.threads) as (process, progress_fd):
        _follow(progress_fd, time.monotonic() + timeout, timeout, progress)
        code = process.wait()
    refusal = folder / "refusal.json"
    if refusal.is_file():
        refused = Refusal.model_validate_json(refusal.read_bytes())
        raise UsageError(Code.MISMATCH, refused.what, why=refused.why, mend=refused.mend)
    report = folder / "report.json"
    if code != 0 or not report.is_file():
        raise InvalidRunError(
            Code.WORKER_LOST,
            f"the worker that ran the candidate ended with status {code}",
            why=_last_words(log),
            where=str(log),
            mend="read the log; nothing was judged",
        )
    log.unlink(missing_ok=True)
    return Report.model_validate_json(report.read_bytes())


@contextmanager
def _started(folder: Path, log: Path, threads: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    reading, writing = os.pipe()
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "OMP_NUM_THREADS": str(threads),
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
    for name in ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH"):
        if name in os.environ:
            environment[name] = os.environ[name]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "gatekeeper.candidate.worker", str(folder), str(writing)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
            pass_fds=(writing,),
            start_new_session=True,
        )
    os.close(writing)
    try:
        yield process, reading
    finally:
        os.close(reading)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _follow(progress_fd: int, deadline: float, timeout: float, progress: Progress) -> None:
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(progress_fd, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise InvalidRunError(
                    Code.WORKER_TIMEOUT,
                    f"the candidate was stopped after {timeout:g} s",
                    mend='allow more time: engine.timeout="60 min"',
                )
            piece = os.read(progress_fd, 65536)
            if not piece:
                return
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                condition, done = json.loads(line)
                progress(condition, done)


def _last_words(log: Path) -> str | None:
    lines = log.read_text(errors="replace").strip().splitlines()
    # Only the kind of error: the rest of the line is the candidate's and may say anything.
    return lines[-1].partition(":")[0][:80] if lines else None


@contextmanager
def work_folder() -> Iterator[Path]:
    """Give a private folder that is gone afterwards, whatever happened."""
    with tempfile.TemporaryDirectory(prefix="gatekeeper-") as name:
        yield Path(name)

"""One worker process: started within its walls, asked, listened to, ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from socket import socketpair

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate import Candidate
from gatekeeper.candidate.isolation import Confinement, Drain, Level, Watch, start
from gatekeeper.candidate.protocol import (
    SLOTS,
    Answer,
    ArrayAt,
    Declined,
    DeviceLost,
    Ended,
    Garbled,
    Late,
    Line,
    Order,
    Question,
    Ready,
    read_array,
    write_arrays,
    write_bytes,
)
from gatekeeper.candidate.worker import Start
from gatekeeper.canonical import digest_file
from gatekeeper.errors import Code, InvalidRunError, UsageError

# How often a worker that says nothing is looked at.
_GLANCE_SECONDS = 0.2


class Cause(StrEnum):
    """Why a worker is gone."""

    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    KILLED = "killed"  # by a signal that no program sends itself by accident: the machinery's fault until it repeats
    DEVICE = "device"


class Lost(Exception):
    """The worker is gone; ``how`` says in a few words what it left behind: an exit status, a signal."""

    def __init__(self, cause: Cause, how: str) -> None:
        super().__init__(how)
        self.cause, self.how = cause, how


@dataclass(frozen=True)
class Place:
    """A private folder for one worker: ``model`` holds verified copies, ``work`` is what it may write."""

    model: Path
    work: Path


class Session:
    """A worker that was started; once ``begin`` has returned it is ready for questions, until ``close``."""

    ready: Ready

    def __init__(self, order: Order, confinement: Confinement, level: Level) -> None:
        self._start = Start(confinement=confinement, level=level.value, order=order)
        ours, theirs = socketpair()
        self._slots = [os.memfd_create(f"slot-{number}", os.MFD_CLOEXEC) for number in range(2 * SLOTS)]
        self.inputs, self._outputs = self._slots[:SLOTS], self._slots[SLOTS:]
        self._fd = os.dup(ours.fileno())
        self._line = Line(self._fd)
        reading, writing = os.pipe()
        handed = [theirs.fileno(), *self._slots]
        try:
            self._process = start(
                [sys.executable, "-I", "-m", "gatekeeper.candidate.worker", *map(str, handed)],
                confinement,
                level,
                pass_fds=tuple(handed),
                environment=_environment(confinement, order.threads),
                output=writing,
            )
        finally:
            os.close(writing)
            ours.close()
            theirs.close()
        self.printed = Drain(reading)
        self._watch = Watch(self._process.pid, confinement)

    def begin(self, seconds: float) -> None:
        """Hand in the order, and wait until the candidate is loaded. Raises Lost, or UsageError: why it cannot be."""
        self.ask(self._start)
        said = self._hear(time.monotonic() + seconds, f"it was not loaded within {seconds:g} s")
        if isinstance(said, Declined):
            raise UsageError(Code.MISMATCH, said.what, why=said.why, mend=said.mend)
        if not isinstance(said, Ready):
            raise Lost(Cause.CRASHED, "what it said is no message")
        self.ready = said

    def close(self) -> None:
        """End the worker, and everything that it started."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self.printed.close()
        for fd in (self._fd, *self._slots):
            if fd >= 0:
                os.close(fd)
        self._fd, self._slots = -1, []

    def put(self, number: int, images: NDArray[np.generic]) -> ArrayAt:
        """Lay the images of a question into its slot."""
        (placed,) = write_arrays(self.inputs[number % SLOTS], [("images", images)])
        return placed

    def put_bytes(self, number: int, data: bytes, offset: int) -> None:
        """Lay the bytes of a file into the slot of a question."""
        write_bytes(self.inputs[number % SLOTS], memoryview(data), offset)

    def ask(self, question: Question | Start) -> None:
        """Ask a question. Raises Lost."""
        try:
            self._line.say(question)
        except Ended:
            raise self._gone() from None

    def answer(self, seconds: float) -> Answer:
        """Return the next answer; ``seconds`` is how long the worker may be silent. Raises Lost."""
        said = self._hear(time.monotonic() + seconds, f"no answer within {seconds:g} s")
        if isinstance(said, DeviceLost):
            raise Lost(Cause.DEVICE, said.error)
        if not isinstance(said, Answer):
            raise Lost(Cause.CRASHED, "what it said is no message")
        return said

    def peak(self) -> int:
        """Return the most bytes that the worker, and what it started and is still there, have held."""
        return self._watch.peak()

    def outputs(self, number: int, placed: Sequence[ArrayAt]) -> dict[str, NDArray[np.generic]]:
        """Copy outputs of an answer out of its slot. Raises Lost when they are not there."""
        try:
            return {at.name: read_array(self._outputs[number % SLOTS], at) for at in placed}
        except (Garbled, MemoryError, OSError):
            raise Lost(Cause.CRASHED, "its outputs are not where it says") from None

    def _hear(self, deadline: float, late: str) -> Ready | Declined | Answer | DeviceLost:
        while True:
            try:
                return self._line.hear_worker(min(deadline, time.monotonic() + _GLANCE_SECONDS))
            except Garbled:
                raise Lost(Cause.CRASHED, "what it said is no message") from None
            except Ended:
                raise self._gone() from None
            except Late:
                over = self._watch.over()
                if over == "memory":
                    raise Lost(Cause.OUT_OF_MEMORY, "more memory than allowed") from None
                if over is not None:
                    raise Lost(Cause.CRASHED, f"more {over} than allowed") from None
                if self._process.poll() is not None:  # what it started may hold the line open
                    raise self._gone() from None
                written = sum(os.fstat(slot).st_blocks * 512 for slot in self._outputs)
                if written > self._start.confinement.memory_bytes:
                    raise Lost(Cause.OUT_OF_MEMORY, "larger outputs than allowed") from None
                if time.monotonic() >= deadline:
                    raise Lost(Cause.TIMED_OUT, late) from None

    def _gone(self) -> Lost:
        try:
            status = self._process.wait(10)
        except subprocess.TimeoutExpired:  # it hung up and goes on: that is no way to end
            return Lost(Cause.CRASHED, "it closed the line")
        # Behind a wrapper a signal shows as 128 + its number.
        number = -status if status < 0 else status - 128 if 128 < status < 160 else 0
        if number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            return Lost(Cause.KILLED, signal.Signals(number).name)
        if number == signal.SIGXCPU:
            return Lost(Cause.TIMED_OUT, "more processor time than allowed")
        if number:
            name = signal.Signals(number).name if number in signal.valid_signals() else f"signal {number}"
            return Lost(Cause.CRASHED, name)
        return Lost(Cause.CRASHED, f"exit status {status}")


def _environment(confinement: Confinement, threads: int) -> dict[str, str]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": confinement.write,
        "TMPDIR": confinement.write,
        "OMP_NUM_THREADS": str(threads),
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
    for name in ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH"):
        if name in os.environ:
            environment[name] = os.environ[name]
    return environment


def made_place(candidate: Candidate, parent: Path) -> Place:
    """Copy the candidate's files for a worker; what runs is then what was identified, whatever happens to the rest.

    Raises IntegrityError when a file changed since it was digested, InvalidRunError when there is no room.
    """
    place = Place(parent / "model", parent / "work")
    try:
        place.model.mkdir()
        place.work.mkdir()
        for name, digest in candidate.record.files.items():
            copy = place.model / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(candidate.folder / name, copy, follow_symlinks=False)
            if copy.is_symlink() or digest_file(copy) != digest:
                raise candidate.changed(name)
            if candidate.record.contract.format == "command":
                copy.chmod(0o555)
    except OSError as error:
        raise InvalidRunError(
            Code.CANNOT_WRITE,
            "the candidate cannot be handed to its worker",
            why=error.strerror,
            mend="make room in the temporary folder, or set TMPDIR to another one",
        ) from error
    return place


def work_folder() -> tempfile.TemporaryDirectory[str]:
    """Give a private folder that is gone afterwards, whatever happened."""
    return tempfile.TemporaryDirectory(prefix="gatekeeper-", ignore_cleanup_errors=True)

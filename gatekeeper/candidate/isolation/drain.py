"""Keeps the beginning and the end of what a process prints, however much that is."""

from __future__ import annotations

import os
import select
from threading import Lock, Thread

_AT_ONCE = 1 << 16


class Drain:
    """Reads a pipe in a thread, so that who prints never waits; keeps the first and the last bytes.

    Parameters
    ----------
    reading
        The reading end of a pipe; it belongs to the drain from now on.
    head, tail
        How many bytes are kept of the beginning and of the end.
    """

    def __init__(self, reading: int, head: int = 4 << 10, tail: int = 60 << 10) -> None:
        self._reading, self._most_head, self._most_tail = reading, head, tail
        self._head, self._tail, self._dropped = bytearray(), bytearray(), 0
        self._lock = Lock()
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread = Thread(target=self._drain, name="drain", daemon=True)
        self._thread.start()

    def __enter__(self) -> Drain:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def text(self) -> bytes:
        """Return what was kept so far, with a line in between that tells what was left out."""
        with self._lock:
            left_out = f"\n[... {self._dropped} bytes left out ...]\n".encode() if self._dropped else b""
            return bytes(self._head) + left_out + bytes(self._tail)

    def close(self) -> None:
        """Read what is in the pipe already, then stop, even if someone holds its other end still."""
        if self._reading < 0:
            return
        os.eventfd_write(self._stop, 1)
        self._thread.join()
        os.close(self._reading)
        os.close(self._stop)
        self._reading = self._stop = -1

    def _drain(self) -> None:
        poll = select.poll()
        poll.register(self._reading, select.POLLIN)
        poll.register(self._stop, select.POLLIN)
        left = 16  # reads after the stop: one pipe's worth, and no more from one that goes on printing
        while left:
            ready = dict(poll.poll())
            if self._stop in ready:
                left -= 1
            if self._reading not in ready:
                return
            data = os.read(self._reading, _AT_ONCE)
            if not data:
                return
            self._keep(data)

    def _keep(self, data: bytes) -> None:
        with self._lock:
            room = self._most_head - len(self._head)
            self._head += data[:room]
            self._tail += data[room:]
            over = len(self._tail) - self._most_tail
            if over > 0:
                del self._tail[:over]
                self._dropped += over

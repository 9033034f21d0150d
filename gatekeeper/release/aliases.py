"""An alias as a small file: which candidate "production" is, and was. And the lock by which writers take turns."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from gatekeeper.canonical import JSON, pretty_json
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.release.stores import Alias, Pointer, hexadecimal, plain_name
from gatekeeper.whole_files import read_whole

_LARGEST_BYTES = 4 << 20
_WAIT_SECONDS = 30.0
_LOOK_EVERY_SECONDS = 0.02


def alias_from(path: Path) -> Alias:
    """Read an alias's file; an alias that was never set where there is none. Raises IntegrityError for any other."""
    try:
        return parse_alias(read_whole(path, _LARGEST_BYTES))
    except FileNotFoundError:
        return Alias()
    except (OSError, ValueError) as error:
        raise IntegrityError(
            Code.MISMATCH,
            "the alias's file is not one that `gatekeeper promote` wrote",
            where=str(path),
            why=getattr(error, "strerror", None) or str(error),
            mend="the ledger tells what it pointed to (`gatekeeper ledger show`); remove the file, and promote that",
        ) from error


def parse_alias(content: bytes) -> Alias:
    """Return the alias that ``alias_to`` wrote. Raises ValueError for anything else."""
    try:
        told = json.loads(content)
        listed = told["history"]
        pointers = tuple(Pointer(**{name: str(value) for name, value in entry.items()}) for entry in listed)
        for pointer in pointers:
            hexadecimal(pointer.candidate)
            plain_name(pointer.run, "a run")
    except (KeyError, TypeError, AttributeError, RecursionError, UsageError) as error:
        raise ValueError("it does not hold a history of candidates") from error
    if not pointers or alias_to(Alias(pointers)) != content:
        raise ValueError("it does not hold a history of candidates")
    return Alias(pointers)


def alias_to(alias: Alias) -> bytes:
    """Return the file's content: what it points to now, for people and scripts, and the history with that last."""
    listed: list[JSON] = [asdict(pointer) for pointer in alias.history]
    told: dict[str, JSON] = {"current": listed[-1] if listed else None, "history": listed}
    return pretty_json(told).encode("utf-8")


@contextmanager
def locked(path: Path, wait: float = _WAIT_SECONDS) -> Iterator[None]:
    """Hold the lock of a file, which stays. Raises UsageError after ``wait`` seconds, or where it cannot be made."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise _not_locked(path, error.strerror or "it cannot be opened") from error
    try:
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise _not_locked(path, f"another process has held it for {wait:g} s") from error
                time.sleep(_LOOK_EVERY_SECONDS)
        yield
    finally:
        os.close(handle)


def _not_locked(path: Path, why: str) -> UsageError:
    mend = "let the other command end, or make the store's folder writable"
    return UsageError(Code.CANNOT_WRITE, "the alias cannot be changed now", where=str(path), why=why, mend=mend)

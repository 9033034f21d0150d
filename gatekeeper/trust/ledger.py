"""The ledger: an append-only, hash-chained audit trail in one SQLite file.

Each entry's digest is the SHA-256 of its canonical JSON with the digest before it, so nothing can be changed,
removed or put in between without breaking the chain. The database itself refuses every statement but an append. A
chain cannot show that its end was cut off, or that all of it was written anew: a checkpoint kept elsewhere can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

from gatekeeper.canonical import JSON, canonical_json, digest_json
from gatekeeper.errors import Code, GatekeeperError, IntegrityError, Place, UsageError
from gatekeeper.trust._json import read_object

if TYPE_CHECKING:
    import sqlite3

GENESIS = "sha256:" + "0" * 64

_WAIT_SECONDS = 30.0
_LARGEST_BODY_BYTES = 16 << 20
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z")
_KIND = re.compile(r"[a-z_]+(\.[a-z_]+)*")
_COLUMNS = "sequence, at, kind, body, previous, digest"

_SCHEMA = {
    "entries": """CREATE TABLE entries (
    sequence INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    previous TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT""",
    "entries_follow": f"""CREATE TRIGGER entries_follow BEFORE INSERT ON entries
WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM entries)
  OR NEW.previous IS NOT coalesce((SELECT digest FROM entries ORDER BY sequence DESC LIMIT 1), '{GENESIS}')
BEGIN SELECT RAISE(ABORT, 'an entry must follow the last one'); END""",
    "entries_stay": """CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'an entry cannot be changed'); END""",
    "entries_remain": """CREATE TRIGGER entries_remain BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'an entry cannot be removed'); END""",
}


@dataclass(frozen=True)
class Entry:
    """One line of the ledger. ``sequence`` counts from 1; ``at`` is UTC, ISO 8601; digests are ``sha256:<hex>``."""

    sequence: int
    at: str
    kind: str
    body: dict[str, JSON]
    previous: str
    digest: str


@dataclass(frozen=True)
class Checkpoint:
    """How many entries there were, and the digest of the last one (``GENESIS`` when there were none)."""

    size: int
    head: str


class Ledger:
    """An open ledger; use it as a context manager.

    Entering makes the file when it is missing. Raises UsageError CANNOT_WRITE when it cannot be opened or written,
    IntegrityError ALTERED_LEDGER when it is not a ledger or its guards are gone. Several processes may append at once;
    each waits up to 30 s for its turn.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: sqlite3.Connection | None = None

    def __enter__(self) -> Ledger:
        import sqlite3

        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._open = sqlite3.connect(self.path, timeout=_WAIT_SECONDS, isolation_level=None)
        try:
            with self._explained():
                self._prepare(self._open)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def append(self, kind: str, body: JSON, at: str) -> Entry:
        """Add one entry and return it once it is on disk.

        ``kind`` is words of small letters with dots between (``testset.opened``), ``body`` a JSON object, ``at`` the
        time in UTC (``2026-11-23T09:30:00Z``). Raises ValueError when one of them is not.
        """
        if not _KIND.fullmatch(kind) or not _TIME.fullmatch(at) or not isinstance(body, dict):
            raise ValueError("an entry has a kind, a JSON object and a time in UTC that ends with Z")
        text = canonical_json(body).decode("utf-8")
        if len(text.encode("utf-8")) > _LARGEST_BODY_BYTES:
            raise ValueError(f"an entry is larger than {_LARGEST_BODY_BYTES >> 20} MiB")
        with self._explained(), self._transaction() as connection:
            last = _checkpoint(connection)
            sequence = last.size + 1
            digest = _digest(sequence, at, kind, body, last.head)
            connection.execute(
                f"INSERT INTO entries ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
                (sequence, at, kind, text, last.head, digest),
            )
        return Entry(sequence, at, kind, body, last.head, digest)

    def entries(self, kind: str | None = None) -> tuple[Entry, ...]:
        """Return all entries, or those of one kind, in their order. The chain is not checked: see ``verify``."""
        condition, values = ("WHERE kind = ?", (kind,)) if kind is not None else ("", ())
        with self._explained():
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM entries {condition} ORDER BY sequence", values)
            return tuple(self._entry(row) for row in rows)

    def checkpoint(self) -> Checkpoint:
        """Return the present size and head, to be signed or printed elsewhere."""
        with self._explained():
            return _checkpoint(self._connection)

    def verify(self, checkpoint: Checkpoint | None = None) -> Checkpoint:
        """Check the chain from the first entry to the last and return where it ends.

        With ``checkpoint``, the chain must also pass through it: then a cut-off end and a chain that was written anew
        show. Raises IntegrityError ALTERED_LEDGER that names the first entry that does not hold.
        """
        previous, size, passed = GENESIS, 0, checkpoint is None or checkpoint == Checkpoint(0, GENESIS)
        with self._explained():
            for row in self._connection.execute(f"SELECT {_COLUMNS} FROM entries ORDER BY sequence"):
                entry = self._entry(row)
                if entry.sequence != size + 1:
                    self._altered("an entry is missing before it", entry.sequence)
                if entry.previous != previous:
                    self._altered("it does not follow the entry before it", entry.sequence)
                if not _is_as_written(entry, row[3]):
                    self._altered("its content is not what was written", entry.sequence)
                previous, size = entry.digest, entry.sequence
                passed = passed or checkpoint == Checkpoint(size, previous)
        if checkpoint is not None and not passed:
            self._off_course(checkpoint, size)
        return Checkpoint(size, previous)

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            raise ValueError("a ledger is used inside its with block")
        return self._open

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # Bytes that are no text must reach verify(), which names their entry; SQLite's own error does not.
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA recursive_triggers = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        if not _schema(connection):
            with self._transaction():
                if not _schema(connection):
                    for statement in _SCHEMA.values():
                        connection.execute(statement)
        if _schema(connection) != _SCHEMA:
            self._altered("it is not a ledger, or what guards its entries was removed")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        # IMMEDIATE takes the write lock before the last entry is read: nobody can append in between.
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _entry(self, row: tuple[int, str, str, str, str, str]) -> Entry:
        sequence, at, kind, text, previous, digest = row
        try:
            body = read_object(text.encode("utf-8"), limit=_LARGEST_BODY_BYTES)
        except ValueError:
            self._altered("its content is not what was written", sequence)
        return Entry(sequence, at, kind, body, previous, digest)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        import sqlite3

        try:
            yield
        except GatekeeperError:
            raise
        except OSError as error:
            raise self._unusable(error.strerror or type(error).__name__) from error
        except sqlite3.OperationalError as error:
            raise self._unusable(str(error)) from error
        except (sqlite3.DatabaseError, UnicodeError) as error:
            self._altered(f"it is not a ledger, or it is damaged ({type(error).__name__})")

    def _unusable(self, why: str) -> UsageError:
        return UsageError(
            Code.CANNOT_WRITE,
            "the ledger cannot be opened or written",
            where=str(self.path),
            why=why,
            mend="make the file and its folder writable, and let other programs that use it end",
        )

    def _altered(self, why: str, sequence: int | None = None) -> NoReturn:
        raise IntegrityError(
            Code.ALTERED_LEDGER,
            "the ledger does not hold" if sequence is None else f"entry {sequence} of the ledger does not hold",
            where=Place(str(self.path), item=None if sequence is None else f"entry {sequence}"),
            why=why,
            mend="restore it from a backup; what was recorded since its last checkpoint cannot be relied on",
        )

    def _off_course(self, checkpoint: Checkpoint, size: int) -> NoReturn:
        if size < checkpoint.size:
            self._altered(f"its end was cut off: it has {size} entries, and {checkpoint.size} were recorded")
        self._altered("it was written anew: this is not the entry that the checkpoint recorded", checkpoint.size)


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, sql FROM sqlite_schema").fetchall())


def _checkpoint(connection: sqlite3.Connection) -> Checkpoint:
    row = connection.execute("SELECT sequence, digest FROM entries ORDER BY sequence DESC LIMIT 1").fetchone()
    return Checkpoint(*row) if row is not None else Checkpoint(0, GENESIS)


def _is_as_written(entry: Entry, text: str) -> bool:
    try:
        digest = _digest(entry.sequence, entry.at, entry.kind, entry.body, entry.previous)
        return digest == entry.digest and canonical_json(entry.body) == text.encode("utf-8")
    except ValueError:
        return False


def _digest(sequence: int, at: str, kind: str, body: dict[str, JSON], previous: str) -> str:
    return digest_json({"sequence": sequence, "at": at, "kind": kind, "body": body, "previous": previous})

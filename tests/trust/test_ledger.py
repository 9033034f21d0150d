from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatekeeper.canonical import canonical_json, digest_bytes
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.trust.ledger import GENESIS, Checkpoint, Ledger

AT = "2026-03-04T05:06:07Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "home" / "ledger.sqlite"
    with Ledger(file) as ledger:
        for number in range(4):
            ledger.append("testset.opened" if number % 2 else "run.finished", {"number": number}, AT)
    return file


@pytest.fixture
def unguarded(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file as somebody does who takes the triggers away and puts them back afterwards."""
    connection = sqlite3.connect(path)
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    yield connection
    connection.close()


def put_back(connection: sqlite3.Connection, path: Path) -> None:
    from gatekeeper.trust.ledger import _SCHEMA

    for name, sql in _SCHEMA.items():
        if name != "entries":
            connection.execute(sql)
    connection.commit()


def refused(path: Path, checkpoint: Checkpoint | None = None) -> str:
    with Ledger(path) as ledger, pytest.raises(IntegrityError) as caught:
        ledger.verify(checkpoint)
    assert caught.value.problems[0].code is Code.ALTERED_LEDGER
    return str(caught.value)


def test_entries_follow_one_another(path: Path) -> None:
    with Ledger(path) as ledger:
        entries = ledger.entries()
        assert [entry.sequence for entry in entries] == [1, 2, 3, 4]
        assert entries[0].previous == GENESIS
        assert [entry.previous for entry in entries[1:]] == [entry.digest for entry in entries[:-1]]
        assert [entry.body for entry in ledger.entries("testset.opened")] == [{"number": 1}, {"number": 3}]
        assert ledger.checkpoint() == ledger.verify() == Checkpoint(4, entries[-1].digest)


def test_a_digest_is_that_of_the_canonical_entry(path: Path) -> None:
    with Ledger(path) as ledger:
        last = ledger.entries()[-1]
    content = {"sequence": 4, "at": AT, "kind": last.kind, "body": {"number": 3}, "previous": last.previous}
    assert last.digest == digest_bytes(canonical_json(content))


def test_an_empty_ledger_holds(tmp_path: Path) -> None:
    with Ledger(tmp_path / "new.sqlite") as ledger:
        assert ledger.verify() == ledger.verify(Checkpoint(0, GENESIS)) == Checkpoint(0, GENESIS)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8")), number=st.floats(allow_nan=False, allow_infinity=False))
def test_what_was_appended_is_what_is_read(path: Path, text: str, number: float) -> None:
    body = {"text": text, text: number, "list": [None, True, {}]}
    with Ledger(path) as ledger:
        appended = ledger.append("kind", body, AT)
        assert ledger.entries()[-1].body == body
        assert ledger.verify() == Checkpoint(appended.sequence, appended.digest)


@pytest.mark.parametrize(
    ("kind", "body", "at"),
    [
        ("", {}, AT),
        ("Kind", {}, AT),
        ("kind", [], AT),
        ("kind", {}, "2026-03-04 05:06:07"),
        ("kind", {}, "2026-03-04T05:06:07+01:00"),
        ("kind", {"x": float("nan")}, AT),
        ("kind", {"x": 2**60}, AT),
    ],
)
def test_a_malformed_entry_is_not_appended(path: Path, kind: str, body: object, at: str) -> None:
    with Ledger(path) as ledger:
        with pytest.raises(ValueError, match=r"."):
            ledger.append(kind, body, at)  # type: ignore[arg-type]
        assert ledger.verify().size == 4


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET body = '{}' WHERE sequence = 2",
        "UPDATE OR REPLACE entries SET sequence = 1 WHERE sequence = 2",
        "DELETE FROM entries WHERE sequence = 4",
        "DELETE FROM entries",
        "INSERT OR REPLACE INTO entries VALUES (4, 'a', 'k', '{}', 'p', 'd')",
        "REPLACE INTO entries SELECT 4, at, kind, '{}', previous, digest FROM entries WHERE sequence = 4",
        "INSERT INTO entries VALUES (5, 'a', 'k', '{}', 'not the last digest', 'd')",
        "INSERT INTO entries SELECT 6, at, kind, body, digest, 'd' FROM entries WHERE sequence = 4",
        "INSERT INTO entries SELECT NULL, at, kind, body, digest, 'd' FROM entries WHERE sequence = 4",
        "INSERT OR IGNORE INTO entries VALUES (9, 'a', 'k', '{}', 'p', 'd')",
    ],
)
def test_the_database_refuses_all_but_an_append(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="an entry"):
        connection.execute(statement)
    connection.close()
    with Ledger(path) as ledger:
        assert ledger.verify().size == 4


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE entries SET body = '{\"number\":7}' WHERE sequence = 2", "entry 2"),
        ("UPDATE entries SET body = '{ \"number\":1}' WHERE sequence = 2", "entry 2"),
        ('UPDATE entries SET body = \'{"a":1,"a":1}\' WHERE sequence = 2', "entry 2"),
        ("UPDATE entries SET body = '{\"a\":1152921504606846976}' WHERE sequence = 2", "entry 2"),
        ("UPDATE entries SET body = 'x' WHERE sequence = 2", "entry 2"),
        ("UPDATE entries SET body = CAST(x'ff' AS TEXT) WHERE sequence = 2", "entry 2"),
        ("UPDATE entries SET kind = 'other' WHERE sequence = 3", "entry 3"),
        ("UPDATE entries SET at = '2025-01-01T00:00:00Z' WHERE sequence = 3", "entry 3"),
        ("UPDATE entries SET digest = previous WHERE sequence = 1", "entry 1"),
        ("DELETE FROM entries WHERE sequence = 1", "entry 2"),
        ("DELETE FROM entries WHERE sequence = 3", "entry 4"),
        ("UPDATE entries SET sequence = -5 WHERE sequence = 3", "entry -5"),
    ],
)
def test_an_altered_row_is_named(path: Path, unguarded: sqlite3.Connection, statement: str, named: str) -> None:
    unguarded.execute(statement)
    put_back(unguarded, path)
    assert f"{named} of the ledger does not hold" in refused(path)


def test_a_cut_end_shows_against_a_checkpoint_only(path: Path, unguarded: sqlite3.Connection) -> None:
    size, digest = unguarded.execute("SELECT sequence, digest FROM entries WHERE sequence = 4").fetchone()
    kept = Checkpoint(size, digest)
    unguarded.execute("DELETE FROM entries WHERE sequence >= 3")
    put_back(unguarded, path)
    with Ledger(path) as ledger:
        assert ledger.verify().size == 2
    assert "cut off: it has 2 entries, and 4 were recorded" in refused(path, kept)


def test_a_chain_written_anew_shows_against_a_checkpoint_only(path: Path) -> None:
    with Ledger(path) as ledger:
        kept = ledger.checkpoint()
    path.unlink()
    with Ledger(path) as ledger:
        for number in range(6):
            ledger.append("kind", {"number": number}, AT)
        assert ledger.verify().size == 6
    assert "entry 4 of the ledger" in refused(path, kept)


def test_a_ledger_that_grew_since_its_checkpoint_holds(path: Path) -> None:
    with Ledger(path) as ledger:
        kept = ledger.checkpoint()
        ledger.append("kind", {}, AT)
        assert ledger.verify(kept).size == 5


def test_a_ledger_without_its_guards_is_not_opened(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER entries_remain")
    connection.close()
    with pytest.raises(IntegrityError, match=r"guards|ledger"), Ledger(path):
        pass


def test_processes_append_side_by_side(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from gatekeeper.trust import Ledger\n"
        "for number in range(25):\n"
        "    with Ledger(Path(sys.argv[1])) as ledger:\n"
        f"        ledger.append('kind', {{'number': number}}, '{AT}')\n"
    )
    fresh = path.with_name("fresh.sqlite")
    runs = [subprocess.Popen([sys.executable, "-c", code, str(fresh)]) for _ in range(4)]
    assert [run.wait() for run in runs] == [0, 0, 0, 0]
    with Ledger(fresh) as ledger:
        assert ledger.verify().size == 100


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_an_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "ledger.sqlite"
    file.write_bytes(content)
    with pytest.raises(IntegrityError) as caught, Ledger(file):
        pass
    assert caught.value.problems[0].code is Code.ALTERED_LEDGER
    assert file.read_bytes() == content


def test_another_database_is_an_error_and_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "other.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(IntegrityError, match="ledger"), Ledger(file):
        pass
    assert file.read_bytes() == before


def test_a_damaged_page_is_an_error(path: Path) -> None:
    with Ledger(path) as ledger:
        for number in range(300):
            ledger.append("kind", {"number": number, "filling": "x" * 100}, AT)
    data = bytearray(path.read_bytes())
    data[12288:16384] = b"\x55" * 4096
    path.write_bytes(data)
    refused(path)


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path, tmp_path / "file" / "ledger.sqlite"):
        with pytest.raises(UsageError) as caught, Ledger(place):
            pass
        assert caught.value.problems[0].code is Code.CANNOT_WRITE


def test_a_ledger_is_used_inside_its_block(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="with block"):
        Ledger(tmp_path / "x").append("kind", {}, AT)

"""Publishing, promoting and rolling back: what is switched, what is refused, what the ledger says, many at once."""

from __future__ import annotations

import multiprocessing
import shutil
import time
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from releases import CONTEXT, MemoryStore, Released, reasons

from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import IntegrityError, UsageError
from gatekeeper.release.folder import FolderStore
from gatekeeper.release.layout import LayoutStore
from gatekeeper.release.promotion import Published, promote, publish, roll_back
from gatekeeper.release.reasons import Terms, Why
from gatekeeper.release.revocation import sign_revocation
from gatekeeper.release.stores import Alias, NewRecord, Pointer, Store, StoredRecord
from gatekeeper.trust import Ledger, Trust, own_trust

TERMS = Terms()
ALIAS = "production"


def candidate(number: int) -> str:
    return digest_bytes(f"candidate {number}".encode())


def fill(released: Released, store: Store, *numbers: int) -> None:
    """Put a releasing record of each of these candidates into a store, without its dossier."""
    for number in numbers:
        envelope = released.changed({"candidate.digest": candidate(number), "run.id": f"run-{number}"})
        store.publish(NewRecord(candidate(number), (), f"run-{number}", envelope, None))


def published(number: int) -> Published:
    return Published(candidate(number), "made up", CONTEXT, f"run-{number}", "somewhere")


def lines(home: Path, kind: str) -> list[dict[str, object]]:
    with Ledger(home / "ledger.sqlite") as ledger:
        ledger.verify()
        return [dict(entry.body) for entry in ledger.entries(kind)]


def pointed(side: object) -> str | None:
    assert side is None or isinstance(side, dict)
    return None if side is None else str(side["candidate"])


@pytest.fixture
def own(released: Released, tmp_path: Path) -> Path:
    """A home with the keys for release and a ledger of its own."""
    shutil.copytree(released.home / "keys", tmp_path / "home" / "keys")
    return tmp_path / "home"


@pytest.fixture(params=[FolderStore, LayoutStore])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    made: Store = request.param(tmp_path / "store")
    return made


# Publishing


def test_a_run_is_verified_and_published_with_all_that_signed_it(released: Released, store: Store, own: Path) -> None:
    told = publish(released.folders["qa"], store, released.trust, own, released.now)
    assert (told.candidate, told.context) == (released.candidate, CONTEXT)
    assert released.ask(store, Terms(roles=("qa",))).admitted is not None
    without = released.ask(store)
    assert without.admitted is not None
    assert without.admitted.record.document is None  # the tool's own statement answers, no PDF is parsed
    (line,) = lines(own, "release.published")
    assert line["candidate"] == released.candidate


def test_a_run_that_does_not_hold_is_not_published(released: Released, store: Store, own: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(released.folders["tool"], tmp_path / "run"))
    (run / "verdict.json").write_bytes((run / "verdict.json").read_bytes() + b" ")
    with pytest.raises(IntegrityError):
        publish(run, store, released.trust, own, released.now)
    assert not (tmp_path / "store").exists()
    assert lines(own, "release.published") == []


# Promoting


def test_an_alias_goes_from_one_candidate_to_the_next_and_back(released: Released, store: Store, own: Path) -> None:
    fill(released, store, 1, 2, 3)
    for number in (1, 2, 3):
        switched = promote(published(number), ALIAS, store, released.trust, TERMS, own, released.now)
        assert switched.after is not None
        assert switched.after.candidate == candidate(number)
    for number in (2, 1):
        switched = roll_back(ALIAS, store, released.trust, TERMS, own, released.now, past_refused=False)
        assert switched.after is not None
        current = store.alias(ALIAS).current
        assert current is not None
        assert (switched.after.candidate, current.candidate) == (candidate(number), candidate(number))
    with pytest.raises(UsageError, match="cannot be set back"):
        roll_back(ALIAS, store, released.trust, TERMS, own, released.now, past_refused=False)
    told = [*lines(own, "release.promoted"), *lines(own, "release.rolled_back")]
    assert [(pointed(line["from"]), pointed(line["to"])) for line in told] == [
        (None, candidate(1)),
        (candidate(1), candidate(2)),
        (candidate(2), candidate(3)),
        (candidate(3), candidate(2)),
        (candidate(2), candidate(1)),
    ]


def test_promoting_what_is_there_changes_nothing(released: Released, store: Store, own: Path) -> None:
    fill(released, store, 1)
    for _ in range(2):
        promote(published(1), ALIAS, store, released.trust, TERMS, own, released.now)
    assert len(store.alias(ALIAS).history) == 1
    assert len(lines(own, "release.promoted")) == 1


def test_what_is_not_admitted_is_not_promoted(released: Released, store: Store, own: Path) -> None:
    fill(released, store, 1, 2)
    promote(published(1), ALIAS, store, released.trust, TERMS, own, released.now)
    store.revoke(candidate(2), sign_revocation(candidate(2), None, "x", released.signer("qa"), released.now))
    for number in (2, 3):
        switched = promote(published(number), ALIAS, store, released.trust, TERMS, own, released.now)
        assert switched.after is None
        assert switched.admission.code == 1
    current = store.alias(ALIAS).current
    assert current is not None
    assert current.candidate == candidate(1)
    assert len(lines(own, "release.promoted")) == 1


def test_without_a_ledger_nothing_is_switched(released: Released, store: Store, tmp_path: Path) -> None:
    fill(released, store, 1)
    (tmp_path / "no-home").write_text("a file where a folder is needed")
    with pytest.raises(UsageError, match="ledger"):
        promote(published(1), ALIAS, store, released.trust, TERMS, tmp_path / "no-home", released.now)
    assert store.alias(ALIAS).current is None


# Rolling back


def test_what_was_revoked_since_is_not_gone_back_to_unless_past_it(released: Released, store: Store, own: Path) -> None:
    fill(released, store, 1, 2, 3)
    for number in (1, 2, 3):
        promote(published(number), ALIAS, store, released.trust, TERMS, own, released.now)
    store.revoke(candidate(2), sign_revocation(candidate(2), None, "leaks", released.signer("qa"), released.now))
    refused = roll_back(ALIAS, store, released.trust, TERMS, own, released.now, past_refused=False)
    assert (refused.after, reasons(refused.admission)) == (None, {Why.REVOKED})
    assert lines(own, "release.rolled_back") == []
    past = roll_back(ALIAS, store, released.trust, TERMS, own, released.now, past_refused=True)
    assert past.after is not None
    assert past.after.candidate == candidate(1)
    assert [reasons(admission) for admission in past.passed_over] == [{Why.REVOKED}]
    assert [pointer.candidate for pointer in store.alias(ALIAS).history] == [candidate(1)]


def test_where_nothing_earlier_is_admitted_nothing_changes(released: Released, store: Store, own: Path) -> None:
    fill(released, store, 1, 2)
    for number in (1, 2):
        promote(published(number), ALIAS, store, released.trust, TERMS, own, released.now)
    before = store.alias(ALIAS)
    late = released.now + timedelta(days=30)
    terms = Terms(max_age=timedelta(days=7))
    refused = roll_back(ALIAS, store, released.trust, terms, own, late, past_refused=True)
    assert (refused.after, reasons(refused.admission)) == (None, {Why.EXPIRED})
    assert store.alias(ALIAS) == before


def test_an_alias_that_points_elsewhere_admits_nothing(released: Released, store: Store, own: Path) -> None:
    fill(released, store, 1, 2)
    terms = Terms(alias=ALIAS)
    assert reasons(released.ask(store, terms, candidate=candidate(1))) == {Why.NOT_POINTED_TO}
    for number in (1, 2):
        promote(published(number), ALIAS, store, released.trust, TERMS, own, released.now)
        assert released.ask(store, terms, candidate=candidate(number)).code == 0
    assert reasons(released.ask(store, terms, candidate=candidate(1))) == {Why.NOT_POINTED_TO}
    assert Why.NOT_POINTED_TO in reasons(released.ask(store, terms, candidate=candidate(2), context="another"))


def test_an_alias_remembers_a_thousand(released: Released, own: Path) -> None:
    store = MemoryStore()
    store.aliases[ALIAS] = Alias(tuple(Pointer(candidate(at), "r", "c", "s") for at in range(1_000)))
    store.stored = [StoredRecord("one", released.attestation())]
    there = Published(released.candidate, "made up", CONTEXT, "run", "somewhere")
    promote(there, ALIAS, store, released.trust, TERMS, own, released.now)
    history = store.alias(ALIAS).history
    assert (len(history), history[0].candidate) == (1_000, candidate(1))
    assert history[-1].candidate == released.candidate


# Many at once


def switch_often(kind: type[FolderStore], place: Path, home: Path, now: datetime, number: int, times: int) -> None:
    store, trust = kind(place), own_trust(home)
    for turn in range(times):
        promote(published(number * 10 + turn % 2), ALIAS, store, trust, TERMS, home, now)
        if turn % 3 == 2:
            roll_back(ALIAS, store, trust, TERMS, home, now, past_refused=False)


def test_processes_that_switch_at_once_take_turns(released: Released, store: Store, own: Path, tmp_path: Path) -> None:
    """The ledger's lines, one after the other, must be one walk: each starts where the one before ended."""
    workers, times = 4, 6
    fill(released, store, 5, *(number * 10 + turn for number in range(workers) for turn in range(2)))
    trust: Trust = released.trust
    promote(published(5), ALIAS, store, trust, TERMS, own, released.now)
    context = multiprocessing.get_context("spawn")
    arguments = [(type(store), tmp_path / "store", own, released.now, number, times) for number in range(workers)]
    processes = [context.Process(target=switch_often, args=given) for given in arguments]
    for process in processes:
        process.start()
    seen = 0
    while any(process.is_alive() for process in processes):
        assert store.alias(ALIAS).current is not None  # never a half state, never none
        seen += 1
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert seen > 0
    with Ledger(own / "ledger.sqlite") as ledger:
        walk = [entry.body for entry in ledger.entries() if entry.kind in ("release.promoted", "release.rolled_back")]
    assert len(walk) > workers * 2
    for before, after in pairwise(walk):
        assert before["to"] == after["from"]
    current = store.alias(ALIAS).current
    assert current is not None
    assert pointed(walk[-1]["to"]) == current.candidate


def test_a_process_that_is_killed_leaves_a_whole_alias_and_no_lock(
    released: Released, store: Store, own: Path, tmp_path: Path
) -> None:
    fill(released, store, 0, 1, 5)
    promote(published(5), ALIAS, store, released.trust, TERMS, own, released.now)
    arguments = (type(store), tmp_path / "store", own, released.now, 0, 10_000)
    process = multiprocessing.get_context("spawn").Process(target=switch_often, args=arguments)
    process.start()
    started = time.monotonic()
    while len(store.alias(ALIAS).history) < 3 and time.monotonic() < started + 60:
        time.sleep(0.01)
    process.kill()
    process.join()
    before = store.alias(ALIAS)
    assert len(before.history) >= 3
    assert promote(published(5), ALIAS, store, released.trust, TERMS, own, released.now).before == before.current
    with Ledger(own / "ledger.sqlite") as ledger:
        ledger.verify()

"""A registered model of MLflow as a store: on a real server and in a database, and what hostile ones cannot do."""

from __future__ import annotations

import base64
import re
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from made_up_mlflow import new_database
from releases import CONTEXT, OTHER, Released, reasons

from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import ExitCode, IntegrityError, UsageError
from gatekeeper.mlflow_server import connect, read_artefact, write_artefact
from gatekeeper.release.mlflow_store import MlflowStore, open_mlflow
from gatekeeper.release.promotion import Published, promote, publish, roll_back
from gatekeeper.release.reasons import Terms, Why
from gatekeeper.release.revocation import sign_revocation
from gatekeeper.release.stores import Alias, NewRecord, Pointer
from gatekeeper.tracking import track
from gatekeeper.trust import Ledger

ALIAS = "production"
TERMS = Terms()


@pytest.fixture
def own(released: Released, tmp_path: Path) -> Path:
    """A home with the keys for release and a ledger of its own."""
    shutil.copytree(released.home / "keys", tmp_path / "home" / "keys")
    return tmp_path / "home"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """An empty database of MLflow."""
    new_database(tmp_path / "mlflow.db")
    return tmp_path / "mlflow.db"


@pytest.fixture(params=["server", "database"])
def store(request: pytest.FixtureRequest) -> MlflowStore:
    """A model of this test's own, which is not there yet."""
    model = re.sub(r"\W", "-", request.node.name)[:100].strip("-")
    if request.param == "server":
        return open_mlflow(f"{request.getfixturevalue('mlflow_server')}#{model}", False)
    return in_database(request.getfixturevalue("database"), model)


def in_database(path: Path, model: str = "nodules") -> MlflowStore:
    return open_mlflow(f"sqlite:///{path}#{model}", False)


def candidate(number: int) -> str:
    return digest_bytes(f"candidate {number}".encode())


def fill(released: Released, store: MlflowStore, *numbers: int) -> None:
    for number in numbers:
        envelope = released.changed({"candidate.digest": candidate(number), "run.id": f"run-{number}"})
        store.publish(NewRecord(candidate(number), (), f"run-{number}", envelope, None))


def promoted(released: Released, store: MlflowStore, own: Path, number: int) -> ExitCode:
    told = Published(candidate(number), "made up", CONTEXT, f"run-{number}", "somewhere")
    return promote(told, ALIAS, store, released.trust, TERMS, own, released.now).admission.code


def current(store: MlflowStore) -> str | None:
    pointer = store.alias(ALIAS).current
    return None if pointer is None else pointer.candidate


def by_mlflow(store: MlflowStore) -> str:
    """Return the candidate of the version that MLflow's own alias names."""
    version = store.connection.client.get_model_version_by_alias(store.model, ALIAS)
    return str(version.tags["gatekeeper.candidate"])


# Releases


def test_a_run_is_published_promoted_admitted_and_revoked(released: Released, store: MlflowStore, own: Path) -> None:
    told = publish(released.folders["qa"], store, released.trust, own, released.now)
    terms = Terms(roles=("qa",))
    switched = promote(told, ALIAS, store, released.trust, terms, own, released.now)
    assert switched.admission.code is ExitCode.PASS
    assert by_mlflow(store) == current(store) == released.candidate
    assert released.ask(store, Terms(roles=("qa",), alias=ALIAS)).code is ExitCode.PASS
    with Ledger(own / "ledger.sqlite") as ledger:
        kinds = [entry.kind for entry in ledger.entries()]
        assert [body["store"] for body in (dict(entry.body) for entry in ledger.entries())] == [store.where] * 2
    assert kinds == ["release.published", "release.promoted"]
    envelope = sign_revocation(released.candidate, None, "it leaks", released.signer("qa"), released.now)
    store.revoke(released.candidate, envelope)
    assert store.revoke(released.candidate, envelope)  # twice is once
    assert len(list(store.revocations(released.candidate))) == 1
    assert Why.REVOKED in reasons(released.ask(store))


def test_an_alias_goes_on_and_back_in_mlflow_too(released: Released, store: MlflowStore, own: Path) -> None:
    fill(released, store, 1, 2)
    for number in (1, 2):
        assert promoted(released, store, own, number) is ExitCode.PASS
        assert by_mlflow(store) == current(store) == candidate(number)
    roll_back(ALIAS, store, released.trust, TERMS, own, released.now, past_refused=False)
    assert by_mlflow(store) == current(store) == candidate(1)
    assert promoted(released, store, own, 2) is ExitCode.PASS
    assert by_mlflow(store) == current(store) == candidate(2)


def test_what_is_not_admitted_gets_no_alias(released: Released, store: MlflowStore, own: Path) -> None:
    fill(released, store, 1)
    store.revoke(candidate(1), sign_revocation(candidate(1), None, "x", released.signer("qa"), released.now))
    assert promoted(released, store, own, 1) is ExitCode.FAIL
    assert current(store) is None
    assert store.connection.client.get_registered_model(store.model).aliases == {}


def test_a_run_that_was_tracked_and_registered_is_a_record(released: Released, store: MlflowStore, own: Path) -> None:
    run, uri = released.folders["qa"], store.connection.uri
    for _ in range(2):
        track(run, uri, store.model, released.trust, own, released.now, model=store.model)
    assert released.ask(store, Terms(roles=("qa",))).code is ExitCode.PASS
    assert len(list(store.records(released.candidate))) == 1
    (file, *_) = released.statement_files.values()
    assert store.candidates_of(file) == (released.candidate,)


def test_a_run_that_was_signed_since_takes_the_place_of_itself(released: Released, database: Path, own: Path) -> None:
    store = in_database(database)
    for role, model in (("tool", "nodules"), ("qa", None)):
        track(released.folders[role], store.connection.uri, "x", released.trust, own, released.now, model=model)
    assert released.ask(store, Terms(roles=("qa",))).code is ExitCode.PASS
    assert len(list(store.records(released.candidate))) == 1


def test_those_who_set_an_alias_of_a_database_at_once_take_turns(database: Path) -> None:
    def point(number: int) -> None:
        store = in_database(database)
        with store.switching(ALIAS):
            before = store.alias(ALIAS).history
            store.point(ALIAS, Alias((*before, Pointer(candidate(number), "run", "c", "2026-01-01T00:00:00Z"))))

    in_database(database).connection.client.create_registered_model("nodules")
    threads = [threading.Thread(target=point, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = in_database(database).alias(ALIAS).history
    assert {pointer.candidate for pointer in history} == {candidate(number) for number in range(6)}


def test_a_history_that_is_too_long_for_a_tag_forgets_its_oldest(database: Path) -> None:
    store = in_database(database)
    pointers = tuple(Pointer(candidate(at), f"run-{at}", "c", "2026-01-01T00:00:00Z") for at in range(1_000))
    store.point(ALIAS, Alias(pointers))
    history = store.alias(ALIAS).history
    assert history == pointers[-len(history) :]
    assert 100 < len(history) < 1_000


@pytest.mark.parametrize("name", ["latest", "LATEST", "v3", "a.b", "../x"])
def test_an_alias_that_mlflow_keeps_for_itself_is_refused(database: Path, name: str) -> None:
    store = in_database(database)
    with pytest.raises(UsageError), store.switching(name):
        pass


# Hostile


def test_tags_prove_nothing(released: Released, store: MlflowStore) -> None:
    fill(released, store, 1)
    (version,) = store.connection.client.search_model_versions(f"name = '{store.model}'")
    store.connection.client.set_model_version_tag(store.model, version.version, "gatekeeper.candidate", OTHER)
    answer = released.ask(store, candidate=OTHER)
    assert (reasons(answer), answer.code) == ({Why.BROKEN}, ExitCode.INTEGRITY)


@pytest.mark.parametrize(
    "value", ["sha256:" + "0" * 64, "", "../../x", "x" * 90_000], ids=["wrong", "none", "up", "huge"]
)
@pytest.mark.parametrize("tag", ["gatekeeper.attestation", "gatekeeper.dossier"])
def test_a_digest_in_a_tag_that_is_not_the_artefact_s_admits_nothing(
    released: Released, database: Path, tag: str, value: str
) -> None:
    store = in_database(database)
    record = NewRecord(released.candidate, (), "run-1", released.attestation("qa"), released.dossier("qa"))
    store.publish(record)
    store.connection.client.set_model_version_tag("nodules", "1", tag, value)
    answer = released.ask(store, Terms(roles=("qa",)))
    assert (reasons(answer), answer.code) == ({Why.BROKEN}, ExitCode.INTEGRITY)
    store.publish(record)  # what no longer holds is stored anew
    assert released.ask(store, Terms(roles=("qa",))).code is ExitCode.PASS


@pytest.mark.parametrize("value", ["", "x", "{}", "x" * 90_000, "[" * 90_000], ids=lambda value: value[:9])
def test_a_revocation_that_is_none_stops_its_candidate(released: Released, database: Path, value: str) -> None:
    store = in_database(database)
    store.publish(NewRecord(released.candidate, (), "run-1", released.attestation(), None))
    name = f"gatekeeper.revocation.{released.candidate.removeprefix('sha256:')}.0"
    store.connection.client.set_registered_model_tag("nodules", name, value)
    assert reasons(released.ask(store)) == {Why.REVOCATION_BROKEN}


@pytest.mark.parametrize(
    "value", ["", "x", "{}", '{"current": null, "history": []}', "[" * 90_000], ids=lambda value: value[:9]
)
def test_an_alias_that_nobody_promoted_is_code_3(released: Released, database: Path, value: str) -> None:
    store = in_database(database)
    store.connection.client.create_registered_model("nodules")
    store.connection.client.set_registered_model_tag("nodules", f"gatekeeper.alias.{ALIAS}", value)
    with pytest.raises(IntegrityError, match="not one that"):
        released.ask(store, Terms(alias=ALIAS))


def test_mlflow_s_own_alias_is_believed_in_nothing(released: Released, database: Path, own: Path) -> None:
    store = in_database(database)
    fill(released, store, 1, 2)
    promoted(released, store, own, 1)
    store.connection.client.set_registered_model_alias("nodules", ALIAS, "2")
    assert current(store) == candidate(1)


@pytest.mark.parametrize("kind", ["server", "database"])
@pytest.mark.parametrize(
    "place",
    [
        "file:///{}",
        "{}",
        "mlflow-artifacts:/../../{}",
        "mlflow-artifacts:/%2e%2e/{}",
        "file:///x/../{}",
        "mlflow-artifacts://127.0.0.1:9/{}",
        "http://127.0.0.1:9/{}",
        "s3://{}",
        "",
        "file://host/{}",
    ],
)
def test_artefacts_elsewhere_are_neither_read_nor_written(
    released: Released, request: pytest.FixtureRequest, tmp_path: Path, kind: str, place: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "attestation.dsse.json").write_bytes(released.attestation())
    new_database(tmp_path / "mlflow.db")
    uri = request.getfixturevalue("mlflow_server") if kind == "server" else f"sqlite:///{tmp_path}/mlflow.db"
    connection = connect(uri)
    named = place.format(str(elsewhere).lstrip("/") if place.startswith(("file:///", "mlflow-")) else elsewhere)
    with pytest.raises(ValueError, match="artefacts"):
        read_artefact(connection, named, "attestation.dsse.json", 1 << 20)
    with pytest.raises(UsageError, match="cannot be stored"):
        write_artefact(connection, named, "written", b"x")
    assert not list(tmp_path.rglob("written"))


def test_a_server_that_moves_a_run_s_artefacts_is_not_followed(
    released: Released, mlflow_server: str, mlflow_folder: Path, tmp_path: Path
) -> None:
    store = open_mlflow(f"{mlflow_server}#moved", False)
    store.publish(NewRecord(released.candidate, (), "run-1", released.attestation(), None))
    assert released.ask(store).code is ExitCode.PASS
    (tmp_path / "attestation.dsse.json").write_bytes(released.attestation())
    version = store.connection.client.get_model_version("moved", "1")
    with sqlite3.connect(mlflow_folder / "server.db") as database:
        asked = "update runs set artifact_uri = ? where run_uuid = ?"
        database.execute(asked, (f"file://{tmp_path}", version.run_id))
    answer = released.ask(store)
    assert (reasons(answer), answer.code) == ({Why.BROKEN}, ExitCode.INTEGRITY)
    assert "not kept by this server" in answer.refusals[0].line


def test_a_link_among_the_artefacts_is_not_followed(released: Released, database: Path, tmp_path: Path) -> None:
    store = in_database(database)
    store.publish(NewRecord(released.candidate, (), "run-1", released.attestation(), None))
    (file,) = (tmp_path / "mlartifacts").rglob("attestation.dsse.json")
    shutil.move(file, tmp_path / "moved")
    file.symlink_to(tmp_path / "moved")
    assert reasons(released.ask(store)) == {Why.BROKEN}


@contextmanager
def answering(reply: bytes, status: int = 200, **headers: str) -> Iterator[tuple[str, list[str]]]:
    """Give the address of a server that answers everything alike, many times over, and who logged in there."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for _ in range(64):
                    self.wfile.write(reply)
            except OSError:
                pass

        do_POST = do_GET
        do_PUT = do_GET

        def log_message(self, format: str, *arguments: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", heard
        finally:
            server.shutdown()
            thread.join()


def test_an_artefact_without_end_is_cut_off() -> None:
    with answering(b"x" * (1 << 20)) as (host, _), pytest.raises(ValueError, match="larger than"):
        read_artefact(connect(f"http://{host}"), "mlflow-artifacts:/1/2/artifacts", "dossier.pdf", 4 << 20)


@pytest.mark.parametrize("reply", [b"{", b"[1]", b'{"registered_model": 3}', b"<html>", b"\x00\xff"])
def test_an_answer_that_is_not_mlflow_s_is_code_2(released: Released, reply: bytes) -> None:
    with answering(reply) as (host, _), pytest.raises(UsageError):
        open_mlflow(f"http://{host}#nodules", False).alias(ALIAS)


def test_a_password_in_the_address_logs_in_and_is_not_told() -> None:
    with answering(b"no", 401) as (host, heard), pytest.raises(UsageError) as raised:
        open_mlflow(f"http://someone:hunter2@{host}#nodules", False).alias(ALIAS)
    assert heard == ["Basic " + base64.b64encode(b"someone:hunter2").decode()]
    assert host in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_redirection_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    for place in (f"file://{tmp_path}/secret", "http://127.0.0.1:9/"):
        with answering(b"", 302, Location=place) as (host, _), pytest.raises((ValueError, UsageError)):
            read_artefact(connect(f"http://{host}"), "mlflow-artifacts:/1", "secret", 1 << 20)


@pytest.mark.parametrize("given", ["", "#", "nodules", "sqlite:////x.db", "#nodules", "http://h#a'b", "http://h#../x"])
def test_a_store_that_names_no_model_is_code_2(given: str) -> None:
    with pytest.raises(UsageError):
        open_mlflow(given, False)


def test_passwords_in_an_address_are_not_told() -> None:
    store = open_mlflow("http://someone:hunter2@127.0.0.1:9/x?token=hunter2#nodules", False)
    assert store.where == "mlflow:http://127.0.0.1:9/x#nodules"
    assert "hunter2" not in repr(store)

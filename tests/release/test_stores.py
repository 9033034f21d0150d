"""What every kind of store does alike, and what hostile ones cannot do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from made_up_mlflow import new_database
from releases import OTHER, Released, reasons

from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import Code, ExitCode, GatekeeperError, IntegrityError, UsageError
from gatekeeper.release.folder import FolderStore
from gatekeeper.release.layout import LayoutStore
from gatekeeper.release.reasons import Terms, Why
from gatekeeper.release.revocation import sign_revocation
from gatekeeper.release.stores import ATTESTATION, LARGEST_ENVELOPE, Alias, NewRecord, Pointer, Store, open_store

FILE = digest_bytes(b"a file")
KINDS: dict[str, Callable[[Path], Store]] = {
    "folder": FolderStore,
    "layout": LayoutStore,
    "mlflow": lambda path: open_store(f"mlflow:{new_database(path.with_suffix('.db'))}#nodules"),
}


@pytest.fixture(params=sorted(KINDS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return KINDS[request.param](tmp_path / "store")


def record(released: Released, *, dossier: bytes | None = None, candidate: str | None = None) -> NewRecord:
    return NewRecord(candidate or released.candidate, (FILE,), "run-1", released.attestation(), dossier)


def pointer(number: int) -> Pointer:
    return Pointer(digest_bytes(str(number).encode()), f"run-{number}", "context", "2026-01-01T00:00:00Z")


# What is common


def test_what_was_published_is_found_by_candidate_and_by_file(released: Released, store: Store) -> None:
    store.publish(record(released, dossier=released.dossier()))
    (found,) = store.records(released.candidate)
    assert found.problem is None
    assert found.filed
    assert found.attestation == released.attestation()
    assert found.dossier is not None
    assert found.dossier() == released.dossier()
    assert store.candidates_of(FILE) == (released.candidate,)
    assert list(store.records(OTHER)) == []
    assert store.candidates_of(OTHER) == ()
    assert released.ask(store).code is ExitCode.PASS


def test_the_same_run_twice_is_stored_once(released: Released, store: Store) -> None:
    first, second = (store.publish(record(released)) for _ in range(2))
    assert first == second
    assert len(list(store.records(released.candidate))) == 1


def test_the_same_run_with_more_signatures_is_beside_the_first(released: Released, store: Store) -> None:
    for role in ("tool", "qa"):
        store.publish(
            NewRecord(released.candidate, (FILE,), "run-1", released.attestation(role), released.dossier(role))
        )
    assert len(list(store.records(released.candidate))) == 2
    assert released.ask(store, Terms(roles=("qa",))).code is ExitCode.PASS


def test_a_dossier_alone_is_found(released: Released, store: Store) -> None:
    store.publish(NewRecord(released.candidate, (FILE,), "run-1", None, released.dossier()))
    assert released.ask(store).code is ExitCode.PASS


def test_a_record_under_another_candidate_s_digest_admits_neither(released: Released, store: Store) -> None:
    store.publish(record(released, candidate=OTHER))
    answer = released.ask(store, candidate=OTHER)
    assert (reasons(answer), answer.code) == ({Why.BROKEN}, ExitCode.INTEGRITY)
    assert reasons(released.ask(store)) == {Why.NO_RECORD}


def test_a_revocation_is_found_and_kept(released: Released, store: Store) -> None:
    store.publish(record(released))
    envelopes = {
        sign_revocation(released.candidate, None, why, released.signer("qa"), released.now) for why in ("a", "b")
    }
    for envelope in (*envelopes, *envelopes):
        store.revoke(released.candidate, envelope)
    assert {found.envelope for found in store.revocations(released.candidate)} == envelopes
    assert list(store.revocations(OTHER)) == []
    assert reasons(released.ask(store)) == {Why.REVOKED}


def test_an_alias_keeps_its_history(store: Store) -> None:
    with store.switching("production"):
        assert store.alias("production") == Alias()
        for number in range(3):
            before = store.alias("production").history
            store.point("production", Alias((*before, pointer(number))))
    with store.switching("canary"):
        store.point("canary", Alias((pointer(9),)))
    assert store.alias("production") == Alias((pointer(0), pointer(1), pointer(2)))
    assert store.alias("production").current == pointer(2)
    assert store.alias("canary").current == pointer(9)


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "-x", "a b", "a\n", "x" * 101, "café"])
def test_a_name_that_leads_elsewhere_is_refused(store: Store, name: str, released: Released) -> None:
    with pytest.raises(UsageError):
        store.alias(name)
    with pytest.raises(UsageError):
        store.publish(NewRecord(released.candidate, (), name, b"x", None))


@pytest.mark.parametrize(
    "digest", ["", "sha256:", "../../etc", f"sha256:{'A' * 64}", f"sha256:{'../' * 21}a", OTHER + "\n"]
)
def test_a_digest_that_leads_elsewhere_is_refused(store: Store, digest: str) -> None:
    for ask in (store.records, store.revocations):
        with pytest.raises(UsageError, match="not a digest"):
            list(ask(digest))
    with pytest.raises(UsageError, match="not a digest"):
        store.candidates_of(digest)


def test_an_alias_that_was_damaged_is_an_error_and_no_empty_alias(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with store.switching("production"):
        store.point("production", Alias((pointer(1),)))
    path = tmp_path / "aliases" / "production.json"
    for junk in (b"", b"{}", b'{"history": []}', path.read_bytes() + b" ", path.read_bytes()[:-9], b"[" * 10_000):
        path.write_bytes(junk)
        with pytest.raises(IntegrityError) as caught:
            store.alias("production")
        assert caught.value.problems[0].code is Code.MISMATCH
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(IntegrityError, match="not one that"):
        store.alias("production")


def test_a_lock_that_another_holds_is_waited_for_and_then_told(tmp_path: Path) -> None:
    from gatekeeper.release.aliases import locked

    with (
        locked(tmp_path / "lock"),
        pytest.raises(UsageError, match="cannot be changed now"),
        locked(tmp_path / "lock", wait=0.05),
    ):
        pass


# Which store


def test_a_store_is_opened_by_what_it_is(tmp_path: Path) -> None:
    assert isinstance(open_store(str(tmp_path)), FolderStore)
    assert isinstance(open_store(f"oci:{tmp_path / 'new'}", new=True), LayoutStore)
    (tmp_path / "oci-layout").write_text("{}")
    assert isinstance(open_store(str(tmp_path)), LayoutStore)
    assert isinstance(open_store(f"folder:{tmp_path}"), FolderStore)


@pytest.mark.parametrize(
    ("given", "words"), [("nowhere", "cannot be read"), ("s3:bucket", "no kind"), ("folder:nowhere", "cannot be read")]
)
def test_a_store_that_there_is_not_is_wrong_usage(
    given: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=words):
        open_store(given)


# A folder of runs as `check` writes them


def test_runs_as_they_were_written_are_a_store(released: Released, tmp_path: Path) -> None:
    run = released.folders["qa"]
    for place in (run, run.parent):
        assert released.ask(FolderStore(place), Terms(roles=("qa",))).code is ExitCode.PASS
    assert FolderStore(run).candidates_of(
        digest_bytes((released.candidate_file.parent / "nodule_cnn.safetensors").read_bytes())
    ) == (released.candidate,)
    assert reasons(released.ask(FolderStore(run.parent), candidate=OTHER)) == {Why.NO_RECORD}


def test_other_runs_in_the_folder_are_no_reason(released: Released, tmp_path: Path) -> None:
    for name, content in {"one": b"junk", "two": b"{}", "three": released.attestation()}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / ATTESTATION).write_bytes(content)
    (tmp_path / "four").symlink_to("three")
    (tmp_path / "notes.txt").write_text("no run")
    assert len(list(FolderStore(tmp_path).records(released.candidate))) == 1
    assert reasons(released.ask(FolderStore(tmp_path), candidate=OTHER)) == {Why.NO_RECORD}


# Hostile files in a folder


def hostile_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def hostile_size(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(LARGEST_ENVELOPE + 1)


@pytest.mark.parametrize("make", [hostile_link, hostile_size, os.mkfifo, os.mkdir])
def test_what_is_no_file_of_a_store_is_not_read(
    released: Released, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    store = FolderStore(tmp_path)
    store.publish(record(released))
    hexadecimal = released.candidate.removeprefix("sha256:")
    (tmp_path / "sha256" / hexadecimal / f"run-1-{digest_bytes(released.attestation())[7:23]}.dsse.json").unlink()
    make(tmp_path / "sha256" / hexadecimal / "run-2.dsse.json")
    answer = released.ask(store)
    assert (reasons(answer), answer.code) == ({Why.BROKEN}, ExitCode.INTEGRITY)
    store.publish(record(released))
    assert released.ask(store).code is ExitCode.PASS
    folder = tmp_path / "revocations" / hexadecimal
    folder.mkdir(parents=True)
    make(folder / "some.dsse.json")
    assert Why.REVOCATION_BROKEN in reasons(released.ask(store))


def test_a_link_in_place_of_a_folder_of_the_store_is_refused(released: Released, tmp_path: Path) -> None:
    FolderStore(tmp_path / "true").publish(record(released))
    (tmp_path / "false" / "sha256").mkdir(parents=True)
    name = released.candidate.removeprefix("sha256:")
    (tmp_path / "false" / "sha256" / name).symlink_to(tmp_path / "true" / "sha256" / name)
    with pytest.raises(UsageError, match="cannot be used"):
        released.ask(FolderStore(tmp_path / "false"))
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "sha256").symlink_to(tmp_path / "true" / "sha256")
    with pytest.raises(UsageError, match="cannot be used"):
        released.ask(FolderStore(tmp_path / "linked"))
    with pytest.raises(UsageError, match="cannot be used"):
        FolderStore(tmp_path / "linked").publish(record(released))


def test_ten_thousand_candidates_do_not_slow_the_answer(released: Released, tmp_path: Path) -> None:
    """What is opened is counted, since a clock on a shared machine is no witness."""
    store = FolderStore(tmp_path)
    store.publish(record(released))
    for number in range(10_000):
        (tmp_path / "sha256" / f"{number:064x}").mkdir()
    opened: list[object] = []
    real = os.open

    def counting(path: object, *rest: int, **more: int) -> int:
        opened.append(path)
        return real(path, *rest, **more)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", counting)
        assert released.ask(store).code is ExitCode.PASS
    assert len(opened) == 1


# Hostile layouts


@pytest.fixture
def layout(released: Released, tmp_path: Path) -> LayoutStore:
    store = LayoutStore(tmp_path / "layout")
    store.publish(record(released, dossier=released.dossier()))
    return store


def index_of(layout: LayoutStore) -> dict[str, list[dict[str, object]]]:
    told: dict[str, list[dict[str, object]]] = json.loads((layout.path / "index.json").read_text())
    return told


@pytest.mark.parametrize(
    "index",
    [
        "",
        "[]",
        "{}",
        '{"schemaVersion": 1, "manifests": []}',
        '{"schemaVersion": 2}',
        '{"schemaVersion": 2, "manifests": [1]}',
        '{"schemaVersion": 2, "manifests": [{"mediaType": "x", "digest": "sha256:../../../../etc/passwd", "size": 1}]}',
        '{"schemaVersion": 2, "manifests": [{"mediaType": "x", "digest": "md5:00", "size": 1}]}',
        f'{{"schemaVersion": 2, "manifests": [{{"mediaType": "x", "digest": "{OTHER}", "size": -1}}]}}',
        f'{{"schemaVersion": 2, "manifests": [{{"mediaType": "x", "digest": "{OTHER}", "size": true}}]}}',
        "[" * 100_000,
    ],
)
def test_an_index_that_does_not_hold_is_code_3(released: Released, layout: LayoutStore, index: str) -> None:
    (layout.path / "index.json").write_text(index)
    with pytest.raises(IntegrityError, match="OCI layout"):
        released.ask(layout)


def test_a_layout_without_its_mark_or_with_links_is_refused(released: Released, layout: LayoutStore) -> None:
    index = layout.path / "index.json"
    index.rename(layout.path / "other.json")
    index.symlink_to("other.json")
    with pytest.raises(IntegrityError, match="OCI layout"):
        released.ask(layout)
    index.unlink()
    (layout.path / "other.json").rename(index)
    (layout.path / "oci-layout").write_text('{"imageLayoutVersion": "9.0.0"}')
    with pytest.raises(IntegrityError, match="OCI layout"):
        released.ask(layout)


def entry_of(layout: LayoutStore, kind: str) -> dict[str, object]:
    return next(entry for entry in index_of(layout)["manifests"] if str(entry.get("artifactType")).endswith(kind))


def blob_of(layout: LayoutStore, digest: object) -> Path:
    return layout.path / "blobs" / "sha256" / str(digest).removeprefix("sha256:")


def other_bytes(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def linked(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


@pytest.mark.parametrize("harm", [other_bytes, longer, linked, Path.unlink])
@pytest.mark.parametrize("which", ["manifest", "attestation", "dossier"])
def test_a_blob_that_is_not_as_described_admits_nothing(
    released: Released, layout: LayoutStore, harm: Callable[[Path], None], which: str
) -> None:
    entry = entry_of(layout, "record.v1")
    digest = entry["digest"]
    if which != "manifest":
        layers = json.loads(blob_of(layout, digest).read_text())["layers"]
        digest = layers[0 if which == "attestation" else 1]["digest"]
    harm(blob_of(layout, digest))
    answer = released.ask(layout)
    assert (reasons(answer), answer.code) == ({Why.BROKEN}, ExitCode.INTEGRITY)


def test_a_blob_that_claims_to_be_gigantic_is_not_read(released: Released, layout: LayoutStore) -> None:
    index = index_of(layout)
    for entry in index["manifests"]:
        entry["size"] = 1 << 50
    (layout.path / "index.json").write_text(json.dumps(index))
    answer = released.ask(layout)
    assert reasons(answer) == {Why.BROKEN}
    assert "larger than" in answer.refusals[0].words


def test_a_folder_of_blobs_that_is_a_link_is_refused(released: Released, layout: LayoutStore) -> None:
    (layout.path / "blobs").rename(layout.path.parent / "elsewhere")
    (layout.path / "blobs").symlink_to(layout.path.parent / "elsewhere")
    assert reasons(released.ask(layout)) == {Why.BROKEN}


def test_an_entry_that_names_another_candidate_s_record_admits_nothing(released: Released, layout: LayoutStore) -> None:
    index = index_of(layout)
    for entry in index["manifests"]:
        if "annotations" in entry:
            entry["annotations"]["dev.gatekeeper.candidate"] = OTHER  # type: ignore[index]
    (layout.path / "index.json").write_text(json.dumps(index))
    answer = released.ask(layout, candidate=OTHER)
    assert (reasons(answer), answer.code) == ({Why.BROKEN}, ExitCode.INTEGRITY)


def test_a_revocation_whose_blob_is_gone_stops(released: Released, layout: LayoutStore) -> None:
    envelope = sign_revocation(released.candidate, None, "x", released.signer("qa"), released.now)
    layout.revoke(released.candidate, envelope)
    blob_of(layout, digest_bytes(envelope)).unlink()
    answer = released.ask(layout)
    assert (reasons(answer), answer.code) == ({Why.REVOCATION_BROKEN}, ExitCode.INTEGRITY)


def test_an_index_without_types_and_annotations_finds_the_same(released: Released, layout: LayoutStore) -> None:
    layout.revoke(released.candidate, sign_revocation(released.candidate, None, "x", released.signer(), released.now))
    index = index_of(layout)
    bare = [{key: entry[key] for key in ("mediaType", "digest", "size")} for entry in index["manifests"]]
    (layout.path / "index.json").write_text(json.dumps({**index, "manifests": bare}))
    assert len(list(layout.records(released.candidate))) == 1
    assert reasons(released.ask(layout)) == {Why.REVOKED}


def test_a_tag_that_stands_twice_points_nowhere(layout: LayoutStore) -> None:
    for number in range(2):
        with layout.switching("production"):
            layout.point("production", Alias((pointer(number),)))
        index = index_of(layout)
        if number == 0:
            first = entry_of(layout, "alias.v1")
    index["manifests"].append(first)
    (layout.path / "index.json").write_text(json.dumps(index))
    with pytest.raises(GatekeeperError, match="alias is not one"):
        layout.alias("production")

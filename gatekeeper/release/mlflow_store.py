"""A store that is a registered model of MLflow: ``mlflow:URI#MODEL``.

- A record is a version of the model: tags find it (``mlflow_tags``), its run holds ``attestation.dsse.json`` and
  ``dossier.pdf``. `gatekeeper track --register` makes the same.
- A revocation is a tag of the model, ``gatekeeper.revocation.<candidate>.<16 hex>``: the envelope.
- An alias is a tag of the model, ``gatekeeper.alias.<name>``: where it points and pointed. That is what is read.
  MLflow's own alias is set after it, for those who load ``models:/MODEL@name``, and believed in nothing.

MLflow has no compare-and-set: of two machines that set an alias at once, the last one wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.mlflow_server import (
    PREFIX,
    Connection,
    connect,
    ensure_model,
    experiment_named,
    model_tags,
    new_version,
    read_artefact,
    versions_of,
    write_artefact,
)
from gatekeeper.release.aliases import alias_to, locked, parse_alias
from gatekeeper.release.mlflow_tags import ATTESTED, CANDIDATE, DOSSIER_DIGEST, RUN, files_of, record_tags
from gatekeeper.release.stores import (
    ATTESTATION,
    DOSSIER,
    LARGEST_DOSSIER,
    LARGEST_ENVELOPE,
    Alias,
    NewRecord,
    Pointer,
    StoredRecord,
    StoredRevocation,
    hexadecimal,
    is_digest,
    plain_name,
)
from gatekeeper.whole_files import in_short

EXPERIMENT = "gatekeeper releases"
_REVOCATION, _ALIAS = f"{PREFIX}revocation.", f"{PREFIX}alias."
# The longest value of a tag of a model in MLflow.
_LARGEST_TAG = 100_000
_RUN_ID = re.compile(r"[0-9a-f]{32}")
# What MLflow takes for an alias: neither "latest", nor "v3", nor a dot.
_MLFLOW_ALIAS = re.compile(r"(?!(?:latest|v[0-9]+)$)[a-z0-9_-]{1,100}", re.IGNORECASE)


@dataclass(frozen=True)
class MlflowStore:
    """See the module; the model need not be there before something is published."""

    connection: Connection
    model: str

    @property
    def where(self) -> str:
        """The address without credentials, and the model."""
        return f"mlflow:{self.connection.where}#{self.model}"

    def records(self, candidate: str) -> Iterator[StoredRecord]:
        """Give the versions that are tagged with the candidate."""
        hexadecimal(candidate)
        for version in versions_of(self.connection, self.model, CANDIDATE, candidate):
            yield self._record(version)

    def candidates_of(self, artefact: str) -> tuple[str, ...]:
        """Return the candidates of versions whose tags list the file's digest."""
        hexadecimal(artefact)
        tagged = (version.tags for version in versions_of(self.connection, self.model))
        found = {str(tags[CANDIDATE]) for tags in tagged if CANDIDATE in tags and artefact in files_of(tags)}
        return tuple(sorted(candidate for candidate in found if is_digest(candidate)))

    def revocations(self, candidate: str) -> Iterator[StoredRevocation]:
        """Give every tag of the model that is a revocation of the candidate by its name."""
        begins = f"{_REVOCATION}{hexadecimal(candidate)}"
        for name, value in sorted(model_tags(self.connection, self.model).items()):
            if name.startswith(begins):
                where = f"{self.where} ({name})"
                if len(value) > LARGEST_ENVELOPE:
                    yield StoredRevocation(where, problem=f"it is larger than {LARGEST_ENVELOPE} bytes")
                else:
                    yield StoredRevocation(where, value.encode("utf-8", "replace"))

    def publish(self, record: NewRecord) -> str:
        """Store the artefacts in a run of MLflow, and register that as a version."""
        tags = record_tags(record)
        for version in versions_of(self.connection, self.model, CANDIDATE, record.candidate):
            same = all(version.tags.get(name) == tags.get(name) for name in (RUN, ATTESTED, DOSSIER_DIGEST))
            if same and self._holds(version, record):
                return self._named(version.version)
        plain_name(record.run, "a run")
        ensure_model(self.connection, self.model)
        experiment = experiment_named(self.connection, EXPERIMENT)
        marks = {f"{PREFIX}kind": "record", CANDIDATE: record.candidate, RUN: record.run}
        made = self.connection.ask("create_run", experiment, tags=marks, run_name=record.run)
        run, place = str(made.info.run_id), str(made.info.artifact_uri)
        for name, data in ((DOSSIER, record.dossier), (ATTESTATION, record.attestation)):
            if data is not None:
                write_artefact(self.connection, place, name, data)
        self.connection.ask("set_terminated", run, "FINISHED")
        return self._named(new_version(self.connection, self.model, run, place, tags))

    def revoke(self, candidate: str, envelope: bytes) -> str:
        """Add a tag to the model."""
        name = f"{_REVOCATION}{hexadecimal(candidate)}.{hexadecimal(digest_bytes(envelope))[:16]}"
        self._tag(name, envelope)
        return f"{self.where} ({name})"

    def alias(self, name: str) -> Alias:
        """Return what the tag of the model holds, whatever MLflow's own alias says."""
        told = model_tags(self.connection, self.model).get(f"{_ALIAS}{_known(name)}")
        if told is None:
            return Alias()
        try:
            if len(told) > _LARGEST_TAG:
                raise ValueError("it is too long")
            return parse_alias(told.encode("utf-8", "replace"))
        except ValueError as error:
            raise IntegrityError(
                Code.MISMATCH,
                "the alias is not one that `gatekeeper promote` wrote",
                where=f"{self.where} ({_ALIAS}{name})",
                why=str(error),
                mend="the ledger tells what it pointed to (`gatekeeper ledger show`); delete the tag, and promote that",
            ) from error

    @contextmanager
    def switching(self, name: str) -> Iterator[None]:
        """Hold a lock beside a database; nothing for a server, which has none."""
        _known(name)
        database = self.connection.database
        lock = None if database is None else database.with_name(f"{database.name}.lock")
        with nullcontext() if lock is None else locked(lock):
            yield

    def point(self, name: str, alias: Alias) -> None:
        """Set the tag, then MLflow's own alias. The oldest of a history that is too long for a tag is forgotten."""
        history = alias.history
        content = alias_to(alias)
        while len(content) > _LARGEST_TAG and len(history) > 1:
            history = history[len(history) // 4 + 1 :]
            content = alias_to(Alias(history))
        number = self._version_of(history[-1])
        self._tag(f"{_ALIAS}{_known(name)}", content)
        if number is not None:
            self.connection.ask("set_registered_model_alias", self.model, name, number)
        else:
            self.connection.ask("delete_registered_model_alias", self.model, name)

    def _version_of(self, pointer: Pointer) -> str | None:
        """Return the number of the version that a pointer means; None where its record is no longer there."""
        for version in versions_of(self.connection, self.model, CANDIDATE, pointer.candidate):
            if version.tags.get(RUN) == pointer.run:
                return str(version.version)
        return None

    def _holds(self, version: Any, record: NewRecord) -> bool:
        """Return whether a version still holds what a record is of: its artefacts may have been changed."""
        stored = self._record(version)
        try:
            dossier = stored.dossier() if stored.dossier is not None else None
        except (OSError, ValueError):
            return False
        return stored.problem is None and (stored.attestation, dossier) == (record.attestation, record.dossier)

    def _record(self, version: Any) -> StoredRecord:
        """Return what a version's run holds; the dossier is read when it is asked for. Tags must fit what is there."""
        where, tags = self._named(version.version), version.tags
        if not _RUN_ID.fullmatch(str(version.run_id)):
            return StoredRecord(where, problem="it is of no run of MLflow")
        run = self.connection.find("get_run", version.run_id)
        if run is None:
            return StoredRecord(where, problem="its run of MLflow is not there")
        place = str(run.info.artifact_uri)
        dossier = partial(self._read, place, DOSSIER, LARGEST_DOSSIER, tags.get(DOSSIER_DIGEST))
        held = dossier if DOSSIER_DIGEST in tags else None
        if ATTESTED not in tags:
            return StoredRecord(where, dossier=held, problem=None if held else "it has neither attestation nor dossier")
        try:
            return StoredRecord(where, self._read(place, ATTESTATION, LARGEST_ENVELOPE, tags[ATTESTED]), held)
        except (OSError, ValueError) as error:
            return StoredRecord(where, problem=in_short(error))

    def _read(self, place: str, name: str, largest: int, tagged: str | None) -> bytes:
        """Return an artefact. Raises OSError, or ValueError where it is not the one that the version's tag names."""
        content = read_artefact(self.connection, place, name, largest)
        if digest_bytes(content) != tagged:
            raise ValueError(f"{name} is not the one that its tag names")
        return content

    def _tag(self, name: str, content: bytes) -> None:
        if len(content) > _LARGEST_TAG:
            mend = "a folder or an OCI layout holds it"
            raise UsageError(Code.CANNOT_WRITE, "this is too long for a tag of MLflow", where=self.where, mend=mend)
        ensure_model(self.connection, self.model)
        self.connection.ask("set_registered_model_tag", self.model, name, content.decode("utf-8"))

    def _named(self, version: object) -> str:
        return f"{self.where}@{version}"


def open_mlflow(given: str, new: bool) -> MlflowStore:
    """Return the store ``URI#MODEL``. Raises UsageError for another form, and where MLflow cannot be used."""
    uri, hash_, model = given.rpartition("#")
    if not hash_ or not uri:
        mend = "give mlflow:URI#MODEL, such as mlflow:https://mlflow.example.org#nodules"
        raise UsageError(Code.BAD_VALUE, "this store names no registered model", mend=mend)
    return MlflowStore(connect(uri, new=new), plain_name(model, "a registered model"))


def _known(alias: str) -> str:
    """Return an alias that MLflow takes as well. Raises UsageError for another."""
    if not _MLFLOW_ALIAS.fullmatch(plain_name(alias, "an alias")):
        mend = "use letters, digits, dash and underscore; not latest, nor v and a number"
        raise UsageError(Code.BAD_VALUE, "MLflow takes no alias of this name", where=alias, mend=mend)
    return alias

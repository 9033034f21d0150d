"""Artefacts of MLflow's runs, read and written without following where a run says that they lie.

A run names the place of its artefacts itself, and a hostile one names ``file:///etc`` or another host. Only the server
that was asked is used, through its own proxy (``mlflow-artifacts:``), or the folder beside the database.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from gatekeeper.errors import Code, UsageError
from gatekeeper.mlflow_server.connection import Connection, explained
from gatekeeper.whole_files import read_whole, write_whole

# Beside the database; MLflow's own default is a folder within the working folder.
FOLDER = "mlartifacts"
_ENDPOINT = "/api/2.0/mlflow-artifacts/artifacts"
_PLAIN = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_CHUNK_BYTES = 1 << 20
_LONGEST_SECONDS = 300.0


def read_artefact(connection: Connection, place: str, name: str, largest: int) -> bytes:
    """Return an artefact of at most ``largest`` bytes; ``place`` is its run's ``artifact_uri``, ``name`` our own.

    Raises ValueError or OSError in a few words where it is not there, too large or elsewhere.
    """
    if connection.database is not None:
        return read_whole(_beside(connection.database, place) / name, largest)
    try:
        response = _request(connection, "GET", f"{_proxied(place)}/{name}", stream=True)
    except UsageError as error:
        raise ValueError(f"it cannot be read: {error.problems[0].why}") from error
    try:
        if response.status_code != 200:
            raise ValueError(f"it cannot be read: the server answers {response.status_code}")
        return _within(response, largest)
    finally:
        response.close()


def write_artefact(connection: Connection, place: str, name: str, content: bytes) -> None:
    """Store an artefact, in place of one of this name. Raises UsageError where that cannot be."""
    try:
        if connection.database is not None:
            folder = _beside(connection.database, place)
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / name, content)
            return
        path = f"{_proxied(place)}/{name}"
    except (OSError, ValueError) as error:
        raise _unusable(connection, getattr(error, "strerror", None) or str(error)) from error
    headers = {"Content-Type": "application/octet-stream"}
    response = _request(connection, "PUT", path, data=content, extra_headers=headers)
    if response.status_code != 200:
        raise _unusable(connection, f"the server answers {response.status_code} to {name}")


def _request(connection: Connection, method: str, path: str, **options: object) -> Any:
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    with explained(connection.where):
        return http_request(get_default_host_creds(connection.uri), f"{_ENDPOINT}/{path}", method, **options)


def _within(response: Any, largest: int) -> bytes:
    until, found = time.monotonic() + _LONGEST_SECONDS, bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        found += chunk
        if len(found) > largest:
            raise ValueError(f"it is larger than {largest} bytes")
        if time.monotonic() > until:
            raise ValueError("the server takes too long")
    return bytes(found)


def _proxied(place: str) -> str:
    parts = urlsplit(place)
    path = parts.path.lstrip("/")
    if parts.scheme != "mlflow-artifacts" or parts.netloc or parts.query or parts.fragment:
        raise ValueError("its artefacts are not kept by this server (start it with --artifacts-destination)")
    if not _PLAIN.fullmatch(path) or ".." in path.split("/"):
        raise ValueError("the path of its artefacts is not a plain one")
    return path


def _beside(database: Path, place: str) -> Path:
    """Return the folder that a run of a database names, if it lies below the one that is ours."""
    parts = urlsplit(place)
    if parts.scheme not in ("", "file") or parts.netloc:
        raise ValueError("its artefacts are not in a folder")
    ours = (database.parent / FOLDER).resolve()
    named = Path(unquote(parts.path) if parts.scheme else place)
    if ".." in named.parts or not named.resolve().is_relative_to(ours):
        raise ValueError(f"its artefacts are not in {FOLDER} beside the database")
    return named.resolve()


def _unusable(connection: Connection, why: str) -> UsageError:
    mend = "let the server keep artefacts (mlflow server --artifacts-destination FOLDER), or take another experiment"
    where = connection.where
    return UsageError(Code.CANNOT_WRITE, "the artefacts cannot be stored", where=where, why=why, mend=mend)

"""Reaching MLflow: quietly, within seconds, without telemetry, and without a password in any message."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from gatekeeper.errors import Code, UsageError

_DATABASE = "sqlite:///"
_MISSING = "RESOURCE_DOES_NOT_EXIST"
_NOT_LET_IN = ("UNAUTHENTICATED", "PERMISSION_DENIED", "CUSTOMER_UNAUTHORIZED")
# MLflow reports its use to its makers unless told not to, follows redirections, prints addresses (with the password),
# and asks a dead server for minutes.
_ALWAYS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ALLOW_HTTP_REDIRECTS": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_UNLESS_GIVEN = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}


@dataclass(frozen=True)
class Connection:
    """A server or a database. ``where`` names it without credentials; ``uri`` may hold some, and is never shown."""

    where: str
    uri: str = field(repr=False)
    client: Any = field(repr=False)

    @property
    def database(self) -> Path | None:
        """The file of the database; None for a server."""
        return Path(self.uri.removeprefix(_DATABASE)) if self.uri.startswith(_DATABASE) else None

    def ask(self, call: str, *arguments: object, **options: object) -> Any:
        """Call a method of ``MlflowClient``. Raises UsageError where it refuses, or cannot be reached."""
        with explained(self.where):
            return getattr(self.client, call)(*arguments, **options)

    def find(self, call: str, *arguments: object) -> Any | None:
        """Call a method that gets one thing; None where it is not there."""
        from mlflow.exceptions import MlflowException

        def found() -> Any | None:
            try:
                return getattr(self.client, call)(*arguments)
            except MlflowException as error:
                if error.error_code == _MISSING:
                    return None
                raise

        with explained(self.where):
            return found()


def connect(uri: str, *, new: bool = False) -> Connection:
    """Return a connection to ``sqlite:///PATH``, ``http://…`` or ``https://…``.

    The file of a database that is not there is made only with ``new``. Nothing is asked of a server yet. Raises
    UsageError for another address, or where MLflow is not installed.
    """
    where = without_credentials(uri)
    client = _imported()
    if uri.startswith(_DATABASE) and uri != _DATABASE:
        path = Path(os.path.abspath(uri.removeprefix(_DATABASE)))
        _require_database(path, where, new)
        uri = f"{_DATABASE}{path}"
    elif urlsplit(uri).scheme not in ("http", "https") or not urlsplit(uri).hostname:
        mend = "give sqlite:///FILE, or the address of a server: https://HOST[:PORT]"
        raise UsageError(Code.BAD_VALUE, "this is not an address of MLflow", where=where, mend=mend)
    with explained(where):
        return Connection(where, uri, client(tracking_uri=uri, registry_uri=uri))


def without_credentials(uri: str) -> str:
    """Return an address without user, password, query and fragment: fit for messages and the ledger."""
    if uri.startswith(_DATABASE):
        return uri
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "(an address that cannot be read)"
    path = parts.path if parts.netloc else parts.path.rpartition("@")[2]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn what MLflow raises into a UsageError. Its own words are told only where they cannot hold a password."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MlflowException as error:
        told = str(error)
        if "Max retries exceeded" in told or "Connection" in told or "timed out" in told:
            raise _unreachable(where, "it does not answer") from error
        raise _refused(where, str(error.error_code)) from error
    except RequestException as error:
        raise _unreachable(where, f"it does not answer ({type(error).__name__})") from error
    except SQLAlchemyError as error:
        raise _refused(where, f"the database cannot be used ({type(error).__name__})") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _refused(where, f"its answer is not one of MLflow's ({type(error).__name__})") from error


def _imported() -> Any:
    """Return the class ``MlflowClient``, told to be quiet. Raises UsageError where the extra is not installed."""
    os.environ.update(_ALWAYS)
    for name, value in _UNLESS_GIVEN.items():
        os.environ.setdefault(name, value)
    try:
        import alembic  # noqa: F401
        from mlflow import MlflowClient
    except ImportError as error:
        raise UsageError(
            Code.MISSING_PACKAGE,
            "MLflow is not installed",
            why=f"there is no package {error.name}",
            mend="pip install 'gatekeeper-imaging[mlflow]'",
        ) from error
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return MlflowClient


def _require_database(path: Path, where: str, new: bool) -> None:
    if path.is_file() or (new and not os.path.lexists(path) and path.parent.is_dir()):
        return
    mend = "name the file of a database; `gatekeeper track` and `gatekeeper promote` make one in a folder that is there"
    raise UsageError(Code.FILE_NOT_FOUND, "there is no such database", where=where, mend=mend)


def _unreachable(where: str, why: str) -> UsageError:
    mend = "start the server (mlflow server), or mend the address"
    return UsageError(Code.FILE_NOT_FOUND, "the MLflow server cannot be reached", where=where, why=why, mend=mend)


def _refused(where: str, why: str) -> UsageError:
    mend = "look into the log of the server"
    if why in _NOT_LET_IN:
        mend = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
    elif where.startswith(_DATABASE):
        mend = "a database of another release of MLflow is brought up by `mlflow db upgrade`"
    return UsageError(Code.BAD_VALUE, "MLflow refused what it was asked", where=where, why=why, mend=mend)

"""Registered models and their versions, and the experiment in which runs are logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gatekeeper.errors import Code, UsageError
from gatekeeper.mlflow_server.artefacts import FOLDER
from gatekeeper.mlflow_server.connection import Connection

PREFIX = "gatekeeper."
_PAGE = 200
_MOST_PAGES = 100


def experiment_named(connection: Connection, name: str) -> str:
    """Return the id of an experiment, made where it is missing. One in a database keeps its artefacts beside that."""
    found = connection.ask("get_experiment_by_name", name)
    if found is not None:
        return str(found.experiment_id)
    database = connection.database
    place = None if database is None else (database.parent / FOLDER).as_uri()
    return str(connection.ask("create_experiment", name, artifact_location=place))


def ensure_model(connection: Connection, model: str) -> None:
    """Make a registered model unless it is there."""
    if connection.find("get_registered_model", model) is None:
        connection.ask("create_registered_model", model)


def model_tags(connection: Connection, model: str) -> dict[str, str]:
    """Return the tags of a registered model; none where it is not there."""
    found = connection.find("get_registered_model", model)
    return {} if found is None else {str(name): str(value) for name, value in found.tags.items()}


def new_version(connection: Connection, model: str, run: str, place: str, tags: Mapping[str, str]) -> str:
    """Register a version of a model that a run of MLflow holds; return its number."""
    made = connection.ask("create_model_version", model, place, run, tags=dict(tags), await_creation_for=0)
    return str(made.version)


def versions_of(connection: Connection, model: str, tag: str | None = None, value: str = "") -> Iterator[Any]:
    """Give the versions of a model, all or those with a tag of this value, which holds no quote.

    Raises UsageError for more than a registry should hold.
    """
    asked = f"name = '{model}'" + ("" if tag is None else f" AND tags.`{tag}` = '{value}'")
    token = None
    for _ in range(_MOST_PAGES):
        page = connection.ask("search_model_versions", asked, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return
    mend = "begin a new registered model"
    raise UsageError(
        Code.BAD_VALUE,
        f"the registered model has more than {_PAGE * _MOST_PAGES:,} versions",
        where=connection.where,
        mend=mend,
    )

"""An MLflow server, or a database in its place: asked with bounds, and believed in nothing.

What it answers is material: tags and artefacts find things, signatures alone prove them.
"""

from gatekeeper.mlflow_server.artefacts import read_artefact, write_artefact
from gatekeeper.mlflow_server.connection import Connection, connect, without_credentials
from gatekeeper.mlflow_server.versions import (
    PREFIX,
    ensure_model,
    experiment_named,
    model_tags,
    new_version,
    versions_of,
)

__all__ = [
    "PREFIX",
    "Connection",
    "connect",
    "ensure_model",
    "experiment_named",
    "model_tags",
    "new_version",
    "read_artefact",
    "versions_of",
    "without_credentials",
    "write_artefact",
]

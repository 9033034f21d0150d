"""A finished run, verified and then logged to MLflow: parameters, metrics, tags, artefacts, a registered version."""

from gatekeeper.tracking.tracked import Tracked, track

__all__ = ["Tracked", "track"]

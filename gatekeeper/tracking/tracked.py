"""The use case: a run is verified and logged, once however often it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gatekeeper.canonical import JSON
from gatekeeper.errors import Code, UsageError
from gatekeeper.mlflow_server import (
    PREFIX,
    Connection,
    connect,
    ensure_model,
    experiment_named,
    new_version,
    write_artefact,
)
from gatekeeper.release.mlflow_tags import record_tags
from gatekeeper.release.stores import NewRecord, plain_name
from gatekeeper.run_records import ATTESTATION, DOSSIER
from gatekeeper.tracking.artefacts import artefacts_of
from gatekeeper.tracking.told import metrics, parameters, tags
from gatekeeper.trust import Ledger, Trust
from gatekeeper.verification import Verification, verify

_TIME = "%Y-%m-%dT%H:%M:%SZ"
_KIND = f"{PREFIX}kind"
_RUN = "run"
_MOST_AT_ONCE = 100
_LONGEST_EXPERIMENT = 200


@dataclass(frozen=True)
class Tracked:
    """A run in MLflow. ``again`` says that it was there before; ``version`` is that of the model, if one was asked."""

    run: str
    verdict: str
    where: str
    experiment: str
    mlflow_run: str
    again: bool
    model: str | None
    version: str | None
    artefacts: tuple[str, ...]


def track(
    run: Path,
    uri: str,
    experiment: str,
    trust: Trust,
    home: Path,
    now: datetime,
    *,
    model: str | None = None,
    with_evidence: bool = False,
) -> Tracked:
    """Log a run that holds, whatever its verdict; register it as a version of ``model`` if one is named.

    Raises what ``verify`` raises, and then nothing is logged; UsageError where MLflow cannot be used. The ledger's line
    is on disk before MLflow is changed.
    """
    if model is not None:
        plain_name(model, "a registered model")
    if not experiment.strip() or not experiment.isprintable() or len(experiment) > _LONGEST_EXPERIMENT:
        mend = f"give a name of up to {_LONGEST_EXPERIMENT} printable characters"
        where = f"--experiment {experiment[:100]}"
        raise UsageError(Code.BAD_VALUE, "this is not a name of an experiment", where=where, mend=mend)
    verified = verify(run, trust)
    files = artefacts_of(run, verified, trust, with_evidence=with_evidence)
    connection = connect(uri, new=True)
    held = experiment_named(connection, experiment)
    _write_down(home, verified, connection.where, experiment, model, now)
    found = _logged_before(connection, held, verified.verdict.run.id)
    logged = found or _new_run(connection, held, verified)
    _log(connection, logged, verified)
    place = str(connection.ask("get_run", logged).info.artifact_uri)
    for name, content in files.items():
        write_artefact(connection, place, name, content)
    connection.ask("set_terminated", logged, "FINISHED", _milliseconds(verified.verdict.run.finished))
    version = _registered(connection, model, logged, place, verified, files)
    verdict = verified.verdict
    return Tracked(
        run=verdict.run.id,
        verdict=verdict.verdict.value,
        where=connection.where,
        experiment=experiment,
        mlflow_run=logged,
        again=found is not None,
        model=model,
        version=version,
        artefacts=tuple(sorted(files)),
    )


def _logged_before(connection: Connection, experiment: str, run: str) -> str | None:
    asked = f"tags.`{PREFIX}run` = '{plain_name(run, 'a run')}' AND tags.`{_KIND}` = '{_RUN}'"
    found = connection.ask("search_runs", [experiment], filter_string=asked, max_results=1)
    return str(found[0].info.run_id) if found else None


def _new_run(connection: Connection, experiment: str, verified: Verification) -> str:
    verdict = verified.verdict
    marks = {_KIND: _RUN, f"{PREFIX}run": verdict.run.id}
    started = _milliseconds(verdict.run.started)
    made = connection.ask("create_run", experiment, start_time=started, tags=marks, run_name=verdict.run.id)
    return str(made.info.run_id)


def _log(connection: Connection, logged: str, verified: Verification) -> None:
    """Log parameters, metrics and tags. The time of a metric is the run's own: logged again, it is the same one."""
    from mlflow.entities import Metric, Param, RunTag

    at = _milliseconds(verified.verdict.run.finished)
    listed = [Metric(name, value, at, 0) for name, value in metrics(verified).items()]
    told = [Param(name, value) for name, value in parameters(verified).items()]
    marks = [RunTag(name, value) for name, value in tags(verified).items()]
    connection.ask("log_batch", logged, params=told, tags=marks)
    for start in range(0, len(listed), _MOST_AT_ONCE):
        connection.ask("log_batch", logged, metrics=listed[start : start + _MOST_AT_ONCE])


def _registered(
    connection: Connection,
    model: str | None,
    logged: str,
    place: str,
    verified: Verification,
    files: Mapping[str, bytes],
) -> str | None:
    """Tag every version that this run is, of whichever model, and make one of ``model`` where there is none."""
    candidate = verified.verdict.digests.candidate
    artefacts = tuple(sorted(set(verified.records.candidate.files.values())))
    record = NewRecord(candidate, artefacts, verified.verdict.run.id, files.get(ATTESTATION), files[DOSSIER])
    told = {f"{PREFIX}{name}": tags(verified)[f"{PREFIX}{name}"] for name in ("verdict", "releasable", "context")}
    marks = {**told, **record_tags(record)}
    held = list(connection.ask("search_model_versions", f"run_id = '{logged}'"))
    for version in held:
        for name, value in marks.items():
            connection.ask("set_model_version_tag", version.name, version.version, name, value)
    if model is None:
        return None
    number = next((str(version.version) for version in held if version.name == model), None)
    if number is not None:
        return number
    ensure_model(connection, model)
    return new_version(connection, model, logged, place, marks)


def _write_down(
    home: Path, verified: Verification, where: str, experiment: str, model: str | None, now: datetime
) -> None:
    verdict = verified.verdict
    body: dict[str, JSON] = {
        "run": verdict.run.id,
        "verdict": verdict.verdict.value,
        "candidate": verdict.digests.candidate,
        "dossier": verified.digest,
        "store": where,
        "experiment": experiment,
        "model": model,
    }
    with Ledger(home / "ledger.sqlite") as ledger:
        ledger.append("run.tracked", body, f"{now.astimezone(UTC):{_TIME}}")


def _milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)

"""What admit, promote and roll back share: the options that say what is asked, and the answer in print."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.errors import Code, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from gatekeeper.canonical import JSON
    from gatekeeper.release.admission import Admission
    from gatekeeper.release.promotion import Switched
    from gatekeeper.release.reasons import Terms
    from gatekeeper.release.stores import Pointer

StoreOption = Annotated[
    str,
    typer.Option("--store", metavar="STORE", help="A folder, an OCI layout (new: oci:PATH), or mlflow:URI#MODEL."),
]
RequiredRoles = Annotated[
    list[str] | None, typer.Option("--require-role", help="This role must have signed the dossier: engineer or qa.")
]
MaxAge = Annotated[
    int | None, typer.Option("--max-age", metavar="DAYS", min=1, help="Refuse a run that ended longer ago.")
]
AllowDevelopment = Annotated[
    bool,
    typer.Option("--allow-development", help="Let development keys count. For demonstration; said in capitals."),
]

_DEVELOPMENT = "DEVELOPMENT: admitted on a development key, which anyone could have made. NOT FOR CLINICAL USE."
_LONGEST_AGE_DAYS = 36_500


def terms_of(roles: list[str] | None, max_age: int | None, allow_development: bool) -> Terms:
    """Return what is asked. Raises UsageError for a role that there is not, or an age of more than a century."""
    from datetime import timedelta

    from gatekeeper.cli.inputs import known_role
    from gatekeeper.release.reasons import Terms

    if max_age is not None and max_age > _LONGEST_AGE_DAYS:
        mend = f"give up to {_LONGEST_AGE_DAYS:,} days, or leave --max-age out"
        raise UsageError(Code.BAD_VALUE, "no model is that old", where=f"--max-age {max_age}", mend=mend)
    required = tuple(dict.fromkeys(known_role(role) for role in roles or ()))
    return Terms(required, None if max_age is None else timedelta(days=max_age), allow_development)


def now() -> datetime:
    """Return the present time, to the second."""
    from datetime import UTC, datetime

    return datetime.now(UTC).replace(microsecond=0)


def short(digest: str) -> str:
    """Return a digest as it is printed: its first and its last four hex digits."""
    plain = digest.removeprefix("sha256:")
    return f"{plain[:4]}…{plain[-4:]}"


def answer(admission: Admission, *, alone: bool = False) -> Iterator[str]:
    """Give the lines of an answer: what admitted, or every reason why nothing did."""
    from gatekeeper.release.attested import written

    of = f"{short(admission.candidate)} for {admission.context}"
    admitted = admission.admitted
    if admitted is None:
        yield f"refused   {of}"
        for refusal in admission.refusals:
            yield f"          {refusal.line}"
        return
    said = admitted.record.said
    yield (
        f"admitted  {said.name} {short(said.candidate)} for {said.context} {said.version} by run {said.run}, signed by "
        f"{', '.join(admitted.record.signers)}, until {written(admitted.expires)} ({admitted.ends_with})"
    )
    for refusal in admission.refusals:
        yield f"          passed over {refusal.line}"
    if alone:
        yield "NOT BOUND: the file's bytes alone were looked at, not its adapter and operating point."
    if admitted.record.development:
        yield _DEVELOPMENT


def answer_json(admission: Admission, *, alone: bool = False) -> dict[str, JSON]:
    """Return an answer as JSON data."""
    from gatekeeper.release.admission import NOT_CHECKED
    from gatekeeper.release.attested import written

    by: dict[str, JSON] | None = None
    if admission.admitted is not None:
        record = admission.admitted.record
        by = {
            "record": record.where,
            "candidate": record.said.candidate,
            "name": record.said.name,
            "run": record.said.run,
            "finished": written(record.said.finished),
            "policy": {"id": record.said.context, "version": record.said.version, "digest": record.said.policy},
            "signers": list(record.signers),
            "development": record.development,
            "expires": written(admission.admitted.expires),
            "ends_with": admission.admitted.ends_with,
        }
    return {
        "admitted": admission.admitted is not None,
        "digest": admission.candidate,
        "context": admission.context,
        "bound": "file" if alone else "candidate",
        "by": by,
        "refusals": [
            {"why": refusal.why.value, "where": refusal.where, "run": refusal.run, "words": refusal.words}
            for refusal in admission.refusals
        ],
        "not_checked": list(NOT_CHECKED),
    }


def pointed(pointer: Pointer | None) -> str:
    """Return in words what an alias points to."""
    if pointer is None:
        return "nothing"
    return f"{short(pointer.candidate)} (run {pointer.run}, since {pointer.since})"


def switch_json(alias: str, switched: Switched) -> dict[str, JSON]:
    """Return how an alias was switched, as JSON data; ``to`` is null where nothing was changed."""
    from dataclasses import asdict

    return {
        "alias": alias,
        "from": asdict(switched.before) if switched.before else None,
        "to": asdict(switched.after) if switched.after else None,
        "passed_over": [answer_json(admission) for admission in switched.passed_over],
    }

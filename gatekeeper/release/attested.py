"""What a signed record says of its run, as far as admission asks: read without the libraries that judge evidence.

``attestation.ModelValidation`` is the whole predicate. It is made from the records of findings and policies, which take
longer to import than an admission may take; a test holds that both read the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from gatekeeper.canonical import JSON
from gatekeeper.errors import Code, IntegrityError

if TYPE_CHECKING:
    from gatekeeper.trust import Statement

_TIME = "%Y-%m-%dT%H:%M:%SZ"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_WORDS = ("PASS", "FAIL", "INCONCLUSIVE", "INVALID")
_CANDIDATE = "candidate/"


@dataclass(frozen=True)
class Said:
    """The statement of one run. Digests are ``sha256:<hex>``, times aware and in UTC.

    ``context`` is the policy's id; ``bars`` name what barred a release when it was signed. ``files`` are the
    candidate's, by path. ``waived_until`` is the end of the first waiver without which the verdict would be another
    one; None where it would be the same.
    """

    verdict: str
    bars: tuple[str, ...]
    exploratory: bool
    development: bool
    context: str
    version: str
    policy: str
    candidate: str
    name: str
    testset: str
    run: str
    started: str
    finished: datetime
    waived_until: datetime | None
    files: Mapping[str, str]


def read_said(stated: Statement, where: str) -> Said:
    """Return what a statement whose signature holds says. Raises IntegrityError where it is not one of a run."""
    try:
        return _read(stated)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError(
            Code.BAD_SIGNATURE,
            "what is signed is not the result of a run",
            where=where,
            why=f"its predicate lacks something, or has it in another form ({type(error).__name__})",
            mend="ask whoever made it for the attestation again",
        ) from error


def moment(text: JSON) -> datetime:
    """Return a time written as ``2026-11-23T09:30:00Z``. Raises ValueError for another spelling."""
    if not isinstance(text, str):
        raise ValueError("not a time")
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


def written(at: datetime) -> str:
    """Return an aware time as ``2026-11-23T09:30:00Z``."""
    return f"{at.astimezone(UTC):{_TIME}}"


def _read(stated: Statement) -> Said:
    told = stated.predicate
    verdict, bars = _text(told["verdict"]), tuple(_text(bar) for bar in _list(told["bars"]))
    releasable = _flag(told["releasable"])
    if verdict not in _WORDS or releasable is bool(bars) or (releasable and verdict != "PASS"):
        raise ValueError("verdict, bars and releasable contradict each other")
    policy, candidate, run = (_object(told[key]) for key in ("policy", "candidate", "run"))
    finished = moment(run["finished"])
    moment(run["started"])
    return Said(
        verdict=verdict,
        bars=bars,
        exploratory=_flag(told["exploratory"]),
        development=_flag(told["development"]),
        context=_text(policy["id"]),
        version=_text(policy["version"]),
        policy=_digest(policy["digest"]),
        candidate=_digest(candidate["digest"]),
        name=_text(candidate["name"]),
        testset=_text(_object(told["testset"])["name"]),
        run=_text(run["id"]),
        started=_text(run["started"]),
        finished=finished,
        waived_until=_waived_until(told),
        files={
            name.removeprefix(_CANDIDATE): digest
            for name, digest in stated.subjects.items()
            if name.startswith(_CANDIDATE)
        },
    )


def _waived_until(told: Mapping[str, JSON]) -> datetime | None:
    """Return the end of the first day after which a waiver no longer holds, where the verdict hangs on waivers."""
    if told["without_waivers"] in (None, "PASS"):
        return None
    waivers = [_object(finding)["waived"] for finding in _list(told["findings"])]
    days = [date.fromisoformat(_text(_object(waived)["expires"])) for waived in waivers if waived is not None]
    return datetime.combine(min(days) + timedelta(days=1), time(), UTC)


def _text(value: JSON) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("not a text")
    return value


def _flag(value: JSON) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _list(value: JSON) -> list[JSON]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


def _object(value: JSON) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _digest(value: JSON) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise ValueError("not a digest")
    return value

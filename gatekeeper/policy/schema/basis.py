"""Why a number is what it is, and who let it be less than it was."""

from __future__ import annotations

from typing import Literal

from gatekeeper.evidence import Record
from gatekeeper.policy.schema.values import Text


class Basis(Record):
    """Where a number comes from, and how sure that is."""

    source: Text
    status: Literal["verified", "secondary", "computed", "unverified", "project_choice"]
    note: Text | None = None


class Relaxation(Record):
    """Why a layer asks for less than the one below it, and who decided so."""

    why: Text
    by: Text

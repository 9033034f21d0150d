"""The base of all records: frozen, strict, nothing extra."""

from __future__ import annotations

from typing import cast

from pydantic import BaseModel, ConfigDict

from gatekeeper.canonical import JSON

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Record(BaseModel):
    """A frozen value that can be written as JSON and read back unchanged.

    Read with ``model_validate_json``: strict validation in JSON mode takes lists for tuples and nothing else.
    """

    model_config = ConfigDict(frozen=True, **STRICT)

    def to_json(self) -> dict[str, JSON]:
        """Return the record as plain JSON data, keys in the order of their declaration."""
        return cast("dict[str, JSON]", self.model_dump(mode="json"))

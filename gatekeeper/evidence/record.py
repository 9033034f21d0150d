"""The base of all records: frozen, strict, nothing extra."""

from __future__ import annotations

from typing import Annotated, cast

from pydantic import BaseModel, ConfigDict, StringConstraints

from gatekeeper.canonical import JSON

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Record(BaseModel):
    """A frozen value that can be written as JSON and read back unchanged.

    Read with ``model_validate_json``: strict validation in JSON mode takes lists for tuples and nothing else.
    """

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True, **STRICT)

    def to_json(self) -> dict[str, JSON]:
        """Return the record as plain JSON data, keys in the order of their declaration."""
        return cast("dict[str, JSON]", self.model_dump(mode="json"))

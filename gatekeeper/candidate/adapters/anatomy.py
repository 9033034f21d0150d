"""What a candidate's files are made of: the records in which a walled-in process tells it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from gatekeeper.candidate.contract import Format
from gatekeeper.candidate.isolation import Confinement
from gatekeeper.evidence import Record

Text = Annotated[str, Field(max_length=300)]
Count = Annotated[int, Field(ge=0)]
MOST_NAMES = 2000


class Sign(StrEnum):
    """Something in a candidate's files that a person should look at. Its absence proves nothing."""

    PICKLE = "pickle"
    FOREIGN_PICKLE = "foreign_pickle"
    SAMPLE_INPUTS = "sample_inputs"
    STRANGE_EXPRESSION = "strange_expression"
    EXPRESSIONS = "expressions"
    TARGETS = "targets"
    FILE_OPERATIONS = "file_operations"
    OWN_OPERATORS = "own_operators"
    DATA_OUTSIDE = "data_outside"
    NOT_PARSED = "not_parsed"


class Port(Record):
    """An input or an output: its name, dtype and shape in words, as the file says."""

    name: Text
    dtype: Text
    shape: Text


class Anatomy(Record):
    """What was found. ``operators``, ``dtypes`` count by name; ``external`` are files that an ONNX graph reads."""

    parameters: Count | None = None
    inputs: Annotated[tuple[Port, ...], Field(max_length=MOST_NAMES)] = ()
    outputs: Annotated[tuple[Port, ...], Field(max_length=MOST_NAMES)] = ()
    operators: Annotated[dict[Text, Count], Field(max_length=MOST_NAMES)] = Field(default_factory=dict)
    opsets: Annotated[dict[Text, Count], Field(max_length=MOST_NAMES)] = Field(default_factory=dict)
    tensors: Count | None = None
    dtypes: Annotated[dict[Text, Count], Field(max_length=MOST_NAMES)] = Field(default_factory=dict)
    external: Annotated[tuple[Text, ...], Field(max_length=MOST_NAMES)] = ()
    signs: tuple[Sign, ...] = ()


class Task(Record):
    """The line that the process gets: its walls, and what to look at."""

    confinement: Confinement
    level: str
    format: Format
    artefact: str


class Told(Record):
    """The line that the process says: what it found, or the type of the exception that stopped it."""

    kind: Literal["told"] = "told"
    anatomy: Anatomy | None = None
    error: Annotated[str, Field(max_length=200)] | None = None

"""The content model: what a dossier says, as plain strings, rows and drawings, before any layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from gatekeeper.dossier.charts import Drawing


@dataclass(frozen=True)
class Cell:
    """A cell of a table: a drawing or a main text, with quiet lines below."""

    text: str = ""
    below: tuple[str, ...] = ()
    drawing: Drawing | None = None
    strong: bool = False


@dataclass(frozen=True)
class Column:
    """A column: its heading and its width in per cent of the table."""

    heading: str
    width: float
    align: Literal["left", "right"] = "left"


@dataclass(frozen=True)
class Row:
    """A row; ``note`` stands below it across the table from the second column on; ``group`` makes it a heading."""

    cells: tuple[Cell, ...] = ()
    note: str = ""
    group: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under headings that are repeated on every page; a ``narrow`` one leaves the right third free."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    narrow: bool = False


@dataclass(frozen=True)
class Paragraph:
    """Running text; ``quiet`` for what explains rather than tells."""

    kind: ClassVar[str] = "paragraph"
    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Points:
    """Short statements, one below the other, each with a lead-in that may be empty."""

    kind: ClassVar[str] = "points"
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Facts:
    """Names and values in two columns."""

    kind: ClassVar[str] = "facts"
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Figure:
    """Drawings side by side, as many in a line as there is room for, with one caption."""

    kind: ClassVar[str] = "figure"
    drawings: tuple[Drawing, ...]
    caption: str


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    kind: ClassVar[str] = "heading"
    text: str


Block = Table | Paragraph | Points | Facts | Figure | Heading


@dataclass(frozen=True)
class Section:
    """A numbered part of the dossier."""

    number: int
    anchor: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Brief:
    """One requirement on page one."""

    mark: Drawing
    outcome: str
    title: str
    words: str


@dataclass(frozen=True)
class FirstPage:
    """What a radiologist reads: the verdict, why, about what, and each requirement in a line or two."""

    mark: Drawing
    verdict: str
    words: str
    reasons: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    requirements: tuple[Brief, ...]
    remainder: str


@dataclass(frozen=True)
class Content:
    """The whole dossier. ``bands`` are the warnings that stand across page one and in every footer."""

    title: str
    created: str
    bands: tuple[tuple[str, str], ...]
    footer: str
    first_page: FirstPage
    sections: tuple[Section, ...]

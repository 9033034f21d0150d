"""The table of every case on the page for browsers: what is read without a script, and the data that one sorts."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from gatekeeper.canonical import JSON
from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Paragraph
from gatekeeper.dossier.cases import CaseColumn, CaseTable, Numbers, Words
from gatekeeper.dossier.pages import Source
from gatekeeper.dossier.wording import unbroken, visible

SLICE = 1_000  # rows that are drawn at once
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


@dataclass(frozen=True)
class Choice:
    """Values by which rows can be chosen, with their counts, of the column of this index."""

    heading: str
    column: int
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class WebCases:
    """What the template shows: a section, its first rows as (text, whether a number), and the data of all rows."""

    number: int
    title: str
    blocks: tuple[Block, ...]
    headings: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[tuple[str, bool], ...], ...]
    choices: tuple[Choice, ...]
    count: str
    data: Source

    @property
    def anchor(self) -> str:
        """The name by which the contents refer to the section."""
        return f"section-{self.number}"


def web_cases(table: CaseTable, number: int) -> WebCases:
    """Prepare the table of every case as section ``number``."""
    first = min(SLICE, len(table))
    columns = [[(_told(column, row), isinstance(column, Numbers)) for row in range(first)] for column in table.columns]
    return WebCases(
        number=number,
        title="Every case",
        blocks=_words(table, first),
        headings=tuple((column.heading, isinstance(column, Numbers)) for column in table.columns),
        rows=tuple(zip(*columns, strict=True)),
        choices=tuple(
            Choice(column.heading, index, tuple((word, f"{n:,}") for word, n in Counter(column.values).items()))
            for index, column in enumerate(table.columns)
            if isinstance(column, Words) and column.narrows
        ),
        count=f"{first:,} of {len(table):,} shown",
        data=Source(_data(table)),
    )


def _words(table: CaseTable, first: int) -> tuple[Block, ...]:
    told = [
        f"What became of each case at baseline, in the order of the lock: {numerals.counted(table.total, 'case')}, "
        "repeats included. Cases are named as in the lock; patients are not named."
    ]
    if len(table) < table.total:
        told.append(f"This page holds the first {len(table):,}.")
    if table.left_out:
        told.append(f"{numerals.counted(table.left_out, 'further column')} on structures did not fit.")
    if first < len(table):
        told.append(f"Where scripts are off, the first {first:,} are shown.")
    told.append("All that was recorded stands in the evidence: cases.parquet, attached to the signed dossier.")
    return (Paragraph(" ".join(told)),)


def _told(column: CaseColumn, row: int) -> str:
    if isinstance(column, Words):
        return column.values[row]
    value = column.values[row]
    return "–" if value is None else f"{value:.{column.digits}f}".replace("-", numerals.MINUS)


def _data(table: CaseTable) -> str:
    """Return columns as JSON that cannot end the element it stands in; words once each, and which one a row has."""
    content: dict[str, JSON] = {"slice": SLICE, "columns": [_packed(column) for column in table.columns]}
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return "".join(_ESCAPED.get(letter, letter) for letter in text)


def _packed(column: CaseColumn) -> JSON:
    if isinstance(column, Numbers):
        return {"digits": column.digits, "values": list(column.values)}
    codes: dict[str, int] = {}
    at = [codes.setdefault(word, len(codes)) for word in column.values]
    words: list[JSON] = [unbroken(visible(word)) for word in codes]
    return {"words": words} if len(words) == len(at) else {"words": words, "codes": list(at)}

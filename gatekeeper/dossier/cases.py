"""Every case of the baseline as columns: what a page shows that can be sorted and narrowed down."""

from __future__ import annotations

from dataclasses import dataclass

MOST_CASES = 100_000  # of which a page holds the answers; evidence holds all


@dataclass(frozen=True)
class Numbers:
    """A column of numbers, each shown with so many ``digits`` after the point; None where there is none."""

    heading: str
    values: tuple[float | None, ...]
    digits: int


@dataclass(frozen=True)
class Words:
    """A column of texts; ``narrows``: whether rows can be chosen by it."""

    heading: str
    values: tuple[str, ...]
    narrows: bool = False


CaseColumn = Numbers | Words


@dataclass(frozen=True)
class CaseTable:
    """Columns of one length, the first of which names the case; ``total`` is how many cases the baseline has.

    ``left_out``: how many columns on structures there was no room for.
    """

    columns: tuple[CaseColumn, ...]
    total: int
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.columns[0].values)

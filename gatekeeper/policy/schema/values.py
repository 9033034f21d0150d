"""The kinds of single values that a policy is made of."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

# The whole numbers that canonical JSON (RFC 8785) can hold.
_LARGEST_INTEGER = 2**53 - 1


def _is_number_or_text(written: object) -> object:
    """Say in one sentence what pydantic would say once for each type of the union."""
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        raise ValueError("expected a number, or a number with its unit")
    if not isinstance(written, str) and not abs(written) <= _LARGEST_INTEGER:
        raise ValueError("a number too large to compute with")
    return written


def _is_legible(text: str) -> str:
    if any(ord(character) < 32 and character not in "\n\t" for character in text):
        raise ValueError("the text holds control characters")
    return text


def _is_a_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f'expected a day such as "2027-06-30", found {text!r}') from error
    return text


Quantity = Annotated[str | int | float, BeforeValidator(_is_number_or_text)]
Text = Annotated[str, Field(min_length=1), AfterValidator(_is_legible)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_is_a_day)]

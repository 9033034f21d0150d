"""Text as it may be shown: what would not be seen, or would move other text, is spelt out.

A name that carries bidirectional controls, tags or a pile of combining marks could make a page say what it does not.
"""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS_IN_A_ROW = 3
_UNIT = re.compile(r"(?<=\d) (?=%|(?:ms|mm|s|min)\b)")
_PLAIN = re.compile(r"[\x20-\x7e]*")


def visible(text: str) -> str:
    """Return ``text`` on one line, with controls and format characters written as ``‹U+202E›``.

    White space becomes plain spaces; of more than three combining marks in a row the rest are spelt out too.
    """
    if _PLAIN.fullmatch(text):
        return text
    shown: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if character in "\t\n\r\v\f":
            shown.append(" ")
        elif category in _HIDDEN or marks > _MARKS_IN_A_ROW:
            shown.append(f"‹U+{ord(character):04X}›")
        else:
            shown.append(character)
    return "".join(shown)


def unbroken(text: str) -> str:
    """Return ``text`` with a no-break space between a number and its unit."""
    return _UNIT.sub("\u00a0", text)


def shortened(text: str, most: int) -> str:
    """Return ``text``, cut to ``most`` characters with an ellipsis, at a space where there is one."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > most * 2 // 3 else cut).rstrip(" ,;:") + "…"


def joined(parts: list[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def plain_name(name: str) -> str:
    """Return a registered name as words: ``gaussian_noise`` is "gaussian noise"."""
    return name.replace("_", " ")

"""Characters that cannot be seen, and text that is too long to be shown."""

from __future__ import annotations

import re

# Controls, lone surrogates, line separators that editors do not show, marks that turn the direction of writing, and
# characters without width. The joiners U+200C and U+200D stay: Persian and Hindi are written with them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)


def unseen_character(text: str) -> tuple[int, str] | None:
    """Return where the first character that cannot be seen stands, and its name (``U+202E``); None without one."""
    found = _UNSEEN.search(text)
    return (found.start(), f"U+{ord(found[0]):04X}") if found else None


def shortened(text: str, longest: int = 80) -> str:
    """Return text that is short enough to be quoted in a sentence."""
    return text if len(text) <= longest else f"{text[:longest]}…"

"""Text of others in Markdown as GitHub reads it: nothing in it becomes a link, a picture, HTML, or calls anybody.

Backslashes keep CommonMark from seeing its own marks (spec 0.31, section 2.4). What GitHub looks for in the finished
text cannot be escaped, so a space of no width parts it: mentions (``@``), references (``#1``, ``GH-1``), emoji
(``:x:``), and the beginnings of bare addresses (``www.``, ``://``).
"""

from __future__ import annotations

import re

from gatekeeper.errors import printable

_PARTED = "&#8203;"
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#|~&$!])")
_CALLS = re.compile(r"@|#|:(?=[\w+-])|(?<=:)/(?=/)|\bwww(?=\.)|\bgh(?=-\d)|\b(?:mailto|xmpp)(?=:)", re.IGNORECASE)
_AT_START = re.compile(r"^([-+]|\d+(?=[.)]))")
_RUNS = re.compile(r"`+")


def plain(text: str, longest: int = 1000) -> str:
    """Return text that stays text wherever it stands in a line, cut to ``longest`` letters of its own."""
    told = _cut(printable(text), longest)
    pieces, end = [], 0
    for call in _CALLS.finditer(told):
        pieces += [_escaped(told[end : call.end()]), _PARTED]
        end = call.end()
    whole = "".join((*pieces, _escaped(told[end:])))
    return _AT_START.sub(lambda found: f"{_PARTED}{found[0]}", whole.strip())


def code(text: str, longest: int = 300) -> str:
    """Return text as a code span, in which nothing is looked for; not for a cell of a table, which a bar would end."""
    told = _cut(printable(text), longest) or " "
    fence = "`" * (max((len(run) for run in _RUNS.findall(told)), default=0) + 1)
    pad = " " if told.startswith("`") or told.endswith("`") else ""
    return f"{fence}{pad}{told}{pad}{fence}"


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"

"""The expressions of GitHub Actions that the workflows here use: contexts, literals, comparisons, functions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>==|!=|&&|\|\||[!().,\[\]])|(?P<number>\d+))"
)
_WHOLE = re.compile(r"^\$\{\{(.*)\}\}$", re.S)
_PART = re.compile(r"\$\{\{(.*?)\}\}", re.S)
Functions = Mapping[str, Callable[..., Any]]


def interpolated(text: str, contexts: Mapping[str, Any], functions: Functions) -> Any:
    """Replace each expression within a text by its value as text; a text that is one expression keeps its type."""
    whole = _WHOLE.match(text)
    if whole and "${{" not in whole[1]:
        return evaluated(whole[1], contexts, functions)
    return _PART.sub(lambda found: as_text(evaluated(found[1], contexts, functions)), text)


def evaluated(source: str, contexts: Mapping[str, Any], functions: Functions) -> Any:
    """Return the value of one expression. What a context does not have is null, as on a runner."""
    tokens = [match.group().strip() for match in _TOKEN.finditer(source)]
    assert "".join(tokens).replace(" ", "") == re.sub(r"\s", "", source), f"cannot read: {source}"
    reader = _Reader(tokens, contexts, functions)
    value = reader.either()
    assert reader.at == len(tokens), f"cannot read: {source}"
    return value


def as_text(value: Any) -> str:
    """Return a value as GitHub writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


class _Reader:
    def __init__(self, tokens: list[str], contexts: Mapping[str, Any], functions: Functions) -> None:
        self.tokens, self.contexts, self.functions, self.at = tokens, contexts, functions, 0

    def _next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def _takes(self, token: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at] == token
        self.at += found
        return found

    def either(self) -> Any:
        value = self._both()
        while self._takes("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Any:
        value = self._equal()
        while self._takes("&&"):
            other = self._equal()
            value = value and other
        return value

    def _equal(self) -> Any:
        value = self._one()
        if self._takes("=="):
            return _same(value, self._one())
        if self._takes("!="):
            return not _same(value, self._one())
        return value

    def _one(self) -> Any:
        if self._takes("!"):
            return not self._one()
        if self._takes("("):
            value = self.either()
            assert self._takes(")")
            return value
        token = self._next()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.isdigit():
            return int(token)
        if token in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[token]
        if self._takes("("):
            arguments = []
            while not self._takes(")"):
                arguments.append(self.either())
                self._takes(",")
            return self.functions[token](*arguments)
        value = self.contexts[token]
        while self._takes("."):
            name = self._next()
            value = value.get(name) if isinstance(value, Mapping) else None
        return value


def _same(one: Any, other: Any) -> bool:
    return as_text(one).casefold() == as_text(other).casefold()

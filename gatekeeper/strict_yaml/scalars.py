"""What a plain scalar is: the core schema of YAML 1.2, without what YAML 1.1 reads otherwise than people do."""

from __future__ import annotations

import math
import re

from gatekeeper.strict_yaml.characters import shortened

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"([-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)(?:[eE][-+]?[0-9]+)?")
_SURPRISING = re.compile(
    r"y|n|yes|no|on|off|true|false|null|[-+]?\d[\d_]*(:\d+)+(\.\d*)?|[-+]?0[\d_xob][\d_a-f]*|[-+]?\d[\d_]+"
    r"|[-+]?\.(inf|nan)|\d{4}-\d\d?-\d\d?([Tt ].*)?|[-+]?\.\d+|[-+]?\d+\.([eE].*)?",
    re.IGNORECASE,
)
_MOST_DIGITS = 400


class Unclear(ValueError):
    """A scalar that has no one meaning: ``what`` is wrong with it, and what mends it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what, self.mend = what, mend


def plain_value(text: str) -> str | int | float | bool | None:
    """Return what a scalar without quotes stands for. Raises Unclear."""
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _DECIMAL.fullmatch(text):
        return _number(text)
    if _SURPRISING.fullmatch(text):
        told = shortened(text)
        mend = f'quote it ("{told}") if it is text, or write a plain number, true or false'
        raise Unclear(f"{told} can be read in two ways", mend)
    return text


def _number(text: str) -> int | float:
    """Read a number, unless it has more digits, or is larger or smaller, than a machine's numbers."""
    if len(text) <= _MOST_DIGITS and _INTEGER.fullmatch(text):
        return int(text)
    digits = _DECIMAL.sub(r"\1", text) if len(text) <= _MOST_DIGITS else ""
    number = float(text) if digits else math.inf
    if math.isinf(number) or (number == 0.0 and digits.strip("+-0.")):
        raise Unclear(
            f"{shortened(text, 20)} is too large or too small a number", "write a number that can be measured"
        )
    return number

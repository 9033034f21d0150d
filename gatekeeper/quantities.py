"""Numbers with units, as policies write them: ``20 ms``, ``2.5 mm``, ``5 mL``, ``2 %``, ``15 degree``."""

from __future__ import annotations

import re

# unit as written -> (unit as computed with, factor)
_UNITS = {
    "s": ("s", 1.0),
    "ms": ("s", 1e-3),
    "min": ("s", 60.0),
    "mm": ("mm", 1.0),
    "mL": ("mL", 1.0),
    "degree": ("degree", 1.0),
    "MiB": ("MiB", 1.0),
    "GiB": ("MiB", 1024.0),
    "cases/s": ("cases/s", 1.0),
    "cases/min": ("cases/s", 1.0 / 60.0),
    "cases/h": ("cases/s", 1.0 / 3600.0),
    "%": ("1", 0.01),
}
_EXAMPLES = {
    "s": "20 ms",
    "mm": "1.5 mm",
    "mL": "5 mL",
    "degree": "15 degree",
    "MiB": "2 GiB",
    "cases/s": "50 cases/s",
    "severity": "3",
    "count": "4",
}
_WRITTEN = re.compile(r"^(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?) ?([a-zA-Z]+(?:/[a-z]+)?|%)$")


def parse_quantity(written: str | int | float, unit: str) -> float:
    """Return a quantity in ``unit``: ``1 s mm mL degree MiB cases/s count severity``.

    A proportion may be a bare number or per cent, a count and a severity are bare numbers; all else needs its unit.
    Raises ValueError with a sentence that says what was expected.
    """
    if isinstance(written, bool):
        raise ValueError("expected a quantity, found true or false")
    if isinstance(written, int | float):
        if unit in ("1", "count", "severity"):
            return float(written)
        raise ValueError(f"a bare number where a unit matters: write it with one, such as {_example(unit)}")
    match = _WRITTEN.match(written)
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"cannot read {written!r} as a quantity: write a number and a unit, such as {_example(unit)}")
    found, factor = _UNITS[match[2]]
    if found != unit:
        raise ValueError(f"{written!r} is not in a unit of this quantity: write it like {_example(unit)}")
    # Decimal text times a power of ten: rounding to 12 digits gives the number that was meant (7 ms is 0.007).
    return float(f"{float(match[1]) * factor:.12g}")


def _example(unit: str) -> str:
    return _EXAMPLES.get(unit, "0.8 or 80 %")

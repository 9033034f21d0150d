"""No interval is told without how it is made: each word of every method that a suite can name is explained.

Methods are found in two ways: read from the source of ``statistics`` and ``suites``, wherever an interval or a
measurement is given one; and measured, on a test set of every setting that is simulated for ``docs/coverage.md``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import gatekeeper
from gatekeeper.dossier.sections.methods import _INTERVALS

sys.path.insert(0, str(Path(__file__).parents[1] / "simulations"))

from measure_coverage import FAMILIES

SOURCES = [
    path for room in ("statistics", "suites") for path in sorted((Path(gatekeeper.__file__).parent / room).glob("*.py"))
]
# What is given a method, and which of its arguments it is.
TAKES = {
    "Interval": 3,
    "Measurement": 2,
    "cls": 3,
    "bca_interval": 4,
    "interval_when_alike": 4,
    "percentile_interval": 2,
    "_interval": 5,
}
NOTHING_TO_EXPLAIN = frozenset(
    {
        *("the", "and", "for", "from", "with", "over", "both", "all", "any", "than", "where", "ones", "which"),
        *("case", "cases", "patient", "patients", "number", "numbers", "independent", "more", "exact"),
        *("limit", "limits", "lower", "upper", "above", "below", "share", "resamples", "seed", "largest", "least"),
    }
)
# Of functions that are for those who use the package as a library: no suite calls them.
NOT_OF_SUITES = {"DeLong, on the log-odds scale", "0, of logarithms"}


def texts(node: ast.expr, names: dict[str, list[str]]) -> list[str]:
    """Return what a text can be; a number, or what is not known, is 0."""
    match node:
        case ast.Constant(value=str(value)):
            return [value]
        case ast.JoinedStr(values=values):
            parts = [""]
            for value in values:
                inner = value.value if isinstance(value, ast.FormattedValue) else value
                plain = isinstance(value, ast.Constant) or (
                    isinstance(value, ast.FormattedValue) and not value.format_spec
                )
                parts = [part + found for part in parts for found in (texts(inner, names) if plain else []) or ["0"]]
            return parts
        case ast.IfExp(body=body, orelse=orelse):
            return texts(body, names) + texts(orelse, names)
        case ast.BinOp(left=left, right=right):
            return [one + two for one in texts(left, names) or [""] for two in texts(right, names) or [""]]
        case ast.Name(id=name):
            return names.get(name, [])
        case ast.Call(func=ast.Attribute(value=value, attr="format")):
            return texts(value, names)
    return []


def methods_in(tree: ast.Module) -> Iterator[str]:
    names: dict[str, list[str]] = {}
    for node in [*ast.walk(tree), *ast.walk(tree)]:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            names[name] = list(dict.fromkeys(names.get(name, []) + texts(node.value, names)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "method":  # a property that gives it
            returned = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value]
            yield from (text for value in returned for text in texts(value, names))
        if not isinstance(node, ast.Call):
            continue
        of = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        place = TAKES.get(of)
        given = [] if place is None else node.args[place : place + 1]
        if place is not None and any(isinstance(argument, ast.Starred) for argument in node.args):
            given = node.args[place - 1 : place]
        given += [keyword.value for keyword in node.keywords if keyword.arg == "method"]
        yield from (text for argument in given for text in texts(argument, names))


WRITTEN = sorted({text for path in SOURCES for text in methods_in(ast.parse(path.read_text(encoding="utf-8")))})


def unexplained(method: str) -> set[str]:
    """Return the words of a method that what is told of it does not hold; why an exact one was taken need not be.

    A method that begins with another one, which is not known here, may be explained anywhere.
    """
    plain = method.lower().partition(", since")[0]
    whole = plain[:1] not in ("0", ",")
    told = [f"{key} {title} {words}" for key, title, words in _INTERVALS if key in plain or not whole]
    known = set(re.findall(r"[a-z]+", " ".join(told).lower()))
    said = {word for word in re.findall(r"[a-z]+", plain) if len(word) > 2}
    return {word for word in said - NOTHING_TO_EXPLAIN if not any(one.startswith(word) for one in known)}


def is_told(method: str) -> bool:
    """Say whether a text is a method: not why there is none, nor a name in code."""
    return method not in NOT_OF_SUITES and not method.startswith("none: ") and bool(method[:1].strip())


@pytest.mark.parametrize(
    "method", [text for text in WRITTEN if is_told(text) and text not in ("higher", "inverted_cdf")]
)
def test_every_method_that_is_written_in_the_source_is_explained(method: str) -> None:
    assert not unexplained(method)


def test_the_source_is_read_whole() -> None:
    """Each of these is named in another way: a constant, a choice, a call of another function, a part of a text."""
    for known in (
        "paired DeLong by patient (Obuchowski), Student t",
        "studentised bootstrap of patients, at least chi-squared",
        "Clopper-Pearson (exact) over 0 independent pairs, since all scores are equal",
        "patient-cluster bootstrap, percentile, 0 resamples, seed 0",
        "difference of both limits (Bonferroni), since no patient differs",
        "BCa bootstrap of patients",
        "Jeffreys",
    ):
        assert known in WRITTEN


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_every_method_that_is_measured_is_written_there_and_explained(family: object) -> None:
    smallest = {}
    for study in sorted(family.studies(), key=lambda study: -study.cases):  # type: ignore[attr-defined]
        smallest[study.setting, study.cases_each] = study
    measured = {
        drawn.measurement.method for study in smallest.values() for drawn in study.draw(np.random.default_rng(1), 0)
    }
    assert measured
    for method in measured:
        if not method.startswith("none"):
            assert not unexplained(method), method


def test_a_method_that_is_told_nothing_of_is_found() -> None:
    assert unexplained("paired Tango score") == set()
    assert "miettinen" in unexplained("paired Miettinen score")
    assert "dirichlet" in unexplained("studentised bootstrap of patients, Dirichlet weights")

from __future__ import annotations

import pytest
from pydantic import Field, model_validator

from gatekeeper.errors import Code, Problem, UsageError
from gatekeeper.evidence import Record
from gatekeeper.strict_yaml import parse_yaml
from gatekeeper.validation import Fault, find_place, refuse, validate


class Leaf(Record):
    size: int = Field(ge=1)
    colour: str = "green"

    @model_validator(mode="after")
    def _fits(self) -> Leaf:
        faults = [Fault(("colour",), "red is for alarms", mend="choose another")] if self.colour == "red" else []
        faults += [Fault((), "too large for its colour")] if self.size > 100 else []
        refuse(faults)
        return self


class Tree(Record):
    name: str
    trunk: Leaf
    leaves: dict[str, Leaf] = Field(default_factory=dict)
    listed: tuple[Leaf, ...] = ()
    spare: Leaf | None = None


SOUND = "name: oak\ntrunk: {size: 3}\n"


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(UsageError) as caught:
        validate(Tree, parse_yaml(text.encode(), "tree.yaml"))
    return caught.value.problems


def test_a_sound_document_is_a_record() -> None:
    text = SOUND + "leaves:\n  first: {size: 1}\nlisted:\n  - {size: 2, colour: blue}\nspare: null\n"
    tree = validate(Tree, parse_yaml(text.encode(), "tree.yaml"))
    assert tree.leaves["first"].size == 1
    assert tree.listed[0].colour == "blue"


@pytest.mark.parametrize(
    ("text", "line", "column", "mend"),
    [
        ("nmae: oak\ntrunk: {size: 3}\n", 1, 1, 'did you mean "name"?'),
        ("name: oak\ntrunk: {size: 3, color: x}\n", 2, 18, 'did you mean "colour"?'),
        (SOUND + "leaves:\n  first: {size: 1, Colour: x}\n", 4, 20, 'did you mean "colour"?'),
        (SOUND + "listed:\n  - {size: 1}\n  - {sise: 1}\n", 5, 6, 'did you mean "size"?'),
        (SOUND + "spare: {size: 1, zzz: 2}\n", 3, 18, "known here: size, colour"),
    ],
)
def test_an_unknown_key_is_one_problem_with_the_nearest_key(text: str, line: int, column: int, mend: str) -> None:
    (problem,) = problems_of(text)
    assert problem.code is Code.UNKNOWN_KEY
    assert problem.mend == mend
    assert problem.where is not None
    assert (problem.where.path, problem.where.line, problem.where.column) == ("tree.yaml", line, column)


def test_a_missing_key_is_told_at_what_should_hold_it() -> None:
    name, size = problems_of("trunk: {colour: x}\n")
    assert (name.code, str(name.where)) == (Code.MISSING_KEY, "tree.yaml")
    assert (size.what, str(size.where)) == ('the key "trunk.size" is missing', "tree.yaml:1:1")
    assert size.mend == 'add "size:"'


def test_a_misspelt_key_does_not_hide_a_missing_one_that_is_not_like_it() -> None:
    assert [problem.code for problem in problems_of("name: oak\ntrunk: {zzz: 1}\n")] == [
        Code.MISSING_KEY,
        Code.UNKNOWN_KEY,
    ]


def test_a_wrong_value_is_told_with_its_path_at_its_place() -> None:
    (problem,) = problems_of(SOUND + "leaves:\n  first:\n    size: 0\n")
    assert problem.code is Code.BAD_VALUE
    assert problem.what.startswith("leaves.first.size: ")
    assert str(problem.where) == "tree.yaml:5:5"


def test_all_faults_of_a_validator_come_at_once_each_at_its_key() -> None:
    faults = problems_of(SOUND + "leaves:\n  first: {size: 101, colour: red}\n  second: {size: 102}\n")
    assert [(problem.what, str(problem.where)) for problem in faults] == [
        ("leaves.first.colour: red is for alarms", "tree.yaml:4:22"),
        ("leaves.first: too large for its colour", "tree.yaml:4:3"),
        ("leaves.second: too large for its colour", "tree.yaml:5:3"),
    ]
    assert faults[0].mend == "choose another"


def test_nothing_is_refused_for_no_fault() -> None:
    refuse([])


def test_the_place_of_a_key_that_is_not_there_is_the_nearest_above() -> None:
    document = parse_yaml(b"a:\n  b: [1, {c: 2}]\n", "p")
    assert str(find_place(document, ("a", "b", 1, "c"))) == "p:2:11"
    assert str(find_place(document, ("a", "b", 7, "c"))) == "p:2:3"
    assert str(find_place(document, ("z",))) == "p"
    assert str(find_place(document, ())) == "p"

"""Policies of several files that must be refused: which file is to blame, at which line, with which code."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from made_up_bench import POLICY

from gatekeeper.errors import Code

CHILD = "defaults: [parent]\n"
HARDER = "    lower_limit: {at_least: 40 %}\n"


@dataclass(frozen=True)
class BrokenComposition:
    """``child.yaml`` over ``parent.yaml``; ``blamed`` is the file, and the text with which its line begins."""

    child: str
    code: Code
    blamed: tuple[str, str | None]
    mend: str | None = None
    others: dict[str, str] = field(default_factory=dict)
    make: Callable[[Path], None] | None = None

    def write(self, folder: Path) -> Path:
        for name, text in {"parent.yaml": POLICY, **self.others, "child.yaml": self.child}.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        if self.make is not None:
            self.make(folder)
        return folder / "child.yaml"

    def line(self, folder: Path) -> int | None:
        name, start = self.blamed
        if start is None:
            return None
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, start=1) if line.startswith(start))


def _child(text: str, code: Code, start: str, mend: str | None = None) -> BrokenComposition:
    return BrokenComposition(CHILD + text, code, ("child.yaml", start), mend)


def _weaker(text: str, start: str) -> BrokenComposition:
    return _child(text, Code.FORBIDDEN, start, "relaxes")


def _link_out(folder: Path) -> None:
    outside = folder.parent / "outside.yaml"
    outside.write_text("notes: [x]\n")
    (folder / "linked.yaml").symlink_to(outside)


def _pipe(folder: Path) -> None:
    (folder / "parent.yaml").unlink()
    os.mkfifo(folder / "parent.yaml")


def _folder(folder: Path) -> None:
    (folder / "parent.yaml").unlink()
    (folder / "parent.yaml").mkdir()


def _circle_of_links(folder: Path) -> None:
    (folder / "parent.yaml").unlink()
    (folder / "parent.yaml").symlink_to("parent.yaml")


BROKEN_COMPOSITIONS = {
    # Which layers there are.
    "a layer that names itself": BrokenComposition(
        "defaults: [child]\n", Code.BAD_VALUE, ("child.yaml", "defaults"), "remove"
    ),
    "two layers in a circle": BrokenComposition(
        CHILD, Code.BAD_VALUE, ("parent.yaml", "defaults"), "remove", {"parent.yaml": "defaults: [child]\n" + POLICY}
    ),
    "a layer that is not there": BrokenComposition(
        "defaults: [parnet]\n", Code.UNKNOWN_NAME, ("child.yaml", "defaults"), "parent"
    ),
    "a layer above": BrokenComposition("defaults: [../parent]\n", Code.FORBIDDEN, ("child.yaml", "defaults")),
    "a layer by its file": BrokenComposition("defaults: [parent.yaml]\n", Code.FORBIDDEN, ("child.yaml", "defaults")),
    "a layer with a package": BrokenComposition("defaults: [parent@x]\n", Code.FORBIDDEN, ("child.yaml", "defaults")),
    "a layer chosen by Hydra": BrokenComposition(
        "defaults: [override parent]\n", Code.FORBIDDEN, ("child.yaml", "defaults")
    ),
    "a layer that may be missing": BrokenComposition(
        "defaults: [optional parent]\n", Code.FORBIDDEN, ("child.yaml", "defaults")
    ),
    "the order of Hydra": BrokenComposition("defaults: [_self_, parent]\n", Code.FORBIDDEN, ("child.yaml", "defaults")),
    "layers by an interpolation": BrokenComposition('defaults: ["${x}"]\n', Code.FORBIDDEN, ("child.yaml", "defaults")),
    "layers that are a number": BrokenComposition("defaults: 3\n", Code.FORBIDDEN, ("child.yaml", "defaults")),
    "a layer that is a number": BrokenComposition("defaults: [3]\n", Code.FORBIDDEN, ("child.yaml", "defaults")),
    "layers that are keys": BrokenComposition("defaults: {parent: x}\n", Code.FORBIDDEN, ("child.yaml", "defaults")),
    "a link out of the folder": BrokenComposition(
        "defaults:\n  - parent\n  - linked\n", Code.FORBIDDEN, ("child.yaml", "  - linked"), make=_link_out
    ),
    "a folder for a layer": BrokenComposition(CHILD, Code.UNKNOWN_NAME, ("child.yaml", "defaults"), make=_folder),
    "a pipe for a layer": BrokenComposition(CHILD, Code.UNKNOWN_NAME, ("child.yaml", "defaults"), make=_pipe),
    "a circle of links": BrokenComposition(CHILD, Code.UNKNOWN_NAME, ("child.yaml", "defaults"), make=_circle_of_links),
    "a layer that is no YAML": BrokenComposition(
        CHILD, Code.BAD_SYNTAX, ("parent.yaml", "b: }"), others={"parent.yaml": "a: x\nb: }\n"}
    ),
    "a layer that is empty": BrokenComposition(
        CHILD, Code.BAD_SYNTAX, ("parent.yaml", None), others={"parent.yaml": ""}
    ),
    "a layer with a target": BrokenComposition(
        CHILD,
        Code.FORBIDDEN,
        ("parent.yaml", "_target_"),
        others={"parent.yaml": POLICY + "_target_: os.system\n"},
    ),
    "a misspelt key in a layer below": BrokenComposition(
        CHILD, Code.UNKNOWN_KEY, ("parent.yaml", "titel"), "title", {"parent.yaml": POLICY.replace("title:", "titel:")}
    ),
    # What does not merge.
    "a list where the parent has keys": _child("requirements: [x]\n", Code.BAD_VALUE, "requirements"),
    "keys where the parent has a list": _child("order: {x: 1}\n", Code.BAD_VALUE, "order"),
    "nothing where the parent has keys": _child("requirements:\n", Code.FORBIDDEN, "requirements"),
    # What is dropped, or weakened without a word.
    "a requirement taken away": _child("requirements: {flips: }\n", Code.FORBIDDEN, "requirements"),
    "a lower floor": _weaker("requirements:\n  sensitivity: {lower_limit: {at_least: 20 %}}\n", "  sensitivity"),
    "a higher ceiling": _weaker("requirements:\n  flips: {upper_limit: {at_most: 95 %}}\n", "  flips"),
    "a longer wait": _weaker("requirements:\n  time: {upper_limit: {at_most: 2 min}}\n", "  time"),
    "a lower percentile": _weaker("requirements:\n  time: {percentile: 50}\n", "  time"),
    "less confidence": _weaker("requirements:\n  flips: {confidence: 0.6}\n", "  flips"),
    "no more blocking": _weaker(
        "requirements:\n  flips: {blocking: false}\n"
        "order: [sensitivity, specificity, precision, rerun, breaking, time]\n",
        "  flips",
    ),
    "an estimate for a limit": _weaker(
        "requirements:\n  sensitivity: {lower_limit: , estimate: {at_least: 30 %}}\n", "  sensitivity"
    ),
    "a shorter ladder": _weaker("robustness: {contour_erosion: [0.75 mm]}\n", "robustness"),
    "failures that cost less": _weaker("failure_costs: {crash: negative}\n", "failure_costs"),
    "groups that may be missing": _weaker("subgroups: {missing: not_judged}\n", "subgroups"),
    "a friendlier prevalence": _weaker("requirements:\n  precision: {at_prevalence: 60 %}\n", "  precision"),
    # What is wrong in the child alone.
    "a misspelt requirement": _child(
        "requirements:\n  sensitivty: {lower_limit: {at_least: 50 %}}\n", Code.MISSING_KEY, "  sensitivty"
    ),
    "a bare number for seconds": _child(
        "requirements:\n  time: {upper_limit: {at_most: 30}}\n", Code.BAD_VALUE, "  time"
    ),
    "two limits by merging": _child(
        "requirements:\n  sensitivity: {upper_limit: {at_most: 90 %}}\n", Code.BAD_VALUE, "  sensitivity"
    ),
    "an order that forgets": _child("order: [sensitivity]\n", Code.BAD_VALUE, "order"),
}

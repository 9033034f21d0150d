"""Every command's help is a man page: purpose, what it does, exit codes, what it reads, an example that parses.

The form, in the docstring of the command::

    Purpose in one short sentence.

    What it does, in a paragraph or two.

    \\b
    Exit codes: 0 ...; 2 ...
    Reads:      files and variables of the environment    (or Writes:)
    See also:   other commands, such as lock create

    \\b
    Example:
      gatekeeper this command --with options
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from gatekeeper.cli import main
from gatekeeper.cli.app import app

Path_ = tuple[str, ...]


def walked(command: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Give every command and group of the program with its words."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from walked(below, (*path, name))


TREE = dict(walked(get_command(app)))
COMMANDS = [path for path, command in TREE.items() if not hasattr(command, "commands")]
GROUPS = [path for path in TREE if path not in COMMANDS]


@cache
def told(path: Path_) -> str:
    """Return the help of a command as it is seen on a terminal of 80 columns."""
    import contextlib
    import io
    import os

    before, os.environ["COLUMNS"] = os.environ.get("COLUMNS"), "80"
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            assert main([*path, "--help"]) == 0
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return printed.getvalue()


def section(path: Path_, head: str) -> str:
    """Return what stands behind ``head:``, lines that are indented further included."""
    found = re.search(rf"^  {head}:(.*\n(?:   +.*\n|\n(?=    ))*)", told(path), re.MULTILINE)
    return found.group(1) if found else ""


def examples(path: Path_) -> list[str]:
    return [line.strip() for line in section(path, "Example").replace("\\\n", " ").splitlines() if line.strip()]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_says_purpose_work_exit_codes_and_files(path: Path_) -> None:
    paragraphs = told(path).split("\n\n")
    purpose, work = paragraphs[1].strip(), paragraphs[2].strip()
    assert re.fullmatch(r"[A-Z][^\n]*\.", purpose), "a purpose is one sentence on one line"
    assert purpose.count(". ") == 0
    assert work.endswith(".")
    assert len(work) > 20
    codes = re.findall(r"(?:^|; )(\d+) \w", section(path, "Exit codes").strip().replace("\n", " "))
    assert codes[:1] == ["0"], "the first exit code is 0"
    assert {int(code) for code in codes} <= {0, 1, 2, 3, 4, 5, 130}
    assert section(path, "Reads") or section(path, "Writes")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_example_calls_the_command_and_parses(path: Path_) -> None:
    assert examples(path)
    for example in examples(path):
        words = shlex.split(example.partition(" > ")[0])
        assert words[: 1 + len(path)] == ["gatekeeper", *path], example
        # Options that there are not, values of another kind and arguments too many or too few are errors here.
        TREE[path].make_context("gatekeeper", words[1 + len(path) :]).close()


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_what_it_refers_to_is_there(path: Path_) -> None:
    for words in section(path, "See also").replace("\n", " ").split(","):
        names = words.split()
        command = tuple(name for name in names if not name.startswith("--"))
        assert command in COMMANDS, words
        assert command != path
        options = {option for parameter in TREE[command].params for option in parameter.opts}
        assert {name for name in names if name.startswith("--")} <= options


@pytest.mark.parametrize("path", TREE, ids=lambda path: " ".join(path) or "gatekeeper")
def test_help_fits_eighty_columns_and_is_not_cut(path: Path_) -> None:
    for line in told(path).splitlines():
        assert len(line) <= 80, line
        assert "..." not in line or "]..." in line, line
        assert not re.search(r"^  -.* <(list|str|path|int|float)\b", line), line
    assert "[[" not in told(path)


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: " ".join(path) or "gatekeeper")
def test_groups_list_their_commands_in_a_line_each(path: Path_) -> None:
    listed = told(path).partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == list(TREE[path].commands)
    assert all(line.endswith(".") for line in listed)


def test_help_comes_at_once(tmp_path: Path) -> None:
    times = []
    for _ in range(3):
        before = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "gatekeeper", "check", "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - before)
    assert b"Exit codes" in done.stdout
    # Twice what it takes on an idle machine with two cores: other work shares them.
    assert min(times) < 0.6


def test_help_imports_what_it_needs_and_no_more() -> None:
    heavy = "('gatekeeper.evidence', 'numpy', 'torch', 'hydra', 'cryptography', 'scipy', 'yaml')"
    code = "import sys; from gatekeeper.cli import main; main(['check', '--help']); "
    code += f"print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"

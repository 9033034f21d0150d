"""Output that goes nowhere, ends early or is spelt otherwise: never a traceback, never the code of a failed model."""

from __future__ import annotations

import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import GATEKEEPER, call, environment

COMMAND = shlex.join(GATEKEEPER)
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here, to write to a full disk")


def shell(line: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line],
        env=environment(home, **variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@FULL
@pytest.mark.parametrize("command", ["--version", "--help", "policy list", "policy schema"])
def test_a_result_that_a_full_disk_swallowed_is_code_5(command: str, tmp_path: Path) -> None:
    done = shell(f"{COMMAND} {command} >/dev/full", tmp_path, TMPDIR=str(tmp_path))
    assert done.returncode == 5
    assert "Traceback" not in done.stderr


@FULL
def test_an_error_that_cannot_be_said_keeps_its_code(tmp_path: Path) -> None:
    for line, code in ((f"{COMMAND} policy show none 2>/dev/full", 2), (f"{COMMAND} policy show none 2>&-", 2)):
        assert shell(line, tmp_path).returncode == code


def test_a_closed_stdout_is_no_failed_model(tmp_path: Path) -> None:
    done = shell(f"{COMMAND} --version >&-", tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_reader_that_stops_reading_is_no_failed_model(tmp_path: Path) -> None:
    done = shell(f"{COMMAND} policy schema | true; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert done.returncode in (0, 5)
    assert "Traceback" not in done.stderr
    assert "GK599" not in done.stderr


def test_an_unexpected_error_without_room_for_its_log_is_code_5(tmp_path: Path) -> None:
    (tmp_path / "rfc8785.py").write_text("raise RuntimeError('Doe^Jane')")
    # No folder can be written to: Python looks for one in TMPDIR, /tmp, /var/tmp, /usr/tmp and the working folder.
    (tmp_path / "tempfile.py").write_text("def mkstemp(**_):\n    raise FileNotFoundError('no usable folder')\n")
    done = call("policy", "list", home=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 5
    assert "GK599" in done.stderr
    assert "Doe" not in done.stderr


def test_a_word_is_completed_in_silence(tmp_path: Path) -> None:
    arguments = {"_GATEKEEPER_COMPLETE": "complete_bash", "COMP_WORDS": "gatekeeper pol", "COMP_CWORD": "1"}
    script = "import sys; sys.argv[0] = 'gatekeeper'; from gatekeeper.__main__ import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(tmp_path, **arguments),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["policy"], "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_verification_is_told_in_any_encoding(finished_run: Path, home: Path, encoding: str) -> None:
    done = subprocess.run(
        [*GATEKEEPER, "verify", str(finished_run)],
        env=environment(home, PYTHONIOENCODING=encoding),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(rb"numbers recomputed", done.stdout)


def test_help_costs_little_more_than_the_library_of_commands(tmp_path: Path) -> None:
    """Less than three times the CPU that importing typer takes, both with the interpreter's start; the best of five."""
    help_, typer = ([*GATEKEEPER, "--help"], [sys.executable, "-c", "import typer"])
    assert min(_cpu_seconds(help_, tmp_path) for _ in range(5)) < 3 * min(
        _cpu_seconds(typer, tmp_path) for _ in range(5)
    )


def _cpu_seconds(command: list[str], home: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment(home), capture_output=True, timeout=60, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

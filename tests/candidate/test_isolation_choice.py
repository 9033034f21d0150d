"""Which walls are used on a machine: tried for real, and refused in words where they do not hold."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from walled import confinement, run, with_landlock

import gatekeeper
from gatekeeper.candidate.isolation import Confinement, Level, choose, exposed, usable_levels, visible, why_not
from gatekeeper.candidate.isolation.visible import libraries
from gatekeeper.errors import InvalidRunError, UsageError

needs_landlock = pytest.mark.skipif(Level.LANDLOCK not in usable_levels(), reason="no landlock here")


@pytest.fixture
def tried_anew() -> Iterator[None]:
    """What was found before does not count, and what is found now not afterwards."""
    why_not.cache_clear()
    yield
    why_not.cache_clear()


def fake_bubblewrap(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a made-up bwrap before all other programs."""
    program = folder / "bwrap"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_first_that_holds_is_used() -> None:
    assert choose("auto") == usable_levels()[0]
    assert all(choose(level.value) is level for level in usable_levels())


@pytest.mark.usefixtures("tried_anew")
@needs_landlock
def test_without_bubblewrap_landlock_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose("auto") is Level.LANDLOCK
    with pytest.raises(UsageError) as caught:
        choose("bubblewrap")
    problem = caught.value.problems[0]
    assert problem.why == "bubblewrap is not installed"
    assert "apt-get install bubblewrap" in (problem.mend or "")


@pytest.mark.usefixtures("tried_anew")
@pytest.mark.parametrize(
    "script",
    [
        pytest.param('while [ "$1" != -- ]; do shift; done; shift; exec "$@"', id="walls that are none"),
        pytest.param('echo "bwrap: No permissions to create new namespace" >&2; exit 1', id="namespaces forbidden"),
        pytest.param("exit 0", id="nothing at all"),
    ],
)
def test_bubblewrap_that_does_not_hold_is_not_used(
    script: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_bubblewrap(tmp_path, script, monkeypatch)
    assert why_not(Level.BUBBLEWRAP) is not None


@pytest.mark.usefixtures("tried_anew")
def test_without_any_wall_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert usable_levels() == ()
    with pytest.raises(InvalidRunError) as caught:
        choose("auto")
    problem = caught.value.problems[0]
    assert "bubblewrap: " in (problem.why or "")
    assert "landlock: " in (problem.why or "")
    assert "libseccomp2" in (problem.mend or "")


@needs_landlock
def test_without_seccomp_nothing_is_run(tmp_path: Path) -> None:
    hidden = "import ctypes.util\nctypes.util.find_library = lambda name: None if name == 'seccomp' else 'libc.so.6'\n"
    ended = run("attempt('reached')(lambda: 1)", confinement(tmp_path), Level.LANDLOCK, before=hidden)
    assert (ended.status, ended.told) == (1, {})
    assert b"libseccomp cannot be used" in ended.printed


@needs_landlock
def test_without_landlock_nothing_is_run_outside_bubblewrap(tmp_path: Path) -> None:
    ended = run("attempt('reached')(lambda: 1)", confinement(tmp_path), Level.LANDLOCK, before=with_landlock(0))
    assert (ended.status, ended.told) == (1, {})
    assert b"the kernel has no Landlock" in ended.printed


def test_what_lies_within_python_is_told_as_exposed(tmp_path: Path) -> None:
    within = Path(sys.prefix, "lib", "labels.csv")
    assert exposed([tmp_path / "labels.csv", within]) == (str(within),)


def test_no_home_and_no_project_is_shown() -> None:
    shown = libraries()
    package = Path(gatekeeper.__file__).parent
    for private in (
        Path.home(),
        package.parent,
        Path("/"),
        Path("/usr"),
        Path("/usr/src"),
        Path("/home"),
        Path("/etc"),
    ):
        assert str(private) not in shown or private.name in ("site-packages", "dist-packages")
    assert any(package.is_relative_to(path) for path in shown)
    assert all(os.path.exists(path) for path in shown)


def test_without_a_device_of_nvidia_gpu_changes_nothing(tmp_path: Path) -> None:
    if glob.glob("/dev/nvidia*") or os.path.exists("/dev/dxg"):
        pytest.skip("there is one")
    code = "attempt('more')(lambda: len(bytearray(600 << 20)))"
    for level in usable_levels():
        ended = run(code, confinement(tmp_path, gpu=True, memory_bytes=512 << 20), level)
        assert ended.told["more"] == ["MemoryError", None]
        assert "NVIDIA" not in " ".join(ended.walls)


@pytest.mark.skipif(not os.access("/dev/net/tun", os.R_OK | os.W_OK), reason="no device to try it with")
def test_device_nodes_are_passed_through(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With another device in the place of NVIDIA's: it can be opened where it is allowed, and is not there else."""
    monkeypatch.setattr(visible, "_GPU_DEVICES", ("/dev/net/tun",))
    before = "from gatekeeper.candidate.isolation import visible\nvisible._GPU_DEVICES = ('/dev/net/tun',)\n"
    code = "attempt('device')(lambda: os.close(os.open('/dev/net/tun', os.O_RDWR)))"
    for level in usable_levels():
        told = [
            run(code, confinement(tmp_path, gpu=gpu), level, before=before).told["device"][0] for gpu in (False, True)
        ]
        assert told[0] != "done"
        assert told[1] == "done"


def test_confinement_is_read_back_as_it_was(tmp_path: Path) -> None:
    allowed = confinement(tmp_path, cpu_seconds=5, processes=3, gpu=True)
    assert Confinement.model_validate_json(allowed.model_dump_json()) == allowed


@pytest.mark.parametrize("changes", [{"write": "work"}, {"read": ("../labels",)}, {"processes": -1}])
def test_confinement_refuses_what_makes_no_sense(changes: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        confinement(tmp_path, **changes)

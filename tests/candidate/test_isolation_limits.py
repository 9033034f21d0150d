"""What a walled process may use up: memory, processor time, files, processes, output. All tries for real."""

from __future__ import annotations

import os
import resource
import signal
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from walled import confinement, run

from gatekeeper.candidate.isolation import Drain, Level, usable_levels

LEVELS = [
    pytest.param(level, marks=pytest.mark.skipif(level not in usable_levels(), reason=f"no {level.value} here"))
    for level in Level
]
each_level = pytest.mark.parametrize("level", LEVELS)
MIB = 1 << 20


def ended_by(status: int) -> int:
    """The signal that ended a process, behind bubblewrap as well."""
    return -status if status < 0 else status - 128


@each_level
def test_private_memory_is_refused_above_the_limit(level: Level, tmp_path: Path) -> None:
    code = "attempt('less')(lambda: len(bytearray(100 << 20)))\nattempt('more')(lambda: len(bytearray(600 << 20)))"
    ended = run(code, confinement(tmp_path, memory_bytes=512 * MIB), level)
    assert ended.told == {"less": ["done", 100 * MIB], "more": ["MemoryError", None]}
    assert ended.over is None


@each_level
def test_shared_memory_is_seen_by_the_watch(level: Level, tmp_path: Path) -> None:
    code = "import mmap, time\nheld = mmap.mmap(-1, 400 << 20)\n"
    code += "for at in range(0, len(held), 4096): held[at] = 1\ntime.sleep(30)"
    assert run(code, confinement(tmp_path, memory_bytes=300 * MIB), level).over == "memory"


@each_level
def test_memory_of_children_counts(level: Level, tmp_path: Path) -> None:
    code = "import time\nfor _ in range(3):\n    if os.fork() == 0:\n        held = bytearray(b'1' * (150 << 20))\n"
    code += "        time.sleep(30)\n        os._exit(0)\ntime.sleep(30)"
    assert run(code, confinement(tmp_path, memory_bytes=400 * MIB, processes=4), level).over == "memory"


@each_level
def test_forks_that_share_their_pages_count_once(level: Level, tmp_path: Path) -> None:
    code = "import time\nheld = bytearray(b'1' * (150 << 20))\nfor _ in range(3):\n    if os.fork() == 0:\n"
    code += "        time.sleep(1)\n        os._exit(0)\nfor _ in range(3): os.wait()\nattempt('fine')(lambda: 1)"
    ended = run(code, confinement(tmp_path, memory_bytes=500 * MIB, processes=4), level)
    assert (ended.over, ended.told["fine"]) == (None, ["done", 1])


@each_level
def test_fork_bomb_is_seen_and_ended(level: Level, tmp_path: Path) -> None:
    code = "import time\nmark = json.loads(sys.argv[1])['write'] + '/'\nfor _ in range(60):\n    if os.fork() == 0:\n"
    code += "        if os.fork():\n            os._exit(0)\n        attempt('away')(os.setsid)\n"
    code += (
        "        while True:\n            time.sleep(0.01)\n            open(mark + str(os.getpid()), 'a').write('x')\n"
    )
    code += "time.sleep(30)"
    allowed = confinement(tmp_path, processes=8)
    ended = run(code, allowed, level)
    assert ended.over == "processes"
    threading.Event().wait(0.2)
    before = {name: os.path.getsize(Path(allowed.write, name)) for name in os.listdir(allowed.write)}
    threading.Event().wait(0.3)
    assert before == {name: os.path.getsize(Path(allowed.write, name)) for name in os.listdir(allowed.write)}


@each_level
def test_allowed_processes_may_start_and_end(level: Level, tmp_path: Path) -> None:
    script = Path(confinement(tmp_path).read[0], "model.sh")
    script.write_text('#!/bin/sh\ncat "$1" | tr a-z A-Z\nsleep 5 & kill $!\n')
    script.chmod(0o555)
    Path(script.parent, "input").write_text("made up")
    code = "import subprocess\nmodel = json.loads(sys.argv[1])['read'][0]\n"
    code += "attempt('run')(lambda: subprocess.check_output([model + '/model.sh', model + '/input'], text=True))\n"
    code += "attempt('curl')(lambda: subprocess.run(['python3', '-c', 'import socket; socket.socket()']).returncode)\n"
    ended = run(code, confinement(tmp_path, processes=8), level)
    assert ended.told["run"] == ["done", "MADE UP"]
    assert ended.told["curl"] != ["done", 0]
    assert ended.status == 0


@each_level
def test_large_file_is_refused(level: Level, tmp_path: Path) -> None:
    code = "path = json.loads(sys.argv[1])['write'] + '/large'\n"
    code += "attempt('large')(lambda: open(path, 'wb').write(bytes(3 << 20)))\n"
    code += "attempt('sparse')(lambda: os.truncate(os.open(path, os.O_RDWR), 9 << 20))"
    ended = run(code, confinement(tmp_path, file_bytes=2 * MIB), level)
    assert ended.told["large"][0] == ended.told["sparse"][0] == "OSError"
    assert os.path.getsize(tmp_path / "work" / "large") <= 2 * MIB


@each_level
def test_many_files_are_seen_by_the_watch(level: Level, tmp_path: Path) -> None:
    code = "import time\nfor number in range(9):\n"
    code += "    open(json.loads(sys.argv[1])['write'] + f'/{number}', 'wb').write(os.urandom(1 << 20))\ntime.sleep(30)"
    assert run(code, confinement(tmp_path, file_bytes=4 * MIB), level).over == "files"


@each_level
def test_processor_time_ends_it(level: Level, tmp_path: Path) -> None:
    ended = run("while True: pass", confinement(tmp_path, cpu_seconds=1), level)
    assert ended_by(ended.status) == signal.SIGXCPU


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="of x86-64 alone")
@each_level
def test_calls_of_the_other_abi_end_it(level: Level, tmp_path: Path) -> None:
    """The numbers of x32 name the same calls again; a filter that forgets them lets everything through."""
    code = "import ctypes; ctypes.CDLL(None).syscall(0x40000000 + 41, 2, 1, 0)\nattempt('alive')(lambda: 1)"
    ended = run(code, confinement(tmp_path), level)
    assert (ended_by(ended.status), ended.told) == (signal.SIGSYS, {})


@each_level
def test_process_dies_with_its_group(level: Level, tmp_path: Path) -> None:
    ended = run("import time; time.sleep(60)", confinement(tmp_path), level, seconds=1.0)
    assert ended.status == -signal.SIGKILL


@each_level
def test_gigabyte_of_output_takes_no_memory(level: Level, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    code = "print('first')\nblock = 'x' * (1 << 20)\nfor _ in range(1024): sys.stdout.write(block)\nprint('last')"
    ended = run(code, confinement(tmp_path), level)
    assert ended.status == 0
    assert ended.printed.startswith(b"first\n")
    assert ended.printed.endswith(b"last\n")
    assert len(ended.printed) < 70_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


@given(parts=st.lists(st.binary(max_size=40), max_size=30), head=st.integers(0, 20), tail=st.integers(0, 20))
def test_drain_keeps_the_beginning_and_the_end(parts: list[bytes], head: int, tail: int) -> None:
    reading, writing = os.pipe()
    with Drain(reading, head, tail) as drain:
        for part in parts:
            os.write(writing, part)
        os.close(writing)
    whole = b"".join(parts)
    dropped = len(whole) - head - tail
    between = f"\n[... {dropped} bytes left out ...]\n".encode() if dropped > 0 else b""
    assert drain.text() == (whole if dropped <= 0 else whole[:head] + between + whole[len(whole) - tail :])


def test_drain_ends_though_the_other_end_is_held() -> None:
    reading, writing = os.pipe()
    with Drain(reading) as drain:
        os.write(writing, b"made up")
    assert drain.text() == b"made up"
    os.close(writing)

"""Candidates that mean harm, through the whole gate: what they look for, what they leave, what they use up.

What a spy finds it brings out by its scores. Each look is taken without walls first: there it finds what it looks for.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from gated import checked, column, request_for, rows_of
from made_up_bench import Bench, disc, write_dicom
from made_up_formats import PROBABILITY, write_package, write_yaml
from test_engine_faults import BASELINE_ALONE

from gatekeeper.candidate.isolation import usable_levels
from gatekeeper.engine import run as engine_run
from gatekeeper.errors import InvalidRunError
from gatekeeper.evidence import Outcome
from gatekeeper.gate import check
from gatekeeper.locking import lock_testset
from gatekeeper.trust import Ledger

TOKEN = "made-up-canary-4711"
LEVELS = [level.value for level in usable_levels()]
# What a spy looks for; the number of each is what it answers when it has found it.
LOOKS = (
    *("lock", "table", "images", "image", "candidate", "keys", "ledger", "runs", "own journal", "canary"),
    *("environment", "environment of others", "arguments", "open files", "names in memory", "names of files"),
    *("network", "named socket", "written outside", "other processes"),
)
SPY = """
    import json
    import os
    import re
    import socket
    import sys
    from pathlib import Path

    PLACES = json.loads('''PLACES_HERE''')
    PATIENT = re.compile(b"PATIENT-0[0-9][0-9]|disc-0[0-9][0-9]-[01]")
    TOKEN = "-".join(("made", "up", "canary", "4711"))


    def reads(path):
        return bool(Path(path).read_bytes())


    def lists(path):
        return bool(os.listdir(path))


    def processes():
        try:
            return ["self", *(entry for entry in os.listdir("/proc") if entry.isdecimal())]
        except OSError:
            return ["self"]


    def in_memory(pid):
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                if "r" not in rights or "w" not in rights:
                    continue
                start, end = (int(part, 16) for part in span.split("-"))
                try:
                    memory.seek(start)
                    if PATIENT.search(memory.read(min(end - start, 256 << 20))):
                        return True
                except OSError:
                    continue
        return False


    def any_of(function, items):
        for item in items:
            try:
                if function(item):
                    return True
            except OSError:
                continue
        return False


    def open_files(pid):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            path = f"/proc/{pid}/fd/{fd}"
            target = os.readlink(path)
            if TOKEN in target or PATIENT.search(target.encode()) or "journal" in target or "ledger" in target:
                return True
            if target.startswith("/memfd") and PATIENT.search(Path(path).read_bytes()):
                return True
        return False


    def names_of_files():
        for folder, folders, files in os.walk("/"):
            folders[:] = [name for name in folders if name not in ("proc", "sys", "site-packages", "lib", "share")]
            if any(TOKEN in name or PATIENT.search(os.fsencode(name)) for name in (*folders, *files)):
                return True
        return False


    def connects(family, address):
        with socket.socket(family) as line:
            line.settimeout(2)
            line.connect(address)
            return True


    def writes_outside():
        places = [PLACES[name] for name in ("images", "keys", "runs", "candidate")]
        wrote = False
        for place in (*places, "/tmp", "/var/tmp", "/dev/shm", "/", str(Path.home().parent)):
            try:
                Path(place, TOKEN + ".written").write_text(TOKEN)
                wrote = True
            except OSError:
                continue
        return wrote


    LOOKS = {
        "lock": lambda: reads(PLACES["lock"]),
        "table": lambda: reads(PLACES["table"]),
        "images": lambda: lists(PLACES["images"]),
        "image": lambda: any_of(reads, Path(PLACES["images"]).iterdir()),
        "candidate": lambda: lists(PLACES["candidate"]),
        "keys": lambda: any_of(reads, [PLACES["keys"] + "/tool.key.pem", PLACES["keys"] + "/development/tool.key.pem"])
        or lists(PLACES["keys"]),
        "ledger": lambda: reads(PLACES["ledger"]),
        "runs": lambda: lists(PLACES["runs"]),
        "own journal": lambda: any(
            reads(path) or True for path in Path(PLACES["runs"]).glob(".*.partial/unfinished.json")
        ),
        "canary": lambda: reads(PLACES["canary"]),
        "environment": lambda: TOKEN in json.dumps(dict(os.environ)),
        "environment of others": lambda: any_of(
            lambda pid: TOKEN.encode() in Path(f"/proc/{pid}/environ").read_bytes(), processes()
        ),
        "arguments": lambda: any_of(
            lambda pid: PATIENT.search(Path(f"/proc/{pid}/cmdline").read_bytes())
            or PLACES["lock"].encode() in Path(f"/proc/{pid}/cmdline").read_bytes(),
            processes(),
        ),
        "open files": lambda: any_of(open_files, processes()),
        "names in memory": lambda: any_of(in_memory, processes()),
        "names of files": names_of_files,
        "network": lambda: connects(socket.AF_INET, ("127.0.0.1", PLACES["port"])),
        "named socket": lambda: connects(socket.AF_UNIX, chr(0) + TOKEN),
        "written outside": writes_outside,
        "other processes": lambda: b"python" in Path(f"/proc/{PLACES['engine']}/cmdline").read_bytes(),
    }


    def found():
        seen = []
        for name, look in LOOKS.items():
            try:
                if look():
                    seen.append(name)
            except Exception:
                continue
        return seen


    def answers():
        print(TOKEN, *found(), flush=True)
        print(TOKEN, file=sys.stderr, flush=True)
        Path("left behind").write_text(TOKEN)
        for name in found():
            yield (1 + list(LOOKS).index(name)) / 100
        while True:
            yield 0.9
"""
AS_PLUGIN = """

    def load(folder, device):
        coming = answers()
        return lambda case: [next(coming)]
"""
AS_PROGRAM = """

    for path, value in zip(sorted(Path(sys.argv[1]).glob("*.npy")), answers()):
        (Path(sys.argv[2]) / (path.stem + ".json")).write_text(json.dumps({"probability": value}))
"""
SIZE = "input: {size: [64, 64]}\n"


@pytest.fixture
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for all that a run needs for a while."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def listeners() -> Iterator[tuple[int, list[str]]]:
    """A port of the loopback and a socket with a name; both note who came."""
    came: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as named:
        named.bind("\0" + TOKEN)
        named.listen()
        stop = threading.Event()

        def note(server: socket.socket, name: str) -> None:
            server.settimeout(0.1)
            while not stop.is_set():
                try:
                    server.accept()[0].close()
                    came.append(name)
                except TimeoutError:
                    continue

        threads = [threading.Thread(target=note, args=pair) for pair in ((tcp, "tcp"), (named, "named"))]
        for thread in threads:
            thread.start()
        yield tcp.getsockname()[1], came
        stop.set()
        for thread in threads:
            thread.join()


def spy(bench: Bench, folder: Path, port: int, end: str) -> str:
    """Return the code of a spy that was told where everything lies."""
    (bench.folder / f"{TOKEN}.txt").write_text(TOKEN)
    with Ledger(bench.home / "ledger.sqlite") as ledger:
        ledger.checkpoint()
    places = {
        "lock": str(bench.lock),
        "table": str(bench.table),
        "images": str(bench.folder / "images"),
        "candidate": str(folder),
        "keys": str(bench.home / "keys"),
        "ledger": str(bench.home / "ledger.sqlite"),
        "runs": str(folder / "reports"),
        "canary": str(bench.folder / f"{TOKEN}.txt"),
        "port": port,
        "engine": os.getpid(),
    }
    return dedent(SPY.replace("PLACES_HERE", json.dumps(places)) + end)


def as_plugin(folder: Path, code: str) -> Path:
    write_package(folder / "package", "made_up_spy", code)
    return write_yaml(
        folder, "python", "plugin: made_up_spy\nartefact: package\nproducer: trusted\n", SIZE, PROBABILITY
    )


def as_command(folder: Path, code: str) -> Path:
    (folder / "spy.py").write_text(code)
    lines = f'artefact: spy.py\ncommand: [{sys.executable}, spy.py, "{{input}}", "{{output}}"]\n'
    return write_yaml(folder, "command", lines, SIZE, PROBABILITY)


def traces_of(*roots: Path) -> list[Path]:
    """Return the files that a spy has written outside its folder."""
    return [path for root in roots if root.is_dir() for path in root.glob(f"{TOKEN}.written")]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("form", ["python", "command"])
def test_a_spy_finds_nothing_and_leaves_nothing(
    bench: Bench,
    tmp_path: Path,
    listeners: tuple[int, list[str]],
    own_temporary_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    form: str,
    level: str,
) -> None:
    port, came = listeners
    monkeypatch.setenv("MADE_UP_SECRET", TOKEN)
    folder = tmp_path / "spy"
    folder.mkdir()
    code = spy(bench, folder, port, AS_PLUGIN if form == "python" else AS_PROGRAM)
    candidate = (as_plugin if form == "python" else as_command)(folder, code)
    result = checked(bench, BASELINE_ALONE, candidate, f"engine.isolation={level}")
    answers = set(column(result.folder, "score").values())
    assert [LOOKS[round(answer * 100) - 1] for answer in answers - {0.9}] == []
    assert came == []
    places = (bench.folder / "images", bench.home, bench.home / "keys", folder, folder / "reports", result.folder)
    assert traces_of(*places, Path("/"), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"), Path.home().parent) == []
    kept = b"".join(path.read_bytes() for path in result.folder.rglob("*") if path.is_file())
    assert TOKEN.encode() not in kept
    out, err = capfd.readouterr()
    assert TOKEN not in out + err
    assert [*own_temporary_folder.glob("gatekeeper-*")] == []


def test_the_same_spy_without_walls_finds_what_it_looks_for(
    bench: Bench, tmp_path: Path, listeners: tuple[int, list[str]]
) -> None:
    port, came = listeners
    (tmp_path / "reports" / ".made-up.partial").mkdir(parents=True)
    (tmp_path / "reports" / ".made-up.partial" / "unfinished.json").write_text("{}")
    (tmp_path / "journal").write_text("")
    code = spy(bench, tmp_path, port, "\n\n    print(json.dumps(found()))\n")
    with (tmp_path / "journal").open() as journal:
        done = subprocess.run(
            [sys.executable, "-c", code, "disc-000-0"],
            env={**os.environ, "SECRET": TOKEN},
            cwd=tmp_path,
            stdin=journal,
            capture_output=True,
            text=True,
            check=True,
        )
    for path in traces_of(bench.folder / "images", bench.home / "keys", tmp_path / "reports", tmp_path, Path("/tmp")):
        path.unlink()
    for place in ("/", "/var/tmp", "/dev/shm", str(tmp_path.parent), str(Path.home().parent)):
        Path(place, f"{TOKEN}.written").unlink(missing_ok=True)
    assert json.loads(done.stdout) == [*LOOKS]
    assert sorted(set(came)) == ["named", "tcp"]


# What they use up, and what they answer

DEEDS = {
    "a file too large": ("open('large', 'wb').truncate(10 << 30)", "crashed", "OSError"),
    "written too far": ("write_far()", "crashed", "OSError"),
    "many files": ("fill(); time.sleep(60)", "crashed", "more files than allowed"),
    "text": ("return 'malignant'", "invalid_output", "no such output"),
    "nothing": ("return None", "invalid_output", "no such output"),
    "objects": ("return np.array([object()], dtype=object)", "invalid_output", "no such output"),
    "complex numbers": ("return np.array([1j])", "invalid_output", "no such output"),
    "whole numbers": ("return np.array([1])", "invalid_output", "another type"),
    "no axis": ("return {}", "invalid_output", "no such output"),
    "two numbers": ("return np.array([0.1, 0.9])", "invalid_output", "another shape"),
    "endless": ("return np.array([np.inf])", "invalid_output", "no number, or one out of bounds"),
    "itself": ("raise made_up_exception()", "crashed", "an exception"),
    "noise on every line": ("noise()", "crashed", ""),
    "cut slots": ("cut()", "", ""),
    "signal": ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed", "SIGSEGV"),
    "recursion": ("return answer(case, deed)", "crashed", "RecursionError"),
    "exit": ("sys.exit(0)", "crashed", ""),
}
DOER = """
    import os
    import signal
    import sys
    import time

    import numpy as np


    def write_far():
        with open("far", "wb") as far:
            far.seek(10 << 30)
            far.write(b"far")


    def fill():
        for number in range(12):
            with open(f"part-{number}", "wb") as part:
                os.posix_fallocate(part.fileno(), 0, 8 << 20)


    def fds():
        return [int(fd) for fd in os.listdir("/proc/self/fd") if int(fd) > 2]


    def noise():
        for fd in fds():
            try:
                os.write(fd, b'{"kind": "answer", "number": 0}' + bytes(range(256)) + os.urandom(64) + bytes([10]))
            except OSError:
                continue


    def cut():
        for fd in fds():
            try:
                os.ftruncate(fd, 0)
            except OSError:
                continue


    def made_up_exception():
        return type("Jane Doe, born 1970", (Exception,), {})()


    def answer(case, deed):
        DEEDS_HERE
        return np.array([0.9])


    def load(folder, device):
        return lambda case: answer(case, int(case.image[0, 0, 0]))
"""


def test_every_evil_deed_costs_one_case(
    bench: Bench, tmp_path: Path, own_temporary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_run, "_LARGEST_FILE", 64 << 20)
    numbers = {2 * index + 1: deed for index, deed in enumerate(DEEDS)}
    for number, deed in numbers.items():
        pixels = disc(9.0)
        pixels[0, 0] = 1 + list(DEEDS).index(deed)
        write_dicom(bench.folder / "images" / f"disc-{number:03}-0.dcm", pixels)
    lock_testset(bench.table, bench.lock, bench.home)
    lines = [f"if deed == {index}: {deed}" for index, (deed, _, _) in enumerate(DEEDS.values(), start=1)]
    code = dedent(DOER).replace("DEEDS_HERE", "\n    ".join(lines))
    candidate = as_plugin(tmp_path, code)
    result = checked(bench, BASELINE_ALONE, candidate, "engine.case_timeout=20 s")
    rows = rows_of(result.folder)
    for number, deed in numbers.items():
        row, (_, outcome, fault) = rows.pop(f"disc-{number:03}-0"), DEEDS[deed]
        assert row["outcome"] == outcome or not outcome, (deed, row["outcome"], row["fault"])
        assert fault in row["fault"], (deed, row["fault"])
        assert "Jane" not in row["fault"]
    assert {(row["outcome"], row["fault"], row["score"]) for row in rows.values()} == {("ok", "", 0.9)}
    assert [*own_temporary_folder.glob("gatekeeper-*")] == []
    kept = b"".join(path.read_bytes() for path in result.folder.rglob("*") if path.is_file())
    assert b"Jane" not in kept


def test_a_command_that_starts_too_many_processes_is_ended_with_all_of_them(bench: Bench, tmp_path: Path) -> None:
    """Bounded, for the machine's sake: a real fork bomb meets the same limit."""
    (tmp_path / "bomb.sh").write_text(
        "#!/bin/sh\nfor n in 1 2 3 4 5 6 7 8; do (for m in 1 2 3 4 5 6; do sleep 47.11 & done; wait) & done\nwait\n"
    )
    lines = 'artefact: bomb.sh\ncommand: [bomb.sh, "{input}", "{output}"]\nbatch_size: 90\n'
    candidate = write_yaml(tmp_path, "command", lines, SIZE, PROBABILITY)
    with pytest.raises(InvalidRunError) as caught:
        check(request_for(bench, BASELINE_ALONE, candidate, "engine.candidate_processes=16"))
    assert caught.value.problems[0].why == "more processes than allowed"
    deadline = time.monotonic() + 10
    while any(b"47.11" in _read(path) for path in Path("/proc").glob("[0-9]*/cmdline")):
        assert time.monotonic() < deadline, "what it started goes on"
        time.sleep(0.05)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


FORGETFUL = """
    import os
    import tempfile


    def load(folder, device):
        places = [os.getcwd(), tempfile.gettempdir(), os.path.expanduser("~")]
        knows = any(os.path.exists(os.path.join(place, "memory")) for place in places)
        for place in places:
            open(os.path.join(place, "memory"), "w").write("answered before")
        return lambda case: [0.9 if knows else 0.8]
"""


def test_a_rerun_finds_nothing_of_the_first_run(bench: Bench, tmp_path: Path) -> None:
    """Or it could repeat what it answered, and look as if it always answered the same."""
    policy = BASELINE_ALONE.replace("order: [sensitivity]", RERUN)
    result = checked(bench, policy, as_plugin(tmp_path, FORGETFUL))
    finding = next(found for found in result.verdict.findings if found.id == "rerun")
    assert (finding.outcome, finding.estimate) == (Outcome.MET, 0.0)
    assert set(column(result.folder, "score").values()) == {0.8}


RERUN = """\
  rerun:
    metric: max_deviation
    level: R0
    estimate: {at_most: 0}
    basis: {source: made up, status: project_choice}
order: [sensitivity, rerun]
"""

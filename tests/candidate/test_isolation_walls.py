"""A hostile candidate within the walls, all tries for real: files, network, processes, privileges.

What must be refused is tried once bare as well where that harms nobody, so that a try which never works proves nothing.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from walled import ENVIRONMENT, Ended, confinement, run, with_landlock

from gatekeeper.candidate.isolation import Level, usable_levels

LEVELS = [
    pytest.param(level, marks=pytest.mark.skipif(level not in usable_levels(), reason=f"no {level.value} here"))
    for level in Level
]
# Kernels of today's distributions have Landlock of ABI 1 to 7, or none: what it lacks others must make up for.
OLDER = [(Level.BUBBLEWRAP, 0), (Level.LANDLOCK, 1), (Level.LANDLOCK, 3), (Level.LANDLOCK, 6)]
SITUATIONS = [
    pytest.param((level, abi), marks=pytest.mark.skipif(level not in usable_levels(), reason="not usable here"))
    for level, abi in [*((level, None) for level in Level), *OLDER]
]
SECRET = "made-up-secret-4711"

_FILES = """
import ctypes, mmap
canary, link = os.environ["CANARY"], os.environ["LINK"]
outside = os.path.dirname(canary)
write = json.loads(sys.argv[1])["write"]
attempt("absolute")(lambda: open(canary).read())
attempt("dots")(lambda: open(os.path.join(os.path.dirname(link), "..", "elsewhere", "labels.csv")).read())
attempt("link out of the model")(lambda: open(link).read())
attempt("through the root of /proc")(lambda: open("/proc/self/root" + canary).read())
attempt("list the folder")(lambda: os.listdir(outside))
attempt("list its parent")(lambda: [e for e in os.listdir(os.path.dirname(outside)) if e == "elsewhere"][0])
home = os.environ["ITS_HOME"]
attempt("list home")(
    lambda: [e for e in os.listdir(home) if not f"{sys.base_prefix}/ {sys.prefix}/".count(f"{home}/{e}/")][0]
)
attempt("environment of the parent")(lambda: open(f"/proc/{os.environ['PARENT']}/environ").read())
attempt("environment of its parent")(lambda: open(f"/proc/{os.getppid()}/environ").read().index("SECRET"))
attempt("memory of the parent")(lambda: open(f"/proc/{os.environ['PARENT']}/mem", "rb"))
attempt("files of the parent")(lambda: os.listdir(f"/proc/{os.environ['PARENT']}/fd"))
attempt("its environment")(lambda: dict(os.environ).get("SECRET", "") or 1 / 0)
attempt("write beside")(lambda: open(canary + ".new", "w"))
attempt("change the canary")(lambda: open(canary, "a"))
attempt("empty the canary")(lambda: os.truncate(canary, 0))
attempt("read and empty")(lambda: os.open(os.environ["MODEL_FILE"], os.O_RDONLY | os.O_TRUNC))
attempt("write the model")(lambda: open(os.environ["MODEL_FILE"], "r+"))
attempt("write beside the model")(lambda: open(os.environ["MODEL_FILE"] + ".new", "w"))
attempt("delete the model")(lambda: os.unlink(os.environ["MODEL_FILE"]))
attempt("permissions of the canary")(lambda: os.chmod(canary, 0o777))
attempt("owner of the canary")(lambda: os.chown(canary, 1, 1))
attempt("time of the canary")(lambda: os.utime(canary, (0, 0)))
attempt("permissions of an open library")(lambda: os.fchmod(os.open(json.__file__, os.O_RDONLY), 0o777))
attempt("attribute of the canary")(lambda: os.setxattr(canary, "user.made-up", b"1"))
attempt("link to the canary")(lambda: os.link(canary, write + "/hard"))
attempt("symbolic link in its folder")(lambda: os.symlink(canary, write + "/soft"))
attempt("pipe in its folder")(lambda: os.mkfifo(write + "/pipe"))
attempt("root")(lambda: open("/new", "w"))
attempt("/tmp")(lambda: open("/tmp/gatekeeper-made-up", "w"))
attempt("/dev")(lambda: open("/dev/made-up", "w"))
attempt("/dev/shm")(lambda: open("/dev/shm/made-up", "w"))
attempt("/proc/sys")(lambda: open("/proc/sys/kernel/core_pattern", "w"))
attempt("oom")(lambda: open("/proc/self/oom_score_adj", "w"))
attempt("package of gatekeeper")(lambda: open(os.path.dirname(sys.modules["gatekeeper"].__file__) + "/new.py", "w"))
attempt("beside gatekeeper")(
    lambda: sorted(set(os.listdir(os.path.dirname(os.path.dirname(sys.modules["gatekeeper"].__file__))))
        & {"pyproject.toml", "tests", "Makefile"})[0]
)
attempt("hidden memory")(lambda: os.memfd_create("made-up"))
attempt("own folder")(lambda: open(write + "/fine", "w").write("fine"))
attempt("own folders")(lambda: (os.mkdir(write + "/a"), os.rename(write + "/fine", write + "/a/fine"))[1])
attempt("own model")(lambda: open(os.environ["MODEL_FILE"]).read())
attempt("own maps")(lambda: len(open("/proc/self/maps").read()) > 0)
attempt("random")(lambda: len(open("/dev/urandom", "rb").read(8)))
attempt("first to be ended")(lambda: int(open("/proc/self/oom_score_adj").read()) >= 1000 or 1 / 0)
attempt("null")(lambda: open("/dev/null", "w").write("x"))
"""
_OTHERS = """
import ctypes, signal, socket, subprocess, resource
libc = ctypes.CDLL(None, use_errno=True)
parent, port, path = int(os.environ["PARENT"]), int(os.environ["PORT"]), os.environ["UNIX"]
def call(*arguments):
    ctypes.set_errno(0)
    done = libc.syscall(*(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))
    if done < 0:
        raise OSError(ctypes.get_errno(), "")
    return done
def to_named(kind):
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    ours.sendmsg([b"leak"], [], 0, path)
attempt("tcp")(lambda: socket.create_connection(("127.0.0.1", port), 2))
attempt("udp")(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
attempt("unix")(lambda: socket.socket(socket.AF_UNIX))
attempt("netlink")(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt("datagrams by a pair")(lambda: to_named(socket.SOCK_DGRAM))
attempt("raw datagrams by a pair")(lambda: to_named(socket.SOCK_RAW))
attempt("pair")(lambda: [s.close() for s in socket.socketpair()][0])
attempt("name")(lambda: socket.getaddrinfo("localhost", port))
attempt("fork")(lambda: os.fork() or os._exit(0))
attempt("forkpty")(lambda: os.forkpty())
attempt("subprocess")(lambda: subprocess.run(["/bin/true"]))
attempt("spawn")(lambda: os.posix_spawn("/bin/true", ["true"], {}))
attempt("exec")(lambda: os.execv("/bin/true", ["true"]))
attempt("clone3")(lambda: call(435, None, 0))
attempt("system")(lambda: 1 / int(os.system("true") == 0))
attempt("kill the parent")(lambda: os.kill(parent, signal.SIGKILL))
attempt("kill its parent")(lambda: os.kill(os.getppid(), signal.SIGKILL))
attempt("kill the group")(lambda: os.kill(0, signal.SIGKILL))
attempt("kill everyone")(lambda: os.kill(-1, signal.SIGKILL))
attempt("queue a signal")(lambda: signal.pidfd_send_signal(os.pidfd_open(parent), 9))
attempt("own a signal")(lambda: __import__("fcntl").fcntl(1, 8, parent))
attempt("limits of the parent")(lambda: resource.prlimit(parent, resource.RLIMIT_CPU, (1, 1)))
attempt("limits upwards")(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2))
attempt("nice")(lambda: os.setpriority(os.PRIO_PROCESS, parent, 19))
machine = os.uname().machine
numbers = {
    "x86_64": dict(ptrace=101, vm_readv=310, unshare=272, setns=308, mount=165, chroot=161, bpf=321, perf=298, key=248,
        uffd=323, uring=425, handle=304, shmget=29, personality=135, setuid=105),
    "aarch64": dict(ptrace=117, vm_readv=270, unshare=97, setns=268, mount=40, chroot=51, bpf=280, perf=241, key=217,
        uffd=282, uring=425, handle=265, shmget=194, personality=92, setuid=146),
}[machine]
attempt("ptrace")(lambda: call(numbers["ptrace"], 16, parent, 0, 0))
attempt("read memory")(lambda: call(numbers["vm_readv"], parent, None, 0, None, 0, 0))
attempt("namespace of users")(lambda: call(numbers["unshare"], 0x10000000))
attempt("enter a namespace")(lambda: call(numbers["setns"], 1, 0))
attempt("mount")(lambda: call(numbers["mount"], b"none", b"/tmp", b"tmpfs", 0, None))
attempt("chroot")(lambda: os.chroot("/"))
attempt("bpf")(lambda: call(numbers["bpf"], 0, None, 0))
attempt("perf")(lambda: call(numbers["perf"], None, 0, -1, -1, 0))
attempt("keys")(lambda: call(numbers["key"], b"user", b"made-up", b"1", 1, -3))
attempt("userfaultfd")(lambda: call(numbers["uffd"], 0))
attempt("io_uring")(lambda: call(numbers["uring"], 1, None))
attempt("handle")(lambda: call(numbers["handle"], -100, None, 0))
attempt("shared memory of System V")(lambda: call(numbers["shmget"], 0, 4096, 0o600 | 0o1000))
attempt("personality")(lambda: call(numbers["personality"], 0x0040000))
attempt("another user")(lambda: os.setuid(1 if os.getuid() == 0 else 0))
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
attempt("capabilities")(lambda: 1 / int(status["CapEff"], 16) + 1 / int(status["CapBnd"], 16))
attempt("privileges")(lambda: [int(status["NoNewPrivs"]), int(status["Seccomp"])])
signal.signal(signal.SIGUSR1, lambda *_: None)
attempt("signal itself")(lambda: os.kill(os.getpid(), signal.SIGUSR1))
def threads():
    those = [__import__("threading").Thread(target=int) for _ in range(8)]
    for one in those:
        one.start()
    for one in those:
        one.join()
attempt("threads")(threads)
"""
NEEDED = {
    *("own folder", "own folders", "own model", "own maps", "random", "null", "first to be ended"),
    *("pair", "signal itself", "threads", "privileges"),
}
ALLOWED = NEEDED | {
    # At the level of Landlock these do nothing and say that they did; whether they did is looked at from outside.
    *("permissions of the canary", "time of the canary", "permissions of an open library"),
}
# Names are looked up in a file that is not there, or by sockets that are not to be had: refused in other words.
_OTHER_WORDS = {
    "capabilities": "ZeroDivisionError",
    "its environment": "ZeroDivisionError",
    "system": "ZeroDivisionError",
}
_OTHER_WORDS |= dict.fromkeys(("list its parent", "list home", "beside gatekeeper"), "IndexError")
_OTHER_WORDS |= {"environment of its parent": "ValueError", "name": "gaierror", "limits upwards": "ValueError"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str, list[str]]]:
    """A server on the loopback and a datagram socket with a name; both note who came."""
    path = str(tmp_path_factory.mktemp("sockets") / "named")
    came: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as named:
        named.bind(path)
        tcp.settimeout(0.1)
        named.settimeout(0.1)
        stop = threading.Event()

        def note() -> None:
            while not stop.is_set():
                for what, receive in (("tcp", lambda: tcp.accept()[0].close()), ("unix", lambda: named.recv(10))):
                    try:
                        receive()
                        came.append(what)
                    except TimeoutError:
                        continue

        thread = threading.Thread(target=note)
        thread.start()
        yield tcp.getsockname()[1], path, came
        stop.set()
        thread.join()


@pytest.fixture(scope="module", params=SITUATIONS, ids=str)
def ended(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, servers: tuple[int, str, list[str]]
) -> Ended:
    """All tries in one process, at each level."""
    folder = tmp_path_factory.mktemp("walls")
    allowed = confinement(folder)
    canary = folder / "elsewhere" / "labels.csv"
    canary.parent.mkdir()
    canary.write_text(SECRET)
    Path(allowed.read[0], "weights").write_text("made-up weights")
    link = Path(allowed.read[0], "link")
    link.symlink_to(canary)
    os.environ["GATEKEEPER_TEST_SECRET"] = SECRET
    port, path, came = servers
    level, abi = request.param
    library = os.stat(json.__file__)
    before = os.stat(canary)
    try:
        result = run(
            _FILES + _OTHERS,
            allowed,
            level,
            before="" if abi is None else with_landlock(abi),
            CANARY=str(canary),
            LINK=str(link),
            MODEL_FILE=str(Path(allowed.read[0], "weights")),
            ITS_HOME=str(Path.home()),
            PARENT=str(os.getpid()),
            PORT=str(port),
            UNIX=path,
        )
    finally:
        del os.environ["GATEKEEPER_TEST_SECRET"]
    assert result.status == 0, result.printed
    assert canary.read_text() == SECRET
    after = os.stat(canary)
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert os.stat(json.__file__).st_mode == library.st_mode
    assert sorted(os.listdir(allowed.read[0])) == ["link", "weights"]
    assert not came
    if abi == 1:  # it lets no file move to another folder
        result.told.pop("own folders")
    return result


def test_everything_hostile_is_refused(ended: Ended) -> None:
    done = {name: told[1] for name, told in ended.told.items() if told[0] == "done" and name not in ALLOWED}
    assert not done


def test_refusals_are_errors_that_libraries_know(ended: Ended) -> None:
    known = (errno.EPERM, errno.EACCES, errno.ENOENT, errno.EROFS, errno.ENOSYS, errno.EXDEV, errno.EINVAL)
    words = {name: told for name, told in ended.told.items() if told[0] != "done"}
    odd = {n: told for n, told in words.items() if told[1] not in known and told[0] != _OTHER_WORDS.get(n)}
    assert not odd


def test_what_a_model_needs_is_there(ended: Ended) -> None:
    assert {name: told for name, told in ended.told.items() if name in NEEDED and told[0] != "done"} == {}
    assert ended.told["own model"][1] == "made-up weights"
    assert ended.told["privileges"][1] == [1, 2]  # no new ones; a filter stands


def test_walls_are_told_for_the_dossier(ended: Ended) -> None:
    words = " ".join(ended.walls)
    assert "seccomp: no sockets, no new process" in words
    assert "memory 4 GiB" in words
    assert "bubblewrap" in words or "Landlock ABI" in words


def test_tries_work_without_walls(tmp_path: Path, servers: tuple[int, str, list[str]]) -> None:
    """The oracle of the trial: the same tries, bare, are not refused by an accident of this machine."""
    port, path, came = servers
    canary = tmp_path / "labels.csv"
    canary.write_text(SECRET)
    assert canary.read_text() == SECRET
    with socket.create_connection(("127.0.0.1", port), 2):
        pass
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        ours.sendmsg([b"leak"], [], 0, path)
    for _ in range(100):
        if {"tcp", "unix"} <= set(came):
            break
        threading.Event().wait(0.05)
    assert {"tcp", "unix"} <= set(came)
    came.clear()


@pytest.mark.parametrize("level", LEVELS)
def test_second_thread_makes_it_fail(level: Level, tmp_path: Path) -> None:
    code = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    code += "attempt('again')(lambda: confine(Confinement.model_validate_json(sys.argv[1]), sys.argv[2]))\n"
    ended = run(code, confinement(tmp_path), level)
    assert ended.told["again"][0] == "InvalidRunError"


def test_bubblewrap_that_is_not_there_is_noticed(tmp_path: Path) -> None:
    allowed = confinement(tmp_path)
    code = "import sys; from gatekeeper.candidate.isolation import Confinement, confine\n"
    code += "confine(Confinement.model_validate_json(sys.argv[1]), 'bubblewrap')"
    alone = ENVIRONMENT | {"OPENBLAS_NUM_THREADS": "1"}
    arguments = [sys.executable, "-I", "-c", code, allowed.model_dump_json()]
    bare = subprocess.run(arguments, capture_output=True, text=True, check=False, env=alone)
    assert bare.returncode != 0
    assert "the process has a network" in bare.stderr or "the root of the file system can be written" in bare.stderr

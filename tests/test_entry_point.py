"""The real program in a process of its own: exit codes, interruptions, imports, unexpected errors."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_up_bench import Bench


def run(
    *arguments: str, home: Path, cwd: Path | None = None, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GATEKEEPER_HOME": str(home)} | ({"PYTHONPATH": str(path)} if path else {})
    command = [sys.executable, "-m", "gatekeeper", *arguments]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["verify", "--help"], ["policy", "list"], ["lock", "--help"]],
    ids=["help", "verify help", "policy list", "lock help"],
)
def test_what_answers_at_once_imports_no_torch(arguments: list[str], home: Path) -> None:
    code = f"import sys; from gatekeeper.cli import main; print(main({arguments!r}), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"


def test_verify_imports_no_torch_and_evaluate_neither(finished_run: Path, home: Path) -> None:
    for arguments in (["verify", str(finished_run / "dossier.pdf")], ["evaluate", str(finished_run)]):
        code = f"import sys; from gatekeeper.cli import main; print(main({arguments!r}), 'torch' in sys.modules)"
        environment = {**os.environ, "GATEKEEPER_HOME": str(home)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout.splitlines()[-1] == "0 False"


@pytest.mark.parametrize("module", ["rfc8785", "pydantic", "typer"])
@pytest.mark.parametrize("failure", ['raise RuntimeError("".join(["D", "oe^John"]))', "import no_such_module"])
def test_an_unexpected_error_exits_5_and_never_1(tmp_path: Path, home: Path, module: str, failure: str) -> None:
    (tmp_path / f"{module}.py").write_text(failure)
    done = run("policy", "list", home=home, path=tmp_path)
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    assert "GK599" in done.stderr
    log = Path(done.stderr.rstrip().rpartition(" ")[2])
    for text in (done.stderr, log.read_text()):
        assert "Doe" not in text
    log.unlink()


def test_a_module_that_ends_the_process_at_import_exits_5_and_never_1(tmp_path: Path, home: Path) -> None:
    (tmp_path / "pydantic.py").write_text("raise SystemExit(1)")
    assert run("policy", "list", home=home, path=tmp_path).returncode == 5


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_check_exits_130_and_leaves_nothing(bench: Bench, sent: signal.Signals) -> None:
    bench.policy.write_text(bench.policy.read_text().replace("timed_calls: 100", "timed_calls: 1000000"))
    arguments = ["check", "--policy", str(bench.policy), "--candidate", str(bench.candidate)]
    arguments += ["--testset", str(bench.lock), "--out", str(bench.out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "gatekeeper", *arguments],
        env={**os.environ, "GATEKEEPER_HOME": str(bench.home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not _workers_of(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    (worker,) = _workers_of(process.pid)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert bench.runs() == []
    deadline = time.monotonic() + 10  # its new parent may take a moment to bury it
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists()


def _workers_of(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def test_a_bare_check_takes_its_inputs_from_gatekeeper_yaml(bench: Bench) -> None:
    project = "policy: policy.yaml\ncandidate: candidate/cnn.yaml\ntestset: discs.lock\n"
    (bench.folder / "gatekeeper.yaml").write_text(project)
    done = run("check", "--json", home=bench.home, cwd=bench.folder)
    assert done.returncode == 0, done.stderr
    assert '"verdict": "PASS"' in done.stdout
    assert len(bench.runs()) == 1


def test_wrong_usage_exits_2_with_what_mends_it(tmp_path: Path, home: Path) -> None:
    for arguments in (["check"], ["check", "--nonsense"], ["no-such-command"], [], ["verify"]):
        done = run(*arguments, home=home, cwd=tmp_path)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_a_full_disk_is_said_and_leaves_no_run(bench: Bench, tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        pytest.skip("needs unshare and root to mount a small disk")
    small = tmp_path / "small"
    small.mkdir()
    command = f'mount -t tmpfs -o size=64k none "{small}" && exec "$0" -m gatekeeper check --policy "{bench.policy}" '
    command += f'--candidate "{bench.candidate}" --testset "{bench.lock}" --out "{small}"'
    done = subprocess.run(
        [unshare, "--mount", "sh", "-c", command, sys.executable],
        env={**os.environ, "GATEKEEPER_HOME": str(bench.home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "mount:" in done.stderr or "unshare" in done.stderr:
        pytest.skip("this machine does not let a test mount a small disk")
    assert done.returncode == 5
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr

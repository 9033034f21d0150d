"""A real MLflow server, in a process of its own on a port of this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
_WAIT_SECONDS = 60.0


@cache
def _empty() -> bytes:
    """Return a database of MLflow as its first use leaves it, which takes a second to make."""
    from gatekeeper.mlflow_server import connect

    with TemporaryDirectory() as folder:
        path = Path(folder, "mlflow.db")
        connect(f"sqlite:///{path}", new=True)
        return path.read_bytes()


def new_database(path: Path) -> str:
    """Make an empty database and return its address."""
    path.write_bytes(_empty())
    return f"sqlite:///{path}"


@contextmanager
def started_mlflow(folder: Path) -> Iterator[str]:
    """Start a server that keeps all in ``folder``, and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/server.db", "--artifacts-destination", f"{folder}/kept"]
    log = folder / "log.txt"
    with log.open("w") as told:
        server = subprocess.Popen(
            command, cwd=folder, env=os.environ | _QUIET, stdout=told, stderr=told, start_new_session=True
        )
    try:
        _await(f"{address}/health", server, log)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())

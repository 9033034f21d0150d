"""``gatekeeper doctor``: it tries everything for real, changes nothing, and tells what is broken on purpose."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import call

from gatekeeper.doctor import Examination, Finding, State, examine
from gatekeeper.doctor.codecs import fault_of
from gatekeeper.doctor.disk import examine_disk
from gatekeeper.doctor.encoded import ENCODED, PIXELS
from gatekeeper.doctor.examination import _looked
from gatekeeper.doctor.keys import examine_keys, examine_ledger
from gatekeeper.doctor.packages import examine_packages
from gatekeeper.trust import Ledger, load_keys


def states(findings: Any) -> dict[str, State]:
    return {finding.what: finding.state for finding in findings}


def everything_below(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in sorted(folder.rglob("*"))}


def test_everything_is_looked_at_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    done = call("doctor", home=tmp_path / "home", cwd=tmp_path / "work")
    assert done.returncode == 0, done.stdout
    assert [line for line in done.stdout.splitlines() if line and not line.startswith(" ")][:-1] == [
        *("machine", "packages", "isolation", "codecs", "dossier", "keys", "ledger", "disk", "devices")
    ]
    assert f"{len(ENCODED)} of {len(ENCODED)} transfer syntaxes" in done.stdout
    assert done.stdout.endswith("`gatekeeper check` works here.\n")
    assert everything_below(tmp_path) == {str(tmp_path / "work"): b""}
    for line, following in zip(done.stdout.splitlines(), done.stdout.splitlines()[1:], strict=False):
        assert not line.startswith(("  !", "  ✗")) or "→ " in following


def test_the_report_names_nobody(tmp_path: Path) -> None:
    home = tmp_path / "home" / "ada" / ".gatekeeper"
    load_keys(home)
    (home / "keys" / "tool.key.pem").chmod(0o644)
    done = call("doctor", "--json", home=home, cwd=tmp_path, HOME=str(tmp_path / "home" / "ada"), USER="ada")
    told = json.loads(done.stdout)
    assert told["able"] is True
    assert any(finding["what"] == "permissions" and finding["state"] == "missing" for finding in told["findings"])
    for name in ("ada", str(tmp_path), os.uname().nodename):
        assert name not in done.stdout
    assert "$GATEKEEPER_HOME/keys/tool.key.pem" in done.stdout


def test_a_home_that_does_not_hold_is_code_2_with_what_mends_it(tmp_path: Path) -> None:
    load_keys(tmp_path)
    (tmp_path / "keys" / "signing.yaml").write_text("level: B-X\n")
    (tmp_path / "ledger.sqlite").write_bytes(b"no ledger at all, but long enough to look like one" * 40)
    before = everything_below(tmp_path)
    done = call("doctor", home=tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    crosses = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("  ✗")]
    assert crosses == ["signing.yaml", "key", "ledger"] or crosses == ["signing.yaml", "ledger"]
    assert everything_below(tmp_path) == before


@pytest.mark.parametrize("encoded", ENCODED, ids=lambda encoded: encoded.uid)
def test_a_syntax_counts_as_decoded_only_when_its_values_are_those_written(encoded: Any) -> None:
    assert fault_of(encoded) is None
    if encoded.frame is not None:
        assert fault_of(replace(encoded, frame=encoded.frame[: len(encoded.frame) // 2])) is not None


def test_a_decoder_that_gives_other_values_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatekeeper.doctor.codecs.PIXELS", PIXELS[::-1])
    encoded = next(one for one in ENCODED if one.name == "JPEG-LS")
    assert fault_of(encoded) == "decodes to other values"


def test_keys_are_told_as_they_are(tmp_path: Path) -> None:
    assert states(examine_keys(tmp_path)) == {"key set": State.MISSING}
    load_keys(tmp_path)
    before = everything_below(tmp_path)
    found = states(examine_keys(tmp_path))
    assert found["kind"] is State.MISSING
    assert found["root certificate"] is found["tool certificate"] is found["permissions"] is State.WORKS
    (tmp_path / "keys").chmod(0o777)
    assert states(examine_keys(tmp_path))["permissions"] is State.MISSING
    (tmp_path / "keys" / "root.pem").write_text("no certificate")
    assert states(examine_keys(tmp_path))["key set"] is State.BROKEN
    assert before.keys() == everything_below(tmp_path).keys()


def test_a_certificate_that_is_not_opened_is_no_certificate_that_holds(tmp_path: Path) -> None:
    load_keys(tmp_path)
    for name in ("tool.pem", "tool.key.pem"):
        (tmp_path / "keys" / name).unlink()
    (tmp_path / "keys" / "tool.p12").write_bytes(b"locked")
    (tmp_path / "keys" / "tool.p12").chmod(0o600)
    found = {finding.what: finding for finding in examine_keys(tmp_path)}
    assert found["tool certificate"].state is State.MISSING
    assert found["key of tool"].value == "tool.p12"


def test_an_expired_certificate_is_broken(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from gatekeeper.trust._development_set import make_development_set

    make_development_set(tmp_path, tmp_path / "keys", datetime(2010, 1, 1, tzinfo=UTC))
    found = {finding.what: finding for finding in examine_keys(tmp_path)}
    assert found["tool certificate"].state is State.BROKEN
    assert "2020" in found["tool certificate"].value


def test_a_ledger_is_verified_and_never_made(tmp_path: Path) -> None:
    assert states(examine_ledger(tmp_path)) == {"ledger": State.WORKS}
    assert list(tmp_path.iterdir()) == []
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append("a.line", {"x": "before"}, "2026-01-01T00:00:00Z")
    assert [finding.value for finding in examine_ledger(tmp_path)] == ["1 lines hold"]
    data = (tmp_path / "ledger.sqlite").read_bytes()
    (tmp_path / "ledger.sqlite").write_bytes(data.replace(b"before", b"behind"))
    assert states(examine_ledger(tmp_path)) == {"ledger": State.BROKEN}


def test_a_package_that_is_too_old_or_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "onnxruntime":
            raise importlib.metadata.PackageNotFoundError(name)
        return "0.0.1" if name == "pydicom" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    found = {finding.what: finding for finding in examine_packages()}
    assert found["required"].state is State.BROKEN
    assert "pydicom is 0.0.1, not >=3.0.1" in found["required"].value
    assert found["models"].state is State.MISSING
    assert found["models"].mend == "pip install 'gatekeeper-imaging[models]'"


def test_a_full_or_missing_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    for free, state in ((1 << 20, State.BROKEN), (1 << 30, State.MISSING), (9 << 30, State.WORKS)):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, free=free: usage._replace(free=free))
        assert set(states(examine_disk(tmp_path / "runs")).values()) == {state}
    (tmp_path / "file").write_text("in the way")
    assert State.BROKEN in states(examine_disk(tmp_path / "file" / "runs")).values()


def test_an_area_that_cannot_be_looked_at_is_no_success() -> None:
    def fails() -> Any:
        raise RuntimeError("a secret path")
        yield

    (finding,) = _looked("area", fails)
    assert finding.state is State.BROKEN
    assert "secret" not in finding.value
    assert not Examination((finding,)).able
    assert Examination((Finding("a", "b", State.MISSING, "c", "d"),)).able


def test_a_torch_that_dies_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\nkill -SEGV $$\n")
    (tmp_path / "python").chmod(0o755)
    from gatekeeper.doctor.devices import DeviceTrial

    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert states(DeviceTrial().findings()) == {"torch": State.BROKEN}


def test_gpus_are_told_with_their_formats_and_a_useless_one_is_optional() -> None:
    from gatekeeper.doctor.devices import _of

    good = ["NVIDIA H100", 80 << 30, "9.0", ["fp32", "tf32", "bf16", "fp16"]]
    told = {"torch": "2", "cuda": "12.8", "cpu": ["fp32"], "gpus": [good, ["old", 1 << 30, "3.0", []]], "fault": None}
    found = {finding.what: finding for finding in _of(told)}
    assert found["cuda:0"].value == "NVIDIA H100, 80 GiB, compute capability 9.0: fp32, tf32, bf16, fp16"
    assert (found["cuda:0"].state, found["cuda:1"].state) == (State.WORKS, State.MISSING)
    assert states(_of({**told, "cpu": []}))["cpu"] is State.BROKEN


def test_progress_goes_to_its_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    examine(tmp_path / "home", tmp_path / "out", lambda stage, done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] == len(told) - 1
    assert list(tmp_path.iterdir()) == []

"""On a CUDA device: the same code path, the same findings. Skipped where there is none."""

from __future__ import annotations

import pytest
import torch
from made_up_bench import Bench

from gatekeeper.gate import CheckRequest, check

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and there is none here"),
]


def _verdict_on(bench: Bench, device: str) -> tuple[str, dict[str, float | None]]:
    request = CheckRequest(
        policy=str(bench.policy),
        candidate=bench.candidate,
        testset=bench.lock,
        out=bench.out,
        home=bench.home,
        overrides=(f"engine.device={device}",),
    )
    verdict = check(request).verdict
    return verdict.verdict.value, {item.id: item.estimate for item in verdict.findings if not item.is_time}


def test_auto_takes_the_gpu_and_a_rerun_on_it_is_bit_for_bit(bench: Bench) -> None:
    word, estimates = _verdict_on(bench, "auto")
    assert estimates["rerun"] == 0.0
    assert (word, estimates) == _verdict_on(bench, "cuda")


def test_cpu_and_gpu_agree_on_every_finding(bench: Bench) -> None:
    word, on_gpu = _verdict_on(bench, "cuda")
    other, on_cpu = _verdict_on(bench, "cpu")
    assert word == other
    assert on_gpu == pytest.approx(on_cpu, abs=1e-4)

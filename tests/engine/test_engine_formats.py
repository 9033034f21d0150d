"""One network as every format of candidate, through the whole gate: one verdict. Oracle: the network, called here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from gated import checked, column
from made_up_bench import POLICY, Bench
from made_up_formats import FORMATS, as_onnx, as_parquet, as_safetensors, as_table, demo_network
from test_engine_faults import BASELINE_ALONE

from gatekeeper.evidence import Outcome, Reason, Verdict, VerdictWord
from gatekeeper.gate import CheckResult


def judged(verdict: Verdict) -> list[tuple[str, Outcome, float | None]]:
    """Return what was found of each requirement."""
    return [(found.id, found.outcome, found.estimate and round(found.estimate, 9)) for found in verdict.findings]


@pytest.fixture(scope="module")
def oracle(pristine_bench: Bench) -> dict[str, float]:
    """The network's own answers, by case."""
    import torch
    from pydicom import dcmread

    files = sorted((pristine_bench.folder / "images").glob("*.dcm"))
    images = np.stack([dcmread(path).pixel_array for path in files])[:, np.newaxis].astype(np.float32) / 255
    with torch.inference_mode():
        probabilities = torch.sigmoid(demo_network()(torch.from_numpy(images)))[:, 0]
    return dict(zip([path.stem for path in files], probabilities.tolist(), strict=True))


@pytest.fixture(scope="module")
def reference(pristine_bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> CheckResult:
    """The run of the weights as safetensors."""
    return checked(pristine_bench, BASELINE_ALONE, as_safetensors(tmp_path_factory.mktemp("reference")))


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "safetensors"])
def test_every_format_gives_the_verdict_and_the_scores_of_safetensors(
    pristine_bench: Bench, oracle: dict[str, float], reference: CheckResult, tmp_path: Path, form: str
) -> None:
    result = checked(pristine_bench, BASELINE_ALONE, FORMATS[form](tmp_path))
    assert column(result.folder, "score") == pytest.approx(oracle, abs=1e-5)
    assert column(reference.folder, "score") == pytest.approx(oracle, abs=1e-5)
    assert result.verdict.verdict is VerdictWord.PASS
    assert judged(result.verdict) == judged(reference.verdict)


@pytest.mark.parametrize("write", [as_table, as_parquet])
def test_predictions_decide_what_the_baseline_decides_and_nothing_else(
    pristine_bench: Bench,
    reference: CheckResult,
    tmp_path: Path,
    write: Callable[[Path, Mapping[str, float]], Path],
) -> None:
    scores = column(reference.folder, "score")
    result = checked(pristine_bench, POLICY, write(tmp_path, scores))
    assert column(result.folder, "score") == scores
    found = {finding.id: finding for finding in result.verdict.findings}
    not_run = {name: found.pop(name) for name in ("rerun", "breaking", "time")}
    for finding in not_run.values():
        assert (finding.outcome, finding.reason) == (Outcome.NOT_DECIDED, Reason.CONDITION_NOT_RUN)
    assert {finding.outcome for finding in found.values()} == {Outcome.MET}
    assert found["sensitivity"].estimate == reference.verdict.findings[0].estimate
    assert result.verdict.verdict is VerdictWord.INCONCLUSIVE
    assert "not run here" in result.verdict.words


def test_the_size_of_batches_changes_no_verdict(pristine_bench: Bench, reference: CheckResult, tmp_path: Path) -> None:
    for size in (1, 7):
        (tmp_path / str(size)).mkdir()
        candidate = as_onnx(tmp_path / str(size))
        result = checked(pristine_bench, BASELINE_ALONE, candidate, f"engine.batch_size={size}")
        assert column(result.folder, "score") == pytest.approx(column(reference.folder, "score"), abs=1e-5)
        assert judged(result.verdict) == judged(reference.verdict)

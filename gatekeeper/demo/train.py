"""Train the demonstration's candidate: ``python -m gatekeeper.demo.train [--out FILE]``.

Trained on the training patients alone. The operating point is chosen on them too, by cross-validation: the lowest cut,
in hundredths, at which 95 of 100 benign nodules (first readings) are not called. The test patients are only reported.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.canonical import digest_file
from gatekeeper.demo.appraisal import accuracy, choose_operating_point, repeatability
from gatekeeper.demo.learning import Samples, cross_validated, fit, predict
from gatekeeper.demo.lidc import read_lidc
from gatekeeper.demo.masks import PIXEL_MM
from gatekeeper.statistics.roc import auroc

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

WEIGHTS = Path(__file__).parent / "candidates" / "nodule_cnn.safetensors"


def main(arguments: list[str] | None = None) -> None:
    """Train, write the weights, print the log to stdout."""
    parser = argparse.ArgumentParser(prog="python -m gatekeeper.demo.train", description="Train the demo's candidate.")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="the safetensors file to write")
    out: Path = parser.parse_args(arguments).out
    started = time.monotonic()
    lidc = read_lidc()
    _say(f"data          {lidc.counts}")
    train, test = Samples.of(lidc.train), Samples.of(lidc.test)
    held_out = cross_validated(train)
    cut = choose_operating_point(train.label[train.first], held_out[train.first])
    _say(f"operating point {cut:.2f}: the lowest with a cross-validated specificity of 0.95 on first readings")
    _report("training patients, 5-fold cross-validation", train, held_out, cut)
    model = fit(train)
    save_weights(model, out)
    _report("test patients", test, predict(model, test.masks), cut)
    _say(f"weights       {out.name}  {out.stat().st_size} bytes  {digest_file(out)}")
    print(f"took {time.monotonic() - started:.0f} s", file=sys.stderr)


def save_weights(model: torch.nn.Module, path: Path) -> None:
    """Write a network's weights as safetensors; the same weights give the same bytes."""
    from safetensors.torch import save_file

    save_file(model.state_dict(), path, metadata={"format": "pt"})


def _report(title: str, samples: Samples, score: NDArray[np.float64], cut: float) -> None:
    first = samples.first
    area = samples.masks.sum(axis=(1, 2), dtype="float64") * PIXEL_MM**2
    _say(title)
    _say(f"  nodules     {accuracy(samples.label[first], score[first], cut)}")
    _say(f"  readings    {accuracy(samples.label, score, cut)}")
    by_area = auroc(area[first], samples.label[first]), auroc(area, samples.label)
    _say("  area alone  AUC {:.3f} nodules, {:.3f} readings".format(*by_area))
    _say(f"  readers     {repeatability(samples, score, cut)}")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()

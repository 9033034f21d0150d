"""Made-up candidates and batches for the adapters: contracts in a line, images drawn from a seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.adapters import Batch, CaseFacts, Model, Setting
from gatekeeper.candidate.contract import Contract

DEMO_WEIGHTS = Path(__file__).parents[1] / "gatekeeper/demo/candidates/nodule_cnn.safetensors"
CALLED = {"kind": "logit", "classes": ["benign", "malignant"], "positive": "malignant"}
MASKED = {"kind": "mask_probability", "structures": {"brain": 1}}


def contract(form: str, **keys: Any) -> Contract:
    """Make a contract; by default one like the demo's, of 64 x 64 pixels."""
    written = {
        "description": "made up for a test",
        "format": form,
        "input": {"size": [64, 64]},
        "output": CALLED,
        "operating_point": 0.5,
        "producer": "trusted",
        **keys,
    }
    if form not in ("python", "command"):
        written.setdefault("artefact", "model")
    return Contract.model_validate_json(json.dumps({key: value for key, value in written.items() if value is not None}))


def demo(**keys: Any) -> Contract:
    """Make the contract of the demo's own weights."""
    return contract("safetensors", **{"architecture": {"name": "nodule_cnn"}, "artefact": DEMO_WEIGHTS.name, **keys})


def batch(n: int, shape: Sequence[int] = (1, 64, 64), dtype: str = "float32", seed: int = 3) -> Batch:
    """Draw n images of (channels, *axes), read-only as the worker gives them."""
    drawn = np.random.default_rng(seed).random((n, *shape))
    images = drawn.astype(dtype) if dtype.startswith("float") else (drawn * 100).astype(dtype)
    images.flags.writeable = False
    affine = np.diag([-2.0, -2.0, 2.0, 1.0])
    return Batch(images, tuple(CaseFacts((2.0,) * (len(shape) - 1), affine, "MR") for _ in range(n)))


def answers(model: Model, of: Batch, setting: Setting = Setting()) -> dict[str, NDArray[np.generic]]:  # noqa: B008
    """Take a batch through all three steps."""
    staged = model.stage(of)
    model.synchronize()
    return model.fetch(model.forward(staged, setting))

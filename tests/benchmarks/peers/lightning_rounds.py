"""Measures Lightning's validation loop over a bare one, round by round; runs in an environment of its own.

Arguments: a file of images (batches, n, 1, rows, columns), weights, the registered network and its arguments as JSON,
threads. For each line read it prints wall seconds of the bare loop, of Lightning's, and the largest difference between
their outputs.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer
from safetensors.torch import load_file
from torch.utils.data import DataLoader, TensorDataset

from gatekeeper.candidate.adapters import make_deterministic
from gatekeeper.candidate.architectures import ARCHITECTURES


class Validated(LightningModule):
    """A network under validation, with what it returns kept."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network
        self.kept: list[torch.Tensor] = []

    def validation_step(self, batch: list[torch.Tensor], index: int) -> None:
        """Keep what the network returns."""
        self.kept.append(self.network(batch[0]))


def main(images: str, weights: str, name: str, arguments: str, threads: str) -> None:
    """Answer each line with a round."""
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    make_deterministic(int(threads))
    torch.set_num_threads(int(threads))
    network = ARCHITECTURES.get(name).build(**json.loads(arguments)).eval()
    network.load_state_dict(load_file(weights))
    batches = torch.from_numpy(np.load(images))
    data = DataLoader(TensorDataset(batches.flatten(0, 1)), batch_size=batches.shape[1])
    trainer = Trainer(
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    for _ in sys.stdin:
        started = time.perf_counter()
        with torch.inference_mode():
            expected = torch.cat([network(batch) for batch in batches])
        bare = time.perf_counter() - started
        module = Validated(network)
        started = time.perf_counter()
        trainer.validate(module, data, verbose=False)
        took = time.perf_counter() - started
        apart = float((torch.cat(module.kept) - expected).abs().max())
        print(json.dumps([bare, took, apart]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

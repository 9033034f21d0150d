"""What the engine costs beside the bare model: the same tensors, the same settings of torch, in turn, in one run.

The engine's side is all of it but reading: batches handed to a worker behind its walls, answers held against the
contract and kept as rows. Ratios are of wall time, since two processes share the work. Writes
``reports/benchmarks/engine.json``.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from ratios import PEERS, REPORTS, machine

from gatekeeper.candidate import load_candidate
from gatekeeper.candidate.adapters import make_deterministic
from gatekeeper.candidate.architectures import ARCHITECTURES
from gatekeeper.candidate.isolation import Confinement, choose
from gatekeeper.candidate.protocol import Given, Order
from gatekeeper.canonical import JSON, pretty_json
from gatekeeper.engine.crew import Batch, Crew
from gatekeeper.engine.journal import Found
from gatekeeper.engine.outputs import called_at_once
from gatekeeper.engine.session import Session, made_place, work_folder
from gatekeeper.evidence import BASELINE

# Peers use what torch has deprecated.
pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

THREADS = 1
PEER = Path(__file__).parent / "peers" / "lightning_rounds.py"
NETWORKS = {
    "monai_densenet121": ({"spatial_dims": 2, "in_channels": 1, "out_channels": 1}, 32, 128, 4, 9, 1.02),
    "nodule_cnn": ({}, 64, 64, 200, 15, 1.08),
}


@dataclass(frozen=True)
class Loop:
    """A way through all batches: what it is called, and a function that gives the probabilities, shape (n,)."""

    name: str
    run: Callable[[], NDArray[np.float64]]


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, JSON]]:
    import monai
    import torch

    found: dict[str, JSON] = {
        "what": "Ratios here are wall time over that of the bare loop, median and range of the rounds; at_most is the "
        "target of the engine. All sides compute in one thread, deterministically."
    }
    yield found
    found["machine"] = machine(torch=torch.__version__, monai=monai.__version__)
    found["threads"] = THREADS
    (REPORTS / "engine.json").write_text(pretty_json(found), encoding="utf-8")


@pytest.mark.parametrize("name", list(NETWORKS))
def test_the_engine_against_a_bare_loop_and_monai_s_evaluator(
    name: str, results: dict[str, JSON], tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import save_file

    arguments, size, side, batches, rounds, target = NETWORKS[name]
    torch.manual_seed(0)
    torch.set_num_threads(THREADS)
    model = ARCHITECTURES.get(name).build(**arguments).eval()
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    images = np.random.default_rng(0).random((batches, size, 1, side, side), dtype=np.float32)
    with _engine(tmp_path, name, arguments, images) as (engine, start):
        make_deterministic(THREADS)
        loops = [Loop("bare", lambda: _bare(model, images)), engine, Loop("monai", lambda: _evaluator(model, images))]
        seconds = _in_turn(loops, rounds)
    told: dict[str, JSON] = {"start_seconds": round(start, 2), "at_most": target, "batch": size, "batches": batches}
    for loop in loops[1:]:
        told[loop.name] = _over(seconds[loop.name], seconds["bare"])
    told |= _of_lightning(tmp_path, name, arguments, images, rounds)
    told["bare_ms_a_batch"] = round(statistics.median(seconds["bare"]) / batches * 1e3, 3)
    print(f"\n{name}: {json.dumps(told)}")
    results[name] = told
    assert statistics.median(seconds["engine"]) < 1.1 * statistics.median(seconds["monai"])


def _over(took: list[float], bare: list[float]) -> dict[str, JSON]:
    ratios = [one / alone for one, alone in zip(took, bare, strict=True)]
    return {
        "ratio": round(statistics.median(ratios), 3),
        "least": round(min(ratios), 3),
        "most": round(max(ratios), 3),
    }


def _of_lightning(
    folder: Path, name: str, arguments: dict[str, int], images: NDArray[np.float32], rounds: int
) -> dict[str, JSON]:
    """Measure Lightning's validation against a bare loop of its own process; it lives in another environment."""
    python = PEERS / "lightning" / "bin" / "python"
    np.save(folder / "images.npy", images)
    command = [
        python,
        PEER,
        folder / "images.npy",
        folder / "weights.safetensors",
        name,
        json.dumps(arguments),
        THREADS,
    ]
    done = subprocess.run(
        [str(part) for part in command], input="\n" * (rounds + 1), stdout=subprocess.PIPE, text=True, check=True
    )
    measured = [json.loads(line) for line in done.stdout.splitlines()][1:]
    assert len(measured) == rounds
    assert max(apart for *_, apart in measured) <= 1e-6
    return {"lightning": _over([took for _, took, _ in measured], [bare for bare, _, _ in measured])}


def _in_turn(loops: list[Loop], rounds: int) -> dict[str, list[float]]:
    """Time all loops one after the other, round by round; the first round sees that they agree, and does not count."""
    seconds: dict[str, list[float]] = {loop.name: [] for loop in loops}
    expected = loops[0].run()
    for loop in loops[1:]:
        np.testing.assert_allclose(loop.run(), expected, rtol=0, atol=1e-6)
    for _ in range(rounds):
        for loop in loops:
            started = time.perf_counter()
            loop.run()
            seconds[loop.name].append(time.perf_counter() - started)
    return seconds


def _bare(model: object, images: NDArray[np.float32]) -> NDArray[np.float64]:
    import torch

    with torch.inference_mode():
        logits = torch.cat([model(torch.from_numpy(batch)) for batch in images])  # type: ignore[operator]
    return np.asarray(torch.sigmoid(logits.double()).numpy().ravel())


def _evaluator(model: object, images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Run MONAI's evaluator as its examples do: a data loader of dictionaries, activation afterwards."""
    import torch
    from monai.engines import SupervisedEvaluator
    from monai.transforms import Activationsd, Compose

    flat = images.reshape(-1, *images.shape[2:])
    data = [{"image": torch.from_numpy(image), "label": torch.zeros(1)} for image in flat]
    kept: list[torch.Tensor] = []

    def keep(engine: object) -> None:
        kept.extend(item["pred"] for item in engine.state.output)  # type: ignore[attr-defined]

    from ignite.engine import Events

    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=torch.utils.data.DataLoader(data, batch_size=images.shape[1]),
        network=model,
        postprocessing=Compose([Activationsd(keys="pred", sigmoid=True)]),
    )
    evaluator.add_event_handler(Events.ITERATION_COMPLETED, keep)
    evaluator.run()
    return np.asarray(torch.cat(kept).double().numpy().ravel())


@contextlib.contextmanager
def _engine(
    folder: Path, name: str, arguments: dict[str, int], images: NDArray[np.float32]
) -> Iterator[tuple[Loop, float]]:
    """Start a worker behind its walls; give the loop through it, and how long its start took."""
    side, size = images.shape[-1], images.shape[1]
    yaml = folder / "candidate.yaml"
    yaml.write_text(
        "description: made up, random weights\nformat: safetensors\n"
        f"architecture: {json.dumps({'name': name, 'arguments': arguments})}\nartefact: weights.safetensors\n"
        f"input: {{size: [{side}, {side}], spacing_mm: [1.0, 1.0]}}\n"
        "output: {kind: logit, classes: [a, b], positive: b}\noperating_point: 0.5\n"
    )
    candidate = load_candidate(yaml)
    contract = candidate.record.contract
    given = Given(spacing_mm=(1.0, 1.0), affine=None, modality="CT")
    batches = [
        Batch(tuple(range(number * size, (number + 1) * size)), batch, (given,) * size)
        for number, batch in enumerate(images)
    ]
    with work_folder() as work:
        place = made_place(candidate, Path(work))
        confinement = Confinement(
            read=(str(place.model),), write=str(place.work), memory_bytes=8 << 30, file_bytes=4 << 30
        )
        order = Order(
            contract=contract,
            folder=str(place.model),
            device="cpu",
            threads=THREADS,
            numeric_format="fp32",
            channels_last=False,
            compiled=False,
            deterministic=True,
            conditions=(BASELINE,),
        )
        level, started = choose("auto"), time.perf_counter()
        crew = Crew(
            launch=lambda: Session(order, confinement, level),
            conditions=(0,),
            seed=lambda condition, case: 0,
            start_seconds=120.0,
            case_seconds=120.0,
            deadline=time.monotonic() + 3600.0,
            log=folder / "log",
        )
        with crew:
            start = time.perf_counter() - started

            def run() -> NDArray[np.float64]:
                found = Found()
                for batch in batches:
                    for heard in crew.put(batch):
                        take(heard, found)
                for heard in crew.rest():
                    take(heard, found)
                return np.array(found.score, dtype=np.float64)

            def take(heard: object, found: Found) -> None:
                for positions, outputs in heard.parts:  # type: ignore[attr-defined]
                    scores = called_at_once(outputs, contract.output, len(positions))
                    assert scores is not None
                    found.add_scores([heard.batch.cases[position] for position in positions], 0, scores)  # type: ignore[attr-defined]

            yield Loop("engine", run), start

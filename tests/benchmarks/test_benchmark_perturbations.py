"""A sweep of eight perturbations at five severities: batches here, MONAI's transforms image by image there.

CPU time in one thread, in turn. Values are asserted to be equal first where nothing is drawn; where something is drawn,
``tests/perturbations`` holds the definition. Writes ``reports/benchmarks/perturbations.json``. Images are drawn by
chance.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict

import numpy as np
import pytest
import torch
from monai.transforms.intensity.array import (
    AdjustContrast,
    GaussianSmooth,
    GibbsNoise,
    RandBiasField,
    RandGaussianNoise,
    RandRicianNoise,
    ScaleIntensity,
)
from monai.transforms.spatial.array import Rotate
from ratios import REPORTS, compare, machine

from gatekeeper.canonical import JSON, pretty_json
from gatekeeper.perturbations import PERTURBATIONS, Stack

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore")]

SIZES = {"32 images of 224 x 224": (32, 224, 224), "2 volumes of 96 x 96 x 96": (2, 96, 96, 96)}
LADDERS = {
    "gaussian_noise": (0.04, 0.08, 0.12, 0.18, 0.26),
    "rician_noise": (0.04, 0.08, 0.16, 0.3, 0.5),
    "gamma_lowered": (0.9, 0.8, 0.7, 0.5, 0.3),
    "brightness_lowered": (0.1, 0.2, 0.3, 0.4, 0.5),
    "bias_field": (0.3, 0.5, 0.8, 1.1, 1.5),
    "gaussian_blur": (0.8, 1.2, 2.0, 3.0, 4.0),
    "gibbs": (0.3, 0.4, 0.5, 0.6, 0.7),
    "rotation": (2.0, 6.0, 12.0, 20.0, 30.0),
}
EQUAL = ("gamma_lowered", "brightness_lowered", "gibbs")
Transform = Callable[[torch.Tensor], torch.Tensor]


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, JSON]]:
    import monai

    found: dict[str, list[dict[str, object]]] = {"sweeps": []}
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield found  # type: ignore[misc]
    torch.set_num_threads(before)
    content: dict[str, JSON] = {
        "what": "CPU seconds of MONAI's transforms over those of the same sweep here, in one thread",
        **found,  # type: ignore[dict-item]
        "machine": machine(torch=torch.__version__, monai=monai.__version__),
    }
    (REPORTS / "perturbations.json").write_text(pretty_json(content), encoding="utf-8")


def of_monai(name: str, magnitude: float, axes: int) -> Transform:
    """Return the transform of MONAI that does the same."""
    angles = np.deg2rad(magnitude) if axes == 2 else (np.deg2rad(magnitude), 0.0, 0.0)
    made: dict[str, Callable[[], Transform]] = {
        "gaussian_noise": lambda: RandGaussianNoise(prob=1.0, std=magnitude, sample_std=False),
        "rician_noise": lambda: RandRicianNoise(prob=1.0, std=magnitude, sample_std=False),
        "gamma_lowered": lambda: AdjustContrast(magnitude),
        "brightness_lowered": lambda: ScaleIntensity(minv=None, maxv=None, factor=-magnitude),
        "bias_field": lambda: RandBiasField(prob=1.0, coeff_range=(-magnitude, magnitude)),
        "gaussian_blur": lambda: GaussianSmooth(sigma=magnitude),
        "gibbs": lambda: GibbsNoise(magnitude),
        "rotation": lambda: Rotate(angles, keep_size=True, padding_mode="zeros", align_corners=True),
    }
    return made[name]()


def stack_of(size: tuple[int, ...]) -> Stack:
    pixels = torch.from_numpy(np.random.default_rng(0).random(size, dtype=np.float32))[:, None]
    return Stack(pixels, np.ones((size[0], len(size) - 1)), tuple(range(size[0])))


def here(stack: Stack, names: tuple[str, ...]) -> float:
    started = time.process_time()
    for name in names:
        for _ in PERTURBATIONS.get(name).steps(stack, LADDERS[name]):
            pass
    return time.process_time() - started


def there(stack: Stack, transforms: dict[str, list[Transform]], names: tuple[str, ...]) -> float:
    started = time.process_time()
    for name in names:
        for transform in transforms[name]:
            for image in stack.pixels:
                transform(image)
    return time.process_time() - started


@pytest.mark.parametrize("size", list(SIZES))
def test_a_sweep_against_monai(size: str, results: dict[str, list[object]]) -> None:
    stack = stack_of(SIZES[size])
    transforms = {name: [of_monai(name, at, stack.axes) for at in ladder] for name, ladder in LADDERS.items()}
    for name in EQUAL:
        found = PERTURBATIONS.get(name).steps(stack, LADDERS[name])
        for step, transform in zip(found, transforms[name], strict=True):
            for case, image in enumerate(stack.pixels[:2]):
                np.testing.assert_allclose(step[case].numpy(), np.asarray(transform(image)), atol=1e-5, err_msg=name)
    sweep = tuple(LADDERS)
    for names in (sweep, *((name,) for name in sweep)):
        row = compare(
            f"{size}: {'all eight' if names == sweep else names[0]}",
            "MONAI, image by image",
            4.0 if names == sweep else 1.0,
            lambda names=names: here(stack, names),
            lambda names=names: there(stack, transforms, names),
        )
        results["sweeps"].append(asdict(row))

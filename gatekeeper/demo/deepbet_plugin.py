"""deepbet (Fisch et al., 2024, MIT licence) as a plug-in candidate: brain extraction on T1-weighted MR.

Registered as the entry point ``deepbet`` of the group ``gatekeeper.candidates``. The steps are those of deepbet itself,
one volume at a time: a first network finds the head, a second one outlines the brain within it, then the largest
component is kept and its holes are filled.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gatekeeper.errors import Code, UsageError

THRESHOLD = 0.5  # of deepbet's own command line
WEIGHTS = ("bbox_model.pt", "model.pt")
FOLDER = "models"  # of the weights, within the candidate's folder and within deepbet
_NEEDS = {"deepbet": "deepbet", "cc3d": "deepbet", "fill_voids": "deepbet", "pandas": "pandas", "tqdm": "tqdm"}


class Volume(Protocol):
    """What a plug-in is given for a case; ``image`` has shape (1, x, y, z), axes along the patient's RAS."""

    @property
    def image(self) -> NDArray[np.float32]:
        """The prepared volume."""


def load(folder: Path | None, device: str) -> Callable[[Volume], NDArray[np.uint8]]:
    """Load both networks on ``device`` (``cpu`` or ``cuda``), their weights from ``folder``/models, else deepbet's own.

    What is returned gives the mask of a volume, shape (x, y, z), 1 inside the brain. It raises ValueError for a volume
    in which no brain is found, such as a blank one. Raises UsageError when deepbet, or what it needs, is missing.
    """
    require_deepbet()
    from deepbet.bet import BrainExtraction

    place = weights_folder() if folder is None else folder / FOLDER
    with warnings.catch_warnings():  # TorchScript, which deepbet is published as, is deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        bet = BrainExtraction(
            no_gpu=device == "cpu", model_path=str(place / "model.pt"), bbox_model_path=str(place / "bbox_model.pt")
        )

    def extract(case: Volume) -> NDArray[np.uint8]:
        volume = np.array(case.image[0], dtype=np.float32)  # writable: deepbet makes a tensor of it
        try:
            mask = bet.postprocess(bet.run_model(volume) > THRESHOLD)
        except (ValueError, AssertionError) as error:  # no component, or none that is large enough
            raise ValueError("no brain is found") from error
        return np.asarray(mask, dtype=np.uint8)

    return extract


def require_deepbet() -> None:
    """Raise UsageError, with what to install, unless deepbet and what it needs are there. Nothing is imported."""
    missing = sorted({package for module, package in _NEEDS.items() if find_spec(module) is None})
    if missing:
        raise UsageError(
            Code.MISSING_PACKAGE,
            f"the brain extraction network is not installed: {', '.join(missing)}",
            mend="pip install fill-voids connected-components-3d pandas tqdm, and then, without what it asks for, "
            "pip install --no-deps deepbet==1.0.2",
        )


def weights_folder() -> Path:
    """Return where deepbet keeps its weights: beside its package. Raises UsageError when they are not there."""
    require_deepbet()
    found = find_spec("deepbet")
    place = Path(found.origin).parents[1] / "data" / FOLDER if found and found.origin else Path()
    if not all((place / name).is_file() for name in WEIGHTS):
        raise UsageError(
            Code.FILE_NOT_FOUND, "deepbet is installed without its weights", mend="install it again: deepbet==1.0.2"
        )
    return place

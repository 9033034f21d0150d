"""Inference by a sliding window, around any call over tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gatekeeper.candidate.contract import SlidingWindow
from gatekeeper.errors import Code, UsageError

if TYPE_CHECKING:
    import torch


def windowed(call: Callable[[torch.Tensor], object], window: SlidingWindow | None) -> Callable[[torch.Tensor], object]:
    """Return ``call`` applied to windows that are put together again, as MONAI does; as it is without a window.

    Raises UsageError where MONAI is not installed.
    """
    if window is None:
        return call
    require_monai("sliding_window")
    from monai.inferers.utils import sliding_window_inference

    def over_windows(images: torch.Tensor) -> object:
        returned: object = sliding_window_inference(
            images,
            roi_size=window.size,
            sw_batch_size=window.batch_size,
            predictor=_plain(call),
            overlap=window.overlap,
            mode=window.mode,
        )
        return returned

    return over_windows


def _plain(call: Callable[[torch.Tensor], object]) -> Callable[..., Any]:
    def predictor(windows: torch.Tensor) -> object:
        return call(windows)

    return predictor


def require_monai(what: str) -> None:
    """Raise UsageError where MONAI is not installed; ``what`` is the thing that needs it."""
    from importlib.util import find_spec

    if find_spec("monai") is None:
        raise UsageError(
            Code.MISSING_PACKAGE,
            f"{what} needs MONAI, which is not installed",
            mend="pip install 'gatekeeper-imaging[models]'",
        )

"""What a reader gives, and what a reader is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Image:
    """A decoded image: ``pixels`` float32 (rows, columns) after rescaling; ``spacing_mm`` (row, column) or None."""

    pixels: NDArray[np.float32]
    spacing_mm: tuple[float, float] | None
    modality: str
    body_part: str


@dataclass(frozen=True)
class Reader:
    """A registered reader: tells from the first bytes and the name whether a file is its own, and decodes it."""

    name: str
    title: str
    recognises: Callable[[bytes, PurePosixPath], bool]
    read: Callable[[bytes, str, str], Image]
    aliases: tuple[str, ...] = ()

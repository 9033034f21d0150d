"""Grey pixels as a PNG in base 64, the same bytes each time."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray


def png(grey: NDArray[np.uint8]) -> str:
    """Return a grey image, shape (rows, columns), as a PNG in base 64."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(grey)).save(stream, format="PNG", compress_level=9)
    return base64.b64encode(stream.getvalue()).decode("ascii")

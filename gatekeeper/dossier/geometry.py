"""Where things stand on a page, in millimetres, and the places of page one that signatures will fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MARGIN_TOP = 19.0
MARGIN_SIDE = 21.0
MARGIN_BOTTOM = 23.0

ROLES = {"tool": "Tool", "engineer": "Engineer", "qa": "Quality assurance"}
FRAME_WIDTH = 51.0
FRAME_HEIGHT = 21.0
LABEL_HEIGHT = 5.0

_POINTS_PER_MM = 72.0 / 25.4


@dataclass(frozen=True)
class Paper:
    """A sheet of paper, upright, in mm; what follows from its size and the margins."""

    width: float
    height: float

    @property
    def text_width(self) -> float:
        """The width between the margins."""
        return self.width - 2.0 * MARGIN_SIDE

    @property
    def first_page(self) -> float:
        """The height of page one's content, a little less than there is between the margins, so that it stays one."""
        return self.height - MARGIN_TOP - MARGIN_BOTTOM - 0.5

    @property
    def frame_top(self) -> float:
        """Where the frames of signatures begin, from the top of page one's content."""
        return self.first_page - FRAME_HEIGHT

    @property
    def sheet(self) -> float:
        """The height of page one that text may fill: down to the labels of the frames."""
        return self.frame_top - LABEL_HEIGHT - 2.0


# ISO 216 and ANSI/ASME Y14.1, by the names that policies use.
PAPERS: Mapping[str, Paper] = {"a4": Paper(210.0, 297.0), "letter": Paper(215.9, 279.4)}


@dataclass(frozen=True)
class SignatureBox:
    """A reserved rectangle: ``page`` counts from 0; corners in PDF points, the origin at the bottom left."""

    page: int
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Frame:
    """A signature's frame as page one draws it, in mm from the top left of the page's content."""

    role: str
    label: str
    left: float
    top: float
    width: float
    height: float


def frames(paper: Paper) -> tuple[Frame, ...]:
    """Return the frames of page one from left to right, as far apart as there is room between the margins."""
    gap = (paper.text_width - len(ROLES) * FRAME_WIDTH) / (len(ROLES) - 1)
    return tuple(
        Frame(role, label, index * (FRAME_WIDTH + gap), paper.frame_top, FRAME_WIDTH, FRAME_HEIGHT)
        for index, (role, label) in enumerate(ROLES.items())
    )


def signature_boxes(paper: Paper) -> dict[str, SignatureBox]:
    """Return the same frames by role (``tool``, ``engineer``, ``qa``), as a signing step places its fields."""
    return {frame.role: _box(frame, paper) for frame in frames(paper)}


def _box(frame: Frame, paper: Paper) -> SignatureBox:
    left, top = MARGIN_SIDE + frame.left, paper.height - MARGIN_TOP - frame.top
    corners = (left, top - frame.height, left + frame.width, top)
    x1, y1, x2, y2 = (round(length * _POINTS_PER_MM, 3) for length in corners)
    return SignatureBox(0, x1, y1, x2, y2)

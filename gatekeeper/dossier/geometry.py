"""Where things stand on a page: A4, in millimetres, and the places of page one that signatures will fill."""

from __future__ import annotations

from dataclasses import dataclass

PAGE_WIDTH = 210.0
PAGE_HEIGHT = 297.0
MARGIN_TOP = 19.0
MARGIN_SIDE = 21.0
MARGIN_BOTTOM = 23.0

FIRST_PAGE_HEIGHT = PAGE_HEIGHT - MARGIN_TOP - MARGIN_BOTTOM - 0.5

ROLES = {"tool": "Tool", "engineer": "Engineer", "qa": "Quality assurance"}
FRAME_WIDTH = 51.0
FRAME_HEIGHT = 21.0
FRAME_GAP = 7.5
FRAME_TOP = FIRST_PAGE_HEIGHT - FRAME_HEIGHT
LABEL_HEIGHT = 5.0
SHEET_HEIGHT = FRAME_TOP - LABEL_HEIGHT - 2.0

_POINTS_PER_MM = 72.0 / 25.4


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


def frames() -> tuple[Frame, ...]:
    """Return the frames of page one from left to right."""
    return tuple(
        Frame(role, label, index * (FRAME_WIDTH + FRAME_GAP), FRAME_TOP, FRAME_WIDTH, FRAME_HEIGHT)
        for index, (role, label) in enumerate(ROLES.items())
    )


def signature_boxes() -> dict[str, SignatureBox]:
    """Return the same frames by role (``tool``, ``engineer``, ``qa``), as a signing step places its fields."""
    return {frame.role: _box(frame) for frame in frames()}


def _box(frame: Frame) -> SignatureBox:
    left, top = MARGIN_SIDE + frame.left, PAGE_HEIGHT - MARGIN_TOP - frame.top
    corners = (left, top - frame.height, left + frame.width, top)
    x1, y1, x2, y2 = (round(length * _POINTS_PER_MM, 3) for length in corners)
    return SignatureBox(0, x1, y1, x2, y2)

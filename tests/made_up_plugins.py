"""Candidates, made up for tests, whose code misbehaves: plug-ins that bring their own distribution in their folder."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import numpy as np
from made_up_bench import SPACING_MM, Bench, disc, write_dicom

# What the corner pixel of an image tells the plug-in ``moody`` to do.
MOODS = {
    "answer": 0,
    "raise": 1,
    "decline": 2,
    "exit": 3,
    "segfault": 4,
    "hang": 5,
    "allocate": 6,
    "nan": 7,
    "outside": 8,
    "shape": 9,
    "print": 10,
    "fork": 11,
    "kill_itself": 12,
}

MOODY = dedent(
    """
    import ctypes
    import os
    import sys
    import time

    import numpy as np


    class Declined(Exception):
        pass


    def load(folder, device):
        return answer


    def answer(case):
        image = case.image[0]
        mood = round(float(image[0, 0]) * 255)
        if mood == 1:
            raise ValueError("a name: Jane Doe")
        if mood == 2:
            raise Declined
        if mood == 3:
            os._exit(3)
        if mood == 4:
            ctypes.string_at(0)
        if mood == 5:
            time.sleep(3600)
        if mood == 6:
            np.ones(30 << 30, dtype=np.uint8)
        if mood == 7:
            return np.array([np.nan])
        if mood == 8:
            return np.array([2.0])
        if mood == 9:
            return np.zeros((3, 3))
        if mood == 10:
            for _ in range(2000):
                sys.stdout.write("x" * 100_000)
        if mood == 11:
            if os.fork() == 0:
                os._exit(0)
        if mood == 12:
            os.kill(os.getpid(), 9)
        return np.array([0.9 if image.mean() > 0.06 else 0.1])
    """
)

CONTRACT = """\
description: made up for tests
format: python
plugin: {name}
artefact: code
input: {{size: [64, 64], spacing_mm: [0.75, 0.75], intensity: {{zero_at: 0, one_at: 255}}}}
output:
  kind: probability
  classes: [small, large]
  positive: large
  refuses: {{exceptions: [Declined]}}
operating_point: 0.5
batch_size: 64
producer: trusted
"""


def write_plugin(folder: Path, name: str, code: str) -> Path:
    """Write a candidate whose folder ``code`` is a distribution with one plug-in; return its YAML."""
    package = folder / "code"
    (package / f"{name}-1.0.dist-info").mkdir(parents=True)
    (package / f"{name}.py").write_text(code)
    (package / f"{name}-1.0.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (package / f"{name}-1.0.dist-info" / "entry_points.txt").write_text(
        f"[gatekeeper.candidates]\n{name} = {name}:load\n"
    )
    (folder / "candidate.yaml").write_text(CONTRACT.format(name=name))
    return folder / "candidate.yaml"


def write_moods(bench: Bench, moods: dict[int, str]) -> None:
    """Write the images of a bench again, those of some discs with a mood in their corner, and lock them."""
    from gatekeeper.locking import lock_testset

    for number, mood in moods.items():
        radius = 3.0 if number % 2 == 0 else 10.0
        pixels = disc(radius)
        pixels[0, 0] = np.uint8(MOODS[mood])
        write_dicom(bench.folder / "images" / f"disc-{number:03}-0.dcm", pixels)
    lock_testset(bench.table, bench.lock, bench.home)


__all__ = ["MOODS", "MOODY", "SPACING_MM", "write_moods", "write_plugin"]

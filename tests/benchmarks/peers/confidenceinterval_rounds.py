"""Measures ``confidenceinterval`` (PyPI), round by round as its standard input asks; runs in an environment of its own.

Arguments: a file of scores and labels, the method, the number of resamples, the seed, and the calls in a round. Prints
for each line read: CPU seconds of a round, the area under the ROC curve, and both limits.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from confidenceinterval import roc_auc_score


def main(path: str, method: str, resamples: int, seed: int, calls: int) -> None:
    data = np.load(path)
    scores, labels = data["scores"], data["labels"]
    for _ in sys.stdin:
        options = {} if method == "delong" else {"n_resamples": resamples, "random_state": np.random.default_rng(seed)}
        started = time.process_time()
        for _ in range(calls):
            area, limits = roc_auc_score(labels, scores, 0.95, method, **options)
        took = time.process_time() - started
        print(json.dumps([took, float(area), *(float(limit) for limit in limits)]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(int(number) for number in sys.argv[3:]))

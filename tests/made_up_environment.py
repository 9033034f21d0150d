"""The environment of a made-up run."""

from __future__ import annotations

from gatekeeper.evidence import Environment

_DEFAULTS: dict[str, object] = {
    "gatekeeper": "0.1.0",
    "python": "3.11.2",
    "platform": "Linux-6.1-x86_64-with-glibc2.36",
    "processor": "AMD EPYC 7763 64-Core Processor",
    "cores": 8,
    "device": "cpu",
    "device_name": "AMD EPYC 7763 64-Core Processor",
    "numeric_format": "fp32",
    "batch_size": 64,
    "threads": 4,
    "deterministic": True,
    "isolation": "own process, no network, resource limits",
    "packages": {"torch": "2.13.0", "numpy": "2.3.1", "pyarrow": "22.0.0", "scipy": "1.16.0", "pydicom": "3.0.1"},
}


def environment(**other: object) -> Environment:
    """Return a made-up environment in which some facts are others."""
    return Environment.model_validate({**_DEFAULTS, **other})

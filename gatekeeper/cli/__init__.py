"""One file a command: parse, call one use case, print."""

from gatekeeper.cli.app import main

__all__ = ["main"]

"""YAML in which every value means what it looks like, each with its place."""

from gatekeeper.strict_yaml.characters import shortened, unseen_character
from gatekeeper.strict_yaml.document import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_TOLD,
    MAX_VALUES,
    Document,
    KeyPath,
    first_of,
    parse_yaml,
    read_yaml,
)

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_TOLD",
    "MAX_VALUES",
    "Document",
    "KeyPath",
    "first_of",
    "parse_yaml",
    "read_yaml",
    "shortened",
    "unseen_character",
]

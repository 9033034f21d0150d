"""The registry type: a readable table of named entries, open to plug-ins by entry point."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from typing import Generic, Protocol, TypeVar

from gatekeeper.errors import Code, UsageError


class Named(Protocol):
    """What can stand in a catalogue: it has a name and may have other names."""

    @property
    def name(self) -> str:
        """The one name by which policies and configurations call it."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other accepted names."""


Entry = TypeVar("Entry", bound=Named)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like ``name``, or None when none is alike (difflib ratio under 0.6)."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return found[0] if found else None


class Catalogue(Generic[Entry]):
    """All entries of one kind, by name and alias.

    A name that the tree does not have is looked for in the entry-point group ``gatekeeper.<kind>s`` and loaded only
    when asked for. ``listed_by`` is a command that lists them all. Raises ValueError when two entries share a name,
    UsageError for a name that nobody has.
    """

    def __init__(self, kind: str, entries: Iterable[Entry], listed_by: str | None = None) -> None:
        self.kind = kind
        self.listed_by = listed_by
        self._entries = tuple(entries)
        self._by_name: dict[str, Entry] = {}
        for entry in self._entries:
            for name in (entry.name, *entry.aliases):
                if name in self._by_name:
                    raise ValueError(f"two entries of the {kind} catalogue are called {name!r}")
                self._by_name[name] = entry

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name or name in self._plugins()

    def names(self) -> tuple[str, ...]:
        """Return every accepted name: the entries', their aliases', then the plug-ins'."""
        return (*self._by_name, *self._plugins())

    def get(self, name: str) -> Entry:
        """Return the entry called ``name``."""
        if name in self._by_name:
            return self._by_name[name]
        if name in self._plugins():
            return self._load(name)
        near = nearest(name, self.names())
        raise UsageError(
            Code.UNKNOWN_NAME,
            f'unknown {self.kind} "{name}"',
            mend=f'did you mean "{near}"?' if near else self.how_to_see_all,
        )

    @property
    def how_to_see_all(self) -> str:
        """All names in a line, or the command that lists them where there are many."""
        return f"`{self.listed_by}` lists them" if self.listed_by else f"known: {', '.join(sorted(self.names()))}"

    def _plugins(self) -> tuple[str, ...]:
        return tuple(sorted(point.name for point in entry_points(group=f"gatekeeper.{self.kind}s")))

    def _load(self, name: str) -> Entry:
        points = [point for point in entry_points(group=f"gatekeeper.{self.kind}s") if point.name == name]
        if len(points) > 1:
            raise UsageError(
                Code.DUPLICATE,
                f'{len(points)} installed packages offer a {self.kind} called "{name}"',
                mend="uninstall all but one of them",
            )
        try:
            entry: Entry = points[0].load()
        except Exception as error:
            raise UsageError(
                Code.UNKNOWN_NAME,
                f'the plug-in for {self.kind} "{name}" cannot be loaded',
                where=points[0].value,
                why=type(error).__name__,
                mend="reinstall the package that offers it, or choose another",
            ) from error
        self._by_name[name] = entry
        return entry

"""What a runner of GitHub Actions makes of a log and of its files, written after the runner's own source.

``ActionCommand.TryParseV2`` and ``TryParse`` (src/Runner.Common/ActionCommand.cs), and ``EnvFileKeyValuePairs``
(src/Runner.Worker/FileCommandManager.cs).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    data: str


def commands(log: str) -> list[Command]:
    """Return what the runner would obey in a log."""
    return [found for line in log.split("\n") if (found := _second(line) or _first(line))]


def outputs(text: str) -> dict[str, str]:
    """Return the outputs that a file sets; the last of a name counts."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            name, end = line[:heredoc], line[heredoc + 2 :]
            value = []
            while (inner := next(lines)) != end:
                value.append(inner)
            found[name] = "\n".join(value)
        else:
            assert equals > 0, f"the runner refuses {line!r}"
            found[line[:equals]] = line[equals + 1 :]
    return found


def _second(line: str) -> Command | None:
    message = line.lstrip()
    if not message.startswith("::"):
        return None
    end = message.find("::", 2)
    if end < 0:
        return None
    name, _, listed = message[2:end].partition(" ")
    properties = dict(part.split("=", 1) for part in listed.strip().split(",") if "=" in part)
    return Command(name, {key: _unescaped(value) for key, value in properties.items()}, _unescaped(message[end + 2 :]))


def _first(line: str) -> Command | None:
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    return Command(line[start + 3 : end].partition(" ")[0], {}, line[end + 1 :])


def _unescaped(text: str) -> str:
    for written, meant in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(written, meant)
    return text

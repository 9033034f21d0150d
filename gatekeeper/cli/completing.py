"""What a shell offers behind <Tab>: names of policies, metrics, perturbations, roles, kinds of reports.

It answers at every key press: nothing heavy is imported, and policies are named by their files. Where nothing is
offered, shells offer files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

Offer = Callable[[], Sequence[str]]


def policies() -> list[str]:
    """Return the names of policies: one's own in ./policies, and the shipped ones."""
    return sorted({*_policies_in(Path("policies")), *shipped_policies()})


def shipped_policies() -> list[str]:
    """Return the names of shipped policies: inside the installed package, or beside it."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "policies"
    return sorted(_policies_in(inside if inside.is_dir() else package.parent / "policies"))


def _policies_in(folder: Path) -> Iterator[str]:
    for file in (*folder.glob("*.yaml"), *folder.glob("*/*.yaml")):
        name = file.relative_to(folder).with_suffix("").as_posix()
        if not name.startswith("base/"):
            yield name


def metrics() -> list[str]:
    """Return the names of metrics, without their aliases."""
    from gatekeeper.metrics import METRICS

    return [metric.name for metric in METRICS]


def perturbations() -> list[str]:
    """Return the names of perturbations, without their aliases."""
    from gatekeeper.perturbations import PERTURBATIONS

    return [perturbation.name for perturbation in PERTURBATIONS]


def roles() -> list[str]:
    """Return the roles that sign after the tool."""
    return ["engineer", "qa"]


def reports() -> list[str]:
    """Return what ``--report`` takes, each kind with a file that it could be written to."""
    return [
        *("text:verdict.txt", "json:verdict.json", "junit:junit.xml", "sarif:verdict.sarif"),
        *("markdown:verdict.md", "html:dossier.html", "github"),
    ]


def formats() -> list[str]:
    """Return the formats of candidates."""
    return ["onnx", "safetensors", "torchscript", "export", "monai_bundle", "python", "command", "predictions"]


def tasks() -> list[str]:
    """Return the tasks that policies are of."""
    return ["classification", "detection", "segmentation", "quantification"]


# (command, parameter) -> what is offered; "" stands for every command that has no line of its own.
OFFERS: dict[tuple[str, str], Offer] = {
    ("", "policy"): policies,
    ("", "role"): roles,
    ("", "require_role"): roles,
    ("check", "report"): reports,
    ("evaluate", "report"): reports,
    ("init", "context"): shipped_policies,
    ("init", "form"): formats,
    ("init", "task"): tasks,
    ("policy show", "name"): policies,
    ("policy explain", "name"): policies,
    ("policy approve", "name"): policies,
    ("policy lint", "names"): policies,
    ("policy sources", "names"): policies,
    ("policy diff", "before"): policies,
    ("policy diff", "after"): policies,
    ("policy metrics", "names"): metrics,
    ("policy perturbations", "names"): perturbations,
}


def attach(command: object, path: tuple[str, ...] = ()) -> None:
    """Give every parameter of a command, and of those below it, what OFFERS has for it."""
    for parameter in getattr(command, "params", ()):
        offer = OFFERS.get((" ".join(path), parameter.name)) or OFFERS.get(("", parameter.name))
        if offer is not None:
            # The one place where a parameter keeps it; an option of `typer.Option` would be written there as well.
            parameter._custom_shell_complete = _matching(offer)
    for name, below in getattr(command, "commands", {}).items():
        attach(below, (*path, name))


def _matching(offer: Offer) -> Callable[[object, object, str], list[str]]:
    return lambda context, parameter, begun: [name for name in offer() if name.startswith(begun)]

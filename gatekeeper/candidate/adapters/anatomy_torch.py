"""What files of torch are made of: TorchScript, exported programs, bundles. Their pickles are read, never unpickled."""

from __future__ import annotations

import json
import math
import pickletools
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gatekeeper.candidate.adapters.anatomy import MOST_NAMES, Anatomy, Sign

_LARGEST_TEXT = 64 << 20
_LARGEST_PICKLE = 64 << 20
# What a pickle of plain weights calls, and nothing else.
_PLAIN = re.compile(
    r"(collections OrderedDict|torch\._utils _rebuild_\w+|torch(\.storage)? \w*Storage|torch (Size|device|dtype)"
    r"|torch (bfloat16|float\d+|u?int\d+|bool)|torch\.serialization \w+|__torch__[\w.]* \w+|torch\.jit\._pickle \w+)\Z"
)
# Operations of TorchScript that touch files or leave TorchScript.
_OF_FILES = ("aten::save", "aten::from_file", "aten::_load", "prim::PythonOp")
# Words of arithmetic of sizes, as sympy writes it. What is left of an expression without them is strange.
_ARITHMETIC = re.compile(
    r"\s+|'[suz][a-z]*\d+'|\b[suz][a-z]*\d+\b|\d+(?:\.\d+)?|[-+*/(),<>=!~&|%]|\b(?:positive|integer|nonnegative)\b"
    r"|\b(?:torch\.utils\._sympy\.functions\.)?(?:Symbol|Integer|Rational|Float|Add|Mul|Pow|Max|Min|Mod|PythonMod|FloorDiv"
    r"|CleanDiv|CeilDiv|IntTrueDiv|FloatTrueDiv|ModularIndexing|Where|TruncToInt|ToFloat|FloorToInt|CeilToInt|Eq|Ne|Lt"
    r"|Le|Gt|Ge|And|Or|Not|Identity|StrictLessThan|LessThan|GreaterThan|StrictGreaterThan|Equality|Unequality|oo|int_oo"
    r"|IntInfinity|NegativeIntInfinity|True|False)\b"
)


def dissect_torchscript(path: Path) -> Anatomy:
    """Count the operations of a scripted network. It is loaded for that."""
    from gatekeeper.candidate.adapters.torchscript import read_torchscript

    signs = set(_signs_of_pickles(path))
    module = read_torchscript(path, "cpu")
    operators: Counter[str] = Counter()
    for node in _nodes(module.inlined_graph):
        operators[node.kind()] += 1
    if any(name in operators for name in _OF_FILES):
        signs.add(Sign.FILE_OPERATIONS)
    dtypes = Counter(str(tensor.dtype).removeprefix("torch.") for tensor in module.state_dict().values())
    return Anatomy(
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        operators={name[:300]: count for name, count in operators.most_common(MOST_NAMES)},
        tensors=sum(dtypes.values()),
        dtypes=dict(dtypes),
        # Every TorchScript file has a pickle, of tensors and attributes; torch reads it by a reader of its own.
        signs=_sorted(signs - {Sign.PICKLE}),
    )


def _nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _nodes(inner)


def dissect_exported(path: Path) -> Anatomy:
    """Count the operations of an exported program from its JSON. It is not loaded."""
    signs: set[Sign] = set()
    operators: Counter[str] = Counter()
    tensors = parameters = 0
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = member.filename
            if "/sample_inputs/" in name:
                signs.add(Sign.SAMPLE_INPUTS)
            elif name.endswith("_weights_config.json"):
                for entry in _json(archive, member)["config"].values():
                    meta = entry["tensor_meta"]
                    tensors += 1
                    if entry["use_pickle"]:
                        signs.add(Sign.PICKLE)
                    if entry["is_param"]:
                        parameters += math.prod(size["as_int"] for size in meta["sizes"])
            elif re.search(r"(^|/)models/[^/]+\.json\Z", name):
                document = _json(archive, member)
                operators.update(str(node["target"]) for node in document["graph_module"]["graph"]["nodes"])
                if any(_ARITHMETIC.sub("", text) for text in _expressions(document)):
                    signs.add(Sign.STRANGE_EXPRESSION)
    return Anatomy(
        parameters=parameters,
        operators={name[:300]: count for name, count in operators.most_common(MOST_NAMES)},
        tensors=tensors,
        signs=_sorted(signs),
    )


def _expressions(value: Any) -> Iterator[str]:
    """Give every ``expr_str``: torch evaluates them when the file is loaded."""
    ahead = [value]
    while ahead:
        item = ahead.pop()
        if isinstance(item, dict):
            if isinstance(item.get("expr_str"), str):
                yield item["expr_str"]
            ahead += item.values()
        elif isinstance(item, list):
            ahead += item


def _json(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
    return json.loads(_limited(archive, member, _LARGEST_TEXT))


def _limited(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    with archive.open(member) as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise OverflowError
    return data


def dissect_bundle(folder: Path) -> Anatomy:
    """Count what the configurations of a bundle would evaluate and call; look at its weights. Nothing is evaluated."""
    signs: set[Sign] = set()
    targets: Counter[str] = Counter()
    for path in sorted((folder / "configs").rglob("*")):
        if path.suffix in (".json", ".yaml", ".yml") and path.is_file():
            for key, value in _leaves(_configuration(path)):
                if key == "_target_":
                    targets[str(value)[:300]] += 1
                    signs.add(Sign.TARGETS)
                elif isinstance(value, str) and value.startswith("$"):
                    signs.add(Sign.EXPRESSIONS)
    weights, script = folder / "models" / "model.pt", folder / "models" / "model.ts"
    parameters = None
    if weights.is_file():
        signs |= set(_signs_of_pickles(weights))
        parameters = _count_weights(weights)
    elif script.is_file():
        parameters = dissect_torchscript(script).parameters
    return Anatomy(parameters=parameters, operators=dict(targets.most_common(MOST_NAMES)), signs=_sorted(signs))


def _configuration(path: Path) -> Any:
    if path.stat().st_size > _LARGEST_TEXT:
        raise OverflowError
    text = path.read_text()
    if path.suffix == ".json":
        return json.loads(text)
    import yaml

    return yaml.safe_load(text)


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, key)
    else:
        yield key, value


def _count_weights(path: Path) -> int | None:
    import torch

    from gatekeeper.candidate.adapters.monai_bundle import read_state

    try:
        state = read_state(path)
    except Exception:
        return None
    floats = [value for value in state.values() if isinstance(value, torch.Tensor) and value.is_floating_point()]
    return sum(value.numel() for value in floats)


def _signs_of_pickles(path: Path) -> Iterator[Sign]:
    """Tell of the pickles in a file of torch: a zip, or one pickle."""
    pickles = []
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.endswith(".pkl") and not member.filename.endswith("debug_pkl"):
                    pickles.append(_limited(archive, member, _LARGEST_PICKLE))
    else:
        with path.open("rb") as stream:
            pickles.append(stream.read(_LARGEST_PICKLE))
    if pickles:
        yield Sign.PICKLE
    if any(not _PLAIN.match(name) for data in pickles for name in _globals(data)):
        yield Sign.FOREIGN_PICKLE


def _globals(data: bytes) -> Iterator[str]:
    """Give what a pickle would call, as ``module name``; one that cannot be read is foreign."""
    words: list[str] = []
    try:
        for operation, argument, _ in pickletools.genops(data):
            if operation.name in ("GLOBAL", "INST"):
                yield str(argument)
            elif operation.name == "STACK_GLOBAL":
                yield " ".join(words[-2:])
            elif operation.name in ("EXT1", "EXT2", "EXT4"):
                yield "extension"
            elif isinstance(argument, str):
                words.append(argument)
    except Exception:
        yield "unreadable"


def _sorted(signs: set[Sign]) -> tuple[Sign, ...]:
    return tuple(sign for sign in Sign if sign in signs)

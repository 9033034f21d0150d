"""What an ONNX graph is made of: by the package `onnx` where it is installed, else by what onnxruntime tells of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from gatekeeper.candidate.adapters.anatomy import MOST_NAMES, Anatomy, Port, Sign

_KNOWN_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training", "com.microsoft")


def dissect_onnx(path: Path) -> Anatomy:
    """Return inputs, outputs, operators, opsets and external data of a graph."""
    return _by_onnx(path) if find_spec("onnx") is not None else _by_onnxruntime(path)


def _by_onnx(path: Path) -> Anatomy:
    import onnx

    from gatekeeper.candidate.adapters.onnx_graph import count_parameters

    model = onnx.load(str(path), load_external_data=False)
    graphs = list(_graphs(model.graph))
    operators: Counter[str] = Counter()
    for holder in (*graphs, *model.functions):
        for node in holder.node:
            operators[f"{node.domain}.{node.op_type}" if node.domain else node.op_type] += 1
    tensors = [tensor for graph in graphs for tensor in graph.initializer]
    dtypes = Counter(onnx.TensorProto.DataType.Name(tensor.data_type).lower() for tensor in tensors)
    external = sorted({entry.value for tensor in tensors for entry in tensor.external_data if entry.key == "location"})
    domains = {node.domain for holder in (*graphs, *model.functions) for node in holder.node}
    own = {function.domain for function in model.functions}
    signs = []
    if domains - {*_KNOWN_DOMAINS} - own:
        signs.append(Sign.OWN_OPERATORS)
    if any(_leads_out(location) for location in external):
        signs.append(Sign.DATA_OUTSIDE)
    given = {tensor.name for tensor in model.graph.initializer}
    return Anatomy(
        parameters=count_parameters(path),
        inputs=_ports(onnx, (port for port in model.graph.input if port.name not in given)),
        outputs=_ports(onnx, model.graph.output),
        operators={name[:300]: count for name, count in operators.most_common(MOST_NAMES)},
        opsets={(opset.domain or "ai.onnx")[:300]: opset.version for opset in model.opset_import},
        tensors=len(tensors),
        dtypes=dict(dtypes),
        external=tuple(location[:300] for location in external[:MOST_NAMES]),
        signs=tuple(signs),
    )


def _graphs(graph: Any, depth: int = 0) -> Iterator[Any]:
    """Give a graph and those within its nodes: branches and loops."""
    yield graph
    if depth < 20:
        for node in graph.node:
            for attribute in node.attribute:
                for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                    yield from _graphs(inner, depth + 1)


def _leads_out(location: str) -> bool:
    path = PurePosixPath(location.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts


def _ports(onnx: Any, ports: Iterable[Any]) -> tuple[Port, ...]:
    found = []
    for port in list(ports)[:MOST_NAMES]:
        kind = port.type.tensor_type
        lengths = [str(one.dim_value) if one.HasField("dim_value") else one.dim_param or "?" for one in kind.shape.dim]
        dtype = onnx.TensorProto.DataType.Name(kind.elem_type).lower()
        found.append(Port(name=port.name[:300], dtype=dtype, shape=" x ".join(lengths)[:300]))
    return tuple(found)


def _by_onnxruntime(path: Path) -> Anatomy:
    import onnxruntime

    from gatekeeper.candidate.adapters.onnx_graph import check_runtime

    check_runtime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    ports = [
        tuple(
            Port(name=port.name[:300], dtype=port.type[:300], shape=" x ".join(map(str, port.shape))[:300])
            for port in side[:MOST_NAMES]
        )
        for side in (session.get_inputs(), session.get_outputs())
    ]
    return Anatomy(inputs=ports[0], outputs=ports[1])

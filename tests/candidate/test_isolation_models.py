"""What a model needs goes on within the walls, without new processes: torch, onnxruntime, safetensors, threads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from walled import Ended, confinement, run

from gatekeeper.candidate.isolation import Level, usable_levels

LEVELS = [
    pytest.param(level, marks=pytest.mark.skipif(level not in usable_levels(), reason=f"no {level.value} here"))
    for level in Level
]
_CODE = """
import numpy as np
folder = json.loads(sys.argv[1])["read"][0]
image = np.load(folder + "/image.npy")
def torch_forward():
    import torch
    from safetensors.torch import load_file
    torch.set_num_threads(4)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.Conv2d(8, 1, 3))
    network.load_state_dict(load_file(folder + "/weights.safetensors"))
    with torch.inference_mode():
        return float(network(torch.from_numpy(image)).double().sum())
def onnx_forward():
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 4
    session = onnxruntime.InferenceSession(folder + "/model.onnx", options, providers=["CPUExecutionProvider"])
    return float(session.run(None, {"image": image})[0].astype("float64").sum())
def scipy_blur():
    from scipy.ndimage import gaussian_filter
    return float(gaussian_filter(image.astype("float64"), 1.0).sum())
attempt("torch")(torch_forward)
attempt("onnxruntime")(onnx_forward)
attempt("scipy")(scipy_blur)
attempt("digest")(lambda: __import__("hashlib").sha256(b"made up").hexdigest()[:8])
attempt("temporary file")(lambda: __import__("tempfile").TemporaryFile().write(b"x"))
attempt("copy with its times")(
    lambda: __import__("shutil").copy2(folder + "/image.npy", os.environ["TMPDIR"] + "/copy.npy")
)
attempt("threads")(lambda: len(os.listdir("/proc/self/task")))
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    """A made-up network as safetensors and as ONNX, an image, and what they answer without walls."""
    import onnx
    import torch
    from onnx import TensorProto, helper
    from safetensors.torch import save_file
    from scipy.ndimage import gaussian_filter

    folder = tmp_path_factory.mktemp("made-up")
    allowed = confinement(folder)
    into = Path(allowed.read[0])
    torch.manual_seed(4711)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.Conv2d(8, 1, 3))
    save_file(network.state_dict(), into / "weights.safetensors")
    image = np.random.default_rng(4711).normal(size=(2, 1, 64, 64)).astype(np.float32)
    np.save(into / "image.npy", image)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Relu", ["image"], ["answer"])],
        "made-up",
        [value("image", TensorProto.FLOAT, [2, 1, 64, 64])],
        [value("answer", TensorProto.FLOAT, [2, 1, 64, 64])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), into / "model.onnx")
    with torch.inference_mode():
        forward = float(network(torch.from_numpy(image)).double().sum())
    relu = float(np.maximum(image, 0).astype(np.float64).sum())
    return folder, {
        "torch": forward,
        "onnxruntime": relu,
        "scipy": float(gaussian_filter(image.astype(np.float64), 1.0).sum()),
    }


@pytest.fixture(scope="module", params=LEVELS)
def ended(request: pytest.FixtureRequest, model: tuple[Path, dict[str, float]]) -> Ended:
    """All of it in one process, at each level."""
    allowed = confinement(model[0])
    ended = run(_CODE, allowed, request.param, OMP_NUM_THREADS="4", TMPDIR=allowed.write, HOME=allowed.write)
    assert ended.status == 0, ended.printed
    return ended


@pytest.mark.parametrize("what", ["torch", "onnxruntime", "scipy"])
def test_answers_are_those_without_walls(ended: Ended, model: tuple[Path, dict[str, float]], what: str) -> None:
    assert ended.told[what] == ["done", pytest.approx(model[1][what], rel=1e-5)], ended.printed


@pytest.mark.parametrize("what", ["digest", "temporary file", "copy with its times", "threads"])
def test_what_libraries_lean_on_is_there(ended: Ended, what: str) -> None:
    assert ended.told[what][0] == "done"


def test_several_threads_ran(ended: Ended) -> None:
    assert ended.told["threads"][1] >= 4


def test_nothing_is_printed_of_what_is_refused(ended: Ended) -> None:
    assert ended.printed == b""

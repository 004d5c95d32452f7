"""Tiny exported networks whose answer is known: the depth is a function of the picture that numpy can repeat."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from unflat.models.registry import depth_model

Shape = Sequence[int | str | None]
NCHW: Shape = (1, 3, "height", "width")
NHWC: Shape = (1, "height", "width", 3)
_TYPES = {np.float32: TensorProto.FLOAT, np.float16: TensorProto.FLOAT16, np.uint8: TensorProto.UINT8}


def save(path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: list[Any] | None = None) -> Path:
    """Write one graph."""
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, initializer=weights or [])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def picture_input(shape: Shape, dtype: Any = np.float32) -> Any:
    return helper.make_tensor_value_info("pixels", _TYPES[dtype], list(shape))


def mean_net(path: Path, shape: Shape = NCHW, *, times: float = 1.0, plus: float = 0.0, **more: Any) -> Path:
    """Answers ``times * mean over the colours + plus``, as (1, h, w).

    Args:
        path: Where to.
        shape: Of the input.
        times: Factor.
        plus: Offset.
        **more: ``dtype`` of the input; ``keep``: 1 keeps the axis of the colours; ``metadata``: of the graph.
    """
    dtype = more.get("dtype", np.float32)
    axis = 1 if shape[1] == 3 else 3
    nodes = [
        helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["grey"], axes=[axis], keepdims=more.get("keep", 0)),
        helper.make_node("Mul", ["grey", "times"], ["scaled"]),
        helper.make_node("Add", ["scaled", "plus"], ["depth"]),
    ]
    weights = [numpy_helper.from_array(np.array(v, np.float32), n) for n, v in (("times", times), ("plus", plus))]
    out = helper.make_tensor_value_info("depth", TensorProto.FLOAT, None)
    save(path, nodes, [picture_input(shape, dtype)], [out], weights)
    if "metadata" in more:
        model = onnx.load(path)
        helper.set_model_props(model, more["metadata"])
        onnx.save(model, path)
    return path


def constant_net(path: Path, answers: dict[str, np.ndarray[Any, Any]], shape: Shape = NCHW) -> Path:
    """Answers the same arrays to every picture."""
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value, name))
        for name, value in answers.items()
    ]
    outs = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), None) for n, v in answers.items()
    ]
    return save(path, nodes, [picture_input(shape)], outs)


def external_net(path: Path, location: str, *, write: bool = True) -> Path:
    """A network whose one weight lies in the file that ``location`` names."""
    weight = numpy_helper.from_array(np.full((1, 3, 1, 1), 2.0, np.float32), "weight")
    if write:
        (path.parent / location).write_bytes(weight.raw_data)
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    entry = weight.external_data.add()
    entry.key, entry.value = "location", location
    nodes = [
        helper.make_node("Mul", ["pixels", "weight"], ["double"]),
        helper.make_node("ReduceMean", ["double"], ["depth"], axes=[1], keepdims=0),
    ]
    out = helper.make_tensor_value_info("depth", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "tiny", [picture_input(NCHW)], [out], initializer=[weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def card(path: Path, **said: Any) -> Path:
    """Lay a card beside a network."""
    path.with_suffix(".json").write_text(json.dumps(said))
    return path


def opened(path: Path, **more: Any) -> Any:
    """The model behind a file."""
    return depth_model(f"onnx:{path}", threads=1, **more)


def leftovers(cache: Path) -> list[str]:
    """What lies in the cache."""
    return sorted(one.name for one in (cache / "models").iterdir()) if (cache / "models").is_dir() else []

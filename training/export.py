"""Write the ONNX file that ships: small weights under their own names, so that training can go on from it.

    python -m training.export RUN/weights.pt --source "how they were trained"
    python -m training.export RUN/weights.pt --onward

The first replaces worlds.onnx and its row in cards.json, both in src/unflat/models/weights. The second writes
training/onward.onnx, which does not ship: weights in the middle of a training, for the next machine to go on from.
`state_from_onnx` gives the weights of either back. Matrices are stored in 8 bits, one scale for each output
channel, which changes no figure by more than 0.001; so one file of half the size serves the wheel, browsers and the
next training. All else is in half precision.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from training.network import Block, Shipped, Worlds

WEIGHTS = Path(__file__).parents[1] / "src" / "unflat" / "models" / "weights"
ONWARD = Path(__file__).with_name("onward.onnx")
_OUTPUTS = ["inverse_depth", "sky", "log_error", "log_focal"]


def to_onnx(network: Worlds, step: int) -> onnx.ModelProto:
    """The graph of `network` for any picture size, its weights as float16, its step in the metadata.

    Raises:
        ValueError: See `graph`.
    """
    return graph(network, Shipped(network), _OUTPUTS, _OUTPUTS[:3], step)


def graph(network: nn.Module, shipped: nn.Module, outputs: list[str], maps: list[str], step: int) -> onnx.ModelProto:
    """The graph of `shipped` around `network`, from bytes (1, h, w, 3); `maps` are the outputs of a size of their own.

    Biases of the network are moved (see `_merge_twin_biases`), which changes no answer.

    Raises:
        ValueError: Two weights are equal in every number, as in a network that has learnt nothing yet; the exporter
            would store them once and the second could not be had back.
    """
    _merge_twin_biases(network)
    buffer = io.BytesIO()
    torch.onnx.export(
        shipped.eval(),
        (torch.zeros(1, 192, 256, 3, dtype=torch.uint8),),
        buffer,
        input_names=["rgb"],
        output_names=outputs,
        dynamic_axes={"rgb": {1: "h", 2: "w"}, **{n: {2: "h2", 3: "w2"} for n in maps}},
        opset_version=17,
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        dynamo=False,
    )
    model = onnx.load_from_string(buffer.getvalue())
    lost = _weights(network) - set(_stored(model))
    if lost:
        raise ValueError(f"weights that are not in the file: {', '.join(sorted(lost))}")
    halve(model)
    entry = model.metadata_props.add()
    entry.key, entry.value = "step", str(step)
    onnx.checker.check_model(model)
    return model


def _merge_twin_biases(network: nn.Module) -> None:
    """Move the bias of each shortcut into its twin on the main path; their sum is all that counts.

    The two get the same gradient and stay equal for ever, and the exporter would store equal tensors only once.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, Block) and isinstance(module.shortcut_norm, nn.BatchNorm2d):
                module.second_norm.bias += module.shortcut_norm.bias
                module.shortcut_norm.bias.zero_()


def _weights(network: nn.Module) -> set[str]:
    """Names of what a file must hold; the counters of batches serve nobody."""
    return {name for name in network.state_dict() if not name.endswith("num_batches_tracked")}


def _stored(model: onnx.ModelProto) -> dict[str, onnx.TensorProto]:
    """The tensors of a file by their names in `Worlds`."""
    return {t.name.removesuffix("_half").removeprefix("network."): t for t in model.graph.initializer}


def halve(model: onnx.ModelProto) -> None:
    """Store every float32 weight as float16 behind a Cast; onnxruntime folds the casts when it loads.

    Statistics stay as they are: a variance may be too small for float16.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or tensor.name.endswith(("mean", "deviation", "running_var")):
            continue
        name = tensor.name
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), name + "_half")
        tensor.CopyFrom(half)
        casts.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT, name=name + "_cast"))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def in_bytes(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a half-precision model with each weight matrix in 8 bits, one scale an output channel (symmetric).

    onnxruntime folds them when it loads, if its session is told `session.disable_quant_qdq`; else at each run.
    """
    small = onnx.ModelProto()
    small.CopyFrom(model)
    nodes, scales = [], []
    for tensor in small.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if not tensor.name.endswith("_half") or array.ndim < 2:
            continue
        name, flat = tensor.name, array.astype(np.float32).reshape(len(array), -1)
        scale = np.maximum(np.abs(flat).max(1), 1e-8) / 127
        whole = np.clip(np.rint(flat / scale[:, None]), -127, 127).astype(np.int8).reshape(array.shape)
        tensor.CopyFrom(numpy_helper.from_array(whole, name))
        scales.append(numpy_helper.from_array(scale.astype(np.float32), name + "_scale"))
        full = name.removesuffix("_half")
        cast = next(node for node in small.graph.node if node.name == full + "_cast")
        small.graph.node.remove(cast)
        nodes.append(
            helper.make_node("DequantizeLinear", [name, name + "_scale"], [full], axis=0, name=full + "_whole")
        )
    rest = list(small.graph.node)
    del small.graph.node[:]
    small.graph.node.extend([*nodes, *rest])
    small.graph.initializer.extend(scales)
    onnx.checker.check_model(small)
    return small


def state_from_onnx(path: Path) -> tuple[dict[str, torch.Tensor], int]:
    """The weights (float32) and the step of a shipped file, for `Worlds.load_state_dict`.

    A file of an older network lacks the layers that came later.
    """
    model = onnx.load(path)
    names, stored = _weights(Worlds()), _stored(model)
    scales = {k.removesuffix("_half_scale"): t for k, t in stored.items() if k.endswith("_half_scale")}
    state = {}
    for name in names & stored.keys():
        array = numpy_helper.to_array(stored[name]).astype(np.float32)
        if name in scales:
            scale = numpy_helper.to_array(scales[name])
            array = array * scale.reshape(-1, *(1 for _ in array.shape[1:]))
        state[name] = torch.from_numpy(array)
    step = next(int(entry.value) for entry in model.metadata_props if entry.key == "step")
    return state, step


def write_card(path: Path, model_bytes: bytes, source: str, limits: str, gives: list[str]) -> None:
    """Replace the row of `worlds` in the cards at `path`; `gives` names the outputs that are good enough to be used."""
    row = {
        "name": "worlds",
        "summary": "Our own small network, trained on pictures that a program drew.",
        "kind": "scale",
        "licence": "Apache-2.0",
        "commercial": True,
        "source": source,
        "file": "worlds.onnx",
        "sha256": hashlib.sha256(model_bytes).hexdigest(),
        "bytes": len(model_bytes),
        "gives": gives,
        "limits": limits,
    }
    replace_row(path, row)


def replace_row(path: Path, row: dict[str, object]) -> None:
    """Put a row into the cards at `path`, in the place of one of the same name."""
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    rows = [r for r in rows if r["name"] != row["name"]] + [row]
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Export from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="weights.pt of a run")
    parser.add_argument("--source", help="how they were trained, for the card")
    parser.add_argument("--onward", action="store_true", help=f"write {ONWARD.name}, to go on from; nothing ships")
    parser.add_argument("--limits", default="", help="where it is known to fail, for the card")
    outputs = ("sky", "confidence", "field of view")
    parser.add_argument(
        "--gives",
        nargs="*",
        choices=outputs,
        default=list(outputs[:2]),
        help="outputs beside depth that are good enough to be used (default: sky confidence)",
    )
    given = parser.parse_args()
    if not given.weights.is_file():
        parser.error(f"{given.weights} does not exist")
    if given.onward == bool(given.source):
        parser.error("give --source for what ships, or --onward for what does not")
    network, saved = Worlds(), torch.load(given.weights, weights_only=True, map_location="cpu")
    network.load_state_dict(saved["weights"])
    model = to_onnx(network, saved["seen"])
    data = in_bytes(model).SerializeToString()
    place = ONWARD if given.onward else WEIGHTS / "worlds.onnx"
    beside = place.with_name("." + place.name)
    beside.write_bytes(data)
    beside.replace(place)
    if given.onward:
        return
    write_card(WEIGHTS / "cards.json", data, given.source, given.limits, given.gives)


if __name__ == "__main__":
    main()

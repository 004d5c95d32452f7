"""Write the ONNX file that ships: half-precision weights under their own names, so that training can go on from it.

    python -m training.export WEIGHTS.pt --step 24000 --source "how they were trained"

The file is the only checkpoint of the project: :func:`state_from_onnx` gives the weights back.
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
_OUTPUTS = ["inverse_depth", "sky", "log_error", "log_focal"]


def to_onnx(network: Worlds, step: int) -> onnx.ModelProto:
    """The graph of ``network`` with any picture size, its weights as float16, its step in the metadata."""
    _merge_twin_biases(network)
    buffer = io.BytesIO()
    torch.onnx.export(
        Shipped(network).eval(),
        (torch.zeros(1, 192, 256, 3, dtype=torch.uint8),),
        buffer,
        input_names=["rgb"],
        output_names=_OUTPUTS,
        dynamic_axes={"rgb": {1: "h", 2: "w"}, **{n: {2: "h2", 3: "w2"} for n in _OUTPUTS[:3]}},
        opset_version=17,
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        dynamo=False,
    )
    model = onnx.load_from_string(buffer.getvalue())
    _halve(model)
    entry = model.metadata_props.add()
    entry.key, entry.value = "step", str(step)
    onnx.checker.check_model(model)
    return model


def _merge_twin_biases(network: Worlds) -> None:
    """Move the bias of each shortcut into its twin on the main path; their sum is all that counts.

    The two get the same gradient and stay equal for ever, and the exporter would store equal tensors only once.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, Block) and isinstance(module.shortcut_norm, nn.BatchNorm2d):
                module.second_norm.bias += module.shortcut_norm.bias
                module.shortcut_norm.bias.zero_()


def _halve(model: onnx.ModelProto) -> None:
    """Store every float32 weight as float16 behind a Cast; onnxruntime folds the casts when it loads."""
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


def state_from_onnx(path: Path) -> tuple[dict[str, torch.Tensor], int]:
    """The weights (float32) and the step of a shipped file, for :meth:`Worlds.load_state_dict`."""
    model = onnx.load(path)
    arrays = {t.name.removesuffix("_half"): numpy_helper.to_array(t) for t in model.graph.initializer}
    names = set(Worlds().state_dict())
    state = {
        name: torch.from_numpy(array.astype(np.float32).copy())
        for full, array in arrays.items()
        if (name := full.removeprefix("network.")) in names
    }
    step = next(int(entry.value) for entry in model.metadata_props if entry.key == "step")
    return state, step


def write_card(model_bytes: bytes, source: str, limits: str, gives: list[str]) -> None:
    """Replace the row of ``worlds`` in cards.json; ``gives`` names what these weights do well enough to be used."""
    path = WEIGHTS / "cards.json"
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
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
    rows = [r for r in rows if r["name"] != "worlds"] + [row]
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Export from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="a state dict saved by torch.save")
    parser.add_argument("--step", type=int, required=True, help="training pictures seen so far")
    parser.add_argument("--source", required=True, help="how they were trained, for the card")
    parser.add_argument("--limits", default="", help="where it is known to fail, for the card")
    parser.add_argument("--gives", nargs="*", default=["sky", "confidence"], help="outputs good enough to be used")
    given = parser.parse_args()
    network = Worlds()
    state = torch.load(given.weights, weights_only=True)
    missing = network.load_state_dict({k: v.float() for k, v in state.items()}, strict=False).missing_keys
    if any(not name.endswith("num_batches_tracked") for name in missing):
        raise SystemExit(f"weights without {missing[:3]}")
    data = to_onnx(network, given.step).SerializeToString()
    (WEIGHTS / "worlds.onnx").write_bytes(data)
    write_card(data, given.source, given.limits, given.gives)


if __name__ == "__main__":
    main()

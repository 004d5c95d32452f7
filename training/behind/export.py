"""Write the ONNX file of the network `behind` that ships, and its card.

    python -m training.behind.export RUN/state.pt --source "how it was trained"

It replaces behind.onnx and its row in cards.json, both in src/unflat/models/weights. Weights are stored in half
precision under their own names; `state_from_onnx` gives them back, so training can go on from the file.
"""

from __future__ import annotations

import argparse
import hashlib
import io
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from training.behind.network import CHANNELS, Behind
from training.export import WEIGHTS, halve, replace_row

NAME = "behind"


def to_onnx(network: Behind, steps: int) -> onnx.ModelProto:
    """The graph for pictures of any size that is a multiple of 16, its steps in the metadata."""
    buffer = io.BytesIO()
    torch.onnx.export(
        network.eval(),
        (torch.zeros(1, CHANNELS, 64, 64),),
        buffer,
        input_names=["shown"],
        output_names=["added"],
        dynamic_axes={name: {0: "n", 2: "h", 3: "w"} for name in ("shown", "added")},
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load_from_string(buffer.getvalue())
    halve(model)
    entry = model.metadata_props.add()
    entry.key, entry.value = "steps", str(steps)
    onnx.checker.check_model(model)
    return model


def state_from_onnx(path: Path) -> tuple[dict[str, torch.Tensor], int]:
    """The weights (float32) and the steps of a shipped file, for `Behind.load_state_dict`.

    Raises:
        KeyError: The file lacks a weight of this network.
    """
    model = onnx.load(path)
    stored = {t.name.removesuffix("_half"): t for t in model.graph.initializer}
    names = Behind().state_dict()
    state = {n: torch.from_numpy(numpy_helper.to_array(stored[n]).astype(np.float32)) for n in names}
    return state, next(int(entry.value) for entry in model.metadata_props if entry.key == "steps")


def main() -> None:
    """Export from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state", type=Path, help="state.pt of a run")
    parser.add_argument("--source", required=True, help="how it was trained, for the card")
    parser.add_argument("--limits", default="", help="where it is known to fail, for the card")
    given = parser.parse_args()
    network, saved = Behind(), torch.load(given.state, weights_only=True)
    network.load_state_dict(saved["mean"])
    data = to_onnx(network, saved["steps"]).SerializeToString()
    beside = WEIGHTS / f".{NAME}.onnx"
    beside.write_bytes(data)
    beside.replace(WEIGHTS / f"{NAME}.onnx")
    row: dict[str, object] = {
        "name": NAME,
        "summary": "Our own small network that continues lines behind outlines; trained on drawn pictures.",
        "kind": None,
        "licence": "Apache-2.0",
        "commercial": True,
        "source": given.source,
        "file": f"{NAME}.onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "gives": ["hidden colours"],
        "limits": given.limits,
    }
    replace_row(WEIGHTS / "cards.json", row)


if __name__ == "__main__":
    main()

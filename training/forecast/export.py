"""Write forecast.onnx and its card, beside the depth network's.

    python -m training.forecast.export RUN/weights.pt --thresholds 0.4 0.4 0.5 --source "how they were trained"

The thresholds (mirror, glass, blank wall; chosen on a validation set by benchmarks/forecast.py --choose) are moved into
the biases of the last layer, so that one half is where each begins to count, whatever weights ship.
"""

from __future__ import annotations

import argparse
import hashlib
import math
from pathlib import Path

import torch

from training.export import WEIGHTS, graph, in_bytes, replace_row
from training.forecast.labels import CLASSES
from training.forecast.network import Forecast, Shipped

NAME = "forecast"


def moved(network: Forecast, thresholds: list[float]) -> None:
    """Move the biases so that a probability at its threshold becomes one half."""
    with torch.no_grad():
        network.answer.bias -= torch.tensor([math.log(t / (1 - t)) for t in thresholds])  # type: ignore[operator]


def card(data: bytes, source: str, limits: str) -> dict[str, object]:
    """The row of the cards."""
    return {
        "name": NAME,
        "summary": "Our own small network that marks mirrors, glass and blank walls; trained on drawn pictures.",
        "kind": None,
        "licence": "Apache-2.0",
        "commercial": True,
        "source": source,
        "file": f"{NAME}.onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "gives": list(CLASSES),
        "limits": limits,
    }


def main() -> None:
    """Export from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="weights.pt of a run")
    parser.add_argument("--thresholds", type=float, nargs=3, required=True, metavar=tuple(CLASSES))
    parser.add_argument("--source", required=True, help="how they were trained, for the card")
    parser.add_argument("--limits", default="", help="where it is known to fail, for the card")
    parser.add_argument("--out", type=Path, metavar="ONNX", help="write only this file, and no card")
    given = parser.parse_args()
    if not given.weights.is_file():
        parser.error(f"{given.weights} does not exist")
    if not all(0 < t < 1 for t in given.thresholds):
        parser.error("thresholds lie between 0 and 1")
    network, saved = Forecast(), torch.load(given.weights, weights_only=True, map_location="cpu")
    network.load_state_dict(saved["weights"])
    moved(network, given.thresholds)
    data = in_bytes(graph(network, Shipped(network), ["marks"], ["marks"], saved["seen"])).SerializeToString()
    target = given.out or WEIGHTS / f"{NAME}.onnx"
    beside = target.with_name(f".{target.name}")
    beside.write_bytes(data)
    beside.replace(target)
    if given.out is None:
        replace_row(WEIGHTS / "cards.json", card(data, given.source, given.limits))


if __name__ == "__main__":
    main()

"""How fast the shipped network is beside the graph of Depth Anything V2 Small, at one picture size, in one run.

    python benchmarks/depth_speed.py [--size 518 392] [--threads 2] [--long-sides 320 384 512]

Needs torch and transformers (the graph is built from its published sizes with random weights: speed does not depend on
them). Both run in onnxruntime on the CPU, turn by turn; the figure is the ratio of their medians.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from unflat.models.looking import input_size
from unflat.models.runtime import onnxruntime as ort
from unflat.models.sessions import open_session
from unflat.models.weights import CARDS, weights_path
from unflat.types import Size


def small_graph(path: Path, width: int, height: int) -> None:
    """Depth Anything V2 Small (ViT-S/14, features 64; 24.8 M parameters) as ONNX, random weights."""
    import torch
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

    backbone = Dinov2Config(
        hidden_size=384, num_hidden_layers=12, num_attention_heads=6, image_size=518, patch_size=14,
        out_indices=[3, 6, 9, 12], apply_layernorm=True, reshape_hidden_states=False,
    )  # fmt: skip
    config = DepthAnythingConfig(
        backbone_config=backbone, patch_size=14, reassemble_hidden_size=384, reassemble_factors=[4, 2, 1, 0.5],
        neck_hidden_sizes=[48, 96, 192, 384], fusion_hidden_size=64, head_in_index=-1, head_hidden_size=32,
    )  # fmt: skip
    network = DepthAnythingForDepthEstimation(config).eval().requires_grad_(False)
    print(f"Depth Anything V2 Small: {sum(p.numel() for p in network.parameters()) / 1e6:.1f} M parameters")

    class Bare(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return network(pixel_values=x).predicted_depth

    torch.onnx.export(Bare(), (torch.zeros(1, 3, height, width),), str(path), opset_version=17, dynamo=False)


def main() -> None:
    """Print milliseconds and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=(518, 392), help="width and height, multiples of 14")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--long-sides", type=int, nargs="*", default=[320, 384, 448, 512])
    given = parser.parse_args()
    options = ort.SessionOptions()
    options.intra_op_num_threads = given.threads
    ours = open_session(weights_path(CARDS["worlds"]), given.threads, "cpu")
    with tempfile.TemporaryDirectory() as folder:
        small_graph(Path(folder) / "small.onnx", *given.size)
        other = ort.InferenceSession(str(Path(folder) / "small.onnx"), options, providers=["CPUExecutionProvider"])
    name = other.get_inputs()[0].name
    theirs = np.zeros((1, 3, given.size[1], given.size[0]), np.float32)
    runs = {"Depth Anything V2 Small": lambda: other.run(None, {name: theirs})}
    for long_side in sorted({*given.long_sides, max(given.size)}):
        size = input_size(Size(*given.size), long_side)
        picture = np.zeros((1, size.height, size.width, 3), np.uint8)
        runs[f"worlds {size.width}×{size.height}"] = lambda picture=picture: ours.run(None, {"rgb": picture})
    times: dict[str, list[float]] = {key: [] for key in runs}
    for _ in range(given.rounds):
        for key, run in runs.items():
            for _ in range(3):  # for so long the threads of the session before may still spin on our cores
                run()
            begun = time.perf_counter()
            run()
            times[key].append(time.perf_counter() - begun)
    slow = float(np.median(times["Depth Anything V2 Small"]))
    print(f"load {os.getloadavg()[0]:.1f}, {given.threads} threads, {given.size[0]}×{given.size[1]}")
    for key, seconds in times.items():
        middle = float(np.median(seconds))
        print(f"{key:28} {1000 * middle:7.1f} ms   {slow / middle:5.1f}×")


if __name__ == "__main__":
    main()

"""Train the forecast on shards that painters have left, for as long as it is given.

    python -m training.paint SHARDS --seed 7001 --panes --shared ../shared/data &
    python -m training.forecast.train RUN --shards SHARDS [MORE ...] --hours 1 --depth WEIGHTS

RUN/state.pt holds weights, their running mean and the optimiser's memory; a second call goes on from it. RUN/weights.pt
holds the mean alone, for training.forecast.export. RUN/log.jsonl gets a line every 50 steps.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training import augment, shards
from training.export import state_from_onnx
from training.forecast.labels import CLASSES
from training.forecast.network import Forecast, begin
from training.forecast.supply import Supply
from training.precision import native
from training.worlds.sky import Panoramas
from training.worlds.sources import HELP, PANORAMAS, folder

MEAN_KEEPS = 0.998
WARM_UP = 100
SAVE_EVERY = 50
LOG_EVERY = 50
WEIGHT_DECAY = 0.02
ENCODER_RATE = 0.5
"""Of the rate, for the levels taken over from the depth network."""


def losses(logits: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """Cross entropy of each pixel, and one minus the overlap of each class over the batch (soft Dice: Milletari, 2016).

    logits, truth: (n, 3, h, w). The first says how sure to be, the second that a small pane is a whole pane.
    """
    guess = torch.sigmoid(logits)
    both, total = (guess * truth).sum((0, 2, 3)), (guess + truth).sum((0, 2, 3))
    overlap = 1 - (2 * both + 10) / (total + 10)
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none").mean((0, 2, 3))
    return {"entropy": entropy.sum() * 4, **{name: overlap[k] for k, name in enumerate(CLASSES)}}


def freeze(network: Forecast, levels: int) -> None:
    """Leave the finest levels of the encoder as they came, statistics too: no step goes through them."""
    parts = (network.stem, network.stem_norm, *network.stages[:levels]) if levels else ()
    for part in parts:
        part.requires_grad_(False).eval()


def optimiser_of(network: Forecast) -> torch.optim.AdamW:
    """Taken-over levels learn more slowly; vectors do not decay."""
    taken = [p for name, p in network.named_parameters() if name.startswith(("stem", "stages", "near_context"))]
    known = {id(p) for p in taken}
    new = [p for p in network.parameters() if id(p) not in known]
    groups = [
        {"params": [p for p in part if (p.ndim > 1) == matrix], "share": share, "weight_decay": WEIGHT_DECAY * matrix}
        for part, share in ((taken, ENCODER_RATE), (new, 1.0))
        for matrix in (True, False)
    ]
    return torch.optim.AdamW(groups, lr=0.0)


def learn(network: Forecast, run: Path, supply: Supply, given: argparse.Namespace) -> None:
    """Cosine schedule over the hours given, after a warm-up."""
    optimiser, state = optimiser_of(network), run / "state.pt"
    mean = {k: v.clone() for k, v in network.state_dict().items()}
    steps, seen = 0, 0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        mean, steps, seen = saved["mean"], saved["steps"], saved["seen"]
    rng, start, first = np.random.default_rng([given.seed, seen]), time.monotonic(), steps
    shown: dict[str, float] = {}
    while (past := (time.monotonic() - start) / (given.hours * 3600)) < 1:
        rate = given.rate * min(1.0, (steps - first + 1) / WARM_UP) * (0.5 * (1 + math.cos(math.pi * past)) + 0.01)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["share"]
        rgb, truth = supply.batch(given.batch, rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=native("cpu")):
            logits = network(rgb)
        terms = losses(logits.float(), truth)
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        steps, seen = steps + 1, seen + given.batch
        keep = min(MEAN_KEEPS, 1 - 1 / (steps / 10 + 2))
        for name, value in network.state_dict().items():
            if value.dtype.is_floating_point:
                mean[name].mul_(keep).add_(value, alpha=1 - keep)
        shown = {k: 0.95 * shown.get(k, v) + 0.05 * v for k, v in ((k, v.item()) for k, v in terms.items())}
        if steps % LOG_EVERY == 0:
            line = {"seen": seen, "seconds": round(time.monotonic() - start), "shards": len(supply.open)}
            line |= {k: round(v, 4) for k, v in shown.items()}
            with (run / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
        if steps % SAVE_EVERY == 0:
            _save(run, network, optimiser, mean, steps, seen)
    _save(run, network, optimiser, mean, steps, seen)


def _save(
    run: Path, network: Forecast, optimiser: torch.optim.Optimizer, mean: dict[str, Tensor], steps: int, seen: int
) -> None:
    """Write RUN/state.pt and RUN/weights.pt, each whole or not at all."""
    state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "mean": mean}
    for name, content in (
        ("state.pt", {**state, "steps": steps, "seen": seen}),
        ("weights.pt", {"weights": mean, "seen": seen}),
    ):
        beside = run / f".{name}"
        torch.save(content, beside)
        beside.replace(run / name)


def _depth_weights(path: Path) -> dict[str, Tensor]:
    """The weights of the depth network, from a shipped file or from a run's weights.pt."""
    if path.suffix == ".onnx":
        return state_from_onnx(path)[0]
    return torch.load(path, weights_only=True, map_location="cpu")["weights"]


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of this training; made if it is not there")
    parser.add_argument("--shards", type=Path, nargs="+", required=True, metavar="FOLDER", help="what painters filled")
    parser.add_argument("--hours", type=float, required=True, help="how long to train")
    parser.add_argument("--depth", type=Path, required=True, help="depth weights to begin from, .onnx or weights.pt")
    parser.add_argument("--shared", type=folder, metavar="FOLDER", help=HELP)
    parser.add_argument("--rate", type=float, default=6e-4, help="highest learning rate (default: 6e-4)")
    parser.add_argument("--batch", type=int, default=16, help="pictures a step (default: 16)")
    parser.add_argument("--scale", type=float, default=1.0, help="picture size over 256 × 192 (default: 1)")
    parser.add_argument("--frozen", type=int, default=0, help="levels that stay as they came (default: 0)")
    parser.add_argument("--seed", type=int, default=1, help="of weights and batches (default: 1)")
    given = parser.parse_args()
    if not any(shards.found(root) for root in given.shards):
        parser.error("there are no shards yet")
    given.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(given.seed)
    others = None
    if given.shared:
        panoramas = Panoramas.read(given.shared / PANORAMAS)
        others = augment.manners(panoramas.radiance, np.random.default_rng(given.seed))
    network = Forecast()
    begin(network, _depth_weights(given.depth))
    freeze(network, given.frozen)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    learn(network, given.run, Supply(given.shards, others, given.scale), given)


if __name__ == "__main__":
    main()

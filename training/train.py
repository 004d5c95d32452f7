"""Train the network on what the painters paint, for as long as it is given; go on from any shipped file.

    python -m training.train RUN --hours 3 --shared ../shared/data       # from an empty disk: paints, trains, saves
    python -m training.train RUN --hours 3 --start src/unflat/models/weights/worlds.onnx

On a processor `--workers` threads each take a part of every batch with a copy of the network, one core each, and their
gradients are averaged: half as fast again as one network on two threads.

RUN/shards is filled by `python -m training.paint` (started by this command unless --painters 0). RUN/state.pt holds
weights, their running mean, and the optimisers' memory; a second call goes on from it. RUN/weights.pt holds the mean
alone, for training.export. RUN/log.jsonl gets a line every 50 steps.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training import augment, muon, shards
from training.export import state_from_onnx
from training.losses import TERMS, losses, truth
from training.network import Worlds
from training.worlds.sky import Panoramas
from training.worlds.sources import HELP, PANORAMAS, folder

SHAPES = ((256, 192), (192, 256), (256, 160), (224, 224), (288, 160))
"""(width, height) of the pictures of a batch, at --scale 1; how often each is drawn:"""
SHAPE_WEIGHTS = (0.5, 0.2, 0.15, 0.08, 0.07)
MEAN_KEEPS = 0.9985
"""How much of the running mean of the weights stays at each step."""
WEIGHT_DECAY = 0.02
NO_MATRICES = ("stem", "head", "focal")
"""Layers that look at colours or give the answers: AdamW moves them, Muon all other matrices."""
WARM_UP = 200
SAVE_EVERY = 200
LOG_EVERY = 50
LOOK_EVERY = 60.0
"""Seconds between looks for new shards."""


@dataclass(slots=True)
class Run:
    """Everything that changes while training."""

    folder: Path
    network: Worlds
    copies: list[Worlds]  # one for every worker after the first, who has the network itself
    workers: Executor
    optimisers: tuple[torch.optim.Optimizer, ...]
    mean: dict[str, torch.Tensor]
    seen: int  # pictures in all its life; the "step" of a shipped file
    rng: np.random.Generator
    steps: int = 0  # of the optimiser, since this run's first start


def begin(folder: Path, start: Path | None, rate: float, seed: int, workers: int = 1) -> Run:
    """A run that goes on from RUN/state.pt where there is one, else from a shipped file if one is given, else new."""
    torch.manual_seed(seed)
    network, seen, steps, mean, state = Worlds(), 0, 0, None, folder / "state.pt"
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    saved = torch.load(state, weights_only=True, map_location=device) if state.exists() else None
    if saved:
        network.load_state_dict(saved["network"])
        seen, steps, mean = saved["seen"], saved["steps"], saved["mean"]
    elif start:
        weights, seen = state_from_onnx(start)
        ours = network.state_dict()
        unknown = weights.keys() - ours.keys()
        if unknown:
            raise SystemExit(f"{start} holds weights that this network has no place for: {sorted(unknown)}")
        fitting = {k: v for k, v in weights.items() if v.shape == ours[k].shape}
        network.load_state_dict(fitting, strict=False)  # what has another shape now begins anew
    network = network.to(device, memory_format=torch.channels_last)
    copies = [deepcopy(network) for _ in range(workers - 1)] if device.type == "cpu" else []
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    matrices, rest = muon.split(network, NO_MATRICES)
    optimisers = (
        muon.Muon(matrices, rate, WEIGHT_DECAY, pool=pool if copies else None),
        torch.optim.AdamW(rest, rate, weight_decay=WEIGHT_DECAY),
    )
    if saved:
        for optimiser, state_of in zip(optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state_of)
    mean = mean or {k: v.clone() for k, v in network.state_dict().items()}
    return Run(folder, network, copies, pool, optimisers, mean, seen, np.random.default_rng([seed, seen]), steps)


def save(run: Run) -> None:
    """Write RUN/state.pt and RUN/weights.pt, each whole or not at all."""
    state = {
        "network": run.network.state_dict(),
        "optimisers": [optimiser.state_dict() for optimiser in run.optimisers],
        "mean": run.mean,
        "seen": run.seen,
        "steps": run.steps,
    }
    for name, content in (("state.pt", state), ("weights.pt", run.mean)):
        beside = run.folder / f".{name}"
        torch.save(content, beside)
        beside.replace(run.folder / name)


def follow(run: Run) -> None:
    """Move the running mean of the weights towards what they are."""
    keep = min(MEAN_KEEPS, 1 - 1 / (run.steps / 10 + 2))
    for name, value in run.network.state_dict().items():
        if value.dtype.is_floating_point:
            run.mean[name].mul_(keep).add_(value, alpha=1 - keep)
        else:
            run.mean[name].copy_(value)


class Supply:
    """Batches of augmented samples from the shards there are, looked for again now and then."""

    def __init__(self, root: Path, others: NDArray[np.uint8] | None, scale: float, threads: int = 1) -> None:
        self.root, self.others, self.scale = root, others, scale
        self.feeders = ThreadPoolExecutor(threads)
        self.open: dict[Path, tuple[float, shards.Shard]] = {}
        self.looked, self.looking = -math.inf, Lock()

    def look(self) -> None:
        """Open what is new, forget what is gone."""
        if time.monotonic() - self.looked < LOOK_EVERY:
            return
        there = shards.found(self.root)
        for path, made in there.items():
            if path not in self.open or self.open[path][0] != made:
                try:
                    self.open[path] = (made, shards.Shard(path))
                except FileNotFoundError:
                    continue  # it is just being replaced; the next look finds it
        self.open = {p: s for p, s in self.open.items() if p in there}
        self.looked = time.monotonic()

    def picture(
        self, choices: list[shards.Shard], size: tuple[int, int], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], float]:
        """One augmented sample of a shard."""
        shard = choices[int(rng.integers(len(choices)))]
        i = int(rng.integers(len(shard)))
        rgb, depth, kind, f = augment.crop(
            shard.rgb[i], shard.inverse[i], shard.what[i], float(shard.focal[i]), size, rng
        )
        return augment.photometric(rgb, rng, self.others), depth, kind, f

    def batch(self, count: int, rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
        """(rgb (n, 3, h, w) in 0..1, inverse (n, 1, h, w), what (n, 1, h, w), log focal (n,))."""
        with self.looking:
            self.look()
        width, height = SHAPES[int(rng.choice(len(SHAPES), p=SHAPE_WEIGHTS))]
        size = round(width * self.scale / 32) * 32, round(height * self.scale / 32) * 32
        choices = [s for _, s in self.open.values()]
        seeds = rng.integers(1 << 62, size=count)
        made = self.feeders.map(lambda seed: self.picture(choices, size, np.random.default_rng(seed)), seeds)
        pictures, inverse, what, focal = zip(*made, strict=True)
        rgb_tensor = (
            torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        )
        return (
            rgb_tensor,
            torch.from_numpy(np.stack(inverse))[:, None],
            torch.from_numpy(np.stack(what))[:, None],
            torch.tensor(focal),
        )


def gradients(network: Worlds, supply: Supply, batch: int, seed: int) -> dict[str, torch.Tensor]:
    """Leave the gradients of a batch of its own in the network; the terms of its loss."""
    device = next(network.parameters()).device
    made = supply.batch(batch, np.random.default_rng(seed))
    rgb, inverse, what, focal = (part.to(device, non_blocking=True) for part in made)
    with torch.autocast(device.type, torch.bfloat16):
        answer = network(rgb)
    terms = losses(*(a.float() for a in answer), truth(inverse, what, focal))
    network.zero_grad()
    torch.stack([TERMS[name] * term for name, term in terms.items()]).sum().backward()
    return {name: term.detach() for name, term in terms.items()}


@torch.no_grad()
def _gather(networks: list[Worlds]) -> None:
    """Leave the mean of all gradients and of all statistics in the first."""
    for together in zip(*(n.parameters() for n in networks), strict=True):
        grads = [p.grad for p in together if p.grad is not None]
        if grads:
            together[0].grad = sum(grads[1:], grads[0]) / len(networks)
    for together in zip(*(n.buffers() for n in networks), strict=True):
        if together[0].dtype.is_floating_point:
            together[0].copy_(sum(together[1:], together[0]) / len(networks))


def step(run: Run, supply: Supply, rate: float, batch: int) -> dict[str, float]:
    """Learn from one batch, a part of it in each worker; the terms of its loss."""
    for optimiser in run.optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate
    networks = [run.network, *run.copies]
    part, seeds = batch // len(networks), run.rng.integers(1 << 62, size=len(networks))
    if run.copies:
        parts = list(run.workers.map(gradients, networks, repeat(supply), repeat(part), seeds))
        _gather(networks)
    else:
        parts = [gradients(run.network, supply, part, int(seeds[0]))]
    nn.utils.clip_grad_norm_(run.network.parameters(), 1.0)
    for optimiser in run.optimisers:
        optimiser.step()
    for copy in run.copies:
        copy.load_state_dict(run.network.state_dict())
    run.steps += 1
    run.seen += part * len(networks)
    follow(run)
    return {name: float(sum(terms[name] for terms in parts)) / len(parts) for name in TERMS}


def learn(run: Run, supply: Supply, hours: float, rate: float, batch: int) -> None:
    """Cosine schedule over the hours given, after a warm-up; the log is RUN/log.jsonl."""
    start, began, shown = time.monotonic(), run.steps, dict.fromkeys(TERMS, 0.0)
    while (past := (time.monotonic() - start) / (hours * 3600)) < 1:
        warm = min(1.0, (run.steps - began + 1) / WARM_UP)
        terms = step(run, supply, rate * warm * (0.5 * (1 + math.cos(math.pi * past)) + 0.01), batch)
        first = run.steps == began + 1
        shown = {k: v if first else 0.98 * shown[k] + 0.02 * v for k, v in terms.items()}
        if run.steps % LOG_EVERY == 0:
            line = {"seen": run.seen, "seconds": round(time.monotonic() - start), "shards": len(supply.open)}
            with (run.folder / "log.jsonl").open("a") as log:
                log.write(json.dumps(line | {k: round(v, 4) for k, v in shown.items()}) + "\n")
        if run.steps % SAVE_EVERY == 0:
            save(run)
    save(run)


def paint(root: Path, seed: int, shared: Path | None) -> subprocess.Popen[bytes]:
    """Start a painter."""
    source = ["--shared", str(shared)] if shared else []
    source += ["--gpu"] if torch.cuda.is_available() else []
    return subprocess.Popen([sys.executable, "-m", "training.paint", str(root), "--seed", str(seed), *source])


def main() -> None:
    """Paint, train, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of this training; made if it is not there")
    parser.add_argument("--hours", type=float, required=True, help="how long to train")
    parser.add_argument("--start", type=Path, metavar="ONNX", help="shipped file to begin from, unless RUN has begun")
    parser.add_argument("--shared", type=folder, metavar="FOLDER", help=HELP)
    parser.add_argument("--painters", type=int, default=1, help="painting processes to start (default: 1)")
    parser.add_argument("--workers", type=int, default=1, help="cores that train (default: 1)")
    parser.add_argument("--rate", type=float, default=6e-4, help="highest learning rate (default: 6e-4)")
    parser.add_argument("--batch", type=int, default=24, help="pictures a step (default: 24)")
    parser.add_argument("--scale", type=float, default=1.0, help="picture size over 256 × 192 (default: 1)")
    parser.add_argument("--seed", type=int, default=1, help="of weights, batches and, times 100, painters (default: 1)")
    given = parser.parse_args()
    if given.start and not given.start.is_file():
        parser.error(f"{given.start} does not exist")
    given.run.mkdir(parents=True, exist_ok=True)
    if not 1 <= given.workers <= given.batch:
        parser.error("--workers must be at least 1, and there must be a picture for each in --batch")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    others = None
    if given.shared:
        panoramas = Panoramas.read(given.shared / PANORAMAS)
        others = augment.manners(panoramas.radiance, np.random.default_rng(given.seed))
    painters = [paint(given.run / "shards", given.seed * 100 + i, given.shared) for i in range(given.painters)]
    try:
        while not shards.found(given.run / "shards"):
            if painters and all(painter.poll() is not None for painter in painters):
                raise SystemExit("the painters have stopped before there was anything to learn from")
            time.sleep(2)
        run = begin(given.run, given.start, given.rate, given.seed, given.workers)
        supply = Supply(given.run / "shards", others, given.scale, given.workers)
        learn(run, supply, given.hours, given.rate, given.batch)
    finally:
        for painter in painters:
            painter.terminate()


if __name__ == "__main__":
    main()

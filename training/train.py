"""Train the network on what the painters paint, for as long as it is given; go on from any shipped file.

    python -m training.train RUN --hours 3 --shared ../shared/data       # from an empty disk: paints, trains, saves
    python -m training.train RUN --hours 3 --start training/onward.onnx   # or the shipped worlds.onnx

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
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
import torch
from torch import nn

from training import augment, muon, shards
from training.export import state_from_onnx
from training.losses import TERMS, losses, truth
from training.network import Worlds
from training.precision import native
from training.supply import SHAPES, Supply
from training.worlds.sky import Panoramas
from training.worlds.sources import HELP, PANORAMAS, folder

MEAN_KEEPS = 0.9985
"""How much of the running mean of the weights stays at each step."""
WEIGHT_DECAY = 0.02
NO_MATRICES = ("stem", "head", "focal")
"""Layers that look at colours or give the answers: AdamW moves them, Muon all other matrices."""
WARM_UP = 200
SAVE_EVERY = 200
LOG_EVERY = 50
SHARD = 32
"""Pictures in a shard of a painter that this command starts: few, so that training soon begins."""
LONGEST = max(max(shape) for shape in SHAPES)


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
        if weights.keys() - fitting.keys():
            print("begin anew, for their shape has changed:", *sorted(weights.keys() - fitting.keys()))
        network.load_state_dict(fitting, strict=False)
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
    """Write RUN/state.pt and RUN/weights.pt, each whole or not at all.

    Raises:
        SystemExit: The running mean is no longer finite; what was saved before stays.
    """
    if not all(bool(value.isfinite().all()) for value in run.mean.values()):
        raise SystemExit("the weights are no longer finite; the last good ones are on the disk")
    state = {
        "network": run.network.state_dict(),
        "optimisers": [optimiser.state_dict() for optimiser in run.optimisers],
        "mean": run.mean,
        "seen": run.seen,
        "steps": run.steps,
    }
    for name, content in (("state.pt", state), ("weights.pt", {"weights": run.mean, "seen": run.seen})):
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


def gradients(network: Worlds, supply: Supply, batch: int, seed: int) -> dict[str, torch.Tensor]:
    """Leave the gradients of a batch of its own in the network; the terms of its loss."""
    device = next(network.parameters()).device
    made = supply.batch(batch, np.random.default_rng(seed))
    rgb, inverse, what, focal = (part.to(device, non_blocking=True) for part in made)
    with torch.autocast(device.type, torch.bfloat16, enabled=native(device.type)):
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


def _restore(run: Run) -> None:
    """Statistics that a bad batch has spoilt, from the running mean."""
    for name, value in run.network.named_buffers():
        value.copy_(run.mean[name])


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
    length = nn.utils.clip_grad_norm_(run.network.parameters(), 1.0)
    if length.isfinite():
        for optimiser in run.optimisers:
            optimiser.step()
        follow(run)
    else:
        print(f"step {run.steps}: a gradient is not finite; the batch is passed over", file=sys.stderr)
        _restore(run)
    for copy in run.copies:
        copy.load_state_dict(run.network.state_dict())
    run.steps += 1
    run.seen += part * len(networks)
    return {name: float(sum(terms[name] for terms in parts)) / len(parts) for name in TERMS}


def learn(run: Run, supply: Supply, hours: float, rate: float, batch: int) -> None:
    """Cosine schedule over the hours given, after a warm-up; the log is RUN/log.jsonl.

    What was learnt is saved now and then, and at the end however it comes.
    """
    start, began, shown = time.monotonic(), run.steps, dict.fromkeys(TERMS, 0.0)
    try:
        while (past := (time.monotonic() - start) / (hours * 3600)) < 1:
            warm = min(1.0, (run.steps - began + 1) / WARM_UP)
            terms = step(run, supply, rate * warm * (0.5 * (1 + math.cos(math.pi * past)) + 0.01), batch)
            first = run.steps == began + 1
            shown = {k: v if first else 0.98 * shown[k] + 0.02 * v for k, v in terms.items()}
            if run.steps % LOG_EVERY == 0:
                _log(run, {"seconds": round(time.monotonic() - start), "shards": len(supply.open)}, shown)
            if run.steps % SAVE_EVERY == 0:
                save(run)
    finally:
        if run.steps > began:
            _log(run, {"seconds": round(time.monotonic() - start), "shards": len(supply.open)}, shown)
            save(run)


def _log(run: Run, facts: dict[str, int], terms: dict[str, float]) -> None:
    """A line for RUN/log.jsonl, and one to look at."""
    line = {"seen": run.seen, **facts, **{k: round(v, 4) for k, v in terms.items()}}
    with (run.folder / "log.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")
    print(*(f"{k} {v}" for k, v in line.items()), flush=True)


def paint(given: argparse.Namespace, number: int) -> subprocess.Popen[bytes]:
    """Start a painter; it ends with this process, however that ends."""
    seed, side = given.seed * 100 + number, max(320, math.ceil(LONGEST * given.scale / 16) * 16)
    more = ["--shared", str(given.shared)] if given.shared else []
    more += ["--gpu"] if torch.cuda.is_available() else []
    settings = {"seed": seed, "long-side": side, "count": SHARD, "ring": 40 * 1024 // SHARD, "parent": os.getpid()}
    more += [word for k, v in settings.items() for word in (f"--{k}", str(v))]
    return subprocess.Popen([sys.executable, "-m", "training.paint", str(given.run / "shards"), *more])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of this training; made if it is not there")
    parser.add_argument("--hours", type=float, required=True, help="how long to train")
    parser.add_argument("--start", type=Path, metavar="ONNX", help="shipped file to begin from, unless RUN has begun")
    parser.add_argument("--shared", type=folder, metavar="FOLDER", help=HELP)
    parser.add_argument("--painters", type=int, default=1, help="painting processes to start (default: 1)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="cores that train (default: all)")
    parser.add_argument("--rate", type=float, default=6e-4, help="highest learning rate (default: 6e-4)")
    parser.add_argument("--batch", type=int, default=32, help="pictures a step (default: 32)")
    parser.add_argument("--scale", type=float, default=1.0, help="picture size over 256 × 192 (default: 1)")
    parser.add_argument("--seed", type=int, default=1, help="of weights, batches and, times 100, painters (default: 1)")
    given = parser.parse_args()
    if given.start and not given.start.is_file():
        parser.error(f"{given.start} does not exist")
    if not 0 < given.hours < math.inf or not 0.25 <= given.scale <= 4 or given.rate <= 0 or given.painters < 0:
        parser.error("--hours and --rate must be positive, --painters not negative, --scale between 0.25 and 4")
    if not 1 <= given.workers <= given.batch:
        parser.error("--workers must be at least 1, and there must be a picture for each in --batch")
    if not given.painters and not shards.found(given.run / "shards"):
        parser.error(f"without --painters there must be shards in {given.run / 'shards'}")
    return given


def _end(*_: object) -> NoReturn:
    """What a request to end means: leave by the way that saves."""
    raise SystemExit(143)


def main() -> None:
    """Paint, train, save."""
    given = _arguments()
    signal.signal(signal.SIGTERM, _end)
    given.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    others = None
    if given.shared:
        panoramas = Panoramas.read(given.shared / PANORAMAS)
        others = augment.manners(panoramas.radiance, np.random.default_rng(given.seed))
    painters = [paint(given, i) for i in range(given.painters)]
    try:
        if not shards.found(given.run / "shards"):
            print(f"waiting for the first {SHARD} pictures", flush=True)
        while not shards.found(given.run / "shards"):
            if all(painter.poll() is not None for painter in painters):
                raise SystemExit("the painters have stopped before there was anything to learn from")
            time.sleep(1)
        run = begin(given.run, given.start, given.rate, given.seed, given.workers)
        supply = Supply(given.run / "shards", others, given.scale, given.workers)
        learn(run, supply, given.hours, given.rate, given.batch)
    finally:
        for painter in painters:
            painter.terminate()
        for painter in painters:
            painter.wait()


if __name__ == "__main__":
    main()

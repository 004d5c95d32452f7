"""Train the network `behind`.

    python -m training.behind.train RUN --shards FOLDER --hours 1

FOLDER holds shards of pictures (see training.paint). It goes on from RUN/state.pt if there is one; SIGTERM saves. Every
two minutes it prints what is left of the membrane's error on pictures that it never learns from.
"""

from __future__ import annotations

import argparse
import math
import queue
import signal
import threading
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from training import muon
from training.behind.network import Behind
from training.behind.samples import Sample, Source, sample
from training.precision import native
from unflat.models.behind import shown

WARM = 200
"""Steps until the rate is full."""
MEAN_KEEPS = 0.998
EASY = 1e-4
"""Squared error that is as good as none."""
NEAR_PX = 8.0
"""Pixels that are so much farther in count half: an eye sees them less often."""
NEARER_SIGMA = 0.5
"""All depths of a sample are moved together by so much (a logarithm), for that is to mean nothing."""
TELL_EVERY = 120.0
"""Seconds."""


class Batch(NamedTuple):
    """Questions: what is shown (n, 6, h, w), the truth (n, 3, h, w), how much each pixel counts (n, 1, h, w)."""

    shown: Tensor
    truth: Tensor
    weight: Tensor


def stacked(samples: list[Sample], rng: np.random.Generator) -> Batch:
    """Samples as a batch."""
    inputs, weights = [], []
    for one in samples:
        planes = shown(one.colour, one.known, one.wanted, one.guide)
        planes[..., 5] = (planes[..., 5] + np.float32(rng.normal(0, NEARER_SIGMA))) * (one.known | one.wanted)
        inside = np.asarray(cv2.distanceTransform(one.wanted.astype(np.uint8), cv2.DIST_L2, 3))
        inputs.append(planes)
        weights.append(np.where(one.wanted, 1 / (1 + inside / NEAR_PX), 0).astype(np.float32)[..., None])
    arrays = inputs, [one.truth for one in samples], weights
    return Batch(*(torch.from_numpy(np.stack(a)).permute(0, 3, 1, 2).contiguous() for a in arrays))


def error(answer: Tensor, batch: Batch) -> Tensor:
    """(n,) weighted mean squared error of the colour shown + answer."""
    off = (batch.shown[:, :3] + answer - batch.truth).square().mean(1, keepdim=True)
    return (off * batch.weight).flatten(1).sum(1) / batch.weight.flatten(1).sum(1)


def share_left(answer: Tensor, batch: Batch) -> Tensor:
    """Mean share of the membrane's error that is left: a hard picture weighs no more than an easy one."""
    before = error(torch.zeros_like(answer), batch)
    return (error(answer, batch) / (before + EASY)).mean()


class Run:
    """A network in training, kept in a folder."""

    def __init__(self, folder: Path, rate: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "state.pt"
        self.network = Behind().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        matrices, rest = muon.split(self.network, ("answer",))
        self.optimisers = muon.Muon(matrices, rate, 0.01), torch.optim.AdamW(rest, rate, weight_decay=0.01)
        self.mean = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.steps = 0
        if self.file.exists():
            state = torch.load(self.file, weights_only=True)
            self.network.load_state_dict(state["network"])
            for one, was in zip(self.optimisers, state["optimisers"], strict=True):
                one.load_state_dict(was)
            self.mean, self.steps = state["mean"], state["steps"]

    def step(self, batch: Batch, rate: float) -> float:
        """Learn from one batch; the loss before it."""
        for group in (g for one in self.optimisers for g in one.param_groups):
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16, enabled=native("cpu")):
            answer = self.network(batch.shown.contiguous(memory_format=torch.channels_last))
        loss = share_left(answer.float(), batch)
        self.network.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for one in self.optimisers:
            one.step()
        self.steps += 1
        keep = min(MEAN_KEEPS, 1 - 1 / (self.steps / 10 + 2))
        for name, value in self.network.state_dict().items():
            self.mean[name].mul_(keep).add_(value, alpha=1 - keep)
        return float(loss.detach())

    def save(self) -> None:
        """Write RUN/state.pt whole."""
        optimisers = [one.state_dict() for one in self.optimisers]
        state = {"network": self.network.state_dict(), "optimisers": optimisers, "mean": self.mean, "steps": self.steps}
        beside = self.file.with_name(".state.pt")
        torch.save(state, beside)
        beside.replace(self.file)

    @torch.no_grad()
    def judged(self, tests: list[Batch]) -> str:
        """How the mean of the weights does on pictures held out."""
        network = Behind()
        network.load_state_dict(self.mean)
        answers = [network(batch.shown) for batch in tests]
        left = np.mean([float(share_left(a, b)) for a, b in zip(answers, tests, strict=True)])
        found = np.mean([float(error(a, b).mean()) for a, b in zip(answers, tests, strict=True)])
        base = np.mean([float(error(torch.zeros_like(a), b).mean()) for a, b in zip(answers, tests, strict=True)])
        return f"held out {left:.4f} gain {10 * math.log10(base / found):.2f} dB"


def feed(source: Source, count: int, seed: int, out: queue.Queue[Batch]) -> None:
    """Fill the queue for ever."""
    rng = np.random.default_rng(seed)
    while True:
        out.put(stacked([sample(source, rng) for _ in range(count)], rng))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    rng = np.random.default_rng(0)
    held = Source(given.shards, held_out=True)
    tests = [stacked([sample(held, rng) for _ in range(32)], rng) for _ in range(8)]
    run, batches = Run(given.run, given.rate), queue.Queue[Batch](4)
    fed = Source(given.shards, held_out=False), given.batch, given.seed + run.steps, batches
    threading.Thread(target=feed, args=fed, daemon=True).start()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    began, told, loss = time.monotonic(), -math.inf, 0.0
    while not stop.is_set() and (done := (time.monotonic() - began) / (3600 * given.hours)) < 1:
        rate = given.rate * min(1, (run.steps + 1) / WARM) * max(0.5 * (1 + math.cos(math.pi * done)), 0.01)
        now = run.step(batches.get(), rate)
        loss = 0.99 * loss + 0.01 * now if loss else now
        if time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            print(f"steps {run.steps} seconds {told - began:.0f} loss {loss:.4f} {run.judged(tests)}", flush=True)
            run.save()
    print(f"steps {run.steps} loss {loss:.4f} {run.judged(tests)}", flush=True)
    run.save()


if __name__ == "__main__":
    main()

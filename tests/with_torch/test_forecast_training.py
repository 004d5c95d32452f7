"""The network that forecasts: it begins as the depth network, learns, and ships with its thresholds inside."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch: tests/with_torch/run", exc_type=ImportError)
pytest.importorskip("onnx", reason="needs onnx", exc_type=ImportError)

import torch
from training import shards
from training.forecast import export
from training.forecast.labels import BLANK_BIT, GLASS_BIT, MIRROR_BIT
from training.forecast.network import Forecast, begin
from training.forecast.supply import Supply
from training.forecast.train import freeze, losses, optimiser_of
from training.forecast.train import main as train_main
from training.worlds.sample import Sample
from training.worlds.surface import MIRROR

from own_nets import exporter, random_network
from unflat.models.forecast import marked
from unflat.models.runtime import onnxruntime

pytestmark = pytest.mark.usefixtures("repeatable")


def painted(folder: Path) -> Path:
    """A shard of eight pictures: a grey wall with a bright board on it, which is a mirror."""
    rng, samples = np.random.default_rng(0), []
    for _ in range(8):
        depth, what = np.full((96, 128), 3.0, np.float32), np.zeros((96, 128), np.uint8)
        rgb = np.full((96, 128, 3), 90.0) + rng.normal(0, 1, (96, 128, 3))
        y, x = rng.integers(10, 40, 2)
        what[y : y + 40, x : x + 50] = MIRROR
        rgb[what == MIRROR] = rng.uniform(0, 255, ((what == MIRROR).sum(), 3))
        flat = np.zeros((96, 128, 3), np.float32)
        samples.append(Sample(np.clip(rgb, 0, 255).astype(np.uint8), depth, flat, what, 1.1, "board"))
    shards.write(folder / "s1_0000", shards.arrays(samples))
    return folder


def begun() -> Forecast:
    network = Forecast()
    begin(network, random_network().state_dict())
    return network


def test_it_begins_as_the_depth_network_and_refuses_what_does_not_fit() -> None:
    depth = random_network().state_dict()
    network = Forecast()
    begin(network, depth)
    for name, value in network.state_dict().items():
        if name in depth:
            assert torch.equal(value, depth[name]), name
    assert {"stem.weight", "stages.2.1.first.weight", "near_context.0.answer.weight"} <= set(depth)
    with pytest.raises(ValueError, match=r"stem\.weight"):
        begin(network, {k: v for k, v in depth.items() if k != "stem.weight"})


def test_batches_hold_pictures_and_shares_of_their_marks(tmp_path: Path) -> None:
    supply = Supply([painted(tmp_path)], None, 0.25)
    rgb, truth = supply.batch(6, np.random.default_rng(1))
    assert rgb.shape[:2] == (6, 3) and truth.shape[:2] == (6, 3)
    assert rgb.shape[2] == 4 * truth.shape[2] and rgb.shape[3] == 4 * truth.shape[3]
    assert (truth >= 0).all() and (truth <= 1).all()
    assert truth[:, 0].mean() > 0.05 and truth[:, 1].max() == 0  # mirrors, no glass
    assert truth[:, 2].max() == 1  # and the wall around them
    assert len(supply.holding[MIRROR]) == 8
    assert {BLANK_BIT, GLASS_BIT, MIRROR_BIT} == {1, 2, 4}


def test_losses_want_the_truth() -> None:
    truth = (torch.rand(2, 3, 8, 8) > 0.7).float()
    right, wrong = losses(20 * truth - 10, truth), losses(10 - 20 * truth, truth)
    for name, value in right.items():
        assert value < 0.05 and wrong[name] > 0.5


def test_frozen_levels_stay_and_the_others_learn(tmp_path: Path) -> None:
    network = begun().train()
    freeze(network, 2)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    optimiser, supply = optimiser_of(network), Supply([painted(tmp_path)], None, 0.25)
    for group in optimiser.param_groups:
        group["lr"] = 2e-3 * group["share"]
    costs = []
    for seed in range(12):
        rgb, truth = supply.batch(4, np.random.default_rng(seed % 2))
        cost = torch.stack(list(losses(network(rgb), truth).values())).sum()
        optimiser.zero_grad()
        cost.backward()
        optimiser.step()
        costs.append(float(cost.detach()))
    assert np.mean(costs[-2:]) < 0.8 * np.mean(costs[:2])
    moved = {k for k, v in network.state_dict().items() if not torch.equal(v, before[k])}
    assert not any(name.startswith(("stem", "stages.0", "stages.1")) for name in moved)
    assert any(name.startswith("stages.2") for name in moved) and any(name.startswith("join.0") for name in moved)


def test_the_command_trains_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"weights": random_network().state_dict()}, tmp_path / "depth.pt")
    run = tmp_path / "run"
    words = ["train", str(run), "--shards", str(painted(tmp_path / "shards")), "--hours", "0.0005", "--batch", "2"]
    monkeypatch.setattr(sys, "argv", [*words, "--depth", str(tmp_path / "depth.pt"), "--scale", "0.25"])
    train_main()
    first = torch.load(run / "weights.pt", weights_only=True)["seen"]
    train_main()
    assert torch.load(run / "weights.pt", weights_only=True)["seen"] > first > 0


@exporter
def test_the_file_puts_one_half_where_the_thresholds_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = begun().eval()
    with torch.no_grad():
        for name, value in network.state_dict().items():  # equal tensors would be stored once
            if name.startswith(("join_norm", "narrow", "reduce", "answer")) and value.dtype.is_floating_point:
                value.add_(torch.rand_like(value) * 0.01)
        network.answer.bias.zero_()
    torch.save({"weights": network.state_dict(), "seen": 5}, tmp_path / "weights.pt")
    out = tmp_path / "forecast.onnx"
    words = ["export", str(tmp_path / "weights.pt"), "--thresholds", "0.2", "0.5", "0.9", "--source", "a test"]
    monkeypatch.setattr(sys, "argv", [*words, "--out", str(out)])
    export.main()
    rgb = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    with torch.no_grad():
        logits = network(torch.from_numpy(rgb).permute(2, 0, 1)[None].float(), white=255.0)[0].numpy()
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    seen = marked(session, rgb, 128)
    for map_, logit, threshold in zip((seen.mirror, seen.glass, seen.blank), logits, (0.2, 0.5, 0.9), strict=True):
        wanted = 1 / (1 + np.exp(-(logit - np.log(threshold / (1 - threshold)))))
        assert np.abs(map_ - wanted).max() < 0.05
    monkeypatch.setattr(export, "WEIGHTS", tmp_path)
    monkeypatch.setattr(sys, "argv", words)
    export.main()
    (row,) = json.loads((tmp_path / "cards.json").read_text())
    assert row["name"] == "forecast" and row["bytes"] == out.stat().st_size and row["kind"] is None

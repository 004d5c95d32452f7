"""Training: it learns, on one worker or several, and goes on from where a run stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch: tests/with_torch/run", exc_type=ImportError)
pytest.importorskip("onnx", reason="needs onnx", exc_type=ImportError)

import torch
from onnx import numpy_helper
from torch import Tensor
from training import export, muon, shards
from training.losses import TERMS, losses, truth
from training.network import Worlds
from training.supply import Supply
from training.train import NO_MATRICES, Run, _gather, begin, learn, save, step
from training.train import main as train_main
from training.worlds.sample import SKY, Sample

from own_nets import exporter, random_network

pytestmark = pytest.mark.usefixtures("repeatable")


def painted(folder: Path) -> Path:
    """A shard of eight small pictures: a ground whose colour fades with its distance, under a blue sky."""
    rng, samples = np.random.default_rng(0), []
    for _ in range(8):
        rows, horizon = np.arange(96, dtype=np.float32)[:, None], int(rng.integers(20, 50))
        depth = np.repeat(np.where(rows > horizon, 60 / np.maximum(rows - horizon, 1), 0), 128, 1)
        ground = 230 * np.exp(-depth / 20)[..., None] * rng.uniform(0.5, 1, 3)
        rgb = np.where((depth > 0)[..., None], ground, (90, 140, 220)) + rng.normal(0, 6, (96, 128, 3))
        what = np.where(depth > 0, 0, SKY).astype(np.uint8)
        flat = np.zeros((96, 128, 3), np.float32)
        samples.append(Sample(np.clip(rgb, 0, 255).astype(np.uint8), depth, flat, what, 1.1, "ground"))
    shards.write(folder / "shards" / "s1_0000", shards.arrays(samples))
    return folder


def cost(run: Run, supply: Supply) -> float:
    """Of one batch, always the same."""
    rgb, inverse, what, focal = supply.batch(8, np.random.default_rng(7))
    with torch.no_grad():
        terms = losses(*run.network(rgb), truth(inverse, what, focal))
    return sum(TERMS[name] * float(value) for name, value in terms.items())


def begun(folder: Path) -> tuple[Run, Supply]:
    return begin(folder, None, 1e-3, 3), Supply(folder / "shards", None, 0.25)


def test_five_steps_learn_something(tmp_path: Path) -> None:
    run, supply = begun(painted(tmp_path))
    fresh, before = run.network.state_dict()["stem.weight"].clone(), cost(run, supply)
    for _ in range(5):
        assert set(step(run, supply, 1e-3, 8)) == set(TERMS)
    assert (run.steps, run.seen) == (5, 40)
    assert cost(run, supply) < 0.5 * before
    now, mean = run.network.state_dict()["stem.weight"], run.mean["stem.weight"]
    assert 0 < (mean - fresh).abs().max() < (now - fresh).abs().max()  # the mean follows, it does not jump
    assert all(value.isfinite().all() for value in run.mean.values())


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    run, supply = begun(painted(tmp_path))
    for _ in range(2):
        step(run, supply, 1e-3, 4)
    save(run)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["shards", "state.pt", "weights.pt"]
    again, _ = begun(tmp_path)
    assert (again.steps, again.seen) == (2, 8)
    for name, value in run.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], value), name
        assert torch.equal(again.mean[name], run.mean[name]), name
    for before, after, memory in zip(run.optimisers, again.optimisers, ("momentum", "exp_avg"), strict=True):
        first, second = (o.state_dict()["state"] for o in (before, after))
        assert first.keys() == second.keys()
        for key in first:
            assert torch.equal(first[key][memory], second[key][memory])
    step(again, supply, 1e-3, 4)
    assert (again.steps, again.seen) == (3, 12)
    kept = torch.load(tmp_path / "weights.pt", weights_only=True)
    assert (kept["weights"].keys(), kept["seen"]) == (run.mean.keys(), 8)


def test_two_workers_learn_as_one_network(tmp_path: Path) -> None:
    _, supply = begun(painted(tmp_path))
    run = begin(tmp_path, None, 1e-3, 3, workers=2)
    before = cost(run, supply)
    for _ in range(5):
        step(run, supply, 1e-3, 8)
    assert (run.steps, run.seen) == (5, 40)
    (copy,) = run.copies
    for name, value in run.network.state_dict().items():
        assert torch.equal(copy.state_dict()[name], value), name
    assert cost(run, supply) < 0.5 * before


def test_the_gradients_of_workers_are_averaged() -> None:
    first, second = random_network(1), random_network(1)
    for network, value in ((first, 1.0), (second, 3.0)):
        for p in network.parameters():
            p.grad = torch.full_like(p, value)
    _gather([first, second])
    assert all(bool((p.grad == 2).all()) for p in first.parameters() if p.grad is not None)


def test_a_matrix_is_made_orthogonal_whatever_its_shape() -> None:
    torch.manual_seed(0)
    for shape in ((64, 200), (200, 64), (50, 50)):
        values = torch.linalg.svdvals(muon.orthogonal(torch.randn(shape)).double())
        assert 0.6 < values.min() < values.max() < 1.4


def test_the_layers_that_are_no_matrices_are_left_to_the_other_optimiser() -> None:
    network = Worlds()
    matrices, rest = muon.split(network, NO_MATRICES)
    assert len(matrices) + len(rest) == len(list(network.parameters()))
    assert any(network.stages[2][0].first.weight is p for p in matrices)  # type: ignore[index, union-attr]
    for p in (network.stem.weight, network.head.weight, network.focal.weight, network.context[0].place.weight):  # type: ignore[union-attr]
        assert any(p is other for other in rest)


def test_the_statistics_of_workers_are_averaged() -> None:
    first, second = random_network(1), random_network(2)
    name = "stages.0.0.first_norm.running_mean"
    middle = (first.state_dict()[name] + second.state_dict()[name]) / 2
    _gather([first, second])
    assert torch.allclose(first.state_dict()[name], middle)


def test_a_batch_that_is_not_finite_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, supply = begun(painted(tmp_path))
    step(run, supply, 1e-3, 4)
    before = {k: v.clone() for k, v in run.network.named_parameters()}
    whole = supply.batch

    def spoilt(count: int, rng: np.random.Generator) -> tuple[Tensor, ...]:
        rgb, *rest = whole(count, rng)
        return rgb * float("nan"), *rest

    supply.batch = spoilt  # type: ignore[method-assign]
    step(run, supply, 1e-3, 4)
    assert "passed over" in capsys.readouterr().err
    assert all(torch.equal(before[k], v) for k, v in run.network.named_parameters())
    assert all(bool(v.isfinite().all()) for v in run.network.state_dict().values())
    supply.batch = whole  # type: ignore[method-assign]
    assert all(np.isfinite(v) for v in step(run, supply, 1e-3, 4).values())


def test_weights_that_are_not_finite_do_not_replace_good_ones(tmp_path: Path) -> None:
    run, supply = begun(painted(tmp_path))
    step(run, supply, 1e-3, 4)
    save(run)
    kept = (tmp_path / "state.pt").read_bytes()
    run.mean["head.bias"][0] = float("inf")
    with pytest.raises(SystemExit, match="no longer finite"):
        save(run)
    assert (tmp_path / "state.pt").read_bytes() == kept


def test_what_was_learnt_is_saved_when_somebody_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, supply = begun(painted(tmp_path))

    def ended(*given: object) -> dict[str, float]:
        if run.steps == 2:
            raise KeyboardInterrupt
        return step(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("training.train.step", ended)
    with pytest.raises(KeyboardInterrupt):
        learn(run, supply, 1.0, 1e-3, 4)
    assert torch.load(tmp_path / "state.pt", weights_only=True)["steps"] == 2
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 1


@exporter
def test_layers_of_another_shape_begin_anew_and_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = export.to_onnx(random_network(5), 777)
    tensor = export._stored(model)["focal.weight"]
    tensor.CopyFrom(numpy_helper.from_array(np.ones((1, 8), np.float16), tensor.name))
    (tmp_path / "old.onnx").write_bytes(model.SerializeToString())
    assert begin(painted(tmp_path / "run"), tmp_path / "old.onnx", 1e-3, 3).seen == 777
    assert "focal.weight" in capsys.readouterr().out


@exporter
def test_a_training_cut_off_in_its_middle_goes_on_elsewhere_and_ships_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "WEIGHTS", tmp_path / "shipped")
    monkeypatch.setattr(export, "ONWARD", tmp_path / "onward.onnx")
    network = random_network(5)
    torch.save({"weights": network.state_dict(), "seen": 999}, tmp_path / "weights.pt")
    monkeypatch.setattr(sys, "argv", ["export", str(tmp_path / "weights.pt"), "--onward"])
    export.main()
    assert not (tmp_path / "shipped").exists()
    run = begin(painted(tmp_path / "run"), tmp_path / "onward.onnx", 1e-3, 3)
    assert run.seen == 999
    there, here = (n.state_dict()["head.weight"] for n in (network, run.network))
    assert torch.allclose(there, here, atol=float(there.abs().max()) / 100)


@pytest.mark.parametrize("more", [[], ["--source", "a test", "--onward"]])
def test_an_export_ships_or_is_kept(
    tmp_path: Path, more: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "weights.pt").write_bytes(b"")
    monkeypatch.setattr(sys, "argv", ["export", str(tmp_path / "weights.pt"), *more])
    with pytest.raises(SystemExit) as end:
        export.main()
    assert end.value.code == 2
    assert "--onward" in capsys.readouterr().err


def test_one_command_from_an_empty_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training.train", str(tmp_path / "run"), "--hours", "0.0003", "--workers", "1",
         "--batch", "2", "--scale", "0.25"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "waiting for the first" in done.stdout
    assert "shape" in done.stdout
    assert (tmp_path / "run" / "weights.pt").is_file()
    assert not [p for p in (tmp_path / "run" / "shards").iterdir() if p.name.startswith(".") and alive(p)]


def alive(draft: Path) -> bool:
    """Whether the process that writes a draft still runs."""
    try:
        os.kill(int(draft.name.rsplit(".", 1)[1]), 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--hours", "0"], "must be positive"),
        (["--hours", "1", "--painters", "0"], "without --painters"),
        (["--hours", "1", "--start", "nowhere.onnx"], "does not exist"),
        (["--hours", "1", "--workers", "9", "--batch", "4"], "a picture for each"),
    ],
)
def test_odd_arguments_are_told_in_one_line(
    tmp_path: Path, given: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["train", str(tmp_path / "run"), *given])
    with pytest.raises(SystemExit) as end:
        train_main()
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_learning_keeps_its_time_and_writes_it_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.train.LOG_EVERY", 2)
    run, supply = begun(painted(tmp_path))
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    learn(run, supply, 8 / 3600, 1e-3, 2)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines
    assert lines[-1]["shards"] == 1
    assert set(TERMS) < set(lines[-1])
    assert lines[-1]["seen"] <= run.seen == 2 * run.steps
    assert torch.load(tmp_path / "state.pt", weights_only=True)["steps"] == run.steps


@exporter
def test_a_run_begins_from_a_shipped_file_once(tmp_path: Path) -> None:
    network = random_network(5)
    path = tmp_path / "worlds.onnx"
    path.write_bytes(export.to_onnx(network, 777).SerializeToString())
    folder = painted(tmp_path / "run")
    run = begin(folder, path, 1e-3, 3)
    assert (run.steps, run.seen) == (0, 777)
    assert torch.allclose(run.network.state_dict()["head.weight"], network.state_dict()["head.weight"], atol=1e-3)
    step(run, Supply(folder / "shards", None, 0.25), 1e-3, 4)
    save(run)
    assert begin(folder, path, 1e-3, 3).seen == 781


def test_new_shards_are_found_and_old_ones_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.supply.LOOK_EVERY", 0)
    _, supply = begun(painted(tmp_path))
    rng = np.random.default_rng(0)
    rgb, inverse, what, focal = supply.batch(3, rng)
    assert rgb.shape[0] == inverse.shape[0] == what.shape[0] == focal.shape[0] == 3
    assert rgb.shape[2:] == inverse.shape[2:] == what.shape[2:]
    assert all(side % 32 == 0 for side in rgb.shape[2:])
    (tmp_path / "shards" / "s1_0000").rename(tmp_path / "shards" / "s1_0001")
    supply.batch(1, rng)
    assert [p.name for p in supply.open] == ["s1_0001"]

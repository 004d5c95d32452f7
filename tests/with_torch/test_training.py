"""The trainer: its losses, its network, the file that ships, and going on from where a run stopped."""

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
from training.losses import TERMS, Truth, losses, truth
from training.network import Shipped, Worlds
from training.supply import Supply
from training.train import NO_MATRICES, Run, _gather, begin, learn, save, step
from training.train import main as train_main
from training.worlds.materials import KINDS
from training.worlds.sample import BACKDROP, SKY, Sample

from unflat.models.runtime import onnxruntime

exporter = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")


@pytest.fixture(autouse=True)
def _repeatable() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(2)


def random_network(seed: int = 0) -> Worlds:
    """Weights that are nowhere equal and nowhere nothing, as after training; answers of a usual size."""
    generator = torch.Generator().manual_seed(seed)
    network = Worlds()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith(("running_mean", "bias")):
                value.copy_(0.1 * torch.randn(value.shape, generator=generator))
            elif name.endswith("running_var") or (value.ndim == 1 and value.is_floating_point()):
                value.copy_(0.8 + 0.4 * torch.rand(value.shape, generator=generator))
            elif "context" in name and value.ndim > 1:
                value.copy_(0.03 * torch.randn(value.shape, generator=generator))
    return network.eval()


# -- truth and losses -------------------------------------------------------------------------------------------------
def example() -> tuple[Tensor, Tensor, Tensor]:
    """Two pictures 64 × 64 of a bumpy ground under sky: inverse depth, kinds, focal."""
    y, x = np.mgrid[:64, :64].astype(np.float32)
    inverse = np.stack([0.2 + y / 64 + 0.1 * np.sin(x / 5), 0.5 + 0.3 * np.cos(x / 9) * np.sin(y / 7)])[:, None]
    what = np.zeros_like(inverse, dtype=np.uint8)
    what[:, :, :16] = SKY
    inverse[:, :, :16] = 0
    return torch.from_numpy(inverse), torch.from_numpy(what), torch.tensor([0.8, 1.2])


def perfect(true: Truth, factor: float = 1.0) -> dict[str, Tensor]:
    """What a network that knows all would say: the truth times any factor."""
    small = torch.full_like(true.inverse, float(np.log(0.01)))
    focal = torch.log(true.focal)[:, None]
    return {"inverse": true.inverse * factor, "sky": (true.sky - 0.5) * 40, "log_error": small, "log_focal": focal}


def test_sky_backdrop_glass_and_mirrors_are_weighed() -> None:
    what = torch.zeros(1, 1, 12, 12, dtype=torch.uint8)
    kinds = {"sky": SKY, "back": BACKDROP, "glass": KINDS.index("glass"), "mirror": KINDS.index("mirror")}
    for row, kind in enumerate(kinds.values()):
        what[..., 2 * row : 2 * row + 2, :8] = kind
    what[..., 8, 0] = SKY  # one pixel of four
    what[..., 10, 0] = BACKDROP
    true = truth(torch.arange(144.0).view(1, 1, 12, 12), what, torch.tensor([1.0]))
    left = {name: [float(m[0, 0, row, 1]) for row in range(5)] for name, m in true._asdict().items() if m.ndim == 4}
    assert left["sure"] == pytest.approx([0, 0, 0.3, 0.3, 1])
    assert left["far"] == pytest.approx([1, 0.3, 0, 0, 0])
    assert left["sky"] == [1, 0, 0, 0, 0]
    assert left["judged"] == [1, 0, 1, 1, 1]
    assert true.sure[0, 0, 4, 0] == true.far[0, 0, 4, 0] == 0  # an edge of the sky is neither
    assert true.sky[0, 0, 4, 0] == 0.25
    assert true.judged[0, 0, 4, 0] == 1
    assert true.judged[0, 0, 5, 0] == 0
    assert true.inverse[0, 0, 0, 0] == 12  # the second nearest of 0, 1, 12, 13: a surface that is really there
    assert true.inverse.shape == (1, 1, 6, 6)


def test_the_perfect_answer_costs_nothing_at_any_scale() -> None:
    true = truth(*example())
    for factor in (0.3, 1.0, 40.0):
        terms = losses(**perfect(true, factor), true=true)
        assert set(terms) == set(TERMS)
        for name, term in terms.items():
            if name == "confidence":  # the least it can be for the least error it counts, 0.01
                assert float(term) == pytest.approx((np.log(0.01) + 1) * float(true.sure.mean()), abs=0.3)
            else:
                assert float(term) == pytest.approx(0, abs=0.02), name


def test_scale_is_free_and_wrong_answers_cost() -> None:
    true = truth(*example())
    guess = torch.rand_like(true.inverse) + 0.2
    answer = perfect(true) | {"inverse": guess}
    ours = losses(**answer, true=true)
    scaled = losses(**(answer | {"inverse": guess * 7}), true=true)
    for name in ours:
        assert float(scaled[name]) == pytest.approx(float(ours[name]), rel=0.03, abs=3e-3), name
    right = losses(**perfect(true), true=true)
    for name in ("shape", "gradient", "linear", "log", "fitted", "confidence"):
        assert float(ours[name]) > float(right[name]) + 0.05, name
    for name, wrong in (("sky", {"sky": -perfect(true)["sky"]}), ("focal", {"log_focal": torch.zeros(2, 1) + 0.7})):
        assert float(losses(**(perfect(true) | wrong), true=true)[name]) > float(right[name]) + 0.2, name


def test_the_best_confidence_is_the_true_error() -> None:
    true = truth(*example())
    answer = perfect(true) | {"inverse": true.inverse * (1 + 0.4 * (torch.rand_like(true.inverse) > 0.5))}
    costs = {}
    for error in (0.01, 0.17, 2.0):
        said = torch.full_like(true.inverse, float(np.log(error)))
        costs[error] = float(losses(**(answer | {"log_error": said}), true=true)["confidence"])
    assert costs[0.17] < costs[0.01]
    assert costs[0.17] < costs[2.0]


def test_pixels_of_unknown_distance_teach_no_distance() -> None:
    """What lies behind glass, at edges of the sky and where hardly anything is known pulls less, or not at all."""
    inverse, what, focal = example()
    edge = what.clone()
    edge[:, :, 48::2] = BACKDROP  # every pixel of the answer below is half backdrop
    true = truth(inverse, edge, focal)
    guess = torch.rand_like(true.inverse).requires_grad_()
    terms = losses(**(perfect(true) | {"inverse": guess}), true=true)
    torch.stack([terms[k] for k in ("linear", "log", "shape", "fitted", "gradient")]).sum().backward()
    assert guess.grad is not None
    assert (guess.grad[:, :, 24:] == 0).all()
    assert (guess.grad[:, :, 9:23] != 0).any()
    few = what.clone()
    few[...] = BACKDROP
    few[:, :, :20] = 0  # 10 × 32 pixels of the answer
    terms = losses(**(perfect(truth(inverse, few, focal))), true=truth(inverse, few, focal))
    assert float(terms["fitted"]) == float(terms["shape"]) == float(terms["linear"]) == 0


# -- the network and its file -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [(32, 32), (64, 96), (160, 64)])
def test_any_multiple_of_32_will_do(size: tuple[int, int]) -> None:
    h, w = size
    with torch.no_grad():
        inverse, sky, log_error, log_focal = random_network()(torch.rand(2, 3, h, w))
    for answer in (inverse, sky, log_error):
        assert answer.shape == (2, 1, h // 2, w // 2)
        assert answer.isfinite().all()
    assert log_focal.shape == (2, 1)
    assert (inverse >= 0).all()


def test_context_begins_as_nothing_and_then_sees_everything() -> None:
    """A fresh attention changes no answer, so it can be put into a network that has learnt without it."""
    x = torch.randn(1, 320, 3, 4)
    fresh = Worlds().context
    assert torch.equal(fresh(x), x)
    changed = x.clone()
    changed[0, :, 2, 3] += 1
    context = random_network().context
    with torch.no_grad():
        assert ((context(changed) - context(x))[0, :, 0, 0].abs() > 1e-7).any()  # the far corner knows


@exporter
def test_the_file_answers_as_the_network_and_gives_its_weights_back(tmp_path: Path) -> None:
    network = random_network()
    model = export.to_onnx(network, 1234)
    path = tmp_path / "worlds.onnx"
    path.write_bytes(model.SerializeToString())
    state, seen = export.state_from_onnx(path)
    assert seen == 1234
    wanted = {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    assert set(state) == set(wanted)
    assert any(name.startswith("context") for name in state)
    for name, value in wanted.items():
        assert state[name].dtype == torch.float32
        assert torch.allclose(state[name], value, rtol=1e-3, atol=1e-5), name
    again = Worlds().eval()
    again.load_state_dict(state, strict=False)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for h, w in ((64, 96), (128, 32)):
        rgb = np.random.default_rng(h).integers(0, 256, (1, h, w, 3), np.uint8)
        answers = session.run(None, {"rgb": rgb})
        for eye in (network, again):
            with torch.no_grad():
                expected = Shipped(eye)(torch.from_numpy(rgb))
            for ours, theirs in zip(answers, expected, strict=True):
                assert ours.shape == tuple(theirs.shape)
                assert np.abs(ours - theirs.numpy()).max() < 1e-2


@exporter
def test_moving_twin_biases_changes_no_answer() -> None:
    network, rgb = random_network(), torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before = network(rgb)
        export._merge_twin_biases(network)
        after = network(rgb)
    for a, b in zip(before, after, strict=True):
        assert torch.allclose(a, b, atol=1e-4)


@exporter
def test_a_network_that_has_learnt_nothing_is_not_shipped() -> None:
    with pytest.raises(ValueError, match="not in the file"):
        export.to_onnx(Worlds(), 0)


def test_a_card_replaces_the_older_one(tmp_path: Path) -> None:
    path = tmp_path / "cards.json"
    path.write_text(json.dumps([{"name": "other"}, {"name": "worlds", "bytes": 1}]))
    export.write_card(path, b"abc", "drawn", "night", ["sky"])
    other, worlds = json.loads(path.read_text())
    assert other == {"name": "other"}
    assert (worlds["bytes"], worlds["gives"], worlds["limits"], worlds["source"]) == (3, ["sky"], "night", "drawn")
    assert worlds["sha256"].startswith("ba7816bf")


# -- training ---------------------------------------------------------------------------------------------------------
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
def test_the_files_are_small_enough() -> None:
    model = export.to_onnx(random_network(), 7)
    assert model.ByteSize() <= 25_000_000
    assert export.in_bytes(model).ByteSize() <= 8_000_000  # what ships, for browsers too


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


@exporter
def test_training_goes_on_from_weights_of_eight_bits(tmp_path: Path) -> None:
    network = random_network(5)
    (tmp_path / "small.onnx").write_bytes(export.in_bytes(export.to_onnx(network, 777)).SerializeToString())
    weights, seen = export.state_from_onnx(tmp_path / "small.onnx")
    ours = network.state_dict()
    assert seen == 777
    assert weights.keys() == {k for k in ours if not k.endswith("num_batches_tracked")}
    for name, value in weights.items():
        largest = ours[name].abs().flatten(1).max(1).values if value.ndim > 1 else ours[name].abs()
        allowed = largest / 200 + 1e-6 if value.ndim > 1 else largest / 500 + 1e-6
        assert bool(((value - ours[name]).abs() <= allowed.view(-1, *(1 for _ in value.shape[1:]))).all()), name


@exporter
def test_weights_of_eight_bits_see_nearly_the_same() -> None:
    model = export.to_onnx(random_network(), 7)
    small = export.in_bytes(model)
    assert small.ByteSize() < 0.56 * model.ByteSize()
    picture = np.random.default_rng(0).integers(0, 255, (1, 64, 96, 3), np.uint8)
    both = [
        onnxruntime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            None, {"rgb": picture}
        )
        for m in (model, small)
    ]
    for full, eight in zip(*both, strict=True):
        assert np.abs(full - eight).mean() < 0.05 * (np.abs(full).mean() + 0.05)

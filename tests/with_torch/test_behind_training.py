"""The network that continues colours behind outlines: what it is asked, how it learns, and that its file keeps it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

pytest.importorskip("torch", reason="needs torch: tests/with_torch/run", exc_type=ImportError)
pytest.importorskip("onnx", reason="needs onnx", exc_type=ImportError)

import torch
from training.behind import samples, train
from training.behind.export import state_from_onnx, to_onnx
from training.behind.network import CHANNELS, Behind
from training.behind.samples import Cover, Sample, forgetful, question, with_cover

from own_nets import exporter

POLE = np.repeat((np.abs(np.arange(samples.SIZE) - 64) < 30)[None], samples.SIZE, axis=0)


def stripes(rng: np.random.Generator) -> Sample:
    """A picture of slanted stripes behind a pole."""
    y, x = np.mgrid[: samples.SIZE, : samples.SIZE].astype(np.float32)
    wave = np.sign(np.sin((y + rng.uniform(-0.5, 0.5) * x) / rng.uniform(4, 8) + rng.uniform(0, 6)))
    rgb = np.repeat(0.5 + 0.3 * wave[..., None], 3, 2).astype(np.float32)
    cover = np.abs(x - 64) < rng.uniform(8, 20)
    return question(rgb, np.full_like(x, 0.5), cover, 40, 1)


def test_what_is_covered_is_asked_and_nothing_of_it_is_told() -> None:
    made = stripes(np.random.default_rng(0))
    assert made.wanted.any() and not (made.known & made.wanted).any()
    assert np.abs(made.colour - made.truth)[made.known].max() == 0
    assert np.abs(made.colour - made.truth)[made.wanted].mean() > 0.1
    assert not made.known[:, 60:68].any()


def test_a_cover_that_is_told_lies_before_what_it_hides() -> None:
    made = question(np.zeros((128, 128, 3), np.float32), np.full((128, 128), 0.5, np.float32), POLE, 8, 1)
    cover = Cover(
        POLE, np.ones((128, 128, 3), np.float32), np.linspace(1, 2, 128 * 128, dtype=np.float32).reshape(128, 128)
    )
    told = with_cover(made, cover, 1.5)
    new = told.known & ~made.known
    assert new.any() and (POLE[new]).all() and not (told.known & told.wanted).any()
    assert (told.colour[new] == 1).all() and (told.guide[new] >= 0.75).all()
    np.testing.assert_array_equal(told.guide[~new], made.guide[~new])


def test_less_may_be_told_but_never_other_things() -> None:
    made = stripes(np.random.default_rng(0))
    less = forgetful(made, 10)
    assert 0 < less.known.sum() < made.known.sum() and not (less.known & ~made.known).any()
    assert (less.wanted == made.wanted).all() and less.truth is made.truth


def test_an_untaught_network_leaves_the_membrane_as_it_is() -> None:
    assert float(Behind()(torch.rand(2, CHANNELS, 64, 48)).detach().abs().max()) == 0


def test_it_learns_to_continue_stripes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(1)
    run = train.Run(tmp_path, 2e-3)
    batch = train.stacked([stripes(rng) for _ in range(8)], rng)
    first = run.step(batch, 2e-3)
    assert first == pytest.approx(1, abs=0.01), "it begins with all of the membrane's error"
    for _ in range(40):
        last = run.step(batch, 2e-3)
    assert last < 0.8


def test_training_goes_on_where_it_was_saved(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    run = train.Run(tmp_path, 1e-3)
    run.step(train.stacked([stripes(rng) for _ in range(2)], rng), 1e-3)
    run.save()
    again = train.Run(tmp_path, 1e-3)
    assert again.steps == 1
    for name, value in run.network.state_dict().items():
        torch.testing.assert_close(again.network.state_dict()[name], value)


@exporter
def test_the_file_says_what_the_network_says_and_gives_its_weights_back(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = Behind()
    torch.nn.init.normal_(network.answer.weight, std=0.05)
    path = tmp_path / "behind.onnx"
    path.write_bytes(to_onnx(network, 7).SerializeToString())
    x = torch.rand(1, CHANNELS, 96, 64)
    (said,) = onnxruntime.InferenceSession(str(path)).run(None, {"shown": x.numpy()})
    ours = network(x).detach().numpy()
    assert np.abs(ours).max() > 0.05 and np.abs(said - ours).max() < 0.01 * np.abs(ours).max()
    state, steps = state_from_onnx(path)
    assert steps == 7
    for name, value in network.state_dict().items():
        torch.testing.assert_close(state[name], value, rtol=1e-3, atol=1e-4)

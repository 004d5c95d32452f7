"""The network that is trained, and the file it ships in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch: tests/with_torch/run", exc_type=ImportError)
pytest.importorskip("onnx", reason="needs onnx", exc_type=ImportError)

import torch
from training import export
from training.network import Shipped, Worlds

from own_nets import exporter, random_network
from unflat.models.runtime import onnxruntime

pytestmark = pytest.mark.usefixtures("repeatable")


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


@exporter
def test_the_files_are_small_enough() -> None:
    model = export.to_onnx(random_network(), 7)
    assert model.ByteSize() <= 25_000_000
    assert export.in_bytes(model).ByteSize() <= 8_000_000  # what ships, for browsers too


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

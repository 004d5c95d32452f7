"""``--depth onnx:PATH``: what a card says is done, what nobody says is asked for, and hostile files are refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import skimage.data

import nets
import unflat
from nets import card, opened
from unflat.cli.main import run
from unflat.errors import InputError, WeightsError
from unflat.models.registry import depth_model
from unflat.types import DepthKind

RGB = np.random.default_rng(1).integers(0, 256, (60, 90, 3), np.uint8)
GREY = "disparity"


def raw_colours(**more: Any) -> dict[str, Any]:
    """The section ``input`` of a network that takes plain 0..1."""
    return {"mean": [0, 0, 0], "std": [1, 1, 1], "fit": "stretch", "size": [90, 60], **more}


def test_a_card_is_done_to_the_letter(tmp_path: Path) -> None:
    path = card(nets.mean_net(tmp_path / "net.onnx"), kind="disparity", licence="MIT", input=raw_colours())
    model = opened(path)
    seen = model.predict(RGB)
    assert seen.kind is DepthKind.DISPARITY and np.allclose(seen.values, RGB.mean(axis=2) / 255, atol=1e-6)
    assert model.card.name == "onnx:net.onnx" and model.card.licence == "MIT" and model.card.commercial
    assert model.card.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() and not model.card.assumed


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        ({"kind": "metric"}, lambda z: 1 / z),
        ({"kind": "metric", "inverse": False}, lambda z: 1 / z),
        ({"kind": "metric", "inverse": True}, lambda z: z),
        ({"kind": "scale"}, lambda z: 1 / z),
        ({"kind": "scale", "inverse": True}, lambda z: z),
        ({"kind": "affine"}, lambda z: z),
        ({"kind": "disparity"}, lambda z: z),
        ({"kind": "disparity", "inverse": True}, lambda z: z),
    ],
)
def test_each_kind_is_converted_its_own_way(tmp_path: Path, said: dict[str, Any], truth: Any) -> None:
    path = card(nets.mean_net(tmp_path / "net.onnx", times=3, plus=1), input=raw_colours(), **said)
    seen = opened(path).predict(RGB)
    assert seen.kind.value == said["kind"]
    assert np.allclose(seen.values, truth(1 + 3 * RGB.mean(axis=2) / 255), rtol=1e-4)


def test_metres_arrive_as_metres(tmp_path: Path) -> None:
    """Through the whole recipe, at the picture's size."""
    y = np.linspace(10, 200, 64).astype(np.uint8)
    picture = np.repeat(np.repeat(y[:, None], 96, 1)[..., None], 3, 2)
    path = card(
        nets.mean_net(tmp_path / "net.onnx", times=4, plus=1),
        kind="metric",
        licence="MIT",
        input=raw_colours(size=[96, 64]),
    )
    depth = unflat.depth(picture, depth=f"onnx:{path}")
    assert depth.kind is DepthKind.METRIC and depth.origin == "onnx:net.onnx" and depth.licence == "MIT"
    error = np.abs(depth.values / (1 + 4 * (picture[..., 0] / 255)) - 1)
    assert np.quantile(error, 0.9) < 1e-3 and error.max() < 0.1  # steep rows are taken for outlines


def test_affine_depth_is_not_turned_inside_out(tmp_path: Path) -> None:
    y = np.linspace(10, 200, 64).astype(np.uint8)
    picture = np.repeat(np.repeat(y[:, None], 96, 1)[..., None], 3, 2)
    for kind, near_is_dark in (("affine", True), ("disparity", False)):
        path = card(nets.mean_net(tmp_path / f"{kind}.onnx"), kind=kind, licence="MIT", input=raw_colours())
        z = unflat.depth(picture, depth=f"onnx:{path}").values
        assert bool(z[5].mean() < z[-5].mean()) is near_is_dark


def test_without_a_card_the_kind_must_be_said(tmp_path: Path) -> None:
    path = nets.mean_net(tmp_path / "net.onnx", (1, 3, 60, 90))
    with pytest.raises(WeightsError, match=r"nobody says what the numbers of 'net\.onnx' mean") as caught:
        opened(path)
    assert "--depth-kind" in caught.value.hint and "net.json" in caught.value.hint and caught.value.exit_code == 5
    model = opened(path, kind="metric")
    assert model.card.kind is DepthKind.METRIC and model.card.licence == "unknown" and not model.card.commercial
    assert any("colours" in one for one in model.card.assumed)
    with pytest.raises(InputError, match="cannot be of the depth kind 'near'"):
        opened(path, kind="near")


def test_the_user_may_not_contradict_the_card(tmp_path: Path) -> None:
    path = card(nets.mean_net(tmp_path / "net.onnx"), kind="metric")
    assert opened(path, kind="metric").card.kind is DepthKind.METRIC
    with pytest.raises(InputError, match="says kind 'metric', you say 'affine'"):
        opened(path, kind="affine")


def test_the_card_may_stand_in_the_graph(tmp_path: Path) -> None:
    said = {"unflat": json.dumps({"kind": "scale", "inverse": True, "licence": "CC-BY-NC-4.0"})}
    path = nets.mean_net(tmp_path / "net.onnx", metadata=said)
    model = opened(path)
    assert model.card.kind is DepthKind.SCALE and not model.card.commercial
    assert opened(card(path, kind="metric")).card.kind is DepthKind.METRIC


@pytest.mark.parametrize(
    "shape", [(1, 3, 40, 64), (1, 40, 64, 3), (3, 40, 64), ("batch", 3, "h", "w"), (1, "h", "w", 3)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint8])
def test_layouts_and_types_are_read_from_the_graph(tmp_path: Path, shape: Any, dtype: Any) -> None:
    axis_first = shape[-3] == 3
    if len(shape) == 3:
        path = tmp_path / "net.onnx"
        nodes = [
            onnx.helper.make_node("Cast", ["pixels"], ["f"], to=1),
            onnx.helper.make_node("ReduceMean", ["f"], ["depth"], axes=[0], keepdims=0),
        ]
        out = onnx.helper.make_tensor_value_info("depth", 1, None)
        nets.save(path, nodes, [nets.picture_input(shape, dtype)], [out])
    else:
        path = nets.mean_net(tmp_path / "net.onnx", shape, dtype=dtype)
    colours = {} if dtype is np.uint8 else {"mean": [0, 0, 0], "std": [1, 1, 1], "range": 255}
    card(path, kind=GREY, input={"fit": "stretch", "size": [64, 40], **colours})
    seen = opened(path).predict(np.ascontiguousarray(skimage.data.chelsea()[:40, :64]))
    assert seen.values.shape == (40, 64)
    assert np.allclose(seen.values, skimage.data.chelsea()[:40, :64].mean(axis=2), atol=0.5), axis_first


def test_bgr_reaches_the_network_turned(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    nodes = [
        onnx.helper.make_node("Slice", ["pixels", "zero", "one", "axis"], ["first"]),
    ]
    weights = [
        onnx.numpy_helper.from_array(np.array([v], np.int64), n) for n, v in (("zero", 0), ("one", 1), ("axis", 1))
    ]
    nets.save(
        path, nodes, [nets.picture_input(nets.NCHW)], [onnx.helper.make_tensor_value_info("first", 1, None)], weights
    )
    for channels, at in (("RGB", 0), ("BGR", 2)):
        card(path, kind=GREY, input=raw_colours(channels=channels))
        assert np.allclose(opened(path).predict(RGB).values, RGB[..., at] / 255, atol=1e-6)


def test_a_free_size_without_a_card_is_safe_for_all_and_said(tmp_path: Path) -> None:
    model = opened(nets.mean_net(tmp_path / "net.onnx"), kind="disparity")
    seen = model.predict(skimage.data.astronaut())
    assert all(side % 14 == 0 and side % 32 == 0 for side in seen.values.shape)
    assert any("multiples of 224" in one for one in model.card.assumed)


def test_sky_and_confidence_are_taken_where_the_card_names_them(tmp_path: Path) -> None:
    answers = {
        "d": np.linspace(0, 1, 64, dtype=np.float32).reshape(1, 1, 8, 8),
        "s": np.full((1, 1, 16, 16), 0.25, np.float32),
        "c": np.full((1, 1, 8, 8), 1.0, np.float32),
    }
    path = nets.constant_net(tmp_path / "net.onnx", answers)
    with pytest.raises(WeightsError, match="3 outputs"):
        opened(card(path, kind="scale", inverse=True))
    outputs = {"depth": "d", "sky": "s", "confidence": "c"}
    model = opened(card(path, kind="scale", inverse=True, outputs=outputs))
    seen = model.predict(RGB)
    assert model.card.gives == ("sky", "confidence")
    assert seen.sky is not None and np.allclose(seen.sky, 0.25) and seen.sky.shape == seen.values.shape
    with pytest.raises(WeightsError, match="no output of the network"):
        opened(card(path, kind="scale", outputs={"depth": "z"}))
    nets.constant_net(path, answers | {"s": np.full((1, 1, 8, 8), 7.0, np.float32)})
    with pytest.raises(WeightsError, match=r"not within 0\.\.1"):
        opened(card(path, kind="scale", inverse=True, outputs=outputs)).predict(RGB)


@pytest.mark.parametrize("size", [(4, 4), (37, 91), (600, 40), (1, 1, 1024, 8)])
def test_outputs_of_all_sizes_are_taken_for_the_whole_picture(tmp_path: Path, size: tuple[int, ...]) -> None:
    answer = np.random.default_rng(0).random(size, np.float32) + 1
    path = card(nets.constant_net(tmp_path / "net.onnx", {"d": answer}), kind="disparity", licence="MIT")
    depth = unflat.depth(RGB, depth=f"onnx:{path}")
    assert depth.values.shape == RGB.shape[:2] and np.isfinite(depth.values).all()


@pytest.mark.parametrize(
    "answer",
    [
        np.full((1, 8, 8), np.nan, np.float32),
        np.full((1, 8, 8), np.inf, np.float32),
        np.zeros((1, 8, 8), np.float32),
        np.zeros((1, 3, 8, 8), np.float32),
        np.zeros(5, np.float32),
        np.zeros((1, 1), np.float32),
        np.zeros((0, 8), np.float32),
        np.zeros((8, 8), bool),
    ],
)
def test_nonsense_is_one_error(tmp_path: Path, answer: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    import PIL.Image

    path = card(nets.constant_net(tmp_path / "net.onnx", {"d": answer}), kind="scale", inverse=True)
    PIL.Image.fromarray(RGB).save(tmp_path / "a.png")
    assert run(["depth", str(tmp_path / "a.png"), "--depth", f"onnx:{path}", "-o", str(tmp_path / "o.npy")]) == 5
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 2 and said[0].startswith("error: ") and said[1].startswith("hint: ")
    assert not (tmp_path / "o.npy").exists()


@pytest.mark.parametrize(
    "said",
    [
        "no json",
        "[1]",
        '{"kind": "near"}',
        '{"kind": 7}',
        '{"kind": ["metric"]}',
        '{"kind": "metric", "colour": 1}',
        '{"kind": "affine", "inverse": true}',
        '{"kind": "disparity", "inverse": false}',
        '{"kind": "metric", "inverse": "yes"}',
        '{"kind": "metric", "licence": 7}',
        '{"kind": "metric", "commercial": "yes"}',
        '{"kind": "metric", "input": []}',
        '{"kind": "metric", "input": {"layout": "CHW"}}',
        '{"kind": "metric", "input": {"layout": "NHWC"}}',
        '{"kind": "metric", "input": {"range": 2}}',
        '{"kind": "metric", "input": {"mean": [1, 2]}}',
        '{"kind": "metric", "input": {"std": [1, 0, 1]}}',
        '{"kind": "metric", "input": {"std": [1, NaN, 1]}}',
        '{"kind": "metric", "input": {"size": [1e9, 4]}}',
        '{"kind": "metric", "input": {"size": [1000000, 4000]}}',
        '{"kind": "metric", "input": {"size": [-5, 40]}}',
        '{"kind": "metric", "input": {"multiple_of": 0}}',
        '{"kind": "metric", "input": {"multiple_of": true}}',
        '{"kind": "metric", "input": {"fit": "so"}}',
        '{"kind": "metric", "input": {"name": "other"}}',
        '{"kind": "metric", "outputs": {"normals": "depth"}}',
        "[" * 100_000,
        '{"kind": "metric", "summary": "' + "x" * 70_000 + '"}',
    ],
)
def test_a_wrong_card_is_refused(tmp_path: Path, said: str) -> None:
    path = nets.mean_net(tmp_path / "net.onnx")
    path.with_suffix(".json").write_text(said)
    with pytest.raises(WeightsError) as caught:
        opened(path)
    assert caught.value.exit_code == 5 and caught.value.hint


def test_a_card_written_by_an_editor_of_windows_is_read(tmp_path: Path) -> None:
    path = nets.mean_net(tmp_path / "net.onnx")
    path.with_suffix(".json").write_text('{"kind": "metric", "licence": "mit"}', encoding="utf-8-sig")
    assert opened(path).card.licence == "mit"


def test_a_fixed_graph_and_its_card_must_agree(tmp_path: Path) -> None:
    path = nets.mean_net(tmp_path / "net.onnx", (1, 3, 32, 48))
    with pytest.raises(WeightsError, match="takes 48×32 only"):
        opened(card(path, kind="metric", input={"size": [64, 64]}))
    with pytest.raises(WeightsError, match="fit 'long' cannot be"):
        opened(card(path, kind="metric", input={"fit": "long"}))
    with pytest.raises(WeightsError, match="there is no fit 'so'"):
        opened(card(path, kind="metric", input={"fit": "so"}))
    seen = opened(card(path, kind="disparity", input=raw_colours(size=[48, 32], fit="pad"))).predict(
        np.full((64, 64, 3), 100, np.uint8)
    )
    assert seen.values.shape == (32, 32) and np.allclose(seen.values, 100 / 255, atol=1e-6)


@pytest.mark.parametrize(
    "shape",
    [(2, 3, 32, 32), (1, 4, 32, 32), (1, 1, 32, 32), (3, 32), (1, 3, 3, 32, 32), (1, 3, 32, "w"), (1, "c", "h", "w")],
)
def test_graphs_that_take_no_picture_are_refused(tmp_path: Path, shape: Any) -> None:
    path = tmp_path / "net.onnx"
    out = onnx.helper.make_tensor_value_info("depth", 1, None)
    nets.save(path, [onnx.helper.make_node("Identity", ["pixels"], ["depth"])], [nets.picture_input(shape)], [out])
    with pytest.raises(WeightsError):
        opened(card(path, kind="metric"))


def test_a_second_input_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    two = onnx.helper.make_tensor_value_info("focal", 1, [1])
    out = onnx.helper.make_tensor_value_info("depth", 1, None)
    nets.save(
        path,
        [onnx.helper.make_node("Mul", ["pixels", "focal"], ["depth"])],
        [nets.picture_input(nets.NCHW), two],
        [out],
    )
    with pytest.raises(WeightsError, match="one picture"):
        opened(card(path, kind="metric"))


def test_the_report_tells_name_licence_checksum_and_what_was_assumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import PIL.Image

    path = nets.mean_net(tmp_path / "net.onnx", (1, 3, 64, 96))
    PIL.Image.fromarray(RGB).save(tmp_path / "a.png")
    words = ["depth", str(tmp_path / "a.png"), "-o", str(tmp_path / "o.npy"), "--json", "--depth", f"onnx:{path}"]
    assert run([*words, "--depth-kind", "disparity"]) == 0
    report = json.loads(capsys.readouterr().out)
    step = next(one for one in report["provenance"]["steps"] if one["name"] == "depth")
    assert report["model"] == step["model"] == "onnx:net.onnx" and step["licence"] == "unknown"
    assert step["options"]["weights_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert any("colours" in one for one in report["warnings"]) and any("licence" in one for one in report["warnings"])
    assert str(tmp_path) not in json.dumps(report["provenance"])
    assert run([*words, "--force", "--depth-kind", "disparity-px"]) == 2
    assert run([*words, "--force"]) == 5
    capsys.readouterr()
    assert run(["depth", str(tmp_path / "a.png"), "--depth", str(path)]) == 2
    assert f"--depth onnx:{path}" in capsys.readouterr().err


def test_only_weights_that_may_be_used_at_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import PIL.Image

    PIL.Image.fromarray(RGB).save(tmp_path / "a.png")
    path = nets.mean_net(tmp_path / "net.onnx", (1, 3, 64, 96))
    words = [str(tmp_path / "a.png"), "--depth", f"onnx:{path}", "--commercial-only", "--force"]
    for licence, ends in (("CC-BY-NC-4.0", 8), ("apple-amlr", 8), (None, 8), ("Apache-2.0", 0)):
        card(path, kind="disparity", **({"licence": licence} if licence else {}))
        assert run(["depth", *words, "-o", str(tmp_path / "o.npy")]) == ends
        assert run(["photo", *words, "-o", str(tmp_path / "o.ply")]) == ends
        if ends:
            assert (licence or "unknown") in capsys.readouterr().err
            with pytest.raises(unflat.UnflatError, match="does not allow commercial use"):
                unflat.depth(RGB, depth=f"onnx:{path}", commercial_only=True)
    card(path, kind="disparity", licence="cc-by-nc-4.0", commercial=True)
    assert run(["depth", *words, "-o", str(tmp_path / "o.npy")]) == 8
    for nobodys in ({}, {"licence": "unknown"}, {"licence": "Unknown"}, {"licence": " "}):
        card(path, kind="disparity", commercial=True, **nobodys)
        assert run(["depth", *words, "-o", str(tmp_path / "o.npy")]) == 8
    card(path, kind="disparity", licence="apache-2.0", commercial=False)
    assert run(["depth", *words, "-o", str(tmp_path / "o.npy")]) == 8
    card(path, kind="disparity", licence="our-own-terms", commercial=True)
    assert run(["depth", *words, "-o", str(tmp_path / "o.npy")]) == 0


def test_our_own_network_through_the_same_door_sees_the_same(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The shipped weights, described by a card, against their own adapter: size, layout, polarity and outputs."""
    from unflat.models.depth.worlds import LONG_SIDE
    from unflat.models.weights import CARDS, weights_path

    path = tmp_path / "worlds.onnx"
    path.write_bytes(weights_path(CARDS["worlds"]).read_bytes())
    laid = {"fit": "long", "size": [LONG_SIDE, LONG_SIDE], "multiple_of": 32}
    card(
        path,
        kind="scale",
        inverse=True,
        licence="Apache-2.0",
        input=laid,
        outputs={"depth": "inverse_depth", "sky": "sky"},
    )
    for picture in (skimage.data.astronaut(), skimage.data.chelsea(), skimage.data.coffee()):
        net, own = opened(path), depth_model("worlds", threads=1).predict(picture)
        mine = net.predict(picture)
        assert np.allclose(mine.values, own.values, rtol=1e-4, atol=1e-5) and mine.kind is own.kind
        assert mine.sky is not None and own.sky is not None
        assert np.allclose(mine.sky, own.sky, atol=1e-5)
    import PIL.Image

    PIL.Image.fromarray(RGB).save(tmp_path / "a.png")
    assert run(["depth", str(tmp_path / "a.png"), "--depth", f"onnx:{path}"]) == 0
    assert "depth by onnx:worlds.onnx, licence Apache-2.0" in capsys.readouterr().err


def test_a_device_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    path = card(nets.mean_net(tmp_path / "net.onnx"), kind="metric")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(InputError, match="cannot run on 'cuda'"):
        opened(path, device="cuda")

"""The multi-layer EXR, read again by two readers that are not its writer: one of our own made here, and FFmpeg's."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unflat.formats import depthmap, registry
from unflat.pipelines.inspect import inspect
from unflat.stages.build_layers import build_layers
from unflat.stages.extend_picture import ExtendOptions, extend_picture
from unflat.types import DepthKind, DepthMap, Image, Intrinsics, Size
from unflat.types.layers import Layers

LENS = Intrinsics(110.0, 110.0, 60.0, 44.0, Size(120, 90))


def layers(share: float = 0.2) -> Layers:
    """A red box before a tilted wall, extended."""
    y, x = np.mgrid[0:90, 0:120].astype(float)
    inverse = 0.2 + 0.0005 * x
    box = (x > 40) & (x < 70) & (y > 30) & (y < 60)
    inverse[box] = 0.6
    pixels = np.stack([80 + y, 60 + x, 200 - y], -1)
    pixels[box] = [220, 30, 20]
    sure = np.full((90, 120), 0.75, np.float32)
    depth = DepthMap((1 / inverse).astype(np.float32), DepthKind.METRIC, None, None, sure, LENS)
    wide, wider = extend_picture(Image(pixels.astype(np.uint8)), depth, ExtendOptions(share))
    return build_layers(wider, wide)


def parsed(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and channels of a single-part ZIP scan-line EXR, by the public description of the file's layout."""
    data, at = path.read_bytes(), 8
    assert data[:4] == b"\x76\x2f\x31\x01" and data[4] == 2 and not data[5] & 0x12
    head: dict[str, Any] = {}
    while data[at]:
        name, kind, rest = data[at:].split(b"\0", 2)[0], data[at:].split(b"\0", 2)[1], at
        at += len(name) + len(kind) + 2
        (size,) = struct.unpack_from("<i", data, at)
        head[name.decode()] = data[at + 4 : at + 4 + size]
        assert at > rest
        at += 4 + size
    at += 1
    named, listed = [], head["channels"]
    while listed[0]:
        name, listed = listed.split(b"\0", 1)
        named.append((name.decode(), {1: np.dtype("<f2"), 2: np.dtype("<f4")}[struct.unpack_from("<i", listed)[0]]))
        listed = listed[16:]
    x0, y0, x1, y1 = struct.unpack("<4i", head["dataWindow"])
    w, h = x1 - x0 + 1, y1 - y0 + 1
    assert head["compression"] == b"\x03"
    out = {name: np.zeros((h, w), kind) for name, kind in named}
    for (place,) in struct.iter_unpack("<Q", data[at : at + 8 * -(-h // 16)]):
        y, size = struct.unpack_from("<ii", data, place)
        rows = min(16, y1 + 1 - y)
        raw = data[place + 8 : place + 8 + size]
        if size < rows * sum(w * kind.itemsize for _, kind in named):
            steps = np.frombuffer(zlib.decompress(raw), np.uint8).astype(np.int64)
            steps[1:] -= 128
            mixed = (np.cumsum(steps) & 255).astype(np.uint8)
            half = (len(mixed) + 1) // 2
            plain = np.empty_like(mixed)
            plain[0::2], plain[1::2] = mixed[:half], mixed[half:]
            raw = plain.tobytes()
        start = 0
        for row in range(y - y0, y - y0 + rows):
            for name, kind in named:
                out[name][row] = np.frombuffer(raw, kind, w, start)
                start += w * kind.itemsize
    return head, out


def test_every_layer_is_there_for_another_reader(tmp_path: Path) -> None:
    made, path = layers(), tmp_path / "s.exr"
    registry.write(made, path)
    head, found = parsed(path)
    left, top, right, bottom = made.depth.frame
    assert struct.unpack("<4i", head["displayWindow"]) == (0, 0, 119, 89)
    size = made.picture.size
    assert struct.unpack("<4i", head["dataWindow"]) == (-left, -top, size.width - left - 1, size.height - top - 1)
    code = made.picture.pixels / 255
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    for k, name in enumerate("RGB"):
        assert np.allclose(found[name], linear[..., k], atol=1e-3) and found[name].dtype == np.float16
    assert np.array_equal(found["Z"], made.depth.values) and (found["A"] == 1).all()
    outside = np.ones(size.shape, bool)
    outside[top:bottom, left:right] = False
    assert np.array_equal(found["beyond.A"] == 1, outside) and not found["confidence"][outside].any()
    hidden = made.hidden
    assert hidden.on.any() and np.array_equal(found["hidden.A"] == 1, hidden.on)
    assert np.allclose(found["hidden.Z"][hidden.on], 1 / hidden.inverse[hidden.on])
    assert np.isinf(found["hidden.Z"][~hidden.on]).all()
    assert np.array_equal(found["hidden.invented"] == 1, hidden.invented)
    assert not found["hidden.R"][~hidden.on].any()


def test_camera_and_normals_are_those_of_the_scene(tmp_path: Path) -> None:
    made, path = layers(0.0), tmp_path / "s.exr"
    registry.write(made, path)
    head, found = parsed(path)
    to_ndc = np.frombuffer(head["worldToNDC"], "<f4").reshape(4, 4)
    to_camera = np.frombuffer(head["worldToCamera"], "<f4").reshape(4, 4)
    point = np.array([0.3, -0.2, -2.0, 1])  # right, up, towards the camera
    seen = point @ to_ndc
    assert seen[:2] / seen[3] * (120, 90) == pytest.approx([60 + 110 * 0.15, 44 + 110 * 0.1], abs=1e-3)
    assert (point @ to_camera)[:3].tolist() == pytest.approx([0.3, -0.2, 2.0])
    assert struct.unpack("<f", head["screenWindowWidth"])[0] == pytest.approx(120 / 110)
    assert json.loads(head["unflat_camera"])["cy"] == 44
    # inverse depth a + b·column is the plane with n = (b·fx, 0, a + b·cx), turned towards the camera
    n = np.array([0.0005 * 110, 0, 0.2 + 0.0005 * 59.5])
    n /= np.linalg.norm(n)
    normal = np.stack([found[f"normal.{k}"] for k in "XYZ"], -1).astype(float)
    assert np.allclose(normal[10:80, 80:110], [-n[0], 0, n[2]], atol=3e-3)


def test_it_is_read_back_as_depth_too(tmp_path: Path) -> None:
    made, path = layers(), tmp_path / "s.exr"
    registry.write(made, path)
    (tmp_path / "s.exr.json").unlink()
    again = depthmap.read(path)
    assert again.kind is DepthKind.METRIC and np.array_equal(again.values, made.depth.values)


@pytest.mark.parametrize("layer", ["", "hidden"])
def test_ffmpeg_sees_the_colours_of_a_layer(tmp_path: Path, layer: str) -> None:
    av = pytest.importorskip("av")
    made, path = layers(0.0), tmp_path / "s.exr"
    registry.write(made, path)
    with av.open(str(path), options={"layer": layer} if layer else {}) as file:
        if layer:
            file.streams.video[0].codec_context.options = {"layer": layer}
        frame = next(file.decode(video=0))
    assert (frame.width, frame.height) == (120, 90) and frame.format.name == "gbrapf16le"
    red = np.frombuffer(frame.planes[2], "<f2").reshape(90, -1)[:, :120]  # planes are G, B, R
    _, found = parsed(path)
    assert np.allclose(red, found[f"{layer}.R" if layer else "R"].astype(np.float32), atol=1e-3)


def test_inspect_names_the_layers_and_what_is_made_up(tmp_path: Path) -> None:
    made, path = layers(), tmp_path / "s.exr"
    registry.write(made, path)
    told = inspect(path)
    assert told["what"] == "layers" and told["format"] == "OpenEXR layers" and "Nuke" in told["opens_in"]
    rows = {row["name"]: row for row in told["layers"]}
    assert list(rows)[:4] == ["seen", "normal", "beyond", "hidden"]
    assert set(rows["hidden"]["channels"]) == {"R", "G", "B", "A", "Z", "invented"}
    assert {"Z", "confidence", "A"} <= set(rows["seen"]["channels"]) and rows["seen"]["share"] == 1
    on = made.hidden.on
    assert rows["hidden"]["share"] == pytest.approx(on.mean(), abs=1e-4) and on.any()
    assert rows["hidden"]["invented_share"] == pytest.approx(made.hidden.invented[on].mean(), abs=1e-4)
    assert made.depth.invented is not None
    assert rows["beyond"]["share"] == pytest.approx(made.depth.invented.mean(), abs=1e-4)
    assert rows["beyond"]["invented_share"] == 1
    registry.write(made.depth, tmp_path / "d.exr")
    plain = inspect(tmp_path / "d.exr")
    assert plain["format"] == "OpenEXR depth" and "layers" not in plain

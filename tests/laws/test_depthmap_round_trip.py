"""What a depth file says is what was written, within the tolerance its format states."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image as Pil

from unflat.formats import depthmap
from unflat.formats.depth_codes import coding_for
from unflat.formats.registry import ExportOptions
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size

KINDS = list(DepthKind)
NEARS = [None, "white", "black"]
LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def depth_maps(draw: st.DrawFn) -> DepthMap:
    """Maps of any kind with holes, with and without sky, confidence and a camera."""
    kind = draw(st.sampled_from(KINDS))
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 7)))
    lowest = 0.0078125 if kind.is_depth else -100.0
    highest = draw(st.sampled_from([1.0, 60.0, 500.0]))
    numbers = st.floats(lowest, highest, width=32)
    values = draw(arrays.arrays(np.float32, shape, elements=numbers))
    valid = draw(arrays.arrays(np.bool_, shape))
    sky = draw(st.none() | arrays.arrays(np.bool_, shape))
    if sky is not None:
        valid = valid | sky
        seen = values[valid & ~sky]
        least = seen.min() if seen.size else np.float32(0)
        values = np.where(sky, least if kind is DepthKind.DISPARITY else np.float32(np.inf), values)
    assume(valid.any())
    size = Size(shape[1], shape[0])
    camera = draw(st.none() | st.floats(10, 170).map(lambda fov: Intrinsics.from_fov(fov, size, "exif-35mm")))
    confidence = draw(st.none() | arrays.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
    return DepthMap(values, kind, valid, sky, confidence, camera, "a model", draw(st.sampled_from([None, "CC0-1.0"])))


def through(depth: DepthMap, suffix: str, near: str | None) -> DepthMap:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"d{suffix}"
        depthmap.write(depth, path, ExportOptions(near=near))
        assert sorted(p.name for p in Path(folder).iterdir()) == [f"d{suffix}", f"d{suffix}.json"]
        return depthmap.read(path)


def assert_same_facts(back: DepthMap, depth: DepthMap) -> None:
    assert (back.kind, back.origin, back.licence) == (depth.kind, depth.origin, depth.licence)
    assert back.intrinsics == depth.intrinsics and back.size == depth.size
    assert np.array_equal(np.asarray(back.valid), np.asarray(depth.valid))
    assert (back.sky is None) == (depth.sky is None)
    if depth.sky is not None and back.sky is not None:
        assert np.array_equal(back.sky & np.asarray(back.valid), depth.sky & np.asarray(depth.valid))


@pytest.mark.parametrize("suffix", [".exr", ".npy", ".pfm"])
@LAW
@given(depth_maps())
def test_float_files_keep_every_bit(suffix: str, depth: DepthMap) -> None:
    back = through(depth, suffix, None)
    assert_same_facts(back, depth)
    assert np.array_equal(back.values[back.surface], depth.values[depth.surface])
    if depth.sky is not None and depth.kind is not DepthKind.DISPARITY:
        assert (back.values[depth.sky] == np.inf).all()
    if suffix == ".exr" and depth.confidence is not None:
        assert back.confidence is not None and np.array_equal(back.confidence, depth.confidence)


@LAW
@given(depth_maps(), st.sampled_from(NEARS))
def test_png_keeps_half_a_step(depth: DepthMap, near: str | None) -> None:
    back = through(depth, ".png", near)
    assert_same_facts(back, depth)
    coding = coding_for(depth, near)
    got, want = back.values[back.surface].astype(float), depth.values[depth.surface].astype(float)
    step = (coding.high - coding.low) / abs(coding.code_high - coding.code_low)
    if coding.quantity == "inverse-z":
        got, want = 1 / got, 1 / want
    slack = 1e-6 * max(abs(coding.low), abs(coding.high))
    assert np.all(np.abs(got - want) <= step / 2 + slack)


@pytest.mark.parametrize("near", ["white", "black"])
@pytest.mark.parametrize("kind", KINDS)
def test_grey_is_strictly_monotone_in_depth(tmp_path: Path, kind: DepthKind, near: str) -> None:
    """Every depth farther than another is darker (near white) or lighter (near black), read by another's reader."""
    z = np.geomspace(0.5, 80, 400).astype(np.float32).reshape(8, 50)
    depth = DepthMap(1 / z if kind is DepthKind.DISPARITY else z, kind)
    depthmap.write(depth, tmp_path / "d.png", ExportOptions(near=near))
    with Pil.open(tmp_path / "d.png") as picture:
        assert picture.mode == "I;16"
        grey = np.asarray(picture).astype(int).ravel()
    steps = np.diff(grey)
    assert (steps < 0).all() if near == "white" else (steps > 0).all()


@pytest.mark.parametrize("kind", [k for k in KINDS if k is not DepthKind.METRIC])
def test_near_is_white_unless_said(tmp_path: Path, kind: DepthKind) -> None:
    z = np.array([[1, 2, 4]], np.float32)
    depthmap.write(DepthMap(1 / z if kind is DepthKind.DISPARITY else z, kind), tmp_path / "d.png", ExportOptions())
    with Pil.open(tmp_path / "d.png") as picture:
        assert np.asarray(picture)[0, 0] == 65535 and (np.diff(np.asarray(picture).astype(int)) < 0).all()


@LAW
@given(arrays.arrays(np.float32, (3, 5), elements=st.floats(0.0009765625, 65.5, width=32)))
def test_metric_png_is_millimetres(values: np.ndarray) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d.png"
        depthmap.write(DepthMap(values, DepthKind.METRIC), path, ExportOptions())
        with Pil.open(path) as picture:
            millimetres = np.asarray(picture).astype(float)
    assert np.all(np.abs(millimetres - values.astype(float) * 1000) <= 0.5 + 1e-3)

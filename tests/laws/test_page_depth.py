"""The depth that a page carries comes back within a step of its codes, and every code of its packing exactly."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import scenes
from unflat.errors import InputError
from unflat.formats import html
from unflat.formats.depth_codes import ROOM, coding_to_edit
from unflat.formats.packed_codes import packed, unpacked
from unflat.formats.page_depth import depth_block, depth_in
from unflat.formats.registry import ExportOptions
from unflat.types import DepthKind, DepthMap, Intrinsics, Provenance, Scale, Size, Source

SIZE = Size(40, 30)
ASSUMED = Scale("assumed", 0.2, 5.0, 0.95, "nothing tells")


def depth_map(nearest: float = 0.7, farthest: float = 90.0) -> DepthMap:
    """A slope from near to far, with sky above, a hole, and a story whose words would end a script element."""
    values = np.geomspace(farthest, nearest, SIZE.width * SIZE.height).reshape(SIZE.shape).astype(np.float32)
    sky = np.zeros(SIZE.shape, bool)
    sky[:6] = True
    values[sky] = np.inf
    valid = np.ones(SIZE.shape, bool)
    valid[20:23, 5:9] = False
    story = Provenance((Source("</script><b>Ω.jpg", None, "jpeg"),), (), "0.1.0", False)
    camera = Intrinsics.from_fov(50, SIZE, "exif-35mm")
    return DepthMap(
        values, DepthKind.SCALE, valid, sky, None, camera, "worlds", "Apache-2.0", provenance=story, scale=ASSUMED
    )


def through(depth: DepthMap) -> DepthMap:
    back = depth_in(depth_block(depth).encode(), "a.html")
    assert back is not None
    return back


@settings(max_examples=150, deadline=None)
@given(arrays.arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_packing_keeps_every_code(codes: np.ndarray) -> None:
    assert np.array_equal(unpacked(packed(codes), Size(codes.shape[1], codes.shape[0])), codes)


def test_smooth_depth_packs_much_better_than_a_png_would() -> None:
    y, x = np.mgrid[0:300, 0:400]
    codes = (2 + 40 * x + 30 * y + 900 * np.sin(x / 40) * np.cos(y / 30) + 1000).astype(np.uint16)
    assert len(packed(codes)) < codes.nbytes / 5


def test_what_a_page_carries_comes_back() -> None:
    depth = depth_map()
    back = through(depth)
    assert (back.kind, back.origin, back.licence, back.scale) == (depth.kind, "worlds", "Apache-2.0", ASSUMED)
    assert back.provenance == depth.provenance and back.intrinsics == depth.intrinsics
    assert np.array_equal(np.asarray(back.valid), np.asarray(depth.valid))
    assert back.sky is not None and depth.sky is not None and np.array_equal(back.sky, depth.sky)
    seen = depth.surface
    step = ROOM / depth.values[seen].min() / 65534
    assert np.abs(1 / back.values[seen] - 1 / depth.values[seen]).max() <= 0.51 * step


@pytest.mark.parametrize(("nearest", "farthest"), [(0.7, 0.71), (1e-3, 5e3), (0.5, 0.5 * 65000)])
def test_there_is_room_at_both_ends(nearest: float, farthest: float) -> None:
    """Nearer by nearly half still has a code, and nothing that is seen turns into sky or into nothing."""
    depth = depth_map(nearest, farthest)
    coding = coding_to_edit(depth)
    codes = coding.encode(depth)[depth.surface]
    assert codes.min() >= 2
    assert codes.max() == pytest.approx(1 + 65534 / ROOM, abs=1)
    values, _, _ = coding.decode(np.full((1, 1), 65535, np.uint16))
    assert values[0, 0] == pytest.approx(depth.values[depth.surface].min() / ROOM, rel=1e-5)


@pytest.mark.parametrize("kind", [DepthKind.AFFINE, DepthKind.DISPARITY])
def test_depth_that_nothing_can_be_lifted_from_is_not_carried(kind: DepthKind) -> None:
    assert depth_block(DepthMap(np.ones((3, 4), np.float32), kind)) == ""


def test_a_page_with_depth_is_read_back_and_can_be_without() -> None:
    scene = dataclasses.replace(scenes.textured_scene(), depth=depth_map())
    page = html.page_of_scene(scene)
    assert page.count(b"</script>") == html.page_of_scene(scenes.textured_scene()).count(b"</script>") + 2
    assert depth_in(page, "a.html") is not None
    plain = html.page_of_scene(scene, ExportOptions(editable=False))
    assert plain == html.page_of_scene(scenes.textured_scene()) and depth_in(plain, "a.html") is None


def test_reading_a_page_gives_its_depth(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(html.page_of_scene(dataclasses.replace(scenes.textured_scene(), depth=depth_map())))
    back = html.read(path).depth
    assert back is not None and back.scale == ASSUMED
    path.write_bytes(html.page_of_scene(scenes.textured_scene()))
    assert html.read(path).depth is None


@pytest.mark.parametrize("wrong", [b"!!!!", b"eJwDAAAAAAE=", b"AAAA", b""])
def test_damaged_depth_is_said(wrong: bytes) -> None:
    block = depth_block(depth_map()).encode()
    start = block.index(b'id="depth-codes">') + len(b'id="depth-codes">')
    with pytest.raises(InputError, match="inside"):
        depth_in(block[:start] + wrong + b"</script>", "a.html")


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(InputError, match="does not fill 4"):
        unpacked(packed(np.zeros((3000, 3000), np.uint16)), Size(4, 4))


def test_a_size_beyond_all_memory_is_damage() -> None:
    with pytest.raises(InputError, match="inside"):
        unpacked(packed(np.zeros((4, 4), np.uint16)), Size(10**12, 10**12))

"""Beyond the frame: what is seen stays as it is, planes go on as planes, sky as sky, and all of it is marked."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.errors import InputError
from unflat.geometry.outside import continued_depth
from unflat.pipelines.photo import PhotoOptions, photo
from unflat.stages.build_layered import build_layered
from unflat.stages.build_layers import build_layers
from unflat.stages.build_surface import SurfaceOptions, build_surface
from unflat.stages.extend_picture import ExtendOptions, extend_picture
from unflat.stages.make_points import PointOptions, make_points
from unflat.stages.make_splats import SplatOptions, splats_of
from unflat.types import DepthKind, DepthMap, Image, Intrinsics, Mesh, Size
from unflat.types.arrays import F32, Bool
from unflat.types.scene import Node

MARGIN = 48, 36
INSIDE = np.s_[36:-36, 48:-48]


def world(kind: str) -> tuple[F32, Bool]:
    """Inverse depth of a known world over 160×120 pixels and MARGIN around them, and where its sky is."""
    y, x = np.mgrid[-36:156, -48:208].astype(float)
    sky = np.zeros(x.shape, np.bool_)
    if kind == "tilted wall":
        inverse = 0.2 + 0.0007 * x - 0.0004 * y
    elif kind == "ground":
        inverse = 0.004 * (y - 40)
        sky = inverse <= 0.01
    else:
        walls = 0.1 + 0 * x, 0.1 + 0.004 * (30 - x), 0.1 + 0.003 * (x - 120)
        inverse = np.maximum.reduce([*walls, 0.1 + 0.004 * (y - 80), 0.1 + 0.004 * (25 - y)])
    return np.where(sky, 0, inverse).astype(np.float32), sky


@pytest.mark.parametrize(("kind", "exact"), [("tilted wall", 1), ("ground", 1), ("room", 0.98)])
def test_known_planes_go_on_exactly(kind: str, exact: float) -> None:
    truth, sky = world(kind)
    found = continued_depth(truth[INSIDE].copy(), sky[INSIDE].copy(), MARGIN)
    assert np.array_equal(found.sky, sky) and np.array_equal(found.valid, (truth > 0) | sky)
    off = np.abs(found.inverse - truth) / np.maximum(truth, 1e-9)
    assert np.quantile(off[truth > 0], exact) < 1e-6
    assert off[truth > 0].max() < 0.031  # beside the lines in which walls meet, pixels are told apart to 3 %


def scene(*, alpha: bool = False, fine: int = 1) -> tuple[Image, DepthMap]:
    """Ground of noisy green under noisy blue sky, and a red box on it; the picture ``fine`` times the depth."""
    rng, h, w = np.random.default_rng(5), 90, 120
    y = np.mgrid[0:h, 0:w][0]
    inverse = np.maximum(0.004 * (y - 30.0), 1e-9)
    sky = y <= 32
    box = np.zeros((h, w), np.bool_)
    box[40:70, 40:70] = True
    inverse[box] = inverse[70, 0]
    pixels = np.where(sky[..., None], [90, 140, 230], np.where(box[..., None], [200, 40, 30], [60, 140, 50]))
    pixels = np.repeat(np.repeat(pixels, fine, 0), fine, 1)
    pixels = np.clip(pixels + rng.integers(-25, 26, (*pixels.shape[:2], 1)), 0, 255).astype(np.uint8)
    mask = np.where(np.indices(pixels.shape[:2])[1] < 10 * fine, 0, 255).astype(np.uint8) if alpha else None
    z = np.where(sky, np.inf, 1 / inverse).astype(np.float32)
    lens = Intrinsics.from_fov(60, Size(w, h))
    sure = np.full((h, w), 0.8, np.float32)
    return Image(pixels, mask), DepthMap(z, DepthKind.METRIC, None, sky, sure, lens)


def test_nothing_changes_without_a_share() -> None:
    picture, depth = scene()
    again = extend_picture(picture, depth, ExtendOptions())
    assert again[0] is picture and again[1] is depth
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError):
            ExtendOptions(share)


@pytest.mark.parametrize("fine", [1, 3])
def test_what_was_seen_stays_byte_for_byte_and_the_rest_is_marked(fine: int) -> None:
    picture, depth = scene(alpha=True, fine=fine)
    wide, wider = extend_picture(picture, depth, ExtendOptions(0.3))
    left, top, right, bottom = wider.frame
    assert (right - left, bottom - top) == (120, 90) and abs(left - 36) <= 4 and abs(top - 27) <= 4
    assert wider.size == Size(120 + 2 * left, 90 + 2 * top)
    assert wide.size == Size(fine * wider.size.width, fine * wider.size.height)
    inside, own = np.s_[top:bottom, left:right], np.s_[fine * top : fine * bottom, fine * left : fine * right]
    assert np.array_equal(wide.pixels[own], picture.pixels)
    assert picture.alpha is not None and wide.alpha is not None and np.array_equal(wide.alpha[own], picture.alpha)
    assert np.array_equal(wider.values[inside], depth.values)
    assert wider.invented is not None and wider.confidence is not None and wider.intrinsics is not None
    assert not wider.invented[inside].any() and wider.invented.sum() == wider.size.pixels - 120 * 90
    assert not wider.confidence[wider.invented].any() and (wider.confidence[inside] == np.float32(0.8)).all()
    assert depth.intrinsics is not None
    assert wider.intrinsics == depth.intrinsics.cropped(-left, -top, wider.size)
    assert wide.jpeg is None


def test_the_same_again_and_sky_feeds_only_sky() -> None:
    picture, depth = scene()
    wide, wider = extend_picture(picture, depth, ExtendOptions(0.3))
    again, _ = extend_picture(picture, depth, ExtendOptions(0.3))
    assert np.array_equal(wide.pixels, again.pixels)
    assert wider.sky is not None and wider.invented is not None
    red, green, blue = (wide.pixels[..., c].astype(int) for c in range(3))
    far_from_horizon = np.abs(np.arange(wider.size.height) - wider.frame[1] - 32)[:, None] > 8
    above, below = wider.sky & wider.invented, ~wider.sky & wider.invented
    assert (blue > red)[above & far_from_horizon].mean() > 0.99
    assert (green > blue)[below & far_from_horizon].mean() > 0.95
    assert wide.pixels[below].astype(float).std(axis=0).max() > 5  # texture, not a smear


def lone(nodes: tuple[Node, ...], name: str) -> Mesh:
    (mesh,) = [node.item for node in nodes if node.name == name]
    assert isinstance(mesh, Mesh)
    return mesh


def on_screen(mesh: Mesh, lens: Intrinsics) -> np.ndarray:
    x, y, z = mesh.vertices.T.astype(float)
    return np.stack([lens.fx * x / z + lens.cx, lens.fy * y / z + lens.cy], axis=1)


@pytest.mark.parametrize("layered", [True, False])
def test_the_border_is_a_line_between_two_nodes_without_a_crack(layered: bool) -> None:
    picture, depth = extend_picture(*scene(), ExtendOptions(0.3))
    options = SurfaceOptions(triangles=3000)
    built = build_layered(build_layers(depth, picture), options) if layered else build_surface(depth, picture, options)
    assert built.triangles <= 3000
    roles = {node.name: node.role for node in built.nodes}
    assert roles["surface"] == "surface" and roles["beyond"] == "beyond"
    seen, beyond, sky = (lone(built.nodes, name) for name in ("surface", "beyond", "sky"))
    assert seen.invented is None and beyond.invented is not None and beyond.invented.all()
    assert beyond.confidence is not None and not beyond.confidence.any()
    lens = depth.intrinsics
    assert lens is not None and sky.invented is not None
    left, top, right, bottom = depth.frame
    inner, outer = on_screen(seen, lens), on_screen(beyond, lens)
    assert inner.min() > -1e-2 + min(left, top) and (inner <= np.array([right, bottom]) + 1e-2).all()
    strictly = (outer > np.array([left, top]) + 0.01) & (outer < np.array([right, bottom]) - 0.01)
    assert not strictly.all(axis=1).any()
    on_line = np.abs(inner[:, 1] - bottom) < 1e-2
    here = {tuple(p) for p in np.round(seen.vertices[on_line], 5).tolist()}
    there = {tuple(p) for p in np.round(beyond.vertices, 5).tolist()}
    assert here and here <= there  # both sides share the points on the border
    above = on_screen(sky, lens)[:, 1] < top - 1
    assert above.any() and sky.invented[above].all()


def test_the_mark_travels_into_splats_points_and_layers() -> None:
    picture, depth = extend_picture(*scene(), ExtendOptions(0.3))
    layers = build_layers(depth, picture)
    plain = build_layers(scene()[1], scene()[0])
    assert layers.reach == pytest.approx(plain.reach)
    assert depth.invented is not None
    for layer in (layers.hidden, layers.deeper, layers.soft):
        assert layer.invented[depth.invented & layer.on].all()
    lens = depth.intrinsics
    assert lens is not None
    splats, points = splats_of(layers, SplatOptions(4000)), make_points(depth, picture, PointOptions(4000))
    left, top, right, bottom = depth.frame
    for at, marks in ((splats.means, splats.invented), (points.xyz, points.invented)):
        assert marks is not None
        x = lens.fx * at[:, 0] / at[:, 2] + lens.cx
        y = lens.fy * at[:, 1] / at[:, 2] + lens.cy
        far_out = (x < left - 2) | (x > right + 2) | (y < top - 2) | (y > bottom + 2)
        assert far_out.any() and marks[far_out].all() and not marks.all()


def test_the_camera_stays_that_of_the_photograph() -> None:
    picture, depth = scene(fine=2)
    plain = photo(picture, handed=depth)
    result = photo(picture, PhotoOptions(beyond=ExtendOptions(0.25)), handed=depth)
    assert result.camera.intrinsics == plain.camera.intrinsics and result.camera.intrinsics.size == picture.size
    assert result.picture.size.width > picture.size.width
    assert result.scene.provenance.invented and "extend" in result.report["seconds"]

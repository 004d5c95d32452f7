"""What must hold of panoramas: rays and pixels, one function over the sphere, scenes without a seam."""

from __future__ import annotations

import numpy as np
import pytest

from panoramas import Room, whole
from unflat.geometry.agree import Sighting, agreed
from unflat.geometry.cube import cube, inner_pixels, norms, read_cube, shares
from unflat.geometry.panorama import (
    Window,
    in_panorama,
    in_window,
    looked_up,
    panorama_rays,
    roll_deg,
    turn_deg,
    window_rays,
)
from unflat.pipelines.flat import from_keywords
from unflat.pipelines.panorama import PanoramaResult
from unflat.pipelines.photo import PhotoOptions, photo
from unflat.stages.render_view import render_view
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.image import Image, Size
from unflat.types.mesh import Mesh
from unflat.types.panorama import Panorama

TURN = turn_deg(33) @ turn_deg(0, 12) @ roll_deg(-7)
CAMERAS = [
    whole(64),
    Panorama(Size(90, 31), -100, 170, 40, -25),
    Panorama(Size(90, 31), -135, 135, 35, -35, "cylindrical"),
    Panorama(Size(64, 32), scene_from_panorama=TURN),
]


@pytest.mark.parametrize("panorama", CAMERAS, ids=["whole", "part", "cylinder", "tilted"])
def test_the_ray_of_a_pixel_comes_back_to_its_centre(panorama: Panorama) -> None:
    rays = panorama_rays(panorama)
    assert np.allclose(np.linalg.norm(rays, axis=2), 1, atol=1e-6)
    x, y, inside = in_panorama(panorama, rays * 3)
    yy, xx = np.mgrid[: panorama.size.height, : panorama.size.width] + 0.5
    assert inside.all()
    assert np.abs(x - xx).max() < 1e-3 and np.abs(y - yy).max() < 1e-3


def test_axes_are_right_down_ahead_and_a_camera_that_leans_right_is_levelled() -> None:
    panorama = whole(8)
    for direction, place in (((0, 0, 1), (4, 2)), ((1, 0, 0), (6, 2)), ((0, -1, 1e-9), (4, 0)), ((0, 1, 1e-9), (4, 4))):
        x, y, _ = in_panorama(panorama, np.array(direction, np.float32))
        assert (float(x), float(y)) == pytest.approx(place, abs=1e-4)
    right = roll_deg(10) @ np.array([1.0, 0, 0])
    assert right[1] > 0  # y is down: the right hand sinks
    ahead = turn_deg(0, 10) @ np.array([0, 0, 1.0])
    assert ahead[1] < 0
    assert turn_deg(90) @ np.array([0, 0, 1.0]) == pytest.approx([1, 0, 0])


def test_the_ray_of_a_window_comes_back_to_its_pixel() -> None:
    window = Window("w", Intrinsics(40, 41, 20, 12, Size(44, 26)), TURN)
    x, y, along = in_window(window, window_rays(window) * 2)
    yy, xx = np.mgrid[:26, :44] + 0.5
    assert np.abs(x - xx).max() < 1e-3 and np.abs(y - yy).max() < 1e-3 and (along > 0).all()


def test_looking_up_goes_on_around() -> None:
    plane = np.tile(np.cos(2 * np.pi * (np.arange(64) + 0.5) / 64), (32, 1)).astype(np.float32)
    behind = np.array([[[0.0, 0.0, -1.0], [1e-3, 0.0, -1.0], [-1e-3, 0.0, -1.0]]], np.float32)
    assert looked_up(plane, whole(64), behind) == pytest.approx(float(plane[0, 0]), abs=1e-4)


def test_no_direction_is_without_a_share_and_shares_are_a_half_on_the_border() -> None:
    windows = cube(64)
    rays = panorama_rays(whole(128))
    total = np.sum([shares(window, rays) for window in windows], axis=0)
    assert total.min() > 0.9 and total.max() < 1.5
    border = np.array([[[1.0, 0.2, 1.0]]], np.float32)
    assert [float(shares(w, border)[0, 0]) for w in windows[:2]] == pytest.approx([0.5, 0.5], abs=1e-5)


def test_own_degrees_of_all_sides_are_the_whole_sphere_once() -> None:
    total = sum(float((1 / norms(w)[inner_pixels(w)] ** 3).sum()) / w.camera.fx**2 for w in cube(128))
    assert total == pytest.approx(4 * np.pi, rel=1e-3)


def test_sides_that_hold_one_function_give_it_back() -> None:
    windows = cube(96)
    smooth = lambda rays: np.log(3 + (rays / np.linalg.norm(rays, axis=-1, keepdims=True)) @ [0.5, 1.0, -0.7])  # noqa: E731
    logs = [smooth(window_rays(w)).astype(np.float32) for w in windows]
    known = [np.ones(log.shape, np.bool_) for log in logs]
    rays = panorama_rays(whole(256))
    got, whole_ = read_cube(windows, logs, known, rays)
    assert whole_.all()
    assert np.abs(got - smooth(rays)).max() < 1e-3


def test_sides_of_different_sizes_of_things_are_faded_without_a_step() -> None:
    windows = cube(96)
    logs = [np.full((w.camera.size.height, w.camera.size.width), 0.01 * i, np.float32) for i, w in enumerate(windows)]
    known = [np.ones(log.shape, np.bool_) for log in logs]
    around = panorama_rays(Panorama(Size(1024, 2), top_deg=0.1, bottom_deg=-0.1))
    got, _ = read_cube(windows, logs, known, around)
    assert np.ptp(got) > 0.02
    steps = np.abs(np.diff(np.concatenate([got[0], got[0, :1]])))
    assert steps.max() < 2e-3


def _views(shift: list[float], slope: float) -> list[Sighting]:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=600).astype(np.float32)
    views = []
    for i, amount in enumerate(shift):
        x, y = rng.random((2, 600)).astype(np.float32)
        bent = truth + np.float32(amount) + np.float32(slope * i) * (x - np.float32(0.5))
        seen = rng.random(600) < 0.7
        views.append(Sighting(seen, x, y, bent.astype(np.float32), np.ones(600, np.float32)))
    return views


def test_shifts_of_views_are_found_in_spite_of_outliers_and_their_mean_is_held() -> None:
    shift = [0.3, -0.2, 0.5, 0.0]
    views = _views(shift, 0.0)
    views[1].log.flags.writeable = True
    views[1].log[:90] += 3  # 15 % of what one view says is wrong
    fields = agreed(views, 1)[:, 0, 0]
    assert fields == pytest.approx(np.mean(shift) - np.array(shift), abs=0.02)
    assert abs(fields.mean()) < 1e-3


def test_fields_straighten_what_one_shift_cannot() -> None:
    views = _views([0.1, -0.1, 0.0], 0.4)

    def apart(knots: int) -> float:
        fields = agreed(views, knots)
        last = knots - 1
        moved = []
        for view, field in zip(views, fields, strict=True):
            at = np.rint(view.x * last).astype(int) if knots > 1 else np.zeros(600, int)
            moved.append(view.log + field[np.rint(view.y * last).astype(int) if knots > 1 else at, at])
        both = views[0].seen & views[2].seen
        return float(np.abs(moved[0] - moved[2])[both].mean())

    assert apart(6) < 0.5 * apart(1)


# ---------------------------------------------------------------- scenes of exact distances


def _made(room: Room, panorama: Panorama, **keywords: object) -> PanoramaResult:
    picture, distance = room.seen(panorama)
    told = {"panorama": "yes", "depth_kind": "metric", "detail": 1024, **keywords}
    result = photo(picture, from_keywords(PhotoOptions(), told), handed=distance)
    assert isinstance(result, PanoramaResult)
    return result


@pytest.fixture(scope="module")
def room() -> PanoramaResult:
    return _made(Room(), whole(1024))


def _eye(longitude: float, latitude: float, at: tuple[float, float, float], pixels: int = 128) -> Camera:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn_deg(longitude, latitude), at
    return Camera(Intrinsics.from_fov(90, Size(pixels, pixels)), Pose(pose))


def test_a_room_of_exact_distances_becomes_that_room(room: PanoramaResult) -> None:
    surface = next(node.item for node in room.scene.nodes if node.role == "surface")
    assert isinstance(surface, Mesh)
    off = Room().off(surface.vertices.astype(np.float64))
    far = np.linalg.norm(surface.vertices, axis=1)
    assert np.quantile(off / far, 0.95) < 0.003
    assert room.scale.basis == "metric-source"
    assert room.scene.frame.value == "level-rdf"


def test_the_distance_map_is_the_truth_and_closes(room: PanoramaResult) -> None:
    _, truth = Room().seen(whole(1024))
    got = room.depth.values
    assert room.depth.panorama is not None and room.depth.size == Size(1024, 512)
    assert np.quantile(np.abs(got / truth - 1), 0.98) < 0.01
    seam = np.abs(got[:, 0] / got[:, -1] - 1)
    assert seam.max() < 0.01
    for row in (0, -1):
        assert np.ptp(got[row]) / got[row].mean() < 0.01


@pytest.mark.parametrize(("longitude", "latitude"), [(180, 0), (45, 0), (-135, 0), (10, 90), (70, -90), (45, 40)])
def test_nothing_opens_within_the_reach(room: PanoramaResult, longitude: float, latitude: float) -> None:
    reach = room.sphere.shared.reach
    assert reach > 0.05
    for at in ((0.0, 0.0, 0.0), (reach, 0.0, 0.0), (0.0, -0.7 * reach, 0.7 * reach), (0.0, 0.0, -reach)):
        view = render_view(room.scene.nodes, _eye(longitude, latitude, at))
        assert view.open.sum() <= 2, at


def test_the_seam_is_below_one_grey_level_and_one_percent(room: PanoramaResult) -> None:
    """Seen from the middle, columns on both sides of ±180° and of a cube's edge differ as their neighbours do."""
    for longitude in (180, 45):
        view = render_view(room.scene.nodes, _eye(longitude, 0, (0, 0, 0), 512))
        picture, distance = Room().seen(whole(4096))
        window = Window("w", Intrinsics.from_fov(90, Size(512, 512)), turn_deg(longitude))
        rays = window_rays(window)[:, 252:260]
        truth = looked_up(picture.pixels.astype(np.float32), whole(4096), rays)
        deep = 1 / view.inverse[:, 252:260] * np.linalg.norm(rays, axis=2)
        real = looked_up(distance, whole(4096), rays)
        plain = np.abs(np.diff(truth, axis=1)).max(axis=(1, 2)) < 4  # no tile ends there
        step = np.diff(view.colour[:, 252:260], axis=1) - np.diff(truth, axis=1)
        assert np.abs(step[plain]).mean(axis=(0, 2)).max() < 1
        assert np.abs(np.diff(np.log(deep), axis=1) - np.diff(np.log(real), axis=1)).max(axis=0)[3] < 0.01


def test_poles_are_as_regular_as_the_rest(room: PanoramaResult) -> None:
    surface = next(node.item for node in room.scene.nodes if node.role == "surface")
    assert isinstance(surface, Mesh)
    corners = surface.vertices[surface.faces].astype(np.float64)
    corners /= np.linalg.norm(corners, axis=2, keepdims=True)
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    height = area / sides.max(axis=1)
    middle = corners.mean(axis=1)
    pole = np.abs(middle[:, 1]) / np.linalg.norm(middle, axis=1) > 0.9
    assert pole.sum() >= 4
    assert (height[pole] / sides.max(axis=1)[pole]).min() > 0.1


def test_a_panorama_turned_by_a_quarter_is_the_scene_turned(room: PanoramaResult) -> None:
    picture, distance = Room().seen(whole(1024))
    told = from_keywords(PhotoOptions(), {"panorama": "yes", "depth_kind": "metric", "detail": 1024})
    turned = photo(Image(np.roll(picture.pixels, 256, axis=1)), told, handed=np.roll(distance, 256, axis=1))
    assert np.abs(np.roll(turned.depth.values, -256, axis=1) / room.depth.values - 1).max() < 0.002
    one, other = (next(n.item for n in r.scene.nodes if n.role == "surface") for r in (room, turned))
    assert isinstance(one, Mesh) and isinstance(other, Mesh)
    back = other.vertices @ turn_deg(90).astype(np.float32)  # scene_from_turned, transposed
    assert back.min(axis=0) == pytest.approx(one.vertices.min(axis=0), abs=0.02)
    assert back.max(axis=0) == pytest.approx(one.vertices.max(axis=0), abs=0.02)
    assert len(other.faces) == pytest.approx(len(one.faces), rel=0.02)


def test_a_tilted_camera_is_levelled() -> None:
    tilted = Panorama(Size(768, 384), scene_from_panorama=turn_deg(0, 20) @ roll_deg(8))
    from unflat.stages.estimate_depth import DepthOptions
    from unflat.stages.estimate_panorama import given_panorama
    from unflat.stages.scale_panorama import floor_below
    from unflat.types.depth import DepthKind, DepthMap

    picture, distance = Room(pillar=None).seen(tilted)
    around = given_panorama(DepthMap(distance, DepthKind.SCALE), picture, tilted, DepthOptions())
    assert floor_below(around.distance) == pytest.approx(1.6, rel=0.01)


def test_a_part_of_a_sphere_becomes_that_part() -> None:
    part = Panorama(Size(900, 280), -135, 135, 35, -49)
    room = Room()
    picture, distance = room.seen(part)
    from unflat.stages.build_layers import LayerOptions
    from unflat.stages.build_sphere import build_sphere, layer_sphere
    from unflat.stages.build_surface import SurfaceOptions
    from unflat.stages.estimate_depth import DepthOptions
    from unflat.stages.estimate_panorama import given_panorama
    from unflat.types.depth import DepthKind, DepthMap

    around = given_panorama(DepthMap(distance, DepthKind.METRIC), picture, part, DepthOptions())
    surface = build_sphere(layer_sphere(around.sides, LayerOptions()), part, picture, SurfaceOptions()).nodes[0].item
    assert isinstance(surface, Mesh)
    off = room.off(surface.vertices.astype(np.float64)) / np.linalg.norm(surface.vertices, axis=1)
    assert np.quantile(off, 0.9) < 0.005
    _, _, inside = in_panorama(part, surface.vertices)
    assert inside.mean() > 0.95  # rims go on for half a pixel
    x, y, _ = in_panorama(part, surface.vertices)
    assert np.ptp(x[inside]) > 0.98 * 900 and np.ptp(y[inside]) > 0.97 * 280

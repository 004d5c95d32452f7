from __future__ import annotations

import math
from collections.abc import Generator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unflat.errors import ShapeError, UnitError
from unflat.types import Camera, DepthKind, DepthMap, Image, Intrinsics, Mesh, Pose, Provenance, Scale, Size, Splats
from unflat.types.clip import Clip, DepthFrame, TimedFrame
from unflat.types.scene import Frame, Node, Scene
from unflat.types.stereo import Rig, StereoPair

sides = st.integers(1, 5000)


@given(sides, sides, st.integers(1, 6000))
def test_fitting_keeps_the_shape_and_never_enlarges(width: int, height: int, long_side: int) -> None:
    size = Size(width, height)
    fitted = size.fitted(long_side)
    assert fitted.long_side <= max(1, min(size.long_side, long_side))
    assert abs(fitted.width * height - fitted.height * width) <= max(width, height)


@pytest.mark.parametrize("bad", [(0, 5), (5, 0), (-1, 5)])
def test_a_size_has_pixels(bad: tuple[int, int]) -> None:
    with pytest.raises(ShapeError, match="at least 1×1"):
        Size(*bad)


@given(st.floats(1, 170), sides, sides)
def test_field_of_view_round_trip(fov: float, width: int, height: int) -> None:
    assert Intrinsics.from_fov(fov, Size(width, height)).fov_x_deg == pytest.approx(fov)


@given(sides, sides, sides, sides)
def test_resizing_keeps_the_field_of_view_and_goes_back(w: int, h: int, w2: int, h2: int) -> None:
    camera = Intrinsics(700.0, 650.0, 0.4 * w, 0.6 * h, Size(w, h))
    there = camera.resized(Size(w2, h2))
    assert there.fov_x_deg == pytest.approx(camera.fov_x_deg)
    assert there.fov_y_deg == pytest.approx(camera.fov_y_deg)
    assert there.resized(camera.size).matrix == pytest.approx(camera.matrix)


def test_cropping_moves_the_principal_point() -> None:
    crop = Intrinsics.from_focal(500, Size(640, 480)).cropped(100, 50, Size(200, 100))
    assert (crop.cx, crop.cy, crop.fx) == (220, 190, 500)


@pytest.mark.parametrize("numbers", [(0, 1, 1, 1), (1, -1, 1, 1), (math.nan, 1, 1, 1), (1, 1, math.inf, 1)])
def test_intrinsics_refuse_nonsense(numbers: tuple[float, float, float, float]) -> None:
    with pytest.raises(ShapeError, match="intrinsics"):
        Intrinsics(*numbers, Size(4, 4))


def test_a_pose_is_a_rotation_and_never_a_mirror() -> None:
    mirror = np.diag([1.0, 1.0, -1.0, 1.0])
    with pytest.raises(ShapeError, match="determinant"):
        Pose(mirror)
    with pytest.raises(ShapeError, match="last row"):
        Pose(np.vstack([np.eye(4)[:3], [0, 0, 1, 1]]))
    assert Pose.identity().centre.tolist() == [0, 0, 0]


def test_arrays_are_read_only_and_not_copied() -> None:
    pixels = np.zeros((2, 3, 3), np.uint8)
    image = Image(pixels)
    assert np.shares_memory(image.pixels, pixels)
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0, 0] = 1
    pixels[0, 0, 0] = 1  # the maker's own array stays the maker's


def test_a_float_picture_is_refused_rather_than_cut() -> None:
    with pytest.raises(ShapeError, match="uint8"):
        Image(np.zeros((2, 3, 3)))  # type: ignore[arg-type]


def test_depth_knows_what_is_valid() -> None:
    values = np.array([[1, 0, -1], [np.nan, np.inf, 2]], np.float32)
    sky = np.array([[0, 0, 0], [0, 1, 0]], bool)
    depth = DepthMap(values, DepthKind.METRIC, sky=sky)
    assert np.asarray(depth.valid).tolist() == [[True, False, False], [False, True, True]]
    assert depth.surface.tolist() == [[True, False, False], [False, False, True]]


@pytest.mark.parametrize("kind", [DepthKind.AFFINE, DepthKind.DISPARITY])
def test_an_unknown_offset_cannot_be_lifted(kind: DepthKind) -> None:
    with pytest.raises(UnitError) as caught:
        _ = DepthMap(np.ones((2, 2), np.float32), kind).z
    assert caught.value.exit_code == 3


def test_a_depth_map_and_its_camera_agree_in_size() -> None:
    with pytest.raises(ShapeError, match="intrinsics are for"):
        DepthMap(np.ones((2, 2), np.float32), DepthKind.SCALE, intrinsics=Intrinsics.from_focal(1, Size(3, 2)))


def test_a_mesh_checks_its_faces_and_vertices() -> None:
    triangle = np.eye(3, dtype=np.float32)
    assert len(Mesh(triangle, np.array([[0, 1, 2]], np.uint32)).faces) == 1
    with pytest.raises(ShapeError, match="names vertex 3"):
        Mesh(triangle, np.array([[0, 1, 3]], np.uint32))
    with pytest.raises(ShapeError, match="finite"):
        Mesh(np.full((3, 3), np.nan, np.float32), np.array([[0, 1, 2]], np.uint32))
    with pytest.raises(ShapeError, match="needs uv"):
        Mesh(triangle, np.array([[0, 1, 2]], np.uint32), texture=Image(np.zeros((1, 1, 3), np.uint8)))


def test_splats_check_sizes_and_quaternions() -> None:
    one = {"means": np.zeros((1, 3), np.float32), "opacities": np.ones(1, np.float32)}
    rest = {"colors": np.ones((1, 3), np.float32)}
    unit = np.array([[1, 0, 0, 0]], np.float32)
    assert repr(Splats(**one, **rest, scales=np.ones((1, 3), np.float32), quaternions=unit)) == "Splats(1)"
    with pytest.raises(ShapeError, match="positive sizes"):
        Splats(**one, **rest, scales=np.zeros((1, 3), np.float32), quaternions=unit)
    with pytest.raises(ShapeError, match="length 1"):
        Splats(**one, **rest, scales=np.ones((1, 3), np.float32), quaternions=2 * unit)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (2, 1), (1, math.inf), (math.nan, 1)])
def test_a_scale_interval_is_ordered(low: float, high: float) -> None:
    with pytest.raises(ShapeError, match="interval"):
        Scale("assumed", low, high)


def test_nodes_need_different_names() -> None:
    mesh = Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.uint32))
    camera = Camera(Intrinsics.from_focal(1, Size(2, 2)), Pose.identity())
    story = Provenance((), (), "0", invented=False)
    with pytest.raises(ShapeError, match="different names"):
        Scene((Node("a", mesh), Node("a", mesh)), (camera,), Frame.CAMERA_RDF, Scale("assumed", 0.5, 2), story)
    scene = Scene((Node("a", mesh),), (camera,), Frame.CAMERA_RDF, Scale("assumed", 0.5, 2), story)
    assert scene.triangles == 1 and "scale assumed" in repr(scene)


def test_a_rig_keeps_its_geometry_at_another_size() -> None:
    rig = Rig(gain_px=40, shift_px=10, width=1000, left=0.25)
    half = rig.resized(500)
    assert (half.gain_px, half.shift_px, half.left) == (20, 5, 0.25)
    assert half.shift_px / half.gain_px == rig.shift_px / rig.gain_px
    with pytest.raises(ShapeError, match="rig"):
        Rig(1, 0, 100, left=1.5)


def test_two_eyes_see_pictures_of_one_size() -> None:
    with pytest.raises(ShapeError, match="right"):
        StereoPair(np.zeros((4, 6, 3), np.uint8), np.zeros((4, 5, 3), np.uint8))
    assert StereoPair(np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6, 3), np.uint8)).size == Size(6, 4)


def test_a_clip_is_read_again_and_again() -> None:
    def read(start: Fraction, stop: Fraction | None) -> Generator[TimedFrame]:
        for i in range(5):
            if Fraction(i, 5) >= start and (stop is None or Fraction(i, 5) < stop):
                yield TimedFrame(np.full((2, 3, 3), i, np.uint8), Fraction(i, 5), i)

    clip = Clip(Size(3, 2), Fraction(5), read)
    assert [f.number for f in clip.frames()] == [f.number for f in clip.frames()] == [0, 1, 2, 3, 4]
    assert [f.number for f in clip.frames(Fraction(2, 5), Fraction(4, 5))] == [2, 3]
    with pytest.raises(ShapeError, match="frames a second"):
        Clip(Size(3, 2), Fraction(0), read)


def test_what_is_near_has_the_larger_inverse_depth() -> None:
    frame = TimedFrame(np.zeros((2, 3, 3), np.uint8), Fraction(0), 0)
    with pytest.raises(ShapeError, match="near"):
        DepthFrame(frame, np.zeros((2, 3), np.float32), 0, near=0.1, far=0.2)

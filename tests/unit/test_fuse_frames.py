"""Depth of many views becomes one surface: where it should be, nowhere else, and the same every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import fused_worlds as fw
from unflat.errors import InputError
from unflat.stages import fuse_frames as fuse_frames_module
from unflat.stages.fuse_frames import FuseOptions, fuse_frames
from unflat.stages.survey_frames import LEARNED, look_over
from unflat.types.mesh import Mesh
from unflat.types.views import ViewDepth

SMALL = fw.lens_of(96, 72, 50)


def volume_of(mesh: Mesh) -> float:
    """What a closed mesh holds; positive if its faces look outward."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def wall_at(z: float, xyz: np.ndarray) -> np.ndarray:
    """Distance to the plane at that z."""
    return np.abs(xyz[:, 2] - z)


def wall_frames(count: int = 4, z: float = 2.0, lens=SMALL) -> list[ViewDepth]:
    """A wall straight ahead, seen from places side by side."""
    poses = [fw.toward((0.1 * k, 0.02 * k, 0), (0.1 * k, 0.02 * k, 1)) for k in range(count)]
    return fw.frames_of(lambda xyz: wall_at(z, xyz), poses, lens)


def with_depth(frame: ViewDepth, change: Callable[[np.ndarray], np.ndarray], *, learned: bool = False) -> ViewDepth:
    """A frame that sees something else."""
    values = change(frame.depth.values.copy())
    depth = replace(frame.depth, values=values, valid=np.isfinite(values))
    return replace(frame, depth=depth, learned=np.ones(values.shape, bool) if learned else None)


def test_a_ball_keeps_its_radius_its_volume_and_its_colours() -> None:
    mesh = fuse_frames(fw.frames_of(fw.ball(), fw.around(14, 3.0), SMALL))
    radius = np.linalg.norm(mesh.vertices, axis=1)
    assert radius.mean() == pytest.approx(1, abs=0.005) and radius.std() < 0.005
    assert volume_of(mesh) == pytest.approx(4 / 3 * np.pi, rel=0.005)
    assert mesh.normals is not None and mesh.colors is not None and mesh.confidence is not None
    assert (mesh.normals * mesh.vertices).sum(axis=1).min() > 0.9
    assert np.abs(mesh.colors.astype(int) - fw.paint(mesh.vertices.astype(float))).mean() < 3
    assert mesh.confidence.min() > 0.2 and mesh.confidence.max() < 1


def test_a_slanted_wall_is_flat() -> None:
    normal = np.array([0.5, 0.2, -1]) / np.linalg.norm([0.5, 0.2, -1])
    poses = [fw.toward((x, 0.1 * x, 0), (0.3, 0, 2)) for x in (-0.4, 0.0, 0.4)]
    mesh = fuse_frames(fw.frames_of(lambda xyz: np.abs(xyz @ normal + 2), poses, SMALL))
    assert np.abs(mesh.vertices @ normal + 2).max() < 1e-4


def test_the_same_frames_give_the_same_bytes() -> None:
    frames = fw.frames_of(fw.ball(), fw.around(6, 3.0), SMALL, noise=0.003, outliers=0.02)
    one, other = fuse_frames(frames), fuse_frames(frames)
    assert one.vertices.tobytes() == other.vertices.tobytes() and one.faces.tobytes() == other.faces.tobytes()
    assert one.colors is not None and other.colors is not None and one.colors.tobytes() == other.colors.tobytes()


def test_what_nobody_saw_stays_a_hole() -> None:
    def window(values: np.ndarray) -> np.ndarray:
        values[24:48, 32:64] = np.nan
        return values

    mesh = fuse_frames([with_depth(wall_frames(1)[0], window)])
    middle = (np.abs(mesh.vertices[:, 0]) < 0.25) & (np.abs(mesh.vertices[:, 1]) < 0.18)
    assert not middle.any() and len(mesh.vertices) > 500


def seen_through_from_behind() -> list[ViewDepth]:
    """A wall, and two views along its back that see past it."""
    past = [fw.toward((-3, 0.02 * k, 2.2), (0, 0.02 * k, 2.2)) for k in range(2)]
    return [*wall_frames(4), *fw.frames_of(lambda xyz: np.abs(xyz[:, 0] - 4), past, SMALL)]


def backs(frames: list[ViewDepth]) -> int:
    """How many vertices of the wall's middle look backward."""
    mesh = fuse_frames(frames)
    assert mesh.normals is not None
    middle = (np.abs(mesh.vertices[:, :2]) < 0.3).all(axis=1)
    assert (mesh.normals[middle, 2] < -0.9).sum() > 100
    return int((mesh.normals[middle, 2] > 0.5).sum())


def test_the_back_of_a_wall_that_nobody_saw_is_no_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    assert backs(seen_through_from_behind()) == 0
    monkeypatch.setattr(fuse_frames_module, "RINGS", 300)
    assert backs(seen_through_from_behind()) > 100


def test_what_one_view_made_up_in_the_air_is_carved_away_whichever_comes_first() -> None:
    def floater(values: np.ndarray) -> np.ndarray:
        values[20:50, 30:60] = 1.0
        return values

    good = wall_frames(5)
    bad = with_depth(good[2], floater)
    for frames in ([bad, *good[:2], *good[3:]], [*good[:2], *good[3:], bad]):
        mesh = fuse_frames(frames)
        assert mesh.vertices[:, 2].min() > 1.9
    assert fuse_frames([bad]).vertices[:, 2].min() < 1.1, "alone it is all that is known"


def test_learned_depth_never_carves_what_was_triangulated() -> None:
    seen = wall_frames(2)
    claims = [with_depth(frame, lambda z: z + 0.6, learned=True) for frame in wall_frames(12)]
    options = FuseOptions(0.03)
    mesh = fuse_frames([*claims, *seen], options)
    front = mesh.vertices[mesh.vertices[:, 2] < 2.3]
    assert len(front) > 0.8 * len(fuse_frames(seen, options).vertices)
    assert np.abs(front[:, 2] - 2).max() < 0.01
    assert mesh.confidence is not None
    confident = fuse_frames(seen).confidence
    alone = fuse_frames([replace(frame, learned=np.ones(frame.depth.values.shape, bool)) for frame in seen]).confidence
    assert confident is not None and alone is not None
    weight = confident / (1 - confident)
    assert np.median(alone / (1 - alone)) == pytest.approx(LEARNED * np.median(weight), rel=0.05)


def test_a_crumb_in_the_air_is_left_out() -> None:
    def crumb(values: np.ndarray) -> np.ndarray:
        values[30:34, 40:44] = 1.0
        values[28:36, 38:46][values[28:36, 38:46] > 1.5] = np.nan
        return values

    mesh = fuse_frames([with_depth(frame, crumb) for frame in wall_frames(1)])
    assert mesh.vertices[:, 2].min() > 1.9


def test_the_survey_measures_how_well_frames_agree() -> None:
    poses = [fw.toward((0.1 * k, 0, 0), (0.1 * k, 0, 1)) for k in range(5)]
    for noise in (0.002, 0.006):
        frames = fw.frames_of(lambda xyz: wall_at(2.0, xyz), poses, SMALL, noise=noise)
        assert look_over(frames).spread == pytest.approx(noise * 2, rel=0.35)


def test_planes_put_into_holes_do_not_say_how_well_frames_agree() -> None:
    """Two thirds of every frame are a plane that went on, every second one a little farther; the rest was measured."""
    frames = wall_frames(5)
    spoilt: list[ViewDepth] = []
    for k, frame in enumerate(frames):
        flat = np.zeros(frame.depth.size.shape, bool)
        flat[:, : flat.shape[1] * 2 // 3] = True
        moved = with_depth(frame, lambda z, flat=flat, k=k: np.where(flat, z * (1 + 0.02 * (k % 2)), z))
        spoilt.append(replace(moved, flat=flat))
    assert look_over(spoilt).spread == pytest.approx(look_over(frames).spread, abs=1e-4)


def test_a_place_too_large_for_the_memory_is_fused_more_coarsely_and_it_says_so() -> None:
    told: list[str] = []
    frames = wall_frames(2)
    fine, coarse = (
        fuse_frames(frames, FuseOptions(voxel=0.012)),
        fuse_frames(frames, FuseOptions(0.006, 16), told.append),
    )
    assert len(told) == 1 and "16 MB" in told[0]
    assert len(coarse.vertices) < 4 * len(fine.vertices)
    assert np.abs(coarse.vertices[:, 2] - 2).max() < 0.01


def test_frames_are_asked_for_twice_and_not_kept() -> None:
    class Shelf(list[ViewDepth]):
        asked = 0

        def __iter__(self):  # type: ignore[override]
            for frame in super().__iter__():
                Shelf.asked += 1
                yield frame

    frames = Shelf(wall_frames(3))
    fuse_frames(frames)
    assert Shelf.asked == 6


def test_no_depth_and_no_frames_are_said() -> None:
    with pytest.raises(InputError, match="no view has any depth"):
        fuse_frames([])
    empty = with_depth(wall_frames(1)[0], lambda z: np.full_like(z, np.nan))
    with pytest.raises(InputError, match="no view has any depth"):
        fuse_frames([empty])


@pytest.mark.parametrize("voxel", [1e9, 1e-30])
def test_a_voxel_that_fits_no_pixel_is_said_with_one_that_would(voxel: float) -> None:
    with pytest.raises(InputError, match="with a voxel of") as said:
        fuse_frames(wall_frames(), FuseOptions(voxel=voxel))
    assert "leave --voxel out" in str(said.value.hint)


@pytest.mark.parametrize("wrong", [{"voxel": 0.0}, {"voxel": float("nan")}, {"volume_mb": 1}, {"support": 0.0}])
def test_options_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        FuseOptions(**wrong)  # type: ignore[arg-type]

"""Laws of dense volumes: surfaces are closed manifolds, phantoms keep their volume, places and sides."""

import numpy as np
import pytest
import trimesh
from numpy.random import default_rng

from unflat.formats.solid import check_solid
from unflat.geometry import components, morphology
from unflat.geometry.bits import packed, size_of, unpacked
from unflat.geometry.closed_surface import is_closed
from unflat.geometry.marching import Limits, surface_of
from unflat.geometry.smooth import smoothed, volume_and_area, with_volume
from unflat.stages.extract_surface import SurfaceOptions, cut_open, extract_surface
from unflat.stages.label_tissues import LabelOptions, label_tissues
from unflat.stages.segment_volume import SegmentOptions, segment_volume
from unflat.stages.tissues import Span
from unflat.types import Grid, Label, LabelMap, Mesh, Volume

INF = np.inf
STRAIGHT = np.diag([1e-3, 1e-3, 1e-3, 1.0])


def affine(spacing_mm, *, tilt=0.0, turned=(0.0, 0.0, 0.0), mirrored=False, origin=(0.05, -0.12, 0.4)):
    """lps_from_voxel of a scan: its axes turned by angles, its slices sheared by a tilted gantry (degrees)."""
    axes = np.diag(spacing_mm) / 1000
    axes[1, 2] += np.tan(np.radians(tilt)) * spacing_mm[2] / 1000
    a, b, c = np.radians(turned)
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    whole = np.eye(4)
    whole[:3, :3] = x @ y @ z @ axes
    if mirrored:
        whole[:3, 0] *= -1
    whole[:3, 3] = origin
    return whole


GRIDS = {
    "even": affine((1, 1, 1)),
    "flat": affine((0.7, 0.7, 2.5)),
    "turned": affine((1, 1.2, 0.8), turned=(20, -35, 50)),
    "tilted": affine((0.9, 0.9, 1.5), tilt=-17),
    "mirrored": affine((1, 1, 1.3), turned=(5, 10, 160), mirrored=True),
}


def ball(matrix, radius=0.018, shape=(48, 56, 64)):
    """A scan of a ball around the middle of the grid: HU falls from 500 within a voxel's width at its border."""
    grid = Grid(shape, matrix)
    k, j, i = np.mgrid[: shape[0], : shape[1], : shape[2]]
    places = grid.lps(np.stack([i.ravel(), j.ravel(), k.ravel()], axis=1).astype(float))
    middle = grid.lps(np.array([[(n - 1) / 2 for n in shape[::-1]]]))[0]
    off = radius - np.linalg.norm(places - middle, axis=1)
    values = np.clip(250 + 250 * off / max(grid.spacing), 0, 500)
    return Volume(np.rint(values).astype(np.int16).reshape(shape), grid, "hu", "CT"), middle


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("smooth", ["none", "auto"])
def test_a_ball_keeps_volume_and_radius(name, smooth):
    volume, middle = ball(GRIDS[name])
    found = segment_volume(volume, SegmentOptions(threshold=Span(250)))
    solid = extract_surface(found.tissues[0], SurfaceOptions(smooth=smooth))
    true = 4 / 3 * np.pi * 18**3 / 1000
    assert solid.volume_ml == pytest.approx(true, rel=0.005)
    radius = np.linalg.norm(solid.mesh.vertices - middle, axis=1)
    assert np.abs(radius - 0.018).max() < 0.25 * max(volume.grid.spacing)
    check_solid(solid.mesh, "ball")
    assert trimesh.Trimesh(solid.mesh.vertices, solid.mesh.faces, process=False).is_watertight


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_left_hand_stays_left(mirrored):
    """A hand with its thumb towards the front, its fingers towards the head: the palm tells left from right."""
    grid = Grid((40, 40, 40), affine((1, 1, 1), turned=(30, 15, 200), mirrored=mirrored, origin=(0, 0, 0)))
    back = np.linalg.inv(grid.lps_from_voxel)
    middle = grid.lps(np.array([[19.5, 19.5, 19.5]]))[0]
    values = np.zeros(grid.shape, np.int16)
    ends = {"left": np.array([0.012, 0, 0]), "back": np.array([0, 0.008, 0]), "head": np.array([0, 0, 0.004])}
    for arm in ends.values():
        for t in np.linspace(0, 1, 40):
            i, j, k = np.rint(back[:3, :3] @ (middle + t * arm) + back[:3, 3]).astype(int)
            values[k - 1 : k + 2, j - 1 : j + 2, i - 1 : i + 2] = 1000
    volume = Volume(values, grid, "hu", "CT")
    mesh = extract_surface(segment_volume(volume, SegmentOptions(threshold=Span(500))).tissues[0]).mesh
    low, high = mesh.vertices.min(axis=0) - middle, mesh.vertices.max(axis=0) - middle
    np.testing.assert_allclose(high, (0.0135, 0.0095, 0.0055), atol=0.0013)
    np.testing.assert_allclose(low, (-0.0015, -0.0015, -0.0015), atol=0.0013)
    assert volume_and_area(mesh.vertices, mesh.faces)[0] > 0


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.8])
def test_any_set_of_voxels_has_a_closed_manifold_around_it(share):
    inside = default_rng(5).random((13, 11, 130)) < share
    bits = packed(inside.shape, lambda k: inside[k])
    surface = surface_of(bits, inside.astype(np.uint8), Limits(0.5, INF), STRAIGHT)
    assert is_closed(surface.faces)
    check_solid(Mesh(surface.vertices, surface.faces), "noise")
    fans = np.zeros(len(surface.vertices), np.int64)
    mesh = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    for v, ring in enumerate(mesh.vertex_faces[:200]):
        faces = [set(surface.faces[f].tolist()) for f in ring if f >= 0]
        reached, waiting = {0}, [0]
        while waiting:
            here = waiting.pop()
            for other in range(len(faces)):
                if other not in reached and len(faces[here] & faces[other]) == 2:
                    reached.add(other)
                    waiting.append(other)
        fans[v] = len(faces) - len(reached)
    assert not fans.any(), "a vertex joins two fans"


def test_the_surface_is_where_the_values_say():
    """Along every edge a vertex stands where the straight line between two values passes the limit."""
    values = default_rng(1).normal(0, 100, (9, 10, 11)).astype(np.float32)
    bits = packed(values.shape, lambda k: values[k] >= 25)
    surface = surface_of(bits, values, Limits(25, INF), np.eye(4))
    inner = ((surface.vertices > 0) & (surface.vertices < np.array([10, 9, 8]))).all(axis=1)
    at = surface.vertices[inner].astype(np.float64)
    low = np.floor(at).astype(int)
    share = at - low
    axis = np.argmax((share > 1e-6) & (share < 1 - 1e-6), axis=1)
    step = np.eye(3, dtype=int)[axis]
    t = share[np.arange(len(at)), axis]
    a = values[tuple(low[:, ::-1].T)]
    b = values[tuple((low + step)[:, ::-1].T)]
    kept = (t > 2e-3) & (t < 1 - 2e-3)
    assert kept.sum() > 500
    np.testing.assert_allclose((a + t * (b - a))[kept], 25, atol=0.5)


def test_a_range_has_both_its_limits():
    k = np.arange(30, dtype=np.float32)[:, None, None] * np.ones((1, 6, 6), np.float32)
    bits = packed(k.shape, lambda s: (k[s] >= 7.25) & (k[s] <= 18.5))
    surface = surface_of(bits, k, Limits(7.25, 18.5), np.eye(4))
    assert surface.vertices[:, 2].min() == pytest.approx(7.25, abs=1e-5)
    assert surface.vertices[:, 2].max() == pytest.approx(18.5, abs=1e-5)
    assert surface.vertices[:, 0].min() == -0.5, "closed half a voxel beyond the border"
    assert surface.vertices[:, 0].max() == 5.5


def test_nothing_inside_gives_no_surface():
    bits = packed((4, 4, 4), lambda k: np.zeros((4, 4), bool))
    surface = surface_of(bits, np.zeros((4, 4, 4), np.int16), Limits(1, INF), np.eye(4))
    assert surface.vertices.shape == (0, 3)
    assert surface.faces.shape == (0, 3)


def test_what_is_filled_has_no_bubble():
    inside = np.ones((5, 5, 5), bool)
    inside[0, 0, 0] = inside[1, 1, 1] = inside[3, 3, 4] = inside[3, 2, 3] = False
    bits = packed(inside.shape, lambda k: inside[k])
    surface = surface_of(components.filled(bits), inside.astype(np.int16), Limits(-INF, INF), np.eye(4))
    assert len(trimesh.Trimesh(surface.vertices, surface.faces, process=False).split(only_watertight=False)) == 1


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.95])
def test_pieces_and_hollows_are_those_of_a_slow_oracle(share):
    ndimage = pytest.importorskip("scipy.ndimage")
    inside = default_rng(2).random((7, 9, 140)) < share
    bits = packed(inside.shape, lambda k: inside[k])
    labels, count = ndimage.label(inside)
    sizes = np.bincount(labels.ravel())[1:]
    assert sorted(components.pieces_of(bits).sizes) == sorted(sizes)
    assert len(components.pieces_of(bits).sizes) == count
    assert size_of(components.at_least(bits, 5)) == sizes[sizes >= 5].sum()
    outside, _ = ndimage.label(np.pad(~inside, 1, constant_values=True))
    full = (outside != outside[0, 0, 0])[1:-1, 1:-1, 1:-1] | inside
    assert (_array(components.filled(bits)) == full).all()
    plane = np.zeros((3, 3, 3))
    plane[1] = 1
    outside, _ = ndimage.label(np.pad(~inside, 1, constant_values=True), plane)
    full = np.stack([(s != s[0, 0])[1:-1, 1:-1] for s in outside[1:-1]]) | inside
    assert (_array(components.filled_slices(bits)) == full).all()
    k, j, i = np.argwhere(inside)[3]
    assert size_of(components.holding(bits, np.array([[i, j, k]]))) == sizes[labels[k, j, i] - 1]


@pytest.mark.parametrize("steps", [(1, 1, 1), (3, 0, 2), (70, 4, 1)])
@pytest.mark.parametrize("share", [0.003, 0.5, 0.98])
def test_growing_and_shrinking_are_those_of_a_slow_oracle(steps, share):
    ndimage = pytest.importorskip("scipy.ndimage")
    inside = default_rng(3).random((6, 12, 150)) < share
    bits, box = packed(inside.shape, lambda k: inside[k]), tuple(2 * s + 1 for s in steps[::-1])
    whole = inside.astype(np.uint8)
    assert (_array(morphology.grown(bits, steps)) == (ndimage.maximum_filter(whole, box, mode="constant") > 0)).all()
    less = ndimage.minimum_filter(whole, box, mode="constant", cval=1) > 0
    assert (_array(morphology.shrunk(bits, steps)) == less).all()
    assert not (_array(morphology.opened(bits, steps)) & ~inside).any()
    assert not (inside & ~_array(morphology.closed(bits, steps))).any()
    assert (_array(morphology.turned_out(bits)) == ~inside).all()


def _array(bits):
    return np.stack([unpacked(bits, k) for k in range(bits.shape[0])])


def test_smoothing_keeps_volume_and_stays_near():
    k, j, i = np.mgrid[:40, :40, :40]
    inside = (k - 20) ** 2 + (j - 19) ** 2 + (i - 21) ** 2 < 14.3**2
    bits = packed(inside.shape, lambda s: inside[s])
    surface = surface_of(bits, inside.astype(np.uint8), Limits(-INF, INF), np.eye(4))
    middle = np.array([21, 19, 20])

    def rough(points):
        return np.linalg.norm(points - middle, axis=1).std()

    smooth = smoothed(surface.vertices, surface.faces, 20, 0.1, np.eye(3), 0.5)
    assert np.abs(smooth - surface.vertices).max() <= 0.5 + 1e-5
    whole = with_volume(smooth, surface.faces, float(inside.sum()), 0.5)
    assert volume_and_area(whole, surface.faces)[0] == pytest.approx(inside.sum(), rel=1e-4)
    assert rough(whole) < 0.3 * rough(surface.vertices)


def test_labels_keep_their_volume_name_and_colour():
    k, j, i = np.mgrid[:60, :70, :80]
    numbers = np.zeros(k.shape, np.uint16)
    numbers[(k - 20) ** 2 + (j - 30) ** 2 + (i - 25) ** 2 < 15**2] = 7
    numbers[(k - 40) ** 2 + (j - 30) ** 2 / 2 + (i - 60) ** 2 / 0.7 < 12**2] = 300
    numbers[2:4, 2:3, 2:4] = 9
    labels = LabelMap(numbers, Grid(k.shape, GRIDS["tilted"]), (Label(7, "spleen", (10, 20, 30)), Label(9, "speck")))
    tissues, notes = label_tissues(labels)
    assert [t.name for t in tissues] == ["spleen", "label 300"]
    assert "speck" in notes[0]
    assert tissues[0].finish.color == (10, 20, 30)
    for tissue, number in zip(tissues, (7, 300), strict=True):
        solid = extract_surface(tissue)
        assert solid.volume_ml == pytest.approx((numbers == number).sum() * labels.grid.voxel_m3 * 1e6, rel=0.005)
        check_solid(solid.mesh, tissue.name)
        true = labels.grid.lps(np.argwhere(numbers == number)[:, ::-1].astype(float))
        box = np.stack([solid.mesh.vertices.min(axis=0), solid.mesh.vertices.max(axis=0)])
        np.testing.assert_allclose(box, [true.min(axis=0), true.max(axis=0)], atol=1.2 * max(labels.grid.spacing))
    only, _ = label_tissues(labels, LabelOptions(only="Spleen"))
    assert [t.name for t in only] == ["spleen"]


def test_a_cut_is_closed_and_where_it_was_asked_for():
    volume, middle = ball(GRIDS["turned"])
    solid = extract_surface(segment_volume(volume, SegmentOptions(threshold=Span(250))).tissues[0])
    at = 1000 * (middle[2] + 0.004)
    (cut,) = cut_open([solid], SurfaceOptions(cut="axial", cut_at=at))
    assert cut.mesh.vertices[:, 2].max() == pytest.approx(at / 1000, abs=1e-6)
    cap = 14.0**2 * (3 * 18 - 14) * np.pi / 3 / 1000
    assert cut.volume_ml == pytest.approx(4 / 3 * np.pi * 5.832 - cap, rel=0.006)
    check_solid(cut.mesh, "half a ball")
    flat = np.isclose(cut.mesh.vertices[:, 2], at / 1000, atol=1e-6) & (cut.mesh.normals[:, 2] > 0.999)
    assert flat.sum() > 50, "the cut is shaded flat, by corners of its own"


@pytest.mark.parametrize("error_mm", [0.05, 0.3])
def test_fewer_triangles_stay_within_what_is_told(error_mm):
    volume, middle = ball(GRIDS["even"])
    tissue = segment_volume(volume, SegmentOptions(threshold=Span(250))).tissues[0]
    whole = extract_surface(tissue)
    less = extract_surface(tissue, SurfaceOptions(simplify_mm=error_mm))
    assert len(less.mesh.faces) < 0.7 * len(whole.mesh.faces)
    assert less.moved_mm == error_mm
    check_solid(less.mesh, "ball")
    points, _ = trimesh.sample.sample_surface(trimesh.Trimesh(less.mesh.vertices, less.mesh.faces), 5000, seed=1)
    off = 1000 * np.abs(np.linalg.norm(points - middle, axis=1) - 0.018)
    assert off.max() <= error_mm + 0.05, "the ball itself is found to a twentieth of a millimetre"

"""The sparse volume and its surface against slow, obvious ways of doing the same."""

from __future__ import annotations

import numpy as np
import pytest

import fused_worlds as fw
from unflat.geometry.blocks import VOXELS, Blocks
from unflat.geometry.cube_cases import edge_begin, triangles_of_cases
from unflat.geometry.isosurface import LIGHT, extract
from unflat.geometry.pieces import areas, in_large_pieces, pieces_of, spread, used
from unflat.geometry.tsdf import FREE, Volume
from unflat.stages.survey_frames import sighting_of


def dense_volume(values: np.ndarray, weight: np.ndarray | float = 1.0) -> Volume:
    """A volume of voxel 1 that holds a (z, y, x) grid of values; its sides must be multiples of 8."""
    places = np.stack(np.meshgrid(*(np.arange(n // 8) for n in values.shape), indexing="ij"), -1).reshape(-1, 3)
    blocks = Blocks(len(places) + 3)
    blocks.places[: len(places)] = places[:, ::-1]
    blocks.count = len(places)
    blocks.grow(len(places) + 7)
    volume = Volume(1.0, (3.0, 0.0), blocks)
    weights = np.broadcast_to(weight, values.shape)
    for number, (z, y, x) in enumerate(8 * places):
        there = np.s_[z : z + 8, y : y + 8, x : x + 8]
        volume.distance[number] = values[there].ravel()
        volume.weight[number] = weights[there].ravel()
    return volume


def smooth_field(seed: int) -> np.ndarray:
    """Noise of a few waves, (24, 16, 32), negative at about half."""
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.arange(n) for n in (24, 16, 32)), indexing="ij")
    total = np.zeros(z.shape)
    for _ in range(12):
        a, b, c, phase = rng.normal(0, 0.35, 4)
        total += np.sin(a * x + b * y + c * z + 9 * phase)
    return total.astype(np.float32)


@pytest.mark.parametrize("seed", [0, 1])
def test_vertices_are_those_of_marching_cubes_on_a_dense_grid(seed: int) -> None:
    measure, spatial = pytest.importorskip("skimage.measure"), pytest.importorskip("scipy.spatial")
    values = smooth_field(seed)
    ours = extract(dense_volume(values), 0.5)
    theirs, faces, _, _ = measure.marching_cubes(values, 0.0, method="lorensen")
    theirs = theirs[np.unique(faces)][:, ::-1]
    assert len(ours.vertices) == len(np.unique(np.round(theirs, 4), axis=0))
    for one, other in ((ours.vertices, theirs), (theirs, ours.vertices)):
        assert spatial.cKDTree(one).query(other)[0].max() < 2e-3


def test_a_surface_inside_the_volume_is_closed_across_blocks() -> None:
    trimesh = pytest.importorskip("trimesh")
    z, y, x = np.meshgrid(*(np.arange(24),) * 3, indexing="ij")
    noise = np.random.default_rng(3).normal(0, 0.8, z.shape)
    values = (np.sqrt((x - 11.3) ** 2 + (y - 12) ** 2 + (z - 11.6) ** 2) - 7 + noise).astype(np.float32)
    found = extract(dense_volume(values), 0.5)
    mesh = trimesh.Trimesh(found.vertices, found.faces, process=False)
    assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0


def test_every_case_of_the_cube_is_closed_by_its_neighbours() -> None:
    """On each face of the cube the lines of two neighbours run along the same edges, the other way round."""
    counts, edges = triangles_of_cases()
    corners = [edge_begin(e) for e in range(12)]
    for case in range(256):
        lines = [tuple(edges[case, 3 * t + np.array([i, (i + 1) % 3])]) for t in range(counts[case]) for i in range(3)]
        once = {line for line in lines if (line[1], line[0]) not in lines}
        crossed = {e for e, (c, a) in enumerate(corners) if (case >> c & 1) != (case >> (c | 1 << a) & 1)}
        assert {e for line in once for e in line} == crossed
        assert len(once) == len(crossed), "each crossed edge begins one line on the cube's faces"


def test_where_too_little_is_known_there_is_no_surface() -> None:
    values = smooth_field(2)
    weight = np.ones(values.shape, np.float32)
    weight[:, :, 16:] = 0.5 * 0.9 * LIGHT
    known = extract(dense_volume(values, weight), 0.5)
    assert known.vertices[:, 0].max() <= 15
    whole = extract(dense_volume(values), 0.5)
    inner = whole.vertices[(whole.vertices[:, 0] < 15)]
    assert len(known.vertices) >= len(inner)
    weight = np.where(values < 0, 1.0, 0.5 * 1.1 * LIGHT).astype(np.float32)
    assert len(extract(dense_volume(values, weight), 0.5).faces) == len(whole.faces), "outside needs less than inside"
    assert not len(extract(dense_volume(values, np.where(values < 0, 0.4, 9)), 0.5).faces)


def test_blocks_keep_their_numbers_and_know_their_neighbours() -> None:
    rng = np.random.default_rng(1)
    places = np.unique(rng.integers(-9, 9, (700, 3)), axis=0)
    blocks = Blocks(len(places))
    blocks.places[:] = places
    blocks.count = len(places)
    blocks.grow(3000)
    found = blocks.neighbours(np.arange(len(places)))
    number = {tuple(p): i for i, p in enumerate(places.tolist())}
    for corner in range(8):
        step = [corner & 1, corner >> 1 & 1, corner >> 2]
        assert found[:, corner].tolist() == [number.get(tuple(p), -1) for p in (places + step).tolist()]


def slow_fusion(volume: Volume, sightings: list) -> tuple[np.ndarray, np.ndarray]:
    """Distance and weight of every voxel, one view after the other, without blocks or bits."""
    count, voxel = volume.blocks.count, volume.voxel
    k = np.arange(VOXELS)
    steps = np.stack([k & 7, k >> 3 & 7, k >> 6], axis=1)
    xyz = (8 * volume.blocks.places[:count, None] + steps).reshape(-1, 3) * voxel
    total, mean = np.zeros(len(xyz)), np.zeros(len(xyz))
    for planes, weights, _, camera in sightings:
        pose = camera[4:].reshape(3, 4)
        p = xyz @ pose[:, :3].T + pose[:, 3]
        with np.errstate(all="ignore"):
            u, v = camera[0] * p[:, 0] / p[:, 2] + camera[2], camera[1] * p[:, 1] / p[:, 2] + camera[3]
        ok = (p[:, 2] > 0) & (u >= 0) & (v >= 0) & (u < weights.shape[1]) & (v < weights.shape[0])
        for i in np.flatnonzero(ok):
            x, y = int(u[i]), int(v[i])
            w = float(weights[y, x])
            if w == 0:
                continue
            inverse, across, down, size = map(float, planes[y, x])
            d = (1 - p[i, 2] * (inverse + across * (u[i] - x - 0.5) + down * (v[i] - y - 0.5))) * size
            far = max(volume.reach[0], volume.reach[1] / inverse)
            if d < -far or (d > far and w < 0):
                continue
            share = FREE if d > far else (d + far) / (far - voxel) if d < -voxel else 1.0
            w = abs(w) * share
            if w > 0:
                mean[i] = (mean[i] * total[i] + w * min(d, far)) / (total[i] + w)
                total[i] += w
    return mean.reshape(count, -1), total.reshape(count, -1)


def test_fusion_is_the_weighted_mean_of_what_the_views_say() -> None:
    frames = fw.frames_of(fw.ball(), fw.around(3, 3.0), fw.lens_of(24, 18, 50), noise=0.01)
    sightings = [sighting_of(frame, 2.5) for frame in frames]
    sightings[1] = sightings[1]._replace(weights=-sightings[1].weights)
    volume = Volume(0.12, (0.36, 0.1), Blocks(8))
    for sighting in sightings:
        volume.add(sighting)
    before = volume.blocks.count
    for sighting in sightings:
        volume.add(sighting)
    assert volume.blocks.count == before, "no block is made twice"
    mean, total = slow_fusion(volume, sightings * 2)
    # blocks that a later view made are new to the earlier ones: only the second round reaches all
    old = np.isclose(volume.weight[:before], total, rtol=1e-4)
    assert old.mean() > 0.6
    np.testing.assert_allclose(volume.distance[:before][old], mean[old], atol=1e-4)


def test_pieces_and_their_areas() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [5, 5, 5], [6, 5, 5], [5, 6, 5]], np.float32)
    faces = np.array([[1, 3, 2], [4, 5, 6], [0, 1, 2]], np.uint32)
    assert pieces_of(8, faces).tolist() == [0, 0, 0, 0, 4, 4, 4, 7]
    assert areas(vertices, faces).tolist() == [0.5, 0.5, 0.5]
    assert in_large_pieces(vertices, faces, 0.6).tolist() == [True, False, True]
    named, renamed = used(7, faces[1:2])
    assert named.tolist() == [4, 5, 6] and renamed.tolist() == [[0, 1, 2]]


def test_colours_spread_ring_by_ring() -> None:
    faces = np.array([[k, k + 1, k + 2] for k in range(6)], np.uint32)
    known = np.arange(8) < 3
    colors = np.where(known[:, None], np.array([[10, 100, 200]], np.uint8), np.uint8(0)).astype(np.uint8)
    for rings in (0, 1, 2, 50):
        there, painted = spread(faces, known, colors, rings)
        assert there.sum() == min(3 + 2 * rings, 8)
        assert (painted[there] == [10, 100, 200]).all() and (painted[~there] == 0).all()

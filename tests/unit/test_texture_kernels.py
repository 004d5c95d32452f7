"""The loops of texturing against slow, obvious definitions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unflat.errors import InputError
from unflat.geometry.atlas import build_atlas, covered
from unflat.geometry.best_view import choose_views
from unflat.geometry.exposure import falloff_of, gains_of, levelled, linear_of, srgb_of, suspects, unshaded
from unflat.geometry.face_links import face_links, split_faces
from unflat.geometry.local_light import local_light
from unflat.geometry.pack import Pieces, pack
from unflat.geometry.seen_faces import Sightings
from unflat.geometry.settle import filled


def strip(count: int) -> tuple[np.ndarray, np.ndarray]:
    """A row of triangles, each meeting the next along an edge."""
    at = np.arange(count + 2)
    vertices = np.stack([at, at % 2, 0.1 * (at % 3)], axis=1).astype(np.float32)
    faces = [(k, k + 1, k + 2) if k % 2 == 0 else (k + 1, k, k + 2) for k in range(count)]
    return vertices, np.array(faces, np.uint32)


def seen_in(views: np.ndarray, colour: np.ndarray | None = None) -> Sightings:
    found = Sightings.none(len(views), views.shape[1])
    found.view[:] = views
    found.worth[:] = views >= 0
    found.detail[:] = 1
    if colour is not None:
        found.colour[:] = colour
    return found


def test_neighbours_are_those_who_share_an_edge() -> None:
    _, faces = strip(7)
    links = face_links(faces)
    for f, k in itertools.product(range(7), range(3)):
        edge = {int(faces[f, k]), int(faces[f, (k + 1) % 3])}
        others = [g for g in range(7) if g != f and edge <= set(map(int, faces[g]))]
        assert links[f, k] == (others[0] if others else -1)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.floats(0.2, 3))
def test_faces_cut_up_still_cover_the_same_and_still_meet(count: int, longest: float) -> None:
    vertices, faces = strip(count)
    split = split_faces(vertices, faces, longest)
    corners = split.vertices[split.faces]
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
    assert sides.max() <= longest * 1.0001
    placed = np.einsum("mij,mjk->mik", split.share, vertices[faces[split.parent]])
    assert np.allclose(placed, corners, atol=1e-5)

    def normals(points: np.ndarray) -> np.ndarray:
        return np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])

    whole, parts = normals(vertices[faces]), normals(corners)
    summed = np.stack([np.bincount(split.parent, parts[:, k], count) for k in range(3)], axis=1)
    assert np.allclose(summed, whole, atol=1e-4)
    rim = (face_links(split.faces) < 0).ravel()
    lengths = sides.ravel()[rim].sum()
    before = np.linalg.norm(vertices[faces] - np.roll(vertices[faces], -1, axis=1), axis=2)
    assert lengths == pytest.approx(before.ravel()[(face_links(faces) < 0).ravel()].sum(), rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_on_a_row_of_faces_the_choice_of_pictures_is_the_cheapest(seed: int) -> None:
    """On a tree the messages are exact: every choice of 6 faces among 3 pictures is tried."""
    rng = np.random.default_rng(seed)
    _, faces = strip(6)
    views = np.stack([rng.permutation(4)[:3] for _ in range(6)])
    cost, lengths = rng.random((6, 3)).astype(np.float32), np.ones((6, 3), np.float32)
    links = face_links(faces)
    chosen = choose_views(seen_in(views), links, lengths, cost, border=0.3)

    def price(entries: tuple[int, ...]) -> float:
        label = [views[f, k] for f, k in enumerate(entries)]
        borders = sum(label[f] != label[f + 1] for f in range(5))
        return sum(float(cost[f, k]) for f, k in enumerate(entries)) + 0.3 * borders

    best = min(map(price, itertools.product(range(3), repeat=6)))
    assert price(tuple(int(k) for k in chosen)) == pytest.approx(best, abs=1e-4)


def test_faces_that_nobody_sees_have_no_picture() -> None:
    _, faces = strip(3)
    views = np.array([[0, 1], [-1, -1], [1, -1]])
    chosen = choose_views(seen_in(views), face_links(faces), np.ones((3, 3), np.float32), np.zeros((3, 2), np.float32))
    assert chosen[1] == -1 and chosen[2] == 0


def test_gains_are_found_again() -> None:
    """Four pictures, one 1.5 times as bright, one bluish; a tenth of the faces show something else."""
    rng = np.random.default_rng(1)
    true = np.zeros((5, 3))
    true[2], true[3] = np.log(1.5), (0, 0, np.log(1.2))
    light = linear_of(rng.uniform(60, 180, (4000, 1, 3)))
    views = np.stack([rng.permutation(5)[:3] for _ in range(4000)])
    colour = srgb_of(light * np.exp(true[views]))
    colour[:400, 0] = rng.uniform(20, 230, (400, 3))
    sightings = seen_in(views, colour)
    gains = gains_of(sightings, 5)
    assert np.abs(gains + true).max() < 0.02
    after = levelled(sightings, gains)[400:]
    assert np.abs(after - after.mean(axis=1, keepdims=True)).max() < 2.5


def test_a_hall_and_a_garden_keep_the_exposures_of_their_own_pictures() -> None:
    """A long place: three pictures show its left, three its right, which were taken four times as fast."""
    vertices, faces = strip(400)
    left = vertices[faces, 0].mean(axis=1) < vertices[:, 0].mean()
    views = np.where(left[:, None], [[0, 1, 2]], [[3, 4, 5]])
    gains = np.zeros((6, 3))
    gains[3:], gains[1] = np.log(4), 0.5  # and one of the left ones differs from its neighbours
    light = local_light(vertices, faces, seen_in(views), gains)
    x = vertices[:, 0] / vertices[:, 0].max()
    assert np.abs(light[x < 0.3]).max() < 0.01
    assert np.abs(light[x > 0.7] + np.log(4)).max() < 0.01
    order = np.argsort(vertices[:, 0], kind="stable")
    assert np.abs(np.diff(light[order], axis=0)).max() < 0.15


def test_pictures_of_one_exposure_keep_it_everywhere() -> None:
    vertices, faces = strip(50)
    light = local_light(vertices, faces, seen_in(np.zeros((50, 1))), np.full((1, 3), -0.7))
    assert light == pytest.approx(np.full((len(vertices), 3), 0.7), abs=1e-5)


@pytest.mark.parametrize("fall", [(0.0, 0.0), (-0.5, -0.2), (-0.1, -0.6)])
def test_the_dark_corners_of_a_lens_are_found_again(fall: tuple[float, float]) -> None:
    """Five pictures of different exposure; a tenth of the faces show something else."""
    rng = np.random.default_rng(2)
    true = rng.normal(0, 0.2, (5, 1))
    light = linear_of(rng.uniform(100, 220, (4000, 1, 3)))
    views = np.stack([rng.permutation(5)[:3] for _ in range(4000)])
    rim = rng.uniform(0, 1, (4000, 3)).astype(np.float32)
    colour = srgb_of(light * np.exp(true[views] + (fall[0] * rim + fall[1] * rim**2)[..., None]))
    colour[:400, 0] = rng.uniform(20, 230, (400, 3))
    sightings = seen_in(views, colour)._replace(rim=rim)
    found = falloff_of(sightings, 5)
    assert found @ [0.3, 0.09] == pytest.approx(np.dot(fall, [0.3, 0.09]), abs=0.02)
    assert found.sum() == pytest.approx(sum(fall), abs=0.02)
    even = unshaded(sightings.colour, rim, found)[400:]
    assert np.abs(even - srgb_of(light * np.exp(true[views]))[400:]).max() < 3


def test_one_picture_that_differs_over_several_faces_is_suspected_alone() -> None:
    _, faces = strip(40)
    colour = np.full((40, 4, 3), 100.0)
    colour[10:25, 2] = (180, 90, 90)
    sightings = seen_in(np.tile(np.arange(4), (40, 1)), colour)
    found = suspects(sightings, sightings.colour, face_links(faces))
    assert found[12:23, 2].min() == 1
    assert found[:, [0, 1, 3]].max() == 0 and found[:5, 2].max() == 0 and found[32:, 2].max() == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 60))
def test_packed_pieces_do_not_touch(seed: int, count: int) -> None:
    """Triangles, laid down and drawn texel by texel: none is taken twice, all are on the square."""
    rng = np.random.default_rng(seed)
    corners = rng.random((count, 3, 2)) * rng.uniform(2, 30, (count, 1, 1))
    corners -= corners.min(axis=1, keepdims=True)
    edges = np.concatenate([corners, np.roll(corners, -1, axis=1)], axis=2).reshape(-1, 4)
    packed = pack(Pieces(edges, np.repeat(np.arange(count), 3), corners.max(axis=1)), 1.0, 128, least=64)
    assert packed is not None
    laid = corners * packed.scale + packed.corner[:, None]
    assert laid.min() >= 0 and laid.max() <= packed.side
    taken = np.zeros((packed.side, packed.side), int)
    for k in range(count):
        taken += covered(laid[k : k + 1].astype(np.float32), packed.side)[0] >= 0
    assert taken.max() <= 1


def test_texels_belong_to_the_face_that_their_centre_lies_in() -> None:
    rng = np.random.default_rng(3)
    corners = rng.uniform(0, 20, (1, 3, 2))
    owner, _ = covered(corners, 20)
    for y, x in itertools.product(range(20), range(20)):
        point = np.array([x + 0.5, y + 0.5])
        turns = [np.linalg.det([corners[0, (k + 1) % 3] - corners[0, k], point - corners[0, k]]) for k in range(3)]
        assert (owner[y, x] == 0) == (min(turns) >= 0 or max(turns) <= 0)


def test_two_sheets_that_overlap_when_laid_flat_are_taken_apart() -> None:
    """A spiral ramp of one and a half turns looks upwards all over, yet lies above itself."""
    angle = np.linspace(0, 3 * np.pi, 120)
    rim = [np.stack([r * np.cos(angle), r * np.sin(angle), 0.05 * angle], axis=1) for r in (1.0, 2.0)]
    vertices = np.concatenate(rim).astype(np.float32)
    k = np.arange(119)
    quads = [np.stack([k, k + 120, k + 121], axis=1), np.stack([k, k + 121, k + 1], axis=1)]
    faces = np.concatenate(quads).astype(np.uint32)
    atlas = build_atlas(vertices, faces, np.full(len(faces), 60.0), 512)
    owner, doubled = covered(atlas.texel[atlas.faces], atlas.side)
    assert doubled.sum() == 0 and atlas.piece.max() >= 1
    assert len(np.unique(owner)) == len(faces) + 1


def test_a_texture_too_small_for_its_pieces_is_refused() -> None:
    rng = np.random.default_rng(0)
    vertices = rng.random((900, 3)).astype(np.float32)
    faces = np.arange(900).reshape(-1, 3).astype(np.uint32)
    with pytest.raises(InputError, match="too many for a texture"):
        build_atlas(vertices, faces, np.ones(300), 64)


def test_gaps_take_the_colours_of_what_is_near() -> None:
    pixels, known = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), bool)
    pixels[:, :8], pixels[:, -8:] = 200, 100
    known[:, :8] = known[:, -8:] = True
    out = filled(pixels, known)
    assert np.array_equal(out[known], pixels[known])
    assert out.min() >= 98 and abs(int(out[32, 10, 0]) - 200) < 12 and abs(int(out[32, 53, 0]) - 100) < 12

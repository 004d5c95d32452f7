"""People and animals are whole: finite, on the ground, of their size, turned outwards, repeatable; scenes see them."""

import numpy as np
import pytest
from training.worlds.mesh import Part, Thing, bounds
from training.worlds.palette import Palette
from training.worlds.parts.animals import BEASTS, BIRDS, animal
from training.worlds.parts.limbs import triangles, two_bones
from training.worlds.parts.people import bust, person
from training.worlds.parts.poses import Build
from training.worlds.scenes import animals, people
from training.worlds.scenes.nature import Ground

SCENES = {**people.SCENES, **animals.SCENES}


def palette(seed: int) -> Palette:
    return Palette(np.random.default_rng(seed))


def closed(part: Part) -> bool:
    """Whether every edge, after welding equal points, has a partner that runs the other way."""
    _, weld = np.unique(np.round(part.vertices, 6), axis=0, return_inverse=True)
    faces = weld.reshape(-1)[part.faces]
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    forth, back = np.unique(edges, axis=0, return_counts=True), np.unique(edges[:, ::-1], axis=0, return_counts=True)
    return len(forth[0]) == len(back[0]) and all(np.array_equal(a, b) for a, b in zip(forth, back, strict=True))


def volume(part: Part) -> float:
    a, b, c = (part.vertices[part.faces[:, k]].astype(np.float64) - part.vertices.mean(0) for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def sound(thing: Thing) -> None:
    """Finite, on the ground, and what is closed looks outwards; most of it is closed."""
    for part in thing:
        assert np.isfinite(part.vertices).all()
        assert np.isfinite(part.uv).all()
        assert part.faces.min() >= 0
        assert part.faces.max() < len(part.vertices)
    assert abs(float(bounds(thing)[0][1])) < 0.03
    whole = [part for part in thing if closed(part)]
    assert len(whole) >= 0.4 * len(thing)
    assert all(volume(part) > 0 for part in whole)


@pytest.mark.parametrize("seed", range(30))
def test_a_person_is_whole(seed: int) -> None:
    who = person(palette(seed))
    sound(who)
    size = np.subtract(*bounds(who)[::-1])
    assert 0.55 < size[1] < 2.7
    assert size[[0, 2]].max() < 2.6
    assert triangles(who) < 10_000


@pytest.mark.parametrize("seed", range(30))
def test_a_distant_person_is_cheap(seed: int) -> None:
    who = person(palette(seed), detail="far")
    sound(who)
    assert triangles(who) < 1_400


@pytest.mark.parametrize("height", [0.9, 1.2, 1.6, 1.75, 1.95])
def test_one_stands_as_tall_as_asked(height: float) -> None:
    tall = [float(bounds(person(palette(s), height=height, pose="stand", gesture="down"))[1][1]) for s in range(6)]
    assert np.median(tall) == pytest.approx(height, rel=0.06)


def test_sitting_is_lower_than_standing_and_crouching_too() -> None:
    def top(pose: str) -> float:
        return float(
            np.median([bounds(person(palette(s), height=1.75, pose=pose, gesture="lap"))[1][1] for s in range(5)])
        )

    assert top("sit") < 0.85 * top("stand")
    assert top("crouch") < 0.85 * top("stand")


def test_the_eyes_of_a_bust_are_at_the_origin() -> None:
    low, high = bounds(bust(palette(3), gesture="down"))
    assert 0.08 < high[1] < 0.35
    assert low[1] < -0.6


def test_children_have_larger_heads_for_their_height() -> None:
    child, adult = (Build(h, 30, False, 0.3, 0.5) for h in (1.0, 1.8))
    assert child.head / child.height > 1.3 * adult.head / adult.height


@pytest.mark.parametrize("sort", [*BEASTS, *BIRDS])
@pytest.mark.parametrize("detail", ["near", "far"])
def test_an_animal_is_whole(sort: str, detail: str) -> None:
    for seed in range(3):
        thing = animal(palette(seed), sort=sort, detail=detail)
        sound(thing)
        size = float(np.subtract(*bounds(thing)[::-1]).max())
        tall = BEASTS[sort].withers if sort in BEASTS else BIRDS[sort].size
        assert 0.6 * tall < size < 6.5 * tall
        assert triangles(thing) < (5_500 if detail == "near" else 1_700)


@pytest.mark.parametrize("seed", range(30))
def test_any_animal_is_whole(seed: int) -> None:
    sound(animal(palette(seed)))


def test_one_seed_makes_one_thing() -> None:
    for make in (person, animal):
        a, b = make(palette(7)), make(palette(7))
        assert all(
            np.array_equal(p.vertices, q.vertices) and p.material == q.material for p, q in zip(a, b, strict=True)
        )
    assert not np.array_equal(person(palette(7))[0].vertices.shape, person(palette(8))[0].vertices.shape)


def test_a_limb_bends_towards_its_pole_and_keeps_its_lengths() -> None:
    root, goal = np.array([0.0, 1.0, 0.0]), np.array([0.1, 0.3, 0.1])
    joint, end = two_bones(root, goal, 0.45, 0.4, [0, 0, 1])
    assert np.linalg.norm(joint - root) == pytest.approx(0.45)
    assert np.linalg.norm(end - joint) == pytest.approx(0.4)
    assert end == pytest.approx(goal)
    assert joint[2] > 0.1
    far = two_bones(root, [0, -5, 0], 0.45, 0.4, [0, 0, 1])[1]
    assert far == pytest.approx([0, 1 - 0.85 * 0.998, 0], abs=1e-6)


def test_ground_is_level_where_people_stand() -> None:
    ground = Ground.drawn(palette(1), 5.0)
    assert ground.height([0, 3, -5], [0, 4, 2]) == pytest.approx(0)
    assert np.ptp(ground.height(np.linspace(-300, 300, 50), 200.0)) > 0.5


@pytest.mark.parametrize("name", list(SCENES))
def test_every_camera_stands_in_clear_air_and_has_something_before_it(name: str) -> None:
    blind = 0
    for seed in range(3):
        stage = SCENES[name][0](palette(seed))
        assert 4 <= len(stage.cameras) <= 6
        assert sum(len(p.faces) for p in stage.things) < 90_000
        points = np.concatenate([p.vertices[p.faces].mean(1) for p in stage.things])
        for camera in stage.cameras:
            ray = np.subtract(camera.target, camera.eye)
            away = points - np.array(camera.eye, np.float32)
            distance = np.linalg.norm(away, axis=1)
            ahead = away @ (ray / np.linalg.norm(ray)) / distance > np.cos(camera.fov / 3)
            assert (ahead & (distance < 60)).any()
            blind += bool(distance.min() < 0.04)
    assert blind <= 1


@pytest.mark.parametrize("name", list(SCENES))
def test_one_seed_makes_one_scene(name: str) -> None:
    a, b = SCENES[name][0](palette(5)), SCENES[name][0](palette(5))
    assert a.cameras == b.cameras
    assert all(np.array_equal(p.vertices, q.vertices) for p, q in zip(a.things, b.things, strict=True))

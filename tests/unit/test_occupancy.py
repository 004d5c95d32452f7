"""What is free to go, from depth of known places to the files that robots read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.scan_draw import Paint, Solid, box, sheet
from tests.scan_places import WHITE
from tests.scan_worlds import KnownFilm, lens_of, looking

from unflat.errors import InputError, ShapeError
from unflat.formats.occupancy_map import read, write
from unflat.formats.registry import ExportOptions, format_of, format_of_picture
from unflat.geometry.see_through import trace
from unflat.stages.occupancy import OccupancyOptions, occupancy
from unflat.types.camera import Pose
from unflat.types.image import Size
from unflat.types.occupancy import FREE, OCCUPIED, UNKNOWN, Occupancy
from unflat.types.scale import Scale

PLAIN = Paint("plaster", 1.0, WHITE, WHITE)


def hall() -> KnownFilm:
    """4 m × 3 m, with a block in a corner, a step of 5 cm, and a beam at 2 m; seen from one end."""
    x, z, h = 2.0, 1.5, -2.6
    walls = [sheet((-x, 0, -z), (2 * x, 0, 0), (0, 0, 2 * z), PLAIN)]
    walls += [sheet((-x, h, s * z), (2 * x, 0, 0), (0, -h, 0), PLAIN) for s in (-1, 1)]
    walls += [sheet((s * x, h, -z), (0, 0, 2 * z), (0, -h, 0), PLAIN) for s in (-1, 1)]
    walls += [box((0.5, -2.1, 0.0), (1.5, 0, 0.8), PLAIN), box((-1.5, -0.05, 0.2), (-0.5, 0, 0.8), PLAIN)]
    walls += [box((-1.8, -2.2, -1.0), (-1.2, -2.0, 1.0), PLAIN)]

    def path(t: float) -> Pose:
        eye = np.array([-1.2 + 0.25 * t, -1.4, -1.2])
        return looking(eye, eye + np.array([np.sin(0.5 * t - 1.5), 0.6, np.cos(0.5 * t - 1.5)]))

    from tests.scan_draw import Light

    light = Light(np.array([[0.0, -2.0, 0.0, 1.0, 1.0, 1]]), 0.2, (1.0, 1.0, 1.0))
    return KnownFilm("hall", Solid.of(*walls), light, lens_of(Size(160, 120), 75), 8, path)


@pytest.fixture(scope="module")
def seen() -> Occupancy:
    film = hall()
    return occupancy([film.view_depth(i) for i in range(film.count)], OccupancyOptions())


def at(grid: Occupancy, x: float, z: float) -> int:
    return int(grid.cells[int((z - grid.z) / grid.cell), int((x - grid.x) / grid.cell)])


def test_walls_and_blocks_are_occupied_and_floor_steps_and_beams_are_free(seen: Occupancy) -> None:
    assert at(seen, 1.0, 0.02) == OCCUPIED  # the block's front
    assert at(seen, 0.2, 1.52) == OCCUPIED or at(seen, 0.2, 1.48) == OCCUPIED  # the far wall
    for x, z in ((-0.3, -0.2), (-1.0, 0.5), (-1.5, 0.0), (0.2, 0.9)):  # floor, on the step, under the beam
        assert at(seen, x, z) == FREE, (x, z)


def test_what_nobody_saw_is_unknown(seen: Occupancy) -> None:
    assert at(seen, 1.0, 0.5) == UNKNOWN  # inside the block
    assert seen.cells[0].max() == UNKNOWN  # behind the wall at the cameras' backs
    everything = (seen.cells != UNKNOWN).sum() * seen.cell**2
    assert 6 < everything < 12.5


def test_the_heights_decide_what_is_in_the_way() -> None:
    film = hall()
    frames = [film.view_depth(i) for i in range(film.count)]
    low = occupancy(frames, OccupancyOptions(from_height=0.02))
    high = occupancy(frames, OccupancyOptions(from_height=2.15, to_height=2.5))
    assert (low.cells[(low.cells.shape[0] // 2) :] == OCCUPIED).sum() > 0
    assert at(low, -1.0, 0.22) == OCCUPIED and at(high, 1.0, 0.02) != OCCUPIED


@pytest.mark.parametrize("how", ["learned", "flat"])
def test_what_was_only_guessed_is_not_seen(how: str) -> None:
    from dataclasses import replace

    film = hall()
    frames = [film.view_depth(i) for i in range(3)]
    guessed = [replace(frame, **{how: np.ones(frame.depth.size.shape, bool)}) for frame in frames]
    with pytest.raises(InputError, match="nothing was seen"):
        occupancy(guessed, OccupancyOptions())


def test_a_place_too_large_for_its_cells_is_refused() -> None:
    film = hall()
    with pytest.raises(InputError, match="too large"):
        occupancy([film.view_depth(i) for i in range(film.count)], OccupancyOptions(cell=0.005))


@pytest.mark.parametrize("seed", range(4))
def test_rays_pass_the_voxels_between_and_end_in_their_own(seed: int) -> None:
    rng = np.random.default_rng(seed)
    eye, end = rng.uniform(0.1, 3.9, (2, 3))
    hits, passes = (np.zeros((4, 4, 4), np.uint16) for _ in range(2))
    trace(eye, end[None], np.array([True]), np.zeros(3), 1.0, 0.0, hits, passes)
    slow = {tuple(np.floor(eye + t * (end - eye)).astype(int)) for t in np.linspace(0, 1, 20001)}
    assert {tuple(map(int, v)) for v in np.argwhere(passes)} == {tuple(map(int, v)) for v in slow}
    assert hits.sum() == 1 and hits[tuple(np.floor(end).astype(int))] == 1


@pytest.mark.parametrize("suffix", [".yaml", ".pgm"])
def test_a_map_is_read_back_as_it_was_written(suffix: str, tmp_path: Path) -> None:
    cells = np.random.default_rng(1).integers(-1, 2, (7, 11)).astype(np.int8)
    grid = Occupancy(cells, 0.05, -1.35, 0.4, (0.1, 1.8), Scale("assumed", 0.5, 2.0))
    path = tmp_path / f"place{suffix}"
    write(grid, path, ExportOptions())
    back = read(path)
    np.testing.assert_array_equal(back.cells, cells)
    assert (back.cell, back.x, back.z) == pytest.approx((0.05, -1.35, 0.4))
    files = {"place.yaml", "place.pgm"}
    assert {p.name for p in tmp_path.iterdir()} == files
    assert {t.name for t in format_of(path).targets(path)} == {*files, f"place{suffix}.c2pa"}
    with pytest.raises(InputError, match="many pictures"):
        format_of_picture(path)


def test_the_map_lies_as_ros_has_it(tmp_path: Path) -> None:
    """x goes right in the picture and is forward, y goes up and is left; the origin is the lower left corner."""
    cells = np.full((3, 2), UNKNOWN, np.int8)
    cells[2, 0], cells[0, 1] = OCCUPIED, FREE  # far and left; near and right
    write(Occupancy(cells, 0.5, -1.0, 2.0), tmp_path / "a.yaml", ExportOptions())
    greys = np.frombuffer((tmp_path / "a.pgm").read_bytes()[-6:], np.uint8).reshape(2, 3)
    assert greys.tolist() == [[205, 205, 0], [254, 205, 205]]
    words = (tmp_path / "a.yaml").read_text()
    assert "origin: [2.0, 0.0, 0.0]" in words and "image: a.pgm" in words and "negate: 0" in words


def test_damaged_maps_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    write(Occupancy(np.zeros((2, 2), np.int8), 0.5, 0, 0), path, ExportOptions())
    words = path.read_text()
    for old, new, match in (
        ("resolution", "revolution", "no map"),
        (", 0.0]", ", 0.7]", "turned"),
        ("a.pgm", "b.pgm", "cannot"),
    ):
        path.write_text(words.replace(old, new))
        with pytest.raises(InputError, match=match):
            read(path)
    path.write_text(words)
    (tmp_path / "a.pgm").write_bytes(b"P5\n2 2\n255\n\x00")
    with pytest.raises(InputError, match="damaged"):
        read(path)
    with pytest.raises(ShapeError):
        Occupancy(np.full((2, 2), 3, np.int8), 0.5, 0, 0)


def test_those_who_look_one_way_stand_on_the_map() -> None:
    film = hall()
    still = replace(film, path=lambda t: looking(np.array([-1.5 + 0.01 * t, -1.4, -1.4]), np.array([-1.5, -1.2, 3.0])))
    grid = occupancy([still.view_depth(i) for i in range(4)], OccupancyOptions(sight=2.0))
    at(grid, -1.5, -1.4)
    assert grid.z <= -1.4 <= grid.z + grid.cell * grid.cells.shape[0]
    assert grid.x <= -1.5 <= grid.x + grid.cell * grid.cells.shape[1]


def test_heights_less_than_a_cell_apart_are_refused() -> None:
    with pytest.raises(InputError, match="less than a cell"):
        OccupancyOptions(from_height=0.1, to_height=0.11)


@pytest.mark.parametrize("name", ["küche", "a: b", "[x]", "#1", "x #2", "- x", "it's", 'say "so"', "null"])
def test_any_name_of_a_map_is_read_back(name: str, tmp_path: Path) -> None:
    ours = Occupancy(np.zeros((3, 4), np.int8), 0.05, 0.0, 0.0)
    write(ours, tmp_path / f"{name}.yaml", ExportOptions())
    np.testing.assert_array_equal(read(tmp_path / f"{name}.yaml").cells, ours.cells)
    assert f"{name}.pgm" in (tmp_path / f"{name}.yaml").read_text("utf-8").replace('\\"', '"')

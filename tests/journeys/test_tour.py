"""A tour: pictures that share nothing, one of them painted, become one page to walk through in a real browser."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import chromium
import cv2
import numpy as np
import pytest
from chromium import seen
from PIL import Image as Pil

import rooms
from unflat.errors import InputError
from unflat.formats import glb, html
from unflat.formats.tour_plan import plan_of
from unflat.pipelines.scan_tour import TourRun
from unflat.types import Camera, Doorway, Image, Node, Provenance, Scale, Scene, Size, Stop, Tour
from unflat.types.arrays import F64, U8

Run = Callable[..., subprocess.CompletedProcess[str]]
WIDTH, HEIGHT = 640, 480
SIZE = Size(256, 192)


def painting(size: Size = SIZE) -> U8:
    """A house in a field below a sky, in strokes of a brush."""
    draw = np.random.default_rng(3)
    w, h = size.width, size.height
    plan = np.zeros((h, w, 3), np.float64)
    down = np.linspace(0, 1, h)[:, None, None]
    plan[:] = np.where(down < 0.45, [150, 190, 215], [190, 160, 70] - 60 * (down - 0.45))
    plan[int(0.3 * h) : int(0.55 * h), int(0.2 * w) : int(0.42 * w)] = (200, 120, 60)
    plan[int(0.42 * h) : int(0.46 * h)] = (70, 110, 90)
    canvas = plan.copy()
    for _ in range(5000):
        x, y = int(draw.integers(w)), int(draw.integers(h))
        angle = draw.normal(0.2 if y < 0.45 * h else 1.3, 0.4)
        end = int(x + 7 * np.cos(angle)), int(y + 7 * np.sin(angle))
        colour = plan[y, x] + draw.normal(scale=22, size=3)
        cv2.line(canvas, (x, y), end, colour.tolist(), int(draw.integers(1, 4)), cv2.LINE_AA)
    return canvas.clip(0, 255).astype(np.uint8)


def corners_seen(camera: Camera) -> tuple[F64, F64]:
    """Corners of walls, doorway and table that a camera sees: pixels, and [right, ahead, up] of the plan."""
    (x0, z0), (x1, z1), top = rooms.TABLE
    floor = [(0, 0, 0), (0, 0, 4), (3.5, 0, 4), (3.5, 0, 2.5), (3.5, 0, 1.5), (6, 0, 4), (6, 0, 0)]
    table = [(x, -top, z) for x in (x0, x1) for z in (z0, z1)]
    door = [(3.5, -2.0, 1.5), (3.5, -2.0, 2.5)]
    xyz = np.array([*floor, *((x, -rooms.HIGH, z) for x, _, z in floor), *table, *door], np.float64)
    lens, world = camera.intrinsics, camera.pose.world_from_camera
    rays = xyz - world[:3, 3]
    local = rays @ world[:3, :3]
    pixel = local[:, :2] / local[:, 2:] * [lens.fx, lens.fy] + [lens.cx, lens.cy]
    good = (local[:, 2] > 0.1) & (pixel > 1).all(1) & (pixel < [lens.size.width - 1, lens.size.height - 1]).all(1)
    good &= rooms.hits(world[:3, 3], rays)[0] > 0.995
    return pixel[good], xyz[good][:, [0, 2, 1]] * [1, 1, -1]


def plain_camera(x: float, z: float, yaw: float, name: str) -> Camera:
    """A camera whose axis goes through the middle of its picture, as that of an unknown one is taken to."""
    lens = rooms.cameras(SIZE)[0].intrinsics
    focal = 0.7 * SIZE.width
    lens = dataclasses.replace(lens, fx=focal, fy=focal, cx=SIZE.width / 2, cy=SIZE.height / 2)
    return Camera(lens, rooms.pose(x, z, yaw, -8), name)


WEST, EAST = plain_camera(0.5, 0.5, 48, "west.png"), plain_camera(4.2, 1.0, 40, "east.png")


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.wanted() as running:
        yield running


def told(unflat: Run, folder: Path) -> dict[str, object]:
    """Make the tour of three pictures; the report."""
    (folder / "pictures").mkdir()
    for camera in (WEST, EAST):
        Pil.fromarray(rooms.photograph(camera, 2)).save(folder / "pictures" / camera.name)
    Pil.fromarray(painting()).save(folder / "pictures" / "painting.png")
    pixels, points = corners_seen(WEST)
    assert len(pixels) >= 6
    marks = [{"pixel": [*map(float, at)], "point": [*map(float, xyz)]} for at, xyz in zip(pixels, points, strict=True)]
    plan = {
        "pictures": {
            "west.png": {"title": "The west room", "date": "about 1890", "alone": True, "landmarks": marks},
            "east.png": {"title": "The east room", "position": [4.2, 1.0, 1.5], "heading": 40, "pitch": -8},
            "painting.png": {"title": "A house in a field", "date": "1911"},
        },
        "links": [{"from": "painting.png", "pixel": [80, 105], "to": "west.png", "name": "into the house"}],
        "start": "painting.png",
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    done = unflat("scan", "pictures", "--landmarks", "plan.json", "-o", "t.html", "-o", "t.glb", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.browser
def test_three_pictures_one_of_them_painted_are_walked_through(
    unflat: Run, browser: chromium.Browser, tmp_path: Path
) -> None:
    report = told(unflat, tmp_path)
    rows = {row["picture"]: row for row in report["pictures"]}  # type: ignore[index,attr-defined]
    assert rows["west.png"]["by"] == "landmarks" and rows["west.png"]["error_px"] < 0.5
    assert rows["east.png"]["by"] == "position" and rows["painting.png"]["by"] == "alone"
    assert rows["west.png"]["part"] == rows["east.png"]["part"] != rows["painting.png"]["part"]
    scene = glb.read(tmp_path / "t.glb")
    cameras = {camera.name: camera for camera in scene.cameras}
    step = cameras["east.png"].pose.centre - cameras["west.png"].pose.centre
    np.testing.assert_allclose(step, EAST.pose.centre - WEST.pose.centre, atol=0.02)
    assert cameras["west.png"].intrinsics.fx == pytest.approx(WEST.intrinsics.fx, rel=0.01)
    assert {name for node in scene.nodes for name in node.pictures} == set(rows)
    assert all(len(node.pictures) == 1 for node in scene.nodes)
    shown = unflat("inspect", "t.html")
    assert "pictures: painting.png" in shown.stdout and "title: The west room" in shown.stdout, shown.stderr

    page = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    page.open((tmp_path / "t.html").as_uri())
    page.settle()
    assert page.state("stand") == "painting.png"
    caption = "document.querySelector('#caption').textContent"
    page.wait(f"{caption}.includes('A house in a field, 1911 (painting.png)')")
    page.key("Enter")
    assert page.state("stand") == "west.png", "through the door"
    page.wait(f"{caption}.includes('The west room, about 1890 (west.png)')")
    page.hold("KeyW", "document.querySelector('#view').dataset.stand === ''")
    page.key(",")
    assert page.state("stand") == "east.png", "in the same part one flies"
    buttons = "[...document.querySelectorAll('#doors .door')].filter((b) => !b.hidden)"
    assert page.js(f"{buttons}.map((b) => b.textContent)") == ["into the houseA house in a field, 1911"]
    page.js(f"{buttons}[0].click()")
    page.settle()
    assert page.state("stand") == "painting.png"
    assert page.console == []
    page.close()


def two_parts() -> Scene:
    """The rooms as two pictures' parts: what is west of the doorway, and what is east of it, 20 m away."""
    whole = rooms.mesh()
    west = whole.vertices[whole.faces][:, :, 0].max(axis=1) < rooms.DIVIDER + 0.05
    west |= np.abs(whole.vertices[whole.faces][:, :, 1]).max(axis=1) < 0.01
    away = np.array([20, 0, 0], np.float32)
    nodes = (
        Node("west.png", dataclasses.replace(whole, faces=whole.faces[west]), pictures=("west.png",)),
        Node("east.png", dataclasses.replace(whole, vertices=whole.vertices + away), pictures=("east.png",)),
    )
    lens = rooms.cameras()[0].intrinsics
    cameras = (
        Camera(lens, rooms.pose(1.2, 2.0, 90), "west.png"),
        Camera(lens, rooms.pose(24.6, 2.0, 90), "east.png"),
    )
    doors = (
        Doorway("the doorway", "west.png", "east.png", np.array([3.4, 0.0, 2.0])),
        Doorway("the doorway", "east.png", "west.png", np.array([25.0, 0.0, 3.4])),
    )
    tour = Tour((Stop("west.png", 0, "West", "1890"), Stop("east.png", 1)), doors)
    return dataclasses.replace(rooms.scene(), nodes=nodes, cameras=cameras, tracks=(), tour=tour)


def opened(browser: chromium.Browser, scene: Scene, folder: Path, **page: bool) -> chromium.Page:
    path = folder / "place.html"
    path.write_bytes(html.page_of_scene(scene))
    tab = chromium.Page(browser, width=WIDTH, height=HEIGHT, **page)
    tab.open(path.as_uri())
    assert tab.state("state") == "ready"
    tab.settle()
    return tab


@pytest.mark.browser
def test_who_walks_into_a_door_comes_out_in_the_other_picture(browser: chromium.Browser, tmp_path: Path) -> None:
    page = opened(browser, two_parts(), tmp_path)
    assert page.state("stand") == "west.png"
    page.hold("KeyW", "document.querySelector('#view').dataset.shown === 'east.png'")
    assert float(page.state("at").split()[0]) > 23
    page.key("r")
    assert page.state("stand") == "west.png"
    assert page.console == []
    page.close()


@pytest.mark.browser
def test_doors_take_fingers_and_keys_and_the_page_fades(browser: chromium.Browser, tmp_path: Path) -> None:
    page = opened(browser, two_parts(), tmp_path, still=False, phone=True)
    where = "(({left, top, width, height}) => [left + width / 2, top + height / 2])(document.querySelector('#doors .door:not([hidden])').getBoundingClientRect())"  # noqa: E501
    x, y = page.js(where)
    page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
    page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    page.wait("document.querySelector('#view').dataset.stand === 'east.png'")
    page.wait("getComputedStyle(document.querySelector('#view')).opacity === '1'")
    label = page.js("document.querySelector('#doors .door:not([hidden])').getAttribute('aria-label')")
    assert label == "Go through: the doorway, to West, 1890"
    page.js("document.querySelector('#doors .door:not([hidden])').focus()")
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    page.wait("document.querySelector('#view').dataset.stand === 'west.png'")
    assert page.console == []
    page.close()


@pytest.mark.browser
def test_the_picture_that_one_is_in_lies_over_the_others(browser: chromium.Browser, tmp_path: Path) -> None:
    """The same room in two pictures' colours, one of them a hand nearer: each is seen from its own camera."""
    plain = rooms.mesh()
    assert plain.texture is not None
    inverted = Image(255 - plain.texture.pixels, source=plain.texture.source)
    middle = np.array([1.7, -1.2, 2.0], np.float32)
    nearer = dataclasses.replace(plain, vertices=middle + 0.95 * (plain.vertices - middle), texture=inverted)
    cameras = rooms.cameras()[:2]
    names = [camera.name for camera in cameras]
    nodes = (Node("plain", plain, pictures=(names[0],)), Node("inverted", nearer, pictures=(names[1],)))
    story = Provenance((), (), "0.1.0", False)
    tour = Tour((Stop(names[0]), Stop(names[1])))
    scene = Scene(nodes, cameras, rooms.scene().frame, Scale("marker", 0.99, 1.01), story, tour=tour)
    page = opened(browser, scene, tmp_path)
    truth = [rooms.photograph(camera, 2).astype(np.float64) for camera in cameras]

    def alike(number: int) -> float:
        small = cv2.resize(
            seen(page).astype(np.float32), (rooms.SIZE.width, rooms.SIZE.height), interpolation=cv2.INTER_AREA
        )
        return float(np.corrcoef(small[10:-10, 10:-10].ravel(), truth[number][10:-10, 10:-10].ravel())[0, 1])

    assert alike(0) > 0.9
    page.key(".")
    assert page.state("shown") == names[1]
    assert alike(1) < -0.6
    page.key(",")
    assert alike(0) > 0.9
    page.close()


def test_plans_that_do_not_fit_are_refused_before_anything_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Pil.fromarray(painting()).save(path)
    point = {"point": [1, 2, 3]}
    plans = {
        "not among": {"pictures": {"b.png": {}}},
        "outside": {"pictures": {"a.png": {"landmarks": [{"pixel": [900, 2], **point}]}}},
        "needs 4": {"pictures": {"a.png": {"landmarks": [{"pixel": [9, 2], **point}]}}},
    }
    for what, plan in plans.items():
        with pytest.raises(InputError, match=what) as caught:
            TourRun([path], plan_of(plan))
        assert caught.value.hint


def test_the_command_says_what_is_wrong_in_two_lines(unflat: Run, tmp_path: Path) -> None:
    Pil.fromarray(painting()).save(tmp_path / "a.png")
    (tmp_path / "plan.json").write_text('{"pictures": {"b.png": {}}}')
    done = unflat("scan", "a.png", "--landmarks", "plan.json", "-o", "x.html")
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2 and len(lines) == 2, done.stderr
    assert lines[0].startswith("error: ") and lines[1].startswith("hint: "), done.stderr
    assert not (tmp_path / "x.html").exists()
    done = unflat("scan", "a.png", "--landmarks", "plan.json", "--splats", "-o", "x.ply")
    assert done.returncode == 2 and "surfaces" in done.stderr

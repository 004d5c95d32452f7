"""A scan in a real browser: one stands where its pictures were taken, walks, is stopped by walls, measures, and finds
the way on the map."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import chromium
import cv2
import headset
import numpy as np
import pytest
from chromium import Pixels, seen

import rooms
from unflat.formats import html
from unflat.types import Camera, Frame, Mesh, Node, Scale, Scene

pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 640, 480
EYE = 1.6
BODY = 0.2
"""How near to a wall the middle of a visitor comes, metres; cells of 5 cm may add as much."""


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.wanted() as running:
        yield running


def opened(browser: chromium.Browser, scene: Scene, folder: Path) -> chromium.Page:
    path = folder / "place.html"
    path.write_bytes(html.page_of_scene(scene))
    page = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    page.open(path.as_uri())
    assert page.state("state") == "ready"
    page.settle()
    return page


@pytest.fixture(scope="module")
def _page(browser: chromium.Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Page]:
    page = opened(browser, rooms.scene(), tmp_path_factory.mktemp("stroll"))
    yield page
    assert page.console == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in page.requests)
    page.close()


@pytest.fixture
def page(_page: chromium.Page) -> chromium.Page:
    """The rooms, at their first picture."""
    _page.key("r")
    return _page


def standing_at(browser: chromium.Browser, folder: Path, x: float, z: float, yaw: float) -> chromium.Page:
    """The rooms, entered at one place."""
    first = dataclasses.replace(rooms.cameras()[0], pose=rooms.pose(x, z, yaw), name="here")
    return opened(browser, dataclasses.replace(rooms.scene(), cameras=(first, *rooms.cameras()[1:])), folder)


def place(page: chromium.Page) -> tuple[float, float, float]:
    """Where the eyes are: x, height, z of the rooms."""
    x, y, z = map(float, page.state("at").split())
    return x, y, -z


def on_screen(camera: Camera, xyz: tuple[float, float, float]) -> tuple[float, float]:
    """Where the window shows a point to somebody who stands in a picture: all of it is shown, in the middle."""
    lens, world = camera.intrinsics, camera.pose.world_from_camera
    local = (np.array(xyz) - world[:3, 3]) @ world[:3, :3]
    scale = min(WIDTH / lens.size.width, HEIGHT / lens.size.height)
    u = (lens.fx * local[0] / local[2] + lens.cx - lens.size.width / 2) * scale + WIDTH / 2
    v = (lens.fy * local[1] / local[2] + lens.cy - lens.size.height / 2) * scale + HEIGHT / 2
    return float(u), float(v)


def as_photographed(shot: Pixels, camera: Camera) -> float:
    """How alike the window and the photograph are: their correlation where the photograph shows anything."""
    size = camera.intrinsics.size
    scale = min(WIDTH / size.width, HEIGHT / size.height)
    wide, tall = round(size.width * scale), round(size.height * scale)
    left, top = (WIDTH - wide) // 2, (HEIGHT - tall) // 2
    inside = shot[top : top + tall, left : left + wide].astype(np.float32)
    small = cv2.resize(inside, (size.width, size.height), interpolation=cv2.INTER_AREA)
    truth = rooms.photograph(camera, 3).astype(np.float32)
    there = cv2.erode((truth.max(axis=2) > 0).astype(np.uint8), np.ones((5, 5))) > 0
    return float(np.corrcoef(small[there].ravel(), truth[there].ravel())[0, 1])


def test_one_comes_in_where_the_first_picture_was_taken(page: chromium.Page) -> None:
    assert page.state("stand") == "000000"
    np.testing.assert_allclose(place(page), (0.8, 1.5, 0.8), atol=1e-3)
    assert page.js("document.title") == "000000.jpg and 11 more"
    assert as_photographed(seen(page), rooms.cameras()[0]) > 0.99


def test_every_picture_can_be_visited_and_looks_as_it_was_taken(page: chromium.Page) -> None:
    for camera in rooms.cameras()[1:]:
        page.key(".")
        assert page.state("stand") == camera.name
        x, y, z = camera.pose.centre
        np.testing.assert_allclose(place(page), (x, -y, z), atol=1e-3)
        if camera.name in ("000001", "000005", "000008", "000011"):
            assert as_photographed(seen(page), camera) > 0.985, camera.name
    page.key(".")
    assert page.state("stand") == "000000", "after the last comes the first"
    page.key(",")
    assert page.state("stand") == "000011"


def test_walls_stop_the_visitor(browser: chromium.Browser, tmp_path: Path) -> None:
    page = standing_at(browser, tmp_path, 2.7, 0.8, 90)
    page.hold("KeyW", "document.querySelector('#view').dataset.blocked === 'true'")
    x, _, z = place(page)
    assert rooms.DIVIDER - BODY - 0.15 < x < rooms.DIVIDER - BODY + 0.06
    assert abs(z - 0.8) < 0.15
    page.key("g")
    page.hold("KeyW", f"Number(document.querySelector('#view').dataset.at.split(' ')[0]) > {rooms.DIVIDER + 0.4}")
    assert page.console == []
    page.close()


def test_one_walks_through_the_doorway_and_over_a_hole_in_the_floor(browser: chromium.Browser, tmp_path: Path) -> None:
    (left, near), (right, far) = rooms.HOLE
    page = standing_at(browser, tmp_path, 2.9, 2.0, 90)
    page.hold("KeyW", "Number(document.querySelector('#view').dataset.at.split(' ')[0]) > 4.0")
    assert page.state("stand") == ""
    assert abs(place(page)[1] - EYE) < 0.02, "after a few steps the eyes are as high as they should be"
    page.close()
    page = standing_at(browser, tmp_path, left - 0.2, (near + far) / 2, 90)
    page.hold("KeyW", f"Number(document.querySelector('#view').dataset.at.split(' ')[0]) > {right + 0.2}")
    assert abs(float(page.state("feet"))) < 0.02
    page.close()


def test_nobody_leaves_what_was_photographed(browser: chromium.Browser, tmp_path: Path) -> None:
    """A room without its walls still ends about a metre behind its floor."""
    whole = rooms.scene()
    floor = rooms.mesh()
    kept = floor.faces[np.abs(floor.vertices[floor.faces][:, :, 1]).max(axis=1) < 0.01]
    bare = dataclasses.replace(floor, faces=kept)
    first = dataclasses.replace(rooms.cameras()[0], pose=rooms.pose(5.2, 2.0, 90), name="here")
    scene = dataclasses.replace(
        whole, nodes=(dataclasses.replace(whole.nodes[0], item=bare),), cameras=(first, *whole.cameras[1:])
    )
    page = opened(browser, scene, tmp_path)
    page.hold("KeyW", "document.querySelector('#view').dataset.blocked === 'true'")
    assert rooms.WIDE + 0.3 < place(page)[0] < rooms.WIDE + 1.3
    page.close()


def test_a_known_length_is_measured(page: chromium.Page) -> None:
    camera = rooms.cameras()[1]
    page.key(".")
    page.key("m")
    ends = (1.0, -1.6, rooms.DEEP), (2.6, -1.0, rooms.DEEP)
    for end in ends:
        page.click(*on_screen(camera, end))
    truth = float(np.linalg.norm(np.subtract(*ends)))
    assert float(page.state("length")) == pytest.approx(truth, rel=0.01)
    assert page.js("document.querySelector('#ruler .label').textContent") == f"{truth:.2f} m ± 0.02"
    page.key("m")
    assert page.js("document.querySelector('#ruler .label')") is None


def test_an_assumed_size_is_said_with_every_length(browser: chromium.Browser, tmp_path: Path) -> None:
    page = opened(browser, rooms.scene(Scale("assumed", 0.3, 3.0)), tmp_path)
    camera = rooms.cameras()[0]
    page.key("m")
    assert "assumed" in page.js("document.querySelector('#said').textContent")
    page.click(*on_screen(camera, (2.2, -1.6, rooms.DEEP)))
    page.click(*on_screen(camera, (3.0, -1.6, rooms.DEEP)))
    assert page.js("document.querySelector('#ruler .label').textContent").endswith("m (size assumed)")
    page.close()


def on_map(page: chromium.Page, x: float, z: float) -> tuple[float, float]:
    """Where the map shows a place of the rooms: all of them, north (the far wall) above."""
    box = page.js(
        "(({left, top, width}) => [left, top, width])(document.querySelector('#map').getBoundingClientRect())"
    )
    across = 1.06 * rooms.WIDE
    u, v = (x - rooms.WIDE / 2) / across + 0.5, (rooms.DEEP / 2 - z) / across + 0.5
    return box[0] + u * box[2], box[1] + v * box[2]


def test_a_click_on_the_map_goes_there(page: chromium.Page) -> None:
    yaw = page.state("yaw")
    page.click(*on_map(page, 5.5, 1.6))
    np.testing.assert_allclose(place(page), (5.5, EYE, 1.6), atol=0.06)
    assert page.state("yaw") == yaw and page.state("stand") == ""
    page.click(*on_map(page, 3.0, rooms.DEEP + 1.13))
    np.testing.assert_allclose(place(page), (5.5, EYE, 1.6), atol=0.06, err_msg="there is nothing to go to")
    x, z, _ = rooms.SPOTS[8]
    page.click(*on_map(page, x, z))
    assert page.state("stand") == "000008"


def test_a_click_on_the_floor_goes_there(page: chromium.Page) -> None:
    page.hold("PageDown", "Number(document.querySelector('#view').dataset.pitch) < -0.75")
    lens = rooms.cameras()[0].intrinsics
    scale = WIDTH / lens.size.width
    yaw, pitch = float(page.state("yaw")), float(page.state("pitch"))
    x, y, z = place(page)
    page.click(lens.cx * scale, lens.cy * scale)
    away = y / np.tan(-pitch)
    np.testing.assert_allclose(place(page), (x - away * np.sin(yaw), EYE, z + away * np.cos(yaw)), atol=0.03)


def test_a_click_on_a_camera_goes_into_its_picture(page: chromium.Page) -> None:
    page.key(".")
    page.key(".")
    x, y, z = map(float, rooms.cameras()[11].pose.centre)
    page.click(*on_screen(rooms.cameras()[2], (x, y, z)))
    assert page.state("stand") == "000011"


def test_what_is_known_of_surfaces_is_shown_on_demand(page: chromium.Page) -> None:
    page.key("c")
    assert page.state("mode") == "confidence"
    assert "invented" in page.js("document.querySelector('#legend').innerText")
    page.key("c")
    assert page.js("document.querySelector('#legend').hidden")


def test_places_are_listed_with_what_is_seen_there(page: chromium.Page) -> None:
    page.key("v")
    page.wait("document.querySelectorAll('#views-list button').length === 12")
    page.js("document.querySelectorAll('#views-list button')[7].click()")
    page.settle()
    assert page.state("stand") == "000007"
    page.wait("[...document.querySelectorAll('#views-list canvas')].every((c) => c.toDataURL().length > 3000)")
    page.key("v")
    assert page.js("document.querySelector('#views-sheet').hidden")


def test_a_surface_names_the_picture_that_it_comes_from(browser: chromium.Browser, tmp_path: Path) -> None:
    """Where several pictures have a surface each, as in a tour of pictures that share nothing."""
    whole = rooms.mesh()
    east = whole.vertices[whole.faces][:, :, 0].min(axis=1) > rooms.DIVIDER + 0.05
    nodes = tuple(
        Node(name, dataclasses.replace(whole, faces=whole.faces[part]))
        for name, part in (("painting.jpg", ~east), ("postcard.jpg", east))
    )
    page = opened(browser, dataclasses.replace(rooms.scene(), nodes=nodes), tmp_path)
    shown = "(() => { const e = document.querySelector('#named'); return e.hidden ? '' : e.textContent; })()"
    for target, name in (((2.4, -1.6, rooms.DEEP), "painting.jpg"), ((5.8, -1.0, 2.9), "postcard.jpg")):
        camera = rooms.cameras()[0 if name == "painting.jpg" else 5]
        page.key("r")
        for _ in range(int(camera.name)):
            page.key(".")
        page.mouse("mouseMoved", 5, 300)
        page.mouse("mouseMoved", *on_screen(camera, target))
        page.wait(f"{shown} === '{name}'")
    page.close()


def test_where_no_size_is_known_the_visitor_fits_the_place(browser: chromium.Browser, tmp_path: Path) -> None:
    """The rooms ten times smaller, and nobody knows their size: a step is as long as it looked."""
    scene = rooms.scene(Scale("assumed", 0.3, 3.0))
    small = dataclasses.replace(rooms.mesh(), vertices=rooms.mesh().vertices / 10)
    page = opened(browser, shrunk(scene, small), tmp_path)
    assert float(page.js("document.querySelector('#eye').value")) == pytest.approx(rooms.EYE / 10, rel=0.01)
    page.hold("KeyW", "document.querySelector('#view').dataset.blocked === 'true'")
    x, y, z = place(page)
    assert 0 < x < rooms.WIDE / 10 and 0.5 / 10 < z < rooms.DEEP / 10 and y == pytest.approx(0.15, abs=0.01)
    page.close()


def shrunk(scene: Scene, mesh: Mesh) -> Scene:
    """A scene whose cameras stand ten times nearer to its origin, around another surface."""
    cameras: list[Camera] = []
    for camera in scene.cameras:
        world = camera.pose.world_from_camera.copy()
        world[:3, 3] /= 10
        cameras.append(dataclasses.replace(camera, pose=type(camera.pose)(world)))
    assert scene.frame is Frame.LEVEL_RDF
    return dataclasses.replace(scene, nodes=(Node("surface", mesh),), cameras=tuple(cameras), tracks=())


@pytest.mark.node
def test_walls_stop_a_headset(browser: chromium.Browser, tmp_path: Path) -> None:
    first = dataclasses.replace(rooms.cameras()[0], pose=rooms.pose(2.9, 0.8, 90), name="here")
    scene = dataclasses.replace(rooms.scene(), cameras=(first, *rooms.cameras()[1:]), tracks=())
    file = tmp_path / "place.html"
    file.write_bytes(html.page_of_scene(scene))
    page = headset.beside(browser, file)
    headset.enter(page)
    assert np.abs(headset.walked(page)).max() < 1e-3, "the head begins where the eyes were"
    headset.push(page, "right", 0, -1, "z < -0.2")
    page.js("headset.controllers.right.updateAxes('thumbstick', 0, -1)")
    headset.frames(page, 25)
    page.js("headset.controllers.right.updateAxes('thumbstick', 0, 0)")
    ahead = -headset.walked(page)[2]
    assert rooms.DIVIDER - BODY - 0.15 < 2.9 + ahead < rooms.DIVIDER - BODY + 0.06
    headset.leave(page)
    page.close()

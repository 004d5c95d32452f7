"""Which side a picture shows: by its name, by what the user says; and the cameras that follow."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.errors import InputError
from unflat.stages.name_views import NameOptions, Side, side_in, sides_of, sights_of
from unflat.types.image import Image


def test_names_tell_sides_as_words_of_their_own() -> None:
    assert side_in("shoe_front.png") == Side(0, 0)
    assert side_in("back-front-12-LEFT-2.jpg") == Side(270, 0)  # the last word counts
    assert side_in("rear.png") == Side(180, 0)
    assert side_in("backpack_01.png") is None
    assert side_in("shoe.front") == side_in("shoe") == None  # noqa: E711  (a suffix is no name)


def test_the_user_is_believed_more_than_names() -> None:
    names = ["a_front.png", "b.png", "c.png"]
    assert sides_of(names, NameOptions()) == [Side(0, 0), None, None]
    assert sides_of(names, NameOptions("left,45,top")) == [Side(270, 0), Side(45, 0), Side(0, 90)]
    assert [side.yaw for side in sides_of(names, NameOptions("turntable")) if side] == [0, 120, 240]
    with pytest.raises(InputError, match="2 sides were named for 3"):
        sides_of(names, NameOptions("front,back"))
    for wrong in ("front,middle", "nan", ""):
        with pytest.raises(InputError, match="no side"):
            NameOptions(wrong)


def box_seen(width: float, height: float, side: int = 120, zoom: float = 1.0) -> Image:
    alpha = np.zeros((side, side), np.uint8)
    w, h = round(width * zoom), round(height * zoom)
    alpha[20 : 20 + h, 10 : 10 + w] = 255
    return Image(np.zeros((side, side, 3), np.uint8), alpha)


def test_cameras_stand_where_the_sides_are_and_show_one_size() -> None:
    images = [box_seen(40, 60), box_seen(20, 60, zoom=1.5), box_seen(40, 20, zoom=0.5)]
    front, right, top = sights_of(images, [Side(0, 0), Side(90, 0), Side(0, 90)])
    assert front.camera.pose.centre[2] < 0 and abs(front.camera.pose.centre[0]) < 1e-6
    assert right.camera.pose.centre[0] > 0 and abs(right.camera.pose.centre[2]) < 1e-6
    assert top.camera.pose.centre[1] < 0  # y is down
    corners = np.array([[x, y, z] for x in (-20, 20) for y in (-30, 30) for z in (-10, 10)], float)
    for sight, image in zip((front, right, top), images, strict=True):
        world = np.linalg.inv(sight.camera.pose.world_from_camera)
        seen = corners @ world[:3, :3].T + world[:3, 3]
        lens = sight.camera.intrinsics
        u = lens.fx * seen[:, 0] / seen[:, 2] + lens.cx
        v = lens.fy * seen[:, 1] / seen[:, 2] + lens.cy
        rows, columns = np.nonzero(image.alpha)
        assert (u.min(), u.max()) == (pytest.approx(columns.min(), abs=3), pytest.approx(columns.max() + 1, abs=3))
        assert (v.min(), v.max()) == (pytest.approx(rows.min(), abs=3), pytest.approx(rows.max() + 1, abs=3))
    # What is at the front is at the bottom of the picture from above.
    near = np.linalg.inv(top.camera.pose.world_from_camera) @ [0, 0, -10, 1]
    assert near[1] > 0
    with pytest.raises(InputError, match="no height"):
        sights_of(images[2:], [Side(0, 90)])

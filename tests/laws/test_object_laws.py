"""Things of known shape: outlines, balls and closed surfaces are what geometry says that they are."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.errors import InputError
from unflat.geometry.closed_surface import (
    Closed,
    is_closed,
    simplified,
    smoothed,
    surface_of,
    told_apart,
    volume_of,
)
from unflat.geometry.lathe import lathe, outline_of, turned_within
from unflat.geometry.pieces import pieces_of
from unflat.geometry.silhouette import ball_squares, lower_parabolas, signed_distance
from unflat.stages.inflate import InflateOptions, inflate, window_on
from unflat.stages.revolve import judge_turned, revolve
from unflat.stages.stand import StandOptions, stand


def disc(side: int, radius: float) -> np.ndarray:
    """Alpha of a disc in the middle, with a soft edge."""
    y, x = np.mgrid[:side, :side] + 0.5
    return np.clip(255 * (radius - np.hypot(x - side / 2, y - side / 2) + 0.5), 0, 255).astype(np.uint8)


def ball_field(side: int, radius: float) -> np.ndarray:
    z, y, x = np.mgrid[:side, :side, :side]
    middle = (side - 1) / 2
    return (np.sqrt((x - middle) ** 2 + (y - middle) ** 2 + (z - middle) ** 2) - radius).astype(np.float32)


def test_parabolas_are_the_slow_minimum() -> None:
    rng = np.random.default_rng(3)
    field = rng.normal(size=(6, 37)) * 90
    field[rng.random(field.shape) < 0.4] = 1e12
    i = np.arange(37)
    slow = (field[:, None, :] + (i[:, None] - i[None, :]) ** 2).min(axis=2)
    lower_parabolas(field)
    np.testing.assert_allclose(field, slow, rtol=1e-12)


def test_the_outline_is_known_to_a_fraction_of_a_pixel() -> None:
    side, radius = 120, 41.3
    y, x = np.mgrid[:side, :side] + 0.5
    true = np.hypot(x - side / 2, y - side / 2) - radius
    near = np.abs(true) < 12
    found = signed_distance(disc(side, radius))
    assert np.abs(found - true)[near].max() < 0.75
    assert np.abs(found - true)[np.abs(true) < 0.4].max() < 0.1
    assert np.isinf(signed_distance(np.zeros((5, 5), np.uint8))).all()


def test_a_disc_becomes_a_ball_and_a_strip_a_cylinder() -> None:
    side, radius = 121, 45.0
    y, x = np.mgrid[:side, :side] + 0.5
    r2 = (x - side / 2) ** 2 + (y - side / 2) ** 2
    squares = ball_squares((radius - np.sqrt(r2)).astype(np.float32))
    inner = r2 < (0.9 * radius) ** 2
    np.testing.assert_allclose(squares[inner], radius**2 - r2[inner], atol=60)
    strip = (20 - np.abs(y - side / 2)).astype(np.float32)
    np.testing.assert_allclose(np.sqrt(ball_squares(strip)[60, 30:-30]), 20, atol=0.1)
    assert (squares[r2 > (radius + 1) ** 2] < 0).all()


def test_a_surface_is_closed_has_its_volume_and_stays_closed_with_fewer_triangles() -> None:
    ball = surface_of(ball_field(48, 17.0))
    true = 4 / 3 * np.pi * 17.0**3
    assert is_closed(ball.faces)
    assert volume_of(ball) == pytest.approx(true, rel=0.01)
    few = simplified(ball, 1000, 0.1)
    assert is_closed(few.faces)
    assert len(few.faces) <= 1000
    assert volume_of(few) == pytest.approx(true, rel=0.02)
    assert volume_of(smoothed(ball, 5)) == pytest.approx(true, rel=0.02)


def test_what_touches_the_border_is_closed_and_crumbs_are_left_out() -> None:
    field = ball_field(24, 30.0)  # larger than its volume
    assert is_closed(surface_of(field).faces)
    assert volume_of(surface_of(field)) == pytest.approx(24**3, rel=0.15)
    field = ball_field(40, 12.0)
    whole = len(surface_of(field).faces)
    field[1, 1, 1] = -0.2
    assert len(surface_of(field).faces) == whole
    with pytest.raises(InputError, match="nothing is left"):
        surface_of(np.ones((4, 4, 4), np.float32))


def test_open_and_twisted_surfaces_are_not_called_closed() -> None:
    ball = surface_of(ball_field(16, 5.0))
    assert not is_closed(ball.faces[1:])
    turned = ball.faces.copy()
    turned[0] = turned[0, ::-1]
    assert not is_closed(turned)


def test_an_inflated_disc_is_a_closed_ball_and_its_own_mirror() -> None:
    window = window_on(disc(200, 80.0), 160)
    closed = window.in_pixels(inflate(window, None, InflateOptions(cells=160)))
    assert is_closed(closed.faces)
    assert volume_of(closed) == pytest.approx(4 / 3 * np.pi * 80.0**3, rel=0.03)
    low, high = closed.vertices.min(axis=0), closed.vertices.max(axis=0)
    np.testing.assert_allclose(low[:2], 20, atol=0.8)
    np.testing.assert_allclose(high[:2], 180, atol=0.8)
    np.testing.assert_allclose(low[2], -high[2], atol=1e-6)
    mirrored = Closed(closed.vertices * (1, 1, -1), closed.faces[:, ::-1])
    for sign in (1, -1):  # as much in front of the middle as behind it
        half = closed.vertices[closed.vertices[:, 2] * sign > 2]
        assert np.linalg.norm(half - (100, 100, 0), axis=1) == pytest.approx(80, abs=2.5)
    assert volume_of(mirrored) == pytest.approx(volume_of(closed))


def test_things_stand_on_the_middle_of_their_base_in_their_size() -> None:
    closed = inflate(window_on(disc(160, 60.0), 64), None, InflateOptions(cells=64))
    standing, move, scale = stand(closed, StandOptions(height_mm=240))
    points = standing.vertices
    assert is_closed(standing.faces)
    flat = points[points[:, 1] == 0]
    assert len(flat) > 3 and np.ptp(flat[:, 0]) > 0.02  # a base, not a point
    low, high = points.min(axis=0), points.max(axis=0)
    assert high[1] == 0.0
    assert -low[1] == pytest.approx(0.24, rel=1e-9)
    np.testing.assert_allclose((low + high)[[0, 2]], 0, atol=1e-9)
    assert scale.basis == "known-length" and scale.low < 1 < scale.high
    np.testing.assert_allclose(move.points(closed.vertices).min(axis=0), low, atol=1e-9)
    standing, _, scale = stand(closed, StandOptions())
    assert np.ptp(standing.vertices, axis=0).max() == pytest.approx(0.3)
    assert scale.assumed
    both = stand(closed, StandOptions(height_mm=240, width_mm=270)).scale
    assert both.high > stand(closed, StandOptions(height_mm=240)).scale.high  # they do not agree


def turned_picture(pitch_deg: float, side: int = 220) -> np.ndarray:
    """Alpha of a vase that is seen from above by so many degrees, drawn circle by circle."""
    pitch = np.deg2rad(pitch_deg)
    y, x = np.mgrid[:side, :side] + 0.5
    inside = np.zeros((side, side), bool)
    for t in np.arange(-70, 70.01, 0.25):
        radius = vase(t)
        flat = max(np.sin(pitch), 1e-3)
        inside |= ((x - side / 2) / radius) ** 2 + ((y - side / 2 - t * np.cos(pitch)) / (radius * flat)) ** 2 <= 1
        inside |= (np.abs(y - side / 2 - t * np.cos(pitch)) < 0.5) & (np.abs(x - side / 2) < radius)
    return inside.astype(np.uint8) * 255


def vase(t):
    """Radius of the vase at the height ``t``, downwards."""
    return 38 + 16 * np.cos((np.asarray(t) - 20) / 28)


@pytest.mark.parametrize("pitch_deg", [0.0, 12.0])
def test_a_turned_thing_is_found_round_with_its_volume(pitch_deg: float) -> None:
    alpha = turned_picture(pitch_deg)
    heights = np.arange(-70, 70, 0.25)
    true = float((np.pi * vase(heights) ** 2 * 0.25).sum())
    _, x = np.mgrid[: alpha.shape[0], : alpha.shape[1]] + 0.5
    bulge = -np.sqrt(np.maximum(50**2 - (x - 110) ** 2, 0)).astype(np.float32)
    turned = judge_turned(alpha, bulge)
    assert turned.round
    assert np.rad2deg(turned.pitch) == pytest.approx(pitch_deg, abs=5)
    body = revolve(alpha, turned)
    assert is_closed(body.faces)
    assert volume_of(body) == pytest.approx(true, rel=0.05)
    if pitch_deg:  # the rim of its base is seen to be round, whatever its front looks like
        assert judge_turned(alpha, None).round


def test_a_board_is_not_taken_for_a_turned_thing() -> None:
    alpha = np.zeros((200, 160), np.uint8)
    alpha[20:180, 40:120] = 255
    assert not judge_turned(alpha, None).round
    assert not judge_turned(alpha, np.zeros((200, 160), np.float32)).round


def test_circles_within_an_outline_give_that_outline_back() -> None:
    rows = np.arange(160)
    radius = np.where((rows > 20) & (rows < 140), vase(rows - 80.0), 0.0)
    for pitch in (0.0, 0.1, 0.3):
        outline = outline_of(radius, pitch)
        again = outline_of(turned_within(outline, pitch), pitch)
        assert (again <= outline + 1e-9).all()
        assert again.sum() == pytest.approx(outline.sum(), rel=0.005)


def test_a_lathe_gives_the_cone_of_the_books() -> None:
    cone = lathe(np.array([1.0, 2.0, 1.0]), np.array([0.0, 1.0, 3.0]))
    assert is_closed(cone.faces)
    assert volume_of(cone) == pytest.approx(np.pi / 3 * 7 * 3, rel=0.002)


def test_a_handle_is_fixed_to_the_body_and_does_not_widen_it() -> None:
    """A mug with a loop on its right: one piece, as deep as its body is wide."""
    alpha = np.zeros((200, 260), np.uint8)
    y, x = np.mgrid[:200, :260] + 0.5
    body = (np.abs(x - 100) < 60) & (y > 20) & (y < 180)
    r = np.hypot((x - 165) / 1.0, y - 100)
    alpha[body | ((r < 45) & (r > 30) & (x > 155))] = 255
    bulge = -np.sqrt(np.maximum(60**2 - (x - 100) ** 2, 0)).astype(np.float32)
    turned = judge_turned(alpha, bulge)
    assert turned.round and turned.core.axis == pytest.approx(100, abs=1)
    mug = revolve(alpha, turned)
    assert is_closed(mug.faces)
    low, high = mug.vertices.min(axis=0), mug.vertices.max(axis=0)
    assert high[0] == pytest.approx(210, abs=2)
    assert 116 < (high - low)[2] < 120 + 160 * np.sin(turned.pitch) + 4
    assert pieces_of(len(mug.vertices), mug.faces).max() == 0


def test_sheets_that_touch_are_told_apart() -> None:
    """Two pyramids that share an edge, as a reader joins them: four faces meet there."""
    one = np.array([[0, -1, 0], [1, -1, 0], [0.5, -1, 1], [0.5, -2, 0.5]], np.float64)
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.uint32)
    two = one * [1, 1, -1]
    both = Closed(np.concatenate([one, two]), np.concatenate([faces, faces[:, ::-1] + np.uint32(4)]))

    def as_read(closed: Closed) -> np.ndarray:
        _, place = np.unique(closed.vertices.astype(np.float32), axis=0, return_inverse=True)
        return place.reshape(-1)[closed.faces].astype(np.uint32)

    assert is_closed(both.faces)
    assert not is_closed(as_read(both))
    apart = told_apart(both)
    assert is_closed(as_read(apart))
    assert np.abs(apart.vertices - both.vertices).max() < 0.03
    lone = Closed(one, faces)
    assert told_apart(lone) is lone

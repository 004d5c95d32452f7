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
    volume_of,
)
from unflat.geometry.silhouette import ball_squares, lower_parabolas, signed_distance
from unflat.stages.inflate import InflateOptions, inflate
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
    closed = inflate(disc(200, 80.0), None, InflateOptions(cells=160))
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
    closed = inflate(disc(160, 60.0), None, InflateOptions(cells=64))
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

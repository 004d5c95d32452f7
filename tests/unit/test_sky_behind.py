"""A panel before the sky: the sky goes on behind it in its own colours, and closes whatever the eye uncovers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import worlds
from unflat.formats.layered_exr import write
from unflat.formats.registry import ExportOptions
from unflat.geometry.edges import raise_rims
from unflat.geometry.refine import refine_depth
from unflat.pipelines.inspect import inspect
from unflat.stages.build_layered import build_layered
from unflat.stages.build_layers import LayerOptions, build_layers
from unflat.stages.build_surface import Surface, SurfaceOptions
from unflat.stages.make_splats import splats_of
from unflat.stages.render_view import View, render_view
from unflat.types.arrays import F32, Bool
from unflat.types.camera import Camera, Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size
from unflat.types.layers import Layers
from unflat.types.mesh import Mesh

PANEL, HILL = (2.0, -0.4, 0.35, -0.45, 0.4), (100.0, -90.0, 90.0, 20.0, 90.0)
"""z, left, right, top, bottom in metres."""


def world(x: float = 0.0, y: float = 0.0) -> worlds.World:
    panels = [worlds.panel(z, a - x, b - x, c - y, d - y) for z, a, b, c, d in (PANEL, HILL)]
    return worlds.render("before the sky", tuple(panels), worlds.camera())


@cache
def built() -> tuple[Layers, Surface]:
    layers = build_layers(world().depth, world().picture(), LayerOptions(reach=0.1, seam=1))
    return layers, build_layered(layers)


def seen(degrees: float | None) -> tuple[worlds.World, View]:
    """What an eye at the full reach in a direction ought to see, and what it sees."""
    layers, surface = built()
    x, y = (0.0, 0.0) if degrees is None else 0.98 * layers.reach * np.array([np.cos(degrees), np.sin(degrees)])
    pose = np.eye(4)
    pose[:2, 3] = x, y
    return world(x, y), render_view(surface.nodes, Camera(worlds.camera(), Pose(pose)))


def test_the_sky_behind_is_apart_from_surfaces_behind() -> None:
    layers, surface = built()
    assert layers.sky is not None and layers.sky.invented.sum() > 300
    assert not (layers.sky.invented & (world().labels < 0)).any()
    assert layers.hidden.inverse[layers.hidden.on].min() >= np.float32(1 / 100)
    nodes = {node.name: node for node in surface.nodes}
    assert nodes["farthest"].role == nodes["sky"].role == "sky"
    made = nodes["farthest"].item
    assert isinstance(made, Mesh) and made.invented is not None and made.invented.any()
    assert np.ptp(np.linalg.norm(made.vertices, axis=1)) < 1e-3 * np.linalg.norm(made.vertices[0])
    assert surface.triangles <= SurfaceOptions().triangles


def test_from_its_own_place_all_is_as_it_was() -> None:
    true, view = seen(None)
    assert not view.open.any()
    error = np.abs(view.colour - true.picture().pixels).max(axis=2)
    assert (error < 4).mean() > 0.99


@pytest.mark.parametrize("degrees", np.pi * np.array([0, 0.25, 0.75, 1, 1.25, 1.5, 1.75]))
def test_the_uncovered_sky_is_closed_and_has_its_own_colours(degrees: float) -> None:
    true, view = seen(degrees)
    assert not view.open.any()
    sky = true.labels < 0
    uncovered = sky & (world().labels == 0) & (np.arange(120)[:, None] < 66)  # above the hill
    # the sky's shade is that of the pixel, wherever the eye is: it is infinitely far
    error = np.abs(view.colour - true.picture().pixels).max(axis=2)[uncovered]
    assert len(error) > 50
    assert np.median(error) < 6 and np.quantile(error, 0.9) < 12
    assert view.invented[uncovered].mean() > 0.9


def test_no_sky_asked_no_sky_behind() -> None:
    layers, _ = built()
    assert {node.role for node in build_layered(layers, SurfaceOptions(sky="none")).nodes} <= {
        "surface",
        "hidden",
        "soft",
    }


def test_splats_stand_where_the_sky_goes_on_too() -> None:
    layers, _ = built()
    splats = splats_of(layers)
    assert splats.invented is not None
    made_up = splats.means[splats.invented]
    out = np.linalg.norm(made_up, axis=1)
    assert (out > 140).sum() > 0.5 * np.asarray(layers.sky and layers.sky.invented).sum()


def test_the_layered_exr_holds_the_sky_behind(tmp_path: Path) -> None:
    layers, _ = built()
    assert layers.sky is not None
    write(layers, tmp_path / "all.exr", ExportOptions())
    (row,) = (row for row in inspect(tmp_path / "all.exr")["layers"] if row["name"] == "sky")
    assert row["share"] == pytest.approx(layers.sky.on.mean(), abs=1e-4)
    assert row["invented_share"] == pytest.approx(layers.sky.invented[layers.sky.on].mean(), abs=1e-4)


def test_a_world_without_sky_has_none_behind() -> None:
    true = worlds.ball()
    assert build_layers(true.depth, true.picture()).sky is None


def raised(inverse: F32, on: Bool, wide: int, jump: float) -> NDArray[np.float32]:
    """The definition: the nearest depth of what together with the way to nothing is no wider than a strip."""
    h, w = inverse.shape
    y, x = np.mgrid[:h, :w]
    out = inverse.copy()
    for v, u in np.argwhere(on):
        away = np.hypot(y - v, x - u)
        square = (abs(y - v) <= wide) & (abs(x - u) <= wide)
        ends = away[~on & square]
        if not len(ends) or ends.min() > wide:
            continue
        nearest = inverse[on & square & (away + ends.min() <= wide + 1)].max()
        if nearest > inverse[v, u] + np.float32(jump):
            out[v, u] = nearest
    return out


@given(seed=st.integers(0, 2**32 - 1), wide=st.integers(1, 4))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_rims_are_raised_as_the_definition_says(seed: int, wide: int) -> None:
    rng = np.random.default_rng(seed)
    on = rng.random(rng.integers(1, 16, 2)) < 0.8
    inverse = np.where(on, rng.choice([0.2, 0.5, 0.9], on.shape), 0).astype(np.float32)
    np.testing.assert_array_equal(raise_rims(inverse, on, wide, np.float32(0.05)), raised(inverse, on, wide, 0.05))


def test_a_thing_before_the_sky_does_not_fall_off_beside_it() -> None:
    """A network's blurred disc before the sky: no part of the disc is left half way to the background."""
    y, x = np.mgrid[:384, :512] + 0.5
    disc = np.hypot(x - 256, y - 180) < 100
    cy, cx = np.mgrid[:96, :128] * 4 + 2.0
    far = np.hypot(cx - 256, cy - 180) - 100
    nearness = (0.1 + 0.9 / (1 + np.exp((far + 8) / 4))).astype(np.float32)
    picture = np.where(disc[..., None], (150, 90, 60), (120, 170, 230)).astype(np.uint8)
    refined = refine_depth(
        DepthMap(nearness, DepthKind.DISPARITY), picture, Size(512, 384), (far > 0).astype(np.float32)
    )
    assert refined.sky is not None and (refined.sky == ~disc).mean() > 0.99
    assert refined.values[~refined.sky].min() > 0.75


def test_ground_goes_on_to_its_horizon() -> None:
    """What grows evenly farther towards the sky is no rim."""
    rows = np.maximum(np.arange(288) - 120, 0)
    nearness = np.repeat((0.005 * rows).astype(np.float32)[:, None], 384, 1)
    sky = np.repeat((rows == 0)[:, None], 384, 1).astype(np.float32)
    picture = np.where(np.repeat(np.repeat(sky, 2, 0), 2, 1)[..., None] > 0, np.uint8(200), np.uint8(80)).repeat(3, 2)
    refined = refine_depth(DepthMap(nearness, DepthKind.DISPARITY), picture, Size(768, 576), sky)
    assert refined.sky is not None
    column, there = refined.values[:, 384], ~refined.sky[:, 384]
    first = int(np.flatnonzero(there)[0])
    assert column[first] < 0.01 and (np.diff(column[first:]) >= -1e-4).all()

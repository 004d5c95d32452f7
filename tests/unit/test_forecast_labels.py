"""What the forecast is taught: exact masks, and the definition of a blank wall; the worlds it is taught by."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from training.forecast.labels import BENT, BLANK_BIT, GLASS_BIT, MIRROR_BIT, bent, blank_walls, label
from training.forecast.worlds import pane_room, recast, stream
from training.worlds.materials import Tiles
from training.worlds.palette import Palette
from training.worlds.sample import SKY, blank, scenes
from training.worlds.sources import sources
from training.worlds.surface import GLASS, MIRROR

H, W = 120, 160
ROWS, COLUMNS = np.mgrid[:H, :W].astype(np.float32)
GREY = np.full((H, W, 3), 150, np.uint8)
PLANE = 0.001 * COLUMNS + 0.002 * ROWS + 0.3
MATTE = np.zeros((H, W), np.uint8)


def test_bent_is_what_the_best_plane_leaves() -> None:
    rng = np.random.default_rng(0)
    inverse = (PLANE * (1 + 0.02 * rng.standard_normal((H, W)))).astype(np.float32)
    side, half = 13, 6
    found = bent(inverse, side)
    y, x = np.mgrid[:side, :side]
    design = np.stack([x.ravel(), y.ravel(), np.ones(side * side)], 1)
    for row, column in ((30, 40), (60, 100), (110, 150)):
        window = inverse[row - half : row + half + 1, column - half : column + half + 1].ravel().astype(float)
        window = window[: side * side]
        if len(window) < side * side:
            continue
        rest = window - design @ np.linalg.lstsq(design, window, rcond=None)[0]
        assert found[row, column] == pytest.approx(np.sqrt((rest**2).mean()) / window.mean(), rel=1e-3)
    assert bent(PLANE, side).max() < 1e-3 or bent(PLANE, side)[half:-half, half:-half].max() < 1e-3
    assert np.isinf(bent(np.zeros((H, W), np.float32), side)).all()


def test_a_slanted_plain_wall_is_blank_and_a_textured_one_is_not() -> None:
    assert blank_walls(GREY, PLANE, MATTE)[20:100, 20:140].all()
    noisy = np.clip(GREY + np.random.default_rng(0).normal(0, 8, (H, W, 3)), 0, 255).astype(np.uint8)
    assert not blank_walls(noisy, PLANE, MATTE).any()


def test_a_plain_ball_sky_glass_and_a_crease_are_no_wall() -> None:
    ball = 0.5 + 0.3 * np.sqrt(np.maximum(1 - ((COLUMNS - 80) ** 2 + (ROWS - 60) ** 2) / 22**2, 0))
    assert not blank_walls(GREY, ball, MATTE)[50:70, 70:90].any()
    assert not blank_walls(GREY, np.zeros((H, W)), np.full((H, W), SKY, np.uint8)).any()
    assert not blank_walls(GREY, PLANE, np.full((H, W), GLASS, np.uint8)).any()
    corner = 0.3 + 0.004 * np.abs(COLUMNS - 80)
    walls = blank_walls(GREY, corner, MATTE)
    assert walls[60, 20] and walls[60, 140] and bent(corner, 13)[60, 80] > BENT > bent(corner, 13)[60, 20]


def test_a_strip_narrower_than_a_square_is_no_wall() -> None:
    strip = np.random.default_rng(0).integers(0, 255, (H, W, 3)).astype(np.uint8)
    strip[50:56] = 150
    assert not blank_walls(strip, PLANE, MATTE).any()


def test_labels_are_the_bits_of_what_is_there() -> None:
    what = MATTE.copy()
    what[:40, :50], what[:40, 100:] = MIRROR, GLASS
    bits = label(GREY, PLANE, what)
    assert (bits[:40, :50] == MIRROR_BIT).all() and (bits[:40, 100:] == GLASS_BIT).all()
    assert bits[80, 80] == BLANK_BIT


def test_blank_is_told_by_the_deviation_of_the_bytes() -> None:
    rgb = np.full((40, 40, 3), 100, np.uint8)
    rgb[:, 20:] += (np.indices((40, 20)).sum(0) % 2 * 6).astype(np.uint8)[..., None]  # deviation 3
    found = blank(rgb)
    assert found[:, :12].all() and not found[8:32, 28:].any()


def test_recasting_changes_materials_and_nothing_else() -> None:
    kinds = set()
    for seed in range(12):
        palette = Palette(np.random.default_rng(seed), Tiles.none())
        stage = scenes()["bathroom"][0](palette)
        made = recast(stage, palette)
        assert len(made.things) == len(stage.things) and made.cameras == stage.cameras
        for one, other in zip(stage.things, made.things, strict=True):
            assert replace(one, material=other.material) == other if one is not other else True
            kinds |= {(one.material.kind, other.material.kind)}
    assert ("matte", "mirror") in kinds and ("mirror", "matte") in kinds


def test_rooms_of_panes_hold_mirrors_and_glass_and_their_likes() -> None:
    kinds = [
        {part.material.kind for part in pane_room(Palette(np.random.default_rng(seed), Tiles.none())).things}
        for seed in range(8)
    ]
    assert sum("mirror" in k for k in kinds) >= 3 and sum("glass" in k for k in kinds) >= 3
    assert any("mirror" not in k for k in kinds)


def test_the_same_seed_gives_the_same_pictures() -> None:
    tiles, materials = sources(None)
    first, second = (list(islice(stream(3, tiles, materials, 64), 2)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert (one.rgb == other.rgb).all() and (one.what == other.what).all()

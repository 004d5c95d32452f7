"""The measures of scans measure."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.scan_cost import FORGET, Meter
from benchmarks.scan_heldout import exposed
from benchmarks.scan_measures import compared, overlap, path_error, pictured, psnr, sampled, similarity, ssim
from tests.scan_worlds import lens_of, looking

from unflat.geometry.exposure import linear_of, srgb_of
from unflat.types.image import Image, Size
from unflat.types.mesh import Mesh
from unflat.types.views import Similarity, Still, View

RNG = np.random.default_rng(0)
CLOUD = RNG.normal(size=(30, 3))
TURN = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
TURN = TURN * np.linalg.det(TURN)


def test_a_similarity_is_found_again() -> None:
    moved = Similarity(2.5, TURN, np.array([1.0, 2.0, 3.0])).points(CLOUD)
    found = similarity(CLOUD, moved)
    assert found.factor == pytest.approx(2.5) and np.allclose(found.rotation, TURN)
    assert path_error(CLOUD, moved) < 1e-12


def test_a_mirrored_path_is_not_taken_for_the_path() -> None:
    assert path_error(CLOUD * [1, 1, -1], CLOUD) > 0.01


def test_path_error_is_a_share_of_the_way() -> None:
    line = np.stack([np.linspace(0, 10, 101), np.zeros(101), np.zeros(101)], 1)
    wrong = line + [0, 0, 0.1] * np.where(np.arange(101) % 2, 1, -1)[:, None]
    assert path_error(wrong, line) == pytest.approx(0.01, rel=0.05)


def wall(far: float = 2.0, side: float = 1.0) -> Mesh:
    x = np.array([[-side, -side, far], [side, -side, far], [side, side, far], [-side, side, far]], np.float32)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    y, u = np.mgrid[:64, :64]
    texture = np.stack([u * 4, y * 4, (u + y) * 2], -1).astype(np.uint8)
    colors = np.array([[0, 0, 0], [252, 0, 126], [252, 252, 252], [0, 252, 126]], np.uint8)
    return Mesh(x, np.array([[0, 2, 1], [0, 3, 2]], np.uint32), uv=uv, texture=Image(texture), colors=colors)


def test_surfaces_are_compared_both_ways() -> None:
    whole = sampled(wall(), 0.02)
    assert np.allclose(whole[:, 2], 2) and len(whole) > 3000
    assert compared(whole, whole + np.array([0, 0, 0.01]), 0.02).f == 1
    assert compared(whole, whole + np.array([0, 0, 0.03]), 0.02).f == 0
    half = compared(whole[whole[:, 0] < 0], whole, 0.02)
    assert half.accuracy == 1 and half.completeness == pytest.approx(0.5, abs=0.03)
    assert half.f == pytest.approx(2 / 3, abs=0.03)
    assert compared(whole[:0], whole, 0.02).f == 0


@pytest.mark.parametrize("textured", [True, False])
def test_a_mesh_is_pictured_as_it_is(textured: bool) -> None:
    lens = lens_of(Size(80, 60), 60)
    mesh = wall() if textured else Mesh(wall().vertices, wall().faces, colors=wall().colors)
    still = Still("a", Size(80, 60), lambda: np.zeros((60, 80, 3), np.uint8))
    shown, there = pictured(mesh, View(still, lens, looking(np.zeros(3), np.array([0.0, 0.0, 1.0]))))
    assert there[30, 40] and not there[30, 0]
    focal = lens.intrinsics.fx
    u = 0.5 + (45.5 - 40) / focal * 2 / 2
    assert shown[30, 45, 0] == pytest.approx(256 * u - 2, abs=3)
    assert np.hypot(*(shown[30, 45, :2].astype(float) - shown[30, 44, :2])) > 1


def test_likeness() -> None:
    one = RNG.integers(0, 255, (40, 50, 3)).astype(np.uint8)
    everywhere = np.ones((40, 50), bool)
    off = np.clip(one.astype(int) + 10, 0, 255).astype(np.uint8)
    assert ssim(one, one, everywhere) == pytest.approx(1)
    assert ssim(one, one[::-1].copy(), everywhere) < 0.3
    assert psnr(one, off, everywhere) == pytest.approx(10 * np.log10(255**2 / 100), abs=0.3)
    half = everywhere.copy()
    half[:, 25:] = False
    mixed = one.copy()
    mixed[:, 25:] = 0
    assert psnr(one, mixed, half) > 60 > psnr(one, mixed, everywhere)


def test_overlap() -> None:
    a, b = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    a[:2], b[1:3] = True, True
    assert overlap(a, b) == pytest.approx(1 / 3)


def test_a_picture_exposed_the_same_differs_no_more() -> None:
    true = RNG.integers(40, 200, (30, 40, 3)).astype(np.uint8)
    gain = np.array([1.2, 0.9, 0.7])
    shown = np.clip(np.rint(srgb_of(linear_of(true.astype(np.float64)) * gain)), 0, 255).astype(np.uint8)
    everywhere = np.ones((30, 40), bool)
    assert psnr(shown, true, everywhere) < 30
    assert psnr(exposed(shown, true, everywhere), true, everywhere) > 45


def test_the_most_memory_of_a_step_is_its_own() -> None:
    meter = Meter()
    meter.run("large", lambda: int(np.ones(40_000_000).sum()))
    meter.run("small", lambda: sum(range(10)))
    large, small = (row[3] for row in meter.rows)
    assert large > 0.3 and (small < large - 0.2 or not FORGET.exists())

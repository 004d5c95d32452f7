"""Bundle adjustment against differences of its own cost and against scipy's least squares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import least_squares

from unflat.geometry.bundle import Bundle, adjust, gradient_of
from unflat.geometry.seen_by import pixels_of
from unflat.geometry.turns import turn

LENS = np.array([500.0, 510.0, 320.0, 240.0, -0.08, 0.02, 0.001, -0.002])
LOSS = 2.0


def world(seed: int = 3, noise: float = 0.4) -> tuple[Bundle, Bundle]:
    """Truth, and a disturbed start: five cameras before 30 points, every third one is not seen by camera 2."""
    rng = np.random.default_rng(seed)
    xyz = rng.uniform([-1.5, -1.0, 3.0], [1.5, 1.0, 6.0], (30, 3))
    rotation = np.stack([turn(rng.normal(0, 0.05, 3)) for _ in range(5)])
    shift = rng.normal(0, 0.4, (5, 3))
    rows = [(p, c) for p in range(30) for c in range(5) if not (c == 2 and p % 3 == 0)]
    point, camera = np.array(rows, np.int32).T
    pixel = np.stack([pixels_of((rotation[c] @ xyz[p] + shift[c])[None], LENS)[0] for p, c in rows])
    pixel = pixel + rng.normal(0, noise, pixel.shape)
    depth = np.array([np.log((rotation[c] @ xyz[p] + shift[c])[2]) for p, c in rows])
    weight = np.where(camera == 4, 3.0, 0.0)
    free = np.array([False, False, True, True, True])
    truth = Bundle(rotation, shift, free, xyz, camera, point, pixel, LENS, depth, weight)
    moved = np.stack([turn(rng.normal(0, 0.02, 3)) @ r if f else r for r, f in zip(rotation, free, strict=True)])
    off = np.where(free[:, None], rng.normal(0, 0.05, (5, 3)), 0)
    start = replace(truth, rotation=moved, shift=shift + off, xyz=xyz + rng.normal(0, 0.1, xyz.shape))
    return truth, start


def stepped(bundle: Bundle, by: np.ndarray) -> Bundle:
    """The bundle after a step of all its unknowns, written as plainly as can be."""
    rotation, shift, lens = bundle.rotation.copy(), bundle.shift.copy(), bundle.lens.copy()
    k = 0
    for c in np.flatnonzero(bundle.free):
        about = turn(by[k : k + 3])
        rotation[c], shift[c] = about @ rotation[c], about @ shift[c] + by[k + 3 : k + 6]
        k += 6
    for what, prior in enumerate(bundle.lens_prior):
        if prior > 0:
            if what == 0:
                lens[:2] *= np.exp(by[k])
            else:
                lens[3 + what] += by[k]
            k += 1
    return replace(bundle, rotation=rotation, shift=shift, lens=lens, xyz=bundle.xyz + by[k:].reshape(-1, 3))


def errors(bundle: Bundle) -> tuple[np.ndarray, np.ndarray]:
    """(m, 2) in pixels, and (m,) of the known depths in standard deviations."""
    seen = np.einsum("mij,mj->mi", bundle.rotation[bundle.camera], bundle.xyz[bundle.point])
    seen = seen + bundle.shift[bundle.camera]
    off = pixels_of(seen, bundle.lens) - bundle.pixel
    return off, bundle.depth_weight * (np.log(seen[:, 2]) - bundle.log_depth)


def cost(bundle: Bundle) -> float:
    off, of_depth = errors(bundle)
    squares = np.concatenate([(off**2).sum(1), of_depth**2])
    return float((LOSS**2 * np.log1p(squares / LOSS**2)).sum())


@pytest.mark.parametrize("lens_prior", [(0.0, 0.0, 0.0), (0.1, 0.1, 0.1), (0.1, 0.0, 0.2)])
def test_its_gradient_is_the_slope_of_the_cost(lens_prior: tuple[float, float, float]) -> None:
    _, start = world()
    start = replace(start, lens_prior=lens_prior)
    of_cameras, of_points = gradient_of(start, LOSS)
    analytic = np.concatenate([of_cameras, of_points.ravel()])
    step = 1e-6
    for k in range(0, len(analytic), 5):
        by = np.zeros(len(analytic))
        by[k] = step
        slope = (cost(stepped(start, by)) - cost(stepped(start, -by))) / (4 * step)
        assert analytic[k] == pytest.approx(slope, rel=1e-4, abs=1e-3)


def test_it_ends_where_scipy_does() -> None:
    _, start = world()
    ours = adjust(start, rounds=60, loss_px=1e4, enough=1e-12)

    def residuals(by: np.ndarray) -> np.ndarray:
        off, of_depth = errors(stepped(start, by))
        return np.concatenate([off.ravel(), of_depth])

    theirs = least_squares(residuals, np.zeros(6 * 3 + 3 * len(start.xyz)), xtol=1e-12, ftol=1e-12, max_nfev=40)
    assert ours.cost[1] == pytest.approx(2 * theirs.cost, rel=1e-5)
    best = stepped(start, theirs.x)
    np.testing.assert_allclose(ours.bundle.xyz, best.xyz, atol=2e-4)
    np.testing.assert_allclose(ours.bundle.shift, best.shift, atol=2e-4)


def test_nothing_is_left_to_gain_where_it_ends() -> None:
    _, start = world()
    ours = adjust(start, rounds=200, loss_px=LOSS, enough=1e-14)
    assert ours.cost[0] == pytest.approx(cost(start), rel=1e-9)
    assert ours.cost[1] == pytest.approx(cost(ours.bundle), rel=1e-9)
    before, after = (np.concatenate([np.ravel(part) for part in gradient_of(b, LOSS)]) for b in (start, ours.bundle))
    assert np.abs(after).max() < 1e-5 * np.abs(before).max()


def test_it_brings_back_the_truth_through_wrong_observations() -> None:
    truth, start = world(noise=0.0)
    pixel = start.pixel.copy()
    pixel[::23] += 60.0
    ours = adjust(replace(start, pixel=pixel), rounds=80, loss_px=LOSS, enough=1e-12)
    off = np.linalg.norm(ours.bundle.xyz - truth.xyz, axis=1)
    assert np.median(off) < 1e-3
    assert np.all(np.sqrt(ours.squares[::23]) > 30)


def test_it_finds_the_lens() -> None:
    truth, start = world(noise=0.05)
    wrong = truth.lens.copy()
    wrong[:2] *= 1.1
    wrong[4:6] = 0.0
    ours = adjust(replace(start, lens=wrong, lens_prior=(0.3, 0.3, 0.3)), rounds=200, loss_px=LOSS, enough=1e-10)
    assert ours.bundle.lens[0] == pytest.approx(500, rel=0.01)
    assert ours.bundle.lens[4] == pytest.approx(-0.08, abs=0.02)


def test_fixed_cameras_stay_and_points_seen_once_stay_at_their_depth() -> None:
    truth, start = world(noise=0.0)
    keep = ~((start.point == 0) & (start.camera != 4))
    fewer = replace(
        start,
        camera=start.camera[keep], point=start.point[keep], pixel=start.pixel[keep],
        log_depth=start.log_depth[keep], depth_weight=start.depth_weight[keep],
    )  # fmt: skip
    ours = adjust(fewer, rounds=60, loss_px=LOSS, enough=1e-12)
    np.testing.assert_array_equal(ours.bundle.rotation[:2], start.rotation[:2])
    np.testing.assert_array_equal(ours.bundle.shift[:2], start.shift[:2])
    np.testing.assert_allclose(ours.bundle.xyz[0], truth.xyz[0], atol=5e-3)

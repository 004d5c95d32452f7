"""The kernels of texture beyond the border, against slow and obvious oracles; triangles cut along the border."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.geometry import patches
from unflat.geometry.beyond import Surroundings, _paint, continued_colours
from unflat.geometry.border import cut_along, outside, part_of
from unflat.geometry.patches import RADIUS, Canvas, Field, improve, patches_beyond
from unflat.geometry.tessellate import Sheet

BOX = np.array([10, 34, 12, 40], np.int64)
SHAPE = 44, 52


def canvas(seed: int = 0) -> Canvas:
    rng = np.random.default_rng(seed)
    colour = rng.uniform(0, 255, (*SHAPE, 3)).astype(np.float32)
    inverse = (0.1 + 0.01 * np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]][0]).astype(np.float32)
    sky = np.zeros(SHAPE, np.bool_)
    sky[:14] = True
    smooth = rng.uniform(0, 20, (*SHAPE, 3)).astype(np.float32)
    return Canvas(colour, smooth, inverse, sky, BOX)


def slow_scale(c: Canvas, p: tuple[int, int], q: tuple[int, int]) -> float:
    if c.sky[p] or c.sky[q]:
        return 1.0
    s = float(np.clip(c.inverse[q] / c.inverse[p], 0.5, 2))
    return 1.0 if abs(s - 1) < 0.1 else s


def slow_price(c: Canvas, p: tuple[int, int], q: tuple[int, int]) -> float:
    s = slow_scale(c, p, q)
    reach = int(np.ceil(RADIUS * s))
    if not (BOX[0] <= q[0] - reach and q[0] + reach < BOX[1] and BOX[2] <= q[1] - reach and q[1] + reach < BOX[3]):
        return 1e30
    extra = 4000 * ((p[0] - q[0]) / SHAPE[0]) ** 2
    if c.sky[p] != c.sky[q]:
        extra += 5000
    elif not c.sky[p]:
        extra += 600 * np.log(c.inverse[q] / c.inverse[p]) ** 2
    extra += 1.5 * float(((c.smooth[p] - c.smooth[q]) ** 2).sum())
    squares = []
    for j in range(-RADIUS, RADIUS + 1):
        for i in range(-RADIUS, RADIUS + 1):
            if 0 <= p[0] + j < SHAPE[0] and 0 <= p[1] + i < SHAPE[1]:
                there = q[0] + int(np.floor(j * s + 0.5)), q[1] + int(np.floor(i * s + 0.5))
                squares.append(float(((c.colour[p[0] + j, p[1] + i] - c.colour[there]) ** 2).sum()))
    return extra + sum(squares) / len(squares)


def begun(c: Canvas) -> Field:
    at, number = patches_beyond(SHAPE, BOX)
    chance = np.random.default_rng(1)
    source = np.stack([chance.integers(16, 28, len(at)), chance.integers(18, 34, len(at))], 1)
    return Field(at, number, source, np.zeros(len(at), np.float32))


def test_every_patch_with_an_unknown_pixel_is_there() -> None:
    at, number = patches_beyond(SHAPE, BOX)
    for y in range(SHAPE[0]):
        for x in range(SHAPE[1]):
            inside = 13 <= y < 31 and 15 <= x < 37
            assert (number[y, x] < 0) == inside
    assert (number[at[:, 0], at[:, 1]] == np.arange(len(at))).all()


def test_prices_are_those_of_the_oracle() -> None:
    c, field = canvas(), begun(canvas())
    patches._search(c, field, 0, 1)
    for i in range(0, len(field.at), 7):
        price = slow_price(c, tuple(field.at[i].tolist()), tuple(field.source[i].tolist()))
        assert field.price[i] == pytest.approx(price, rel=1e-4)


def test_searching_finds_what_fits_and_stays_in_the_picture() -> None:
    c, field = canvas(), begun(canvas())
    patches._search(c, field, 0, 1)
    before = field.price.copy()
    patches._search(c, field, 4, 1)
    assert field.price.mean() < 0.97 * before.mean()
    prices = [slow_price(c, tuple(field.at[i].tolist()), tuple(field.source[i].tolist())) for i in range(0, 900, 50)]
    assert np.allclose(prices, field.price[0:900:50], rtol=1e-4) and max(prices) < 1e30
    again = begun(canvas())
    patches._search(c, again, 0, 1)
    patches._search(c, again, 4, 1)
    assert np.array_equal(again.source, field.source)


def test_votes_are_those_of_the_oracle() -> None:
    c, field = canvas(2), begun(canvas())
    trust = np.random.default_rng(3).uniform(0.1, 1, len(field.at)).astype(np.float32)
    total, weight = np.zeros((*SHAPE, 3)), np.zeros(SHAPE)
    for i, (p, q) in enumerate(zip(field.at.tolist(), field.source.tolist(), strict=True)):
        s = slow_scale(c, (p[0], p[1]), (q[0], q[1]))
        for j in range(-RADIUS, RADIUS + 1):
            for k in range(-RADIUS, RADIUS + 1):
                y, x = p[0] + j, p[1] + k
                if 0 <= y < SHAPE[0] and 0 <= x < SHAPE[1]:
                    there = q[0] + int(np.floor(j * s + 0.5)), q[1] + int(np.floor(k * s + 0.5))
                    total[y, x] += trust[i] * c.colour[there]
                    weight[y, x] += trust[i]
    expected = np.where(weight[..., None] > 0, total / np.maximum(weight, 1e-30)[..., None], c.colour)
    known = c.colour[10:34, 12:40].copy()
    says = improve(c, field, trust, 0, 0)
    assert np.allclose(says, expected, atol=0.05)
    assert np.array_equal(c.colour[10:34, 12:40], known)
    assert np.allclose(c.colour[0], expected[0], atol=0.05)


def stripes(period: float, h: int, w: int) -> np.ndarray:
    """A picture of upright stripes that are ``period`` pixels wide where the inverse depth is 1."""
    x = np.mgrid[0:h, 0:w][1]
    return (127 + 90 * np.sin(2 * np.pi * x / period))[..., None].repeat(3, 2).astype(np.uint8)


def test_texture_of_what_is_nearer_is_larger() -> None:
    """A wall of stripes, and beside it one of half the distance: its stripes are about twice as wide."""
    picture = stripes(8, 120, 160)
    inverse = np.full((120, 400), 1, np.float32)
    inverse[:, 280:] = 1.9
    even = Surroundings(np.ones_like(inverse), np.zeros(inverse.shape, np.bool_), (120, 0))
    nearer = Surroundings(inverse, np.zeros(inverse.shape, np.bool_), (120, 0))
    waves = []
    for around in (even, nearer):
        out = continued_colours(picture, (120, 0), around)[40:80, 290:380].mean(axis=2)
        out = out - out.mean(axis=1, keepdims=True)
        power = (np.abs(np.fft.rfft(out, axis=1)) ** 2).mean(axis=0)
        waves.append(float((power * np.arange(len(power))).sum() / power.sum()))
    assert waves[1] < 0.75 * waves[0]


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (12, 9)])
def test_the_smallest_pictures_go_on_too(size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 77, np.uint8)
    around = Surroundings(
        np.ones((size[0] + 4, size[1] + 4), np.float32), np.zeros((size[0] + 4, size[1] + 4), bool), (2, 2)
    )
    assert (continued_colours(picture, (2, 2), around) == 77).all()


def sheet() -> Sheet:
    rng = np.random.default_rng(4)
    x, y = np.meshgrid(np.linspace(0, 30, 7), np.linspace(0, 20, 5))
    x[1:-1, 1:-1] += rng.uniform(-1, 1, (3, 5))
    y[1:-1, 1:-1] += rng.uniform(-1, 1, (3, 5))
    points = np.stack([x.ravel(), y.ravel(), (0.2 + 0.01 * x - 0.003 * y).ravel()], 1).astype(np.float32)
    corner = np.arange(35).reshape(5, 7)
    a, b, c, d = (v.ravel() for v in (corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]))
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.uint32)
    return Sheet(points, np.zeros(35, np.int64), faces)


def area(s: Sheet) -> np.ndarray:
    a, b, c = (s.points[s.faces[:, k], :2].astype(float) for k in range(3))
    return ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2


def test_cut_triangles_lie_on_one_side_and_hold_together() -> None:
    whole, frame = sheet(), (7, 5, 22, 15)
    cut = cut_along(whole, frame, 30)
    assert np.sign(area(cut)).tolist() == [float(np.sign(area(whole))[0])] * len(cut.faces)
    assert area(cut).sum() == pytest.approx(area(whole).sum(), rel=1e-6)
    out = outside(cut, frame)
    assert np.abs(area(part_of(cut, ~out))).sum() == pytest.approx(15 * 10, rel=1e-4)
    edges = np.sort(np.concatenate([cut.faces[:, [0, 1]], cut.faces[:, [1, 2]], cut.faces[:, [2, 0]]]), axis=1)
    _, uses = np.unique(edges, axis=0, return_counts=True)
    assert set(uses.tolist()) == {1, 2}
    rim = np.unique(edges, axis=0)[uses == 1]
    ends = cut.points[rim]
    on_rim = (
        (ends[..., 0] == 0).all(1)
        | (ends[..., 0] == 30).all(1)
        | (ends[..., 1] == 0).all(1)
        | (ends[..., 1] == 20).all(1)
    )
    assert on_rim.all()  # no edge is open but those of the whole
    assert np.allclose(cut.points[:, 2], 0.2 + 0.01 * cut.points[:, 0] - 0.003 * cut.points[:, 1], atol=1e-6)
    rows, columns = cut.source[35:] // 30, cut.source[35:] % 30
    assert ((rows >= 5) & (rows < 15) & (columns >= 7) & (columns < 22)).all()


def test_nothing_is_cut_where_nothing_crosses() -> None:
    whole = sheet()
    assert len(cut_along(whole, (0, 0, 30, 20), 30).faces) == len(whole.faces)


def slow_painted(out: np.ndarray, frame: tuple[int, int, int, int], c: Canvas, field: Field, seam: tuple) -> np.ndarray:
    """The whole extended picture, pixel by pixel and in double precision: :func:`unflat.geometry.beyond._paint`."""
    mx, my, w, h = frame
    off, strength = (plane.astype(float) for plane in seam)
    top, bottom, left, right = c.box.tolist()
    fy, fx = h / (bottom - top), w / (right - left)
    picture, painted = out[my : my + h, mx : mx + w].astype(float), out.astype(float)
    for y, x in np.ndindex(out.shape[:2]):
        if mx <= x < mx + w and my <= y < my + h:
            continue
        cy, cx = (y - my + 0.5) / fy + top - 0.5, (x - mx + 0.5) / fx + left - 0.5  # on the canvas, between its pixels
        y0, x0 = int(np.clip(np.floor(cy), 0, SHAPE[0] - 2)), int(np.clip(np.floor(cx), 0, SHAPE[1] - 2))
        ty, tx = np.clip(cy - y0, 0, 1), np.clip(cx - x0, 0, 1)
        painted[y, x] = 0
        for v, u, weight in (
            (y0, x0, (1 - ty) * (1 - tx)),
            (y0, x0 + 1, (1 - ty) * tx),
            (y0 + 1, x0, ty * (1 - tx)),
            (y0 + 1, x0 + 1, ty * tx),
        ):
            b, a = field.source[max(field.number[v, u], 0)].tolist()
            s = slow_scale(c, (v, u), (b, a))
            py = np.clip((b + 0.5 - top + (cy - v) * s) * fy - 0.5, 0, h - 1)
            px = np.clip((a + 0.5 - left + (cx - u) * s) * fx - 0.5, 0, w - 1)
            q, p = min(int(py), h - 2), min(int(px), w - 2)
            square = picture[q : q + 2, p : p + 2]
            exact = np.einsum("i,j,ijc->c", [1 - py + q, py - q], [1 - px + p, px - p], square)
            texture = exact + off[v, u]
            painted[y, x] += weight * (c.smooth[v, u] + strength[v, u] * (texture - c.smooth[v, u]))
    return painted


@pytest.mark.parametrize("finer", [1, 3])
def test_what_is_painted_is_what_the_oracle_paints(finer: int) -> None:
    c, field, dice = canvas(), begun(canvas()), np.random.default_rng(7)
    h, w = (BOX[1] - BOX[0]) * finer, (BOX[3] - BOX[2]) * finer
    my, mx = int(BOX[0]) * finer, int(BOX[2]) * finer
    out = dice.integers(0, 256, (SHAPE[0] * finer, SHAPE[1] * finer, 3), np.uint8)
    off = dice.uniform(-9, 9, (*SHAPE, 3)).astype(np.float32)
    strength = dice.uniform(0.3, 0.8, SHAPE).astype(np.float32)
    wanted = np.clip(slow_painted(out, (mx, my, int(w), int(h)), c, field, (off, strength)), 0, 255)
    before, half = out.copy(), len(out) // 2 - 3
    for rows in ((half, len(out)), (0, half)):  # bands in any order
        _paint(out, np.array([mx, my, w, h]), c, field, (off, strength), *rows)
    inside = np.s_[my : my + h, mx : mx + w]
    np.testing.assert_array_equal(out[inside], before[inside])
    assert np.abs(out - wanted).max() <= 0.51  # rounded to bytes, in single precision
    assert (out != before).any(axis=2).mean() > 0.5

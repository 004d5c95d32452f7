"""How well the network sees worlds that it was not trained on, and whether it can use each cue for itself.

    python benchmarks/depth_worlds.py [WEIGHTS.onnx ...] [--shared ../shared/data] [--count 200]

Held-out worlds come from the generator in training/, with a seed that no painter uses; materials, panoramas and hung
pictures are those of training. Probes are drawings with one cue
each; the figure is how often the network orders two points of known order rightly (0.5 is chance).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.depth import Network, given_weights
from training.gallery import hung
from training.worlds.materials import KINDS
from training.worlds.mesh import Part, Thing, bounds, place
from training.worlds.palette import Palette
from training.worlds.parts.people import person
from training.worlds.sample import BACKDROP, SKY, Sample, blank, photograph, stream
from training.worlds.sources import HELP, folder, sources
from training.worlds.stage import Camera, Sky, Stage
from training.worlds.trace import Materials, assemble

from unflat.models.depth.worlds import LONG_SIDE, look
from unflat.types.arrays import F32, U8, Bool

HELD_OUT = 987_654_321
GLASS, MIRROR = KINDS.index("glass"), KINDS.index("mirror")
Probe = tuple[U8, tuple[int, int], tuple[int, int]]
"""A picture, a point (x, y) that is nearer, one that is farther."""


def _edges(inverse: F32) -> U8:
    """Where inverse depth jumps by more than a quarter between neighbours."""
    low, high = np.minimum(inverse[1:, 1:], inverse[1:, :-1]), np.maximum(inverse[1:, 1:], inverse[1:, :-1])
    low, high = np.minimum(low, inverse[:-1, 1:]), np.maximum(high, inverse[:-1, 1:])
    return (high > 1.25 * np.maximum(low, 1e-3)).astype(np.uint8)


def boundary_f1(found: F32, true: F32) -> float:
    """F1 of depth edges, a pixel of slack at half the picture's size."""
    a, b = _edges(found), _edges(true)
    kernel = np.ones((3, 3), np.uint8)
    if b.sum() == 0:
        return float("nan")
    precision = float((a * cv2.dilate(b, kernel)).sum() / max(a.sum(), 1))
    recall = float((b * cv2.dilate(a, kernel)).sum() / b.sum())
    return 2 * precision * recall / max(precision + recall, 1e-9)


def halved(inverse: F32) -> F32:
    """At half the size, of each four pixels the second nearest: the truth as the network is taught it."""
    h, w = (side // 2 for side in inverse.shape)
    four = inverse[: 2 * h, : 2 * w].reshape(h, 2, w, 2).transpose(0, 2, 1, 3).reshape(h, w, 4)
    return np.sort(four, axis=2)[..., 2]


def bend(inverse: F32, sample: Sample) -> float:
    """How unflat planes come out: the median over patches that are truly flat; not a number if there is none.

    Of each patch, the mean deviation of inverse depth from the best plane, over its mean: inverse depth is linear over
    the picture of a plane (Hartley and Zisserman).
    """
    side, bends = 40, []
    true = np.where(sample.depth > 0, 1 / np.maximum(sample.depth, 1e-3), 0)
    y, x = np.mgrid[:side, :side]
    a = np.stack([x.ravel(), y.ravel(), np.ones(side * side)], 1)
    for top in range(0, true.shape[0] - side, side):
        for left in range(0, true.shape[1] - side, side):
            window = slice(top, top + side), slice(left, left + side)
            t, p = true[window].ravel(), inverse[window].ravel()
            if t.min() <= 0:
                continue
            if np.abs(a @ np.linalg.lstsq(a, t, rcond=None)[0] - t).max() > 1e-3 * t.mean():
                continue
            bends.append(float(np.abs(a @ np.linalg.lstsq(a, p, rcond=None)[0] - p).mean() / max(p.mean(), 1e-6)))
    return float(np.median(bends)) if bends else float("nan")


def against(value: F32, where: Bool) -> float:
    """Mean of a value there over its mean elsewhere."""
    few = where.sum() < 50 or (~where).sum() < 50
    return float("nan") if few else float(value[where].mean() / max(float(value[~where].mean()), 1e-6))


def worlds(network: Network, shared: Path | None, count: int) -> dict[str, float]:
    """Means over held-out samples."""
    tiles, materials = sources(shared)
    materials = hung(tiles, materials)
    rows = []
    for sample in islice(stream(HELD_OUT, tiles, materials, 320), count):
        inverse, sky, log_error, focal = look(network.session, sample.rgb, network.long_side)
        h, w = sample.depth.shape
        half, guess, expected = (cv2.resize(x, (w // 2, h // 2)) for x in (inverse, sky, np.exp(log_error)))
        true = np.where(sample.depth > 0, 1 / np.maximum(sample.depth, 1e-3), 0).astype(np.float32)
        true = halved(true)
        factor = np.median(true[true > 0]) / max(float(np.median(half[true > 0])), 1e-6)
        seen = sample.what[::2, ::2][: h // 2, : w // 2]
        known = true > 0
        ratio = np.maximum(half * factor, 1e-6)[known] / true[known]
        error, expected = np.abs(np.log(ratio)), expected[known]
        fov = 2 * np.arctan(0.5 / np.exp(focal))
        tricky = np.isin(seen, (GLASS, MIRROR))[known]
        plain = blank(sample.rgb)[::2, ::2][: h // 2, : w // 2][known]
        rows.append((
            float((np.maximum(ratio, 1 / ratio) < 1.25).mean()),
            boundary_f1(half * factor, true),
            bend(cv2.resize(inverse, (w, h)), sample),
            abs(float(fov) / sample.fov - 1),
            float(((guess > 0.5) == (seen == SKY))[seen != BACKDROP].mean()),
            *(against(value, where) for where in (tricky, plain) for value in (error, expected)),
        ))  # fmt: skip
    names = (
        "d1 by scale alone", "boundary F1", "bend of planes", "field of view off by", "sky right",
        "error on glass and mirrors over elsewhere", "expected there", "error on blank surfaces over elsewhere",
        "expected on them",
    )  # fmt: skip
    return dict(zip(names, np.nanmean(rows, 0), strict=True))


def texture_gradient(rng: np.random.Generator) -> Iterator[Probe]:
    """A slanted plane strewn with dots, in any direction."""
    while True:
        picture = np.full((192, 256, 3), rng.integers(90, 200), np.uint8)
        turn = rng.uniform(0, 2 * np.pi)
        c, s = np.cos(turn), np.sin(turn)
        for _ in range(900):
            u, v = rng.uniform(-8, 8), rng.uniform(-8, 8)
            z = 4 + 0.42 * v  # the plane recedes along v
            x, y = 190 * u / z, 190 * 0.75 * v / z
            px, py = 128 + c * x - s * y, 96 + s * x + c * y
            r = 190 * 0.12 / z
            cv2.ellipse(picture, (int(px), int(py)), (max(int(r), 1), max(int(r * 0.75), 1)), np.degrees(turn), 0, 360,
                        int(rng.integers(20, 80)), -1)  # fmt: skip
        near, far = (128 + s * 60, 96 - c * 60), (128 - s * 60, 96 + c * 60)
        yield picture, (int(near[0]), int(near[1])), (int(far[0]), int(far[1]))


def occlusion(rng: np.random.Generator) -> Iterator[Probe]:
    """Two equal shapes that overlap; the one whose outline is whole is nearer."""
    while True:
        picture = np.full((192, 256, 3), rng.integers(100, 160), np.uint8)
        r, turn = int(rng.integers(30, 50)), rng.uniform(0, 2 * np.pi)
        d = np.array([np.cos(turn), np.sin(turn)]) * r * 0.6
        shades = rng.permutation([40, 220]) + rng.integers(-20, 20, 2)
        centre = np.array([128, 96]) + rng.integers(-20, 20, 2)
        back, front = centre - d, centre + d
        for where, shade in ((back, shades[0]), (front, shades[1])):
            cv2.circle(picture, tuple(int(v) for v in where), r, int(shade), -1, cv2.LINE_AA)
        yield picture, tuple(int(v) for v in front + d * 0.5), tuple(int(v) for v in back - d * 0.5)  # type: ignore[misc]


def perspective(rng: np.random.Generator) -> Iterator[Probe]:
    """Lines that meet in a point, and frames around it: a corridor drawn with a pen."""
    while True:
        picture = np.full((192, 256, 3), 235, np.uint8)
        vx, vy = int(rng.integers(60, 196)), int(rng.integers(50, 142))
        corners = [(0, 0), (255, 0), (255, 191), (0, 191)]
        for x, y in corners:
            cv2.line(picture, (x, y), (vx, vy), 30, 1, cv2.LINE_AA)
        for k in 1 / np.arange(1, 12):
            pts = np.array([[vx + k * (x - vx), vy + k * (y - vy)] for x, y in corners], np.int32)
            cv2.polylines(picture, [pts], True, 30, 1, cv2.LINE_AA)
        x, y = corners[int(rng.integers(4))]
        at = [(int(vx + k * (x - vx)), int(vy + k * (y - vy))) for k in (0.85, 0.25)]
        yield picture, at[0], at[1]


def _shown(things: Thing, camera: Camera, rng: np.random.Generator) -> Sample:
    stage = Stage(
        "probe",
        things,
        [camera],
        Sky(sun_colour=(0, 0, 0), zenith=(0.6, 0.6, 0.6), horizon=(0.6, 0.6, 0.6), ground=(0.6, 0.6, 0.6)),
    )
    return photograph(assemble(stage, _plain()), camera, _plain(), "probe", (256, 192), int(rng.integers(1 << 20)))


def _plain() -> Materials:
    return sources(None)[1]


def familiar_size(rng: np.random.Generator) -> Iterator[Probe]:
    """Two people on nothing, their middles at one height; the larger in the picture is nearer."""
    while True:
        palette = Palette(rng)
        things: list[Part] = []
        distance = rng.permutation([3.2, 7.0])
        spots = []
        for side, d in zip((-1, 1), distance, strict=True):
            one = person(palette, height=1.75, pose="standing", detail="far")
            low, high = bounds(one)
            x = side * 0.22 * d
            things += place(one, at=(x, -(low[1] + high[1]) / 2, -d), yaw=rng.uniform(-0.6, 0.6))
            spots.append((int(128 + 256 / 2 / np.tan(0.45) * x / d), 92))
        sample = _shown(things, Camera((0, 0, 0), (0, 0, -1), 0.9), rng)
        yield sample.rgb, spots[int(np.argmin(distance))], spots[int(np.argmax(distance))]


def shading(rng: np.random.Generator) -> Iterator[Probe]:
    """A board with a bump or a dent, lit from above, one colour."""
    while True:
        y, x = np.mgrid[:192, :256].astype(np.float32)
        cx, cy, r = rng.integers(90, 166), rng.integers(75, 117), rng.uniform(30, 55)
        sign = rng.choice([-1, 1])
        height = sign * 0.6 * r * np.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / (2 * (r / 1.8) ** 2)))
        gy, gx = np.gradient(height)
        light = np.array([rng.uniform(-0.3, 0.3), 0.75, 0.6])
        light /= np.linalg.norm(light)
        lit = np.maximum((-gx * light[0] + gy * light[1] + light[2]) / np.sqrt(1 + gx**2 + gy**2), 0)
        picture = np.repeat((np.clip(0.2 + lit * rng.uniform(0.6, 0.8), 0, 1) * 255).astype(np.uint8)[..., None], 3, 2)
        middle, rim = (int(cx), int(cy)), (int(cx + 1.7 * r * rng.choice([-1, 1])), int(cy))
        rim = (min(max(rim[0], 4), 251), rim[1])
        yield (picture, middle, rim) if sign > 0 else (picture, rim, middle)


PROBES: dict[str, Callable[[np.random.Generator], Iterator[Probe]]] = {
    "shading": shading, "texture gradient": texture_gradient, "familiar size": familiar_size, "occlusion": occlusion,
    "perspective": perspective,
}  # fmt: skip


def probed(network: Network, count: int) -> dict[str, float]:
    """Share of pairs of points ordered rightly, of each probe."""
    result = {}
    for name, make in PROBES.items():
        right = 0
        for picture, near, far in islice(make(np.random.default_rng(5)), count):
            inverse = cv2.GaussianBlur(network(picture).inverse, (0, 0), 2)
            right += bool(inverse[near[1], near[0]] > inverse[far[1], far[0]])
        result[name] = right / count
    return result


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="*", type=Path, metavar="WEIGHTS", help="default: the shipped ones")
    parser.add_argument("--shared", type=folder, metavar="FOLDER", help=HELP)
    parser.add_argument("--count", type=int, default=200, help="held-out pictures (default: 200)")
    parser.add_argument("--probes", type=int, default=60, help="drawings of each cue (default: 60)")
    parser.add_argument(
        "--long-side", type=int, default=LONG_SIDE, help=f"of the picture the network sees (default: {LONG_SIDE})"
    )
    given = parser.parse_args()
    for path in given_weights(parser, given.weights):
        network = Network(path, given.long_side)
        print(path, {k: round(v, 3) for k, v in probed(network, given.probes).items()})
        print(path, {k: round(float(v), 3) for k, v in worlds(network, given.shared, given.count).items()})


if __name__ == "__main__":
    main()

"""The lie of the land: noise, height fields that reach the horizon, ways along them, ridges far off, and water."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import ArrayLike

from training.worlds.materials import Material
from training.worlds.mesh import Floats, Part, Thing, grid
from training.worlds.palette import Palette
from training.worlds.parts.many import quads, sheet

Height = Callable[[ArrayLike, ArrayLike], Floats]


def noise(x: ArrayLike, z: ArrayLike, seed: int) -> Floats:
    """Smooth noise of about -1..1 with features one unit wide (value noise on a hashed lattice)."""
    x, z = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(z, np.float64))
    i, j = np.floor(x), np.floor(z)
    u, v = x - i, z - j
    u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    i, j = i.astype(np.int64), j.astype(np.int64)

    def corner(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        h = (a * 374761393 + b * 668265263 + seed * 982451653) & 0xFFFFFFFF
        h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
        return ((h ^ (h >> 16)) & 0xFFFF) / 32767.5 - 1

    low = corner(i, j) * (1 - u) + corner(i + 1, j) * u
    return low * (1 - v) + (corner(i, j + 1) * (1 - u) + corner(i + 1, j + 1) * u) * v


def fractal(x: ArrayLike, z: ArrayLike, seed: int, octaves: int = 5, ridged: bool = False) -> Floats:
    """Noise of many sizes, about -1..1; `ridged` has sharp crests (0..1)."""
    x, z = np.asarray(x, np.float64), np.asarray(z, np.float64)
    total, weight, size = 0.0, 1.0, 1.0
    for k in range(octaves):
        n = noise(x * size + 17.3 * k, z * size - 9.1 * k, seed + k)
        total = total + weight * ((1 - np.abs(n)) ** 2 if ridged else n)
        weight, size = weight * 0.48, size * 2.03
    return total / (1.9 if ridged else 1.5)


@dataclass(frozen=True, slots=True)
class Way:
    """A road or path that runs roughly along z: where its middle is and how high, at each z."""

    bend: float = 0.0
    bend_length: float = 120.0
    phase: float = 0.0
    rise: float = 0.0
    rise_length: float = 150.0
    rise_phase: float = 0.0

    def x(self, z: ArrayLike) -> Floats:
        """Sideways place of the middle; 0 and level at z = 0."""
        z = np.asarray(z, np.float64)
        k, p = 1 / self.bend_length, self.phase
        far = 1 / (1 + (z * k / 8) ** 2)
        return self.bend * (np.sin(z * k + p) - np.sin(p) - z * k * np.cos(p) * far)

    def y(self, z: ArrayLike) -> Floats:
        """Height of the middle; 0 at z = 0."""
        z = np.asarray(z, np.float64)
        k, p = 1 / self.rise_length, self.rise_phase
        return self.rise * (np.sin(z * k + p) - np.sin(p))

    def yaw(self, z: ArrayLike) -> Floats:
        """Direction of travel: the turn about y that takes +z along the way."""
        z = np.asarray(z, np.float64)
        return np.arctan2(self.x(z + 0.5) - self.x(z - 0.5), 1.0)

    def at(self, z: ArrayLike, offset: ArrayLike = 0.0, up: ArrayLike = 0.0) -> Floats:
        """(…, 3) points beside the way: `offset` metres towards +x of its direction."""
        z, offset, up = np.broadcast_arrays(np.asarray(z, np.float64), offset, up)
        t = self.yaw(z)
        return np.stack([self.x(z) + offset * np.cos(t), self.y(z) + up, z - offset * np.sin(t)], -1)

    def ribbon(self, z: ArrayLike, across: ArrayLike, up: ArrayLike, material: Material) -> Part:
        """A band along the way with a cross-section: offsets and heights, from -x to +x."""
        z = np.asarray(z, np.float64)[:, None]
        a, u = np.asarray(across, np.float64)[None], np.asarray(up, np.float64)
        points = self.at(z, a, u if u.ndim == 2 else u[None])
        uv = np.stack(np.broadcast_arrays(a, z), -1)
        return grid(points, material, uv=uv)


def stations(near: float, far: float, behind: float = 0.0, count: int = 60) -> Floats:
    """Z from -behind to far, close together (about `near` metres) around 0."""
    ahead = np.sinh(np.linspace(0, np.arcsinh(far / near / 8), count)) * near * 8
    back = (
        np.sinh(np.linspace(0, np.arcsinh(behind / near / 8), max(2, count // 2)))[1:] * near * 8
        if behind
        else np.zeros(0)
    )
    return np.concatenate([-back[::-1], ahead])


def land(
    height: Height, material: Material, *, reach: float = 3000.0, rings: int = 60, spokes: int = 120, near: float = 0.4
) -> Part:
    """The height field around the origin out to `reach`: fine where one stands, coarse far off."""
    r = np.concatenate([[0.0], np.geomspace(near, reach, rings)])[:, None]
    a = np.linspace(0, 2 * pi, spokes + 1)[None]
    x, z = r * np.sin(a), r * np.cos(a)
    y = height(x, z)
    return grid(sheet(x, y, z), material, uv=np.stack([x - 0.7 * y, z + y], -1))


def bands(height: Height, materials: list[tuple[float, Material]], **how: float) -> Thing:
    """`land` cut by height and slope: each (lowest height, material) from there up; the first starts at -inf."""
    whole = land(height, materials[0][1], **how)  # type: ignore[arg-type]
    corner = whole.vertices[whole.faces]
    middle = corner.mean(1)
    rough = noise(middle[:, 0] / 60, middle[:, 2] / 60, 5) * 0.08
    level = middle[:, 1] * (1 + rough)
    which = np.searchsorted([low for low, _ in materials[1:]], level, side="right")
    out = []
    for k, (_, material) in enumerate(materials):
        faces = whole.faces[which == k]
        if len(faces):
            out.append(Part(whole.vertices, faces, whole.uv, material, smooth=True))
    return out


def ridge(
    palette: Palette,
    distance: float,
    height: float,
    material: Material,
    *,
    snow: Material | None = None,
    rough: float = 0.6,
    columns: int = 300,
) -> Thing:
    """A range of hills or mountains all around at `distance` metres: its slopes rise towards a ragged crest."""
    r = palette.rng
    a = np.linspace(0, 2 * pi, columns + 1)
    a[-1] = a[0]
    seed = int(r.integers(1 << 20))
    k = palette.between(2.0, 6.0)
    x, z = np.sin(a) * k, np.cos(a) * k
    crest = (
        0.55 + 0.35 * fractal(x, z, seed, 3) + rough * (fractal(x * 4, z * 4, seed + 9, 5, ridged=True) - 0.55) * 0.7
    )
    crest = np.maximum(crest, 0.06) * height
    steps = np.array([-0.12, 0.12, 0.35, 0.58, 0.8, 1.0])
    folds = fractal(x * 7 + np.arange(6)[:, None] * 0.5, z * 7, seed + 3, 3, ridged=True) - 0.5
    y = crest * (steps[:, None] + folds * 0.16 * np.minimum(steps, 1 - steps)[:, None] * 4)
    y[0] -= 250  # the foot lies deep, so that nothing shines through under it where land falls away
    out = distance * (1 - height * 1.6 / distance * (1 - steps[:, None]) * (1 + 0.5 * folds))
    out *= 1 + 0.1 * fractal(x * 0.6, z * 0.6, seed + 5, 2)
    points = sheet(np.sin(a) * out, y, np.cos(a) * out)
    rock = grid(points, material, uv=np.stack(np.broadcast_arrays(a * distance / 50, y / 50), -1))
    if snow is None:
        return [rock]
    level = rock.vertices[rock.faces][:, :, 1].mean(1)
    high = level > height * palette.between(0.45, 0.75) * (1 + 0.1 * r.normal(size=len(level)))
    return [
        Part(rock.vertices, rock.faces[~high], rock.uv, material, True),
        Part(rock.vertices, rock.faces[high], rock.uv, snow, True),
    ]


def water(palette: Palette, reach: float = 20000.0, level: float = 0.0) -> Part:
    """A level sheet of water out to the horizon."""
    c = np.array([0.02, 0.045, 0.055]) * palette.spread(1, 1.5) * palette.rng.uniform(0.8, 1.3, 3)
    calm = palette.chance(0.4)
    material = Material(
        tuple(c),
        tuple(c * 1.5),
        "clouds",
        palette.spread(0.6, 1.8),
        shine=palette.between(0.35, 0.75),
        gloss=palette.between(0.9, 0.98) if calm else palette.between(0.5, 0.85),
        bump=0.005 if calm else 0.06,
        seed=palette.seed(),
    )
    return land(lambda x, z: np.full(np.shape(x), level), material, reach=reach, rings=16, spokes=32, near=4.0)


def flat(material: Material, reach: float = 6000.0) -> Part:
    """Level ground at y = 0 to the horizon."""
    return land(lambda x, z: np.zeros(np.shape(x)), material, reach=reach, rings=24, spokes=48, near=2.0)


def meadowland(seed: int, amount: float, size: float = 60.0, hills: float = 0.0) -> Height:
    """Gently rolling ground, level at the origin; `hills` metres of relief farther out."""

    def height(x: ArrayLike, z: ArrayLike) -> Floats:
        x, z = np.asarray(x, np.float64), np.asarray(z, np.float64)
        r = np.hypot(x, z)
        near = amount * fractal(x / size, z / size, seed, 4) * np.minimum(1, 0.15 + r / 40)
        return (
            near
            - amount * 0.15 * float(fractal(0, 0, seed, 4))
            + hills * (0.4 + fractal(x / 900, z / 900, seed + 7, 4)) * np.clip((r - 120) / 1500, 0, 1)
        )

    return height


def pond(palette: Palette, radius: float, at: tuple[float, float, float]) -> Part:
    """A round sheet of still water."""
    surface = water(palette).material
    a = np.linspace(0, 2 * pi, 25)
    wobble = radius * (1 + 0.15 * np.sin(2 * a + 1) + 0.08 * np.sin(5 * a))
    r = np.array([0.0, 1.0])[:, None] * wobble
    return grid(sheet(at[0] + r * np.sin(a), at[1], at[2] + r * np.cos(a)), surface)


def patches(palette: Palette, count: int, reach: float, material: Material, up: float = 0.012) -> Part:
    """Loose level patches: puddles, snow, stains, mats of leaves."""
    r = palette.rng
    at = np.stack([r.normal(size=count) * reach, np.full(count, up), r.normal(size=count) * reach], 1)
    size, a = r.uniform(0.2, 1.6, count), r.uniform(0, pi, count)
    c, s = (
        np.stack([np.cos(a), 0 * a, np.sin(a)], 1) * size[:, None],
        np.stack([-np.sin(a), 0 * a, np.cos(a)], 1) * size[:, None] * 0.6,
    )
    return quads(np.stack([at - c - s, at - c + s, at + c + s, at + c - s], 1), material)

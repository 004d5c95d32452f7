"""Heads: a skull drawn by its profile, a face modelled on it, and what grows or sits on it.

Own frame: metres of an adult's head, y = 0 under the chin, z = 0 through the ears, the face looks along +z.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Part, Thing, ellipsoid, lathe, loft, place, tube
from training.worlds.palette import Palette
from training.worlds.parts.limbs import Doubles, bump, ringed, split

TOP = 0.228  # metres from chin to vertex
# height, half-width, front, back: the outline of a head from the chin to the vertex, after anthropometric means
PROFILE = np.array([
    (-0.004, 0.008, 0.066, 0.040), (0.0, 0.022, 0.078, 0.018), (0.012, 0.037, 0.088, 0.004),
    (0.030, 0.049, 0.088, -0.022), (0.048, 0.057, 0.088, -0.048), (0.070, 0.064, 0.088, -0.070),
    (0.095, 0.069, 0.087, -0.086), (0.115, 0.071, 0.085, -0.094), (0.135, 0.072, 0.092, -0.099),
    (0.160, 0.074, 0.092, -0.101), (0.185, 0.070, 0.083, -0.094), (0.205, 0.061, 0.067, -0.079),
    (0.219, 0.044, 0.046, -0.056), (0.226, 0.026, 0.025, -0.034), (TOP, 0.008, 0.006, -0.012),
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Face:
    """What differs between heads; lengths relative to the mean. old 0..1, soft 0..1 (children and round faces)."""

    wide: float
    jaw: float
    nose: float
    brow: float
    lips: float
    old: float
    soft: float
    smile: float

    @classmethod
    def drawn(cls, palette: Palette, age: float) -> Face:
        """A face of some age (years)."""
        r = palette.rng
        child = float(np.clip((14 - age) / 12, 0, 1))
        return cls(
            wide=float(1 + 0.05 * r.normal() + 0.08 * child),
            jaw=float(1 + 0.08 * r.normal() - 0.06 * child),
            nose=float(np.exp(0.2 * r.normal())) * (1 - 0.45 * child),
            brow=float(np.exp(0.35 * r.normal())) * (1 - 0.7 * child),
            lips=float(np.exp(0.25 * r.normal())),
            old=float(np.clip((age - 45) / 35, 0, 1)),
            soft=float(np.clip(r.uniform(0, 0.6) + child, 0, 1)),
            smile=float(np.clip(r.normal(0.25, 0.4), -0.4, 1)),
        )


def _surface(face: Face, rows: int, columns: int, *, detailed: bool) -> Doubles:
    """Points (rows, columns, 3) of the naked head; columns lie denser in the face."""
    at = np.interp(np.linspace(0, 1, rows), [0, 0.06, 0.72, 1], [PROFILE[0, 0], 0.006, 0.15, TOP])
    w, front, back = (np.interp(at, PROFILE[:, 0], PROFILE[:, i])[:, None] for i in (1, 2, 3))
    low = np.clip((0.1 - at) / 0.1, 0, 1)[:, None]
    w = w * face.wide * (1 + (face.jaw - 1) * low) + 0.006 * face.soft * low * (at[:, None] > 0.01)
    u = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    b = u - 0.5 * np.sin(u)
    s, c = np.sin(b), np.cos(b)
    middle = (front + back) / 2 + np.clip(-(front + back) / 2, -0.005, 0.02) * 0.5
    x = w * np.sign(s) * np.abs(s) ** 0.92
    z = middle + np.where(c > 0, (front - middle) * np.abs(c) ** 0.85, (back - middle) * np.abs(c) ** 0.95)
    y = np.broadcast_to(at[:, None], x.shape)
    if detailed:
        z = z + _relief(face, x, y) * np.clip(c * 3, 0, 1)
    return np.stack([x, y, z], -1)


def _relief(face: Face, x: Doubles, y: Doubles) -> Doubles:
    """How far the face stands out of the profile at x and y, metres."""
    ax = np.abs(x)
    slope = np.clip((0.118 - y) / 0.042, 0, 1)
    nose = (0.002 + 0.022 * slope**1.2) * face.nose * np.exp(-((x / (0.008 + 0.005 * slope)) ** 2)) * (y < 0.122)
    nose = nose * np.clip((y - 0.066) / 0.008, 0, 1)
    out = nose + 0.008 * face.nose * bump(ax, y, (0.013, 0.076), (0.006, 0.007))
    out -= (0.012 + 0.002 * face.old) * bump(ax, y, (0.032, 0.112), (0.016, 0.010))
    out += 0.004 * face.brow * bump(ax, y, (0.028, 0.131), (0.022, 0.007))
    out += 0.004 * (1 - face.old) * bump(ax, y, (0.042, 0.088), (0.018, 0.014))
    out -= 0.004 * face.old * bump(ax, y, (0.042, 0.065), (0.014, 0.016))
    corner = 0.046 + 0.006 * face.smile * np.clip(ax / 0.025, 0, 1.2) ** 2
    wide = 0.024 + 0.006 * max(face.smile, 0)
    mouth = np.clip(1 - (ax / wide) ** 4, 0, 1)
    out += (
        0.006
        * face.lips
        * mouth
        * (np.exp(-(((y - corner - 0.006) / 0.005) ** 2)) + np.exp(-(((y - corner + 0.007) / 0.005) ** 2)))
    )
    out -= 0.003 * mouth * np.exp(-(((y - corner) / 0.0025) ** 2))
    out += 0.006 * bump(x, y, (0, 0.013), (0.020, 0.012))
    return out - 0.003 * bump(x, y, (0, 0.03), (0.03, 0.006))


def _shell(face: Face, thick: Doubles, material: Material, lumps: float, palette: Palette) -> Part:
    """A skin over the head, `thick` metres (rows, columns) off it; below zero it dives under the head's own skin."""
    rows, columns = thick.shape
    p = _surface(face, rows, columns, detailed=False)
    centre = np.array([0, 0.12, -0.005])
    out = (p - centre) / np.array([0.9, 1.15, 1.0])
    out /= np.linalg.norm(out, axis=-1, keepdims=True)
    if lumps:
        waves, shift = palette.rng.normal(size=(4, 3)) * 60, palette.rng.uniform(0, 6, 4)
        thick = thick + np.where(thick > 0, lumps, 0) * np.sin(p @ waves.T + shift).sum(-1) / 2
    return loft(p + out * thick[..., None], material)


def _scalp(face: Face, rows: int, columns: int, line: float, *, back: float) -> Doubles:
    """Height above the hairline (metres, below zero under it): `line` at the forehead, `back` at the nape."""
    p = _surface(face, rows, columns, detailed=False)
    front = np.clip((p[..., 2] - 0.0) / 0.07, 0, 1)
    behind = np.clip(-p[..., 2] / 0.03, 0, 1)
    hairline = front * line + behind * back + (1 - front - behind) * (0.115 if back > 0.1 else 0.085)
    return p[..., 1] - hairline


def hair(palette: Palette, face: Face, style: str, material: Material, *, near: bool, covered: bool = False) -> Thing:
    """Hair of a style: short, long, bob, bun, tail, curly, bald (a fringe), none; flat where a hat covers it."""
    if style == "none":
        return []
    r = palette.rng
    rows, columns = (15, 18) if near else (7, 8)
    receding = palette.between(0, 0.02)
    above = _scalp(
        face,
        rows,
        columns,
        0.165 + receding + (0.08 if style == "bald" else 0),
        back=0.04 if style != "short" else 0.055,
    )
    full = {"short": r.uniform(0.006, 0.03), "curly": r.uniform(0.025, 0.06), "bald": 0.005}.get(
        style, r.uniform(0.012, 0.025)
    )
    if covered:
        full = 0.004
    if style == "bald":
        above = np.minimum(above, 0.185 - _surface(face, rows, columns, detailed=False)[..., 1])
    parts = [_shell(face, np.clip(above * 1.5, -0.012, full), material, 0.15 * full if near else 0, palette)]
    if style in ("long", "bob"):
        parts.append(
            _curtain(
                palette,
                material,
                palette.between(-0.2, -0.02) if style == "long" else palette.between(0, 0.05),
                near=near,
            )
        )
    elif style == "bun":
        high = palette.between(0.1, 0.24)
        parts.append(
            ellipsoid(
                (0.04, 0.036, 0.036), material, sides=10 if near else 6, at=(0, high, -0.12 + 0.6 * max(0, high - 0.16))
            )
        )
    elif style == "tail":
        high = palette.between(0.12, 0.2)
        drop = palette.between(0.1, 0.35)
        path = [(0, high, -0.1), (0, high + 0.01, -0.135), (0, high - 0.4 * drop, -0.15), (0.01, high - drop, -0.13)]
        parts.append(tube(path, [0.015, 0.028, 0.032, 0.008], material, sides=8 if near else 5))
    return parts


def _curtain(palette: Palette, material: Material, end: float, *, near: bool) -> Part:
    """Hair that hangs at the sides and behind, down to `end`: a thick horseshoe, swept from the temples down."""
    rows, n = (9, 11) if near else (4, 6)
    y = np.linspace(end, 0.17, rows)[:, None]
    open_at = np.pi / 2 - palette.between(-0.1, 0.6)
    angle = np.linspace(open_at, 2 * np.pi - open_at, n)[None]
    drop = np.clip((0.17 - y) / 0.2, 0, 1)
    wave = 1 + 0.05 * np.sin(y * palette.between(30, 80) + 3 * angle) * drop
    sheets = []
    for size, order in ((1.0, 1), (0.72, -1)):
        across, along = (0.083 + 0.012 * drop) * size * wave, (0.097 + 0.01 * drop) * size * wave
        sheets.append(np.stack([across * np.sin(angle), y + 0 * angle, -0.012 + along * np.cos(angle)], -1)[:, ::order])
    return loft(np.concatenate(sheets, 1), material)


def beard(palette: Palette, face: Face, material: Material) -> Part:
    """A beard or stubble around mouth, chin and jaw."""
    p = _surface(face, 18, 22, detailed=False)
    ax, y = np.abs(p[..., 0]), p[..., 1]
    low = np.where(p[..., 2] > -0.01, 0.062 + 0.7 * np.clip(ax - 0.045, 0, 0.05), -1) - y
    mouth = bump(ax, y, (0, 0.046), (0.024, 0.011))
    thick = np.clip(low * 1.2, -0.01, palette.between(0.003, 0.03)) + 0.006 * (low > 0) - 0.045 * mouth
    return _shell(face, np.maximum(thick, -0.012), material, 0.0, palette)


def headgear(palette: Palette, face: Face, *, near: bool) -> tuple[str, Thing]:
    """A hat, cap, helmet, hood, beanie or headscarf, and its name."""
    kind = str(palette.one_of("cap", "hat", "beanie", "helmet", "hood", "scarf"))
    rows, columns = (15, 20) if near else (6, 9)
    sides = 20 if near else 9
    if kind == "hat":
        stuff, wide, tall = palette.fabric(), palette.between(0.13, 0.22), palette.between(0.09, 0.15)
        profile = [
            (0.085, 0),
            (wide, -0.012),
            (wide, -0.004),
            (0.092, 0.008),
            (0.088, tall * 0.8),
            (0.07, tall),
            (0.002, tall),
        ]
        return kind, place(
            [lathe(profile, stuff, sides=sides)],
            at=(0, 0.162, -0.008),
            pitch=-palette.between(0, 0.15),
            scale=(0.95, 1, 1.15),
        )
    line = {"cap": 0.165, "beanie": 0.155, "helmet": 0.165, "hood": 0.19, "scarf": 0.165}[kind]
    above = _scalp(
        face,
        rows,
        columns,
        line,
        back={"cap": 0.1, "beanie": 0.085, "helmet": 0.06, "hood": -0.05, "scarf": -0.05}[kind],
    )
    if kind in ("hood", "scarf"):
        p = _surface(face, rows, columns, detailed=False)
        above = np.maximum(above, 1.5 * (np.abs(p[..., 0]) - 0.066 + 0.4 * np.maximum(p[..., 2], 0)) + 0.01)
        above = np.where((p[..., 2] > 0.045) & (p[..., 1] < 0.165), -0.02, above)
    full = {"cap": 0.016, "beanie": 0.02, "helmet": 0.04, "hood": 0.03, "scarf": 0.014}[kind]
    stuff = palette.paint() if kind == "helmet" else palette.fabric()
    parts = [_shell(face, np.clip(above * (4 if kind == "helmet" else 2), -0.012, full), stuff, 0.0, palette)]
    if kind == "cap":
        z = np.linspace(0.06, 0.165, 4)
        size = np.stack(
            [0.07 * np.sqrt(np.clip(1 - ((z - 0.06) / 0.115) ** 2, 0.05, 1)), np.full(4, 0.004), np.full(4, 0.004)], 1
        )
        back = palette.chance(0.15)
        visor = ringed(np.stack([0 * z, 0.172 - 0.25 * (z - 0.06), z], 1), size, stuff, sides=8)
        parts += place([visor], yaw=np.pi if back else 0)
    elif kind == "beanie" and palette.chance(0.3):
        parts.append(ellipsoid((0.03, 0.03, 0.03), palette.fabric(), sides=8, at=(0, 0.265, -0.01)))
    return kind, parts


def glasses(palette: Palette) -> Thing:
    """Spectacles or sun glasses."""
    frame_stuff = Material((0.02, 0.02, 0.02), shine=0.3, gloss=0.8) if palette.chance(0.6) else palette.metal()
    dark = palette.chance(0.45)
    parts: Thing = []
    a = np.linspace(0, 2 * np.pi, 11)
    w, h = palette.between(0.022, 0.029), palette.between(0.016, 0.025)
    for side in (-1, 1):
        ring = np.stack(
            [
                side * 0.033 + w * np.cos(a),
                0.112 + h * np.sin(a),
                0.099 - 0.006 * np.abs(np.cos(a)) * (side * np.cos(a) > 0),
            ],
            1,
        )
        parts.append(tube(ring, 0.0016 + 0.0015 * palette.rng.random(), frame_stuff, sides=4))
        parts.append(
            tube(
                [(side * 0.06, 0.116, 0.093), (side * 0.076, 0.115, 0.03), (side * 0.077, 0.11, -0.01)],
                0.002,
                frame_stuff,
                sides=4,
            )
        )
        if dark:
            lens = Material((0.012, 0.012, 0.015), shine=0.35, gloss=0.95)
            parts.append(ellipsoid((w, h, 0.003), lens, sides=12, at=(side * 0.033, 0.112, 0.097)))
    parts.append(tube([(-0.012, 0.117, 0.099), (0, 0.119, 0.101), (0.012, 0.117, 0.099)], 0.0016, frame_stuff, sides=4))
    return parts


def _eyes(palette: Palette, face: Face, skin: Material, brows: Material) -> Thing:
    """Eyeballs with iris, pupil and lids that look the same way, and eyebrows."""
    white = Material((0.5, 0.47, 0.45), shine=0.06, gloss=0.8)
    iris = Material(
        palette.near(palette.one_of((0.07, 0.035, 0.015), (0.1, 0.18, 0.3), (0.1, 0.15, 0.06))), shine=0.3, gloss=0.95
    )  # type: ignore[arg-type]
    pupil = Material((0.006, 0.006, 0.006), shine=0.08, gloss=0.95)
    gaze = palette.rng.normal(0, 0.0018, 2)
    parts: Thing = []
    for side in (-1, 1):
        at = np.array([side * 0.032, 0.112, 0.0695])
        parts.append(ellipsoid((0.0145, 0.0095, 0.0125), white, sides=9, at=at))
        parts.append(ellipsoid((0.0062, 0.0062, 0.0030), iris, sides=7, at=at + np.array([*gaze, 0.0107])))
        parts.append(ellipsoid((0.0030, 0.0030, 0.0020), pupil, sides=5, at=at + np.array([*gaze, 0.0123])))
        open_ = 0.0012 * np.clip(palette.rng.normal(), -1.5, 1.5)
        parts.append(ellipsoid((0.0168, 0.0098, 0.0145), skin, sides=9, at=at + np.array([0, 0.0052 + open_, -0.0008])))
        parts.append(ellipsoid((0.0155, 0.0075, 0.0130), skin, sides=8, at=at - [0, 0.0087, 0.0004]))
        x = np.array([0.014, 0.026, 0.038, 0.05])
        y = 0.128 + np.array([0, 0.004, 0.005, 0.0]) + 0.002 * palette.rng.normal()
        z = np.array([0.0885, 0.0885, 0.083, 0.073]) + 0.002 * face.brow
        parts.append(tube(np.stack([side * x, y, z], 1), np.array([0.0028, 0.0038, 0.0032, 0.0015]), brows, sides=5))
    return parts


def _ears(skin: Material) -> Thing:
    """Two ears: thin bowls that stand off the head."""
    z = np.array([0.0, 0.25, 0.6, 1.0])
    sizes = np.stack([[0.009, 0.016, 0.019, 0.014], [0.020, 0.032, 0.034, 0.026], [0.018, 0.028, 0.026, 0.018]], 1)
    ear = ringed(np.stack([0 * z, 0 * z, z * 0.016], 1), sizes, skin, sides=10)
    return [
        q
        for side in (-1, 1)
        for q in place([ear], at=(side * 0.067, 0.105, -0.008), yaw=side * (np.pi / 2 + 0.35), pitch=0)
    ]


def head(palette: Palette, skin: Material, *, age: float = 35, female: bool = False, near: bool = True) -> Thing:
    """A head with a face, hair and perhaps a hat, glasses or beard; see the module for its frame."""
    face = Face.drawn(palette, age)
    rows, columns = (30, 32) if near else (7, 8)
    stuff = palette.hair()
    if age > 55 and palette.chance(0.7):
        stuff = replace(stuff, colour=(0.5, 0.5, 0.5), second=(0.3, 0.3, 0.3))
    elif age < 50 and min(stuff.colour) > 0.3:
        stuff = replace(stuff, colour=(0.03, 0.018, 0.012), second=(0.012, 0.01, 0.008))
    base = loft(_surface(face, rows, columns, detailed=near), skin)
    parts: Thing = [base]
    if near:
        x, y, z = base.vertices.T
        corner = 0.046 + 0.006 * face.smile * np.clip(np.abs(x) / 0.025, 0, 1.2) ** 2
        lips = (
            (np.abs(x) < 0.023 * np.sqrt(np.clip(1 - ((y - corner) / 0.0135) ** 2, 0, 1)))
            & (np.abs(y - corner) < 0.0125)
            & (z > 0.03)
        )
        red = tuple(np.clip(np.asarray(skin.colour) * [0.95, 0.55, 0.6], 0.01, 1))
        bright = female and palette.chance(0.35)
        parts = split(
            base,
            lips,
            replace(skin, colour=(0.4, 0.03, 0.05) if bright else red, second=red, pattern="plain", shine=0.15),
        )
        parts += _eyes(palette, face, skin, stuff) + _ears(skin)
        if palette.chance(0.22):
            parts += glasses(palette)
    else:
        parts.append(lathe([(0.014, -0.02), (0.0, 0.03)], skin, sides=4))
        parts[-1] = place([parts[-1]], at=(0, 0.085, 0.088), scale=(1, 1, 1.6))[0]
    gear, worn = headgear(palette, face, near=near) if palette.chance(0.2) else ("", [])
    style = _style(palette, age, female=female)
    if gear in ("hood", "scarf"):
        style = "none"
    elif gear and style in ("curly", "bun", "bald"):
        style = "short"
    parts += worn + hair(palette, face, style, stuff, near=near, covered=bool(gear))
    if not female and age > 20 and palette.chance(0.25) and near:
        parts.append(beard(palette, face, stuff))
    return parts


def _style(palette: Palette, age: float, *, female: bool) -> str:
    """A hair style."""
    if female:
        return str(palette.one_of("long", "long", "long", "bob", "bun", "tail", "tail", "curly", "short"))
    if age > 40 and palette.chance(0.4):
        return str(palette.one_of("bald", "none"))
    return str(
        palette.one_of("short", "short", "short", "short", "short", "curly", "long" if age < 40 else "short", "none")
    )

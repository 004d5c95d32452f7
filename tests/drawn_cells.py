"""Cells and organisms drawn by program: what is in them, what lies in what, and where their labels point is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

Curve = NDArray[np.float64]
"""(n, 2) corners of a closed line, in pixels."""
Look = Literal["lines", "filled", "flat", "gaps"]
"""Outlines only; outlines and flat colours; flat colours without outlines; flat colours with paper-white outlines."""
_SHIFT = 6
_MARGIN = 220
"""Room for labels on either side."""


@dataclass
class Part:
    """One region as it was drawn.

    Attributes:
        name: Different from all others.
        curve: Its outline.
        parent: The region that it lies in, or None.
        color: sRGB bytes.
    """

    name: str
    curve: Curve
    parent: str | None
    color: tuple[int, int, int]


@dataclass
class Drawing:
    """What is to be drawn.

    Attributes:
        title: What it shows.
        size: Width and height in pixels.
        parts: From the outermost to the innermost.
        threads: Single open lines (flagella): (n, 2) points.
        told: Texts, and the regions that they point at.
    """

    title: str
    size: tuple[int, int] = (1640, 900)
    parts: list[Part] = field(default_factory=list[Part])
    threads: list[Curve] = field(default_factory=list[Curve])
    told: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def add(self, name: str, curve: Curve, parent: str | None, color: tuple[int, int, int]) -> None:
        self.parts.append(Part(name, curve + np.array((_MARGIN, 0)), parent, color))

    def thread(self, line: Curve) -> None:
        self.threads.append(line + np.array((_MARGIN, 0)))

    def mask(self, part: Part) -> NDArray[np.bool_]:
        """(h, w), what its outline encloses."""
        out = np.zeros(self.size[::-1], np.uint8)
        cv2.fillPoly(out, [np.rint(part.curve).astype(np.int32)], 1)
        return out.astype(bool)

    @property
    def tree(self) -> dict[str, str | None]:
        """What lies in what."""
        return {part.name: part.parent for part in self.parts}


@dataclass
class Printed:
    """A drawing with its labels.

    Attributes:
        picture: (h, w, 3) uint8.
        tips: For each text, the left column first, its leader's end and the region it points at.
    """

    picture: NDArray[np.uint8]
    tips: list[tuple[str, tuple[float, float], str]]


def oval(cx: float, cy: float, rx: float, ry: float, turn_deg: float = 0, power: float = 2) -> Curve:
    """An ellipse; with a higher power, a rounded box."""
    t = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    xy = np.stack([rx * np.sign(c) * np.abs(c) ** (2 / power), ry * np.sign(s) * np.abs(s) ** (2 / power)], 1)
    a = math.radians(turn_deg)
    return xy @ np.array([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]]) + (cx, cy)


def blob(cx: float, cy: float, rx: float, ry: float, seed: int, rough: float = 0.05, waves: int = 5) -> Curve:
    """An ellipse with a soft, uneven outline."""
    chance = np.random.default_rng(seed)
    t = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    r = np.ones_like(t)
    for k in range(2, waves + 2):
        r += rough * chance.normal() * np.cos(k * t + chance.uniform(0, 7)) / math.sqrt(k)
    return np.stack([cx + rx * r * np.cos(t), cy + ry * r * np.sin(t)], 1)


def star(cx: float, cy: float, arms: Sequence[tuple[float, float]], body: float, sharp: float = 8) -> Curve:
    """A body with arms: (direction in degrees, length)."""
    t = np.linspace(0, 2 * np.pi, 900, endpoint=False)
    r = np.full_like(t, body)
    for way, length in arms:
        r += length * np.exp(sharp * (np.cos(t - math.radians(way)) - 1) * 4)
    return np.stack([cx + r * np.cos(t), cy + r * np.sin(t)], 1)


def box(x0: float, y0: float, x1: float, y1: float) -> Curve:
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], float)


def shaded(color: tuple[int, int, int], n: int) -> tuple[int, int, int]:
    """A colour, for every other one in a row a little darker: what touches can be told apart without lines."""
    r, g, b = (round(c * (1 - 0.1 * (n % 2))) for c in color)
    return r, g, b


def animal_cell() -> Drawing:
    d = Drawing("animal cell")
    d.add("cell", blob(600, 450, 330, 300, 3, 0.04), None, (250, 220, 190))
    d.add("nucleus", oval(640, 420, 110, 100), "cell", (190, 160, 220))
    d.add("nucleolus", oval(655, 405, 34, 32), "nucleus", (120, 80, 160))
    for n, (x, y, a) in enumerate([(420, 345, 30), (450, 590, -40), (740, 590, 20)]):
        d.add(f"mitochondrion {n}", oval(x, y, 62, 30, a), "cell", (240, 140, 110))
    d.add("vacuole", oval(600, 640, 60, 50), "cell", (180, 220, 240))
    d.add("lysosome", oval(800, 300, 26, 26), "cell", (250, 230, 120))
    d.add("vesicle", oval(380, 460, 24, 24), "cell", (160, 210, 160))
    d.told = [("Nucleus", "nucleus"), ("Nucleolus", "nucleolus"), ("Mitochondrion", "mitochondrion 0")]
    d.told += [("Cell membrane", "cell"), ("Vacuole", "vacuole"), ("Lysosome", "lysosome")]
    return d


def plant_cell() -> Drawing:
    d = Drawing("plant cell")
    d.add("cell wall", oval(600, 450, 380, 320, power=7), None, (120, 170, 90))
    d.add("cytoplasm", oval(600, 450, 345, 285, power=7), "cell wall", (215, 235, 180))
    d.add("vacuole", blob(660, 480, 190, 160, 8, 0.05), "cytoplasm", (190, 220, 245))
    d.add("nucleus", oval(365, 300, 75, 70), "cytoplasm", (230, 190, 150))
    d.add("nucleolus", oval(372, 295, 24, 24), "nucleus", (180, 120, 80))
    for n, (x, y, a) in enumerate([(520, 235, 10), (700, 230, -15), (860, 300, 60), (350, 560, 80), (500, 680, 0)]):
        d.add(f"chloroplast {n}", oval(x, y, 58, 32, a), "cytoplasm", (60, 150, 60))
    d.told = [("Cell wall", "cell wall"), ("Vacuole", "vacuole"), ("Nucleus", "nucleus")]
    d.told += [("Chloroplast", "chloroplast 2"), ("Cytoplasm", "cytoplasm")]
    return d


def bacterium() -> Drawing:
    d = Drawing("bacterium")
    d.add("wall", oval(520, 450, 330, 160, power=3), None, (240, 200, 120))
    d.add("cytoplasm", oval(520, 450, 300, 130, power=3), "wall", (250, 240, 200))
    d.add("nucleoid", blob(480, 450, 140, 60, 5, 0.12), "cytoplasm", (200, 130, 150))
    d.add("plasmid", oval(710, 420, 36, 36), "cytoplasm", (130, 150, 210))
    d.add("granule", oval(690, 510, 22, 22), "cytoplasm", (150, 120, 90))
    x = np.linspace(850, 1130, 120)
    d.thread(np.stack([x, 450 + 45 * np.sin((x - 862) / 40) * np.minimum(1, (x - 862) / 60)], 1))
    d.told = [("Nucleoid", "nucleoid"), ("Plasmid", "plasmid"), ("Wall", "wall")]
    return d


def paramecium() -> Drawing:
    d = Drawing("paramecium")
    t = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    d.add(
        "body",
        np.stack([600 + 420 * np.cos(t), 450 + (165 + 45 * np.cos(t + 0.6)) * np.sin(t) + 25 * np.cos(2 * t)], 1),
        None,
        (225, 235, 245),
    )
    d.add("macronucleus", oval(610, 440, 92, 52, 15), "body", (140, 120, 190))
    d.add("micronucleus", oval(720, 400, 22, 20), "body", (90, 70, 140))
    for n, (x, y) in enumerate([(300, 455), (900, 480)]):
        d.add(f"contractile vacuole {n}", oval(x, y, 46, 46), "body", (170, 215, 240))
    for n, (x, y) in enumerate([(420, 400), (460, 500), (790, 510)]):
        d.add(f"food vacuole {n}", oval(x, y, 34, 30), "body", (200, 170, 110))
    d.told = [("Macronucleus", "macronucleus"), ("Contractile vacuole", "contractile vacuole 1")]
    d.told += [("Food vacuole", "food vacuole 0")]
    return d


def mitochondrion() -> Drawing:
    d = Drawing("mitochondrion")
    d.add("outer membrane", oval(600, 450, 430, 230, power=2.4), None, (240, 170, 140))
    d.add("intermembrane space", oval(600, 450, 405, 205, power=2.4), "outer membrane", (250, 225, 205))
    t = np.linspace(0, 2 * np.pi, 1200, endpoint=False)
    folds = 1 - 0.32 * np.maximum(0, np.cos(9 * t)) ** 3
    d.add(
        "matrix",
        np.stack([600 + 372 * folds * np.cos(t), 450 + 175 * folds * np.sin(t)], 1),
        "intermembrane space",
        (220, 120, 100),
    )
    d.add("granule", oval(560, 440, 30, 28), "matrix", (130, 60, 60))
    d.told = [("Matrix", "matrix"), ("Outer membrane", "outer membrane")]
    return d


def eye() -> Drawing:
    d = Drawing("eye")
    d.add("sclera", oval(560, 450, 300, 300), None, (240, 235, 225))
    d.add("vitreous body", oval(545, 450, 260, 265), "sclera", (205, 230, 245))
    d.add("lens", oval(735, 450, 44, 95), "vitreous body", (250, 245, 190))
    t = np.linspace(-0.62, 0.62, 120)
    front = np.stack([560 + 300 * np.cos(t) + 78 * np.cos(t * math.pi / 1.24), 450 + 300 * np.sin(t)], 1)
    rear = np.stack([560 + 300 * np.cos(t), 450 + 300 * np.sin(t)], 1)[::-1]
    d.add("cornea", np.concatenate([front, rear]), None, (180, 225, 225))
    nerve = np.concatenate(
        [np.stack([560 + 300 * np.cos(u), 450 + 300 * np.sin(u)], 1) for u in [np.linspace(2.95, 3.25, 40)]]
        + [np.array([(110.0, 390.0), (110.0, 480.0)])]
    )
    d.add("optic nerve", nerve, None, (250, 220, 130))
    d.told = [("Lens", "lens"), ("Cornea", "cornea"), ("Sclera", "sclera")]
    return d


def heart() -> Drawing:
    d = Drawing("heart")
    t = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    d.add("wall", np.stack([600 + 21 * x, 440 + 23 * y], 1), None, (200, 90, 90))
    d.add("right atrium", blob(440, 330, 92, 78, 1, 0.03), "wall", (110, 130, 200))
    d.add("left atrium", blob(760, 330, 92, 78, 2, 0.03), "wall", (230, 130, 130))
    d.add("right ventricle", blob(515, 520, 72, 95, 4, 0.03), "wall", (90, 110, 190))
    d.add("left ventricle", blob(685, 525, 70, 100, 6, 0.03), "wall", (240, 150, 150))
    d.told = [("Right atrium", "right atrium"), ("Left ventricle", "left ventricle"), ("Wall", "wall")]
    return d


def leaf() -> Drawing:
    d = Drawing("leaf section")
    for n in range(6):
        d.add(f"upper epidermis {n}", box(120 + 160 * n, 120, 280 + 160 * n, 200), None, shaded((210, 230, 170), n))
    for n in range(10):
        d.add(f"palisade {n}", box(120 + 96 * n, 200, 216 + 96 * n, 430), None, shaded((120, 190, 90), n))
        d.add(f"chloroplast {n}", oval(168 + 96 * n, 290 + 40 * (n % 3), 20, 34), f"palisade {n}", (40, 120, 50))
    chance = np.random.default_rng(2)
    for n in range(8):
        x, y = 200 + 115 * n, 540 + chance.uniform(-25, 25)
        d.add(f"spongy {n}", blob(x, y, 46, 46, 20 + n, 0.05), None, (150, 210, 120))
    for n in range(6):
        d.add(f"lower epidermis {n}", box(120 + 160 * n, 640, 280 + 160 * n, 710), None, shaded((200, 225, 160), n))
    d.told = [("Epidermis", "upper epidermis 0"), ("Palisade cell", "palisade 9"), ("Spongy cell", "spongy 7")]
    return d


def amoeba() -> Drawing:
    d = Drawing("amoeba")
    arms = [(10, 190), (75, 120), (140, 170), (200, 210), (265, 140), (320, 180)]
    d.add("body", star(600, 450, arms, 190), None, (215, 225, 235))
    d.add("nucleus", oval(590, 430, 62, 56), "body", (150, 140, 190))
    d.add("contractile vacuole", oval(700, 520, 44, 44), "body", (180, 215, 240))
    d.add("food vacuole", oval(480, 520, 36, 30), "body", (190, 160, 110))
    d.told = [("Nucleus", "nucleus"), ("Food vacuole", "food vacuole"), ("Pseudopod", "body")]
    return d


def neuron() -> Drawing:
    d = Drawing("neuron")
    arms = [(110, 170), (160, 190), (205, 180), (255, 160), (310, 120)]
    body = star(330, 450, arms, 110, 14)
    d.add("soma", body, None, (235, 205, 225))
    d.add("nucleus", oval(330, 450, 56, 52), "soma", (160, 120, 180))
    d.add("nucleolus", oval(338, 446, 20, 20), "nucleus", (100, 60, 130))
    for n in range(4):
        d.add(f"myelin {n}", oval(545 + 150 * n, 455, 66, 30, power=3), None, (245, 225, 150))
    d.told = [("Soma", "soma"), ("Nucleus", "nucleus"), ("Myelin sheath", "myelin 2")]
    return d


ALL: tuple[Callable[[], Drawing], ...] = (
    animal_cell,
    plant_cell,
    bacterium,
    paramecium,
    mitochondrion,
    eye,
    heart,
    leaf,
    amoeba,
    neuron,
)


def printed(drawing: Drawing, look: Look = "filled", *, labels: bool = True, line: float = 3.0) -> Printed:
    """Draw it, antialiased.

    Args:
        drawing: What.
        look: How.
        labels: With printed texts and leaders.
        line: Width of outlines in pixels.
    """
    scale, (w, h) = 2, drawing.size
    out = np.full((h * scale, w * scale, 3), 255, np.uint8)
    for part in drawing.parts:
        points = [_fixed(part.curve * scale)]
        if look != "lines":
            cv2.fillPoly(out, points, part.color, cv2.LINE_AA, _SHIFT)
        else:
            cv2.fillPoly(out, points, (255, 255, 255), cv2.LINE_AA, _SHIFT)
        if look != "flat":
            ink = (255, 255, 255) if look == "gaps" else (20, 20, 20)
            cv2.polylines(out, points, True, ink, round(line * scale), cv2.LINE_AA, _SHIFT)
    for thread in drawing.threads:
        cv2.polylines(out, [_fixed(thread * scale)], False, (20, 20, 20), round(line * scale), cv2.LINE_AA, _SHIFT)
    tips: list[tuple[str, tuple[float, float], str]] = []
    if labels:
        tips = _write_labels(out, drawing, scale)
    small = np.asarray(cv2.resize(out, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
    return Printed(small, tips)


def _write_labels(out: NDArray[np.uint8], drawing: Drawing, scale: int) -> list[tuple[str, tuple[float, float], str]]:
    """Texts in two columns beside the drawing, each with a straight line to what it names."""
    font = ImageFont.load_default(24 * scale)
    picture = Pillow.fromarray(out)
    pen = ImageDraw.Draw(picture)
    parts = {part.name: part for part in drawing.parts}
    placed: list[tuple[float, str, tuple[float, float], str]] = []
    sides: dict[bool, list[tuple[float, float, str, str]]] = {True: [], False: []}
    for text, name in drawing.told:
        x, y = _target(drawing, parts[name])
        sides[x < drawing.size[0] / 2].append((y, x, text, name))
    for left, found in sides.items():
        found.sort()
        rows = _spread([y for y, *_ in found], 60, drawing.size[1] - 60)
        for row, (y, x, text, name) in zip(rows, found, strict=True):
            wide = pen.textlength(text, font=font) / scale
            at = 12.0 if left else drawing.size[0] - 12 - wide
            pen.text((at * scale, row * scale), text, fill=(0, 0, 0), font=font, anchor="lm")
            start = (at + wide + 7, row) if left else (at - 7, row)
            pen.line([(v * scale) for v in (*start, x, y)], fill=(40, 40, 40), width=2 * scale)
            placed.append((row, text, (x, y), name))
    out[:] = np.asarray(picture)
    return [(text, tip, name) for _, text, tip, name in placed]


def _target(drawing: Drawing, part: Part) -> tuple[float, float]:
    """A place inside a region that belongs to none of those in it."""
    free = drawing.mask(part)
    for other in drawing.parts:
        if other.parent == part.name:
            inside = drawing.mask(other)
            free &= ~np.asarray(cv2.dilate(inside.astype(np.uint8), np.ones((9, 9)))).astype(bool)
    depth = cv2.distanceTransform(np.pad(free, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(x), float(y)


def _spread(rows: list[float], low: float, high: float, least: float = 46) -> list[float]:
    """Places at least so far from each other, near those that were asked for."""
    out: list[float] = []
    for row in rows:
        out.append(max(row, low if not out else out[-1] + least))
    if out and out[-1] > high:
        out[-1] = high
        for n in range(len(out) - 2, -1, -1):
            out[n] = min(out[n], out[n + 1] - least)
    return out


def _fixed(points: Curve) -> NDArray[np.int32]:
    return np.rint(points * 2**_SHIFT).astype(np.int32)


def scanned(picture: NDArray[np.uint8], seed: int = 0, tilt_deg: float = 1.5, scale: float = 0.97) -> NDArray[np.uint8]:
    """As a flatbed scanner sees it: uneven light, paper grain, a soft lens, a small tilt, and a JPEG."""
    chance = np.random.default_rng(seed)
    h, w = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), tilt_deg, scale)
    paper = (246, 240, 226)
    tinted = (picture.astype(np.float32) * np.array(paper) / 255).astype(np.uint8)
    turned = cv2.warpAffine(tinted, turn, (w, h), flags=cv2.INTER_AREA, borderValue=paper)
    soft = cv2.GaussianBlur(turned.astype(np.float32), (0, 0), 1.0)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    light = 1 - 0.14 * (x / w) - 0.10 * (y / h) ** 2
    grain = cv2.GaussianBlur(chance.normal(0, 1, (h, w)).astype(np.float32), (0, 0), 1.2)
    grain = grain / grain.std() * 3.0 + chance.normal(0, 1.5, (h, w)).astype(np.float32)
    noisy = np.clip(soft * light[..., None] + grain[..., None], 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", noisy[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    read = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert read is not None
    return np.ascontiguousarray(read[..., ::-1], np.uint8)


def turned_points(
    points: Sequence[tuple[float, float]], size: tuple[int, int], tilt_deg: float = 1.5
) -> list[tuple[float, float]]:
    """Where :func:`scanned` moves places of a drawing of that size."""
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), tilt_deg, 0.97)
    return [tuple(turn @ (x, y, 1)) for x, y in points]


def matched(drawing: Drawing, insides: dict[int, NDArray[np.bool_]], least: float = 0.6) -> dict[int, str]:
    """Which found region is which drawn one: those that share most of their area.

    Args:
        drawing: What was drawn.
        insides: For each found region what its outline encloses, (h, w) at any size.
        least: Share of what either covers that both cover.
    """
    size = drawing.size[0] // 4, drawing.size[1] // 4

    def small(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.asarray(cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)) > 0

    masks = {part.name: small(drawing.mask(part)) for part in drawing.parts}
    names: dict[int, str] = {}
    for number, large in insides.items():
        inside = small(large)
        best, name = least, None
        for other, drawn in masks.items():
            share = float((drawn & inside).sum()) / max(float((drawn | inside).sum()), 1.0)
            if share > best:
                best, name = share, other
        if name is not None:
            names[number] = name
    return names

"""Pictures in frames, mounts, albums and scanner beds, drawn by formula: the corners are known exactly."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from unflat.types.arrays import F32, F64, U8

KINDS = ("bed", "bare", "deckled", "album", "mount", "moulding", "wall", "margins", "letterbox")
"""What may be around a picture: see :func:`framed`."""
_PLANE = 640


@dataclass(frozen=True)
class Framed:
    """A reproduction of a picture with what is around it.

    Attributes:
        pixels: (h, w, 3) uint8.
        corners: (4, 2) of the picture proper, pixels: top left, top right, bottom right, bottom left.
        kind: One of KINDS.
    """

    pixels: U8
    corners: F64
    kind: str


class _Sheet:
    """A plane that is painted from the background inwards: everything at the scale of the picture, in floats."""

    def __init__(self, picture: U8, margin: int, ground: F32, dice: np.random.Generator) -> None:
        self.dice = dice
        h, w = picture.shape[:2]
        self.margin, self.inner = margin, (w, h)
        self.rgb = np.empty((h + 2 * margin, w + 2 * margin, 3), np.float32)
        self.rgb[:] = ground

    def away(self) -> tuple[F32, F32]:
        """Distance of each pixel from the picture, (h, w), and its side: 0 top, 1 right, 2 bottom, 3 left."""
        y, x = np.mgrid[0 : self.rgb.shape[0], 0 : self.rgb.shape[1]].astype(np.float32) + 0.5
        m, (w, h) = self.margin, self.inner
        sides = np.stack([m - y, x - m - w, y - m - h, m - x])
        return sides.max(0), sides.argmax(0).astype(np.float32)

    def noise(self, sigma: float, amount: float, stretch: float = 1) -> F32:
        """Soft noise of standard deviation ``amount``."""
        raw = self.dice.normal(0, 1, self.rgb.shape[:2]).astype(np.float32)
        soft = cv2.GaussianBlur(raw, (0, 0), sigmaX=sigma * stretch, sigmaY=sigma)
        return np.asarray(soft / soft.std() * amount, np.float32)

    def shadow(self, reach: float, dx: float, dy: float, dark: float, blur: float) -> None:
        """Darken what lies under a sheet that ends ``reach`` from the picture."""
        mask = (self.away()[0] < reach).astype(np.float32)
        moved = cv2.warpAffine(mask, np.float64([[1, 0, dx], [0, 1, dy]]), mask.shape[::-1])
        self.rgb *= 1 - dark * cv2.GaussianBlur(moved, (0, 0), blur)[..., None]

    def lay(self, reach: float | F32, colour: F32) -> None:
        """Lay a sheet of a colour (or a painted one) that ends ``reach`` from the picture."""
        on = self.away()[0] < reach
        self.rgb[on] = np.broadcast_to(colour, self.rgb.shape)[on]


def _paper(sheet: _Sheet, colour: tuple[float, float, float], grain: float) -> F32:
    return np.float32(colour) + sheet.noise(1.2, grain)[..., None] + sheet.noise(40, 2.0)[..., None]


def _moulding(sheet: _Sheet, start: float, width: float) -> None:
    """A profiled moulding, lit from above, with grain along it."""
    d, side = sheet.away()
    t = np.clip((d - start) / width, 0, 1)
    wood = np.float32([(90, 58, 30), (168, 130, 62), (40, 36, 34), (205, 200, 190)][sheet.dice.integers(4)])
    rounds = sheet.dice.integers(1, 4)
    slope = np.cos(np.pi * t * rounds) * sheet.dice.uniform(0.12, 0.35)
    lit = np.choose(side.astype(int), (-0.7, 0.25, 0.9, -0.2)).astype(np.float32) * slope
    along = np.where((side % 2 == 0)[..., None], 1, 0)
    grain = np.where(
        along > 0, sheet.noise(1, 4, 9)[..., None], sheet.noise(1, 4, 9).mean() + sheet.noise(1, 4)[..., None]
    )
    painted = wood * (1 + lit[..., None]) + grain
    painted *= np.where((t < 0.06) | (t > 0.95), 0.6, 1)[..., None]
    sheet.lay(start + width, painted)


def framed(picture: U8, kind: str, seed: int) -> Framed:
    """Put something around a picture and photograph or scan it.

    Args:
        picture: (h, w, 3) uint8.
        kind: "bed" a print without border on a scanner; "bare" a print with a white border on a bed; "deckled" the
            same with a torn edge; "album" on a textured page; "mount" a passe-partout that fills the frame of view;
            "moulding" a frame that fills it; "wall" a frame, with or without mount, on a wall, in perspective;
            "margins" black or white margins of a scan; "letterbox" black bars.
        seed: Of the dice.
    """
    dice = np.random.default_rng([seed, KINDS.index(kind)])
    scale = _PLANE / max(picture.shape[:2])
    picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    h, w = picture.shape[:2]
    long_side = max(h, w)
    if kind in ("margins", "letterbox"):
        return _flat(picture, kind, dice)
    flush = kind in ("mount", "moulding")
    room = long_side * (0.0 if flush else dice.uniform(0.1, 0.3))
    widths = _widths(kind, long_side, dice)
    margin = round(sum(widths) + room + (0 if flush else 0.3 * long_side))
    sheet = _Sheet(picture, margin, _ground(kind, dice), dice)
    _background(sheet, kind)
    _surround(sheet, kind, widths)
    sheet.rgb[margin : margin + h, margin : margin + w] = picture
    corners = np.float64([[0, 0], [w, 0], [w, h], [0, h]]) + margin
    return _seen(sheet, corners, kind, room + sum(widths), dice)


def _widths(kind: str, long_side: int, dice: np.random.Generator) -> tuple[float, float]:
    """How wide the inner sheet (border, mount) and the moulding are, in pixels of the plane."""
    border = long_side * dice.uniform(0.025, 0.06)
    mount = long_side * dice.uniform(0.06, 0.18)
    wood = long_side * dice.uniform(0.04, 0.12)
    return {
        "bed": (0.0, 0.0),
        "bare": (border, 0.0),
        "deckled": (border, 0.0),
        "album": (border * dice.integers(0, 2), 0.0),
        "mount": (mount, 0.0),
        "moulding": (mount * dice.integers(0, 2), wood),
        "wall": (mount * dice.integers(0, 2), wood),
    }[kind]


def _ground(kind: str, dice: np.random.Generator) -> F32:
    beds = {
        "album": [(52, 46, 42), (120, 96, 70), (35, 40, 48)],
        "wall": [(215, 210, 200), (150, 165, 160), (196, 170, 140)],
    }
    return np.float32(beds.get(kind, [(246, 246, 244), (20, 20, 22), (190, 190, 188)])[dice.integers(3)])


def _background(sheet: _Sheet, kind: str) -> None:
    grain = {"album": 5.0, "wall": 3.0}.get(kind, 1.0)
    sheet.rgb += sheet.noise(1.5, grain)[..., None]
    if kind == "wall":
        y, x = np.mgrid[0 : 1 : complex(sheet.rgb.shape[0]), 0 : 1 : complex(sheet.rgb.shape[1])].astype(np.float32)
        sheet.rgb *= (1 - 0.18 * (x * sheet.dice.uniform(-1, 1) + y * sheet.dice.uniform(-1, 1)))[..., None]


def _surround(sheet: _Sheet, kind: str, widths: tuple[float, float]) -> None:
    dice, (inner, wood) = sheet.dice, widths
    if kind in ("bed", "bare", "deckled", "album", "wall"):
        sheet.shadow(inner + wood, dice.uniform(1, 5), dice.uniform(1, 6), dice.uniform(0.1, 0.4), dice.uniform(1.5, 6))
    if wood:
        _moulding(sheet, inner, wood)
        if not inner:
            sheet.lay(1.5, np.float32([25, 20, 16]))
    if inner and kind in ("bare", "deckled", "album"):
        yellow = dice.uniform(0, 30)
        torn = sheet.noise(3, inner * 0.09) if kind == "deckled" else np.float32(0)
        sheet.lay(np.float32(inner) + torn, _paper(sheet, (238, 236 - yellow / 3, 230 - yellow), 1.0))
    elif inner:
        tone = [(240, 236, 224), (225, 218, 200), (70, 72, 66), (120, 40, 38)][dice.integers(4)]
        sheet.lay(inner, _paper(sheet, tone, 1.5))
        sheet.lay(3, np.float32([250, 250, 246]))
        sheet.lay(1, np.float32(tone) * 0.6)


def _flat(picture: U8, kind: str, dice: np.random.Generator) -> Framed:
    """Margins of a scan, or bars, added to the very pixels."""
    h, w = picture.shape[:2]
    if kind == "letterbox":
        bar = int(dice.uniform(0.06, 0.2) * max(h, w))
        top, right, bottom, left = (bar, 0, bar, 0) if dice.random() < 0.6 else (0, bar, 0, bar)
        tone, sigma = 0.0, 0.0
    else:
        top, right, bottom, left = (int(v) for v in dice.uniform(0.012, 0.09, 4) * max(h, w))
        tone, sigma = float(dice.choice([4.0, 12.0, 250.0])), 1.5
    whole = np.float32(cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(tone,) * 3))
    whole += dice.normal(0, 1, whole.shape) * sigma
    corners = np.float64([[0, 0], [w, 0], [w, h], [0, h]]) + np.float64([left, top])
    return Framed(_stored(whole, dice), corners, kind)


def _seen(sheet: _Sheet, corners: F64, kind: str, around: float, dice: np.random.Generator) -> Framed:
    """The sheet as a scanner or a camera sees it."""
    centre = corners.mean(0)
    half = (corners[2] - corners[0]) / 2 + around
    turn = np.radians({"mount": 0.6, "moulding": 0.6, "wall": 3, "album": 8}.get(kind, 15) * dice.uniform(-1, 1))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    view = np.eye(3)
    view[:2, :2] = rotation
    view[:2, 2] = -rotation @ centre
    if kind == "wall":
        view = np.array([[1, 0, 0], [0, 1, 0], [*(dice.uniform(-0.25, 0.25, 2) / half.max()), 1]]) @ view
    box = _moved(np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half + centre, view)
    if kind in ("mount", "moulding"):
        inside = np.abs(box).min(0) - 1
        low, high = -inside, inside
    else:
        low, high = box.min(0), box.max(0)
    zoom = _PLANE * dice.uniform(0.9, 1.3) / (high - low).max()
    view = np.array([[zoom, 0, -low[0] * zoom], [0, zoom, -low[1] * zoom], [0, 0, 1]]) @ view
    size = tuple(int(v) for v in np.ceil((high - low) * zoom))
    whole = cv2.warpPerspective(
        cv2.GaussianBlur(sheet.rgb, (0, 0), 0.6),
        _centred(view),
        size,
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_REFLECT,
    )
    whole = whole + dice.normal(0, dice.uniform(0.5, 3), whole.shape)
    return Framed(_stored(whole, dice), _moved(corners, view), kind)


def _moved(points: F64, view: F64) -> F64:
    out = np.c_[points, np.ones(len(points))] @ view.T
    return out[:, :2] / out[:, 2:]


def _centred(view: F64) -> F64:
    """The same map for OpenCV, whose first pixel's centre is (0, 0)."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    return np.linalg.inv(half) @ view @ half


def _stored(whole: F32, dice: np.random.Generator) -> U8:
    """Through a JPEG."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(dice.integers(70, 96))]
    _, data = cv2.imencode(".jpg", np.clip(whole, 0, 255).astype(np.uint8)[..., ::-1], quality)
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])

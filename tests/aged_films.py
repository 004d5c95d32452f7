"""Films aged on purpose, one fault at a time or all: what is done to each frame is known.

How strong, at the width of 640 pixels:

weave       steps of 0.25 % of the width (1.6 pixels), 0.05 degrees: SMPTE RP 105 speaks of 0.1 to 0.3 % for prints
            that are shown; worn and shrunken ones are worse.
flicker     8 % of the whole, 5 % more that varies over the picture: Roosmalen (Delft 1999) and Pitié et al. (ICIP 2004)
            treat of 5 to 20 % in archives.
grain       8 grey levels in the middle greys, of a pixel and a half: 16 mm and fast 35 mm stock scanned at 2K have
            about as much (ten and more at 2K before it is made smaller).
scratches   lines 2 to 5 pixels wide, tilted by at most a degree, that wander by a pixel: "3 to 10 pixels" of 720
            (diplab.it/scratches; Heritage Science 12:5, 2024); and six specks of dirt, of 3 to 14 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from unflat.types.arrays import F32, U8

FAULTS = ("black and white", "grain", "weave", "flicker", "scratches")
GREY = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Aged:
    """A film that was aged.

    Attributes:
        pictures: Its frames.
        moved: For each, (2, 3): from pixels of the clean frame to those of the aged one, centres at 0.5.
        harm: For each, (h, w) bool: scratched or dirty, in the aged frame.
    """

    pictures: list[U8]
    moved: list[F32]
    harm: list[np.ndarray]


def aged(pictures: list[U8], faults: tuple[str, ...], seed: int = 0) -> Aged:
    """Age a film.

    Args:
        pictures: (h, w, 3) each.
        faults: Of FAULTS.
        seed: Of the dice.
    """
    rng = np.random.default_rng(seed)
    h, w = pictures[0].shape[:2]
    unit = w / 640
    shifts = _wandering(rng, len(pictures), 3, 0.4) * np.array([0.0025 * w, 0.0025 * w, np.deg2rad(0.05)], np.float32)
    shifts = shifts if "weave" in faults else np.zeros_like(shifts)
    lights = _wandering(rng, len(pictures), 1, 0.3) * 0.08 if "flicker" in faults else np.zeros((len(pictures), 1))
    fields = _wandering(rng, len(pictures), 12, 0.6).reshape(-1, 3, 4) * (0.05 if "flicker" in faults else 0.0)
    lines = [_Line(rng, w, len(pictures)) for _ in range(4)] if "scratches" in faults else []
    out = Aged([], [], [])
    for k, picture in enumerate(pictures):
        frame = picture.astype(np.float32)
        if "black and white" in faults:
            frame = np.repeat(((frame @ GREY) * 0.85 + 18)[..., None], 3, 2)
        matrix = _rigid(shifts[k], w, h)
        whole = of_indices(matrix)
        frame = cv2.warpAffine(frame, whole, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        gain = cv2.resize(fields[k].astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
        frame = frame * np.exp(gain + np.float32(lights[k, 0]))[..., None]
        if "grain" in faults:
            dice = cv2.GaussianBlur(rng.standard_normal((h, w)).astype(np.float32), (0, 0), 0.7 * max(unit, 0.5))
            tone = np.clip(frame @ GREY / 255, 0, 1)
            frame = frame + (8 * dice / dice.std() * (0.4 + 2.4 * tone * (1 - tone)))[..., None]
        harm = np.zeros((h, w), np.bool_)
        for line in lines:
            line.draw(frame, harm, k, unit)
        for _ in range(6 if "scratches" in faults else 0):
            _dirt(frame, harm, rng, unit)
        out.pictures.append(np.clip(np.rint(frame), 0, 255).astype(np.uint8))
        out.moved.append(matrix)
        out.harm.append(harm)
    return out


def _wandering(rng: np.random.Generator, count: int, width: int, kept: float) -> np.ndarray:
    """(count, width) of spread 1, each row like the one before it by ``kept``."""
    dice = rng.standard_normal((count, width))
    for k in range(1, count):
        dice[k] = kept * dice[k - 1] + (1 - kept**2) ** 0.5 * dice[k]
    return dice.astype(np.float32)


def _rigid(shift: np.ndarray, width: int, height: int) -> F32:
    """(2, 3): shift by x, y and turn by an angle about the middle."""
    x, y, turn = (float(v) for v in shift)
    cos, sin, middle = np.cos(turn), np.sin(turn), (width / 2, height / 2)
    dx = middle[0] - cos * middle[0] + sin * middle[1] + x
    dy = middle[1] - sin * middle[0] - cos * middle[1] + y
    return np.array([[cos, -sin, dx], [sin, cos, dy]], np.float32)


def of_indices(matrix: F32) -> F32:
    """The same for pixels counted from 0 at their centres."""
    half = np.array([0.5, 0.5], np.float32)
    return np.column_stack([matrix[:, :2], matrix[:, :2] @ half + matrix[:, 2] - half]).astype(np.float32)


class _Line:
    """A line that runs through some frames."""

    def __init__(self, rng: np.random.Generator, width: int, frames: int) -> None:
        self.first = int(rng.integers(-8, max(1, frames - 8)))
        self.stop = self.first + int(rng.integers(10, 24))
        self.x = float(rng.uniform(0.05, 0.95)) * width
        self.tilt = float(rng.uniform(-1, 1)) * np.pi / 180
        self.wide, self.light = float(rng.uniform(2, 5)), float(rng.choice([-60, 60])) * float(rng.uniform(0.7, 1.2))
        self.aside = np.cumsum(rng.normal(0, 0.7, frames))
        self.sway = float(rng.uniform(0, 6))

    def draw(self, frame: F32, harm: np.ndarray, number: int, unit: float) -> None:
        """Into a frame."""
        if not self.first <= number < self.stop:
            return
        h, w = harm.shape
        rows = np.arange(h, dtype=np.float32)[:, None]
        middle = self.x + unit * self.aside[number] + self.tilt * (rows - h / 2)
        middle = middle + unit * np.sin(rows / h * 5 + self.sway + number * 0.4)
        off = (np.arange(w, dtype=np.float32)[None] + 0.5 - middle) / (unit * self.wide / 2)
        share = np.exp(-(off**4))
        frame += (self.light * share)[..., None]
        harm |= share > 0.2


def _dirt(frame: F32, harm: np.ndarray, rng: np.random.Generator, unit: float) -> None:
    """A speck somewhere."""
    h, w = harm.shape
    x, y = rng.uniform(0, w), rng.uniform(0, h)
    a, b, turn = unit * rng.uniform(1.5, 7), unit * rng.uniform(1.5, 5), rng.uniform(0, np.pi)
    rows, columns = np.mgrid[:h, :w].astype(np.float32)
    u = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
    v = (rows - y) * np.cos(turn) - (columns - x) * np.sin(turn)
    share = np.float32(0.85) / (1 + np.exp(np.clip(6 * ((u / a) ** 2 + (v / b) ** 2 - 1), -30, 30)))
    frame += share[..., None] * (np.float32(rng.choice([8.0, 245.0])) - frame)
    harm |= share > 0.2

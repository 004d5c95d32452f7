"""What a picture shows that fools depth -> what will go wrong, where, and what helps.

marks (network) ─► regions of mirrors, glass, blank walls ─┬─► findings, in words
depth ─► near things that the frame cuts ──────────────────┘
marks ─► confidence lowered where the depth network is more often wrong than it knows
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from unflat.types.arrays import F32, U8, Bool
from unflat.types.depth import DepthMap
from unflat.types.forecast import Box, Finding, Marks, Trouble

Reflections = Literal["inside", "surface"]


@dataclass(frozen=True, slots=True)
class ForecastOptions:
    """What is done about mirrors and glass."""

    reflections: Reflections = "inside"
    """Mirrors and panes of glass: inside, as deep as the depth network sees into them; surface, flat, with the picture
    painted on them."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """How one kind of mark becomes findings.

    least: share of the picture from which a region counts; strong, sure: share and confidence from which it is told
    without being asked; what: it is; advice: what helps.
    """

    least: float
    strong: float
    sure: float
    what: str
    advice: str


_RULES: dict[Trouble, _Rule] = {
    "mirror": _Rule(
        0.006,
        0.03,
        0.85,
        "a mirror: the depth may lead into a room that is not there",
        "--reflections surface makes it flat.",
    ),
    "glass": _Rule(
        0.006,
        0.05,
        0.85,
        "glass: the depth may be that of what lies behind it, or a mixture",
        "--reflections surface makes panes flat; vessels stay as they are.",
    ),
    "blank wall": _Rule(
        0.04,
        0.5,
        0.6,
        "a large plain surface: nothing on it tells how far it is, only its surroundings do",
        "A measured depth (--depth FILE) or a larger network ('unflat models') knows more.",
    ),
    "cut-off subject": _Rule(
        0.02,
        0.1,
        0.6,
        "a near thing that the frame cuts off: seen from the side it ends there",
        "--extend 0.2 goes on outside the frame, marked as made up; a picture with room around it is better.",
    ),
}
MOST = 4
"""Regions of one kind that are told one by one, the largest first."""
BLIND = {"mirror": 2.0, "glass": 2.0}
"""On mirrors and glass the depth network errs so many times more than it expects to (benchmarks/forecast_depth.py)."""


def findings(marks: Marks, depth: DepthMap | None) -> tuple[Finding, ...]:
    """Everything that will go wrong, the largest first within its kind.

    Args:
        marks: What the network that forecasts sees.
        depth: What the depth network sees, at any size, of the same picture; None leaves cut-off subjects out.
    """
    maps: dict[Trouble, F32] = {"mirror": marks.mirror, "glass": marks.glass, "blank wall": marks.blank}
    told = [one for trouble, map_ in maps.items() for one in _of_marks(trouble, map_)]
    return (*told, *(() if depth is None else _of_frame(depth)))


def cleared(marks: Marks, sky: F32 | None, alpha: U8 | None) -> Marks:
    """The marks without what cannot be: a blank wall in the sky, anything where the picture is transparent.

    Args:
        marks: What the network that forecasts sees.
        sky: (h, w) float32 probability of sky, of any size; None where nobody looked for it.
        alpha: (h, w) uint8 of the picture, of any size; None where all is opaque.
    """
    import cv2

    size = (marks.size.width, marks.size.height)
    blank, there = np.asarray(marks.blank), np.float32(1)
    if sky is not None:
        blank = blank * (1 - np.asarray(cv2.resize(sky, size, interpolation=cv2.INTER_LINEAR)))
    if alpha is not None:
        there = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) >= 128, np.float32)
    mirror, glass, blank = (np.asarray(map_ * there, np.float32) for map_ in (marks.mirror, marks.glass, blank))
    return Marks(mirror, glass, blank)


def regions(map_: F32, least: float) -> list[Bool]:
    """The connected parts of where a map is at least one half, of at least a share of the picture, largest first."""
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats((map_ >= 0.5).astype(np.uint8), connectivity=8)
    sizes = stats[:, cv2.CC_STAT_AREA] / map_.size
    order = [int(k) for k in np.argsort(-sizes) if k > 0 and sizes[k] >= least]
    return [np.asarray(labels) == k for k in order]


def doubtful(confidence: F32, marks: Marks) -> F32:
    """Confidence lowered where mirrors and glass are seen.

    Confidence is the chance of an error below a quarter, of errors with a Laplace distribution; an expected error k
    times as large leaves 1 - (1 - confidence)^(1/k). k is 1 where nothing is marked and `BLIND` where a mark is sure.

    Args:
        confidence: (h, w) float32 in 0..1.
        marks: Of the same picture, of any size.
    """
    import cv2

    h, w = confidence.shape
    worse = np.ones((h, w), np.float32)
    for name, factor in BLIND.items():
        seen = np.asarray(cv2.resize(getattr(marks, name), (w, h), interpolation=cv2.INTER_LINEAR))
        worse = np.maximum(worse, 1 + np.clip(seen, 0, 1) * np.float32(factor - 1))
    return (1 - (1 - np.clip(confidence, 0, 1)) ** (1 / worse)).astype(np.float32)


def _of_marks(trouble: Trouble, map_: F32) -> list[Finding]:
    rule = _RULES[trouble]
    return [_finding(trouble, region, float(map_[region].mean())) for region in regions(map_, rule.least)[:MOST]]


def _of_frame(depth: DepthMap) -> list[Finding]:
    """Cut-off subjects: how much nearer than what is beside it a thing is tells how sure it is one."""
    from unflat.geometry.cut_off import cut_offs
    from unflat.geometry.inverse import Nearness

    on = depth.surface
    nearness = Nearness.of(depth, on).from_depth(depth.values, on)
    found = [one for one in cut_offs(nearness, on) if one.region.mean() >= _RULES["cut-off subject"].least]
    return [
        _finding("cut-off subject", one.region, 1 - 1 / max(one.ratio, 1.0) ** 1.5, one.sides) for one in found[:MOST]
    ]


def _finding(trouble: Trouble, region: Bool, confidence: float, sides: tuple[str, ...] = ()) -> Finding:
    rule, share, box = _RULES[trouble], float(region.mean()), _box(region)
    where = f"at the {_and(sides)} of the frame" if sides else place(box)
    text = f"{where}, {_percent(share)} of the picture: {rule.what}."
    strong = share >= rule.strong and confidence >= rule.sure
    return Finding(trouble, box, share, confidence, strong, text, rule.advice)


def _box(region: Bool) -> Box:
    h, w = region.shape
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    return float(columns[0] / w), float(rows[0] / h), float((columns[-1] + 1) / w), float((rows[-1] + 1) / h)


def place(box: Box) -> str:
    """Where a box is, in words."""
    left, top, right, bottom = box
    if right - left > 0.7 and bottom - top > 0.7:
        return "nearly everywhere"
    across = "" if right - left > 0.7 else ("left", "", "right")[min(int((left + right) * 1.5), 2)]
    along = "" if bottom - top > 0.7 else ("top", "", "bottom")[min(int((top + bottom) * 1.5), 2)]
    return " ".join(word for word in (along, across) if word) or "middle"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "under 1%"


def _and(words: tuple[str, ...]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last

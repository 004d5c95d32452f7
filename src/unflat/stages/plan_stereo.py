"""near and far -> two eyes: how far apart, and where the plane of the screen lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from unflat.errors import InputError, UnitError
from unflat.types.stereo import Rig

Display = Literal["phone", "tv", "cinema", "headset"]
Eyes = Literal["both", "left", "right"]
EdgeWindow = Literal["none", "float", "crop"]


class Comfort(NamedTuple):
    """How far things may come out of a display and lie behind it, disparity in percent of the picture's width."""

    out: float
    in_: float


COMFORT: Mapping[str, Comfort] = {
    "phone": Comfort(2.5, 3.5),
    "tv": Comfort(1.0, 2.0),
    "cinema": Comfort(1.0, 0.65),
    "headset": Comfort(1.5, 1.5),
}
"""Limits of each display.

``tv``: BSkyB, "Technical guidelines for plano stereoscopic (3D) programme content" (2011), which British broadcasters
took over: 1 % out, 2 % in. ``cinema``: eyes must not diverge, so points at infinity are at most 65 mm apart on a screen
10 m wide. ``phone`` and ``headset``: one degree of disparity (Lambooij, IJsselsteijn, Fortuin and Heynderickx, "Visual
discomfort and visual fatigue of stereoscopic displays: a review", 2009): a phone 14 cm wide is held at 35 cm, where a
degree is 4.4 % of its width; less comes out of it than lies behind, for eyes that focus near tire sooner (Shibata, Kim,
Hoffman and Banks, "The zone of comfort", 2011); a headset shows a flat film 60 degrees wide.
"""
DEEPEST = 10.0
"""Nothing is seen by both eyes farther apart than this, in percent of the width, measured from infinity."""


@dataclass(frozen=True, slots=True)
class StereoOptions:
    """How a picture becomes two views."""

    strength: float | None = None
    """Disparity between what is nearest and what is farthest, in percent of the picture's width (default: as much as is
    comfortable on the display)."""
    convergence: Literal["auto"] | float = "auto"
    """What lies in the plane of the screen: 0 is what is farthest, 1 what is nearest (auto: so that things come out of
    the screen and lie behind it in the proportion of the display's limits, on a TV a third and two thirds)."""
    ipd_mm: float | None = None
    """Distance of the two cameras in millimetres, for depth in metres and a known lens: disparity is then as it is, not
    fitted to a display."""
    display: Display = "tv"
    """Where it is looked at; decides how much is comfortable: phone, tv, cinema or headset."""
    eye: Eyes = "both"
    """Which views are made: both, each moved by half, or one, and the picture itself is the other."""
    swap: bool = False
    """Exchange the two views."""
    edge_window: EdgeWindow = "none"
    """Things that come out of the screen and are cut by its left or right side: none leaves them, float brings that
    side of the window out by a black band for one eye, crop moves all back until they lie in the screen's plane, and
    cuts off the sides that one eye lacks."""

    def __post_init__(self) -> None:
        for name, kind in (("display", Display), ("eye", Eyes), ("edge_window", EdgeWindow)):
            if getattr(self, name) not in get_args(kind):
                words = " ".join(get_args(kind))
                raise InputError(f"there is no {name} '{getattr(self, name)}'", hint=f"Known: {words}.")
        if self.strength is not None and not 0 < self.strength <= 20:
            raise InputError(
                f"--strength {self.strength:g} is out of range", hint="Give more than 0, at most 20 percent."
            )
        if isinstance(self.convergence, str) and self.convergence != "auto":
            raise InputError(
                f"--convergence '{self.convergence}' is no place", hint="Give 0 (far) to 1 (near), or auto."
            )
        if not isinstance(self.convergence, str) and not 0 <= self.convergence <= 1:
            raise InputError(
                f"--convergence {self.convergence:g} is out of range", hint="Give 0 (far) to 1 (near), or auto."
            )
        if self.ipd_mm is not None and not 0 < self.ipd_mm <= 10_000:
            raise InputError(f"--ipd-mm {self.ipd_mm:g} is out of range", hint="Eyes are about 63 mm apart.")
        if self.ipd_mm is not None and self.strength is not None:
            raise InputError("--ipd-mm and --strength contradict each other", hint="Give one of them.")

    @property
    def left(self) -> float:
        """The share of the disparity that the left view is moved by."""
        return {"both": 0.5, "left": 1.0, "right": 0.0}[self.eye]


def plan_stereo(
    near: float, far: float, width: int, options: StereoOptions | None = None, focal_px: float | None = None
) -> Rig:
    """Place two eyes before a scene.

    Without ``strength`` and ``ipd_mm`` what is near comes out of the screen, and what is far lies behind it, at most as
    far as is comfortable; and what is nearest is seen no farther apart than a tenth of the width, so that a shallow
    scene is not blown up.

    Args:
        near: Inverse depth of what is nearest; single pixels may be nearer.
        far: Of what is farthest, smaller; 0 is infinity.
        width: Of the frame, in pixels.
        options: How.
        focal_px: Focal length in pixels of the frame, where known; then ``near`` and ``far`` are in 1/m.

    Raises:
        InputError: Nothing is nearer than infinity, or ``far`` is nearer than ``near``.
        UnitError: ``ipd_mm`` is given, and no focal length.
    """
    options = options or StereoOptions()
    if not 0 <= far <= near or near == 0:
        raise InputError(f"there is no depth to see between the inverse depths {near:g} and {far:g}")
    comfort = COMFORT[options.display]
    where = options.convergence
    out = comfort.out / (comfort.out + comfort.in_) if isinstance(where, str) else 1 - where
    screen = near - out * (near - far)
    if options.ipd_mm is not None:
        if focal_px is None:
            raise UnitError(
                "--ipd-mm needs depth in metres and a focal length",
                hint="Use a metric depth model and --fov, or --strength.",
            )
        gain = focal_px * options.ipd_mm / 1000
    else:
        gain = _fitted(near, far, width, out, options)
    return Rig(gain, gain * screen, width, options.left)


def _fitted(near: float, far: float, width: int, out: float, options: StereoOptions) -> float:
    """Pixels of disparity of an inverse depth of 1, from the strength or from what is comfortable."""
    most = DEEPEST / 100 * width / near
    span = near - far
    if span <= 0:
        return most
    if options.strength is not None:
        return options.strength / 100 * width / span
    limits = COMFORT[options.display]
    percent = min(limits.out / out if out > 0 else 100.0, limits.in_ / (1 - out) if out < 1 else 100.0)
    return min(percent / 100 * width / span, most)


def beyond_comfort(near: float, far: float, rig: Rig, display: Display) -> tuple[str, ...]:
    """What of a scene is farther out of the screen, or behind it, than is comfortable: a sentence each, or nothing.

    Args:
        near: Inverse depth of what is nearest.
        far: Of what is farthest.
        rig: The two eyes.
        display: Where they look.
    """
    limits = COMFORT[display]
    out, in_ = (
        100 * (rig.gain_px * near - rig.shift_px) / rig.width,
        100 * (rig.shift_px - rig.gain_px * far) / rig.width,
    )
    said = []
    for percent, limit, words in (
        (out, limits.out, "comes out of the screen"),
        (in_, limits.in_, "lies behind the screen"),
    ):
        if percent > limit * 1.0001:
            what = "what is nearest" if words.startswith("comes") else "what is farthest"
            said.append(f"{what} {words} by {percent:.2g} % of the width; on a {display} {limit:g} % is comfortable")
    return tuple(said)

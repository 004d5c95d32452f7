"""What a scene hands to the tracer: things, light, and cameras that look at them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.worlds.mesh import Thing

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Lamp:
    """A glowing ball: where (metres), how large (metres; larger is softer), and its strength.

    `colour` is the irradiance (linear RGB, 1 = a white wall is just white) that it casts at a distance of one metre.
    """

    at: Triple
    radius: float
    colour: Triple


@dataclass(frozen=True, slots=True)
class Sky:
    """Light from all around: a panorama where `panorama` >= 0 (turned by `turn` radians), else a gradient with clouds.

    The number of a panorama wraps among those taken under the sky, or among those of rooms where `rooms` is set.
    sun: unit direction to the sun; sun_colour: its irradiance (0, 0, 0 for an overcast sky or a room at night);
    zenith, horizon, ground: linear RGB of the gradient; clouds 0..1. haze: share of light lost in one metre of air
    (0.0002 is a clear day, 0.01 fog), which takes the colour of the horizon. ambient scales all light of the sky that
    reaches surfaces (rooms get theirs from lamps and windows).
    """

    panorama: int = -1
    turn: float = 0.0
    sun: Triple = (0.3, 0.8, 0.52)
    sun_colour: Triple = (0.9, 0.85, 0.75)
    zenith: Triple = (0.25, 0.42, 0.75)
    horizon: Triple = (0.7, 0.78, 0.85)
    ground: Triple = (0.25, 0.23, 0.2)
    clouds: float = 0.0
    haze: float = 0.0
    seed: int = 0
    rooms: bool = False


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the eye is, what it looks at (the middle of the picture), and its lens.

    fov: radians along the picture's long side. roll: radians. portrait: taller than wide. focus: metres to the sharp
    plane, aperture: diameter of the lens in metres (0: everything sharp).
    """

    eye: Triple
    target: Triple
    fov: float
    roll: float = 0.0
    portrait: bool = False
    focus: float = 3.0
    aperture: float = 0.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One scene: its things, its light, and the cameras that photograph it (several: building costs more than looking).

    fill: constant light on everything (linear RGB), what many bounces leave in a room. kind names the sort of scene.
    """

    kind: str
    things: Thing
    cameras: list[Camera]
    sky: Sky = field(default_factory=Sky)
    lamps: list[Lamp] = field(default_factory=list)
    fill: Triple = (0.0, 0.0, 0.0)

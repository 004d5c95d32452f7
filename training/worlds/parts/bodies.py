"""The measures of cars' bodies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """A body's measures in metres; the fractions say where along the car (0: nose, 1: tail) something is."""

    length: float
    width: float
    height: float
    wheel: float
    axles: tuple[float, float]
    nose: float
    cowl: float
    deck: float
    screen: tuple[float, float]
    rear: tuple[float, float]
    sill: float = 0.2
    doors: int = 4
    square: float = 5.0
    lean: float = 0.8
    windows: tuple[tuple[float, float], ...] = ((0.86, 0.08), (0.02, -0.58), (-0.64, -0.84))
    bed: bool = False


SHAPES = {
    "saloon": Shape(4.7, 1.82, 1.45, 0.33, (0.185, 0.785), 0.68, 0.95, 0.98, (0.28, 0.44), (0.66, 0.86)),
    "hatchback": Shape(4.1, 1.77, 1.49, 0.31, (0.19, 0.82), 0.70, 0.98, 0.98, (0.24, 0.42), (0.83, 0.965)),
    "city": Shape(3.5, 1.64, 1.52, 0.28, (0.17, 0.83), 0.74, 1.0, 0.98, (0.19, 0.38), (0.88, 0.98), doors=2,
                  windows=((0.84, 0.0), (-0.08, -0.84))),
    "suv": Shape(4.65, 1.9, 1.70, 0.37, (0.19, 0.79), 0.90, 1.13, 1.12, (0.26, 0.39), (0.86, 0.965), 0.28),
    "offroad": Shape(4.3, 1.85, 1.88, 0.40, (0.17, 0.79), 1.0, 1.18, 1.16, (0.29, 0.35), (0.955, 0.98), 0.36,
                 square=9.0,
                     lean=0.92),
    "estate": Shape(4.75, 1.82, 1.47, 0.33, (0.185, 0.775), 0.68, 0.95, 0.98, (0.28, 0.43), (0.88, 0.975)),
    "mpv": Shape(4.5, 1.82, 1.68, 0.32, (0.17, 0.8), 0.78, 1.05, 1.03, (0.16, 0.39), (0.9, 0.975)),
    "van": Shape(5.3, 2.0, 2.3, 0.34, (0.16, 0.8), 0.92, 1.25, 1.2, (0.13, 0.25), (0.98, 0.99), 0.24, 2, 9.0, 0.9,
                 ((0.9, 0.62),)),
    "minibus": Shape(5.0, 1.92, 1.97, 0.34, (0.18, 0.79), 0.9, 1.15, 1.12, (0.14, 0.28), (0.965, 0.985), 0.22, 4,
                 8.0, 0.88,
                     ((0.9, 0.5), (0.46, -0.1), (-0.14, -0.86))),
    "pickup": Shape(5.35, 1.9, 1.8, 0.39, (0.175, 0.775), 0.93, 1.13, 1.1, (0.29, 0.39), (0.58, 0.615), 0.34, 4,
                 6.0, 0.84,
                    ((0.84, 0.02), (-0.06, -0.82)), True),
    "sports": Shape(4.45, 1.87, 1.27, 0.34, (0.2, 0.77), 0.58, 0.84, 0.92, (0.33, 0.5), (0.6, 0.88), 0.15, 2, 4.0,
                 0.76,
                    ((0.8, -0.22), (-0.28, -0.6))),
    "coupe": Shape(4.6, 1.84, 1.38, 0.34, (0.18, 0.78), 0.64, 0.9, 0.97, (0.29, 0.47), (0.6, 0.89), 0.18, 2, 4.5,
                 0.78,
                   ((0.84, -0.12), (-0.18, -0.68))),
    "vintage": Shape(4.3, 1.66, 1.55, 0.34, (0.17, 0.79), 0.86, 0.98, 0.96, (0.34, 0.4), (0.72, 0.84), 0.26, 2, 3.2,
                 0.82,
                     ((0.8, 0.05), (-0.05, -0.7))),
    "square": Shape(4.5, 1.7, 1.42, 0.31, (0.19, 0.78), 0.78, 0.93, 0.93, (0.31, 0.4), (0.68, 0.78), 0.2,
                 square=8.0, lean=0.85),
}  # fmt: skip
ODDS = {"saloon": 4, "hatchback": 5, "city": 2, "suv": 5, "offroad": 1, "estate": 3, "mpv": 2, "van": 2,
                 "minibus": 1.2,
         "pickup": 1.5, "sports": 1, "coupe": 1, "vintage": 0.7, "square": 1.2}  # fmt: skip

"""A scene: things that stand in one frame, with the cameras that saw them and how their size is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Literal, get_args

from unflat.errors import ShapeError
from unflat.types.camera import Camera
from unflat.types.mesh import Mesh
from unflat.types.points import PointCloud
from unflat.types.provenance import Provenance
from unflat.types.safe_view import SafeView
from unflat.types.splats import Splats

Role = Literal["surface", "sky", "hidden", "soft"]
"""What a node is: a seen surface, the sky, what was continued behind outlines, a half transparent seam."""
ROLES: tuple[Role, ...] = get_args(Role)


def as_role(word: object) -> Role:
    """The role of that name; what no role is called stands for a seen surface."""
    return ROLES[ROLES.index(word)] if word in ROLES else "surface"


ScaleBasis = Literal["metric-source", "known-length", "familiar", "subject-distance", "assumed", "made-to-measure"]
"""How the size is known. ``assumed``: nothing in the picture told it. ``made-to-measure``: it was chosen (a relief)."""


class Frame(Enum):
    """The axes of a scene. The value is the word used in files."""

    CAMERA_RDF = "camera-rdf"
    """x right, y down, z forward of the first camera, origin in that camera."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How well the metres of a scene are known.

    The scene is written in these metres; its true size is, with the stated coverage, between
    ``low`` and ``high`` times as large.

    Attributes:
        basis: What told the size.
        low: Lower end of the factor from written to true metres, 0 < low <= 1 for an honest interval.
        high: Upper end of that factor.
        coverage: How often the interval is expected to hold the truth.
        detail: In words for the user ("a standing person, 1.7 m").
    """

    basis: ScaleBasis
    low: float
    high: float
    coverage: float = 0.9
    detail: str = ""

    def __post_init__(self) -> None:
        if not (0 < self.low <= self.high and math.isfinite(self.high)):
            raise ShapeError(f"a scale interval must be positive and ordered, not {self.low}..{self.high}")

    @property
    def assumed(self) -> bool:
        """True if nothing in the picture told the size."""
        return self.basis == "assumed"


@dataclass(frozen=True, slots=True)
class Node:
    """One named thing of a scene."""

    name: str
    item: Mesh | PointCloud | Splats
    role: Role = "surface"


@dataclass(frozen=True, slots=True)
class Scene:
    """Things in one frame, in metres.

    Attributes:
        nodes: What stands in it.
        cameras: Those that saw it; the first one is the picture's own.
        frame: Which way the axes point.
        scale: How well the metres are known.
        provenance: Where it all comes from.
        safe_view: How far the eye may leave the first camera; None where nobody looked.
    """

    nodes: tuple[Node, ...]
    cameras: tuple[Camera, ...]
    frame: Frame
    scale: Scale
    provenance: Provenance
    safe_view: SafeView | None = None

    def __post_init__(self) -> None:
        names = [node.name for node in self.nodes]
        if len(set(names)) != len(names):
            raise ShapeError(f"the nodes of a scene need different names, not {names}")

    @property
    def triangles(self) -> int:
        """How many triangles all meshes have together."""
        return sum(len(n.item.faces) for n in self.nodes if isinstance(n.item, Mesh))

    def __repr__(self) -> str:
        inside = ", ".join(f"{n.name}: {n.item!r}" for n in self.nodes)
        return f"Scene({inside}; {self.frame.value}, scale {self.scale.basis})"

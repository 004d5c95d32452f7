"""A scene: things that stand in one frame, with the cameras that saw them and how their size is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, get_args

import numpy as np

from unflat.errors import ShapeError
from unflat.types.camera import Camera
from unflat.types.depth import DepthMap
from unflat.types.mesh import Mesh
from unflat.types.points import PointCloud
from unflat.types.provenance import Provenance
from unflat.types.safe_view import SafeView
from unflat.types.scale import Scale
from unflat.types.splats import Splats
from unflat.types.tour import Tour
from unflat.types.track import Track
from unflat.types.volume import Volume

Role = Literal["surface", "sky", "hidden", "soft", "beyond"]
"""What a node is: a seen surface, the sky, what was continued behind outlines, a half transparent seam, what was
continued beyond the picture's border."""
ROLES: tuple[Role, ...] = get_args(Role)


def as_role(word: object) -> Role:
    """The role of that name; what no role is called stands for a seen surface."""
    return ROLES[ROLES.index(word)] if word in ROLES else "surface"


class Frame(Enum):
    """The axes of a scene. The value is the word used in files."""

    CAMERA_RDF = "camera-rdf"
    """x right, y down, z forward of the first camera, origin in that camera."""
    LEVEL_RDF = "level-rdf"
    """The same, turned level: y along gravity, z the horizontal direction that is ahead. A panorama has its eye at the
    origin; a scan has its floor at y = 0."""
    PATIENT_LPS = "patient-lps"
    """x to the patient's left, y to the back, z to the head, as DICOM has it."""


@dataclass(frozen=True, slots=True)
class Finish:
    """How a surface looks that no picture lies on; whoever shows it lights it.

    Attributes:
        color: sRGB bytes.
        opacity: 0 (not to be seen) to 1.
    """

    color: tuple[int, int, int]
    opacity: float = 1.0

    def __post_init__(self) -> None:
        if len(self.color) != 3 or not all(0 <= c <= 255 for c in self.color) or not 0 <= self.opacity <= 1:
            raise ShapeError(f"a finish has three colour bytes and an opacity of 0 to 1, not {self}")


@dataclass(frozen=True, slots=True)
class Pin:
    """A text that points at a place.

    Attributes:
        text: What stands on it.
        at: Where it points, metres in the scene's frame.
        node: The node that it belongs to and moves with, or None.
        detail: What more there is to read, or None.
    """

    text: str
    at: tuple[float, float, float]
    node: str | None = None
    detail: str | None = None

    def __post_init__(self) -> None:
        if not self.text.strip() or len(self.at) != 3 or not np.isfinite(self.at).all():
            raise ShapeError(f"a pin needs a text and a finite place, not {self.text!r} at {self.at}")


@dataclass(frozen=True, slots=True)
class Node:
    """One named thing of a scene.

    Attributes:
        name: Different from those of all other nodes.
        item: What it is.
        role: What it stands for.
        pictures: In a tour, the pictures that it is made of.
        finish: How it looks where neither texture nor colours of its own say that; None: as its own colours are.
    """

    name: str
    item: Mesh | PointCloud | Splats
    role: Role = "surface"
    pictures: tuple[str, ...] = ()
    finish: Finish | None = None


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
        depth: What the first camera saw, from which the scene was built; None where there is none to go back to.
        tracks: Cameras that move through it; formats without animation leave them out.
        tour: The pictures that one goes through it by, and the doors between them; None where it is no tour.
        pins: Texts that point at places of it.
        volume: The scan that its surfaces were made of, for formats that show both; None where there is none.
    """

    nodes: tuple[Node, ...]
    cameras: tuple[Camera, ...]
    frame: Frame
    scale: Scale
    provenance: Provenance
    safe_view: SafeView | None = None
    depth: DepthMap | None = None
    tracks: tuple[Track, ...] = ()
    tour: Tour | None = None
    pins: tuple[Pin, ...] = ()
    volume: Volume | None = None

    def __post_init__(self) -> None:
        names = [node.name for node in self.nodes]
        if len(set(names)) != len(names):
            raise ShapeError(f"the nodes of a scene need different names, not {names}")
        lost = {pin.node for pin in self.pins} - {None, *names}
        if lost:
            raise ShapeError(f"pins of nodes that the scene has not: {sorted(map(str, lost))}")

    @property
    def triangles(self) -> int:
        """How many triangles all meshes have together."""
        return sum(len(n.item.faces) for n in self.nodes if isinstance(n.item, Mesh))

    def __repr__(self) -> str:
        inside = ", ".join(f"{n.name}: {n.item!r}" for n in self.nodes)
        return f"Scene({inside}; {self.frame.value}, scale {self.scale.basis})"

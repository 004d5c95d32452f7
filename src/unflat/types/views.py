"""Many pictures of one place: before their cameras are known (Still), after (View), and the points that tie them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from unflat.errors import ShapeError
from unflat.types.arrays import F32, F64, U8, Bool, settle
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.depth import DepthMap
from unflat.types.image import Size
from unflat.types.provenance import Provenance, Source
from unflat.types.scale import Scale
from unflat.types.track import Track


@dataclass(frozen=True, slots=True)
class Lens:
    """A pinhole camera with the distortion of Brown (1966), as OpenCV and COLMAP's ``OPENCV`` model write it.

    With x = X/Z, y = Y/Z and r² = x² + y², a point is seen at fx·x' + cx, where
    x' = x (1 + k1 r² + k2 r⁴) + 2 p1 x y + p2 (r² + 2 x²), y' = y (1 + k1 r² + k2 r⁴) + p1 (r² + 2 y²) + 2 p2 x y.

    Attributes:
        intrinsics: The pinhole part, in pixels of its image.
        k1: Radial distortion.
        k2: Radial distortion.
        p1: Tangential distortion.
        p2: Tangential distortion.
    """

    intrinsics: Intrinsics
    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0

    @property
    def pinhole(self) -> bool:
        """True if straight lines stay straight."""
        return self.k1 == self.k2 == self.p1 == self.p2 == 0

    def resized(self, size: Size) -> Lens:
        """The same lens for the picture at another size; distortion does not depend on it."""
        return replace(self, intrinsics=self.intrinsics.resized(size))


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """A photograph or a frame of a film that is to be placed; its pixels are read when they are needed.

    Attributes:
        name: Different for every still of a set: the file's name, or the frame's number in six digits.
        size: Of the picture, upright.
        read: Gives the pixels, (h, w, 3) uint8 sRGB of ``size``, anew with every call.
        camera: Stills with the same word here were taken by one camera at one zoom, and share their lens.
        lens: What is known of the lens before it is measured (EXIF, the user); None where nothing is.
        seconds: When it was taken on the clock of its film or sequence; None for loose photographs.
        mask: Gives (h, w) bool, True where the picture may be used (a cut-out's subject, no moving people); None: all.
        source: The file that it comes from.
        sharpness: 0..1, how much of the finest detail it has (``stages.sample_frames``); None where nobody looked.
        taken: The size of the picture as it came, upright, in whose pixels users mark things; None: ``size``.
    """

    name: str
    size: Size
    read: Callable[[], U8] = field(repr=False)
    camera: str = "camera"
    lens: Lens | None = None
    seconds: float | None = None
    mask: Callable[[], Bool] | None = field(default=None, repr=False)
    source: Source = field(default_factory=Source.array, repr=False)
    sharpness: float | None = None
    taken: Size | None = None

    def __post_init__(self) -> None:
        if self.lens is not None and self.lens.intrinsics.size != self.size:
            raise ShapeError(f"the lens of {self.name} is one for {self.lens.intrinsics.size}, not {self.size}")


@dataclass(frozen=True, slots=True, eq=False)
class Offered:
    """A still with its pixels, while it is looked at.

    Attributes:
        still: What is known of it; its ``read`` opens the file again.
        pixels: (h, w, 3) uint8, upright.
        mask: (h, w) bool, True where it may be used; None where all of it may.
    """

    still: Still
    pixels: U8
    mask: Bool | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """A picture that was left out.

    Attributes:
        name: Of the still or file.
        why: In words for the user ("blurred: sharper frames are beside it", "shows nothing that others show").
    """

    name: str
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Stills:
    """The pictures of one place, chosen to be placed.

    Attributes:
        items: In order of time where ``ordered``, else of their names.
        ordered: Whether neighbours in ``items`` were taken one after the other.
        dropped: What was left out while choosing, and why.
    """

    items: tuple[Still, ...]
    ordered: bool
    dropped: tuple[Dropped, ...] = ()

    def __post_init__(self) -> None:
        if len({still.name for still in self.items}) != len(self.items):
            raise ShapeError("the stills of a set need different names")


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A still whose camera is known.

    Attributes:
        still: The picture.
        lens: As it was measured, for the still's size.
        pose: Where the camera stands; metres if the reconstruction's scale is known.
        error_px: Root mean square reprojection error of the points that it sees, in pixels; None where it sees none.
        sure: 0..1; small where its place rests on few points or on learned depth alone.
    """

    still: Still
    lens: Lens
    pose: Pose
    error_px: float | None = None
    sure: float = 1.0

    @property
    def camera(self) -> Camera:
        """Its pinhole part as a camera of a scene."""
        return Camera(self.lens.intrinsics, self.pose, self.still.name)


@dataclass(frozen=True, slots=True, eq=False)
class SparsePoints:
    """Triangulated points and who saw them.

    Attributes:
        xyz: (n, 3) float64 in the frame of the views.
        colors: (n, 3) uint8 sRGB.
        error_px: (n,) float32 mean reprojection error.
        view: (m,) int32, for each observation the number of its view.
        point: (m,) int32, for each observation the number of its point.
        pixel: (m, 2) float32, where the point was seen, in pixels of the view's (distorted) still; the first pixel's
            centre is (0.5, 0.5).
    """

    xyz: F64
    colors: U8
    error_px: F32
    view: np.ndarray
    point: np.ndarray
    pixel: F32

    def __post_init__(self) -> None:
        settle(self, "xyz", "float64", (None, 3))
        settle(self, "colors", "uint8", (len(self.xyz), 3))
        settle(self, "error_px", "float32", (len(self.xyz),))
        settle(self, "view", "int32", (None,))
        settle(self, "point", "int32", (len(self.view),))
        settle(self, "pixel", "float32", (len(self.view), 2))

    @staticmethod
    def none() -> SparsePoints:
        """No points at all."""
        empty = np.zeros(0)
        return SparsePoints(
            np.zeros((0, 3)),
            np.zeros((0, 3), np.uint8),
            empty.astype(np.float32),
            empty.astype(np.int32),
            empty.astype(np.int32),
            np.zeros((0, 2), np.float32),
        )

    def __str__(self) -> str:
        return f"SparsePoints({len(self.xyz)} points, {len(self.view)} observations)"


@dataclass(frozen=True, slots=True, eq=False)
class Similarity:
    """``x -> factor · rotation · x + shift``: a frame turned, moved and brought to size.

    Attributes:
        factor: Greater than 0.
        rotation: (3, 3) float64 of determinant +1.
        shift: (3,) float64, in the target's unit.
    """

    factor: float
    rotation: F64
    shift: F64

    def __post_init__(self) -> None:
        settle(self, "rotation", "float64", (3, 3))
        settle(self, "shift", "float64", (3,))
        if not (self.factor > 0 and np.isfinite(self.factor)):
            raise ShapeError(f"a similarity's factor is greater than 0, not {self.factor}")
        if abs(np.linalg.det(self.rotation) - 1) > 1e-6:
            raise ShapeError("a similarity's rotation has the determinant +1")

    def points(self, xyz: F64) -> F64:
        """(n, 3) points in the target frame."""
        return self.factor * (np.asarray(xyz, np.float64) @ self.rotation.T) + self.shift

    def pose(self, pose: Pose) -> Pose:
        """A camera's pose in the target frame."""
        moved = np.eye(4)
        moved[:3, :3] = self.rotation @ pose.world_from_camera[:3, :3]
        moved[:3, 3] = self.points(pose.world_from_camera[None, :3, 3])[0]
        return Pose(moved)


@dataclass(frozen=True, slots=True, eq=False)
class Reconstruction:
    """Cameras and points of one place, in one frame.

    Attributes:
        views: The stills that found their place; in the order of the stills.
        points: What was triangulated.
        lost: The stills that did not, and why.
        scale: How well its unit is known as metres; None while it is free.
        level: Whether y points down along gravity.
        notes: What the user should know, in words.
        provenance: Where it came from, or None.
    """

    views: tuple[View, ...]
    points: SparsePoints
    lost: tuple[Dropped, ...] = ()
    scale: Scale | None = None
    level: bool = False
    notes: tuple[str, ...] = ()
    provenance: Provenance | None = None

    def moved(self, target_from_this: Similarity) -> Reconstruction:
        """The same in another frame."""
        views = tuple(replace(view, pose=target_from_this.pose(view.pose)) for view in self.views)
        return replace(self, views=views, points=replace(self.points, xyz=target_from_this.points(self.points.xyz)))

    def track(self, name: str = "walk") -> Track | None:
        """The way the camera went, beginning at 0 s; None unless two views at least were taken at different times."""
        timed = {view.still.seconds: view for view in self.views if view.still.seconds is not None}
        times = sorted(timed)
        if len(times) < 2:
            return None
        return Track.of([timed[at].camera for at in times], [at - times[0] for at in times], name)

    def __str__(self) -> str:
        return f"Reconstruction({len(self.views)} views, {len(self.points.xyz)} points, {len(self.lost)} lost)"


@dataclass(frozen=True, slots=True, eq=False)
class ViewDepth:
    """What one view sees of the surface.

    Attributes:
        view: With a pinhole lens: its still is undistorted.
        depth: z along the view's axis in the unit of the reconstruction (kind SCALE, or METRIC where metres are
            known), with confidence, for all or part of the still's resolution; its intrinsics say which.
        normals: (h, w, 3) float32 in camera axes, towards the camera; NaN where not known; None where nobody looked.
        learned: (h, w) bool, where the network's depth stands in because nothing could be triangulated; None: nowhere.
        flat: (h, w) bool, where a plane measured around goes on because nothing could be matched; None: nowhere.
    """

    view: View
    depth: DepthMap
    normals: F32 | None = None
    learned: Bool | None = None
    flat: Bool | None = None

    def __post_init__(self) -> None:
        shape = self.depth.values.shape
        settle(self, "normals", "float32", (*shape, 3))
        settle(self, "learned", "bool", shape)
        settle(self, "flat", "bool", shape)
        if not self.view.lens.pinhole:
            raise ShapeError(f"{self.view.still.name} is still distorted")
        if self.depth.intrinsics is None:
            raise ShapeError(f"the depth of {self.view.still.name} has no camera")

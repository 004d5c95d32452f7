"""The nouns: frozen, checked, numpy only."""

from unflat.types.camera import Camera, FocalBasis, Intrinsics, Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, LensRecord, Size
from unflat.types.mesh import Mesh
from unflat.types.occupancy import Occupancy
from unflat.types.people import People, Sighting
from unflat.types.points import PointCloud, PointMap
from unflat.types.provenance import Basis, Credentials, Likeness, Provenance, Reservation, Rights, Source, Step
from unflat.types.safe_view import SafeView
from unflat.types.scale import Scale, ScaleBasis
from unflat.types.scene import Finish, Frame, Node, Pin, Role, Scene
from unflat.types.splats import Splats
from unflat.types.tour import Doorway, Stop, Tour, TourPlan
from unflat.types.track import Track
from unflat.types.views import Lens, Reconstruction, Similarity, SparsePoints, Still, Stills, View, ViewDepth
from unflat.types.volume import Grid, Label, LabelMap, Volume

__all__ = [
    "Basis",
    "Camera",
    "Credentials",
    "DepthKind",
    "DepthMap",
    "Doorway",
    "Finish",
    "FocalBasis",
    "Frame",
    "Grid",
    "Image",
    "Intrinsics",
    "Label",
    "LabelMap",
    "Lens",
    "LensRecord",
    "Likeness",
    "Mesh",
    "Node",
    "Occupancy",
    "People",
    "Pin",
    "PointCloud",
    "PointMap",
    "Pose",
    "Provenance",
    "Reconstruction",
    "Reservation",
    "Rights",
    "Role",
    "SafeView",
    "Scale",
    "ScaleBasis",
    "Scene",
    "Sighting",
    "Similarity",
    "Size",
    "Source",
    "SparsePoints",
    "Splats",
    "Step",
    "Still",
    "Stills",
    "Stop",
    "Tour",
    "TourPlan",
    "Track",
    "View",
    "ViewDepth",
    "Volume",
]

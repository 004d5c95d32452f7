"""Turn flat pictures into space.

    import unflat

    unflat.photo("beach.jpg").save("beach.glb", "beach.html")
    unflat.stereo("beach.jpg").save("beach_LRF_Full_SBS.jpg", "beach.mpo")
    unflat.stereo_film("holiday.mp4").save("holiday_LR.mp4", "holiday.html")
    unflat.scan("flat.mp4").save("flat.html")  # a place to walk through
    unflat.volume("ct", preset="bone").save("skull.glb", "skull.stl")
    depth = unflat.depth("beach.jpg")          # a DepthMap: values, kind, confidence, sky, intrinsics

Everything here is imported when it is first used; ``import unflat`` loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from unflat.errors import UnflatError
    from unflat.formats.registry import ExportOptions
    from unflat.pipelines.depth import DepthMapOptions
    from unflat.pipelines.face import depth, depth_film, inspect, photo, scan, stereo, stereo_film, tour, volume
    from unflat.pipelines.photo import PhotoOptions
    from unflat.pipelines.result import PhotoResult
    from unflat.pipelines.scan import ScanOptions
    from unflat.pipelines.scan_result import ScanResult
    from unflat.pipelines.stereo import StereoPictureOptions
    from unflat.pipelines.stereo_film import Film, FilmOptions
    from unflat.pipelines.stereo_result import StereoResult
    from unflat.pipelines.tour_result import TourResult
    from unflat.pipelines.volume import VolumeOptions, VolumeResult
    from unflat.stages.scale_to_metres import KnownLength
    from unflat.stages.track_stream import Tracker
    from unflat.stages.tracking import TrackerOptions, Tracking
    from unflat.types import (
        Camera,
        DepthKind,
        DepthMap,
        Grid,
        Image,
        Intrinsics,
        LabelMap,
        Mesh,
        PointCloud,
        Scene,
        Size,
        Splats,
        Volume,
    )
    from unflat.types.tour import TourPlan
    from unflat.types.views import Lens

__all__ = [
    "Camera",
    "DepthKind",
    "DepthMap",
    "DepthMapOptions",
    "ExportOptions",
    "Film",
    "FilmOptions",
    "Grid",
    "Image",
    "Intrinsics",
    "KnownLength",
    "LabelMap",
    "Lens",
    "Mesh",
    "PhotoOptions",
    "PhotoResult",
    "PointCloud",
    "ScanOptions",
    "ScanResult",
    "Scene",
    "Size",
    "Splats",
    "StereoPictureOptions",
    "StereoResult",
    "TourPlan",
    "TourResult",
    "Tracker",
    "TrackerOptions",
    "Tracking",
    "UnflatError",
    "Volume",
    "VolumeOptions",
    "VolumeResult",
    "__version__",
    "depth",
    "depth_film",
    "inspect",
    "photo",
    "scan",
    "stereo",
    "stereo_film",
    "tour",
    "volume",
]

_HOMES = {
    "DepthMapOptions": "unflat.pipelines.depth",
    "ExportOptions": "unflat.formats.registry",
    "Film": "unflat.pipelines.stereo_film",
    "FilmOptions": "unflat.pipelines.stereo_film",
    "PhotoOptions": "unflat.pipelines.photo",
    "PhotoResult": "unflat.pipelines.result",
    "ScanOptions": "unflat.pipelines.scan",
    "ScanResult": "unflat.pipelines.scan_result",
    "StereoPictureOptions": "unflat.pipelines.stereo",
    "StereoResult": "unflat.pipelines.stereo_result",
    "KnownLength": "unflat.stages.scale_to_metres",
    "Lens": "unflat.types.views",
    "TourPlan": "unflat.types.tour",
    "TourResult": "unflat.pipelines.tour_result",
    "Tracker": "unflat.stages.track_stream",
    "TrackerOptions": "unflat.stages.tracking",
    "Tracking": "unflat.stages.tracking",
    "UnflatError": "unflat.errors",
    "VolumeOptions": "unflat.pipelines.volume",
    "VolumeResult": "unflat.pipelines.volume",
    "depth": "unflat.pipelines.face",
    "depth_film": "unflat.pipelines.face",
    "inspect": "unflat.pipelines.face",
    "photo": "unflat.pipelines.face",
    "scan": "unflat.pipelines.face",
    "stereo": "unflat.pipelines.face",
    "stereo_film": "unflat.pipelines.face",
    "tour": "unflat.pipelines.face",
    "volume": "unflat.pipelines.face",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'unflat' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOMES.get(name, "unflat.types")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)

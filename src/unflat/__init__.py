"""Turn flat pictures into space.

    import unflat

    unflat.photo("beach.jpg").save("beach.glb", "beach.html")
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
    from unflat.pipelines.face import depth, inspect, photo
    from unflat.pipelines.photo import PhotoOptions
    from unflat.pipelines.result import PhotoResult
    from unflat.stages.scale_to_metres import KnownLength
    from unflat.types import Camera, DepthKind, DepthMap, Image, Intrinsics, Mesh, PointCloud, Scene, Size, Splats

__all__ = [
    "Camera",
    "DepthKind",
    "DepthMap",
    "DepthMapOptions",
    "ExportOptions",
    "Image",
    "Intrinsics",
    "KnownLength",
    "Mesh",
    "PhotoOptions",
    "PhotoResult",
    "PointCloud",
    "Scene",
    "Size",
    "Splats",
    "UnflatError",
    "__version__",
    "depth",
    "inspect",
    "photo",
]

_HOMES = {
    "DepthMapOptions": "unflat.pipelines.depth",
    "ExportOptions": "unflat.formats.registry",
    "PhotoOptions": "unflat.pipelines.photo",
    "PhotoResult": "unflat.pipelines.result",
    "KnownLength": "unflat.stages.scale_to_metres",
    "UnflatError": "unflat.errors",
    "depth": "unflat.pipelines.face",
    "inspect": "unflat.pipelines.face",
    "photo": "unflat.pipelines.face",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'unflat' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOMES.get(name, "unflat.types")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)

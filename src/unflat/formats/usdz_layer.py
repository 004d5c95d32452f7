"""Opens one USD layer in a process of its own and writes down what is in it as plain arrays.

USD's binary files are parsed by native code that was not written for hostile input: a damaged one can end the whole
process (one of 600 mutated files did). So :mod:`unflat.formats.usdz_read` runs this file as

    python -m unflat.formats.usdz_layer LAYER OUT.npz

and checks what comes out. A layer that refers to any other layer is refused, so nothing but itself is opened. The .npz
holds ``story``, JSON in UTF-8 bytes, and for surface N ``N.points``, ``N.counts``, ``N.faces`` and, where the layer has
them, ``N.normals``, ``N.st``, ``N.displayColor``, ``N.confidence``, ``N.invented``.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.formats.plain import is_object
from unflat.formats.pxr_late import usd_module

_PRIMVARS = ("st", "displayColor", "confidence", "invented")
_LARGEST_PROCESS = 12 << 30
_REFUSED = 3

Arrays = dict[str, NDArray[Any]]


def main(layer_path: str, out_path: str) -> int:
    """Read the layer, write the arrays; 0, or 3 if the layer is refused."""
    _limit_memory()
    Sdf, Tf, Usd = usd_module("Sdf"), usd_module("Tf"), usd_module("Usd")

    try:
        layer = Sdf.Layer.OpenAsAnonymous(layer_path)
        if layer is None or layer.GetCompositionAssetDependencies():
            return _REFUSED
        stage = Usd.Stage.Open(layer)
        story, arrays = _contents(stage, dict(layer.customLayerData))
    except (Tf.ErrorException, RuntimeError, ValueError, TypeError, KeyError, AttributeError, MemoryError):
        return _REFUSED
    text = json.dumps(story, allow_nan=False).encode()
    every: Any = {"story": np.frombuffer(text, np.uint8), **arrays}
    with Path(out_path).open("wb") as file:
        np.savez(file, **every)
    return 0


def _limit_memory() -> None:
    """Keep a small file from filling the machine, where the system can be told."""
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        soft = _LARGEST_PROCESS if hard == resource.RLIM_INFINITY else min(hard, _LARGEST_PROCESS)
        with contextlib.suppress(ValueError, OSError):  # macOS knows the limit but refuses to set it
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _contents(stage: Any, custom: dict[str, Any]) -> tuple[dict[str, Any], Arrays]:
    """What the stage holds below its default prim, in that prim's own space."""
    UsdGeom = usd_module("UsdGeom")

    root = stage.GetDefaultPrim()
    cache = UsdGeom.XformCache()
    arrays: Arrays = {}
    surfaces: list[dict[str, Any]] = []
    cameras: list[dict[str, Any]] = []
    for prim in stage.Traverse():
        if prim.IsA(UsdGeom.Mesh):
            matrix = _matrix(cache, prim, root)
            texture = _texture_of(prim)
            known = {"name": prim.GetDisplayName() or prim.GetName(), "texture": texture, "root_from_mesh": matrix}
            arrays.update({f"{len(surfaces)}.{key}": value for key, value in _surface(prim).items()})
            surfaces.append(known)
        elif prim.IsA(UsdGeom.Camera):
            pixels = prim.GetCustomDataByKey("unflat")
            name = prim.GetDisplayName() or prim.GetName()
            cameras.append({"name": name, "root_from_camera": _matrix(cache, prim, root), "pixels": dict(pixels or {})})
    ours = custom.get("unflat")
    record = ours.get("record") if is_object(ours) else None
    return {"record": record, "surfaces": surfaces, "cameras": cameras}, arrays


def _matrix(cache: Any, prim: Any, root: Any) -> list[list[float]]:
    """root_from_prim for column vectors; USD's own are for row vectors."""
    relative, _ = cache.ComputeRelativeTransform(prim, root)
    return np.array(relative).T.tolist()


def _surface(prim: Any) -> Arrays:
    """The arrays of one mesh; only values given per vertex."""
    UsdGeom = usd_module("UsdGeom")

    mesh, primvars = UsdGeom.Mesh(prim), UsdGeom.PrimvarsAPI(prim)
    found = {
        "points": mesh.GetPointsAttr().Get(),
        "counts": mesh.GetFaceVertexCountsAttr().Get(),
        "faces": mesh.GetFaceVertexIndicesAttr().Get(),
        "normals": mesh.GetNormalsAttr().Get(),
    }
    for key in _PRIMVARS:
        primvar = primvars.GetPrimvar(key)
        if primvar and primvar.HasValue() and primvar.GetInterpolation() == UsdGeom.Tokens.vertex:
            found[key] = primvar.ComputeFlattened()
    return {key: np.array(value) for key, value in found.items() if value is not None}


def _texture_of(prim: Any) -> str | None:
    """The member of the archive that is the picture on a mesh."""
    UsdShade = usd_module("UsdShade")

    material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
    shader, _, _ = material.ComputeSurfaceSource() if material else (None, None, None)
    for name in ("emissiveColor", "diffuseColor"):
        source = shader.GetInput(name).GetConnectedSource() if shader and shader.GetInput(name) else None
        file = UsdShade.Shader(source[0].GetPrim()).GetInput("file") if source else None
        if file and file.Get() is not None:
            return str(file.Get().path)
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))

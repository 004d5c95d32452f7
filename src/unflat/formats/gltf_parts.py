"""A scene as the parts of glTF 2.0: the JSON document, the binary buffer and the textures.

Everything is turned to glTF's axes (x right, y up, z towards the viewer; metres) in the buffers themselves, so no
node carries a rotation. Each node of the scene is one mesh with one primitive. Surfaces are unlit, for a photograph
holds its light already; only what has a finish and no colours of its own is lit (:mod:`unflat.formats.gltf_finish`).

Names of ours beyond the standard:

    mesh attribute   _CONFIDENCE            float, 0..1
    mesh attribute   _INVENTED              float, 0 seen, 1 made up
    node extras      role                   "surface", "sky", "hidden" (behind outlines), "soft" (seams), "beyond"
    node, mesh extras  pictures             in a tour, the names of the pictures that the surface is made of
    node extras      door                   in a tour, {"from": picture, "to": picture} of a node without a mesh
    node extras      pin                    {"text", "node", "detail"} of a node without a mesh: a text points there
    camera extras    fx fy cx cy width height basis   (pixels; glTF cameras cannot be off centre)
    camera extras    part title date        in a tour; pictures of the same part stand truly to each other
    asset extras     unflat                 see :func:`unflat.formats.provenance_text.record`

Two attributes are floats although a byte would do: glTF aligns every vertex attribute to four bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import unflat
from unflat.errors import InputError
from unflat.formats.gltf_finish import UNLIT, material_of, pin_node
from unflat.formats.gltf_tracks import POINTER, animation_of
from unflat.formats.linear_colour import LINEAR16_FROM_SRGB8
from unflat.formats.provenance_text import record, rights_line
from unflat.formats.texture import encoded
from unflat.formats.told_rights import all_rights, json_ld
from unflat.geometry.normals import vertex_normals
from unflat.geometry.transform import Door, door_from_frame, quaternion_from_rotation, turned
from unflat.types.arrays import F32, F64, U8
from unflat.types.camera import Camera
from unflat.types.image import Image
from unflat.types.mesh import Mesh
from unflat.types.points import PointCloud
from unflat.types.scene import Finish, Node, Scene
from unflat.types.tour import Doorway, Stop

CAMERA_TURN: F64 = np.diag([1.0, -1.0, -1.0])
"""gl_camera_from_rdf_camera: the cameras of glTF and USD look along -z with y up."""

ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
_UNSIGNED_SHORT, _UNSIGNED_INT, _FLOAT = 5123, 5125, 5126
_POINTS, _TRIANGLES = 0, 4
_CLAMP, _LINEAR, _LINEAR_MIPMAP_LINEAR = 33071, 9729, 9987
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
_NEAR_M = 0.01
XMP = "KHR_xmp_json_ld"

Place = Callable[[bytes, str, str], dict[str, Any]]
"""Takes a texture's (bytes, mime type, extension) and says what the image object of the document holds."""


@dataclass(slots=True)
class Buffer:
    """Collects arrays into one binary buffer, with the views and accessors that describe it."""

    chunks: list[bytes | memoryview] = field(default_factory=list[bytes | memoryview])
    views: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    accessors: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    length: int = 0

    def add_view(self, data: bytes | memoryview, target: int | None = None) -> int:
        """Append ``data`` at a multiple of four bytes and return the number of its view."""
        view: dict[str, Any] = {"buffer": 0, "byteOffset": self.length, "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        padding = -len(data) % 4
        self.chunks += [data, b"\0" * padding] if padding else [data]
        self.length += len(data) + padding
        self.views.append(view)
        return len(self.views) - 1

    def add_array(self, array: NDArray[Any], *, component: int, target: int | None, **more: Any) -> int:
        """Append an (n,) or (n, k) array and return the number of its accessor."""
        kind = _TYPES[1 if array.ndim == 1 else array.shape[1]]
        view = self.add_view(np.ascontiguousarray(array).data.cast("B"), target)
        entry = {"bufferView": view, "componentType": component, "count": len(array), "type": kind, **more}
        self.accessors.append(entry)
        return len(self.accessors) - 1


def document_of(scene: Scene, place: Place | None, max_side: int, quality: int) -> tuple[dict[str, Any], Buffer]:
    """Build the glTF document of a scene; what is empty is left out.

    Args:
        scene: Meshes and point clouds.
        place: Where textures go; None puts them into the buffer.
        max_side: Longest side of a texture in pixels.
        quality: JPEG quality of textures that are encoded anew.

    Raises:
        InputError: The scene holds splats, or nothing at all that can be drawn.
    """
    maker = _Maker(door_from_frame(scene.frame, Door.GL), place, max_side, quality)
    for node in scene.nodes:
        maker.add_node(node)
    if not maker.nodes:
        raise InputError("the scene is empty: there is no triangle or point to write")
    stops = {} if scene.tour is None else {stop.picture: stop for stop in scene.tour.stops}
    for camera in scene.cameras:
        maker.add_camera(camera, stops.get(camera.name))
    for door in () if scene.tour is None else scene.tour.doors:
        maker.add_door(door)
    maker.nodes += [pin_node(pin, maker.gl_from_frame) for pin in scene.pins]
    animations = [animation_of(track, maker, maker.gl_from_frame, CAMERA_TURN) for track in scene.tracks]
    asset: dict[str, Any] = {"version": "2.0", "generator": f"unflat {unflat.__version__}"}
    line = rights_line(all_rights(scene.provenance))
    if line:
        asset["copyright"] = line
    asset["extensions"] = {XMP: {"packet": 0}}
    asset["extras"] = {"unflat": record(scene)}
    lists = {
        "nodes": maker.nodes,
        "meshes": maker.meshes,
        "cameras": maker.cameras,
        "materials": maker.materials,
        "textures": maker.textures,
        "images": maker.images,
        "samplers": maker.samplers,
        "animations": animations,
        "accessors": maker.buffer.accessors,
        "bufferViews": maker.buffer.views,
    }
    used = [UNLIT] * any(UNLIT in material.get("extensions", {}) for material in maker.materials)
    used += [POINTER] if any(track.zooms for track in scene.tracks) else []
    used.append(XMP)
    document: dict[str, Any] = {
        "asset": asset,
        "extensionsUsed": used,
        "extensions": {XMP: {"packets": [json_ld(scene.provenance)]}},
        "scene": 0,
        "scenes": [{"nodes": list(range(len(maker.nodes)))}],
        **{name: entries for name, entries in lists.items() if entries},
    }
    return document, maker.buffer


class _Maker:
    """The growing lists of one document."""

    def __init__(self, gl_from_frame: F64, place: Place | None, max_side: int, quality: int) -> None:
        self.gl_from_frame = gl_from_frame
        self.place = place
        self.max_side, self.quality = max_side, quality
        self.buffer = Buffer()
        self.nodes: list[dict[str, Any]] = []
        self.meshes: list[dict[str, Any]] = []
        self.cameras: list[dict[str, Any]] = []
        self.materials: list[dict[str, Any]] = []
        self.textures: list[dict[str, Any]] = []
        self.images: list[dict[str, Any]] = []
        self.samplers: list[dict[str, Any]] = []
        self._material_of: dict[int | Finish | None, int] = {}

    def add_node(self, node: Node) -> None:
        """One node, one mesh, one primitive."""
        item = node.item
        if isinstance(item, Mesh):
            if not len(item.faces):
                return
            primitive = self._surface(item, node.finish)
        elif isinstance(item, PointCloud):
            if not len(item.xyz):
                return
            primitive = self._points(item)
        else:
            raise InputError("glTF files hold surfaces and points, not splats", hint="Write .splat.ply or .spz.")
        told = {"extras": {"pictures": list(node.pictures)}} if node.pictures else {}
        self.meshes.append({"name": node.name, "primitives": [primitive], **told})
        extras = {"role": node.role, **told.get("extras", {})}
        self.nodes.append({"name": node.name, "mesh": len(self.meshes) - 1, "extras": extras})

    def add_door(self, door: Doorway) -> None:
        """A node where a door stands."""
        place = [float(v) + 0.0 for v in self.gl_from_frame @ door.at]
        extras = {"door": {"from": door.start, "to": door.to}}
        self.nodes.append({"name": door.name, "translation": place, "extras": extras})

    def add_camera(self, camera: Camera, stop: Stop | None = None) -> None:
        """A perspective camera and the node it stands on; in a tour, what is told of its picture."""
        seen, pose = camera.intrinsics, camera.pose.world_from_camera
        width, height = seen.size.width, seen.size.height
        perspective = {
            "yfov": 2 * math.atan(height / 2 / seen.fy),
            "aspectRatio": (width / seen.fx) / (height / seen.fy),
            "znear": _NEAR_M,
        }
        extras: dict[str, Any] = {
            "fx": seen.fx,
            "fy": seen.fy,
            "cx": seen.cx,
            "cy": seen.cy,
            "width": width,
            "height": height,
            "basis": seen.basis,
        }
        if camera.panorama is not None:
            extras["panorama"] = list(camera.panorama.span)
        if stop is not None:
            told = {"part": stop.part, "title": stop.title, "date": stop.date}
            extras |= {word: value for word, value in told.items() if value is not None}
        entry = {"name": camera.name, "type": "perspective", "perspective": perspective, "extras": extras}
        self.cameras.append(entry)
        w, x, y, z = quaternion_from_rotation(self.gl_from_frame @ pose[:3, :3] @ CAMERA_TURN.T)
        place = self.gl_from_frame @ pose[:3, 3]
        self.nodes.append(
            {
                "name": camera.name,
                "camera": len(self.cameras) - 1,
                "translation": [float(v) + 0.0 for v in place],
                "rotation": [float(v) + 0.0 for v in (x, y, z, w)],
            }
        )

    def add_samples(self, values: NDArray[np.float32], *, bounds: bool = False) -> int:
        """The samples of an animation; ``bounds`` says the smallest and the largest, as times must."""
        more = {"min": [float(values.min())], "max": [float(values.max())]} if bounds else {}
        return self.buffer.add_array(values, component=_FLOAT, target=None, **more)

    def _surface(self, mesh: Mesh, finish: Finish | None) -> dict[str, Any]:
        own = mesh.colors is not None or mesh.texture is not None
        lit = None if own else finish
        normals = vertex_normals(mesh.vertices, mesh.faces) if lit and mesh.normals is None else mesh.normals
        attributes = self._attributes(mesh.vertices, normals, mesh.confidence, mesh.invented)
        if mesh.uv is not None:
            if not np.isfinite(mesh.uv).all():
                raise InputError("the texture coordinates of a mesh must be finite")
            attributes["TEXCOORD_0"] = self._attribute(mesh.uv)
        if mesh.colors is not None and mesh.texture is None:
            attributes["COLOR_0"] = self._color(mesh.colors)
        short = len(mesh.vertices) <= 0xFFFF  # 65535 itself is not allowed as an index
        faces = mesh.faces.astype(np.uint16 if short else np.uint32).reshape(-1)
        indices = self.buffer.add_array(
            faces, component=_UNSIGNED_SHORT if short else _UNSIGNED_INT, target=ELEMENT_ARRAY_BUFFER
        )
        material = self._material(mesh.texture, lit)
        return {"attributes": attributes, "indices": indices, "material": material, "mode": _TRIANGLES}

    def _points(self, cloud: PointCloud) -> dict[str, Any]:
        attributes = self._attributes(cloud.xyz, cloud.normals, cloud.confidence, cloud.invented)
        if cloud.colors is not None:
            attributes["COLOR_0"] = self._color(cloud.colors)
        return {"attributes": attributes, "material": self._material(None), "mode": _POINTS}

    def _attributes(self, xyz: F32, normals: F32 | None, confidence: F32 | None, invented: Any) -> dict[str, int]:
        """What surfaces and points have in common."""
        position = turned(self.gl_from_frame, xyz) + np.float32(0)
        bounds = {"min": position.min(0).tolist(), "max": position.max(0).tolist()}
        attributes = {"POSITION": self._attribute(position, **bounds)}
        if normals is not None:
            attributes["NORMAL"] = self._attribute(unit(turned(self.gl_from_frame, normals)))
        if confidence is not None:
            attributes["_CONFIDENCE"] = self._attribute(np.nan_to_num(confidence, nan=0.0).clip(0, 1))
        if invented is not None and invented.any():
            attributes["_INVENTED"] = self._attribute(invented.astype(np.float32))
        return attributes

    def _attribute(self, array: F32, **more: Any) -> int:
        return self.buffer.add_array(array, component=_FLOAT, target=ARRAY_BUFFER, **more)

    def _color(self, colors: U8) -> int:
        """SRGB bytes as glTF's linear colours, in 16 bits so that all 256 steps stay apart."""
        rgba = np.full((len(colors), 4), 65535, dtype=np.uint16)
        rgba[:, :3] = LINEAR16_FROM_SRGB8[colors]
        return self.buffer.add_array(rgba, component=_UNSIGNED_SHORT, target=ARRAY_BUFFER, normalized=True)

    def _material(self, texture: Image | None, finish: Finish | None = None) -> int:
        """The material for a texture or a finish; nodes that share a picture share it in the file, too."""
        key = finish if texture is None else id(texture)
        if key not in self._material_of:
            self._material_of[key] = len(self.materials)
            self.materials.append(self._new_material(texture) if finish is None else material_of(finish))
        return self._material_of[key]

    def _new_material(self, texture: Image | None) -> dict[str, Any]:
        surface: dict[str, Any] = {"metallicFactor": 0, "roughnessFactor": 1}
        material: dict[str, Any] = {
            "name": "plain" if texture is None else f"picture {len(self.textures) + 1}",
            "pbrMetallicRoughness": surface,
            "doubleSided": True,
            "extensions": {UNLIT: {}},
        }
        if texture is None:
            return material
        if texture.alpha is not None:
            soft = bool(((texture.alpha > 0) & (texture.alpha < 255)).any())
            material["alphaMode"] = "BLEND" if soft else "MASK"
        surface["baseColorTexture"] = {"index": self._texture(texture)}
        return material

    def _texture(self, texture: Image) -> int:
        data, mime, _ = encoded(texture, self.max_side, self.quality)
        if self.place is None:
            entry: dict[str, Any] = {"bufferView": self.buffer.add_view(data), "mimeType": mime}
        else:
            entry = self.place(data, mime, ".png" if mime == "image/png" else ".jpg")
        if not self.samplers:
            self.samplers.append(
                {"magFilter": _LINEAR, "minFilter": _LINEAR_MIPMAP_LINEAR, "wrapS": _CLAMP, "wrapT": _CLAMP}
            )
        self.images.append(entry)
        self.textures.append({"sampler": 0, "source": len(self.images) - 1})
        return len(self.textures) - 1


def unit(normals: F32) -> F32:
    """Normals of length 1; those that have it stay as they are, one without a direction looks at the viewer (+z)."""
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    good = np.isfinite(length) & (length > 1e-6)
    scaled = np.divide(normals, length, out=normals.copy(), where=good & (abs(length - 1) > 1e-4))
    towards_viewer = np.array([0, 0, 1], dtype=np.float32)
    return np.where(good, scaled, towards_viewer) + np.float32(0)

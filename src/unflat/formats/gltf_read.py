"""From an opened glTF file to a scene: static triangles and points, their pictures, perspective cameras, some moving.

Node transforms are worked into the points. What a scene cannot hold is left where it is: other animations, skins,
lights, orthographic cameras, every map of a material but its base colour.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.gltf_file import GltfFile
from unflat.formats.gltf_finish import finish_in, known_pins, pin_in
from unflat.formats.gltf_parts import CAMERA_TURN, unit
from unflat.formats.gltf_tracks import Moving, moving_cameras
from unflat.formats.linear_colour import srgb8_from_linear
from unflat.formats.plain import is_list, is_object
from unflat.formats.provenance_text import foreign_record, from_record
from unflat.formats.texture import MAX_TEXTURE_PIXELS, decoded
from unflat.geometry.transform import Door, door_from_frame
from unflat.types.arrays import F32, F64, U8
from unflat.types.camera import Camera, FocalBasis, Intrinsics, Pose
from unflat.types.image import Image, Size
from unflat.types.mesh import Mesh
from unflat.types.points import PointCloud
from unflat.types.provenance import Source
from unflat.types.scene import Node, Pin, Scene, as_role
from unflat.types.tour import Doorway, Stop, Tour
from unflat.types.track import Track

_POINTS, _TRIANGLES = 0, 4
_FARTHEST_M = 1e12
_CAMERA_KEYS = {"fx", "fy", "cx", "cy", "width", "height", "basis"}
_NOMINAL_HEIGHT = 1080
"""Height in pixels given to a camera of others, which has an angle but no picture."""


def read(path: Path) -> Scene:
    """Read a .glb or .gltf.

    Raises:
        InputError: Missing, damaged, hostile, or without any triangle or point.
    """
    file = GltfFile.open(path)
    return scene_of(file, lambda: hashlib.sha256(path.read_bytes()).hexdigest())


def scene_of(file: GltfFile, digest: Callable[[], str]) -> Scene:
    """The scene in an open file.

    Args:
        file: What was opened.
        digest: Gives the SHA-256 of the whole file, asked for only where the file does not tell its own story.

    Raises:
        InputError: Damaged, hostile, or without any triangle or point.
    """
    extras = file.part(file.part(file.document, "asset"), "extras")
    if "unflat" in extras:
        known = from_record(extras["unflat"])
    else:
        known = foreign_record(Source(file.name, digest(), "glb" if file.folder is None else "gltf"))
    reader = _Reader(file, door_from_frame(known.frame, Door.GL).T, ours="unflat" in extras)
    moving = moving_cameras(file)
    moved = [file.entry("nodes", one.node) for one in moving]
    for node, gl_from_node in _placed(file):
        reader.add_node(node, gl_from_node, still=not any(node is one for one in moved))
    for one in moving:
        reader.add_track(one)
    if not reader.nodes:
        raise InputError(f"{file.name} holds no triangle and no point")
    seen = tuple(reader.nodes), tuple(reader.cameras)
    scene = Scene(*seen, known.frame, known.scale, known.provenance, known.safe_view, tracks=tuple(reader.tracks))
    return replace(scene, tour=reader.tour(), pins=known_pins(reader.pins, reader.names))


def _placed(file: GltfFile) -> list[tuple[dict[str, Any], F64]]:
    """The nodes of the file's scene in order, each with its gl_from_node; every node has one parent at most."""
    scenes = file.document.get("scenes")
    roots = file.entry("scenes", file.document.get("scene", 0)).get("nodes", []) if scenes else _parentless(file)
    placed: list[tuple[dict[str, Any], F64]] = []
    seen: set[object] = set()
    waiting: list[tuple[object, F64]] = [(number, np.eye(4)) for number in reversed(_numbers(file, roots))]
    while waiting:
        number, gl_from_parent = waiting.pop()
        node = file.entry("nodes", number)
        if number in seen:
            file.damaged("a node hangs in two places")
        seen.add(number)
        with np.errstate(over="ignore", invalid="ignore"):
            gl_from_node = gl_from_parent @ _local(file, node)
        if not (abs(gl_from_node) < _FARTHEST_M).all():
            file.damaged("a node lies too far away")
        placed.append((node, gl_from_node))
        children = _numbers(file, node.get("children", []))
        waiting += [(child, gl_from_node) for child in reversed(children)]
    return placed


def _words(value: object) -> tuple[str, ...]:
    return tuple(word for word in value if isinstance(word, str)) if is_list(value) else ()


def _taken(array: Any, order: NDArray[np.uint32] | None) -> Any:
    """The rows of an optional array in an optional order."""
    return array if array is None or order is None else array[order]


def _numbers(file: GltfFile, value: object) -> list[Any]:
    return value if is_list(value) else file.damaged("a list of nodes is no list")


def _parentless(file: GltfFile) -> list[int]:
    nodes = _numbers(file, file.document.get("nodes", []))
    children = {c for n in nodes if is_object(n) for c in _numbers(file, n.get("children", [])) if type(c) is int}
    return [number for number in range(len(nodes)) if number not in children]


def _local(file: GltfFile, node: dict[str, Any]) -> F64:
    """parent_from_node of one node."""
    if "matrix" in node:
        return np.array(file.numbers(node, "matrix", [0.0] * 16)).reshape(4, 4).T
    rotation = _rotation(file, file.numbers(node, "rotation", [0.0, 0.0, 0.0, 1.0]))
    local = np.eye(4)
    local[:3, :3] = rotation * file.numbers(node, "scale", [1.0, 1.0, 1.0])
    local[:3, 3] = file.numbers(node, "translation", [0.0, 0.0, 0.0])
    return local


def _rotation(file: GltfFile, xyzw: Sequence[float]) -> F64:
    """The 3×3 rotation of a quaternion of about length 1."""
    length = math.sqrt(sum(v * v for v in xyzw))
    if not 0.5 < length < 2:
        file.damaged("a rotation is no unit quaternion")
    x, y, z, w = (v / length for v in xyzw)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@dataclass(slots=True)
class _Reader:
    """The growing scene."""

    file: GltfFile
    frame_from_gl: F64
    ours: bool = False
    nodes: list[Node] = field(default_factory=list[Node])
    cameras: list[Camera] = field(default_factory=list[Camera])
    tracks: list[Track] = field(default_factory=list[Track])
    pictures: dict[int, Image] = field(default_factory=dict[int, Image])
    pixels: int = 0
    names: set[str] = field(default_factory=set[str])
    stops: list[Stop] = field(default_factory=list[Stop])
    doors: list[Doorway] = field(default_factory=list[Doorway])
    pins: list[Pin] = field(default_factory=list[Pin])

    def add_node(self, node: dict[str, Any], gl_from_node: F64, *, still: bool = True) -> None:
        """Take over the mesh and the camera of one node; a camera that moves is none that is ``still``."""
        name = node.get("name")
        if "mesh" in node:
            mesh = self.file.entry("meshes", node["mesh"])
            primitives = mesh.get("primitives")
            if not is_list(primitives) or not all(map(is_object, primitives)):
                self.file.damaged("a mesh holds no list of primitives")
            extras = self.file.part(node, "extras")
            role, pictures = as_role(extras.get("role")), _words(extras.get("pictures"))
            for primitive in primitives:
                finish = finish_in(self.file, primitive) if self.ours else None
                item = self._item(primitive, gl_from_node, plain=finish is None)
                self.nodes.append(Node(self._name(name or mesh.get("name")), item, role, pictures, finish))
        if "camera" in node and still:
            self._add_camera(self.file.entry("cameras", node["camera"]), gl_from_node, name)
        self._add_door(node, gl_from_node)
        pin = pin_in(self.file.part(node, "extras"), self.frame_from_gl @ gl_from_node[:3, 3])
        self.pins += [pin] if pin else []

    def _name(self, wish: object) -> str:
        """A name that no other node has."""
        base = wish if isinstance(wish, str) and wish else "node"
        name, count = base, 1
        while name in self.names:
            count += 1
            name = f"{base} {count}"
        self.names.add(name)
        return name

    def _item(self, primitive: dict[str, Any], gl_from_node: F64, *, plain: bool) -> Mesh | PointCloud:
        """The triangles or points of a primitive; ``plain``: what its material says of colour is the vertices' own."""
        file, attributes = self.file, self.file.part(primitive, "attributes")
        mode = primitive.get("mode", _TRIANGLES)
        if mode not in (_POINTS, _TRIANGLES):
            raise InputError(f"{file.name} holds lines or strips, only triangles and points are read")
        xyz = self._turned(file.floats(attributes.get("POSITION"), ("VEC3",)), gl_from_node)
        count = len(xyz)
        normals = self._optional(attributes, "NORMAL", ("VEC3",), count)
        if normals is not None:
            normals = self._turned_normals(normals, gl_from_node)
        confidence = self._optional(attributes, "_CONFIDENCE", ("SCALAR",), count)
        confidence = None if confidence is None else confidence[:, 0].clip(0, 1)
        invented = self._optional(attributes, "_INVENTED", ("SCALAR",), count)
        invented = None if invented is None else invented[:, 0] > 0.5
        colors = self._colors(primitive, attributes, count) if plain else None
        order = self._indices(primitive, count)
        if mode == _POINTS:
            chosen = (_taken(each, order) for each in (colors, normals, confidence, invented))
            return PointCloud(_taken(xyz, order), *chosen)
        faces = (np.arange(count, dtype=np.uint32) if order is None else order).reshape(-1)
        if len(faces) % 3:
            file.damaged("its triangles do not have three corners each")
        faces = faces.reshape(-1, 3)
        if np.linalg.det(gl_from_node[:3, :3]) < 0:
            faces = faces[:, ::-1]
        texture, uv = self._texture(primitive, attributes, count)
        return Mesh(xyz, np.ascontiguousarray(faces), normals, uv, colors, confidence, invented, texture)

    def _optional(self, attributes: dict[str, Any], key: str, kinds: tuple[str, ...], count: int) -> F32 | None:
        if key not in attributes:
            return None
        array = self.file.floats(attributes[key], kinds)
        return array if len(array) == count else self.file.damaged(f"{key} has another length than POSITION")

    def _indices(self, primitive: dict[str, Any], count: int) -> NDArray[np.uint32] | None:
        if "indices" not in primitive:
            return None
        raw = self.file.array(primitive["indices"], ("SCALAR",))
        if raw.dtype.kind != "u" or int(raw.max()) >= count:
            self.file.damaged("a triangle names a corner that is not there")
        return raw[:, 0].astype(np.uint32)

    def _turned(self, xyz: F32, gl_from_node: F64) -> F32:
        """Points into the frame of the scene. Without a node transform only signs change, so nothing is lost."""
        if np.array_equal(gl_from_node, np.eye(4)):
            placed = (xyz @ self.frame_from_gl.T.astype(np.float32)) + np.float32(0)
        else:
            frame_from_node = self.frame_from_gl @ gl_from_node[:3, :3]
            offset = self.frame_from_gl @ gl_from_node[:3, 3]
            with np.errstate(over="ignore"):
                placed = (xyz.astype(np.float64) @ frame_from_node.T + offset).astype(np.float32)
        return placed if (abs(placed) < _FARTHEST_M).all() else self.file.damaged("a point lies too far away")

    def _turned_normals(self, normals: F32, gl_from_node: F64) -> F32:
        """Normals go by the cofactors, which also hold where a node squashes its mesh."""
        m = gl_from_node[:3, :3]
        if np.array_equal(m, np.eye(3)):
            return normals @ self.frame_from_gl.T.astype(np.float32) + np.float32(0)
        cofactors = np.stack([np.cross(m[1], m[2]), np.cross(m[2], m[0]), np.cross(m[0], m[1])])
        with np.errstate(over="ignore", invalid="ignore"):
            turned = normals.astype(np.float64) @ (self.frame_from_gl @ cofactors).T
            return unit(turned.astype(np.float32))

    def _colors(self, primitive: dict[str, Any], attributes: dict[str, Any], count: int) -> U8 | None:
        """Vertex colours times the material's plain colour, as sRGB; None where neither says anything."""
        linear = self._optional(attributes, "COLOR_0", ("VEC3", "VEC4"), count)
        surface = self._surface(primitive)
        factor = np.array(self.file.numbers(surface, "baseColorFactor", [1.0] * 4)[:3])
        if linear is None and ("baseColorTexture" in surface or "baseColorFactor" not in surface):
            return None
        product = factor if linear is None else linear[:, :3] * factor
        return np.broadcast_to(srgb8_from_linear(product), (count, 3)).copy()

    def _surface(self, primitive: dict[str, Any]) -> dict[str, Any]:
        if "material" not in primitive:
            return {}
        return self.file.part(self.file.entry("materials", primitive["material"]), "pbrMetallicRoughness")

    def _texture(
        self, primitive: dict[str, Any], attributes: dict[str, Any], count: int
    ) -> tuple[Image | None, F32 | None]:
        link = self.file.part(self._surface(primitive), "baseColorTexture")
        channel = self.file.whole(link, "texCoord", 0)
        uv = self._optional(attributes, f"TEXCOORD_{channel}", ("VEC2",), count)
        if not link or uv is None:
            return None, uv
        number = self.file.entry("textures", link.get("index")).get("source")
        if number is None:
            raise InputError(f"the pictures inside {self.file.name} are neither JPEG nor PNG")
        self.file.entry("images", number)
        if number not in self.pictures:
            image = decoded(self.file.picture(number), f"{self.file.name} picture {number}")
            self.pixels += image.size.pixels
            if self.pixels > 2 * MAX_TEXTURE_PIXELS:
                raise InputError(f"the pictures inside {self.file.name} are too large together")
            self.pictures[number] = image
        return self.pictures[number], uv

    def _add_camera(self, camera: dict[str, Any], gl_from_node: F64, name: object) -> None:
        if camera.get("type") != "perspective":
            return
        left, _, right = np.linalg.svd(self.frame_from_gl @ gl_from_node[:3, :3] @ CAMERA_TURN)
        world_from_camera = np.eye(4)
        world_from_camera[:3, :3] = left @ right
        world_from_camera[:3, 3] = self.frame_from_gl @ gl_from_node[:3, 3]
        wish = name if isinstance(name, str) and name else camera.get("name")
        called = wish if isinstance(wish, str) and wish else "camera"
        self.cameras.append(Camera(self._intrinsics(camera), Pose(world_from_camera), called))
        told = self.file.part(camera, "extras")
        part, (title, date) = told.get("part"), (told.get(word) for word in ("title", "date"))
        if type(part) is int and all(called != stop.picture for stop in self.stops):
            shown = (text if isinstance(text, str) and text else None for text in (title, date))
            self.stops.append(Stop(called, part, *shown))

    def _add_door(self, node: dict[str, Any], gl_from_node: F64) -> None:
        door, name = self.file.part(node, "extras").get("door"), node.get("name")
        if not is_object(door):
            return
        start, to = door.get("from"), door.get("to")
        if isinstance(start, str) and isinstance(to, str) and start != to:
            called = name if isinstance(name, str) and name else to
            self.doors.append(Doorway(called, start, to, self.frame_from_gl @ gl_from_node[:3, 3]))

    def tour(self) -> Tour | None:
        """The tour that its cameras are stops of; doors that lead nowhere are left where they are."""
        names = {stop.picture for stop in self.stops}
        doors = tuple(door for door in self.doors if {door.start, door.to} <= names)
        return Tour(tuple(self.stops), doors) if self.stops else None

    def add_track(self, moving: Moving) -> None:
        """Take over a perspective camera that moves."""
        node = self.file.entry("nodes", moving.node)
        camera = self.file.entry("cameras", node.get("camera"))
        if camera.get("type") != "perspective":
            return
        lens = self._intrinsics(camera)
        if not (abs(moving.places) < _FARTHEST_M).all():
            self.file.damaged("a camera moves too far away")
        poses = np.tile(np.eye(4), (len(moving.times), 1, 1))
        turns = np.array([_rotation(self.file, turn) for turn in moving.turns.tolist()])
        poses[:, :3, :3] = self.frame_from_gl @ turns @ CAMERA_TURN
        poses[:, :3, 3] = moving.places @ self.frame_from_gl.T
        zoom = np.ones(len(moving.times))
        if moving.yfov is not None:
            if not ((moving.yfov > 1e-3) & (moving.yfov < math.pi - 1e-3)).all():
                self.file.damaged("a camera has an impossible angle")
            zoom = lens.size.height / 2 / np.tan(moving.yfov / 2) / lens.fy
        name = moving.name or node.get("name")
        called = name if isinstance(name, str) and name else "move"
        self.tracks.append(Track(called, lens, moving.times, poses, zoom))

    def _intrinsics(self, camera: dict[str, Any]) -> Intrinsics:
        file, extras = self.file, self.file.part(camera, "extras")
        if extras.keys() >= _CAMERA_KEYS:
            bases: tuple[FocalBasis, ...] = get_args(FocalBasis)
            basis = extras["basis"]
            if basis not in bases:
                file.damaged(f"the basis of a camera is {str(basis)[:40]!r}")
            size = Size(file.whole(extras, "width"), file.whole(extras, "height"))
            fx, fy, cx, cy = (file.finite(extras[key], key) for key in ("fx", "fy", "cx", "cy"))
            return Intrinsics(fx, fy, cx, cy, size, basis)
        view = file.part(camera, "perspective")
        yfov = file.finite(view.get("yfov"), "yfov")
        aspect = file.finite(view.get("aspectRatio", 1.0), "aspectRatio")
        if not (1e-3 < yfov < math.pi - 1e-3 and 1e-2 < aspect < 1e2):
            file.damaged("a camera has an impossible angle")
        size = Size(round(_NOMINAL_HEIGHT * aspect), _NOMINAL_HEIGHT)
        return Intrinsics.from_focal(size.height / 2 / math.tan(yfov / 2), size, "file")

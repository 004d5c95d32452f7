"""The XML inside a 3MF package, read as if it hated us: no DTD, no entities, no more bodies than can be held."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

import numpy as np

from unflat.errors import InputError
from unflat.types.arrays import F64, U32

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
MODEL_TYPE = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"

_MM = {"micron": 0.001, "millimeter": 1.0, "centimeter": 10.0, "inch": 25.4, "foot": 304.8, "meter": 1000.0}
_MOST_INSTANCES = 10_000
_MOST_TRIANGLES = 20_000_000
_DEEPEST_XML = 64
_DEEPEST_OBJECTS = 16
_LONGEST_METADATA = 1 << 24

Attributes = dict[str, str]


@dataclass(slots=True)
class _Object:
    """One resource: a mesh, or components that place other objects."""

    name: str
    xyz: array[float] = field(default_factory=lambda: array("d"))
    corners: array[int] = field(default_factory=lambda: array("q"))
    components: list[tuple[str, F64]] = field(default_factory=list[tuple[str, F64]])


@dataclass(slots=True)
class Model:
    """The model part: metadata, objects and what is to be built."""

    unit_mm: float = 1.0
    metadata: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    objects: dict[str, _Object] = field(default_factory=dict[str, _Object])
    items: list[tuple[str, F64]] = field(default_factory=list[tuple[str, F64]])

    def bodies(self) -> Iterator[tuple[str, F64, U32]]:
        """Name, vertices (n, 3) in millimetres and faces (m, 3) of every mesh that the build places.

        Raises:
            InputError: A missing object, a circle of components, or more than can be held.
        """
        instances = triangles = 0
        waiting = [(key, transform, 0) for key, transform in reversed(self.items)]
        while waiting:
            key, build_from_object, depth = waiting.pop()
            instances += 1
            body = self.objects.get(key)
            if body is None or depth > _DEEPEST_OBJECTS or instances > _MOST_INSTANCES:
                raise InputError("the 3MF file places an object that is not there, or too many of them")
            for part, object_from_part in reversed(body.components):
                waiting.append((part, build_from_object @ object_from_part, depth + 1))
                if len(waiting) > _MOST_INSTANCES:
                    raise InputError("the 3MF file places too many objects")
            triangles += len(body.corners) // 3
            if triangles > _MOST_TRIANGLES:
                raise InputError(f"the 3MF file builds more than {_MOST_TRIANGLES} triangles")
            if body.corners:
                yield body.name, *self._placed(body, build_from_object)

    def _placed(self, body: _Object, build_from_object: F64) -> tuple[F64, U32]:
        vertices = np.frombuffer(body.xyz, np.float64).reshape(-1, 3)
        faces = np.frombuffer(body.corners, np.int64).reshape(-1, 3)
        if faces.min() < 0 or faces.max() >= len(vertices):
            raise InputError("a triangle of the 3MF file names a vertex that is not there")
        with np.errstate(over="ignore", invalid="ignore"):
            placed = (vertices @ build_from_object[:3, :3].T + build_from_object[:3, 3]) * self.unit_mm
            mirrored = np.linalg.det(build_from_object[:3, :3]) < 0
        if mirrored:
            faces = faces[:, ::-1]
        return placed, faces.astype(np.uint32)


def model_path(rels: bytes) -> str:
    """The name of the model part, from the package's relationships.

    Raises:
        InputError: There is none.
    """
    targets: list[str] = []

    def start(tag: str, attributes: Attributes) -> None:
        if tag == f"{RELATIONSHIPS} Relationship" and attributes.get("Type") == MODEL_TYPE:
            targets.append(attributes.get("Target", ""))

    _parse(rels, start, lambda tag: None, lambda text: None)
    if not targets:
        raise InputError("the 3MF file names no model")
    return targets[0].lstrip("/")


def parse_model(xml: bytes) -> Model:
    """Metadata, meshes and build of a model part. Materials, colours and extensions are passed over.

    Raises:
        InputError: Not well formed, with a DTD, or with a number that is none.
    """
    reader = _Reader()
    _parse(xml, reader.start, reader.end, reader.text)
    return reader.model


class _Reader:
    """Collects a Model from the events of the parser."""

    def __init__(self) -> None:
        self.model = Model()
        self._object = _Object("")
        self._title: str | None = None
        self._words: list[str] = []
        self._length = 0

    def start(self, tag: str, given: Attributes) -> None:
        namespace, _, name = tag.rpartition(" ")
        if namespace != CORE:
            return
        match name:
            case "vertex":
                self._object.xyz.extend((_number(given, "x"), _number(given, "y"), _number(given, "z")))
            case "triangle":
                self._object.corners.extend((_index(given, "v1"), _index(given, "v2"), _index(given, "v3")))
            case "object":
                self._object = _Object(given.get("name", ""))
                self.model.objects[given.get("id", "")] = self._object
            case "component":
                self._object.components.append((given.get("objectid", ""), _transform(given.get("transform"))))
            case "item":
                self.model.items.append((given.get("objectid", ""), _transform(given.get("transform"))))
            case "metadata":
                self._title, self._words, self._length = given.get("name", ""), [], 0
            case "model":
                unit = given.get("unit", "millimeter")
                if unit not in _MM:
                    raise InputError(f"the 3MF file has an unknown unit: {unit[:40]!r}")
                self.model.unit_mm = _MM[unit]
            case _:
                pass

    def end(self, tag: str) -> None:
        if tag == f"{CORE} metadata" and self._title is not None:
            self.model.metadata.append((self._title, "".join(self._words)))
            self._title = None

    def text(self, text: str) -> None:
        if self._title is not None:
            self._words.append(text)
            self._length += len(text)
            if self._length > _LONGEST_METADATA:
                raise InputError("the metadata of the 3MF file is too long")


def _parse(
    xml: bytes,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    depth = 0

    def refuse(*_: object) -> NoReturn:
        raise InputError("the 3MF file declares a document type or entities", hint="No honest 3MF file does.")

    def opened(tag: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST_XML:
            raise InputError("the XML of the 3MF file is nested too deep")
        start(tag, attributes)

    def closed(tag: str) -> None:
        nonlocal depth
        depth -= 1
        end(tag)

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = opened, closed, text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise InputError(f"the XML of the 3MF file is damaged: {error}") from error


def _number(given: Attributes, name: str) -> float:
    try:
        value = float(given[name])
    except (KeyError, ValueError) as error:
        raise InputError(f"the 3MF file has a vertex whose {name} is no number") from error
    if not math.isfinite(value):
        raise InputError(f"the 3MF file has a vertex whose {name} is no number")
    return value


def _index(given: Attributes, name: str) -> int:
    word = given.get(name, "").strip()
    if not (word.isascii() and word.isdigit() and len(word) < 11):
        raise InputError(f"the 3MF file has a triangle whose {name} is no number")
    return int(word)


def _transform(text: str | None) -> F64:
    """A 4×4 matrix from the twelve numbers of the format, which multiplies row vectors."""
    if text is None:
        return np.eye(4)
    try:
        numbers = np.array([float(word) for word in text.split()])
    except ValueError as error:
        raise InputError("the 3MF file has a transform that is not made of numbers") from error
    if numbers.shape != (12,) or not np.isfinite(numbers).all():
        raise InputError("the 3MF file has a transform without twelve finite numbers")
    target_from_source = np.eye(4)
    target_from_source[:3] = numbers.reshape(4, 3).T
    return target_from_source

"""What glTF holds of nodes that no picture lies on, and of texts that point at a place.

A node with a finish has a lit material of its own: its colour is the linear ``baseColorFactor``, its opacity the
fourth number of it. Only files of ours are read so: what others light has colours like any other surface.

A pin is a node without a mesh that stands where the pin points, with ``extras.pin`` = {"text", "node", "detail"}.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from unflat.errors import ShapeError
from unflat.formats.gltf_file import GltfFile
from unflat.formats.linear_colour import LINEAR_FROM_SRGB8, srgb8_from_linear
from unflat.formats.plain import is_list, is_object
from unflat.types.arrays import F64
from unflat.types.scene import Finish, Pin

UNLIT = "KHR_materials_unlit"
_ROUGHNESS = 0.6


def material_of(finish: Finish) -> dict[str, Any]:
    """The lit material of a finish."""
    factor = [*LINEAR_FROM_SRGB8[list(finish.color)].tolist(), float(finish.opacity)]
    red, green, blue = finish.color
    surface = {"baseColorFactor": factor, "metallicFactor": 0, "roughnessFactor": _ROUGHNESS}
    soft = {"alphaMode": "BLEND"} if finish.opacity < 1 else {}
    name = f"#{red:02x}{green:02x}{blue:02x}"
    return {"name": name, "pbrMetallicRoughness": surface, "doubleSided": True, **soft}


def is_finish(material: object) -> bool:
    """Whether a material in a file of ours is that of a finish."""
    if not is_object(material):
        return False
    extensions, surface = material.get("extensions", {}), material.get("pbrMetallicRoughness")
    lit = is_object(extensions) and UNLIT not in extensions
    return lit and is_object(surface) and "baseColorFactor" in surface


def finish_in(file: GltfFile, primitive: dict[str, Any]) -> Finish | None:
    """The finish of a primitive in a file of ours; None where it has none.

    Raises:
        InputError: Its colour is damaged.
    """
    if "material" not in primitive:
        return None
    material = file.entry("materials", primitive["material"])
    if not is_finish(material):
        return None
    factor = file.numbers(file.part(material, "pbrMetallicRoughness"), "baseColorFactor", [1.0] * 4)
    red, green, blue = srgb8_from_linear(np.array(factor[:3])).tolist()
    return Finish((red, green, blue), min(1.0, max(0.0, factor[3])))


def pin_node(pin: Pin, gl_from_frame: F64) -> dict[str, Any]:
    """The node of a pin."""
    place = [float(v) + 0.0 for v in gl_from_frame @ pin.at]
    told = {"text": pin.text, "node": pin.node, "detail": pin.detail}
    extras = {"pin": {word: value for word, value in told.items() if value is not None}}
    return {"name": pin.text, "translation": place, "extras": extras}


def pin_in(extras: dict[str, Any], at: F64) -> Pin | None:
    """The pin that a node is, by its extras; None where it is none. What is no text in it is left out.

    Args:
        extras: Of the node.
        at: (3,) where it stands, in the frame of the scene.
    """
    told = extras.get("pin")
    if not is_object(told) or not isinstance(told.get("text"), str):
        return None
    x, y, z = at.tolist()
    node, detail = (word if isinstance(word, str) else None for word in (told.get("node"), told.get("detail")))
    try:
        return Pin(told["text"], (x, y, z), node, detail)
    except ShapeError:  # a pin without words points at nothing anybody could read
        return None


def known_pins(pins: Collection[Pin], names: Collection[str]) -> tuple[Pin, ...]:
    """The pins, those of nodes that are not there as pins of none."""
    return tuple(p if p.node in names else Pin(p.text, p.at, None, p.detail) for p in pins)


def has_parts(document: dict[str, Any]) -> bool:
    """Whether the document of a GLB of ours holds a finish or a pin."""
    materials, nodes = document.get("materials"), document.get("nodes")
    if is_list(materials) and any(map(is_finish, materials)):
        return True
    return is_list(nodes) and any(_is_pin(node) for node in nodes)


def _is_pin(node: object) -> bool:
    extras = node.get("extras") if is_object(node) else None
    return is_object(extras) and is_object(extras.get("pin"))

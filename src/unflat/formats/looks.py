"""How nodes look and which texts point at them, as plain JSON for the stories inside files."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from unflat.errors import InputError, ShapeError
from unflat.formats.plain import is_list, is_object
from unflat.types.scene import Finish, Node, Pin, Scene

Plain = dict[str, Any]
NOT_FOR_DIAGNOSIS = "Not for diagnosis."
"""Stands in every file that is made of a scan."""


def finish_to_plain(finish: Finish) -> Plain:
    """Colour bytes and opacity."""
    return {"color": [int(c) for c in finish.color], "opacity": round(float(finish.opacity), 6)}


def node_to_plain(node: Node) -> Plain:
    """Name, role and, where it has one, finish of a node."""
    told: Plain = {"name": node.name, "role": node.role}
    return told if node.finish is None else {**told, "finish": finish_to_plain(node.finish)}


def pin_to_plain(pin: Pin) -> Plain:
    """Text and place of a pin, in metres of the scene's frame; node and detail where it has them."""
    more = {"node": pin.node, "detail": pin.detail}
    told: Plain = {"text": pin.text, "at": [float(v) for v in pin.at]}
    return told | {word: value for word, value in more.items() if value is not None}


def looks_of(scene: Scene) -> Plain:
    """What a story tells of the nodes and pins of a scene."""
    told: Plain = {"nodes": [node_to_plain(node) for node in scene.nodes]}
    return told | ({"pins": [pin_to_plain(pin) for pin in scene.pins]} if scene.pins else {})


def dressed(scene: Scene, story: Plain | None) -> Scene:
    """A scene that was read, with the finishes and pins that its story tells of.

    Raises:
        InputError: The story is damaged.
    """
    if story is None:
        return scene
    entries = story.get("nodes")
    told = {str(e.get("name")): e.get("finish") for e in entries if is_object(e)} if is_list(entries) else {}
    nodes = tuple(
        dataclasses.replace(node, finish=_finish(told[node.name])) if told.get(node.name) is not None else node
        for node in scene.nodes
    )
    pins = story.get("pins", [])
    if not is_list(pins):
        raise InputError("the record inside the file is damaged", hint="Its pins are no list.")
    names = {node.name for node in nodes}
    return dataclasses.replace(scene, nodes=nodes, pins=tuple(_pin(each, names) for each in pins))


def _finish(plain: object) -> Finish:
    if is_object(plain):
        color, opacity = plain.get("color"), plain.get("opacity", 1.0)
        if is_list(color) and len(color) == 3 and all(type(c) is int for c in color) and _is_number(opacity):
            try:
                return Finish((color[0], color[1], color[2]), float(opacity))
            except ShapeError as error:
                raise InputError(f"the record inside the file is damaged: {error}") from error
    raise InputError("the record inside the file is damaged", hint="A finish in it is no colour.")


def _pin(plain: object, names: set[str]) -> Pin:
    """A pin; one of a node that the file has under another name is a pin of the scene."""
    if is_object(plain):
        text, at, node, detail = (plain.get(word) for word in ("text", "at", "node", "detail"))
        if isinstance(text, str) and is_list(at) and len(at) == 3 and all(map(_is_number, at)):
            try:
                place = (float(at[0]), float(at[1]), float(at[2]))
                return Pin(
                    text,
                    place,
                    node if isinstance(node, str) and node in names else None,
                    detail if isinstance(detail, str) else None,
                )
            except (ShapeError, OverflowError) as error:
                raise InputError(f"the record inside the file is damaged: {error}") from error
    raise InputError("the record inside the file is damaged", hint="A pin in it has no text or no place.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))

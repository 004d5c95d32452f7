"""Cameras that move, as animations of glTF 2.0.

Each track is a camera node of its own, beside the still ones, and one animation with two channels of its node,
translation and rotation. A focal length that changes is a third channel, by the ratified extension
KHR_animation_pointer (``/cameras/N/perspective/yfov``): programs that do not know it ignore the channel, as it asks of
them, and move the camera with the angle of its first pose. Players repeat an animation or not as they please; a loop
ends as it begins.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from unflat.formats.gltf_file import GltfFile
from unflat.formats.plain import is_list, is_object
from unflat.geometry.transform import quaternion_from_rotation
from unflat.types.arrays import F64
from unflat.types.camera import Camera
from unflat.types.track import Track

POINTER = "KHR_animation_pointer"
_NODE = re.compile(r"/nodes/(\d{1,9})/(?:translation|rotation)")
_KINDS = ("VEC3", "VEC4")


class Maker(Protocol):
    """What a document in the making lends to its animations."""

    nodes: list[dict[str, Any]]
    cameras: list[dict[str, Any]]

    def add_camera(self, camera: Camera) -> None:
        """Append a camera and its node."""
        ...

    def add_samples(self, values: NDArray[np.float32], *, bounds: bool = False) -> int:
        """Append an array that no mesh uses; the number of its accessor."""
        ...


def animation_of(track: Track, maker: Maker, gl_from_frame: F64, camera_turn: F64) -> dict[str, Any]:
    """Append the camera of a track to a document and give its animation.

    Args:
        track: The move.
        maker: The document.
        gl_from_frame: 3×3, from the axes of the scene.
        camera_turn: 3×3 gl_camera_from_rdf_camera.
    """
    maker.add_camera(track.camera(0))
    node, camera = len(maker.nodes) - 1, len(maker.cameras) - 1
    times = maker.add_samples(track.times.astype(np.float32), bounds=True)
    places = track.world_from_camera[:, :3, 3] @ gl_from_frame.T
    turns = gl_from_frame @ track.world_from_camera[:, :3, :3] @ camera_turn.T
    channels: list[tuple[dict[str, Any], NDArray[np.float32]]] = [
        ({"node": node, "path": "translation"}, (places + 0.0).astype(np.float32)),
        ({"node": node, "path": "rotation"}, _quaternions(turns)),
    ]
    if track.zooms:
        place = {"path": "pointer", "extensions": {POINTER: {"pointer": f"/cameras/{camera}/perspective/yfov"}}}
        tall = track.lens.size.height / 2 / (track.lens.fy * track.zoom)
        channels.append((place, (2 * np.arctan(tall)).astype(np.float32)))
    return {
        "name": track.name,
        "channels": [{"sampler": i, "target": target} for i, (target, _) in enumerate(channels)],
        "samplers": [
            {"input": times, "interpolation": "LINEAR", "output": maker.add_samples(values)} for _, values in channels
        ],
    }


def _quaternions(rotations: F64) -> NDArray[np.float32]:
    """(n, 4) x y z w, each on the side of the one before it, so that nothing turns the long way round."""
    out = np.array([quaternion_from_rotation(rotation) for rotation in rotations])
    sides = np.where((out[1:] * out[:-1]).sum(axis=1) < 0, -1.0, 1.0)
    out[1:] *= np.cumprod(sides)[:, None]
    return np.ascontiguousarray(out[:, [1, 2, 3, 0]] + 0.0, np.float32)


class Moving(NamedTuple):
    """One animation of a file that moves a camera, not yet turned into the axes of the scene.

    Attributes:
        name: Of the animation; None where it has none.
        node: The number of the camera's node.
        times: (n,) seconds.
        places: (n, 3) in glTF's axes.
        turns: (n, 4) x y z w.
        yfov: (n,) radians; None where the angle stays.
    """

    name: str | None
    node: int
    times: F64
    places: F64
    turns: F64
    yfov: F64 | None


def moving_cameras(file: GltfFile) -> list[Moving]:
    """The animations that move one camera by straight steps, the only ones that a track can hold.

    Others are left where they are: of meshes, of several nodes, stepped or cubic, of cameras that hang on other nodes.

    Raises:
        InputError: The file is damaged.
    """
    animations, nodes = (file.document.get(key, []) for key in ("animations", "nodes"))
    if not is_list(animations) or not is_list(nodes):
        file.damaged("its animations or nodes are no list")
    hanging = {c for n in nodes if is_object(n) and is_list(n.get("children")) for c in n["children"] if type(c) is int}
    found = [_moving(file, number) for number in range(len(animations))]
    return [one for one in found if one is not None and one.node not in hanging]


def _moving(file: GltfFile, number: int) -> Moving | None:
    animation = file.entry("animations", number)
    channels = animation.get("channels")
    if not is_list(channels) or not all(map(is_object, channels)):
        file.damaged("an animation holds no list of channels")
    samplers = {_aim(file, channel): channel.get("sampler") for channel in channels}
    named = [match for match in map(_NODE.fullmatch, samplers) if match]
    if not named:
        return None
    node = int(named[0][1])
    keys = (f"/nodes/{node}/translation", f"/nodes/{node}/rotation")
    camera = file.entry("nodes", node).get("camera")
    angle = f"/cameras/{camera}/perspective/yfov"
    if camera is None or not set(keys) <= samplers.keys() <= {*keys, angle}:
        return None
    places, turns = (_sampled(file, animation, samplers[key], kind) for key, kind in zip(keys, _KINDS, strict=True))
    yfov = _sampled(file, animation, samplers[angle], "SCALAR") if angle in samplers else places
    if places is None or turns is None or yfov is None:
        return None
    if not (np.array_equal(places[0], turns[0]) and np.array_equal(places[0], yfov[0])):
        return None
    name = animation.get("name")
    called = name if isinstance(name, str) and name else None
    return Moving(called, node, places[0], places[1], turns[1], yfov[1][:, 0] if angle in samplers else None)


def _aim(file: GltfFile, channel: dict[str, Any]) -> str:
    """What a channel moves, as a pointer into the document; empty where it says nothing."""
    target = file.part(channel, "target")
    if "node" in target:
        return f"/nodes/{file.whole(target, 'node')}/{target.get('path')}"
    pointer = file.part(file.part(target, "extensions"), POINTER).get("pointer")
    return pointer if isinstance(pointer, str) else ""


def _sampled(file: GltfFile, animation: dict[str, Any], number: object, kind: str) -> tuple[F64, F64] | None:
    """Times and values of one sampler; None where it does not go straight from one to the next."""
    samplers = animation.get("samplers")
    if not is_list(samplers) or not isinstance(number, int) or not 0 <= number < len(samplers):
        file.damaged("an animation names a sampler that is not there")
    sampler: object = samplers[number]
    if not is_object(sampler):
        file.damaged("a sampler of an animation is no object")
    if sampler.get("interpolation", "LINEAR") != "LINEAR":
        return None
    times, values = file.floats(sampler.get("input"), ("SCALAR",)), file.floats(sampler.get("output"), (kind,))
    if len(times) != len(values) or (np.diff(times[:, 0]) <= 0).any():
        file.damaged("the times of an animation do not rise, or are not as many as its values")
    return times[:, 0].astype(np.float64), values.astype(np.float64)

"""What a file says of itself: size, units, cameras, confidence, provenance, what is invented, what opens it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from unflat.errors import InputError
from unflat.formats import depth_sidecar, registry
from unflat.formats.clip_page import ClipAbout, read_about
from unflat.formats.devices import devices
from unflat.formats.film_boxes import SUFFIXES as BOXED
from unflat.formats.film_boxes import read_film
from unflat.formats.film_stereo import stereo_of
from unflat.formats.image import read_image
from unflat.formats.matroska import SUFFIXES as MATROSKA
from unflat.formats.matroska import read_matroska
from unflat.formats.phone_depth import read_phone_depth
from unflat.formats.picture_story import story_in, story_in_words
from unflat.formats.provenance_text import safe_to_plain, scale_to_plain
from unflat.formats.stereo_found import find_stereo
from unflat.formats.stereo_told import told_stereo
from unflat.pipelines.inspect_views import floor, told_story, trajectory, views
from unflat.types.depth import DepthMap
from unflat.types.layers import Layers
from unflat.types.mesh import Mesh
from unflat.types.occupancy import Occupancy
from unflat.types.points import PointCloud
from unflat.types.provenance import Provenance
from unflat.types.scene import Node, Scene
from unflat.types.tour import Tour
from unflat.types.volume import Volume

_LAYERS = ("seen", "normal", "beyond", "hidden", "deeper", "deepest", "sky", "soft")


def inspect(file: str | Path) -> dict[str, Any]:
    """Read a scene, a depth map, a picture or a film, and say what is in it.

    Args:
        file: Anything unflat writes (folders of views, too), a photograph, or a film.

    Returns:
        Plain values: what ``unflat inspect --json`` prints.

    Raises:
        InputError: The file is of no known kind, or damaged.
    """
    path = Path(file)
    if _shows_many(path):
        return _many(path)
    if not path.is_file():
        raise InputError(f"{path} is not a file", hint="Check the spelling and the folder.")
    owner = path.with_suffix("")
    if path.suffix.lower() == ".json" and owner.is_file():
        raise InputError(f"{path.name} belongs to {owner.name}", hint=f"Inspect {owner.name}.")
    about: dict[str, Any] = {"file": path.name, "bytes": path.stat().st_size}
    if path.suffix.lower() in (*BOXED, *MATROSKA):
        return about | _film(path)
    try:
        row = registry.format_of(path)
    except InputError:
        return about | _picture(path)
    if row.noun is Scene:
        clip = read_about(path) if row.module == "html" else None
        said = _scene(registry.read_scene(path)) if clip is None else _clip(clip)
        return about | {"format": row.name, "opens_in": list(row.opens_in)} | said
    if registry.is_depth_file(path):
        layers = _layers(path) if path.suffix.lower() == ".exr" else None
        depth = _depth(row.load().read(path))
        if layers is not None:
            depth |= {"what": "layers"} | layers
        return about | {"format": row.name} | depth
    return about | _picture(path)


def against(file: str | Path, scan: str | Path) -> dict[str, Any]:
    """Look for everything that a scan says of its patient in a file that was made of it.

    Args:
        file: A result, with what lies beside it and belongs to it.
        scan: What it was made of: a folder, a zip or a file.

    Returns:
        Plain values: how many values of how many elements were looked for, and where which of them were found; the
        values themselves are not told.

    Raises:
        InputError: One of them is missing or damaged.
        MissingExtraError: The extra "volume" is not installed.
    """
    from unflat.formats.identity import leaks_in
    from unflat.formats.identity_headers import identity_of

    known = identity_of(Path(scan))
    found = leaks_in(Path(file), known)
    return {
        "looked_for": {"values": sum(map(len, known.values())), "elements": len(known)},
        "found": [{"where": leak.where, "what": leak.what} for leak in found],
        "says": _says(known, bool(found)),
    }


def _says(known: dict[str, set[str]], found: bool) -> str:
    """The result in words; a scan that says nothing proves little."""
    from unflat.formats.identity_headers import FILE_NAMES

    if found:
        return "the file says something of the patient"
    if set(known) <= {FILE_NAMES}:
        return "nothing was found, but the scan's headers say nothing either that could be looked for"
    return "nothing of the patient is in the file"


def _shows_many(path: Path) -> bool:
    """Whether a file or folder holds what only many pictures tell: cameras, or what is free to go."""
    if path.is_dir():
        return registry.is_views_folder(path)
    suffix = path.suffix.lower()
    return path.is_file() and (
        suffix in (".tum", ".yaml") or (suffix == ".pgm" and path.with_suffix(".yaml").is_file())
    )


def _many(path: Path) -> dict[str, Any]:
    """What such a file or folder says."""
    row = registry.format_of(path)
    look = floor if row.noun is Occupancy else views if row.folder else trajectory
    files = [one for one in path.rglob("*") if one.is_file()] if path.is_dir() else [path]
    about = {"file": path.name, "bytes": sum(one.stat().st_size for one in files), "format": row.name}
    return {**about, "opens_in": list(row.opens_in), **look(path)}


def _scene(scene: Scene) -> dict[str, Any]:
    corners = [c for node in scene.nodes if node.role != "sky" for c in _corners(node)]
    extent = np.ptp(np.array(corners), axis=0).tolist() if corners else None
    return {
        "what": "scene",
        "unit": "metre",
        "extent_m": extent and [round(float(side), 4) for side in extent],
        "frame": scene.frame.value,
        "triangles": scene.triangles,
        "nodes": [_node(node) for node in scene.nodes],
        "cameras": [
            {
                "name": camera.name,
                "size": str(camera.intrinsics.size),
                "fov_x_deg": round(camera.intrinsics.fov_x_deg, 3),
                "basis": camera.intrinsics.basis,
            }
            for camera in scene.cameras
        ],
        "tracks": [
            {"name": t.name, "seconds": round(t.seconds, 3), "poses": len(t.times), "zooms": t.zooms}
            for t in scene.tracks
        ],
        "tour": scene.tour and _tour(scene.tour),
        "pins": [{"text": pin.text, "node": pin.node} for pin in scene.pins],
        "scan": scene.volume and _scan(scene.volume),
        "scale": {
            "basis": scene.scale.basis,
            "assumed": scene.scale.assumed,
            "low": scene.scale.low,
            "high": scene.scale.high,
            "coverage": scene.scale.coverage,
            "detail": scene.scale.detail,
        },
        "safe_view": _safe(scene),
        **told_story(scene.provenance),
    }


def _scan(volume: Volume) -> dict[str, Any]:
    """The voxels that travel with the surfaces."""
    d, h, w = volume.grid.shape
    spacing = [round(1000 * s, 4) for s in volume.grid.spacing]
    return {"modality": volume.modality, "voxels": [w, h, d], "spacing_mm": spacing, "quantity": volume.quantity}


def _tour(tour: Tour) -> dict[str, Any]:
    """Which pictures, in which parts, and the doors between them."""
    return {
        "pictures": [{"name": s.picture, "part": s.part, "title": s.title, "date": s.date} for s in tour.stops],
        "doors": [{"name": door.name, "from": door.start, "to": door.to} for door in tour.doors],
    }


def _safe(scene: Scene) -> dict[str, Any] | None:
    """How far the eye may go: metres, and degrees of an orbit about the pivot."""
    safe = scene.safe_view
    if safe is None:
        return None
    metres = {name: round(value, 4) for name, value in safe_to_plain(safe).items()}
    yaw, pitch = ([round(end, 2) for end in ends] for ends in (safe.yaw_deg, safe.pitch_deg))
    return {**metres, "yaw_deg": yaw, "pitch_deg": pitch}


def _corners(node: Node) -> list[Any]:
    item = node.item
    points = item.vertices if isinstance(item, Mesh) else item.xyz if isinstance(item, PointCloud) else item.means
    return [points.min(axis=0), points.max(axis=0)] if len(points) else []


def _node(node: Node) -> dict[str, Any]:
    item = node.item
    about: dict[str, Any] = {"name": node.name, "role": node.role, "is": type(item).__name__.lower()}
    if isinstance(item, Mesh):
        about |= {"vertices": len(item.vertices), "triangles": len(item.faces)}
        about["texture"] = None if item.texture is None else str(item.texture.size)
    else:
        about["count"] = len(item.xyz if isinstance(item, PointCloud) else item.means)
    about["confidence"] = None if item.confidence is None else round(float(item.confidence.mean()), 4)
    if node.finish is not None:
        about["color"] = "#{:02x}{:02x}{:02x}".format(*node.finish.color)
        about["opacity"] = round(node.finish.opacity, 4)
    if node.pictures:
        about["pictures"] = list(node.pictures)
    about["invented_share"] = 0.0 if item.invented is None else round(float(item.invented.mean()), 4)
    return about


def _depth(depth: DepthMap) -> dict[str, Any]:
    seen = depth.values[depth.surface]
    camera, around = depth.intrinsics, depth.panorama
    return {
        "what": "depth",
        "kind": depth.kind.value,
        "unit": "metre" if depth.kind.value == "metric" else "none",
        "size": str(depth.size),
        "range": [float(seen.min()), float(seen.max())] if seen.size else None,
        "valid_share": round(float(np.mean(np.asarray(depth.valid))), 4),
        "sky_share": None if depth.sky is None else round(float(depth.sky.mean()), 4),
        "confidence": None if depth.confidence is None else round(float(depth.confidence.mean()), 4),
        "along": "axis" if around is None else "ray",
        "panorama": around and {"projection": around.projection, "span_deg": [round(a, 3) for a in around.span]},
        "camera": camera and {"fov_x_deg": round(camera.fov_x_deg, 3), "basis": camera.basis},
        "model": depth.origin,
        "licence": depth.licence,
        "scale": None if depth.scale is None else scale_to_plain(depth.scale),
        **told_story(depth.provenance),
    }


def _layers(path: Path) -> dict[str, Any] | None:
    """The layers of an EXR of ours; None if it holds depth only."""
    from unflat.formats import layered_exr

    found = layered_exr.layers_in(path)
    if not layered_exr.is_layered(found):
        return None
    row = next(one for one in registry.FORMATS if one.noun is Layers)
    rows = [{"name": name or "seen", **told} for name, told in found.items()]
    rows.sort(key=lambda told: _LAYERS.index(told["name"]) if told["name"] in _LAYERS else len(_LAYERS))
    for told in rows:
        share, made = told["share"], told["invented_share"]
        told["share"] = None if share is None else round(share, 4)
        told["invented_share"] = None if made is None else round(made, 4)
        if told["name"] == "beyond" and share:
            told["invented_share"] = 1.0  # it marks what is made up
    return {"format": row.name, "opens_in": list(row.opens_in), "layers": rows}


def _film(path: Path) -> dict[str, Any]:
    suffix = path.suffix.lower()
    film = read_matroska(path) if suffix in MATROSKA else read_film(path)
    eyes = stereo_of(path, film)
    about: dict[str, Any] = {
        "what": "film",
        "format": "mp4" if suffix == ".m4v" else suffix.lstrip("."),
        "size": film.size and str(film.size),
        "seconds": film.seconds and round(film.seconds, 3),
        "frames": film.frames,
        "coding": film.coding,
        "stereo": eyes and eyes.to_plain() | {"devices": devices(eyes)},
        "notes": [],
    }
    try:
        story = story_in_words(film.comment)
    except InputError as error:
        story, about["notes"] = None, [str(error)]
    return about | _told(story)


def _clip(clip: ClipAbout) -> dict[str, Any]:
    return {
        "what": "a clip to move in",
        "size": str(clip.sizes.colour),
        "depth_size": str(clip.sizes.depth),
        "fps": round(clip.fps, 3),
        "fov_x_deg": round(clip.fov_x_deg, 3),
        "shots": len(clip.shots),
        "scale": "assumed" if any(shot.metres is None for shot in clip.shots) else "metric",
        **_told(clip.provenance),
    }


def _told(story: Provenance | None) -> dict[str, Any]:
    return {"invented": story and story.invented, **told_story(story)}


def _picture(path: Path) -> dict[str, Any]:
    image = read_image(path)
    notes = list(image.notes)
    try:
        story = story_in(path)
    except InputError as error:
        story, notes = None, [*notes, str(error)]
    shows = depth_sidecar.load(path)
    if story is None and shows is not None:
        story = shows.provenance
    phone = read_phone_depth(path)
    try:
        eyes = find_stereo(path) or told_stereo(path, image, story)
    except InputError as error:
        eyes, notes = None, [*notes, str(error)]
    lens = {name: getattr(image.lens, name) for name in type(image.lens).__slots__}
    rights = {name: getattr(image.source.rights, name) for name in type(image.source.rights).__slots__}
    return {
        "what": "picture",
        "format": image.source.format,
        "size": str(image.size),
        "alpha": image.alpha is not None,
        "lens": {name: value for name, value in lens.items() if value is not None},
        "rights": {name: value for name, value in rights.items() if value is not None},
        "reserved": [asdict(one) for one in image.source.reserved],
        "private": list(image.private),
        "phone_depth": phone and {"kind": phone.kind.value, "size": str(phone.size)},
        "shows_depth": shows and {"kind": shows.kind.value, "model": shows.model},
        "stereo": eyes and eyes.to_plain() | {"devices": devices(eyes)},
        "notes": notes,
        **_told(story),
    }

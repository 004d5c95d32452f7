"""Wavefront OBJ with its material file and textures, x right, y up, z towards the viewer, in metres.

NAME.obj, NAME.mtl and one picture a texture (NAME.obj.jpg, then NAME.obj-2.jpg …) appear together or not at all. The
names of the side files hold only letters, digits, ``.``, ``_`` and ``-``, for many readers end a name at a blank:
where that changes the name, a short digest is added so that two scenes in one folder never share side files. Vertex
colours stand behind the positions, as Blender, MeshLab and others read them; a scene without any picture needs no side
files. Confidence has no place here.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from unflat.errors import InputError
from unflat.formats.atomic import replacing, safe_stem
from unflat.formats.looks import dressed
from unflat.formats.obj_text import Part, materials, parse_obj
from unflat.formats.registry import ExportOptions
from unflat.formats.story import Story, bytes_of, comment_lines, nodes_in, role_in, scene_from, story_in_lines
from unflat.formats.texture import decoded, encoded
from unflat.geometry.transform import Door, door_from_frame, turned
from unflat.types.arrays import F64
from unflat.types.image import Image
from unflat.types.mesh import Mesh
from unflat.types.scene import Finish, Node, Scene

_AXES = "x right, y up, z towards the viewer"
_LARGEST = 1 << 30
_LARGEST_MTL = 1 << 22
_LARGEST_PICTURE = 1 << 28
_SUFFIX = {"image/jpeg": ".jpg", "image/png": ".png"}


def write(scene: Scene, path: Path, options: ExportOptions) -> None:
    """Write all meshes of a scene, one object each, the sky's too.

    Raises:
        InputError: The scene holds no mesh.
        OutputError: The place cannot be written.
    """
    kept = [(node, node.item) for node in scene.nodes if isinstance(node.item, Mesh) and len(node.item.faces)]
    nodes = [(node.name, mesh) for node, mesh in kept]
    if not nodes:
        raise InputError("the scene holds no mesh", hint="Choose .ply for points, .splat.ply for splats.")
    stem = safe_stem(path.stem)
    pictures = _pictures(nodes, stem, options)
    comments = comment_lines(scene, "metre", _AXES)
    finishes = {
        node.name: (f"{safe_stem(node.name)}-{number}", node.finish)
        for number, (node, mesh) in enumerate(kept, 1)
        if node.finish is not None and mesh.texture is None and mesh.colors is None
    }
    library = f"{stem}.mtl" if pictures or finishes else None
    files = {path.with_name(name): data for name, data, _ in pictures.values()}
    if library is not None:
        files[path.with_name(library)] = _mtl_text(nodes, pictures, finishes).encode("ascii")
    material_of = [
        pictures[id(mesh.texture)][2] if mesh.texture is not None else finishes.get(name, ("plain",))[0]
        for name, mesh in nodes
    ]
    head = [f"# {comment}\n" for comment in comments] + ([f"mtllib {library}\n"] if library is not None else [])
    text = _obj_text(nodes, door_from_frame(scene.frame, Door.GL), head, None if library is None else material_of)
    files[path] = text.encode("ascii")
    with replacing(*files, force=options.force) as drafts:
        for draft, data in zip(drafts, files.values(), strict=True):
            draft.write_bytes(data)


def read(path: Path) -> Scene:
    """Read an OBJ of any program: polygons, negative indices, missing texture coordinates and normals.

    Material files and pictures are only looked for by name in the folder of the file itself.

    Raises:
        InputError: Not an OBJ file, damaged, or without triangles.
    """
    text = parse_obj(bytes_of(path, _LARGEST), path.name)
    story = story_in_lines(text.comments)
    warnings: list[str] = []
    picture_of = _picture_names(path, text.libraries, warnings)
    textures: dict[str, Image | None] = {}
    for name in {picture_of[part.material] for part in text.parts if part.material in picture_of}:
        textures[name] = _picture(path, name, warnings)
    scene = scene_from((), story, path, tuple(warnings))
    back = door_from_frame(scene.frame, Door.GL).T
    nodes: list[Node] = []
    taken: set[str] = set()
    for part in text.parts:
        title = _titles(story).get(part.name, part.name)[:200] or "surface"
        name = title if title not in taken else f"{title} {len(nodes) + 1}"
        taken.add(name)
        picture = picture_of.get(part.material)
        texture = textures.get(picture) if picture and part.uv is not None else None
        nodes.append(Node(name, _mesh(part, back, texture), role_in(story, title)))
    if not nodes:
        raise InputError(f"{path.name} holds no triangles")
    return dressed(dataclasses.replace(scene, nodes=tuple(nodes)), story)


def _pictures(nodes: list[tuple[str, Mesh]], stem: str, options: ExportOptions) -> dict[int, tuple[str, bytes, str]]:
    """File name, bytes and material name of every different texture, by its identity."""
    pictures: dict[int, tuple[str, bytes, str]] = {}
    for _, mesh in nodes:
        if mesh.texture is None or id(mesh.texture) in pictures:
            continue
        data, mime, _ = encoded(mesh.texture, options.texture_size, options.texture_quality)
        number = f"-{len(pictures) + 1}" if pictures else ""
        pictures[id(mesh.texture)] = (f"{stem}.obj{number}{_SUFFIX[mime]}", data, f"picture{number}")
    return pictures


def _mtl_text(
    nodes: list[tuple[str, Mesh]],
    pictures: dict[int, tuple[str, bytes, str]],
    finishes: dict[str, tuple[str, Finish]],
) -> str:
    """The materials: of pictures white, without light and gloss, so that they look as they were taken; else lit."""
    cut_out = {id(mesh.texture) for _, mesh in nodes if mesh.texture is not None and mesh.texture.alpha is not None}
    looks = [
        (material, f"map_Kd {name}\n" + (f"map_d {name}\n" if key in cut_out else ""))
        for key, (name, _, material) in pictures.items()
    ]
    if any(mesh.texture is None and name not in finishes for name, mesh in nodes):
        looks.append(("plain", ""))
    head = "# unflat\n"
    shown = "".join(f"\nnewmtl {m}\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nd 1\nillum 0\n{more}" for m, more in looks)
    return head + shown + "".join(map(_lit, *zip(*finishes.values(), strict=True)) if finishes else ())


def _lit(material: str, finish: Finish) -> str:
    """A plain coloured material. MTL does not say which colours its numbers are; programs take them as sRGB."""
    color = " ".join(f"{c / 255:.6g}" for c in finish.color)
    return f"\nnewmtl {material}\nKa 0 0 0\nKd {color}\nKs 0 0 0\nd {finish.opacity:.6g}\nillum 1\n"


def _obj_text(
    nodes: list[tuple[str, Mesh]],
    door: F64,
    head: list[str],
    material_of: list[str] | None,
) -> str:
    pieces = head
    v = vt = vn = 1
    for number, (name, mesh) in enumerate(nodes):
        pieces.append(f"o {safe_stem(name)}\n")
        if material_of is not None:
            pieces.append(f"usemtl {material_of[number]}\n")
        vertices, count = turned(door, mesh.vertices), len(mesh.vertices)
        index = np.arange(count)
        if mesh.colors is None:
            pieces.append(_lines("v %.8g %.8g %.8g\n", vertices))
        else:
            pieces.append(_lines("v %.8g %.8g %.8g %.6g %.6g %.6g\n", np.hstack([vertices, mesh.colors / 255])))
        corner, columns = "%d", [index + v]
        if mesh.uv is not None:
            pieces.append(_lines("vt %.7g %.7g\n", np.stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1].astype(np.float64)], 1)))
            corner, columns, vt = "%d/%d", [*columns, index + vt], vt + count
        if mesh.normals is not None:
            pieces.append(_lines("vn %.6g %.6g %.6g\n", turned(door, mesh.normals)))
            corner += "/%d" if mesh.uv is not None else "//%d"
            columns, vn = [*columns, index + vn], vn + count
        corners = np.array(_lines(f"{corner} ", np.stack(columns, axis=1)).split(), dtype=object)
        pieces.append(_lines("f %s %s %s\n", corners[mesh.faces]))
        v += count
    return "".join(pieces)


def _lines(pattern: str, rows: np.ndarray) -> str:
    """``pattern`` once a row, filled in one go, which is several times as fast as row by row."""
    return (pattern * len(rows)) % tuple(rows.reshape(-1).tolist())


def _mesh(part: Part, back: F64, texture: Image | None) -> Mesh:
    uv = None if part.uv is None else np.stack([part.uv[:, 0], 1 - part.uv[:, 1]], axis=1)
    return Mesh(
        turned(back, part.vertices.astype(np.float32)),
        part.faces,
        None if part.normals is None else turned(back, part.normals.astype(np.float32)),
        None if uv is None else uv.astype(np.float32),
        None if part.colors is None else np.rint(part.colors.clip(0, 1) * 255).astype(np.uint8),
        texture=texture,
    )


def _titles(story: Story | None) -> dict[str, str]:
    """The true names of nodes by the names they have in the file."""
    return {safe_stem(name): name for name, _ in nodes_in(story)}


def _picture_names(path: Path, libraries: list[str], warnings: list[str]) -> dict[str, str]:
    """The picture of every material that has one."""
    found: dict[str, str] = {}
    for library in libraries:
        beside = _beside(path, library)
        if beside is None:
            warnings.append(f"The material file {library[:80]!r} was not found beside {path.name}.")
        else:
            found |= materials(bytes_of(beside, _LARGEST_MTL))
    return found


def _picture(path: Path, name: str, warnings: list[str]) -> Image | None:
    beside = _beside(path, name)
    if beside is None:
        warnings.append(f"The texture {name[:80]!r} was not found beside {path.name}.")
        return None
    return decoded(bytes_of(beside, _LARGEST_PICTURE), name)


def _beside(path: Path, name: str) -> Path | None:
    """The file ``name`` in the folder of ``path``; None if it is not there, or is anywhere else."""
    if not name or name in (".", "..") or any(sign in name for sign in "/\\:\0"):
        return None
    beside = path.parent / name
    try:
        honest = beside.is_file() and beside.resolve().parent == path.parent.resolve()
    except (OSError, ValueError):
        return None
    return beside if honest else None

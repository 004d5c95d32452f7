"""3MF for printing: solids in millimetres, z up, with provenance as metadata.

A zip with three parts: the content types, the relationship that names the model, and the model as XML (3MF Core
Specification 1.3). Every build item is moved so that the body stands on the plate in the positive corner, as the
specification asks of producers; the story remembers the move and reading takes it back.
"""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from unflat import __version__
from unflat.errors import InputError
from unflat.formats.atomic import replacing
from unflat.formats.looks import NOT_FOR_DIAGNOSIS, dressed
from unflat.formats.plain import is_list
from unflat.formats.registry import ExportOptions
from unflat.formats.solid import in_metres, in_millimetres, printable_nodes
from unflat.formats.story import Story, parsed, role_in, scene_from, story_text
from unflat.formats.threemf_model import CORE, MODEL_TYPE, RELATIONSHIPS, Model, model_path, parse_model
from unflat.formats.told_rights import all_rights
from unflat.formats.zip_faults import ZIP_FAULTS
from unflat.geometry.transform import Door, door_from_frame
from unflat.trust.label import label_text, source_type
from unflat.types.arrays import F64, U32
from unflat.types.mesh import Mesh
from unflat.types.scene import Finish, Frame, Node, Scene

_OURS = "https://github.com/unflat/unflat/3mf/story"
_MODEL = "3D/3dmodel.model"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MOST_XML = 1 << 28
_MOST_PARTS = 10_000
_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
_TYPES = (
    f'{_HEADER}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
)
_RELS = (
    f'{_HEADER}<Relationships xmlns="{RELATIONSHIPS}">'
    f'<Relationship Target="/{_MODEL}" Id="rel0" Type="{MODEL_TYPE}"/></Relationships>'
)


class _Body(NamedTuple):
    """One object of the file: its vertices in millimetres of the door."""

    name: str
    vertices: F64
    faces: U32
    finish: Finish | None


def write(scene: Scene, path: Path, options: ExportOptions) -> None:
    """Write the solids of a scene, one object each.

    Raises:
        InputError: There is no closed surface.
        OutputError: The place cannot be written.
    """
    door = door_from_frame(scene.frame, Door.PRINT)
    bodies = [_Body(n.name, in_millimetres(door, m.vertices), m.faces, n.finish) for n, m in printable_nodes(scene)]
    text = _model_text(scene, bodies, path.stem)
    with (
        replacing(path, force=options.force) as (draft,),
        zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
    ):
        for name, part in (("[Content_Types].xml", _TYPES), ("_rels/.rels", _RELS), (_MODEL, text)):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, part)


def read(path: Path) -> Scene:
    """Read the build of a 3MF file of any program: every item with its transforms, in metres.

    Raises:
        InputError: Not a 3MF file, damaged, empty, or larger than can be read safely.
    """
    model = _model(path)
    story = _story(model)
    scene = scene_from((), story, path)
    back = door_from_frame(scene.frame, Door.PRINT).T
    moved = _moved(story)
    nodes: list[Node] = []
    taken: set[str] = set()
    for name, vertices_mm, faces in model.bodies():
        title = name[:200] or "relief"
        unique = title if title not in taken else f"{title} {len(nodes) + 1}"
        taken.add(unique)
        nodes.append(Node(unique, Mesh(in_metres(back, vertices_mm - moved), faces), role_in(story, name)))
    if not nodes:
        raise InputError(f"{path.name} holds nothing to print")
    return dressed(dataclasses.replace(scene, nodes=tuple(nodes)), story)


def _model_text(scene: Scene, bodies: list[_Body], title: str) -> str:
    """The XML of the model part."""
    moved = -np.min([body.vertices.min(axis=0) for body in bodies], axis=0).round(6)
    rights = all_rights(scene.provenance)
    sources = ", ".join(source.name for source in scene.provenance.sources[:9])
    warned = f". {NOT_FOR_DIAGNOSIS}" if scene.frame is Frame.PATIENT_LPS else ""
    licence = "; ".join(text for text in (rights.licence, rights.usage_terms) if text)
    metadata = {
        "Title": title,
        "Designer": rights.creator,
        "Description": f"Made by unflat {__version__} from {sources}{warned}",
        "Copyright": rights.copyright,
        "LicenseTerms": licence,
        "CreationDate": scene.provenance.created,
        "Application": f"unflat {__version__}",
        "unflat:label": label_text(scene.provenance),
        "unflat:sourceType": source_type(scene.provenance),
        "unflat:story": story_text(scene, "millimetre", moved_mm=[float(x) for x in moved]),
    }
    lines = [f'{_HEADER}<model unit="millimeter" xml:lang="en-US" xmlns="{CORE}" xmlns:unflat="{_OURS}">']
    lines += [f'<metadata name="{name}">{_xml(text)}</metadata>' for name, text in metadata.items() if text]
    lines.append("<resources>")
    finishes = [(number, body.finish) for number, body in enumerate(bodies) if body.finish is not None]
    if finishes:
        lines.append(f'<basematerials id="{len(bodies) + 1}">')
        lines += [_base(bodies[number].name, finish) for number, finish in finishes]
        lines.append("</basematerials>")
    material = {number: f' pid="{len(bodies) + 1}" pindex="{i}"' for i, (number, _) in enumerate(finishes)}
    for number, (name, vertices, faces, _) in enumerate(bodies, 1):
        look = material.get(number - 1, "")
        lines.append(f'<object id="{number}" type="model" name={quoteattr(_printable(name))}{look}><mesh><vertices>')
        lines.append(('<vertex x="%.8g" y="%.8g" z="%.8g"/>' * len(vertices)) % tuple(vertices.reshape(-1).tolist()))
        lines.append("</vertices><triangles>")
        lines.append(('<triangle v1="%d" v2="%d" v3="%d"/>' * len(faces)) % tuple(faces.reshape(-1).tolist()))
        lines.append("</triangles></mesh></object>")
    lines.append("</resources><build>")
    place = "1 0 0 0 1 0 0 0 1 " + " ".join(f"{x:.6f}" for x in moved)
    lines += [f'<item objectid="{number}" transform="{place}"/>' for number in range(1, len(bodies) + 1)]
    lines.append("</build></model>\n")
    return "\n".join(lines)


def _base(name: str, finish: Finish) -> str:
    """A material of the 3MF Core Specification: its colour is sRGB with the opacity last."""
    color = "".join(f"{c:02X}" for c in (*finish.color, round(255 * finish.opacity)))
    return f'<base name={quoteattr(_printable(name))} displaycolor="#{color}"/>'


def _xml(text: str) -> str:
    return escape(_printable(text))


def _printable(text: str) -> str:
    """Without what XML 1.0 cannot hold: control characters, lone surrogates, non-characters."""
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c if c in "\t\n" or (c >= " " and c not in "\x7f\ufffe\uffff") else "?" for c in clean)


def _model(path: Path) -> Model:
    """The parsed model part of the package."""
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > _MOST_PARTS:
                raise InputError(f"{path.name} holds too many parts")
            target = model_path(_part(archive, "_rels/.rels", path.name))
            return parse_model(_part(archive, target, path.name))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except ZIP_FAULTS as error:
        raise InputError(f"{path.name} is not a 3MF file, or damaged: {error}") from error


def _part(archive: zipfile.ZipFile, name: str, file: str) -> bytes:
    """One part. ``zipfile`` never gives more than the directory announces, so that is what is looked at."""
    if archive.getinfo(name).file_size > _MOST_XML:
        raise InputError(f"{file} unpacks to more than {_MOST_XML >> 20} MB")
    with archive.open(name) as part:
        return part.read(_MOST_XML)


def _story(model: Model) -> Story | None:
    text = next((text for name, text in model.metadata if name.endswith(":story")), None)
    if text is None or '"generator":"unflat' not in text[:64]:
        return None
    return parsed(text)


def _moved(story: Story | None) -> F64:
    """How far the build items stand from where the scene had them, (3,) millimetres."""
    moved = story.get("moved_mm", [0, 0, 0]) if story else [0, 0, 0]
    if not (is_list(moved) and len(moved) == 3 and all(isinstance(x, (int, float)) for x in moved)):
        raise InputError("the record inside the file is damaged", hint=f"moved_mm is {json.dumps(moved)[:60]}")
    try:
        return np.array(moved, dtype=np.float64)
    except OverflowError as error:
        raise InputError("the record inside the file is damaged") from error

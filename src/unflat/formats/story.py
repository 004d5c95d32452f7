"""What a file says of itself beside its geometry, as one small JSON object in comments, metadata or a sidecar.

PLY carries it in comments, OBJ in ``#`` lines, 3MF in metadata; STL and SPZ have no room and get a sidecar,
NAME.SUFFIX.json. The words themselves are made in ``provenance_text``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from unflat import __version__
from unflat.errors import InputError
from unflat.formats.looks import looks_of
from unflat.formats.plain import is_list, is_object
from unflat.formats.provenance_text import foreign_record, from_record, record, to_plain
from unflat.formats.told_rights import comment_rows
from unflat.types.provenance import Provenance, Source
from unflat.types.scene import Node, Role, Scene, as_role

_PIECE = 180
_MOST_SIDECAR = 1 << 24
Story = dict[str, Any]


def story_text(scene: Scene, unit: str, most: int | None = None, **more: Any) -> str:
    """The story of a scene as ASCII JSON in one line.

    Args:
        scene: What is being written.
        unit: The unit of the numbers in the file, "metre" or "millimetre".
        most: The longest text that fits. Sources, then steps, are left out from the end until it does, and the
            story then says how many were left out.
        more: Further JSON values of the format.
    """
    sources, steps = scene.provenance.sources, scene.provenance.steps
    while True:
        shorter = dataclasses.replace(scene.provenance, sources=sources, steps=steps)
        story: Story = {"generator": f"unflat {__version__}", "unit": unit, **more}
        story |= looks_of(scene)
        story |= record(dataclasses.replace(scene, provenance=shorter))
        gone = len(scene.provenance.sources) - len(sources) + len(scene.provenance.steps) - len(steps)
        if gone:
            story["left_out"] = gone
        text = json.dumps(story, ensure_ascii=True, separators=(",", ":"))
        if most is None or len(text) <= most or not (sources or steps):
            return text
        sources, steps = (sources[: len(sources) // 2], steps) if sources else (sources, steps[: len(steps) // 2])


def comment_lines(scene: Scene, unit: str, axes: str, most: int = 40_000, **more: Any) -> list[str]:
    """The story as short ASCII lines without line ends, for headers that people read too.

    The JSON is cut into pieces between bars, so that a reader that trims blanks changes nothing and no line can end
    in a word that means something to the format.

    Args:
        scene: What is being written.
        unit: The unit of the numbers in the file.
        axes: The axes of the file, in words.
        most: The most characters of JSON; readers of splats expect a PLY header within 64 KB.
        more: Further JSON values of the format.
    """
    scale = scene.scale
    text = story_text(scene, unit, most, **more)
    return [
        f"unflat {__version__}",
        f"unit: {unit}; axes: {axes}; frame: {scene.frame.value}",
        f"scale: {scale.basis}; the true size is {scale.low:.4g} to {scale.high:.4g} times as large",
        *comment_rows(scene.provenance),
        *_pieces(text),
    ]


def provenance_lines(story: Provenance | None, most: int = 40_000) -> list[str]:
    """A story without a scene as short ASCII lines, as :func:`comment_lines` has them; none for None.

    Args:
        story: Where something comes from.
        most: The most characters of JSON; sources are left out from the end until it fits.
    """
    if story is None:
        return []
    text, sources = "", story.sources
    while not text or (len(text) > most and sources):
        sources = sources if not text else sources[: len(sources) // 2]
        plain = to_plain(dataclasses.replace(story, sources=sources))
        gone = len(story.sources) - len(sources)
        text = json.dumps(plain | ({"left_out": gone} if gone else {}), ensure_ascii=True, separators=(",", ":"))
    return [*comment_rows(story), *_pieces(text)]


def _pieces(text: str) -> list[str]:
    return [f"unflat-json |{text[i : i + _PIECE]}|" for i in range(0, len(text), _PIECE)]


def story_in_lines(lines: Iterable[str]) -> Story | None:
    """Put the JSON of :func:`comment_lines` together again; None if there is none.

    Raises:
        InputError: The pieces are there but damaged.
    """
    pieces = [line.strip() for line in lines if line.strip().startswith("unflat-json ")]
    if not pieces:
        return None
    if not all(len(p) > 13 and p.startswith("unflat-json |") and p.endswith("|") for p in pieces):
        raise InputError("the record inside the file is damaged")
    return parsed("".join(p[len("unflat-json |") : -1] for p in pieces))


def parsed(text: str | bytes) -> Story:
    """A story from JSON.

    Raises:
        InputError: Not JSON, or not an object.
    """
    try:
        story = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError("the record inside the file is damaged") from error
    if not is_object(story):
        raise InputError("the record inside the file is damaged")
    return story


def sidecar_of(path: Path) -> Path:
    """Where the story of a file stands that has no room for one: NAME.SUFFIX.json."""
    return path.with_name(path.name + ".json")


def story_beside(path: Path) -> Story | None:
    """The story in the sidecar of ``path``; None if there is no sidecar, or if it is not one of ours.

    Raises:
        InputError: The sidecar is ours but damaged.
    """
    sidecar = sidecar_of(path)
    if not sidecar.is_file():
        return None
    text = bytes_of(sidecar, _MOST_SIDECAR)
    return parsed(text) if b'"generator":"unflat' in text[:64] else None


def scene_from(nodes: tuple[Node, ...], story: Story | None, path: Path, warnings: tuple[str, ...] = ()) -> Scene:
    """A scene from what was read, already turned into the frame of the story.

    Args:
        nodes: What stands in the file.
        story: What the file says of itself, or None for a file of another program.
        path: The file, named as the source where there is no story.
        warnings: What reading had to leave out, in words for the user.

    Raises:
        InputError: The story does not make sense.
    """
    if story is None:
        known = foreign_record(Source(path.name, _sha256(path), path.suffix.lower().lstrip(".") or "file"))
    else:
        known = from_record(story)
    provenance = dataclasses.replace(known.provenance, warnings=(*known.provenance.warnings, *warnings))
    return Scene(nodes, (), known.frame, known.scale, provenance, known.safe_view)


def role_in(story: Story | None, name: str) -> Role:
    """The role of the node ``name``; "surface" where the story does not say."""
    return as_role(next((role for n, role in nodes_in(story) if n == name), None))


def name_in(story: Story | None, default: str) -> str:
    """The name for all that a file holds in one piece; ``default`` where the story does not name exactly one."""
    names = [name for name, role in nodes_in(story) if role == "surface"]
    return names[0][:200] if len(names) == 1 else default


def nodes_in(story: Story | None) -> list[tuple[str, str]]:
    """Name and role of every node that the story tells of."""
    nodes = story.get("nodes") if story else None
    if not is_list(nodes):
        return []
    pairs = [(n.get("name"), n.get("role")) for n in nodes if is_object(n)]
    return [(name, role) for name, role in pairs if isinstance(name, str) and isinstance(role, str)]


def bytes_of(path: Path, most: int) -> bytes:
    """The whole file.

    Raises:
        InputError: Missing, not readable, or larger than ``most`` bytes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > most:
        raise InputError(f"{path.name} is larger than {most >> 20} MB")
    return data


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error

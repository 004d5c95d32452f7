"""Every kind of source through every recipe into every format, and what is promised held against what came out."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from tests.promise_checks import CHECKS, GONE, Made, excuse, judged
from tests.promise_inputs import KINDS, Family, Kind, people_at, portrait

from unflat.cli.main import run
from unflat.pipelines.inspect import inspect

_FINDERS = (
    "unflat.models.faces.finder.find_people",
    "unflat.stages.redact_clip.find_people",
    "unflat.stages.follow_people.find_people",
)
_DECODERS = ("decode", "decode_heic", "decode_raw")
_FEW = ("--triangles", "1000", "--texture-size", "256", "--no-familiar")


@dataclass(frozen=True)
class Recipe:
    """A way of making things.

    Attributes:
        name: In the table.
        family: Of its sources.
        words: The command and what makes it quick; the source is put behind the first.
        outputs: What it is called in the table -> the name of the file.
        learned: Whether a trained network has a part in what comes out.
        kinds: Names of the kinds that it is tried with, where it comes in by the same door as another recipe; empty:
            all of the family.
    """

    name: str
    family: Family
    words: tuple[str, ...]
    outputs: dict[str, str]
    learned: bool = True
    kinds: tuple[str, ...] = ()


_SCENES = {
    name: f"a.{name.lower()}" for name in ("glb", "gltf", "usdz", "splat.ply", "spz", "ply", "pcd", "obj", "html")
}
_SOLIDS = {name: f"a.{name}" for name in ("stl", "3mf")}
_DEPTH = {f"depth {name}": f"a.{name}" for name in ("png", "npy", "pfm", "jpg")}
RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "scene", "picture", ("photo", *_FEW, "--count", "300"), {**_SCENES, **_SOLIDS, **_DEPTH, "layers exr": "a.exr"}
    ),
    Recipe("depth", "picture", ("depth",), {**_DEPTH, "depth exr": "a.exr"}),
    Recipe(
        "stereo picture",
        "picture",
        ("stereo",),
        {
            "full side by side jpg": "a_LRF_Full_SBS.jpg",
            "half side by side png": "a_LR.png",
            "top-bottom webp": "a_TBF_fulltb.webp",
            "half top-bottom tif": "a_TB.tif",
            "cross-eyed avif": "a_RLF_cross.avif",
            "anaglyph png": "a_redcyan_red-cyan.png",
            "wiggle gif": "a_wiggle.gif",
            "picture and depth jpg": "a_RGBD.jpg",
            "mpo": "a.mpo",
            "vr180 jpg": "a_180x180_LR.jpg",
            "spatial heic": "a.heic",
        },
    ),
    Recipe(
        "a file for each eye", "picture", ("stereo", "--layout", "pair"), {"two jpg": "a.jpg"}, kinds=("JPEG", "RAW")
    ),
    Recipe(
        "panorama",
        "picture",
        ("photo", "--panorama", "yes", "--fov", "120", *_FEW),
        {"glb": "a.glb", "html": "a.html", "depth exr": "a.exr"},
        kinds=("JPEG", "PNG"),
    ),
    Recipe(
        "drawing", "picture", ("photo", "--style", "diagram", *_FEW), {"glb": "a.glb", "stl": "a.stl"}, False, ("PNG",)
    ),
    Recipe(
        "thing",
        "cut-out",
        ("scan", "--subject", "object", "--triangles", "4000"),
        {"glb and what a shop needs": "a.glb", "stl": "a.stl"},
    ),
    Recipe(
        "camera move",
        "picture",
        ("animate", "--seconds", "0.4", "--fps", "8", "--long-side", "128", "--triangles", "1000"),
        {"film mp4": "a.mp4", "film gif": "a.gif", "film webp": "a.webp", "frames png": "a.png", "moving glb": "a.glb"},
    ),
    Recipe(
        "stereo film",
        "film",
        ("stereo",),
        {
            "side by side mp4": "a_LRF_Full_SBS.mp4",
            "half side by side mov": "a_LR.mov",
            "top-bottom mkv": "a_TBF_fulltb.mkv",
            "anaglyph webm": "a_redcyan_red-cyan.webm",
            "cross-eyed m4v": "a_RLF_cross.m4v",
            "vr180 mp4": "a_180x180_LR.mp4",
            "page html": "a.html",
        },
    ),
    Recipe("depth of a film", "film", ("depth",), {"depth mkv": "a.mkv", "depth png": "a.png"}),
    Recipe(
        "place",
        "views",
        ("scan", "--no-learned", "--depth-size", "96", "--texture-size", "256", "--triangles", "4000"),
        {
            **_SCENES,
            "colmap": "a.colmap",
            "nerfstudio": "a.nerfstudio",
            "tum": "a.tum",
            "map yaml": "a.yaml",
            "map pgm": "a.pgm",
        },
        learned=False,
    ),
    Recipe(
        "anatomy",
        "slices",
        ("volume", "--threshold", "200", "--modality", "ct"),
        {name: f"a.{name}" for name in ("glb", "gltf", "usdz", "ply", "obj", "stl", "3mf", "html")},
        learned=False,
    ),
)
DOOR = (
    "refused where people may not be shown",
    "stopped by a consent that was withdrawn",
    "stopped where its owner forbids it, unless a reason is given",
    "stopped where it may not be sold and that is asked",
)
"""What is promised of a kind of source and a recipe, whatever comes out."""
_NO_PEOPLE = {("slices", promise): "A scan of a body is no picture of a person; see above." for promise in DOOR[:2]}
_UNTOLD = {("slices", DOOR[3]): "No format of scans has words for it."}


def cases() -> Iterator[tuple[Recipe, Kind]]:
    """Each recipe with each kind of source that it takes."""
    for recipe in RECIPES:
        for kind in KINDS:
            if kind.family == recipe.family and kind.name in (recipe.kinds or (kind.name,)):
                yield recipe, kind


def said_of_door(kind: Kind, promise: str) -> str | None:
    """Why something is not asked at the door; None: it is."""
    return (_NO_PEOPLE | _UNTOLD).get((kind.family, promise))


@contextmanager
def with_face_of(kind: Kind, which: int | None) -> Generator[None]:
    """Within this block there is one face in everything that is read, and always at the same place.

    Args:
        kind: Of the source.
        which: One of two faces; what is read says the same of itself then, whichever it is. None: as it stands there.
    """
    with contextlib.ExitStack() as stack:
        for place in _FINDERS if kind.family != "slices" else ():
            stack.enter_context(mock.patch(place, people_at))
        if which is not None:
            same = SimpleNamespace(sha256=lambda _: hashlib.sha256(b"the same"))
            stack.enter_context(mock.patch("unflat.formats.image.hashlib", same))
            for module in ("film_read", "stills"):
                stack.enter_context(mock.patch(f"unflat.formats.{module}._sha256", lambda _: "ab" * 32))
        if which is not None and kind.swapped:
            for name in _DECODERS:
                stack.enter_context(mock.patch(f"unflat.formats.image.{name}", _swapped(name, which)))
        yield


def _swapped(name: str, which: int) -> Callable[..., Any]:
    from unflat.formats import image

    decode = getattr(image, name)

    def decoded(*words: Any) -> Any:
        found = decode(*words)
        return replace(found, pixels=replace(found.pixels, rgb=portrait(which), alpha=None))

    return decoded


def ran(recipe: Recipe, source: Path, places: list[Path], *words: str) -> tuple[int, str]:
    """Run a recipe in this process; its exit code and what it said."""
    verb, *more = recipe.words
    outputs = [word for place in places for word in ("-o", str(place))]
    said = io.StringIO()
    if verb == "volume" and source.is_dir() and any(source.glob("*.png")):
        words += ("--spacing-mm", "2", "2", "6")
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run([verb, str(source), *outputs, *more, *words])
    return code, said.getvalue()


def places_in(recipe: Recipe, folder: Path) -> dict[str, Path]:
    """A folder for each output, and the name of the output in it."""
    places = {output: folder / f"{number:02d}" / name for number, (output, name) in enumerate(recipe.outputs.items())}
    for place in places.values():
        place.parent.mkdir(parents=True)
    return places


def hold_outputs(recipe: Recipe, kind: Kind, folder: Path) -> Iterator[tuple[str, str]]:
    """Make everything once and hold the promises against it: (output, promise) of each that was kept.

    Raises:
        AssertionError: One was not.
    """
    source = kind.make(folder, 0)
    places = places_in(recipe, folder / "made")
    with with_face_of(kind, None):
        code, said = ran(recipe, source, list(places.values()))
    assert code == 0, said
    outputs = [
        Made(kind, recipe.name, output, place.parent, place.name, recipe.learned) for output, place in places.items()
    ]
    judges = judged(outputs)
    for made in (replace(made, judges=judges) for made in outputs):
        for promise, check in CHECKS.items():
            if excuse(recipe.name, kind, promise) is None:
                try:
                    check(made)
                except Exception as error:
                    raise AssertionError(f"{kind.name} -> {made.output}: '{promise}' is not kept: {error}") from error
                yield made.output, promise


def hold_gone(recipe: Recipe, kind: Kind, folder: Path) -> Iterator[tuple[str, str]]:
    """Take the faces out of two sources that differ in nothing else: what is made of them is the same to the byte.

    Where the faces are left in, what is made differs, or this would find nothing.

    Raises:
        AssertionError: Something of a face got through.
    """
    if excuse(recipe.name, kind, GONE) is not None:
        return
    one, other = (_made(recipe, kind, folder, "blur", which) for which in (0, 1))
    for output, bytes_of in one.items():
        assert bytes_of == other[output], f"{kind.name} -> {output}: something of the face is left"
        yield output, GONE
    one, other = (_made(recipe, kind, folder, "ask", which) for which in (0, 1))
    assert one != other, f"{kind.name}, {recipe.name}: nothing shows a face that was left in"


def _made(recipe: Recipe, kind: Kind, folder: Path, how: str, which: int) -> dict[str, dict[str, bytes]]:
    """The bytes of all files of all outputs, unsigned: signatures differ each time."""
    place = folder / f"{how}{which}"
    place.mkdir()
    source = kind.make(place, which)
    places = places_in(recipe, place / "made")
    with with_face_of(kind, which), mock.patch.dict(os.environ, {"SOURCE_DATE_EPOCH": "1700000000"}):
        code, said = ran(recipe, source, list(places.values()), "--people", how, "--no-sign")
    assert code == 0, said
    return {output: _bytes_in(path.parent) for output, path in places.items()}


def _bytes_in(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def hold_door(recipe: Recipe, kind: Kind, folder: Path) -> Iterator[str]:
    """What stops a source at the door, and leaves nothing behind: each promise that was kept.

    Raises:
        AssertionError: One was not.
    """
    source = kind.make(folder, 0)
    name = next(iter(recipe.outputs.values()))
    out = folder / "out" / name
    out.parent.mkdir()
    for promise, hold in zip(DOOR, (_refused, _withdrawn, _forbidden, _unsold), strict=True):
        if said_of_door(kind, promise) is None:
            with with_face_of(kind, None):
                hold(recipe, source, out)
            yield promise


def _stopped(recipe: Recipe, source: Path, out: Path, code: int, *words: str) -> str:
    """Say that a run ends with a code, two lines and nothing written."""
    got, said = ran(recipe, source, [out], *words)
    assert got == code, f"{got}: {said}"
    assert not list(out.parent.iterdir()), sorted(out.parent.iterdir())
    assert "\nhint: " in said and "Traceback" not in said, said
    return said


def _refused(recipe: Recipe, source: Path, out: Path) -> None:
    _stopped(recipe, source, out, 7, "--people", "refuse")


def _withdrawn(recipe: Recipe, source: Path, out: Path) -> None:
    from unflat.formats import consent_file
    from unflat.types.consent import ConsentRecord

    record = ConsentRecord(
        "99345678-1234-4234-8234-123456789abc", "A. Person", "a portrait", ("make",), consent_file.today()
    )
    consent_file.keep(replace(record, withdrawn=consent_file.today()))
    said = _stopped(recipe, source, out, 7, "--consent", record.id)
    assert "withdrawn" in said, said


def _forbidden(recipe: Recipe, source: Path, out: Path) -> None:
    rules = (source if source.is_dir() else source.parent) / "ai.txt"
    rules.write_text("User-agent: *\nDisallow: /\n", encoding="utf-8")
    _stopped(recipe, source, out, 8)
    reason = "I made it myself"
    code, said = ran(recipe, source, [out], "--i-have-the-right", reason)
    rules.unlink()
    assert code == 0, said
    written = sorted(file for file in out.parent.iterdir() if not file.name.endswith((".c2pa", ".json")))
    assert inspect(out if out.exists() else written[0])["rights_statement"]["leave"] == reason
    for file in sorted(out.parent.rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()


def _unsold(recipe: Recipe, source: Path, out: Path) -> None:
    _stopped(recipe, source, out, 8, "--commercial-only")

"""The table of formats: which suffix, which noun, which file of this folder, what is kept."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Literal, get_args

from unflat.errors import InputError
from unflat.formats.atomic import check_target, safe_stem
from unflat.formats.outlet import Handing, SealOptions, handed_out, seal_targets
from unflat.trust.lineage import Lineage
from unflat.trust.mark import with_mark, without_mark
from unflat.types.depth import DepthMap
from unflat.types.layers import Layers
from unflat.types.occupancy import Occupancy
from unflat.types.provenance import Provenance, Source
from unflat.types.scene import Scene
from unflat.types.splats import Splats
from unflat.types.views import Reconstruction


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table.

    A module of this folder that writes scenes has ``write(scene, path, options)``; one that reads them has
    ``read(path) -> Scene``. For depth the noun is a DepthMap, for cameras and sparse points a Reconstruction, for what
    is free to go an Occupancy.

    Attributes:
        name: What people call it.
        suffixes: Longest first, in lower case, with the dot.
        module: The file of this folder.
        noun: What it holds.
        reads: Whether it is read back.
        keeps: What survives, for the documentation and the round-trip law.
        tolerance: Largest relative error of positions after reading back.
        opens_in: Programs known to take it.
        beside: Names of the files that appear with it: {name} is its own, {stem} that without suffix, made safe.
        folder: Whether it is a folder of files.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str
    noun: type[Scene] | type[DepthMap] | type[Layers] | type[Reconstruction] | type[Occupancy]
    reads: bool
    keeps: tuple[str, ...]
    tolerance: float = 0.0
    opens_in: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    folder: bool = False

    def targets(self, path: Path) -> tuple[Path, ...]:
        """Every file that writing to ``path`` makes, as far as the name tells."""
        words = {"name": path.name, "stem": safe_stem(path.stem)}
        beside = (path.with_name(pattern.format(**words)) for pattern in self.beside)
        return (path, *beside, *seal_targets(path, folder=self.folder))

    def check(self, path: Path, *, force: bool) -> None:
        """Refuse early what would fail when ``path`` is written.

        Raises:
            OutputError: See :func:`unflat.formats.atomic.check_target`.
        """
        for target in self.targets(path):
            check_target(target, force=force, folder=self.folder)

    def load(self) -> ModuleType:
        """Import the format's module, now that it is needed."""
        return importlib.import_module(f"unflat.formats.{self.module}")


_DRAWN_ON = ("html",)
"""What shows the visible mark: a surface or a depth map would be changed by it."""
Near = Literal["white", "black"]
Thing = Scene | DepthMap | Layers | Reconstruction | Occupancy
"""What a file can hold."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How files are written."""

    force: bool = False
    """Replace files that exist."""
    texture_size: int = 4096
    """Longest side of a texture in pixels; AR formats never go beyond 2048."""
    texture_quality: int = 90
    """JPEG quality of a texture that has to be encoded anew."""
    near: Near | None = None
    """Which end of the grey scale of a depth picture is near: white or black. Unless said, a metric PNG within 65 m
    holds millimetres, where far is light, and everything else is near white."""
    editable: bool = True
    """A web page carries the depth of its picture, so that it can be mended there by hand; up to a tenth larger."""
    seal: SealOptions = field(default_factory=SealOptions)
    page_voxels: int = 2**26
    """The most voxels of a scan that a web page carries, about 1.3 bytes each; a larger scan is averaged down."""

    def __post_init__(self) -> None:
        if not 16 <= self.texture_size <= 16384:
            raise InputError(f"--texture-size {self.texture_size} is out of range", hint="Give 16 to 16384 pixels.")
        if not 1 <= self.texture_quality <= 100:
            raise InputError(f"--texture-quality {self.texture_quality} is out of range", hint="Give 1 to 100.")
        if not 1 <= self.page_voxels <= 2**28:
            raise InputError(f"--page-voxels {self.page_voxels} is out of range", hint="Give 1 to 268435456.")
        if self.near not in (None, *get_args(Near)):
            raise InputError(f"near must be white or black, not '{self.near}'")


FORMATS: tuple[Format, ...] = (
    Format(
        "glTF binary",
        (".glb",),
        "glb",
        Scene,
        True,
        ("mesh", "texture", "camera", "track", "confidence", "provenance"),
        1e-6,
        ("Blender", "browsers", "Windows 3D Viewer", "Android", "Unity", "Unreal"),
    ),
    Format(
        "glTF",
        (".gltf",),
        "glb",
        Scene,
        True,
        ("mesh", "texture", "camera", "track", "confidence", "provenance"),
        1e-6,
        ("Blender", "browsers", "Unity", "Unreal"),
        beside=("{stem}.bin", "{stem}.gltf.jpg"),
    ),
    Format(
        "USDZ",
        (".usdz",),
        "usdz",
        Scene,
        True,
        ("mesh", "texture", "camera", "confidence", "provenance"),
        1e-6,
        ("iPhone and iPad (AR Quick Look)", "Vision Pro", "Blender", "Houdini"),
    ),
    Format(
        "splat PLY",
        (".splat.ply",),
        "splats",
        Scene,
        True,
        ("splats",),
        1e-6,
        ("SuperSplat", "Spark", "PlayCanvas", "Postshot"),
    ),
    Format(
        "SPZ",
        (".spz",),
        "spz",
        Scene,
        True,
        ("splats",),
        2e-4,
        ("SuperSplat", "Spark", "Niantic Studio"),
        beside=("{name}.json",),
    ),
    Format(
        "PLY",
        (".ply",),
        "ply",
        Scene,
        True,
        ("mesh", "points", "confidence", "provenance"),
        1e-6,
        ("Blender", "MeshLab", "CloudCompare"),
    ),
    Format(
        "Point Cloud Data",
        (".pcd",),
        "pcd",
        Scene,
        True,
        ("points", "confidence", "provenance"),
        1e-6,
        ("PCL", "ROS", "CloudCompare"),
    ),
    Format(
        "Wavefront OBJ",
        (".obj",),
        "obj",
        Scene,
        True,
        ("mesh", "texture", "provenance"),
        1e-5,
        ("everything",),
        beside=("{stem}.mtl", "{stem}.obj.jpg"),
    ),
    Format(
        "STL",
        (".stl",),
        "stl",
        Scene,
        True,
        ("relief",),
        1e-5,
        ("PrusaSlicer", "Cura", "Bambu Studio"),
        beside=("{name}.json",),
    ),
    Format(
        "3MF",
        (".3mf",),
        "threemf",
        Scene,
        True,
        ("relief", "provenance"),
        1e-5,
        ("PrusaSlicer", "Cura", "Bambu Studio"),
    ),
    Format(
        "web page",
        (".html",),
        "html",
        Scene,
        True,
        ("mesh", "texture", "camera", "track", "confidence", "provenance"),
        1e-6,
        ("browsers",),
    ),
    Format(
        "depth PNG",
        (".png",),
        "depthmap",
        DepthMap,
        True,
        ("inverse depth", "sidecar"),
        1 / 65535,
        beside=("{name}.json",),
    ),
    Format("OpenEXR depth", (".exr",), "depthmap", DepthMap, True, ("depth", "sidecar"), beside=("{name}.json",)),
    Format(
        "OpenEXR layers",
        (".exr",),
        "layered_exr",
        Layers,
        False,
        ("colour", "depth", "normals", "confidence", "layers", "camera", "sidecar"),
        opens_in=("Nuke", "Blender", "Natron"),
        beside=("{name}.json",),
    ),
    Format("NumPy depth", (".npy",), "depthmap", DepthMap, True, ("depth", "sidecar"), beside=("{name}.json",)),
    Format("PFM depth", (".pfm",), "depthmap", DepthMap, True, ("depth", "sidecar"), beside=("{name}.json",)),
    Format("coloured depth", (".jpg", ".jpeg"), "depthmap", DepthMap, False, ("appearance",), beside=("{name}.json",)),
    Format(
        "COLMAP",
        (".colmap",),
        "colmap",
        Reconstruction,
        False,
        ("cameras", "pictures", "points", "masks"),
        opens_in=("COLMAP", "Gaussian Splatting", "gsplat", "Brush", "Postshot", "OpenMVS"),
        folder=True,
    ),
    Format(
        "nerfstudio",
        (".nerfstudio",),
        "nerfstudio",
        Reconstruction,
        False,
        ("cameras", "pictures", "points", "masks"),
        opens_in=("nerfstudio", "instant-ngp", "Brush"),
        folder=True,
    ),
    Format("TUM trajectory", (".tum",), "tum", Reconstruction, False, ("track",), opens_in=("evo", "TUM RGB-D tools")),
    *(
        Format(
            "occupancy map",
            (suffix,),
            "occupancy_map",
            Occupancy,
            True,
            ("free", "occupied", "unknown"),
            opens_in=("ROS map_server", "Nav2"),
            beside=(f"{{stem}}{other}",),
        )
        for suffix, other in ((".yaml", ".pgm"), (".pgm", ".yaml"))
    ),
)


def story_of(thing: Thing) -> Provenance | None:
    """What a noun knows of where it came from."""
    return thing.depth.provenance if isinstance(thing, Layers) else thing.provenance


def with_story(thing: Thing, story: Provenance) -> Thing:
    """The same with another story."""
    if isinstance(thing, Layers):
        return replace(thing, depth=replace(thing.depth, provenance=story))
    return replace(thing, provenance=story)


def format_of(path: Path) -> Format:
    """The row for the suffix of ``path``.

    Raises:
        InputError: No format has the suffix.
    """
    name = path.name.lower()
    rows = (row for row in FORMATS if name.endswith(row.suffixes))
    found = max(rows, key=lambda row: max(map(len, row.suffixes)), default=None)
    if found is None:
        known = " ".join(dict.fromkeys(suffix for row in FORMATS for suffix in row.suffixes))
        raise InputError(f"no format for '{path.name}'", hint=f"Known suffixes: {known}")
    return found


def format_of_picture(path: Path) -> Format:
    """The row for the suffix of ``path``, where one picture is to become that file.

    Raises:
        InputError: No format has the suffix, or it is one for what only many pictures tell.
    """
    row = format_of(path)
    if row.noun in (Reconstruction, Occupancy):
        raise InputError(
            f"{path.name} would hold the {'cameras' if row.noun is Reconstruction else 'floor'} of many pictures",
            hint="'unflat scan' writes it; choose another suffix.",
        )
    return row


def write(thing: Thing, path: Path, options: ExportOptions | None = None) -> Handing:
    """Write a noun; the suffix of ``path`` chooses the format, and splats in a .ply their own.

    Returns:
        What went out: every file, and what the user should know of it.

    Raises:
        InputError: Unknown suffix, or one that cannot hold this noun.
        OutputError: The place cannot be written.
    """
    options = options or ExportOptions()
    row = format_of(path)
    if isinstance(thing, Layers):
        row = next((own for own in FORMATS if own.noun is Layers and path.name.lower().endswith(own.suffixes)), row)
    if not isinstance(thing, row.noun):
        raise InputError(
            f"{row.name} holds a {row.noun.__name__}, not a {type(thing).__name__}",
            hint="Choose another suffix.",
        )
    if row.module == "ply" and isinstance(thing, Scene) and any(isinstance(n.item, Splats) for n in thing.nodes):
        row = format_of(Path("any.splat.ply"))
    told = story_of(thing)
    story = told or Lineage.begin(Source.array(type(thing).__name__)).seal()
    drawn = options.seal.mark and row.module in _DRAWN_ON
    story = with_mark(story) if drawn else without_mark(story)
    with handed_out(path, story, options.seal, force=options.force, folder=row.folder) as out:
        unchanged = told is None and not drawn
        row.load().write(thing if unchanged else with_story(thing, out.story), out.path, options)
    if options.seal.mark and not drawn:
        out.notes += (f"No mark is drawn in {path.name}: pictures, films and pages show one, others only say it.",)
    return out


def is_depth_file(path: Path) -> bool:
    """Whether a file of a depth suffix is a depth map rather than a picture: float files, and PNG that says so.

    Raises:
        InputError: It says so, but is damaged.
    """
    row = format_of(path)
    if row.noun is not DepthMap or not row.reads:
        return False
    return path.suffix.lower() != ".png" or bool(row.load().tells(path))


def is_views_folder(path: Path) -> bool:
    """Whether the name is one of a folder of views: .colmap, .nerfstudio."""
    return any(row.folder and path.name.lower().endswith(row.suffixes) for row in FORMATS)


def read_scene(path: Path) -> Scene:
    """Read a scene back from a file.

    Raises:
        InputError: The format is write-only, unknown, or the file is damaged.
    """
    row = format_of(path)
    if not row.reads or row.noun is not Scene:
        raise InputError(
            f"{row.name} files are not read back as a scene", hint="'unflat photo' makes a scene of a picture."
        )
    return row.load().read(path)

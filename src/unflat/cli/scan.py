"""``unflat scan``: a film or many photographs of one place become one scene."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from unflat.cli.console import one_line, progress, say, say_json, show_report
from unflat.cli.flags import Flat, Outputs, Talk
from unflat.cli.options import flags_of, gathered
from unflat.errors import InputError
from unflat.formats.atomic import check_apart, check_distinct, check_target
from unflat.formats.registry import ExportOptions, format_of
from unflat.formats.scan_shelf import shelf_beside
from unflat.formats.stills import album
from unflat.pipelines.flat import leaves
from unflat.pipelines.scan import Scan, ScanOptions
from unflat.pipelines.scan_catalogue import scan_catalogue
from unflat.pipelines.scan_object import ObjectOptions
from unflat.pipelines.scan_result import ScanResult, check_noun
from unflat.pipelines.scan_thing import save_thing, thing, thing_files
from unflat.stages.bake_texture import TextureOptions
from unflat.stages.occupancy import OccupancyOptions
from unflat.types.scene import Scene


@dataclass(frozen=True, slots=True)
class Everything:
    """All that the command can be told."""

    scan: ScanOptions = field(default_factory=ScanOptions)
    thing: ObjectOptions = field(default_factory=ObjectOptions)


_ScanFlags: Any = flags_of(Everything)
_ExportFlags: Any = flags_of(ExportOptions, ("texture_size", "near", "editable", "page_voxels"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is made of the pictures."""

    subject: Literal["scene", "object"] = "scene"
    """A place, or one thing, closed and standing on its base; a .glb of it comes with all that a shop needs."""
    catalogue: Annotated[bool, Parameter(negative="")] = False
    """The folder holds cut-outs of many articles: make all of them, into the folder -o."""
    landmarks: Path | None = None
    """A plan (JSON, docs/walk.md) of what you know of the pictures: points that several of them show, where they were
    taken, the doors between them. Pictures that find no place by themselves, too, become part of a tour."""
    ply: Literal["surface", "points", "splats"] = "surface"
    """What a plain .ply holds."""
    splats: Annotated[bool, Parameter(negative="")] = False
    """A plain .ply holds splats; short for --ply splats."""
    keep_parts: Annotated[bool, Parameter(negative="")] = False
    """Leave NAME.parts beside the result: the same command with other options makes only what they change."""


_A_SCENE = Wanted()
_FOR_PLACES = (OccupancyOptions, TextureOptions)
"""Options of a scan that nothing of one thing is made with."""


def scan(
    *inputs: Path,
    output: Outputs = None,
    what: Annotated[Wanted, Flat] = _A_SCENE,
    flags: Annotated[_ScanFlags, Flat] = _ScanFlags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]  (generated)
    writing: Annotated[_ExportFlags, Flat] = _ExportFlags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]
    talk: Annotated[Talk, Flat] = Talk(),  # noqa: B008
) -> None:
    """Turn a film, a folder or many photographs of one place into one scene.

    Args:
        inputs: Films, pictures, and folders of them.
    """
    if not inputs:
        raise InputError("nothing to scan was given", hint="unflat scan FILM|FOLDER|PICTURES [-o OUT]")
    told, export = gathered(Everything, flags), gathered(ExportOptions, writing)
    _check_heard(flags, what)
    if what.landmarks is not None and (
        what.catalogue or what.subject == "object" or what.splats or what.ply != "surface"
    ):
        raise InputError("--landmarks is for tours: places, written as surfaces", hint="Leave the other options out.")
    if what.catalogue:
        _catalogue(inputs, output, told.thing, export, talk)
    elif what.subject == "object":
        _object(inputs, output or [_beside(inputs[0], "_object.glb")], told, export, what, talk)
    elif what.landmarks is not None:
        _tour(inputs, output or [_beside(inputs[0], ".html")], told.scan, export, what, talk)
    else:
        _scene(inputs, output or [_beside(inputs[0], ".html")], told.scan, export, what, talk)


def _check_heard(flags: Any, what: Wanted) -> None:
    """Refuse what would be listened to and then do nothing.

    Raises:
        InputError: An option was told that has no say in what is made.
    """
    a_thing = what.catalogue or what.subject == "object"
    heard = {leaf.name for _, leaf, _ in leaves(ObjectOptions)} if a_thing else set[str]()
    if not what.catalogue:
        heard |= {leaf.name for owner, leaf, _ in leaves(ScanOptions) if not (a_thing and owner in _FOR_PLACES)}
    idle = [one.name for one in fields(flags) if one.name not in heard and getattr(flags, one.name) != one.default]
    if a_thing:
        idle += ["ply"] * (what.ply != "surface") + ["splats"] * what.splats
    if what.catalogue:
        idle += ["keep_parts"] * what.keep_parts
    if idle:
        made = "a catalogue" if what.catalogue else "an object" if a_thing else "a place"
        raise InputError(f"--{idle[0].replace('_', '-')} has no say in {made}", hint="Leave it out.")


def _scene(
    inputs: tuple[Path, ...],
    paths: list[Path],
    options: ScanOptions,
    export: ExportOptions,
    what: Wanted,
    talk: Talk,
) -> None:
    """Make a place of the pictures."""
    for path in paths:
        check_noun(path)
        format_of(path).check(path, force=export.force)
    written = [file for path in paths for file in format_of(path).targets(path)]
    check_distinct(written)
    with (
        progress(quiet=talk.quiet) as line,
        shelf_beside(paths[0], options.work.longest, keep=what.keep_parts) as shelf,
    ):
        run = Scan(inputs, options, shelf=shelf, progress=line)
        check_apart(written, run.album.files)
        result = ScanResult(run)
        result.save(*paths, options=export, ply="splats" if what.splats else what.ply)
    show_report(result.report, as_json=talk.json, quiet=talk.quiet)


def _tour(
    inputs: tuple[Path, ...],
    paths: list[Path],
    options: ScanOptions,
    export: ExportOptions,
    what: Wanted,
    talk: Talk,
) -> None:
    """Make a tour of the pictures."""
    from unflat.formats import tour_plan
    from unflat.pipelines.scan_tour import TourRun
    from unflat.pipelines.tour_result import TourResult, check_suffix

    assert what.landmarks is not None
    for path in paths:
        check_suffix(path)
        format_of(path).check(path, force=export.force)
    written = [file for path in paths for file in format_of(path).targets(path)]
    check_distinct(written)
    plan = tour_plan.read(what.landmarks)
    check_apart(written, (what.landmarks, *album(inputs).files))
    with (
        progress(quiet=talk.quiet) as line,
        shelf_beside(paths[0], options.work.longest, keep=what.keep_parts) as shelf,
    ):
        result = TourResult(TourRun(inputs, plan, options, shelf=shelf, progress=line))
        result.save(*paths, options=export)
    show_report(result.report, as_json=talk.json, quiet=talk.quiet)


def _object(
    inputs: tuple[Path, ...],
    paths: list[Path],
    told: Everything,
    export: ExportOptions,
    what: Wanted,
    talk: Talk,
) -> None:
    """Make a thing of the pictures."""
    for path in paths:
        row = format_of(path)
        if row.noun is not Scene or row.keeps == ("splats",):
            raise InputError(
                f"{path.name} cannot hold a thing", hint="Things go to .glb .usdz .obj .ply .stl .3mf .html."
            )
    for path in thing_files(paths):
        check_target(path, force=export.force)
    check_distinct(thing_files(paths))
    check_apart(thing_files(paths), album(inputs).files)
    with (
        progress(quiet=talk.quiet) as line,
        shelf_beside(paths[0], told.scan.work.longest, keep=what.keep_parts) as shelf,
    ):
        made, report = thing(inputs, told.scan, told.thing, shelf, line)
        report = save_thing(made, paths, export, report)
    show_report(report, as_json=talk.json, quiet=talk.quiet)


def _catalogue(
    inputs: tuple[Path, ...], output: list[Path] | None, options: ObjectOptions, export: ExportOptions, talk: Talk
) -> None:
    """Make all articles of a folder."""
    if len(inputs) != 1 or not inputs[0].is_dir() or (output is not None and len(output) != 1):
        raise InputError(
            "a catalogue is made of one folder, into one folder", hint="unflat scan FOLDER --catalogue -o OUT"
        )
    out = output[0] if output else _beside(inputs[0], "-catalogue")
    with progress(quiet=talk.quiet) as line:
        whole = scan_catalogue(inputs[0], out, options, export, line)
    if talk.json:
        say_json(whole)
    elif not talk.quiet:
        for row in whole["articles"]:
            failed, made = row.get("error") or ", ".join(row.get("failed_checks", [])), "files" in row
            say(one_line(f"{row['article']}: {'made' if made else 'not made'}{f' ({failed})' if failed else ''}"))
    if whole["made"] < len(whole["articles"]):
        raise InputError(
            f"{len(whole['articles']) - whole['made']} of {len(whole['articles'])} articles could not be made",
            hint=f"{out / 'catalogue.json'} says why; the others are done.",
        )


def _beside(given: Path, ending: str) -> Path:
    """Where a result goes if nobody said: beside what it is made of."""
    whole = given.resolve() if given.name in ("", ".", "..") else given
    return whole.with_name((whole.name if whole.is_dir() else whole.stem) + ending)

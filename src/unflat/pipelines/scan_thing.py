"""Many or few pictures of one thing -> that thing, ready for a shop: what ``unflat scan --subject object`` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from unflat.errors import InputError
from unflat.formats import registry
from unflat.formats.film_parts import key_of
from unflat.formats.image import read_image
from unflat.formats.provenance_text import to_plain
from unflat.formats.registry import ExportOptions
from unflat.formats.scan_shelf import Shelf
from unflat.formats.shop import shop_files, write_shop
from unflat.models.views.judge import ANOTHER_PLACE, MORE_PLACES
from unflat.pipelines.report import Progress, peak_memory_mb, silent
from unflat.pipelines.scan import Scan, ScanOptions
from unflat.pipelines.scan_catalogue import MOST_PICTURES
from unflat.pipelines.scan_object import ObjectOptions, object_from_images
from unflat.pipelines.scan_one import object_from_scan, object_from_views
from unflat.stages.make_poster import make_poster
from unflat.stages.mask_backdrop import mask_backdrop
from unflat.stages.name_views import side_in, sides_of
from unflat.types.arrays import U8
from unflat.types.scene import Scene
from unflat.types.views import Dropped, Reconstruction, Still, Stills

FEW = 8
"""So many pictures that do not register are taken for cut-outs that hardly overlap."""
_LONE = 2
"""So few are never enough to find cameras by."""
_PLACED = 0.6
"""At least this share of the pictures must find its place: of few of them, or the names of their sides tell more; of
many, or the thing is delivered with a check that failed."""
_TURN = 96
"""More pictures than this of a thing that turns show nothing new."""
_UNTIED = "shows a side that nothing ties to the rest"
_MASKED = {
    "still": "the thing turns before a backdrop that stands still: only what moves is looked at",
    "even": "the backdrop is even: it is taken off every picture",
}


def thing_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Every file that writing a thing to ``paths`` makes: a .glb comes with all that a shop needs."""
    files: list[Path] = []
    for path in paths:
        files += shop_files(path) if path.suffix.lower() == ".glb" else registry.format_of(path).targets(path)
    return tuple(files)


class ThingScan(Scan):
    """A scan whose pictures show one thing: what is behind it is masked where that can be told."""

    _moving = 0.02  # the thing alone may turn

    @cached_property
    def _begun(self) -> str:
        return key_of({"place": super()._begun, "subject": "object"})

    @cached_property
    def stills(self) -> Stills:
        """The pictures worth placing; of each what shows the thing, as far as alpha, motion or colour tell."""
        found = super().stills
        if any(still.mask is not None for still in found.items):
            return replace(found, items=tuple(map(_blackened, found.items)))
        with self.clock.stage("mask"):
            masked = mask_backdrop(found, self.clock.progress)
        self.lineage.did("mask_backdrop", how=masked.how)
        if masked.how == "none":
            return found
        self.lineage.warn(_MASKED[masked.how])
        items: list[Still] = []
        gone: list[Dropped] = []
        for still, mask in zip(found.items, masked.masks, strict=True):
            if mask is None:
                gone.append(Dropped(still.name, "the thing cannot be told from its backdrop"))
                self.lineage.warn(f"left out: {still.name} ({gone[-1].why})")
            else:
                items.append(_blackened(self.shelf.mask_still(still, mask)))
        return Stills(_spread(items, _TURN), found.ordered, (*found.dropped, *gone))

    def _worded(self, found: Reconstruction) -> Reconstruction:
        """Pictures that nothing ties to the rest show no other place here, but another side."""
        lost = [replace(one, why=_UNTIED) if one.why.startswith(ANOTHER_PLACE) else one for one in found.lost]
        notes = [note for note in found.notes if not note.startswith(MORE_PLACES)]
        if len(notes) < len(found.notes):
            notes.append("pictures of the sides in between, 15 degrees apart, would tie the others to the rest")
        return replace(found, lost=tuple(lost), notes=tuple(notes))

    @property
    def masked(self) -> bool:
        """Whether it is known of every picture what of it is the thing."""
        return all(still.mask is not None for still in self.stills.items)


def _blackened(still: Still) -> Still:
    """The still, black where its mask hides it: what is there must be neither matched nor painted."""
    if still.mask is None:
        return still
    read, mask = still.read, still.mask

    def hidden() -> U8:
        return np.where(mask()[..., None], read(), np.uint8(0))

    return replace(still, read=hidden)


def _spread(items: Sequence[Still], most: int) -> tuple[Still, ...]:
    """At most so many of them, evenly."""
    chosen = np.unique(np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int))
    return tuple(items[k] for k in chosen)


def thing(
    inputs: Sequence[Path],
    scan: ScanOptions,
    options: ObjectOptions,
    shelf: Shelf | None = None,
    progress: Progress = silent,
) -> tuple[Scene, dict[str, Any]]:
    """Make one thing of its pictures: of cut-outs, or of a scan where there are enough of them that overlap.

    Pictures whose sides are told, and few whose files name them, are taken by these; others are placed by what they
    share. If one of the two does not work the other is tried, where there are few of them or their sides are told.

    Args:
        inputs: Films, pictures and folders of them.
        scan: How the pictures are placed and measured.
        options: How a thing is made of them.
        shelf: Where what is done lies; None for one that goes when it is done.
        progress: Told the name of each stage as it begins.

    Returns:
        The thing, and the report: ``views`` says how many of the pictures it was made of, ``partial`` whether some are
        missing, and ``checks`` whether too many are.

    Raises:
        InputError: The pictures show no thing that could be made, or other than so many sides were told.
    """
    run = ThingScan(inputs, scan, shelf=shelf, progress=progress)
    try:
        scene, how = _made(run, options, progress)
    finally:
        run.close()
    seconds = {name: round(value, 4) for name, value in run.clock.seconds.items()}
    told = {"made_from": how, "seconds": seconds, "warnings": list(scene.provenance.warnings)}
    return scene, told | _views_of(run, scene, how)


def _views_of(run: ThingScan, scene: Scene, how: str) -> dict[str, Any]:
    """How many pictures the thing was made of, and whether that is enough of them."""
    if how == "cut-outs":
        given, placed = len(run.album.pictures), len(scene.cameras)
        return {"views": {"given": given, "placed": placed}, "partial": placed < given, "checks": []}
    stills, placed = run.stills, len(run.cameras.views)
    taken, dropped = len(stills.items), [asdict(one) for one in stills.dropped]
    lost = [asdict(one) for one in run.cameras.lost]
    enough = {"name": "most pictures found their place", "passed": placed >= _PLACED * taken}
    return {
        "views": {
            "given": taken + len(dropped),
            "taken": taken,
            "placed": placed,
            "dropped": dropped,
            "lost": lost,
        },
        "partial": placed < taken,
        "checks": [enough | {"found": f"{placed} of {taken}"}],
    }


def _made(run: ThingScan, options: ObjectOptions, progress: Progress) -> tuple[Scene, str]:
    pictures, sides = run.album.pictures, options.names.sides
    if sides is not None:
        _check_sides(run, options)
    elif run.album.films or len(pictures) > FEW:
        return _placed(run, options, progress), "a scan"
    ways: list[tuple[str, Callable[[], Scene]]] = [("cut-outs", lambda: _by_sides(run, options, progress))]
    if len(pictures) > _LONE:
        told = sides is not None or sum(side_in(path.name) is not None for path in pictures) > 1
        ways.insert(1 if told else 0, ("a scan", lambda: _placed(run, options, progress)))
    failed: list[InputError] = []
    for how, way in ways:
        try:
            scene = way()
        except InputError as error:
            failed.append(error)
            continue
        if not failed:
            return scene, how
        other = "be placed by what they share" if how == "cut-outs" else "be taken by the names of their sides"
        why = f"The pictures could not {other} ({failed[0]})."
        return _with_notes(scene, why), how
    raise failed[0]


def _check_sides(run: ThingScan, options: ObjectOptions) -> None:
    """Refuse sides that are not those of the pictures, before any work.

    Raises:
        InputError: There is a film, or so many pictures, or another number of sides.
    """
    pictures = run.album.pictures
    if run.album.films or len(pictures) > MOST_PICTURES:
        what = "a film" if run.album.films else f"{len(pictures)} pictures"
        raise InputError(
            f"--sides cannot tell the sides of {what}", hint=f"Leave it out, or give at most {MOST_PICTURES} pictures."
        )
    sides_of([path.name for path in pictures], options.names)


def _with_notes(scene: Scene, *notes: str) -> Scene:
    """The scene, whose story also tells this."""
    story = scene.provenance
    return replace(scene, provenance=replace(story, warnings=(*story.warnings, *notes)))


def _by_sides(run: ThingScan, options: ObjectOptions, progress: Progress) -> Scene:
    """Of cut-outs by the names of their sides, or of one alone."""
    images = [read_image(path) for path in run.album.pictures]
    made = object_from_images(images, options, progress, run.options.place.known_length)
    return _with_notes(made, *run.album.notes)


def _placed(run: ThingScan, options: ObjectOptions, progress: Progress) -> Scene:
    """Of pictures that are placed by what they share: hull and depth where their outlines are known, else a scan.

    Raises:
        InputError: Too few of them find their place.
    """
    given = len(run.stills.items)
    cameras = run.cameras
    gone = [f"{one.name} was left out: {one.why}" for one in run.stills.dropped]
    if given <= FEW and len(cameras.views) < max(_LONE + 1, _PLACED * given):
        raise InputError(
            "; ".join([f"only {len(cameras.views)} of {given} pictures show what another one shows", *gone]),
            hint="Take more of them, 15 degrees apart, or say which side each shows: --sides front,right,back …",
        )
    if run.masked:
        return object_from_views(run.pinholes, options, progress, run.lineage)
    mesh, depths = run.mesh, run.depths
    return object_from_scan(cameras, depths, mesh, options, progress, run.lineage)


def save_thing(scene: Scene, paths: Sequence[Path], export: ExportOptions, told: dict[str, Any]) -> dict[str, Any]:
    """Write a thing: a .glb with all that a shop needs beside it, other formats alone.

    Returns:
        The report.
    """
    whole: dict[str, Any] = {"outputs": [], "passed": all(check["passed"] for check in told["checks"]), **told}
    for path in paths:
        if path.suffix.lower() == ".glb":
            shop = write_shop(scene, make_poster(scene), path, export, told)
            whole["outputs"] += [str(path.with_name(name)) for name in shop["files"]]
            whole["outputs"].append(str(shop_files(path)[-1]))
            whole |= {"passed": shop["passed"], "checks": shop["checks"], "size": shop["size"]}
        else:
            out = registry.write(scene, path, export)
            whole["outputs"].append(str(path))
            whole["warnings"] = [*whole["warnings"], *out.notes]
    failed = [f"a check failed: {one['name']} ({one['found']})" for one in whole["checks"] if not one["passed"]]
    parts = [node.item.confidence for node in scene.nodes if node.item.confidence is not None]
    return {
        **whole,
        "warnings": [*whole["warnings"], *failed],
        "triangles": scene.triangles,
        "kind": "scale" if scene.scale.assumed else "metric",
        "scale": asdict(scene.scale),
        "confidence": round(float(np.concatenate(parts).mean()), 4) if parts else None,
        "peak_memory_mb": peak_memory_mb(),
        "provenance": to_plain(scene.provenance),
    }

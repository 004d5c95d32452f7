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
from unflat.pipelines.report import Progress, peak_memory_mb, silent
from unflat.pipelines.scan import Scan, ScanOptions
from unflat.pipelines.scan_object import ObjectOptions, object_from_images
from unflat.pipelines.scan_one import object_from_scan, object_from_views
from unflat.stages.make_poster import make_poster
from unflat.stages.mask_backdrop import mask_backdrop
from unflat.stages.name_views import side_in
from unflat.types.arrays import U8
from unflat.types.scene import Scene
from unflat.types.views import Dropped, Still, Stills

FEW = 8
"""So many pictures that do not register are taken for cut-outs that hardly overlap."""
_LONE = 2
"""So few are never enough to find cameras by."""
_PLACED = 0.6
"""Of few pictures at least this share must find its place, or the names of their sides tell more."""
_TURN = 96
"""More pictures than this of a thing that turns show nothing new."""
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

    Few pictures whose sides are named are taken by these names; other few are placed by what they share. If one of the
    two does not work the other is tried.

    Args:
        inputs: Films, pictures and folders of them.
        scan: How the pictures are placed and measured.
        options: How a thing is made of them.
        shelf: Where what is done lies; None for one that goes when it is done.
        progress: Told the name of each stage as it begins.

    Returns:
        The thing, and the report.

    Raises:
        InputError: The pictures show no thing that could be made.
    """
    run = ThingScan(inputs, scan, shelf=shelf, progress=progress)
    try:
        scene, how = _made(run, options, progress)
    finally:
        run.close()
    seconds = {name: round(value, 4) for name, value in run.clock.seconds.items()}
    return scene, {"made_from": how, "seconds": seconds, "warnings": list(scene.provenance.warnings)}


def _made(run: ThingScan, options: ObjectOptions, progress: Progress) -> tuple[Scene, str]:
    pictures = run.album.pictures
    if run.album.films or len(pictures) > FEW:
        return _placed(run, options, progress), "a scan"
    ways: list[tuple[str, Callable[[], Scene]]] = [("cut-outs", lambda: _by_sides(run, options, progress))]
    if len(pictures) > _LONE:
        told = options.names.sides is not None or sum(side_in(path.name) is not None for path in pictures) > 1
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
    if given <= FEW and len(cameras.views) < max(_LONE + 1, _PLACED * given):
        raise InputError(
            f"only {len(cameras.views)} of {given} pictures show what another one shows",
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
    whole: dict[str, Any] = {"outputs": [], **told}
    for path in paths:
        if path.suffix.lower() == ".glb":
            shop = write_shop(scene, make_poster(scene), path, export, told)
            whole["outputs"] += [str(path.with_name(name)) for name in shop["files"]]
            whole["outputs"].append(str(shop_files(path)[-1]))
            whole |= {"passed": shop["passed"], "checks": shop["checks"], "size": shop["size"]}
        else:
            registry.write(scene, path, export)
            whole["outputs"].append(str(path))
    parts = [node.item.confidence for node in scene.nodes if node.item.confidence is not None]
    return {
        **whole,
        "triangles": scene.triangles,
        "kind": "scale" if scene.scale.assumed else "metric",
        "scale": asdict(scene.scale),
        "confidence": round(float(np.concatenate(parts).mean()), 4) if parts else None,
        "peak_memory_mb": peak_memory_mb(),
        "provenance": to_plain(scene.provenance),
    }

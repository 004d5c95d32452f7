"""Many or few pictures of one thing -> that thing, ready for a shop: what ``unflat scan --subject object`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from unflat.errors import InputError
from unflat.formats import registry
from unflat.formats.image import read_image
from unflat.formats.registry import ExportOptions
from unflat.formats.scan_shelf import Shelf
from unflat.formats.shop import shop_files, write_shop
from unflat.pipelines.report import Progress, peak_memory_mb, silent
from unflat.pipelines.scan import Scan, ScanOptions
from unflat.pipelines.scan_object import ObjectOptions, object_from_images
from unflat.pipelines.scan_one import object_from_scan
from unflat.stages.make_poster import make_poster
from unflat.types.scene import Scene

FEW = 8
"""So many pictures that do not register are taken for cut-outs that hardly overlap."""
_LONE = 3
"""So few are never enough to find cameras by."""


def thing_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Every file that writing a thing to ``paths`` makes: a .glb comes with all that a shop needs."""
    files: list[Path] = []
    for path in paths:
        files += shop_files(path) if path.suffix.lower() == ".glb" else registry.format_of(path).targets(path)
    return tuple(files)


def thing(
    inputs: Sequence[Path],
    scan: ScanOptions,
    options: ObjectOptions,
    shelf: Shelf | None = None,
    progress: Progress = silent,
) -> tuple[Scene, dict[str, Any]]:
    """Make one thing of its pictures: of cut-outs, or of a scan where there are enough of them that overlap.

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
    run = Scan(inputs, scan, shelf=shelf, progress=progress)
    try:
        scene, how = _made(run, options, progress)
    finally:
        run.close()
    seconds = {name: round(value, 4) for name, value in run.clock.seconds.items()}
    return scene, {"made_from": how, "seconds": seconds, "warnings": list(scene.provenance.warnings)}


def _made(run: Scan, options: ObjectOptions, progress: Progress) -> tuple[Scene, str]:
    pictures = run.album.pictures
    few = not run.album.films and len(pictures) <= FEW
    images = [read_image(path) for path in pictures] if few else []
    if few and (len(images) <= _LONE or any(image.alpha is not None for image in images)):
        return object_from_images(images, options, progress), "cut-outs"
    try:
        mesh, depths = run.mesh, run.depths
        return object_from_scan(run.cameras, depths, mesh, options, progress, run.lineage), "a scan"
    except InputError as error:
        if not few:
            raise
        scene = object_from_images(images, options, progress)
        why = f"The pictures could not be placed ({error}), so they were taken for cut-outs of the thing."
        story = scene.provenance
        return replace(scene, provenance=replace(story, warnings=(*story.warnings, why))), "cut-outs"


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
    return {**whole, "triangles": scene.triangles, "peak_memory_mb": peak_memory_mb()}

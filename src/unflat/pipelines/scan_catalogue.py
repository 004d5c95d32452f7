"""A folder of product pictures -> every article as a thing for a shop, and one report of all.

Pictures that share a name before _front, -01 … and so on, and those of one subfolder, are one article; posters that
were made of things are none. What is done already, of the same pictures with the same options, is left as it is. No
picture that is read is ever written over, whatever may be replaced.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from unflat import __version__
from unflat.errors import InputError, UnflatError
from unflat.formats.atomic import check_apart, replacing, safe_stem
from unflat.formats.film_parts import key_of
from unflat.formats.image import read_image
from unflat.formats.registry import ExportOptions
from unflat.formats.shop import shop_files, write_shop
from unflat.formats.sniff import SUFFIXES
from unflat.pipelines.report import Progress, silent
from unflat.pipelines.scan_object import ObjectOptions, object_from_images
from unflat.stages.make_poster import make_poster
from unflat.stages.name_views import SIDES

MOST_PICTURES = 64
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif", ".heic", ".bmp")
_ENDING = re.compile(rf"[-_ .]+(?:{'|'.join(SIDES)}|\d{{1,4}})$", re.IGNORECASE)


def articles_of(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each article of a folder, by the article's name.

    Args:
        folder: Pictures, and subfolders with the pictures of one article each.

    Raises:
        InputError: It is no folder, or there is no picture in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder", hint="A catalogue is a folder of pictures.")
    found: dict[str, list[Path]] = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            pictures = sorted(filter(_is_picture, entry.iterdir()))
            if pictures:
                found.setdefault(entry.name, []).extend(pictures)
        elif _is_picture(entry):
            found.setdefault(article_of(entry.name), []).append(entry)
    if not found:
        raise InputError(f"there is no picture in {folder}", hint=f"Pictures that are read: {' '.join(SUFFIXES)}.")
    return found


def article_of(name: str) -> str:
    """The article that a file's name tells: without its suffix, its side and its number."""
    stem = name.rsplit(".", 1)[0]
    while (shorter := _ENDING.sub("", stem)) != stem and shorter:
        stem = shorter
    return stem


def _is_picture(path: Path) -> bool:
    if path.name.startswith(".") or path.suffix.lower() not in _PICTURES or not path.is_file():
        return False
    made = (_report(path) or {}).get("files")
    return not (isinstance(made, list) and path.name in made)  # the poster of a thing


def object_files(
    pictures: Sequence[Path],
    target: Path,
    options: ObjectOptions | None = None,
    export: ExportOptions | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Make one thing of its pictures and write all that a shop needs of it.

    Args:
        pictures: Cut-outs, or before an even backdrop.
        target: NAME.glb; the other files lie beside it.
        options: How.
        export: How files are written.
        progress: Told the name of each stage as it begins.

    Returns:
        The report, see :mod:`unflat.formats.shop`.

    Raises:
        InputError: The pictures show no object that can be cut out, or there are too many for cut-outs.
        OutputError: A place cannot be written, or is one of the pictures.
    """
    options, export = options or ObjectOptions(), export or ExportOptions()
    check_apart(shop_files(target), pictures)
    if len(pictures) > MOST_PICTURES:
        raise InputError(f"{len(pictures)} pictures are too many for cut-outs", hint="Scan them: 'unflat scan'.")
    key = _key(pictures, options)
    scene = object_from_images([read_image(path) for path in pictures], options, progress)
    progress("write")
    return write_shop(scene, make_poster(scene), target, export, {"key": key})


def _key(pictures: Sequence[Path], options: ObjectOptions) -> str:
    """What decides the result: the pictures' names and bytes, the options and the version."""
    digests = [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in pictures]
    return key_of({"version": __version__, "pictures": digests, "options": asdict(options)})


def scan_catalogue(
    folder: Path,
    out: Path,
    options: ObjectOptions | None = None,
    export: ExportOptions | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Make every article of a folder; one that fails does not stop the others.

    Args:
        folder: See :func:`articles_of`.
        out: Where the files go; made if it is not there.
        options: For all articles.
        export: How files are written. What this catalogue made before is replaced without asking.
        progress: Told article and stage as they begin.

    Returns:
        What ``catalogue.json`` in ``out`` holds: for each article its files, whether it was done before, what the
        checks say, or why it failed.

    Raises:
        InputError: There is no picture.
        OutputError: ``out`` cannot be written, or a picture of the folder would be replaced; then nothing is made.
    """
    options, export = options or ObjectOptions(), export or ExportOptions()
    articles, whole_report = articles_of(folder), out / "catalogue.json"
    files = [file for name in articles for file in shop_files(_target(out, name))]
    check_apart((*files, whole_report), [picture for pictures in articles.values() for picture in pictures])
    out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for name, pictures in articles.items():
        rows.append(_article(name, pictures, out, options, export, progress))
    made, passed = sum("files" in row for row in rows), sum(row["passed"] for row in rows)
    whole = {"articles": rows, "made": made, "passed": passed}
    with replacing(whole_report, force=True) as (draft,):
        draft.write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")
    return whole


def _target(out: Path, name: str) -> Path:
    """Where an article goes."""
    return out / f"{safe_stem(name)}.glb"


def _article(
    name: str,
    pictures: Sequence[Path],
    out: Path,
    options: ObjectOptions,
    export: ExportOptions,
    progress: Progress,
) -> dict[str, Any]:
    """One row of the catalogue: made, done before, or why not."""
    target = _target(out, name)
    row: dict[str, Any] = {"article": name, "pictures": [path.name for path in pictures]}
    try:
        done = _done(target, _key(pictures, options))
        again = replace(export, force=export.force or _is_ours(target))
        report = done or object_files(pictures, target, options, again, lambda stage: progress(f"{name}: {stage}"))
    except (UnflatError, OSError) as error:
        return {**row, "passed": False, "error": str(error), "hint": getattr(error, "hint", None)}
    failed = [check["name"] for check in report["checks"] if not check["passed"]]
    made = {"files": report["files"], "passed": report["passed"], "resumed": done is not None}
    return {**row, **made, "failed_checks": failed}


def _done(target: Path, key: str) -> dict[str, Any] | None:
    """The report of an article that was made of the same pictures in the same way, if all of its files are there."""
    report = _report(target)
    if report is None or report.get("key") != key:
        return None
    files = report.get("files")
    here = isinstance(files, list) and all(isinstance(n, str) and target.with_name(n).is_file() for n in files)
    return report if here and isinstance(report.get("checks"), list) and "passed" in report else None


def _is_ours(target: Path) -> bool:
    """Whether a catalogue made what is there."""
    report = _report(target)
    return report is not None and "key" in report


def _report(target: Path) -> dict[str, Any] | None:
    place = shop_files(target)[-1]
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None

"""What files of many pictures say of themselves: the cameras' path, folders of views, a map of what is free."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from unflat.errors import InputError
from unflat.formats import occupancy_map
from unflat.formats.atomic import MARK
from unflat.formats.consent_file import standing
from unflat.formats.provenance_text import from_plain, to_plain
from unflat.formats.story import story_in_lines
from unflat.formats.told_rights import promises
from unflat.types.occupancy import FREE, OCCUPIED, UNKNOWN
from unflat.types.provenance import Provenance

_VERTICES = re.compile(rb"element vertex (\d+)")
_HEADER = 1 << 16


def trajectory(path: Path) -> dict[str, Any]:
    """A TUM file: poses, seconds, how long the way is, and the lines in which it says its unit.

    Raises:
        InputError: It holds something else than rows of a time, a place and a turn.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = np.array([line.split() for line in lines if line.strip() and not line.startswith("#")], np.float64)
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} is no TUM trajectory: {error}") from error
    if rows.ndim != 2 or rows.shape[1] != 8 or not np.isfinite(rows).all():
        raise InputError(f"{path.name} is no TUM trajectory: a row is not eight numbers")
    steps = np.linalg.norm(np.diff(rows[:, 1:4], axis=0), axis=1)
    return {
        "what": "trajectory",
        "poses": len(rows),
        "seconds": round(float(np.ptp(rows[:, 0])), 6),
        "length": round(float(steps.sum()), 4),
        "extent": [round(float(side), 4) for side in np.ptp(rows[:, 1:4], axis=0)],
        "says": [said for said in _remarks(lines) if not said.startswith("unflat-json ")],
        **_story_in(lines),
    }


def floor(path: Path) -> dict[str, Any]:
    """An occupancy map by its YAML or PGM: its cells, how large it is, and how much of it is free.

    Raises:
        InputError: Damaged, turned, or not such a map.
    """
    found = occupancy_map.read(path)
    height, width = found.cells.T.shape  # as its picture shows it
    shares = {"free": FREE, "occupied": OCCUPIED, "unknown": UNKNOWN}
    return {
        "what": "occupancy map",
        "unit": "metre",
        "cell_m": found.cell,
        "cells": f"{width}×{height}",
        "extent_m": [round(width * found.cell, 4), round(height * found.cell, 4)],
        **{f"{name}_share": round(float((found.cells == kind).mean()), 4) for name, kind in shares.items()},
        **_story_in(path.with_suffix(".yaml").read_text(encoding="utf-8", errors="replace").splitlines()),
    }


def views(folder: Path) -> dict[str, Any]:
    """A .colmap or .nerfstudio folder of ours: pictures, cameras, points, the unit, what is missing.

    Raises:
        InputError: Not written here, or damaged.
    """
    try:
        told = json.loads((folder / MARK).read_text(encoding="utf-8"))
        counts = _colmap(folder) if folder.suffix.lower() == ".colmap" else _nerfstudio(folder)
        about = {name: told[name] for name in ("unit", "frame", "scale", "lost", "notes", "sources", "generator")}
        story = told.get("provenance")
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise InputError(f"{folder.name} is damaged, or was not written by unflat: {error}") from error
    return {"what": "cameras of many pictures", **counts, **about, **told_story(story and from_plain(story))}


def told_story(story: Provenance | None) -> dict[str, Any]:
    """What a story promises (label, source type, rights, bill of materials, consents as of today), and the story."""
    if story is None:
        return {"provenance": None}
    consents = () if story.likeness is None else story.likeness.consent
    told = {"consents": [{"id": one, "today": standing(one)} for one in consents]} if consents else {}
    return {**promises(story), **told, "provenance": to_plain(story)}


def _remarks(lines: list[str]) -> list[str]:
    return [line.lstrip("# ") for line in lines if line.startswith("#")]


def _story_in(lines: list[str]) -> dict[str, Any]:
    """The story in the remarks of a text file."""
    found = story_in_lines(_remarks(lines))
    return told_story(None if found is None else from_plain(found))


def _colmap(folder: Path) -> dict[str, int]:
    tables = {"pictures": "images", "cameras": "cameras", "points": "points3D"}
    counts: dict[str, int] = {}
    for name, table in tables.items():
        with (folder / "sparse" / "0" / f"{table}.bin").open("rb") as file:
            (counts[name],) = struct.unpack("<Q", file.read(8))
    return counts


def _nerfstudio(folder: Path) -> dict[str, int]:
    document = json.loads((folder / "transforms.json").read_text(encoding="utf-8"))
    points = 0
    if "ply_file_path" in document:
        with (folder / Path(document["ply_file_path"]).name).open("rb") as file:
            found = _VERTICES.search(file.read(_HEADER))
        if found is None:
            raise ValueError("its points are no PLY")
        points = int(found[1])
    lenses = {tuple(frame.get(k) for k in ("fl_x", "fl_y", "cx", "cy", "w", "h")) for frame in document["frames"]}
    return {"pictures": len(document["frames"]), "cameras": len(lenses), "points": points}

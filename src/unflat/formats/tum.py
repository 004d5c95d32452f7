"""The path of the cameras as TUM trajectory text: ``timestamp tx ty tz qx qy qz qw``, camera to world.

Camera axes are x right, y down, z forward, as of the benchmark (Sturm et al., "A benchmark for the evaluation of RGB-D
SLAM systems", IROS 2012); the world is the reconstruction's own, in its unit. Loose photographs have no time: where a
view has none, all are numbered in their order instead.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unflat.errors import InputError
from unflat.formats.atomic import replacing
from unflat.formats.registry import ExportOptions
from unflat.formats.story import provenance_lines
from unflat.geometry.transform import quaternion_from_rotation
from unflat.types.views import Reconstruction, View


def write(reconstruction: Reconstruction, path: Path, options: ExportOptions) -> None:
    """Write one line for each view, in the order of their times.

    Raises:
        InputError: There is no view.
        OutputError: The place cannot be written.
    """
    views = reconstruction.views
    if not views:
        raise InputError("no picture found its place, so there is no path to write")
    seconds = [view.still.seconds for view in views]
    times = [float(at) for at in range(len(views))] if None in seconds else [float(s) for s in seconds if s is not None]
    rows = sorted(zip(times, map(_line, views), strict=True), key=lambda row: row[0])
    scale = reconstruction.scale
    known = "a unit of its own" if scale is None else "metres"
    if scale is not None and scale.assumed:
        known = f"metres if the size is as assumed ({scale.low:.3g} to {scale.high:.3g} times are true)"
    head = ["# timestamp tx ty tz qx qy qz qw", f"# world from camera (x right, y down, z forward), in {known}"]
    head += [f"# {line}" for line in provenance_lines(reconstruction.provenance)]
    text = "\n".join([*head, *(f"{_time(time)} {line}" for time, line in rows)]) + "\n"
    with replacing(path, force=options.force) as (draft,):
        draft.write_text(text, encoding="ascii", newline="\n")


def _time(seconds: float) -> str:
    """As few digits as tell it apart, six at least."""
    return np.format_float_positional(seconds, unique=True, min_digits=6)


def _line(view: View) -> str:
    pose = view.pose.world_from_camera
    w, x, y, z = quaternion_from_rotation(pose[:3, :3])
    return " ".join(f"{value:.9f}" for value in (*pose[:3, 3] + 0.0, x, y, z, w))

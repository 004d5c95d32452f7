"""Say in a finished film that it is for two eyes, in the way of its container."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from unflat.errors import InputError
from unflat.formats.boxes import Box
from unflat.formats.film_boxes import SUFFIXES as BOXED
from unflat.formats.film_boxes import packing_patches
from unflat.formats.matroska import SUFFIXES as MATROSKA
from unflat.formats.mp4_edit import Patch, edit_film
from unflat.formats.stereo_boxes import StereoMarks, write_marks
from unflat.formats.stereo_mkv import mark_matroska
from unflat.types.stereo import Layout

SUFFIXES = (*BOXED, *MATROSKA)


def mark_stereo(
    path: Path,
    layout: Layout,
    *,
    spherical: bool = False,
    baseline_m: float | None = None,
    fov_x_deg: float | None = None,
    disparity: float | None = None,
) -> None:
    """Write into a finished film how its two views are packed; its pictures and sound stay as they are.

    What stood there of it before is replaced. Layouts that are one ordinary picture (anaglyph, wiggle, RGB-D, pairs of
    files) have nothing to say and lose what was said.

    Args:
        path: An MP4, QuickTime, Matroska or WebM film; it is replaced whole or stays as it was.
        layout: How the views are packed. ``SPATIAL`` needs an MV-HEVC film.
        spherical: The views are on a sphere: half of one for ``VR180``, which is so in any case, else all of one.
        baseline_m: Between the eyes.
        fov_x_deg: Horizontal angle of view of each eye; spheres have their own.
        disparity: By which share of a view's width the views are to be shifted apart, -1 to 1; None is 0 for
            ``SPATIAL``, whose views are shown as they are, and else not said. Apple's devices take a film for spatial,
            and not for stereo only, where it says this, the distance and the angle.

    Raises:
        InputError: Another container, a damaged film, or one in fragments.
        OutputError: The place cannot be written.
    """
    degrees = 180 if layout is Layout.VR180 else 360 if spherical else None
    spatial = layout is Layout.SPATIAL
    shift = 0.0 if spatial and disparity is None else disparity
    across = fov_x_deg if degrees is None else float(degrees)
    marks = StereoMarks(layout, degrees, baseline_m, across, shift, hero="left" if spatial else None)
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise InputError(f"{path.name} has no place to say that it is stereo", hint=f"Use {' '.join(SUFFIXES)}.")
    writer(path, marks)


def _boxes(path: Path, marks: StereoMarks) -> None:
    def change(index: Box, film: Path) -> list[Patch]:
        write_marks(index, film, marks)
        return packing_patches(index, film, marks.layout)

    edit_film(path, change)


_WRITERS: dict[str, Callable[[Path, StereoMarks], None]] = {
    **dict.fromkeys(BOXED, _boxes),
    **dict.fromkeys(MATROSKA, mark_matroska),
}

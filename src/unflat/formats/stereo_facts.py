"""What a file says of two eyes, whatever kind of file it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unflat.types.image import Size
from unflat.types.stereo import Layout


def _nothing() -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class StereoFacts:
    """Two eyes in a film or a picture, as far as its file tells; None where it does not.

    Attributes:
        container: ``mp4 mov mkv webm``, ``jpeg mpo heic png webp avif gif tiff`` …
        film: Whether it is a film.
        layout: How the two views are packed.
        coding: ``h264 hevc av1 vp9`` … of a film.
        eye: Size of one view in pixels, as stored.
        words: The words of its name that players know, in lower case.
        marks: What else says so, by its name, in plain values: ``st3d``, ``sv3d``, ``v1``, ``vexu``,
            ``lhvC``, ``sei``, ``stereo_mode``, ``projection``; for pictures ``mpf``, ``group``, ``spatial``, ``gpano``,
            ``right_eye``.
        degrees: Of the sphere that the views are on, 180 or 360; None for flat ones.
        baseline_m: Between the eyes.
        fov_x_deg: Horizontal angle of view of each.
        notes: What is odd about it, in words for the user.
    """

    container: str
    film: bool
    layout: Layout
    coding: str | None = None
    eye: Size | None = None
    words: tuple[str, ...] = ()
    marks: Mapping[str, Any] = field(default_factory=_nothing)
    degrees: int | None = None
    baseline_m: float | None = None
    fov_x_deg: float | None = None
    notes: tuple[str, ...] = ()

    def says(self, *marks: str) -> bool:
        """Whether the file has one of these marks."""
        return any(mark in self.marks for mark in marks)

    def to_plain(self) -> dict[str, Any]:
        """Plain values for a report."""
        return {
            "container": self.container,
            "layout": self.layout.value,
            "eye": self.eye and str(self.eye),
            "degrees": self.degrees,
            "baseline_m": self.baseline_m,
            "fov_x_deg": None if self.fov_x_deg is None else round(self.fov_x_deg, 3),
            "words_in_name": list(self.words),
            "marks": dict(self.marks),
            "notes": list(self.notes),
        }

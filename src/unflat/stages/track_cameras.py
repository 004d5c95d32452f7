"""Stills -> where their cameras stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from unflat.types.views import Reconstruction, Stills


@dataclass(frozen=True, slots=True)
class TrackOptions:
    """How the cameras are found."""

    features: int = 4000
    """At most so many features of a picture are used to find its camera; more take longer."""
    track_size: int = 1600
    """Cameras are found in pictures whose long side has at most so many pixels."""
    seed: int = 0
    """Of all chance in finding the cameras; the same seed gives the same cameras."""


def track_cameras(
    stills: Stills, options: TrackOptions, progress: Callable[[str], None] | None = None
) -> Reconstruction:
    """Find where the cameras of a set stand, and points that they see.

    Args:
        stills: Two or more pictures of one place.
        options: How.
        progress: Told what is going on.

    Returns:
        Views and points in the axes of the first view, with a free unit; what found no place is in ``lost``.

    Raises:
        InputError: Nothing can be placed; the hint says what to shoot again.
    """
    from unflat.models.views.options import ViewsOptions
    from unflat.models.views.reconstruct import reconstruct

    views = ViewsOptions(options.features, options.track_size, options.seed)
    return reconstruct(stills, views, progress or (lambda _told: None))

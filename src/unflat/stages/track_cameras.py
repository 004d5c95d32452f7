"""Stills -> where their cameras stand: frame after frame where they follow closely, all at once where they do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from unflat.errors import InputError
from unflat.types.views import Reconstruction, Stills

Way = Literal["auto", "stream", "photos"]
_FILM = 30
"""So many frames in a row, at least, are followed as a film."""
_ENOUGH = 0.9
"""A camera that was followed through less than this share of its frames was lost: the pictures are compared instead."""


@dataclass(frozen=True, slots=True)
class TrackOptions:
    """How the cameras are found."""

    tracking: Way = "auto"
    """stream: the camera is followed from frame to frame (films; fast), photos: all pictures are compared (structure
    from motion), auto: stream for films and long sequences, photos for the rest and where the camera was lost."""
    features: int = 4000
    """At most so many features of a picture are used to find its camera; more take longer."""
    track_size: int = 1600
    """Cameras are found in pictures whose long side has at most so many pixels."""
    seed: int = 0
    """Of all chance in finding the cameras; the same seed gives the same cameras."""

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**31:
            raise InputError(f"--seed {self.seed} is out of range", hint="Give 0 to 2147483647.")
        if self.tracking not in get_args(Way):
            raise InputError(f"--tracking cannot be {self.tracking!r}", hint=f"It takes {' '.join(get_args(Way))}.")


def track_cameras(
    stills: Stills, options: TrackOptions, progress: Callable[[str], None] | None = None
) -> Reconstruction:
    """Find where the cameras of a set stand, and points that they see.

    Args:
        stills: Two or more pictures of one place.
        options: How.
        progress: Told what is going on.

    Returns:
        Views and points in the axes of the first view, with a free unit; what found no place is in ``lost``. The notes
        say where a film could not be followed.

    Raises:
        InputError: Nothing can be placed; the hint says what to shoot again.
    """
    tell = progress or (lambda _told: None)
    if options.tracking == "photos" or not (followable(stills) or options.tracking == "stream"):
        return _compared(stills, options, tell)
    if options.tracking == "stream":
        return _followed(stills, tell)
    try:
        followed = _followed(stills, tell)
    except InputError as error:
        return _second_try(stills, options, tell, error)
    if len(followed.views) >= _ENOUGH * len(stills.items):
        from unflat.stages.track_compared import held_by_comparing

        return held_by_comparing(followed, lambda chosen: _compared(chosen, options, tell))
    return _second_try(stills, options, tell, followed)


def _second_try(
    stills: Stills, options: TrackOptions, tell: Callable[[str], None], followed: Reconstruction | InputError
) -> Reconstruction:
    """Compare the frames of a film whose camera was lost on its way, or never found; what places more of them stays.

    Raises:
        InputError: Neither way places any: what following said, which knows films better.
    """
    try:
        compared = _compared(stills, options, tell)
    except InputError as error:
        if isinstance(followed, InputError):
            raise followed from error
        return followed
    if isinstance(followed, InputError):
        why = str(followed)
    elif len(followed.views) >= len(compared.views):
        return followed
    else:
        why = f"the camera was lost on its way, {len(followed.views)} of {len(stills.items)} frames hang together"
    return replace(compared, notes=(*compared.notes, f"the pictures were compared with each other: {why}"))


def followable(stills: Stills) -> bool:
    """Whether stills are frames of one camera in order of time, enough of them to be followed, and to be used whole."""
    items = stills.items
    one = len({(still.size, still.camera) for still in items}) == 1
    timed = all(still.seconds is not None and still.mask is None for still in items)
    return stills.ordered and one and timed and len(items) >= _FILM


def _followed(stills: Stills, tell: Callable[[str], None]) -> Reconstruction:
    from unflat.stages.track_stream import Tracker

    tracker, lost = Tracker(stills.items[0].lens), 0
    for number, still in enumerate(stills.items):
        if still.seconds is None:
            raise InputError(
                f"nobody knows when {still.name} was taken", hint="Follow films, or say --tracking photos."
            )
        lost += tracker.push(still.read(), still.seconds, still).state == "lost"
        if number % 10 == 9:
            tell(f"track {number + 1} of {len(stills.items)}")
    tell("track: all of the path")
    try:
        return tracker.finish()
    except InputError as error:
        if lost > len(stills.items) / 2:
            raise InputError(
                "the film shows next to nothing that can be followed: bare walls, darkness or blur",
                hint="Film things with some pattern beside the bare ones, in more light, and move slowly.",
            ) from error
        raise InputError(
            "the camera of this film never moved aside: it stood still, or only turned on the spot",
            hint="Film while walking past things, sideways or around them. One frame alone: unflat photo PICTURE.",
        ) from error


def _compared(stills: Stills, options: TrackOptions, tell: Callable[[str], None]) -> Reconstruction:
    from unflat.models.views.options import ViewsOptions
    from unflat.models.views.reconstruct import reconstruct

    views = ViewsOptions(options.features, options.track_size, options.seed)
    return reconstruct(stills, views, tell)

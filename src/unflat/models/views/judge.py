"""Why pictures did not find their place, and what to shoot again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unflat.errors import InputError
from unflat.models.views.features import Features
from unflat.models.views.match import FEWEST, Match
from unflat.types.views import Dropped, Still

_BARE = 60
"""A picture with fewer features than this shows next to nothing that could be found again."""
ANOTHER_PLACE = "shows another place"
"""How it begins why a picture is lost that has nothing in common with those that are built, but with others."""
MORE_PLACES = "the set shows more than one place"
"""How the note of such pictures begins."""
_OVERLAP = (
    "Take pictures a step apart that share at least two thirds of what they show, of something that stands still."
)


def too_few(stills: Sequence[Still]) -> None:
    """Refuse a set that no camera can be placed by.

    Raises:
        InputError: Fewer than two pictures.
    """
    if len(stills) < 2:
        raise InputError(
            f"{'one picture alone does' if stills else 'no picture does'} not show where its camera stands",
            hint="Take at least two, better twenty, each a step farther along; for one picture alone: unflat photo.",
        )


def no_model(stills: Sequence[Still], features: Sequence[Features], matches: Sequence[Match]) -> InputError:
    """Say why nothing could be placed at all."""
    bare = [still.name for still, found in zip(stills, features, strict=True) if len(found.xy) < _BARE]
    if len(bare) > len(stills) - 2:
        return InputError(
            f"{len(bare)} of {len(stills)} pictures show nothing that can be found again: blank or blurred",
            hint="Hold the camera still or give it more light, and take in things with texture, not bare walls alone.",
        )
    if not matches:
        return InputError(f"no two of the {len(stills)} pictures show the same thing", hint=_OVERLAP)
    return InputError(f"the {len(stills)} pictures overlap too little to be placed", hint=_OVERLAP)


def no_parallax(matches: Sequence[Match]) -> None:
    """Refuse pictures between which the camera did not move.

    Raises:
        InputError: All that overlap do so as pictures of a camera that turns on the spot.
    """
    if not matches or not all(match.turned for match in matches):
        return
    raise InputError(
        "the pictures overlap, but the camera only turned on the spot or everything is one plane: no parallax",
        hint="Walk sideways between the pictures, a tenth of the distance to what they show or more.",
    )


def lost_ones(
    stills: Sequence[Still],
    features: Sequence[Features],
    matches: Iterable[Match],
    placed: set[int],
    others: Sequence[set[int]],
) -> tuple[Dropped, ...]:
    """The pictures that are not in the reconstruction, and why.

    Args:
        stills: All of the set.
        features: Of each.
        matches: Between them.
        placed: Numbers of those that found their place.
        others: Numbers of the pictures of each of the other places that were found.
    """
    lost: list[Dropped] = []
    matches = list(matches)
    known = {number for match in matches for number in (match.first, match.second)}
    for number, still in enumerate(stills):
        if number in placed:
            continue
        place = next((other for other in others if number in other), None)
        if place is not None and tied(matches, placed, place):
            why = f"fits together with {_others(place)}, but too little with the rest: take pictures in between"
        elif place is not None:
            why = f"{ANOTHER_PLACE}, as {_others(place)} do; scan those by themselves"
        elif len(features[number].xy) < FEWEST:
            why = "shows nothing that can be found again: blank or blurred"
        elif number not in known:
            why = "shows nothing that others show"
        else:
            why = "overlaps too little with the others"
        lost.append(Dropped(still.name, why))
    return tuple(lost)


def _others(place: set[int]) -> str:
    return f"{len(place) - 1} other picture{'s' if len(place) > 2 else ''}"


def tied(matches: Iterable[Match], placed: set[int], place: set[int]) -> bool:
    """Whether any picture of one place shows something that one of the other shows."""
    return any(
        (match.first in placed and match.second in place) or (match.first in place and match.second in placed)
        for match in matches
    )


def notes_of(
    stills: Sequence[Still], placed: set[int], others: Sequence[set[int]], matches: Sequence[Match]
) -> tuple[str, ...]:
    """What the user should know of a set of which only a part was built.

    Args:
        stills: All of the set.
        placed: Numbers of those that found their place.
        others: As for :func:`lost_ones`.
        matches: Between them.
    """
    if len(placed) == len(stills):
        return ()
    notes = [f"{len(placed)} of {len(stills)} pictures found their place"]
    for other in others:
        names = sorted(stills[number].name for number in other)
        which = f"{names[0]} … {names[-1]}" if len(names) > 2 else " and ".join(names)
        if tied(matches, placed, other):
            notes.append(
                f"{len(other)} pictures ({which}) fit together, but not with the rest: take pictures on the way from "
                "one to the other, each sharing two thirds of what it shows with the one before"
            )
        else:
            notes.append(
                f"{MORE_PLACES}: {len(other)} pictures ({which}) have nothing in common with the "
                "rest; scan them by themselves, or take pictures that lead from one place to the other"
            )
    return tuple(notes)

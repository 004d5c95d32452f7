"""The one door in: may this source be used, whom does it show, and are they to be seen in what is made of it?

Every recipe passes what it reads through here before it does anything with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from unflat.trust.lineage import Lineage
from unflat.trust.people import Decision, PeopleOptions, decide
from unflat.trust.rights import RightsOptions, check_free
from unflat.types.image import Image, Size
from unflat.types.people import People, Sighting
from unflat.types.provenance import Likeness, Source

if TYPE_CHECKING:
    from unflat.types.arrays import U8
    from unflat.types.clip import Clip
    from unflat.types.depth import DepthMap
    from unflat.types.views import Still

_LOOKED_AT = 12
"""In so many pictures of a large set people are looked for, where nothing is done about them but to say so."""


@dataclass(frozen=True, slots=True)
class LeaveOptions:
    """By which leave a source is used."""

    people: PeopleOptions = field(default_factory=PeopleOptions)
    rights: RightsOptions = field(default_factory=RightsOptions)


class Met(NamedTuple):
    """A picture that came in.

    Attributes:
        image: Without those who are not to be seen.
        people: Who was found in it.
        decision: What was done about them.
    """

    image: Image
    people: People
    decision: Decision

    def redacted(self, depth: DepthMap) -> DepthMap:
        """Depth that was given for the picture, without the shapes of those who are not to be seen."""
        from unflat.stages.redact_people import redact_depth

        return depth if self.decision.redact is None else redact_depth(depth, self.people, self.decision.redact)


def free(sources: Iterable[Source], options: LeaveOptions, lineage: Lineage, *, commercial_only: bool = False) -> None:
    """Refuse sources that may not be used; what the user says of their right is noted in the lineage.

    Raises:
        RightsError: A source forbids it, and the user gave no reason.
    """
    rights = options.rights
    lineage.leave = lineage.leave or check_free(sources, rights, commercial_only=commercial_only)
    lineage.converter, lineage.subject = rights.converter, rights.shows


def meet(image: Image, options: LeaveOptions, lineage: Lineage) -> Met:
    """Look for people in a picture and do about them what the user says; noted in the lineage.

    Raises:
        ConsentError: They may not be shown.
    """
    people = look(image.pixels)
    decision = decided(people, options, lineage, image.source.name)
    if decision.redact is not None:
        from unflat.stages.redact_people import redact_people

        image = redact_people(image, people, decision.redact)
    return Met(image, people, decision)


def look(pixels: U8) -> People:
    """Who is in a picture, (h, w, 3) uint8 sRGB."""
    from unflat.models.faces.finder import find_people

    return find_people(pixels)


def decided(people: People, options: LeaveOptions, lineage: Lineage, name: str) -> Decision:
    """What is done about people who were found; noted in the lineage, with those of other sources of the run.

    Raises:
        ConsentError: They may not be shown, or a consent record does not hold.
    """
    from unflat.formats.consent_file import find, today
    from unflat.models.faces.finder import FINDER, absent

    why = absent()
    records = [find(word) for word in options.people.consent]
    finder = FINDER if why is None else f"nobody looked: {why}"
    decision = decide(people, options.people, records, finder, name=name, day=today())
    lineage.likeness = _together(lineage.likeness, decision.likeness)
    if decision.notice is not None:
        lineage.warn(decision.notice)
    if why is not None:
        lineage.warn(f"Nobody looked for people in it: {why}.")
    return decision


def meet_film(clip: Clip, options: LeaveOptions, lineage: Lineage) -> Clip:
    """The same for a film, some of whose frames are looked at; the film without those who are not to be seen.

    Raises:
        ConsentError: They may not be shown.
    """
    how = options.people.treats
    decided(people_of(clip), options, lineage, clip.source.name)
    return clip if how is None else without_people(clip, how)


def meet_stills(stills: Sequence[Still], options: LeaveOptions, lineage: Lineage) -> None:
    """The same for pictures that are kept, and are redacted already where they are to be; some of them are looked at.

    Raises:
        ConsentError: They may not be shown.
    """
    all_of_them = options.people.people == "refuse" or len(stills) <= _LOOKED_AT
    some = (
        stills if all_of_them else [stills[i] for i in np.linspace(0, len(stills) - 1, _LOOKED_AT).round().astype(int)]
    )
    most = People(Size(1, 1))
    for still in some:
        most = most_of(most, look(still.read()))
    decided(most, options, lineage, stills[0].source.name if len(stills) == 1 else "one of the pictures")


def without_people(clip: Clip, how: Literal["blur", "remove"]) -> Clip:
    """A film whose people were taken out of every frame."""
    from unflat.stages.redact_clip import redact_clip

    return redact_clip(clip, how)


def without(pixels: U8, people: People, how: Literal["blur", "remove"]) -> U8:
    """Pixels, (h, w, 3) uint8 sRGB, without the people in them."""
    from unflat.stages.redact_people import redact_people

    return redact_people(Image(pixels), people, how).pixels if people else pixels


def people_of(clip: Clip) -> People:
    """The most people at once in a film, of whose frames some are looked at."""
    from unflat.stages.redact_clip import people_in_clip

    return people_in_clip(clip)


def most_of(one: People | None, other: People) -> People:
    """Where more faces were found; where that is the same, where more of anything was."""
    return other if one is None else max(one, other, key=lambda people: (len(people.faces), len(people.seen)))


def in_numbers(people: People | None) -> list[str]:
    """How many faces and bodies, as words that are kept on a shelf; nothing where nobody looked."""
    return [] if people is None else [str(len(people.faces)), str(len(people.seen) - len(people.faces))]


def counted(words: Sequence[str]) -> People:
    """The inverse of :func:`in_numbers`, as far as counting goes."""
    faces, bodies = (int(word) for word in words) if words else (0, 0)
    dot = (0.0, 0.0, 1.0, 1.0)
    return People(Size(1, 1), (Sighting("face", *dot),) * faces + (Sighting("body", *dot),) * bodies)


def _together(one: Likeness | None, other: Likeness) -> Likeness:
    """What is known of people in several sources: the most at once, and the least that was done about them."""
    if one is None:
        return other
    most = replace(other, faces=max(one.faces, other.faces), bodies=max(one.bodies, other.bodies))
    return replace(most, treated=one.treated) if one.faces + one.bodies and not other.faces + other.bodies else most

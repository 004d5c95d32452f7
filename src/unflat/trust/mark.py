"""The visible mark: a few words, drawn where people look, that say a thing was made by a machine.

Which words they are, :mod:`unflat.trust.label` says. That a mark was drawn is a step of the story, and what draws it
takes the words from there: what a file says of itself and what it shows cannot come apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from unflat.errors import ConsentError
from unflat.trust.label import label_text
from unflat.types.provenance import Likeness, Provenance, Step

STEP: Final = "visible mark"
WORDS: Final = "words"
"""The step of a story, and the option of it that holds the words."""


def with_mark(story: Provenance) -> Provenance:
    """The story of a thing that its label is drawn on; said once, however often it is asked for."""
    plain = without_mark(story)
    return replace(plain, steps=(*plain.steps, Step(STEP, options=((WORDS, label_text(plain)),))))


def without_mark(story: Provenance) -> Provenance:
    """The story of a thing that no mark is drawn on, even if what it was made of has one."""
    if mark_in(story) is None:
        return story
    return replace(story, steps=tuple(step for step in story.steps if step.name != STEP))


def mark_in(story: Provenance) -> str | None:
    """The words that are drawn on what the story is of; None where nothing is."""
    told = next((dict(step.options) for step in story.steps if step.name == STEP), None)
    return None if told is None else str(told.get(WORDS) or label_text(story))


def marked(likeness: Likeness | None, *, live: bool, wanted: bool | None) -> bool:
    """Whether the mark is drawn.

    Off unless it is asked for; in live output on while somebody is in view, whose likeness moves as they do and could
    be taken for them. A face that was blurred is somebody, too; where nobody looked for people, somebody may be there.

    Args:
        likeness: Who is in view now, and by which leave; None where nobody looked.
        live: What is made is seen while it is made.
        wanted: What the user says; None is nothing.

    Raises:
        ConsentError: No mark is wanted in live output, somebody is or may be in view, and no basis was stated.
    """
    if wanted is not False:
        return wanted is True or (live and _somebody(likeness))
    if live and _somebody(likeness) and (likeness is None or likeness.basis == "unstated"):
        raise ConsentError(
            "somebody is in view, and live output without its mark needs a leave that was stated",
            hint="Leave out --no-mark, or say with --basis by which leave they are shown.",
        )
    return False


def _somebody(likeness: Likeness | None) -> bool:
    """Whether somebody is in view, or may be."""
    return likeness is None or likeness.faces + likeness.bodies > 0 or likeness.finder.startswith("nobody looked")

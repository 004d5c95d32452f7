"""a film -> the same film without the faces in it, in every one of its frames."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction

import numpy as np

from unflat.errors import InputError
from unflat.geometry.veil import Veil
from unflat.models.faces.finder import find_people
from unflat.stages.follow_people import Traces, follow_people
from unflat.stages.redact_people import How, body_region, face_region, without
from unflat.types.arrays import F32, U8
from unflat.types.clip import Clip, TimedFrame
from unflat.types.people import People

_SAMPLES = 12
"""Frames that are looked at to tell whether there is anybody in a film."""


def redact_clip(clip: Clip, how: How, traces: Traces | None = None) -> Clip:
    """The film without the faces, or without the people, in it.

    Args:
        clip: The film.
        how: See :data:`unflat.stages.redact_people.How`.
        traces: Where everybody is, from :func:`unflat.stages.follow_people.follow_people`; None: the film is looked
            through now, which reads all of it.

    Returns:
        A film of the same frames at the same times. A frame is the same wherever reading begins.

    Raises:
        InputError: While it is read, if there is a frame that was not looked at.
    """
    known = follow_people(clip) if traces is None else traces

    def read(start: Fraction, stop: Fraction | None) -> Generator[TimedFrame]:
        with closing(clip.read(start, stop)) as frames:
            for frame in frames:
                if frame.number >= known.frames:
                    raise InputError(f"frame {frame.number} was not there when the film was looked through for people")
                yield replace(frame, pixels=_without(frame.pixels, frame.number, known, how))

    return replace(clip, read=read)


def _without(pixels: U8, number: int, known: Traces, how: How) -> U8:
    """A frame's pixels, those who are in it aside."""
    veils, cells = list[Veil](), list[F32]()
    for trace, seen in known.at(number):
        veil = Veil.over(face_region(seen) if seen.part == "face" else body_region(seen, how), *pixels.shape[:2])
        if veil is not None:
            veils.append(veil)
            cells.append(trace.cells)
    return without(pixels, veils, how, cells) if veils else pixels


def people_in_clip(clip: Clip) -> People:
    """Who is in a film, by a few frames of it: those of the one with the most faces, or else bodies.

    It reads a dozen places of the film, the first second alone where its length is not known. For a notice; what has
    to be in no frame is found by :func:`unflat.stages.follow_people.follow_people`.
    """
    most = People(clip.size)
    length = clip.seconds or 1.0
    for start in np.linspace(0, length, _SAMPLES, endpoint=False) if length else ():
        with closing(clip.frames(Fraction(float(start)).limit_denominator(1000))) as frames:
            frame = next(frames, None)
        if frame is not None:
            people = find_people(frame.pixels)
            if (len(people.faces), len(people.seen)) > (len(most.faces), len(most.seen)):
                most = people
    return most

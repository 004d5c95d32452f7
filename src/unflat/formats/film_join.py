"""Segments become a film: put together without coding anything anew, with the sound and the words of their source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from unflat.errors import InputError
from unflat.formats.atomic import replacing
from unflat.formats.av_late import check_library
from unflat.formats.film_boxes import SUFFIXES as BOXED
from unflat.formats.film_process import child, resolved
from unflat.formats.film_remux import FORMATS
from unflat.formats.film_rights import add_packet
from unflat.formats.film_write import EncodeOptions

SUFFIXES = tuple(FORMATS)
"""What films are written to."""


def check_film_suffix(path: Path) -> None:
    """Say early that a file is no film that is written.

    Raises:
        InputError: It has another suffix.
        MissingExtraError: PyAV is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"no film format for {path.name}", hint=f"Known suffixes: {' '.join(SUFFIXES)}")
    check_library("writing films")


def fitting(path: Path, options: EncodeOptions) -> EncodeOptions:
    """How a film of that name is coded: WebM holds AV1, which it then is unless told otherwise, QuickTime does not.

    Raises:
        InputError: The container does not hold the codec that was asked for.
    """
    suffix = path.suffix.lower()
    wrong = ("h264", "hevc") if suffix == ".webm" else ("av1",) if suffix == ".mov" else ()
    if options.codec in wrong:
        raise InputError(f"{path.name} cannot hold {options.codec}", hint="Use .mp4 or .mkv, or another --codec.")
    return replace(options, codec="av1") if suffix == ".webm" else options


def join(
    segments: Sequence[Path],
    source: Path | None,
    target: Path,
    *,
    start: Fraction = Fraction(0),
    stop: Fraction | None = None,
    told: dict[str, str] | None = None,
    force: bool = False,
) -> tuple[str, ...]:
    """Join segments that ``film_write`` made, in order, into a film.

    Args:
        segments: In order of time; all coded alike.
        source: The film that they were made of, for its sound and words; None for a silent film.
        target: ``.mp4``, ``.mov``, ``.mkv`` or ``.webm``.
        start: From when on the source was read, in seconds on its clock. If it is later than 0, the first frame of
            the new film is shown at 0, and the sound begins there.
        stop: Until when it was read; None is the end.
        told: What the film says of itself; see :func:`unflat.formats.picture_story.film_words`.
        force: Replace a file that exists.

    Returns:
        What of the source could not be kept, or not as it was, in words for the user.

    Raises:
        InputError: Another suffix, no segments, or they do not fit together.
        OutputError: The place cannot be written.
        MissingExtraError: PyAV is not installed.
    """
    check_film_suffix(target)
    if not segments:
        raise InputError("a film needs at least one frame")
    with replacing(target, force=force) as (draft,):
        task: dict[str, Any] = {
            "segments": [resolved(one) for one in segments],
            "source": None if source is None else resolved(source),
            "draft": resolved(draft),
            "suffix": target.suffix.lower(),
            "start": str(start),
            "stop": None if stop is None else str(stop),
            "told": dict(told or {}),
        }
        with child("join", task, target.name) as joiner:
            notes: list[str] = []
            while not (words := joiner.words()).get("end"):
                notes += [words["note"]] if "note" in words else []
        if target.suffix.lower() in BOXED:
            add_packet(draft, told or {})
    return tuple(dict.fromkeys(notes))

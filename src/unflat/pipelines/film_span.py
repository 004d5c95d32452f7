"""Which part of a film, and what is said of its shots: times as people write them, and a file of settings."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from unflat.errors import InputError
from unflat.stages.plan_stereo import StereoOptions
from unflat.types.clip import Clip

_TIME = re.compile(r"(?:(?:(\d{1,5}):(?=\d\d))?([0-5]?\d):(?=[0-5]\d(?!\d)))?(\d{1,9}(?:\.\d{1,9})?)s?")
_LARGEST = 1 << 20
_MOST = 100_000
_HUGE = 1e9
_HALF_A_STEP = Fraction(1, 2_000_000)
"""The report rounds when a shot begins to millionths of a second: upwards, too."""
_OF_A_SHOT = ("strength", "convergence")
_KNOWN = ("from", "to", *_OF_A_SHOT)


def seconds_of(words: str, flag: str) -> Fraction:
    """A time as people write it: ``90``, ``90.5``, ``10s``, ``1:30`` or ``1:02:03.5``.

    Raises:
        InputError: It is none.
    """
    found = _TIME.fullmatch(words.strip())
    if found is None:
        raise InputError(f"{flag} '{words}' is no time", hint="Write seconds (90.5) or 1:02:03.5.")
    hours, minutes, seconds = found.groups()
    return Fraction(seconds) + 60 * int(minutes or 0) + 3600 * int(hours or 0)


@dataclass(frozen=True, slots=True)
class SpanOptions:
    """Which part of a film."""

    from_: str | None = None
    """Where to begin: seconds, or 1:02:03.5."""
    to: str | None = None
    """Where to end, on the film's own clock."""
    preview: str | None = None
    """Only so long a piece (10s), from the beginning of what was chosen with --from, else from a third of the film."""

    def __post_init__(self) -> None:
        start, stop = (None if t is None else seconds_of(t, f) for t, f in ((self.from_, "--from"), (self.to, "--to")))
        if stop is not None and stop <= (start or 0):
            raise InputError(f"--to {self.to} is not after --from {self.from_ or 0}", hint="Exchange them.")
        if self.preview is not None and seconds_of(self.preview, "--preview") <= 0:
            raise InputError("a preview of no length shows nothing", hint="--preview 10s")

    def of(self, clip: Clip) -> tuple[Fraction, Fraction | None]:
        """First moment and end (None: the film's own) on the film's clock, in seconds.

        Raises:
            InputError: The film is over before it.
        """
        start = Fraction(0) if self.from_ is None else seconds_of(self.from_, "--from")
        stop = None if self.to is None else seconds_of(self.to, "--to")
        if self.preview is not None:
            length = seconds_of(self.preview, "--preview")
            if self.from_ is None and clip.seconds is not None:
                end = Fraction(clip.seconds).limit_denominator(1000)
                whole = end if stop is None else min(stop, end)
                start = max(Fraction(0), min(whole / 3, whole - length))
            stop = start + length if stop is None else min(stop, start + length)
        if clip.seconds is not None and start >= clip.seconds and start > 0:
            raise InputError(f"--from {self.from_} is after the end of the film ({clip.seconds:.1f} s)")
        return start, stop


@dataclass(frozen=True, slots=True)
class ShotSetting:
    """What a file says of the shots that begin from ``start`` (seconds) until before ``stop``.

    Attributes:
        changes: Fields of :class:`StereoOptions` and their values, in the order of the file.
    """

    start: Fraction
    stop: Fraction | None
    changes: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """How the work is cut up."""

    segment_seconds: float = 10.0
    """Seconds of film that are finished at once: a run that was killed goes on behind the last."""

    def __post_init__(self) -> None:
        if not 0.1 <= self.segment_seconds <= 600:
            raise InputError(
                f"--segment-seconds {self.segment_seconds:g} is out of range", hint="Give 0.1 to 600 seconds."
            )


@dataclass(frozen=True, slots=True)
class ShotOptions:
    """What is different in some shots."""

    shots: Path | None = None
    """A JSON file of settings by shot: {"shots": [{"from": 12.5, "to": "1:10", "strength": 1.5, "convergence": 0.8}]};
    a shot takes the last entry within which it begins. The report (--json) lists the shots in the same form."""


def read_settings(path: Path | None) -> tuple[ShotSetting, ...]:
    """Read a file of settings by shot; none without a file.

    Raises:
        InputError: It cannot be read, or an entry says something that is not understood.
    """
    if path is None:
        return ()
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path.name} is too large for settings by shot")
        said: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is no JSON: {str(error)[:80]}") from error
    rows: Any = said.get("shots") if isinstance(said, dict) else None
    if not isinstance(rows, list) or len(rows) > _MOST:
        raise InputError(f'{path.name} has no list "shots"', hint='{"shots": [{"from": 0, "to": 12, "strength": 2}]}')
    return tuple(_setting(row, f"{path.name}, shot {number}") for number, row in enumerate(rows, 1))


def _setting(row: Any, where: str) -> ShotSetting:
    if not isinstance(row, dict):
        raise InputError(f'{where}: {str(row)[:40]} is no entry like {{"from": 0, "strength": 2}}')
    unknown = [key for key in row if key not in _KNOWN and key not in _TOLD]
    if unknown:
        raise InputError(f"{where}: there is no setting '{str(unknown[0])[:40]}'", hint=f"Known: {' '.join(_KNOWN)}.")
    changes = tuple((key, row[key]) for key in _OF_A_SHOT if row.get(key) is not None)
    for key, value in changes:
        number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE
        if not number and (key, value) != ("convergence", "auto"):
            raise InputError(f"{where}: {key} cannot be {str(value)[:40]}")
    try:
        replace(StereoOptions(), **dict(changes))
    except InputError as error:
        raise InputError(f"{where}: {error}", hint=error.hint) from error
    start = seconds_of(_written(row.get("from", 0)), f"{where}: from")
    stop = None if row.get("to") is None else seconds_of(_written(row["to"]), f"{where}: to")
    if stop is not None and stop <= start:
        raise InputError(f"{where}: it ends before it begins")
    return ShotSetting(start, stop, changes)


def _written(moment: Any) -> str:
    """A moment of a file as people write it: small numbers, too, without a power of ten."""
    return f"{moment:.9f}" if isinstance(moment, float) else str(moment)


_TOLD = ("shot", "frames", "near", "far", "made_up", "out_percent", "in_percent", "notes", "flicker")
"""What the report says of a shot beside its settings; passed over when it comes back."""


def set_for(begins: Fraction, options: StereoOptions, settings: tuple[ShotSetting, ...]) -> StereoOptions:
    """The options of a shot that begins at a moment."""
    at = begins + _HALF_A_STEP
    for one in reversed(settings):
        if one.start <= at and (one.stop is None or at < one.stop):
            return replace(options, **dict(one.changes))
    return options

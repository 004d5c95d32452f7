"""What a film is, found by going once through its packets and decoding a few: runs in ``film_child``'s process.

The time stamps of all packets are read (8 bytes a frame), because no container's index says reliably which frame is
shown when: edit lists, reordered frames and missing stamps are then settled once, and each frame has a number.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.film_decode import Damage, Plan, packets_from, pictures
from unflat.formats.film_plan import plan_of, upright_size
from unflat.formats.film_source import clock_zero, opened, picture_stream

I64 = NDArray[np.int64]
_FIRST, _ELSEWHERE, _PLACES = 24, 2, 5
"""Frames that are decoded at the beginning and at other places, and how many places there are."""
_MOST_FRAMES = 20_000_000
"""Four days at 60 a second."""
_UNKNOWN_RATE = Fraction(25)
_LONGEST_TAG = 1 << 20
"""Characters of one thing that a film says of itself: its XMP is the longest."""


@dataclass(slots=True)
class Look:
    """What was found.

    Attributes:
        container: FFmpeg's name of it.
        plan: How its frames are read.
        tick: Of its time stamps, in seconds.
        zero: When it begins, on its container's clock, in seconds.
        fps: Frames a second.
        even: Whether all frames are shown equally long.
        size: Width and height of the frames, upright.
        shown: (n,) when each frame is shown, in ticks, ascending.
        keys: (m, 2) presentation and decoding times of key frames, ascending.
        tags: What it says of itself.
        notes: What reading has to decide.
    """

    container: str
    plan: Plan
    tick: Fraction
    zero: Fraction
    fps: Fraction
    even: bool
    size: tuple[int, int]
    shown: I64
    keys: I64
    tags: dict[str, str]
    notes: list[str] = field(default_factory=list[str])

    def words(self) -> dict[str, Any]:
        """As JSON can carry it, without the two arrays."""
        return {
            "container": self.container,
            "plan": self.plan.words(),
            "tick": str(self.tick),
            "zero": str(self.zero),
            "fps": str(self.fps),
            "even": self.even,
            "size": self.size,
            "tags": self.tags,
            "notes": self.notes,
        }


def look(path: Path) -> Look:
    """Look at a film.

    Raises:
        InputError: It is none, or nothing of it can be decoded.
    """
    with opened(path) as container:
        stream = picture_stream(container, path.name)
        promised, length = stream.frames, container.duration
        stamps = _Stamps.of(container, stream, path.name)
    sample = _sample(path, stamps.keys)
    with opened(path) as container:
        stream = picture_stream(container, path.name)
        notes: list[str] = []
        shown, keys, tick, zero = stamps.shown, stamps.keys, Fraction(stream.time_base), clock_zero(container)
        rate = Fraction(stream.guessed_rate or stream.average_rate or _UNKNOWN_RATE)
        counted = False
        if stamps.doubtful or not sample.keeps_to(shown):
            shown, counted = _decoded(path)
        if counted:
            notes.append(f"its time stamps are of no use: its frames are counted, {float(rate):.5g} a second")
            keys, tick, zero = np.zeros((0, 2), np.int64), 1 / rate, Fraction(0)
        plan = plan_of(stream, sample.frame, counted=counted, interlaced=sample.interlaced, notes=notes)
        fps, even = _pace(shown, tick, rate)
        _say_if_short(shown, promised, length, tick, notes)
        tags = {str(k).lower(): str(v)[:_LONGEST_TAG] for k, v in container.metadata.items()}
        name = str(container.format.name).split(",", maxsplit=1)[0]
        return Look(name, plan, tick, zero, fps, even, upright_size(plan), shown, keys, tags, notes)


@dataclass(frozen=True, slots=True)
class _Stamps:
    """When the frames of a stream are shown, by its packets."""

    shown: I64
    keys: I64
    packets: int
    doubtful: bool

    @staticmethod
    def of(container: Any, stream: Any, name: str) -> _Stamps:
        shown, keys = array("q"), array("q")
        strange, last, packets = 0, None, 0
        for packet in packets_from(container, stream, None):
            if packet is None:
                break
            packets += 1
            if packets > _MOST_FRAMES:
                raise InputError(f"{name} has more frames than {_MOST_FRAMES}", hint="Cut it into parts first.")
            if packet.pts is None or (last is not None and packet.dts is not None and packet.dts < last):
                strange += 1
                continue
            last = packet.dts if packet.dts is not None else last
            if packet.is_keyframe:
                keys.extend((packet.pts, packet.pts if packet.dts is None else packet.dts))
            if not packet.is_discard:
                shown.append(packet.pts)
        if not packets:
            raise InputError(f"{name} has no frames", hint="Copy the film again.")
        times = np.unique(np.array(shown, np.int64))
        doubtful = strange + len(shown) - len(times) > max(2, packets // 100) or not len(times)
        pairs = np.array(keys, np.int64).reshape(-1, 2)
        return _Stamps(times, pairs[np.lexsort(pairs.T[::-1])], packets, doubtful)


@dataclass(slots=True)
class _Sample:
    """Some decoded frames: the first one, the times of those that follow it, and whether any here or there is woven."""

    frame: Any = None
    times: list[int | None] = field(default_factory=list[int | None])
    interlaced: bool = False

    def keeps_to(self, shown: I64) -> bool:
        """Whether decoded frames come in order and at the times that their packets promised."""
        times = rising([time for time in self.times if time is not None])
        if len(self.times) - len(times) > max(1, len(self.times) // 20):
            return False
        between = shown[(shown >= times[0]) & (shown <= times[-1])]
        return len(np.setdiff1d(times, shown)) == 0 and len(between) <= len(times) * 1.25 + 1


def _sample(path: Path, keys: I64) -> _Sample:
    """Decode a few frames at the beginning, and one or two at places all over the film.

    Raises:
        InputError: Nothing can be decoded.
    """
    sample, damage = _Sample(), Damage()
    places = [None, *(tuple(keys[len(keys) * i // _PLACES].tolist()) for i in range(1, _PLACES) if len(keys) > _PLACES)]
    for place in places:
        with opened(path) as container:
            stream = picture_stream(container, path.name)
            for number, frame in enumerate(pictures(stream, packets_from(container, stream, place), damage)):
                if place is None:
                    sample.frame = frame if sample.frame is None else sample.frame
                    sample.times.append(frame.pts)
                sample.interlaced = sample.interlaced or bool(frame.interlaced_frame)
                if number + 1 >= (_FIRST if place is None else _ELSEWHERE):
                    break
        if sample.frame is None:
            why = f": {damage.said}" if damage.said else ""
            raise InputError(f"{path.name} has no frame that can be decoded{why}", hint="Convert it to H.264 first.")
    return sample


def _decoded(path: Path) -> tuple[I64, bool]:
    """When each frame is shown, found by decoding them all; or their numbers, and that stamps tell nothing.

    For films whose packets do not say it: frames of two packets, stamps of decoding only, clocks that jump.
    """
    times, number = array("q"), 0
    with opened(path) as container:
        stream = picture_stream(container, path.name)
        stream.thread_type = "AUTO"
        for frame in pictures(stream, packets_from(container, stream, None), Damage()):
            number += 1
            if frame.pts is not None:
                times.append(frame.pts)
    found = rising(times)
    useless = number - len(found) > max(2, number // 100)
    return (np.arange(number), True) if useless else (np.array(found, np.int64), False)


def rising(times: Iterable[int]) -> list[int]:
    """Those that are later than all before them: a frame that is shown when another is, or earlier, is never seen."""
    kept: list[int] = []
    for time in times:
        if not kept or time > kept[-1]:
            kept.append(time)
    return kept


def _say_if_short(shown: I64, promised: int, length: int | None, tick: Fraction, notes: list[str]) -> None:
    """Name what is not there of a film that was cut off."""
    there = float((shown[-1] - shown[0]) * tick)
    if promised > len(shown) + max(2, promised // 100):
        notes.append(f"it is cut short: {len(shown)} of {promised} frames are there")
    elif length and there < length / 1e6 * 0.97 - 1:
        notes.append(f"its pictures end after {there:.1f} of {length / 1e6:.1f} s")


def _pace(shown: I64, tick: Fraction, rate: Fraction) -> tuple[Fraction, bool]:
    """Frames a second, and whether they are even: within a tick of the clock."""
    if len(shown) < 3:
        return rate, True
    mean = Fraction(int(shown[-1] - shown[0]), len(shown) - 1) * tick
    steps = np.diff(shown)
    even = bool(np.abs(steps - float(mean / tick)).max() <= 1.01)
    near = abs(float(rate * mean) - 1) < 1e-3
    return (rate if near and even else (1 / mean).limit_denominator(100_000)), even

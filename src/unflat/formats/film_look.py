"""What a film is, found by going once through its packets and decoding a few: runs in ``film_child``'s process.

The time stamps of all packets are read (8 bytes a frame), because no container's index says reliably which frame is
shown when: edit lists, reordered frames and missing stamps are then settled once, and each frame has a number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.film_decode import Damage, Plan, packets_from, pictures
from unflat.formats.film_source import MOST_PIXELS, clock_zero, faults, opened, picture_stream, reason

I64 = NDArray[np.int64]
_SAMPLE = 24
"""Frames that are decoded to learn what the others are."""
_MOST_FRAMES = 50_000_000
_UNKNOWN_RATE = Fraction(25)
_MATRICES = {1: "ITU709", 4: "FCC", 5: "ITU601", 6: "ITU601", 7: "SMPTE240M", 9: "BT2020", 10: "BT2020"}
_FULL = 2


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
        stamps = _Stamps.of(container, stream, path.name)
    with opened(path) as container:
        stream = picture_stream(container, path.name)
        damage = Damage()
        sample = _sample(container, stream, damage)
        if not sample:
            why = f": {damage.said}" if damage.said else ""
            raise InputError(f"{path.name} has no frame that can be decoded{why}", hint="Convert it to H.264 first.")
        notes: list[str] = []
        promised = stream.frames
        shown, keys = stamps.shown, stamps.keys
        counted = stamps.missing or not _believable(sample, shown)
        tick, zero = Fraction(stream.time_base), clock_zero(container)
        rate = Fraction(stream.guessed_rate or stream.average_rate or _UNKNOWN_RATE)
        if counted:
            shown, keys, tick, zero = np.arange(stamps.packets), np.zeros((0, 2), np.int64), 1 / rate, Fraction(0)
            notes.append(f"its time stamps are of no use: its frames are counted, {float(rate):.5g} a second")
        if promised > len(shown) + max(2, promised // 100):
            notes.append(f"it is cut short: {len(shown)} of {promised} frames are there")
        plan = _plan(stream, sample[0], counted, notes)
        fps, even = _pace(shown, tick, rate)
        size = (plan.height, plan.width) if plan.turn >= 5 else (plan.width, plan.height)
        tags = {str(k).lower(): str(v) for k, v in container.metadata.items()}
        name = str(container.format.name).split(",", maxsplit=1)[0]
        return Look(name, plan, tick, zero, fps, even, size, shown, keys, tags, notes)


@dataclass(frozen=True, slots=True)
class _Stamps:
    """When the frames of a stream are shown, by its packets."""

    shown: I64
    keys: I64
    packets: int
    missing: bool

    @staticmethod
    def of(container: Any, stream: Any, name: str) -> _Stamps:
        from av.stream import Discard

        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        shown: list[int] = []
        keys: list[tuple[int, int]] = []
        missing, last, packets = 0, None, 0
        for packet in packets_from(container, stream, None):
            if packet is None:
                break
            packets += 1
            if packets > _MOST_FRAMES:
                raise InputError(f"{name} has more frames than {_MOST_FRAMES}", hint="Cut it into parts first.")
            if packet.pts is None or (last is not None and packet.dts is not None and packet.dts < last):
                missing += 1
                continue
            last = packet.dts if packet.dts is not None else last
            if packet.is_keyframe:
                keys.append((packet.pts, packet.pts if packet.dts is None else packet.dts))
            if not packet.is_discard:
                shown.append(packet.pts)
        if not packets:
            raise InputError(f"{name} has no frames", hint="Copy the film again.")
        times = np.unique(np.array(shown, np.int64))
        doubtful = missing + len(shown) - len(times) > max(2, packets // 100) or not len(times)
        return _Stamps(times, np.array(sorted(keys), np.int64).reshape(-1, 2), packets, doubtful)


def _sample(container: Any, stream: Any, damage: Damage) -> list[Any]:
    """The first frames."""
    sample: list[Any] = []
    for frame in pictures(stream, packets_from(container, stream, None), damage):
        sample.append(frame)
        if len(sample) == _SAMPLE:
            break
    return sample


def _believable(sample: list[Any], shown: I64) -> bool:
    """Whether decoded frames come in order and at the times that their packets promised."""
    times = [frame.pts for frame in sample]
    if None in times or times != sorted(set(times)):
        return False
    between = shown[(shown >= times[0]) & (shown <= times[-1])]
    return len(np.setdiff1d(times, shown)) == 0 and len(between) <= len(times) * 1.25 + 1


def _plan(stream: Any, frame: Any, counted: bool, notes: list[str]) -> Plan:
    """How the frames of this film are treated, by one of them."""
    width, height = frame.width, frame.height
    shape = stream.sample_aspect_ratio
    if shape and shape != 1 and Fraction(1, 8) <= shape <= 8 and abs(round(width * shape) - width) > 1:
        notes.append(f"its pixels are not square ({shape.numerator}:{shape.denominator}): its frames were widened")
        width = max(1, round(width * shape))
    if width * height > MOST_PIXELS:
        raise InputError(f"its frames have {width}×{height} pixels", hint="Make it smaller first.")
    turn = _turn(frame)
    if turn != 1:
        notes.append("its frames were turned upright")
    matrix = _MATRICES.get(int(frame.colorspace))
    if matrix is None:
        matrix = "ITU709" if frame.width >= 1280 or frame.height > 576 else "ITU601"
    full = int(frame.color_range) == _FULL or str(frame.format.name).startswith("yuvj")
    return Plan(stream.index, counted, width, height, turn, matrix, full)


def _turn(frame: Any) -> int:
    """How the frame is turned upright, as EXIF counts, by its display matrix (ISO/IEC 14496-12, 8.3.2)."""
    import av

    try:
        data = frame.side_data.get("DISPLAYMATRIX")
    except faults(av):  # side data of a kind that PyAV does not know
        data = None
    if data is None:
        return {0: 1, 90: 8, -90: 6, 180: 3, -180: 3, 270: 6, -270: 8}.get(round(frame.rotation / 90) * 90, 1)
    a, b, _, c, d, *_ = (int(v) for v in np.frombuffer(bytes(data), np.int32)[:9])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return {(True, True): 1, (False, True): 2, (False, False): 3, (True, False): 4}[(a >= 0, d >= 0)]
    return {(True, True): 5, (True, False): 6, (False, False): 7, (False, True): 8}[(b > 0, c > 0)]


def _pace(shown: I64, tick: Fraction, rate: Fraction) -> tuple[Fraction, bool]:
    """Frames a second, and whether they are even: within a tick of the clock."""
    if len(shown) < 3:
        return rate, True
    mean = Fraction(int(shown[-1] - shown[0]), len(shown) - 1) * tick
    steps = np.diff(shown)
    even = bool(np.abs(steps - float(mean / tick)).max() <= 1.01)
    near = abs(float(rate * mean) - 1) < 1e-3
    return (rate if near and even else (1 / mean).limit_denominator(100_000)), even


__all__ = ["Look", "look", "reason"]

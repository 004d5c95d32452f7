"""From the packets of a film to upright frames of square pixels in sRGB. Runs in ``film_child``'s process.

Which frames are read is decided by time stamps alone: reading starts at a key frame that is shown no later than the
first frame wanted, and what is decoded before that is dropped. So a frame is the same wherever reading began.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.av_late import library
from unflat.formats.film_source import alone, faults, opened, reason


@dataclass(frozen=True, slots=True)
class Plan:
    """How the frames of one film become what is handed out; settled once, by ``film_look``, for all of it.

    Attributes:
        stream: Number of the stream in its container.
        counted: Frames are told apart by counting from the first one, because time stamps are no help.
        width: Of the frames, in square pixels, before they are turned.
        height: Likewise.
        turn: How they are turned upright, as EXIF 0x0112 counts (1..8).
        matrix: Of luma and chroma: "ITU709", "ITU601", "BT2020", "FCC", "SMPTE240M".
        full: Whether luma spans 0..255.
        interlaced: Whether some frames were woven of two fields, which are then taken apart.
        tone: Fields of a :class:`unflat.geometry.hdr.Tone`; None where the frames are sRGB as they are.
        grey: Only how bright they are is wanted, at 16 bits.
    """

    stream: int
    counted: bool
    width: int
    height: int
    turn: int
    matrix: str
    full: bool
    interlaced: bool = False
    tone: dict[str, Any] | None = None
    grey: bool = False

    def words(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return asdict(self)


@dataclass(slots=True)
class Damage:
    """What could not be decoded: how many packets, and what FFmpeg says of the last one."""

    packets: int = 0
    said: str = ""


def pictures(stream: Any, packets: Iterable[Any], damage: Damage) -> Iterator[Any]:
    """Decode; what is damaged is counted and passed over."""
    wrong = faults(library())
    for packet in packets:
        try:
            yield from stream.decode(packet)
        except EOFError:
            return
        except wrong as error:
            damage.packets, damage.said = damage.packets + 1, reason(error)


def packets_from(container: Any, stream: Any, key: tuple[int, int] | None) -> Iterator[Any]:
    """The packets of a stream from one key frame on.

    Containers with a poor index seek to somewhere near: then more is asked for, at last all from the beginning.

    Args:
        container: Just opened.
        stream: Of it.
        key: Presentation and decoding time of the key frame; None is the beginning.
    """
    if key is None:
        yield from _demuxed(container, stream)
        return
    pts, dts = key
    second = max(1, round(1 / stream.time_base))
    for margin in (0, 2 * second, 20 * second, None):
        if not _sought(container, stream, None if margin is None else dts - margin):
            continue
        packets = _demuxed(container, stream)
        for packet in packets:
            if packet.pts == pts and packet.is_keyframe:
                yield packet
                yield from packets
                return
            if margin is not None and packet.dts is not None and packet.dts > dts:
                break
    raise InputError("its index leads nowhere")


def _sought(container: Any, stream: Any, to: int | None) -> bool:
    """Go there, None is the beginning; False where the container cannot."""
    try:
        if to is None:
            container.seek(0 if stream.start_time is None else min(0, stream.start_time), stream=stream)
        else:
            container.seek(to, stream=stream)
    except faults(library()):
        return to is None
    return True


def _demuxed(container: Any, stream: Any) -> Iterator[Any]:
    """Packets until the film ends or breaks off; the empty ones that empty the decoder come last."""
    wrong = faults(library())
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except wrong:
            break
        if packet is None or packet.size == 0:
            break
        yield packet
    yield None


def unwoven(stream: Any, pictures: Iterable[Any]) -> Iterator[Any]:
    """Frames woven of two fields become whole ones, at the same times (FFmpeg's bwdif); others stay as they are.

    Each is made of the frame before, itself and the one after, so reading begins one frame earlier than it hands out.
    """
    loom: _Loom | None = None
    for frame in pictures:
        if loom is None or not loom.takes(frame):
            yield from loom.rest() if loom is not None else ()
            loom = _Loom(stream, frame)
        yield from loom.push(frame)
    yield from loom.rest() if loom is not None else ()


class _Loom:
    """FFmpeg's bwdif for frames of one size and format."""

    def __init__(self, stream: Any, frame: Any) -> None:
        av = library()
        self._tick, self._is = stream.time_base, (frame.width, frame.height, frame.format.name)
        self._empty = (av.error.BlockingIOError, EOFError)
        self._graph = av.filter.Graph()
        begin = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=self._tick
        )
        middle = self._graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        begin.link_to(middle)
        middle.link_to(self._graph.add("buffersink"))
        self._graph.configure()

    def takes(self, frame: Any) -> bool:
        return (frame.width, frame.height, frame.format.name) == self._is

    def push(self, frame: Any) -> Iterator[Any]:
        self._graph.push(frame)
        while True:
            try:
                made = self._graph.pull()
            except self._empty:
                return
            if made.pts is not None:
                made.pts = int(made.pts * made.time_base / self._tick)
            yield made

    def rest(self) -> Iterator[Any]:
        """What is still inside."""
        return self.push(None)


def _tone(words: dict[str, Any]) -> Any:
    from unflat.geometry.hdr import Tone  # with numba, which most films have no need of

    return Tone(**words)


def _format(plan: Plan) -> str:
    """What frames are converted to first: planes of colour, which goes thrice as fast as pixels."""
    if plan.grey:
        return "gray16le"
    return "gbrp" if plan.tone is None else "gbrp16le"


class Upright:
    """Turns decoded frames into pixels, as a plan says."""

    def __init__(self, plan: Plan) -> None:
        library()
        from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

        self._plan, self._by = plan, VideoReformatter()
        self._tone = None if plan.tone is None or plan.grey else _tone(plan.tone)
        self._how: dict[str, Any] = {
            "width": plan.width,
            "height": plan.height,
            "format": _format(plan),
            "src_colorspace": Colorspace[plan.matrix],
            "src_color_range": ColorRange.JPEG if plan.full else ColorRange.MPEG,
            "dst_color_range": ColorRange.JPEG,
            "interpolation": Interpolation.BICUBIC
            | Interpolation.FULL_CHR_H_INT
            | Interpolation.FULL_CHR_H_INP
            | Interpolation.ACCURATE_RND,
        }

    def __call__(self, frame: Any) -> NDArray[Any]:
        """(h, w, 3) uint8 sRGB, or (h, w) uint16."""
        pixels: Any = self._by.reformat(frame, **self._how).to_ndarray()
        if self._tone is not None:
            pixels = self._tone(pixels)
        if self._plan.turn == 1:
            return np.ascontiguousarray(pixels)
        from unflat.formats.decode import turned

        return np.ascontiguousarray(turned(pixels, self._plan.turn))


def frames(
    path: Path, plan: Plan, key: tuple[int, int] | None, first: int, last: int, damage: Damage
) -> Generator[tuple[int, NDArray[Any]]]:
    """The frames from the one shown at ``first`` to the one at ``last``, in order.

    Args:
        path: The film.
        plan: How its frames are treated.
        key: Where decoding begins; None is the beginning of the film.
        first: In ticks of the stream; where the plan counts, a frame's number.
        last: Likewise, included.
        damage: Is told what could not be decoded.

    Yields:
        Ticks (or number) and pixels.

    Raises:
        InputError: It cannot be opened, or there is nothing of it that can be decoded.
    """
    with opened(path) as container:
        stream = alone(container, plan.stream)
        stream.thread_type = "AUTO"
        upright, before, decoded = Upright(plan), None, 0
        shown = pictures(stream, packets_from(container, stream, key), damage)
        for number, frame in enumerate(unwoven(stream, shown) if plan.interlaced else shown):
            at = number if plan.counted else frame.pts
            decoded += 1
            if at is None or at < first or (before is not None and at <= before):
                continue
            if at > last:
                return
            before = at
            yield at, upright(frame)
        if not decoded:
            raise InputError(f"{path.name} has no frame that can be decoded", hint="Copy the film again.")

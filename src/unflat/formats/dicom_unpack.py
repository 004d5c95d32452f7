"""Packed DICOM frames: found in their files here, decoded by ``dicom_child``."""

from __future__ import annotations

import importlib.util
import json
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError, MissingExtraError
from unflat.formats import dicom_child
from unflat.formats.dicom_frames import Pixels

_PATIENCE_S, _PATIENCE_S_PIXEL, _MOST_LATE = 15.0, 5e-6, 2
"""Longer than any decoder takes to start, and for a pixel; damaged frames can make them run for ever. How many may."""
_ITEM, _END = 0xFFFEE000, 0xFFFEE0DD
_STARTS = (b"\xff\xd8", b"\xff\x4f")
"""Of a JPEG, JPEG-LS, JPEG 2000 codestream."""
_HINT = "The file is damaged; copy it again."
_RLE, _DEFLATED_FRAMES = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.8.1"

Place = list[tuple[int, int]]
"""Where the pieces of one frame lie: from which byte on, how many."""


def frame_places(pixels: Pixels, file: IO[bytes]) -> list[Place]:
    """Where the frames of a file with packed pixels lie, as many as there are.

    Sources: PS3.5 annex A.4 (items, of which the first is a table of offsets, perhaps empty).
    """
    pieces: list[tuple[int, int]] = []
    at = pixels.start
    table = b""
    while at + 8 <= pixels.blob.size:
        file.seek(at)
        group, element, length = struct.unpack("<HHI", file.read(8).ljust(8, b"\0"))
        tag = group << 16 | element
        if tag != _ITEM:
            break
        if at + 8 + length > pixels.blob.size:
            break  # cut short: decoders would make up the rest
        if at == pixels.start:
            table = file.read(min(length, 4 * pixels.frames))
        elif length:
            pieces.append((at + 8, length))
        at += 8 + length
    if pixels.frames == 1 or not pieces:
        return [pieces] if pieces else []
    if len(pieces) == pixels.frames:
        return [[piece] for piece in pieces]
    first = pieces[0][0] - 8
    starts = _table(table, "I", first) or _table(pixels.offsets, "Q", first)
    if len(starts) != pixels.frames:
        starts = {start - 8 for start, _ in pieces if _begins(file, start)}
    places: list[Place] = []
    for start, length in pieces:
        if start - 8 in starts or not places:
            places.append([])
        places[-1].append((start, length))
    return places


def _table(data: bytes, code: str, first: int) -> set[int]:
    count = len(data) // struct.calcsize(code)
    return {first + offset for offset in struct.unpack_from(f"<{count}{code}", data)}


def _begins(file: IO[bytes], start: int) -> bool:
    file.seek(start)
    return file.read(2) in _STARTS


def packed_frame(file: IO[bytes], place: Place) -> bytes:
    """The bytes of one frame."""
    parts: list[bytes] = []
    for start, length in place:
        file.seek(start)
        parts.append(file.read(length))
    return b"".join(parts)


def unpacked_frame(pixels: Pixels, frame: bytes) -> bytes | None:
    """A frame of run lengths or deflated, as plain pixels, little endian; None for all that needs a decoder.

    Sources: PS3.5 annex G (RLE: the bytes of each number apart, the highest first), section 8.2.16 (deflated frames).

    Raises:
        InputError: Damaged.
    """
    count = pixels.rows * pixels.columns
    length = (count * pixels.allocated + 7) // 8
    try:
        if pixels.syntax == _DEFLATED_FRAMES:
            return zlib.decompressobj(-15).decompress(frame, length)
        if pixels.syntax == _RLE:
            return _of_runs(frame, max(pixels.allocated // 8, 1), length)
    except (zlib.error, struct.error, IndexError) as error:
        raise InputError("its packed pixels cannot be decoded", hint=_HINT) from error
    return None


def _of_runs(frame: bytes, segments: int, length: int) -> bytes:
    told = struct.unpack_from("<16I", frame)
    if told[0] != segments:
        raise InputError("its packed pixels cannot be decoded", hint=_HINT)
    each = length // segments
    planes = np.zeros((each, segments), np.uint8)
    ends = (*told[2 : segments + 1], len(frame))
    for number, (start, end) in enumerate(zip(told[1 : segments + 1], ends, strict=True)):
        plain = _runs(frame[start:end], each)
        planes[: len(plain), segments - 1 - number] = np.frombuffer(plain, np.uint8)
    return planes.tobytes()


def _runs(data: bytes, most: int) -> bytes:
    """PackBits: a count below 128 and one more bytes as they are, or one above and the byte that is repeated."""
    out = bytearray()
    at = 0
    while at < len(data) - 1 and len(out) < most:
        count = data[at]
        if count < 128:
            out += data[at + 1 : at + 2 + count]
            at += 2 + count
        elif count > 128:
            out += data[at + 1 : at + 2] * (257 - count)
            at += 2
        else:
            at += 1
    return bytes(out[:most])


class Decoder:
    """A running ``dicom_child``, started when the first frame comes and again after it died of one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._late = 0

    def decode(self, pixels: Pixels, frame: bytes) -> NDArray[Any]:
        """(rows, columns) of the numbers of a frame, as they were packed.

        Raises:
            InputError: It cannot be decoded, or not in good time.
            MissingExtraError: The decoders are not installed.
        """
        if self._late >= _MOST_LATE:
            raise InputError("its packed pixels take too long to decode", hint=_HINT)
        process = self._running()
        words = {
            "syntax": pixels.syntax,
            "rows": pixels.rows,
            "columns": pixels.columns,
            "allocated": pixels.allocated,
            "stored": pixels.stored,
            "signed": pixels.signed,
            "bytes": len(frame),
        }
        stdin: Any = process.stdin
        stdout: Any = process.stdout
        patience = _PATIENCE_S + _PATIENCE_S_PIXEL * pixels.rows * pixels.columns
        watch = threading.Timer(patience, self._give_up, (process,))
        watch.daemon = True
        watch.start()
        try:
            with suppress(BrokenPipeError):  # where it has died, its silence tells
                stdin.write(json.dumps(words).encode() + b"\n")
                stdin.write(frame)
                stdin.flush()
            line = stdout.readline()
            told: dict[str, Any] = json.loads(line) if line else {"error": "it broke off"}
            data = stdout.read(told.get("bytes", 0))
        finally:
            watch.cancel()
        if not line or len(data) != told.get("bytes", 0):
            self.end()
        if "error" in told or len(data) != told["bytes"]:
            raise InputError("its packed pixels cannot be decoded", hint=_HINT)
        return np.frombuffer(data, np.dtype(told["dtype"])).reshape(pixels.rows, pixels.columns)

    def _give_up(self, process: subprocess.Popen[bytes]) -> None:
        self._late += 1
        process.kill()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            if importlib.util.find_spec("pydicom") is None:
                raise MissingExtraError("packed DICOM", "volume")
            command, pipe = [sys.executable, "-P", dicom_child.__file__], subprocess.PIPE
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        return self._process

    def end(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    if pipe is not None:
                        pipe.close()
            process.wait()


@contextmanager
def decoding() -> Generator[Decoder]:
    """A decoder whose process ends with the block."""
    decoder = Decoder()
    try:
        yield decoder
    finally:
        decoder.end()

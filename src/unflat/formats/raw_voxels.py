"""Voxels that follow each other in a file or a stream, plain or packed: as planes, one at a time, never more.

NIfTI, NRRD and MetaImage all hold their voxels so: columns first, then rows, then slices.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import IO, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.volume_blobs import Blob, translating

Packing = Literal["raw", "gzip", "bzip2", "zlib"]

_MOST_PACKED = {"raw": 1, "gzip": 1040, "zlib": 1040, "bzip2": 50_000}
"""Bytes that one byte can unpack to, at most."""
_SHORT = "The file is damaged or cut short; copy it again."
_PACK_FAULTS = (zlib.error, EOFError, gzip.BadGzipFile, ValueError)
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class RawVoxels:
    """Where the voxels of a volume lie.

    Attributes:
        blob: The file that holds them.
        packing: How they are packed.
        before: Bytes before the voxels: of the file, and of what is unpacked.
        dtype: Of a voxel, with its byte order.
        shape: (slices, rows, columns).
        parts: How many numbers each voxel has.
        part: Which of them is read, from 0 on.
    """

    blob: Blob
    packing: Packing
    before: tuple[int, int]
    dtype: np.dtype[Any]
    shape: tuple[int, int, int]
    parts: int = 1
    part: int = 0

    @property
    def count(self) -> int:
        """Bytes of all voxels, unpacked."""
        d, h, w = self.shape
        return d * h * w * self.parts * self.dtype.itemsize

    def check(self) -> None:
        """Refuse a claim that the file cannot hold.

        Raises:
            InputError: It cannot.
        """
        held = max(self.blob.size - self.before[0], 0) * _MOST_PACKED[self.packing]
        if self.count + self.before[1] > held + _BLOCK * (self.packing != "raw"):
            raise InputError("it claims to hold more voxels than its bytes can be", hint=_SHORT)

    def planes(self) -> Iterator[NDArray[Any]]:
        """(rows, columns) of every slice, as they are stored, in the machine's byte order.

        Raises:
            InputError: Damaged or cut short.
        """
        self.check()
        _, h, w = self.shape
        length = h * w * self.parts * self.dtype.itemsize
        with unpacked(self.blob, self.packing, self.before[0]) as stream:
            skip(stream, self.before[1])
            for _ in range(self.shape[0]):
                data = exactly(stream, length)
                plane = np.frombuffer(data, self.dtype).reshape(h, w, self.parts)[:, :, self.part]
                yield plane.astype(self.dtype.newbyteorder("="), copy=False)


@contextlib.contextmanager
def unpacked(blob: Blob, packing: Packing, start: int = 0) -> Generator[IO[bytes]]:
    """A file from byte ``start`` on, unpacked as it is read.

    Raises:
        InputError: It cannot be read.
    """
    with translating(), blob.open() as file:
        file.seek(start)
        match packing:
            case "raw":
                yield file
            case "gzip":
                yield cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
            case "bzip2":
                yield cast("IO[bytes]", bz2.BZ2File(file))
            case "zlib":
                yield cast("IO[bytes]", io.BufferedReader(_Zlib(file), _BLOCK))


class _Zlib(io.RawIOBase):
    """A stream of zlib, unpacked as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file, self._left = file, b""
        self._zlib = zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = b""
        while not data and not self._zlib.eof:
            packed = self._left or self._file.read(_BLOCK)
            if not packed:
                break
            data = self._zlib.decompress(packed, len(buffer))
            self._left = self._zlib.unconsumed_tail
        buffer[: len(data)] = data
        return len(data)


def exactly(stream: IO[bytes], count: int) -> bytearray:
    """So many bytes of a stream.

    Raises:
        InputError: It ends before, or does not unpack.
    """
    data = bytearray()
    try:
        while len(data) < count:
            more = stream.read(min(count - len(data), _BLOCK))
            if not more:
                raise InputError("it ends before its voxels do", hint=_SHORT)
            data += more
    except _PACK_FAULTS as error:
        raise InputError("its voxels do not unpack", hint=_SHORT) from error
    return data


def skip(stream: IO[bytes], count: int) -> None:
    """Leave out so many bytes of a stream.

    Raises:
        InputError: It ends before.
    """
    while count > 0:
        count -= len(exactly(stream, min(count, _BLOCK)))

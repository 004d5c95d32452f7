"""The pixels of DICOM frames as the numbers that the scanner means.

Sources: PS3.5 chapter 8 (how pixels are stored), PS3.3 C.7.6.3 (image pixels), C.11.1 (modality look-up), C.7.5.1.1.2
(padding), C.7.6.3.1.2 (MONOCHROME1: the lowest value is white).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.dicom_frames import Frame, Pixels
from unflat.formats.dicom_parse import PIXELS, PLAIN
from unflat.formats.dicom_unpack import Decoder, Place, decoding, frame_places, packed_frame, unpacked_frame
from unflat.formats.nifti import scaled
from unflat.formats.volume_blobs import Blob, in_memory, translating

AIR = -1000
"""Hounsfield units of air: what stands for no measurement in a CT."""
_IN_MEMORY = 1 << 28
_SHORT = "The file is damaged or cut short; copy it again."


class Reader:
    """Reads frames one after the other; a file of many stays open until the next file is asked for."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._blob: Blob | None = None
        self._file: IO[bytes] | None = None
        self._places: list[Place] = []

    def stored(self, frame: Frame) -> NDArray[Any]:
        """(rows, columns) of the numbers as they are stored.

        Raises:
            InputError: Damaged, or cut short.
            MissingExtraError: They are packed, and the decoders are not installed.
        """
        pixels = frame.pixels
        with translating():
            file = self._opened(pixels)
            if pixels.syntax in PLAIN:
                return _plain(pixels, *_stored(pixels, file, frame.index))
            if frame.index >= len(self._places):
                raise InputError("its pixels end too soon", hint=_SHORT)
            packed = packed_frame(file, self._places[frame.index])
            plain = unpacked_frame(pixels, packed)
            return _plain(pixels, plain) if plain is not None else _meant(self._decoder.decode(pixels, packed), pixels)

    def values(self, frame: Frame) -> NDArray[Any]:
        """(rows, columns) of what the scanner means, padding as air or as the lowest value.

        Raises:
            InputError: Damaged, or cut short.
            MissingExtraError: They are packed, and the decoders are not installed.
        """
        stored = self.stored(frame)
        values = rescaled(stored, frame)
        if frame.padding is not None:
            empty = (stored >= frame.padding[0]) & (stored <= frame.padding[1])
            if empty.any() and not empty.all():
                values = _padded(values, empty, frame)
        return values

    def close(self) -> None:
        """Close the file that is open."""
        if self._file is not None:
            self._file.close()
        self._blob = self._file = None

    def _opened(self, pixels: Pixels) -> IO[bytes]:
        if self._file is None or self._blob is not pixels.blob:
            self.close()
            blob = pixels.blob
            if pixels.frames > 1 and blob.size <= _IN_MEMORY:
                blob = in_memory(blob.part(0, blob.size))  # frames are read in the order of their places
            self._file, self._blob = blob.open(), pixels.blob
            self._places = frame_places(pixels, self._file) if pixels.syntax not in PLAIN else []
        return self._file


@contextmanager
def reading() -> Generator[Reader]:
    """A reader whose file and decoder are closed with the block."""
    with decoding() as decoder:
        reader = Reader(decoder)
        try:
            yield reader
        finally:
            reader.close()


def rescaled(stored: NDArray[Any], frame: Frame) -> NDArray[Any]:
    """Stored numbers to what they mean: by the look-up table, else by slope and intercept."""
    if frame.lut is None:
        return scaled(stored, frame.slope, frame.intercept)
    first, entries = frame.lut
    table = np.array(entries, np.int32)
    return table[np.clip(stored.astype(np.int64) - first, 0, len(table) - 1)]


def turned_light(values: NDArray[Any], frame: Frame) -> NDArray[Any]:
    """Values of MONOCHROME1, high for white: mirrored within the numbers that can be stored."""
    pixels = frame.pixels
    low = -(1 << (pixels.stored - 1)) if pixels.signed else 0
    ends = rescaled(np.array([low, low + (1 << pixels.stored) - 1], np.int64), frame)
    total = ends.sum()
    return (total - values).astype(np.int64 if values.dtype.kind in "iu" else np.float64)


def _padded(values: NDArray[Any], empty: NDArray[np.bool_], frame: Frame) -> NDArray[Any]:
    """What stands for no measurement becomes air, in CT; where it is a value like others it stays."""
    if frame.facts.modality == "CT" and frame.hounsfield:
        if float(values[empty].max()) > AIR + 100:
            return values
        return np.where(empty, np.array(AIR, values.dtype if values.dtype.kind == "f" else np.int64), values)
    return np.where(empty, values[~empty].min(), values)


def _stored(pixels: Pixels, file: IO[bytes], index: int) -> tuple[bytes, int]:
    """The bytes of a frame, and how many bits of the first belong to the frame before it."""
    bits = pixels.rows * pixels.columns * pixels.allocated
    start, last = index * bits // 8, ((index + 1) * bits + 7) // 8
    if pixels.length is not None and last > pixels.length:
        raise InputError("its pixels end too soon", hint=_SHORT)
    file.seek(pixels.start + start)
    return file.read(last - start), index * bits - 8 * start


def _plain(pixels: Pixels, data: bytes, skip: int = 0) -> NDArray[Any]:
    """(rows, columns) of the numbers of plain bytes.

    Raises:
        InputError: There are too few.
    """
    count = pixels.rows * pixels.columns
    if 8 * len(data) < skip + count * pixels.allocated:
        raise InputError("its pixels end too soon", hint=_SHORT)
    shape = (pixels.rows, pixels.columns)
    if pixels.allocated == 1:
        return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[skip : skip + count].reshape(shape)
    order = ">" if pixels.big else "<"
    if pixels.tag != PIXELS[0]:
        width = 4 if pixels.tag == PIXELS[1] else 8
        return np.frombuffer(data, f"{order}f{width}", count).astype(np.float64).reshape(shape)
    return _meant(np.frombuffer(data, f"{order}u{pixels.allocated // 8}", count).reshape(shape), pixels)


def _meant(array: NDArray[Any], pixels: Pixels) -> NDArray[Any]:
    """Only the bits that belong to the number, with its sign; others may hold drawings. Decoders give the number."""
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    unsigned = array.view(f"u{array.dtype.itemsize}")
    if array.dtype.kind == "i":
        return array if pixels.signed else unsigned
    shift = pixels.high + 1 - pixels.stored if pixels.syntax in PLAIN else 0
    if shift > 0:
        unsigned = unsigned >> shift
    if pixels.stored < 8 * array.dtype.itemsize:
        unsigned = unsigned & np.array((1 << pixels.stored) - 1, unsigned.dtype)
    return _signed(unsigned, pixels)


def _signed(unsigned: NDArray[Any], pixels: Pixels) -> NDArray[Any]:
    """The sign from the highest of the stored bits."""
    if not pixels.signed:
        return unsigned
    size = unsigned.dtype.itemsize
    left = 8 * size - min(pixels.stored, 8 * size)
    return (unsigned << left).view(f"i{size}") >> left

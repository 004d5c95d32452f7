"""DICOM files as frames: what each says of its place, its pixels and its values, as plain numbers.

A file of one picture is one frame; a multi-frame file is as many as it holds, each with its own functional groups
(PS3.3 C.7.6.16) over those that all share, over the attributes of the file.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from unflat.errors import InputError
from unflat.formats.dicom_parse import (
    DEFLATED,
    PIXELS,
    PLAIN,
    TAGS,
    Elements,
    Head,
    Unfinished,
    looks_like_dicom,
    parse,
)
from unflat.formats.volume_blobs import Blob

_FIRST, _TIMES = 1 << 15, 16
_MOST_FRAMES, _LARGEST_SIDE, _DEFLATED_MOST = 100_000, 1 << 15, 1 << 28
Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pixels:
    """How the pixels of a file are stored.

    Attributes:
        blob: The file (inflated, where it was deflated).
        tag: Integer, float or double pixels.
        start: Where they begin.
        length: How many bytes they have; None where they are packed.
        frames: How many frames the file says it has.
        syntax: UID of the transfer syntax.
        big: Whether numbers are big endian.
        rows, columns, samples, allocated, stored, high: As DICOM calls them.
        signed: Whether numbers below zero occur.
        photometric: MONOCHROME1, MONOCHROME2, RGB …
        offsets: Extended offset table, as stored.
    """

    blob: Blob
    tag: int
    start: int
    length: int | None
    frames: int
    syntax: str
    big: bool
    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    high: int
    signed: bool
    photometric: str
    offsets: bytes = b""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Frame:
    """One slice of a scan.

    Attributes:
        pixels: Those of its file.
        index: Which frame of its file it is, from 0 on.
        series: Whose series it is of; only compared with others, never told.
        place: Upper left pixel's centre in LPS, millimetres; None where it is not told.
        axes: Directions of a row and of a column, six numbers; None where they are not told.
        spacing: Millimetres from a row to the next, from a column to the next; None where they are not told.
        between: Millimetres between slices, as the file says; thickness where it says only that.
        number: Its number in the series.
        slope, intercept: To the values that the scanner means.
        lut: Modality look-up table: first value that is mapped, its entries; None without one.
        hounsfield: Whether the file says that its values are Hounsfield units (or does not say what they are).
        padding: The stored values, from and to, that stand for no measurement; None without.
        kind: Image type, for telling apart what is not one volume.
        apart: Echo, acquisition, time and so on: what may tell slices at the same place apart, by name.
        facts: What its series may be called by.
        assumed: Whether its place is the user's word, not the file's.
    """

    pixels: Pixels
    index: int
    series: bytes
    place: Vector | None
    axes: Vector | None
    spacing: Vector | None
    between: float | None
    number: float
    slope: float
    intercept: float
    lut: tuple[int, tuple[int, ...]] | None
    hounsfield: bool
    padding: tuple[int, int] | None
    kind: tuple[str, ...]
    apart: dict[str, float]
    facts: Facts
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What a series may be called by.

    Attributes:
        modality: As DICOM has it: "CT", "MR", "US" …
        sop_class: UID of what kind of object it is.
        kernel: Of the reconstruction, as stored.
        body_part: As stored.
        contrast: Whether an agent is named.
    """

    modality: str
    sop_class: str
    kernel: str
    body_part: str
    contrast: bool


class Values:
    """The wanted elements of a file, then those of its groups over them, as numbers and words."""

    def __init__(self, big: bool, *layers: Elements) -> None:
        self.order, self._layers = ">" if big else "<", layers

    def raw(self, name: str) -> bytes | list[Elements] | None:
        """As stored, of the first layer that has it."""
        return next((layer[TAGS[name]] for layer in self._layers if TAGS[name] in layer), None)

    def items(self, name: str) -> list[Elements]:
        """Of a sequence."""
        found = self.raw(name)
        return found if isinstance(found, list) else []

    def words(self, name: str) -> tuple[str, ...]:
        """Of a text."""
        found = self.raw(name)
        text = found.decode("ascii", "replace") if isinstance(found, bytes) else ""
        return tuple(part.strip(" \0") for part in text.split("\\")) if text else ()

    def word(self, name: str) -> str:
        """The first of a text, or nothing."""
        return next(iter(self.words(name)), "")

    def numbers(self, name: str, count: int) -> Vector | None:
        """So many numbers written as text, all finite; None where there are not."""
        try:
            found = tuple(float(word) for word in self.words(name))
        except ValueError:
            return None
        return found if len(found) == count and all(map(math.isfinite, found)) else None

    def number(self, name: str) -> float | None:
        """The first number written as text."""
        try:
            found = float(self.word(name))
        except ValueError:
            return None
        return found if math.isfinite(found) else None

    def whole(self, name: str, signed: bool = False) -> int | None:
        """A number stored as two or four bytes."""
        found = self.raw(name)
        if not isinstance(found, bytes) or len(found) < 2:
            return None
        code = "i" if len(found) == 4 else "h"
        return int(struct.unpack_from(self.order + (code if signed else code.upper()), found)[0])

    def real(self, name: str) -> float | None:
        """A number stored as eight bytes."""
        found = self.raw(name)
        if not isinstance(found, bytes) or len(found) != 8:
            return None
        value = float(struct.unpack(self.order + "d", found)[0])
        return value if math.isfinite(value) else None


def head_of(blob: Blob) -> Head | None:
    """What a file says before its pixels; None where it is no DICOM file.

    Raises:
        InputError: It is one, but damaged.
    """
    count = _FIRST
    data = blob.head(count)
    if not looks_like_dicom(data):
        return None
    while True:
        try:
            head = parse(data)
            if (head.pixels is not None and head.syntax != DEFLATED) or len(data) >= blob.size:
                return head
        except Unfinished as error:
            if len(data) >= blob.size:
                raise InputError("it ends within its header", hint="The file is damaged; copy it again.") from error
        count *= _TIMES
        if count > _DEFLATED_MOST:
            raise InputError("its header has no end", hint="The file is damaged; copy it again.")
        data = blob.head(count)


def frames_of(blob: Blob, head: Head) -> Iterator[Frame]:
    """The frames of a DICOM file with pixels.

    Raises:
        InputError: It has no pixels, or says of them what cannot be.
    """
    pixels = _pixels(blob, head)
    top = Values(head.big, head.elements)
    shared = _groups(top.items("shared")[:1])
    groups = top.items("per_frame")
    offsets = top.numbers("offsets", len(top.words("offsets")))
    for index in range(pixels.frames):
        own = _groups(groups[index : index + 1])
        values = Values(head.big, own, shared, head.elements, *_detector(top))
        yield _frame(pixels, index, values, top, offsets if len(offsets or ()) == pixels.frames else None)


def _groups(items: list[Elements]) -> Elements:
    """All that stands in the functional groups of a frame, flat: every tag occurs in one of them only."""
    flat: Elements = {}
    for item in items:
        for value in item.values():
            for group in value if isinstance(value, list) else ():
                flat |= group
    return flat


def _detector(top: Values) -> list[Elements]:
    """Nuclear medicine tells its place in a sequence of its own."""
    return top.items("detector")[:1]


def _pixels(blob: Blob, head: Head) -> Pixels:
    values = Values(head.big, head.elements)
    if head.pixels is None:
        raise InputError("it holds no picture", hint="Give the folder that the scanner's pictures are in.")
    tag, start, length = head.pixels
    rows, columns = values.whole("rows") or 0, values.whole("columns") or 0
    allocated = values.whole("allocated") or {PIXELS[1]: 32, PIXELS[2]: 64}.get(tag, 0)
    stored = values.whole("stored") or allocated
    high = values.whole("high")
    frames = int(values.number("frames") or 1)
    if not (1 <= rows < _LARGEST_SIDE and 1 <= columns < _LARGEST_SIDE and 1 <= frames <= _MOST_FRAMES):
        raise InputError("the size of its picture makes no sense", hint="The file is damaged; copy it again.")
    if allocated not in (1, 8, 16, 32, 64) or not 1 <= stored <= allocated:
        raise InputError("the bits of its pixels make no sense", hint="The file is damaged; copy it again.")
    if head.syntax in PLAIN:  # no more than its bytes can be, and as many again to tell that they are missing
        held = len(head.inflated) if head.inflated is not None else blob.size
        frames = min(frames, 2 + 2 * (8 * (held - start) // max(rows * columns * allocated, 1)))
    if high is None or not stored - 1 <= high < allocated:
        high = stored - 1
    extended = values.raw("extended_offsets")
    return Pixels(
        blob=blob if head.inflated is None else _inflating(blob, len(head.inflated)),
        tag=tag,
        start=start,
        length=length,
        frames=frames,
        syntax=head.syntax,
        big=head.big,
        rows=rows,
        columns=columns,
        samples=values.whole("samples") or 1,
        allocated=allocated,
        stored=stored,
        high=high,
        signed=values.whole("signed") == 1,
        photometric=values.word("photometric"),
        offsets=extended if isinstance(extended, bytes) else b"",
    )


def _inflating(blob: Blob, size: int) -> Blob:
    """A deflated file as it is inflated, again each time it is opened: nothing is held in memory meanwhile."""
    return replace(blob, size=size, open=lambda: io.BytesIO(parse(blob.part(0, blob.size)).inflated or b""))


def _frame(pixels: Pixels, index: int, values: Values, top: Values, offsets: Vector | None) -> Frame:
    place, axes = values.numbers("position", 3), _axes(values)
    between = values.number("between")
    if pixels.frames > 1 and not top.items("per_frame") and place is not None and axes is not None:
        place = _counted(
            place, axes, offsets[index] if offsets else index * abs(between or values.number("thickness") or 0)
        )
    slope, intercept = values.number("slope"), values.number("intercept")
    mapped = next(iter(values.items("real_map")), None) if slope is None and pixels.tag == PIXELS[0] else None
    if mapped is not None:
        real = Values(pixels.big, mapped)
        slope, intercept = real.real("real_slope"), real.real("real_intercept")
    rescaled = slope is not None or intercept is not None
    number = values.number("instance")
    return Frame(
        pixels=pixels,
        index=index,
        series=_bytes(top.raw("series")),
        place=place,
        axes=axes,
        spacing=_spacing(values),
        between=between or values.number("thickness"),
        number=(number or 0.0) + index,
        slope=slope or 1.0,
        intercept=intercept or 0.0,
        lut=_lut(top, pixels.signed),
        hounsfield=(rescaled or bool(top.items("lut"))) and values.word("rescale_type") in ("", "HU"),
        padding=_padding(top, pixels),
        kind=top.words("image_type"),
        apart=_apart(values),
        facts=Facts(
            modality=top.word("modality"),
            sop_class=top.word("sop_class"),
            kernel=values.word("kernel"),
            body_part=values.word("body_part"),
            contrast=any(top.words("contrast")),
        ),
    )


def _counted(place: Vector, axes: Vector, along: float) -> Vector:
    """The place of a frame whose file tells only that of the first: ``along`` millimetres along the normal."""
    a, b = axes[:3], axes[3:]
    normal = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return tuple(p + along * n for p, n in zip(place, normal, strict=True))


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _axes(values: Values) -> Vector | None:
    """Two directions across each other, or None where they are none."""
    found = values.numbers("orientation", 6)
    if found is None:
        return None
    a, b = found[:3], found[3:]
    long = min(sum(x * x for x in a), sum(x * x for x in b))
    return found if 0.5 < long < 2 and abs(sum(x * y for x, y in zip(a, b, strict=True))) < 0.1 else None


def _spacing(values: Values) -> Vector | None:
    found = values.numbers("spacing", 2)
    return found if found is not None and min(found) > 1e-4 and max(found) < 1e3 else None


def _lut(top: Values, signed: bool) -> tuple[int, tuple[int, ...]] | None:
    """First mapped value and entries of the modality look-up table (PS3.3 C.11.1)."""
    item = next(iter(top.items("lut")), None)
    if item is None:
        return None
    shape, data = _bytes(item.get(TAGS["lut_shape"])), _bytes(item.get(TAGS["lut_data"]))
    order = top.order
    if len(shape) < 6 or not data:
        return None
    count, bits = struct.unpack_from(order + "H", shape)[0] or 65536, struct.unpack_from(order + "H", shape, 4)[0]
    first = struct.unpack_from(order + ("h" if signed else "H"), shape, 2)[0]
    wide = len(data) >= 2 * count
    if not wide and (bits > 8 or len(data) < count):
        return None
    return first, struct.unpack_from(f"{order}{count}{'H' if wide else 'B'}", data)


def _padding(top: Values, pixels: Pixels) -> tuple[int, int] | None:
    first = top.whole("padding", pixels.signed)
    last = top.whole("padding_limit", pixels.signed)
    if first is None or pixels.tag != PIXELS[0]:
        return None
    return (first, first) if last is None else (min(first, last), max(first, last))


def _apart(values: Values) -> dict[str, float]:
    found = {
        "echo": values.number("echo"),
        "echo time": values.number("echo_time") or values.real("effective_echo"),
        "diffusion weighting": values.real("b_value"),
        "time": values.number("temporal"),
        "point in time": None if (index := values.whole("temporal_index")) is None else float(index),
        "trigger time": values.number("trigger"),
        "acquisition": values.number("acquisition"),
    }
    return {name: value for name, value in found.items() if value is not None}

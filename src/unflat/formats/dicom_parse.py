"""DICOM's elements: those of an allow-list of technical tags, and where the pixels begin. Nothing else is ever read.

Names, dates, places, descriptions, comments and identifiers of a patient are stepped over by their lengths: they never
become text in this program. Of the unique identifiers only those are read that say how files belong together, and they
are forgotten once they are sorted.

Sources: DICOM PS3.5 chapters 7 and 10 and annex A (encodings), PS3.6 (tags).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import TypeAlias

from unflat.errors import InputError

Elements: TypeAlias = "dict[int, bytes | list[Elements]]"
"""The value of each wanted tag: bytes as stored, or the items of a sequence."""

SYNTAX, SERIES = 0x00020010, 0x0020000E
IMPLICIT, DEFLATED, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
PLAIN = (IMPLICIT, "1.2.840.10008.1.2.1", DEFLATED, BIG)
PIXELS = (0x7FE00010, 0x7FE00008, 0x7FE00009)
"""Integer, float and double pixels."""

TAGS = {
    **{"syntax": SYNTAX, "sop_class": 0x00080016, "image_type": 0x00080008, "modality": 0x00080060},
    **{"contrast": 0x00180010, "body_part": 0x00180015, "kernel": 0x00181210},
    **{"thickness": 0x00180050, "between": 0x00180088, "echo_time": 0x00180081, "echo": 0x00180086},
    **{"trigger": 0x00181060, "b_value": 0x00189087, "effective_echo": 0x00189082},
    **{"series": SERIES, "acquisition": 0x00200012, "instance": 0x00200013, "temporal": 0x00200100},
    **{"position": 0x00200032, "orientation": 0x00200037, "location": 0x00201041},
    **{"samples": 0x00280002, "photometric": 0x00280004, "frames": 0x00280008, "rows": 0x00280010},
    **{"columns": 0x00280011, "spacing": 0x00280030, "allocated": 0x00280100, "stored": 0x00280101},
    **{"high": 0x00280102, "signed": 0x00280103, "padding": 0x00280120, "padding_limit": 0x00280121},
    **{"intercept": 0x00281052, "slope": 0x00281053, "rescale_type": 0x00281054, "lut": 0x00283000},
    **{"lut_shape": 0x00283002, "lut_data": 0x00283006, "planar": 0x00280006, "offsets": 0x3004000C},
    **{"shared": 0x52009229, "per_frame": 0x52009230, "plane_position": 0x00209113, "content": 0x00209111},
    **{"plane_orientation": 0x00209116, "measures": 0x00289110, "transformation": 0x00289145},
    **{"mr_echo": 0x00189114, "diffusion": 0x00189117, "stack": 0x00209056, "temporal_index": 0x00209128},
    **{"real_slope": 0x00409225, "real_intercept": 0x00409224, "real_map": 0x00409096},
    **{"segments": 0x00620002, "segment_number": 0x00620004, "segment_label": 0x00620005},
    **{
        "segment_color": 0x0062000D,
        "segmentation_type": 0x00620001,
        "most": 0x0062000E,
        "segment_of_frame": 0x0062000A,
    },
    **{"referenced_segment": 0x0062000B, "extended_offsets": 0x7FE00001, "extended_lengths": 0x7FE00002},
    **{"detector": 0x00540022},
}
"""The allow-list: all that is ever read of a DICOM file, pixels aside."""
_WANTED = frozenset(TAGS.values())
_SEQUENCES = frozenset(
    TAGS[name]
    for name in (
        *("lut", "shared", "per_frame", "plane_position", "content", "plane_orientation", "measures", "transformation"),
        *("mr_echo", "diffusion", "real_map", "segments", "segment_of_frame", "detector"),
    )
)

_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_ITEM, _ITEM_END, _SEQUENCE_END, _UNKNOWN = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0xFFFFFFFF
_DEEPEST = 12
_BIGGEST_VALUE = 1 << 24
_DEFLATED_HEAD = 1 << 26


class Unfinished(Exception):
    """The bytes given end within the header: with more of them it may go on."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a DICOM file says before its pixels.

    Attributes:
        syntax: UID of its transfer syntax.
        big: Whether numbers are big endian.
        elements: The wanted ones.
        pixels: (tag, where the value begins, its length or None where that is not told: packed frames), or None.
        inflated: The whole file with its dataset inflated, where the syntax is deflated.
    """

    syntax: str
    big: bool
    elements: Elements
    pixels: tuple[int, int, int | None] | None
    inflated: bytes | None = None


@dataclass(slots=True)
class _Reader:
    data: bytes
    at: int
    explicit: bool
    big: bool
    pixels: tuple[int, int, int | None] | None = None
    order: str = field(init=False)

    def __post_init__(self) -> None:
        self.order = ">" if self.big else "<"

    def need(self, count: int) -> None:
        if self.at + count > len(self.data):
            raise Unfinished

    def header(self) -> tuple[int, bytes, int]:
        """Tag, VR and length of the next element; moves behind them."""
        self.need(8)
        group, number = struct.unpack_from(self.order + "HH", self.data, self.at)
        tag = group << 16 | number
        vr = self.data[self.at + 4 : self.at + 6]
        if tag >> 16 == 0xFFFE or not self.explicit or (vr not in _LONG and vr not in _SHORT):
            length: int = struct.unpack_from(self.order + "I", self.data, self.at + 4)[0]
            self.at += 8
            return tag, b"", length
        if vr in _LONG:
            self.need(12)
            length = struct.unpack_from(self.order + "I", self.data, self.at + 8)[0]
            self.at += 12
        else:
            length = struct.unpack_from(self.order + "H", self.data, self.at + 6)[0]
            self.at += 8
        return tag, vr, length

    def dataset(self, end: int | None, depth: int) -> Elements:
        """Elements up to ``end``, or up to the end of an item, or up to the pixels."""
        found: Elements = {}
        while end is None or self.at < end:
            if depth == 0 and self.at >= len(self.data):
                break
            tag, vr, length = self.header()
            if tag in (_ITEM_END, _SEQUENCE_END):
                break
            if depth == 0 and tag in PIXELS:
                self.pixels = (tag, self.at, None if length == _UNKNOWN else length)
                break
            if tag in _SEQUENCES or length == _UNKNOWN:
                explicit, self.explicit = self.explicit, self.explicit and vr != b"UN"
                items = self.sequence(length, depth + 1)
                self.explicit = explicit
                if tag in _SEQUENCES:
                    found[tag] = items
            elif tag in _WANTED and length <= _BIGGEST_VALUE:
                self.need(length)
                found[tag] = self.data[self.at : self.at + length]
                self.at += length
            else:
                self.at += length
        return found

    def sequence(self, length: int, depth: int) -> list[Elements]:
        """The items of a sequence; of one that nobody wants they are walked through where its length is not told."""
        if depth > _DEEPEST:
            raise InputError("its sequences lie too deep within each other", hint="The file is damaged.")
        end = None if length == _UNKNOWN else self.at + length
        items: list[Elements] = []
        while end is None or self.at < end:
            tag, _, size = self.header()
            if tag == _SEQUENCE_END:
                break
            if tag != _ITEM:
                raise InputError("a sequence in its header is damaged", hint="Copy the file again.")
            items.append(self.dataset(None if size == _UNKNOWN else self.at + size, depth))
            if size != _UNKNOWN and end is not None:
                self.at = min(self.at, end)
        if end is not None:
            self.at = end
        return items


def looks_like_dicom(head: bytes) -> bool:
    """Whether a file's first bytes are those of a DICOM file, with its preamble or without."""
    if head[128:132] == b"DICM":
        return True
    for order in "<>":
        if len(head) >= 16:
            group, number, length = struct.unpack_from(order + "HHI", head)
            explicit = head[4:6] in _SHORT | _LONG
            if group in (2, 8) and number < 0x20 and (explicit or length < 128):
                return True
    return False


def parse(data: bytes) -> Head:
    """The wanted elements of a DICOM file.

    Args:
        data: Its first bytes, or all.

    Raises:
        Unfinished: The header does not end within them.
        InputError: It is damaged.
    """
    start = 132 if data[128:132] == b"DICM" else 0
    reader = _Reader(data, start, True, False)
    meta: Elements = {}
    while len(data) >= reader.at + 8 and data[reader.at : reader.at + 2] == b"\x02\x00":
        tag, _, length = reader.header()
        reader.need(length)
        if tag == SYNTAX:
            meta[tag] = data[reader.at : reader.at + length]
        reader.at += length
    told = meta.get(SYNTAX, b"")
    syntax = told.decode("ascii", "replace").strip("\0 ") if isinstance(told, bytes) else ""
    inflated = None
    if syntax == DEFLATED:
        inflated = data[: reader.at] + _inflated(data[reader.at :])
        reader.data = inflated
    if not syntax:
        syntax = _guessed(data, reader.at)
    reader = _Reader(reader.data, reader.at, syntax != IMPLICIT, syntax == BIG)
    if syntax != IMPLICIT and not _explicit(reader.data, reader.at):
        reader.explicit = False  # some writers say one and do the other
    elements = reader.dataset(None, 0)
    if reader.pixels is None and reader.at > len(reader.data):
        raise Unfinished
    return Head(syntax, syntax == BIG, elements, reader.pixels, inflated)


def _explicit(data: bytes, at: int) -> bool:
    vr = data[at + 4 : at + 6]
    return vr in _SHORT or vr in _LONG


def _guessed(data: bytes, at: int) -> str:
    """The transfer syntax of a file that does not tell."""
    if not _explicit(data, at):
        return IMPLICIT
    return BIG if data[at : at + 2] in (b"\0\x02", b"\0\x08") else PLAIN[1]


def _inflated(data: bytes) -> bytes:
    """A deflated dataset; one that becomes more than 64 MB ends there (no scanner writes such).

    Raises:
        InputError: It does not inflate.
    """
    try:
        return zlib.decompressobj(-15).decompress(data, _DEFLATED_HEAD)
    except zlib.error as error:
        raise InputError("it does not inflate", hint="The file is damaged; copy it again.") from error

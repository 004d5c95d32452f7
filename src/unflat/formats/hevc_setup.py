"""What decoders of H.265 are told before the first picture: parameter sets, and the boxes ``hvcC`` and ``lhvC``.

``hvcC`` holds the sets of the base layer, which any decoder takes; ``lhvC`` those of the second layer of MV-HEVC, which
is the other eye.

Source: ITU-T H.265, 7.3.2 (sets), 7.3.6 (slices), 8.3.1 (order of pictures), F.7.3.2.2 (sets of further layers),
G.14.2.3 (reference displays); ISO/IEC 14496-15, 8.3.3 (hvcC) and 9.4.3 (lhvC).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from unflat.errors import InputError
from unflat.formats.nal_units import Bits, EndOfBits, without_prevention
from unflat.types.image import Size

VPS, SPS, PPS, PREFIX_SEI, SUFFIX_SEI = 32, 33, 34, 39, 40
SETS = (VPS, SPS, PPS)
_REFERENCE_DISPLAYS = 176
_IRAP = range(16, 24)
_IDR = (19, 20)
_BLA = range(16, 19)
_REFERENCES = (1, 3, 5)
"""Kinds of pictures that others refer to, but for those that lead to an entry."""
_LENGTH_BYTES = 4
_NAMELESS = 12
"""Bytes of profile, tier and level."""


def kind_of(unit: bytes) -> int:
    """What a unit holds."""
    return unit[0] >> 1 & 63


def layer_of(unit: bytes) -> int:
    """Which layer it belongs to; 0 is the base."""
    return (unit[0] & 1) << 5 | unit[1] >> 3


def is_picture(unit: bytes) -> bool:
    """Whether it holds a part of a picture."""
    return kind_of(unit) < VPS


def is_entry(unit: bytes) -> bool:
    """Whether decoding can begin at this picture."""
    return kind_of(unit) in _IRAP


def begins_picture(unit: bytes) -> bool:
    """Whether a part of a picture is its first."""
    return len(unit) > 2 and bool(unit[2] & 0x80)


@dataclass(frozen=True, slots=True)
class BaseSet:
    """What the sequence parameter set of the base layer says.

    Attributes:
        profile: Profile, tier and level, 12 bytes as they stand.
        layers: How many temporal layers.
        nested: Whether they are nested.
        chroma: 1 for 4:2:0.
        depth: Bits of luma and of chroma.
        size: Of the pictures as shown.
        order_bits: Of the order numbers in slices.
    """

    profile: bytes
    layers: int
    nested: bool
    chroma: int
    depth: tuple[int, int]
    size: Size
    order_bits: int


def read_base(unit: bytes) -> BaseSet:
    """Read a sequence parameter set of the base layer.

    Raises:
        InputError: It is damaged.
    """
    content = without_prevention(unit)
    try:
        bits = Bits(content[2:])
        bits.u(4)
        layers = bits.u(3) + 1
        nested = bool(bits.u(1))
        profile = b"".join(bits.u(8).to_bytes(1, "big") for _ in range(_NAMELESS))
        _pass_sub_layers(bits, layers - 1)
        bits.ue()
        chroma = bits.ue()
        if chroma == 3:
            bits.u(1)
        width, height = bits.ue(), bits.ue()
        left, right, top, bottom = (bits.ue() for _ in range(4)) if bits.u(1) else (0, 0, 0, 0)
        depth = (8 + bits.ue(), 8 + bits.ue())
        order_bits = bits.ue() + 4
    except EndOfBits as error:
        raise _damaged() from error
    across, down = {1: (2, 2), 2: (2, 1)}.get(chroma, (1, 1))
    width, height = width - across * (left + right), height - down * (top + bottom)
    if not (0 < width < 1 << 16 and 0 < height < 1 << 16 and order_bits <= 16 and max(depth) <= 16 and chroma < 4):
        raise _damaged()
    return BaseSet(profile, layers, nested, chroma, depth, Size(width, height), order_bits)


def _pass_sub_layers(bits: Bits, count: int) -> None:
    """Profiles and levels of the temporal layers."""
    told = [(bits.u(1), bits.u(1)) for _ in range(count)]
    if count:
        bits.u(2 * (8 - count))
    for profile, level in told:
        bits.u(88 * profile + 8 * level)


@dataclass(slots=True)
class Order:
    """Counts the pictures of the base layer in the order in which they are shown.

    Attributes:
        base: What the sequence parameter set says.
        extra: Bits in slices that mean nothing.
        output: Whether slices say if they are shown.
    """

    base: BaseSet
    extra: int
    output: bool
    _sequence: int = -1
    _before: int = 0

    @staticmethod
    def of(sps: bytes, pps: bytes) -> Order:
        """From the sets of the base layer.

        Raises:
            InputError: They are damaged.
        """
        try:
            bits = Bits(without_prevention(pps)[2:])
            bits.ue()
            bits.ue()
            bits.u(1)
            output = bool(bits.u(1))
            return Order(read_base(sps), bits.u(3), output)
        except EndOfBits as error:
            raise _damaged() from error

    def number(self, unit: bytes) -> tuple[int, int]:
        """Of a picture, by its first slice: sequence and place in it; pictures are shown in the order of these.

        Raises:
            InputError: The slice is damaged.
        """
        kind = kind_of(unit)
        try:
            low = self._low(Bits(without_prevention(unit[:64])[2:]), kind)
        except EndOfBits as error:
            raise _damaged() from error
        if kind in _IDR or kind in _BLA or self._sequence < 0:
            self._sequence += 1
            place = low
        else:
            whole = 1 << self.base.order_bits
            high = self._before - self._before % whole
            near = self._before % whole
            high += whole if near - low >= whole // 2 else -whole if low - near > whole // 2 else 0
            place = high + low
        if (kind in _IRAP or kind in _REFERENCES) and unit[1] & 7 == 1:
            self._before = place
        return self._sequence, place

    def _low(self, bits: Bits, kind: int) -> int:
        """The lower bits of the order number."""
        bits.u(1)
        if kind in _IRAP:
            bits.u(1)
        bits.ue()
        bits.u(self.extra)
        bits.ue()
        if self.output:
            bits.u(1)
        return 0 if kind in _IDR else bits.u(self.base.order_bits)


def base_box(base: BaseSet, units: list[bytes]) -> bytes:
    """The content of ``hvcC``.

    Args:
        base: What the base layer's sequence parameter set says.
        units: Parameter sets of the base layer, and messages (the reference displays tell which view is which eye).
    """
    head = b"\1" + base.profile[:12] + b"\xf0\0\xfc"
    head += bytes([0xFC | base.chroma, 0xF8 | base.depth[0] - 8, 0xF8 | base.depth[1] - 8]) + b"\0\0"
    head += bytes([base.layers << 3 | base.nested << 2 | _LENGTH_BYTES - 1])
    return head + _arrays(units, (*SETS, PREFIX_SEI))


def layered_box(base: BaseSet, units: list[bytes]) -> bytes:
    """The content of ``lhvC``, from the parameter sets of the second layer."""
    head = b"\1\xf0\0\xfc" + bytes([0xC0 | base.layers << 3 | base.nested << 2 | _LENGTH_BYTES - 1])
    return head + _arrays(units, SETS)


def tells_eyes(unit: bytes) -> bool:
    """Whether a message tells of reference displays, and so which view is which eye."""
    return kind_of(unit) == PREFIX_SEI and len(unit) > 2 and unit[2] == _REFERENCE_DISPLAYS


def _arrays(units: list[bytes], kinds: tuple[int, ...]) -> bytes:
    """Units, those of each kind together; all sets stand here and none among the pictures."""
    groups = [(kind, [unit for unit in units if kind_of(unit) == kind]) for kind in kinds]
    rows = [(kind, group) for kind, group in groups if group]
    content = bytes([len(rows)])
    for kind, group in rows:
        content += struct.pack(">BH", (0x80 if kind in SETS else 0) | kind, len(group))
        content += b"".join(struct.pack(">H", len(unit)) + unit for unit in group)
    return content


def _damaged() -> InputError:
    return InputError("the H.265 stream is damaged: its parameter sets make no sense", hint="Encode it again.")

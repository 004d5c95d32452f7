"""The markers of a JPEG stream: its metadata segments, and the stream without them.

Nothing is decoded here. Source: ITU-T T.81 annex B (markers), JFIF 1.02 (APP0), Adobe TN #5116 (APP14),
XMP specification part 3 (extended XMP).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SOI, _EOI, _SOS, _COM, _APP0, _APP1, _APP14, _APP15 = 0xD8, 0xD9, 0xDA, 0xFE, 0xE0, 0xE1, 0xEE, 0xEF
_FRAMES = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive"}
_OTHER_FRAMES = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_BETWEEN_SCANS = {0xC4, 0xCC, _SOS, 0xDB, 0xDC, 0xDD, *range(_APP0, _APP15 + 1), _COM}
"""DHT, DAC, SOS, DQT, DNL, DRI, APPn and COM: the markers that T.81 lets stand after the first scan's data."""
_NEXT_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
XMP = b"http://ns.adobe.com/xap/1.0/\0"
"""What the APP1 segment of the XMP packet begins with."""
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
"""What the APP1 segments begin with that hold the rest of an XMP packet."""
_GUID = 32
_LARGEST_XMP = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker segment: its code, where it starts (at the 0xFF) and where it ends, entropy data included."""

    code: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class JpegStream:
    """The markers of the first picture of a JPEG file.

    Attributes:
        data: The whole file.
        segments: From after SOI to before EOI, in order.
        end: The first byte after EOI; None where the stream breaks off before it.
        process: "baseline", "extended", "progressive" or "other".
    """

    data: bytes
    segments: tuple[Segment, ...]
    end: int | None
    process: str

    @staticmethod
    def parse(data: bytes) -> JpegStream | None:
        """Walk over the markers; None where ``data`` does not begin as a JPEG."""
        if data[:2] != b"\xff\xd8":
            return None
        found: list[Segment] = []
        process, position = "other", 2
        while match := _NEXT_MARKER.match(data, position):
            start, code = match.end() - 2, data[match.end() - 1]
            if code == _EOI:
                return JpegStream(data, tuple(found), start + 2, process)
            length = int.from_bytes(data[start + 2 : start + 4], "big")
            end = start + 2 + length
            if length < 2 or end > len(data):
                break
            if code in _FRAMES or code in _OTHER_FRAMES:
                process = _FRAMES.get(code, "other")
            if code == _SOS:
                after = _NEXT_MARKER.search(data, end)
                if after is None:
                    break
                end = after.start()
            found.append(Segment(code, start, end))
            position = end
        return JpegStream(data, tuple(found), None, process)

    @property
    def damaged(self) -> bool:
        """True if the markers tell that data was lost or overwritten: no end, or something strange between scans.

        Damage that makes no marker is not seen here; a decoder shows it as a smear.
        """
        codes = [segment.code for segment in self.segments]
        later = codes[codes.index(_SOS) :] if _SOS in codes else []
        return self.end is None or any(code not in _BETWEEN_SCANS for code in later)

    def _payload(self, segment: Segment) -> bytes:
        return self.data[segment.start + 4 : segment.end]

    def stripped(self) -> bytes | None:
        """The same picture without metadata: no EXIF, XMP, ICC, IPTC, comment, thumbnail or trailing data.

        APP0 (JFIF) stays without its thumbnail, APP14 (Adobe) stays because it decides the colour transform.
        None where the stream is broken off or not baseline or progressive Huffman.
        """
        if self.end is None or self.process not in ("baseline", "progressive"):
            return None
        parts = [b"\xff\xd8"]
        for segment in self.segments:
            payload = self._payload(segment)
            if segment.code == _APP0:
                if payload[:5] == b"JFIF\0" and len(payload) >= 12:
                    parts.append(b"\xff\xe0\x00\x10" + payload[:12] + b"\0\0")
            elif segment.code == _APP14:
                if payload[:5] == b"Adobe" and len(payload) >= 12:
                    parts.append(b"\xff\xee\x00\x0e" + payload[:12])
            elif not (_APP0 <= segment.code <= _APP15 or segment.code == _COM):
                parts.append(self.data[segment.start : segment.end])
        parts.append(b"\xff\xd9")
        return b"".join(parts)

    def xmp(self) -> tuple[bytes | None, bytes | None]:
        """The main XMP packet and the reassembled extended one; None for what is missing or incomplete."""
        main: bytes | None = None
        chunks: dict[bytes, list[tuple[int, int, bytes]]] = {}
        for segment in self.segments:
            if segment.code != _APP1:
                continue
            payload = self._payload(segment)
            if main is None and payload.startswith(XMP):
                main = payload[len(XMP) :]
            elif payload.startswith(EXTENDED_XMP):
                head = len(EXTENDED_XMP)
                guid = payload[head : head + _GUID]
                body = payload[head + _GUID :]
                if len(body) > 8:
                    total, offset = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
                    chunks.setdefault(guid, []).append((total, offset, body[8:]))
        for guid, pieces in chunks.items():
            if main is not None and guid in main:
                return main, _assembled(pieces)
        return main, None


def _assembled(pieces: list[tuple[int, int, bytes]]) -> bytes | None:
    """Put the pieces of one extended packet together; None unless they cover it exactly."""
    total = pieces[0][0]
    if total > _LARGEST_XMP:
        return None
    parts: list[bytes] = []
    position = 0
    for size, offset, body in sorted(pieces, key=lambda piece: piece[1]):
        if size != total or offset != position:
            return None
        parts.append(body)
        position += len(body)
    return b"".join(parts) if position == total else None


def with_exif(stream: bytes, exif: bytes, packet: bytes = b"") -> bytes:
    r"""A stripped stream with an EXIF segment, and one of XMP, put behind its JFIF header.

    Args:
        stream: As :meth:`JpegStream.stripped` gives it.
        exif: Beginning with ``Exif\0\0``, at most 65533 bytes; empty for none.
        packet: Of XMP, at most 65504 bytes; empty for none.
    """
    at = 2 + (18 if stream[2:4] == b"\xff\xe0" else 0)
    contents = [exif, XMP + packet if packet else b""]
    told = b"".join(b"\xff\xe1" + (len(one) + 2).to_bytes(2, "big") + one for one in contents if one)
    return stream[:at] + told + stream[at:]

"""A reader of MP4 boxes written from ISO/IEC 14496-12 alone, and a maker of small films: the judges of our editor."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

HOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"vexu", b"eyes", b"cams", b"cmfy", b"pack", b"sv3d", b"proj"}
TABLE = "moov/trak/mdia/minf/stbl"


@dataclass
class Part:
    path: str
    content: bytes
    start: int


def parts(data: bytes, start: int = 0, stop: int | None = None, path: str = "") -> Iterator[Part]:
    """Every box with its path, those that hold others as well; sample descriptions of pictures are opened."""
    stop = len(data) if stop is None else stop
    while start < stop:
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        end = stop if size == 0 else start + size
        assert start + head <= end <= stop, (path, kind, size)
        here = f"{path}/{kind.decode('latin-1')}".lstrip("/")
        yield Part(here, data[start + head : end], start)
        if kind in HOLDERS:
            yield from parts(data, start + head, end, here)
        elif kind == b"stsd":
            yield from parts(data, start + head + 8, end, here)
        elif path.endswith("stsd") and kind in (b"avc1", b"hvc1", b"hev1", b"av01", b"vp09", b"mp4v", b"test"):
            yield from parts(data, start + head + 78, end, here)  # 8 bytes of any entry, 70 of a visual one
        start = end


def found(data: bytes, path: str) -> list[bytes]:
    """The contents of all boxes at a path."""
    return [part.content for part in parts(data) if part.path == path]


def chunks(data: bytes) -> list[list[bytes]]:
    """The bytes of every sample of every track, found through its tables one number at a time."""
    tracks: list[list[bytes]] = []
    for track in found(data, "moov/trak"):
        tables = {part.path.rsplit("/", 1)[-1]: part.content for part in parts(track) if part.path.startswith("mdia")}
        _, same, count = struct.unpack_from(">III", tables["stsz"])
        sizes = [same] * count if same else list(struct.unpack_from(f">{count}I", tables["stsz"], 12))
        kind, width = ("co64", "Q") if "co64" in tables else ("stco", "I")
        (places,) = struct.unpack_from(">I", tables[kind], 4)
        offsets = struct.unpack_from(f">{places}{width}", tables[kind], 8)
        (rows,) = struct.unpack_from(">I", tables["stsc"], 4)
        runs = [struct.unpack_from(">III", tables["stsc"], 8 + 12 * i) for i in range(rows)]
        samples: list[bytes] = []
        for number, at in enumerate(offsets, 1):
            place = at
            each = next(run[1] for run in reversed(runs) if run[0] <= number)
            for _ in range(each):
                size = sizes[len(samples)]
                samples.append(data[place : place + size])
                place += size
        assert len(samples) == len(sizes)
        tracks.append(samples)
    return tracks


def box(kind: bytes, content: bytes = b"", *, large: bool = False, open_end: bool = False) -> bytes:
    if open_end:
        return struct.pack(">I4s", 0, kind) + content
    if large:
        return struct.pack(">I4sQ", 1, kind, len(content) + 16) + content
    return struct.pack(">I4s", len(content) + 8, kind) + content


def entry(kind: bytes = b"test", width: int = 64, height: int = 32, extra: bytes = b"") -> bytes:
    """A visual sample entry."""
    content = bytes(6) + struct.pack(">H", 1) + bytes(16) + struct.pack(">HH", width, height)
    content += struct.pack(">IIIH", 0x480000, 0x480000, 0, 1) + bytes(32) + struct.pack(">Hh", 24, -1)
    assert len(content) == 78
    return box(kind, content + extra)


def track(
    samples: list[bytes], offsets: list[int], each: int, *, wide: bool, pictures: bool, extra: bytes = b""
) -> bytes:
    """A track whose chunks hold ``each`` samples and begin at ``offsets``."""
    handler = b"vide" if pictures else b"soun"
    described = entry(extra=extra) if pictures else box(b"mp4a", bytes(28))
    rest = len(samples) % each
    runs = [(1, each, 1), (len(offsets), rest, 1)] if rest and len(offsets) > 1 else [(1, rest or each, 1)]
    table = box(b"stsd", struct.pack(">II", 0, 1) + described)
    table += box(b"stts", struct.pack(">IIII", 0, 1, len(samples), 10))
    table += box(b"stsc", struct.pack(">II", 0, len(runs)) + b"".join(struct.pack(">III", *run) for run in runs))
    table += box(b"stsz", struct.pack(f">III{len(samples)}I", 0, 0, len(samples), *map(len, samples)))
    kind, width = (b"co64", "Q") if wide else (b"stco", "I")
    table += box(kind, struct.pack(f">II{len(offsets)}{width}", 0, len(offsets), *offsets))
    sources = box(b"dinf", box(b"dref", struct.pack(">II", 0, 1) + box(b"url ", struct.pack(">I", 1))))
    media = box(b"mdhd", struct.pack(">IIIIII", 0, 0, 0, 1000, 10 * len(samples), 0))
    media += box(b"hdlr", bytes(8) + handler + bytes(13)) + box(b"minf", sources + box(b"stbl", table))
    head = bytes(20) + struct.pack(">I", 10 * len(samples)) + bytes(52) + struct.pack(">II", 64 << 16, 32 << 16)
    return box(b"trak", box(b"tkhd", head) + box(b"mdia", media))


HEAD = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 100) + bytes(80))
KIND = box(b"ftyp", b"isom" + bytes(4) + b"isommp42")

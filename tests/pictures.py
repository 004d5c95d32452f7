"""Small test pictures made in code, in every shape a file can have; nothing is downloaded."""

from __future__ import annotations

import base64
import io
import math
import struct

import numpy as np
from PIL import Image as Pil
from PIL import ImageCms

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 230, 40)

# Two HEVC key frames of 64×64 with their decoder records: four coloured quarters (64×48 of it shown), and a grey ramp
# of 8 bits from 20 to 235 (32×24 of it shown). Encoded once from arrays made in code.
_COLOUR_RECORD = (
    "0001XXm(>m0RwOV0058x000009`FGC{rLC*01pFT0096PKmiN^|NjGU00093kN^M!000939=ZZRVE_RDDnbDP18@KU0|1Z!00RI30{|YN"
    "Ab|yz>g1-mxCm%4AOHXZ10VnZ0{|gn00967L;=Bbz=;"
)
_COLOUR_FRAME = (
    "0002zC;_hy;OH{|NqYRO@BiP=<UUSV<_3VGR^}hjzoqv0AO4vAgYYx#!08JzD0XV!g0JinC6RCAE`RT6U;X2C&wavqvGz5e^2Yz%JAPfc"
    "82hCs@K@AsxV8w2Tk2SSFZYX+tj&_x*zJ|q><<oijpt>Y9rFAEha5`ph61P^e4=cPi5b$If)KFrtWQzzW}AX_2BJRz+?oskDb~)_b_gAj"
    "7q!7JNR*LqC4GwRp$M1VG6sT|#EW~mauGuva9Q#TBl(R#P6g`wEN1}$K{xCXr(iFC(Il6f`d`t|f(u;xFMq}"
)
_GREY_RECORD = (
    "0001SXm(>m0R#vD005u(000009`FGC{P_3)01pFT0096OKmiN^|NjIC00093pZEX(0{{RXx&lC90096dLID8;2mk;B0H62(00RI39>9VG"
    "7F(*iYnuW900RIr000930uW*V0RRR>0l{;@i2"
)
_GREY_FRAME = (
    "00024C;_ewWHmBbyXx2RUphNfHEw_JajW~9{Lo*5flHkcS!xN8U4nV!?OO5ZeeZIVl7OeIA<;hY@d;nI?)Y`-m;1^$cQ@}-(qo^-un?7>"
    "_v}!wzuwT|xjFTmw;emLYcpL?lcmLbWLs$?k~!6dng8pH6$UVV*sn<ft2`;(bQLe^tgiEA&2iJZ_Oma{!iU23)l#~%#DJNHLT`eaX<6nT"
    "sp;rWAdQEC5r6"
)


def quarters(width: int = 64, height: int = 48) -> np.ndarray:
    """(height, width, 3) uint8: red and green above, blue and yellow below; no two turns of it look alike."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2], picture[: height // 2, width // 2 :] = RED, GREEN
    picture[height // 2 :, : width // 2], picture[height // 2 :, width // 2 :] = BLUE, YELLOW
    return picture


def smooth(width: int = 160, height: int = 120, seed: int = 3) -> np.ndarray:
    """(height, width, 3) uint8: soft shades with a little noise, as a photograph has."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    noise = np.random.default_rng(seed).normal(0, 3, (height, width, 3))
    shades = np.stack([255 * x, 255 * y, 128 + 100 * np.sin(9 * x * y)], axis=-1)
    return np.clip(shades + noise, 0, 255).astype(np.uint8)


def as_stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels a camera stores when it writes ``orientation``: the inverse of turning, by plain indexing."""
    return {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a.swapaxes(0, 1)[::-1],
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: a.swapaxes(0, 1)[:, ::-1],
    }[orientation](upright)


def encoded(pixels: np.ndarray, form: str, **options: object) -> bytes:
    """Bytes of a file by Pillow."""
    buffer = io.BytesIO()
    Pil.fromarray(np.ascontiguousarray(pixels)).save(buffer, form, **options)
    return buffer.getvalue()


def exif(tags: dict[int, object], inner: dict[int, object] | None = None, gps: bool = False) -> bytes:
    """An EXIF block by Pillow."""
    block = Pil.Exif()
    for tag, value in tags.items():
        block[tag] = value
    for tag, value in (inner or {}).items():
        block.get_ifd(0x8769)[tag] = value
    if gps:
        block.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 13.0), 3: "E", 4: (11.0, 34.0, 31.0)})
    return block.tobytes()


# --- JPEG with depth ----------------------------------------------------------------------------------------------


def segment(code: int, payload: bytes) -> bytes:
    """One JPEG marker segment."""
    return bytes((0xFF, code)) + (len(payload) + 2).to_bytes(2, "big") + payload


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """Put segments behind SOI."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def xmp_packet(attributes: str = "", children: str = "", namespaces: str = "") -> bytes:
    """An XMP packet with one rdf:Description."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {namespaces} {attributes}>{children}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def xmp_segment(packet: bytes) -> bytes:
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)


def extended_segments(packet: bytes, guid: bytes, piece: int = 1000) -> list[bytes]:
    """An extended XMP packet cut into pieces."""
    head = b"http://ns.adobe.com/xmp/extension/\0" + guid + len(packet).to_bytes(4, "big")
    return [
        segment(0xE1, head + at.to_bytes(4, "big") + packet[at : at + piece]) for at in range(0, len(packet), piece)
    ]


def gdepth_jpeg(jpeg: bytes, samples: np.ndarray, attributes: str, confidence: np.ndarray | None = None) -> bytes:
    """A picture with Google's GDepth: the facts in the main packet, the map in the extended one."""
    space = 'xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/"'
    guid = b"0123456789ABCDEF0123456789ABCDEF"
    note = f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{guid.decode()}"'
    data = f'GDepth:Data="{base64.b64encode(encoded(samples, "PNG")).decode()}"'
    if confidence is not None:
        data += f' GDepth:Confidence="{base64.b64encode(encoded(confidence, "PNG")).decode()}"'
    main = xmp_packet(attributes + " " + note, namespaces=space)
    return with_segments(
        jpeg, xmp_segment(main), *reversed(extended_segments(xmp_packet(data, namespaces=space), guid))
    )


def dynamic_depth_jpeg(jpeg: bytes, samples: np.ndarray, attributes: str, padding: int = 0) -> bytes:
    """A picture with Dynamic Depth: a directory in the XMP, the map behind the picture's end."""
    depth = encoded(samples, "PNG")
    base = "http://ns.google.com/photos/dd/1.0/"
    spaces = " ".join(f'xmlns:{p}="{base}{p.lower()}/"' for p in ("Container", "Item", "DepthMap"))
    item = '<rdf:li rdf:parseType="Resource"><Container:Item {}/></rdf:li>'
    listed = item.format(
        f'Item:Mime="image/jpeg" Item:Semantic="Primary" Item:Length="0" Item:Padding="{padding}"'
    ) + item.format(
        f'Item:Mime="image/png" Item:Semantic="Depth" Item:DataURI="android/depth" Item:Length="{len(depth)}"'
    )
    children = f"<Container:Directory><rdf:Seq>{listed}</rdf:Seq></Container:Directory>"
    packet = xmp_packet(attributes + ' DepthMap:DepthURI="android/depth"', children, spaces)
    return with_segments(jpeg, xmp_segment(packet)) + b"\0" * padding + depth


# --- HEIC by hand -------------------------------------------------------------------------------------------------


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def _full(kind: bytes, payload: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags) + payload)


def _clap(width: int, height: int, off_x: tuple[int, int], off_y: tuple[int, int]) -> bytes:
    return _box(b"clap", struct.pack(">IIIIiIiI", width, 1, height, 1, *off_x, *off_y))


class _Bits:
    def __init__(self) -> None:
        self.bits = ""

    def put(self, value: int, count: int) -> None:
        self.bits += format(value, f"0{count}b")

    def golomb(self, value: int) -> None:
        digits = format(value + 1, "b")
        self.bits += "0" * (len(digits) - 1) + digits

    def number(self, value: float) -> None:
        """Sign, exponent and mantissa of H.265 table G.7, with 20 bits of mantissa."""
        mantissa, power = math.frexp(abs(value))
        self.put(value < 0, 1)
        self.put(power - 1 + 31, 7)
        self.put(19, 5)
        self.put(round((mantissa * 2 - 1) * 2**20), 20)

    def bytes(self) -> bytes:
        padded = self.bits + "1"
        padded += "0" * (-len(padded) % 8)
        return int(padded, 2).to_bytes(len(padded) // 8, "big")


def depth_sei(kind: int, **known: float) -> bytes:
    """A depth representation information SEI in its NAL unit; ``known`` of z_near, z_far, d_min, d_max."""
    bits = _Bits()
    names = ("z_near", "z_far", "d_min", "d_max")
    for name in names:
        bits.put(name in known, 1)
    bits.golomb(kind)
    if "d_min" in known or "d_max" in known:
        bits.golomb(0)
    for name in names:
        if name in known:
            bits.number(known[name])
    payload = bits.bytes()
    nal = bytes((39 << 1, 1, 177, len(payload))) + payload + b"\x80"
    framed = struct.pack(">I", len(nal)) + nal
    return struct.pack(">I", len(framed)) + framed


def heic(
    *, quarter_turns: int = 0, mirror: int | None = None, exif_block: bytes = b"", depth: bytes | None = None
) -> bytes:
    """A HEIC file of :func:`quarters` (64×48), optionally turned, with EXIF, and with the grey ramp as its depth.

    Args:
        quarter_turns: Anticlockwise, as ``irot`` has them; the depth is turned alike.
        mirror: ``imir`` axis, or None.
        exif_block: Beginning with ``Exif`` and two zeros.
        depth: From :func:`depth_sei`, or None for no depth.
    """
    shared = []
    if quarter_turns:
        shared.append(_box(b"irot", bytes((quarter_turns,))))
    if mirror is not None:
        shared.append(_box(b"imir", bytes((mirror,))))
    properties = [
        base64.b85decode(_COLOUR_RECORD),
        _full(b"ispe", struct.pack(">II", 64, 64)),
        _clap(64, 48, (0, 2), (-16, 2)),
        *shared,
    ]
    extras = list(range(4, 4 + len(shared)))
    links = {1: [1, 2, 3, *extras]}
    frames = {1: base64.b85decode(_COLOUR_FRAME)}
    kinds = {1: b"hvc1"}
    references = b""
    if depth is not None:
        first = len(properties) + 1
        properties += [
            base64.b85decode(_GREY_RECORD),
            _full(b"ispe", struct.pack(">II", 64, 64)),
            _clap(32, 24, (-32, 2), (-40, 2)),
            _full(b"auxC", b"urn:mpeg:hevc:2015:auxid:2\0" + depth),
        ]
        links[2] = [first, first + 1, first + 2, *extras, first + 3]
        frames[2], kinds[2] = base64.b85decode(_GREY_FRAME), b"hvc1"
        references += _box(b"auxl", struct.pack(">HHH", 2, 1, 1))
    if exif_block:
        frames[3], kinds[3] = struct.pack(">I", 6) + exif_block, b"Exif"
        references += _box(b"cdsc", struct.pack(">HHH", 3, 1, 1))
    return _heic_file(properties, links, frames, kinds, references)


def _heic_file(
    properties: list[bytes],
    links: dict[int, list[int]],
    frames: dict[int, bytes],
    kinds: dict[int, bytes],
    references: bytes,
) -> bytes:
    infos = b"".join(
        _full(b"infe", struct.pack(">HH4s", item, 0, kind) + b"\0", 2, 1 if item == 2 else 0)
        for item, kind in kinds.items()
    )
    ipma = struct.pack(">I", len(links)) + b"".join(
        struct.pack(">HB", item, len(own)) + bytes(own) for item, own in links.items()
    )
    ftyp = _box(b"ftyp", b"heic\0\0\0\0mif1heic")

    def meta(start: int) -> bytes:
        places, at = b"", start
        for item, frame in frames.items():
            places += struct.pack(">HHHII", item, 0, 1, at, len(frame))
            at += len(frame)
        return _full(
            b"meta",
            _full(b"hdlr", b"\0\0\0\0pict" + b"\0" * 13)
            + _full(b"pitm", struct.pack(">H", 1))
            + _full(b"iloc", struct.pack(">BBH", 0x44, 0, len(frames)) + places)
            + _full(b"iinf", struct.pack(">H", len(kinds)) + infos)
            + _box(b"iprp", _box(b"ipco", b"".join(properties)) + _full(b"ipma", ipma))
            + (_full(b"iref", references) if references else b""),
        )

    start = len(ftyp) + len(meta(0)) + 8
    return ftyp + meta(start) + _box(b"mdat", b"".join(frames.values()))


def swapped_profile() -> bytes:
    """sRGB with red and blue exchanged: a profile whose effect nobody can overlook."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for at in range(132, 132 + 12 * int.from_bytes(data[128:132], "big"), 12):
        name = bytes(data[at : at + 4])
        if name in (b"rXYZ", b"bXYZ"):
            data[at : at + 4] = b"bXYZ" if name == b"rXYZ" else b"rXYZ"
    return bytes(data)

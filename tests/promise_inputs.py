"""One source of every kind that is read: with a face in it, words about whose it is, and what must not get out.

Two sources of a kind differ in nothing but the face, and these two faces have the same nine means: the pieces of one
are exchanged within each ninth of it. So whatever is made of the two after their faces were taken out is the same to
the last byte, or something of the faces got through.
"""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import PngImagePlugin
from tests.phantoms import Phantom, write_dicom, write_nifti
from tests.scan_places import thing

import pictures
from bodies import trunk
from film_files import FilmRecipe, make_film
from unflat.types.image import Size
from unflat.types.people import People, Sighting

Family = Literal["picture", "cut-out", "film", "views", "slices"]
Pixels = NDArray[np.uint8]
SIZE = Size(256, 192)
CREATOR, NOTICE, TERMS = "Ann Open", "(c) 2026 Ann Open", "ask first"
LICENCE = "https://creativecommons.org/licenses/by-nc/4.0/"
SECRETS = ("SERIAL-4711", "Olga Owner", "Host Of Olga", "Jane Shown", "13.3777", "Doe^Jane", "PID-0815")
BOX = (56.0, 73.25, 80.0, 57.5)
"""The face, as a finder gives it. With hair and chin it is 80 pixels wide and high, and what is taken out is 96."""
_FROM, _TO, _CELLS, _BLOCK = 56, 136, (48, 80, 112, 144), 8
"""First and last pixel of what changes, both ways; the borders of the nine cells; what is moved as a whole."""
_SHADES = np.array([(r, g, b) for r in range(0, 256, 51) for g in range(0, 256, 51) for b in range(0, 256, 51)], "u1")
PACKET = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:cc="http://creativecommons.org/ns#" cc:license="{LICENCE}"
 exif:GPSLatitude="52,31.1N" exif:GPSLongitude="13.3777E" aux:SerialNumber="SERIAL-4711" aux:OwnerName="Olga Owner">
<dc:creator><rdf:Seq><rdf:li>{CREATOR}</rdf:li></rdf:Seq></dc:creator>
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">{NOTICE}</rdf:li></rdf:Alt></dc:rights>
<xmpRights:UsageTerms><rdf:Alt><rdf:li xml:lang="x-default">{TERMS}</rdf:li></rdf:Alt></xmpRights:UsageTerms>
<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Jane Shown</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


@dataclass(frozen=True)
class Kind:
    """A kind of source.

    Attributes:
        name: As people call it.
        family: Which recipes take it.
        names: The kinds of :data:`unflat.formats.sniff.SUFFIXES`, or the suffixes, that it stands for.
        make: (folder, which of the two faces) -> the file or folder.
        swapped: It mixes neighbouring pixels, so that two faces would not keep the same means: they are exchanged
            behind the decoder.
        depth: It brings depth of its own.
        creator: Whose it says it is; a file is believed before what lies beside it.
    """

    name: str
    family: Family
    names: tuple[str, ...]
    make: Callable[[Path, int], Path]
    swapped: bool = False
    depth: bool = False
    creator: str = CREATOR


def people_at(pixels: Any) -> People:
    """Stands in for the finder, whose own tests look for real faces: there is one, always at the same place."""
    height, width = pixels.shape[:2]
    x, y = width / SIZE.width, height / SIZE.height
    return People(Size(width, height), (Sighting("face", BOX[0] * x, BOX[1] * y, BOX[2] * x, BOX[3] * y),))


def with_face(pixels: Pixels, which: int) -> Pixels:
    """Pixels (192, 256, 3) with one of the two faces in them."""
    out, face = pixels.copy(), np.random.default_rng(9).integers(0, 200, (_TO - _FROM, _TO - _FROM))
    out[_FROM:_TO, _FROM:_TO] = _SHADES[face]
    return _exchanged(out) if which else out


def _exchanged(pixels: Pixels) -> Pixels:
    """The blocks of each ninth of the face in the opposite order."""
    out = pixels.copy()
    spans = [(max(a, _FROM), min(b, _TO)) for a, b in itertools.pairwise(_CELLS)]
    for top, bottom in spans:
        for left, right in spans:
            tiles = pixels[top:bottom, left:right].reshape((bottom - top) // _BLOCK, _BLOCK, -1, _BLOCK, 3)
            out[top:bottom, left:right] = tiles[::-1, :, ::-1].reshape(bottom - top, right - left, 3)
    return out


def portrait(which: int) -> Pixels:
    """(192, 256, 3) a face before a wall, on a floor with a box; of fewer colours than a GIF holds."""
    y, x = np.mgrid[0 : SIZE.height, 0 : SIZE.width]
    index = 36 * (y // 48) + 6 * (x // 64) + (x // 16 + y // 16) % 2
    index[120:170, 170:230] = 201 + (x[120:170, 170:230] // 10) % 5
    return with_face(_SHADES[index], which)


def _exif(which: int) -> bytes:
    """Whose it is, and a thumbnail of the picture behind it, as cameras write it."""
    block = pictures.exif(
        {0x013B: CREATOR, 0x8298: NOTICE, 0x013C: "Host Of Olga"},
        {0xA430: "Olga Owner", 0xA431: "SERIAL-4711"},
        gps=True,
    )
    tiff = block.removeprefix(b"Exif\0\0")
    order = "<" if tiff[:2] == b"II" else ">"
    first = struct.unpack_from(order + "I", tiff, 4)[0]
    follows = first + 2 + 12 * struct.unpack_from(order + "H", tiff, first)[0]
    small = pictures.encoded(portrait(which)[::2, ::2], "JPEG", subsampling=0)
    tags = ((0x0103, 3, 1, 6), (0x0201, 4, 1, len(tiff) + 42), (0x0202, 4, 1, len(small)))
    rows = b"".join(
        struct.pack(order + "HHI", *row[:3])
        + (struct.pack(order + "HH", row[3], 0) if row[1] == 3 else struct.pack(order + "I", row[3]))
        for row in tags
    )
    head = tiff[:follows] + struct.pack(order + "I", len(tiff)) + tiff[follows + 4 :]
    return b"Exif\0\0" + head + struct.pack(order + "H", len(tags)) + rows + bytes(4) + small


def _beside(path: Path) -> Path:
    """What photographers' programs put beside a file that holds no words itself."""
    path.with_name(path.name + ".xmp").write_text(PACKET, encoding="utf-8")
    return path


def _jpeg(folder: Path, which: int) -> Path:
    path = folder / "source.jpg"
    Pil.fromarray(portrait(which)).save(path, quality=95, subsampling=0, exif=_exif(which), xmp=PACKET.encode())
    return path


def _mpo(folder: Path, which: int) -> Path:
    path = folder / "source.mpo"
    views = [Pil.fromarray(portrait(which)), Pil.fromarray(np.roll(portrait(which), 4, axis=1))]
    views[0].save(path, "MPO", save_all=True, append_images=views[1:], quality=95, subsampling=0, exif=_exif(which))
    return _beside(path)


def _phone(folder: Path, which: int) -> Path:
    """Portrait mode: the depth of the person stands in the file."""
    depth = np.full((96, 128), 40, np.uint8)
    depth[28:68, 28:68] = (portrait(which)[_FROM:_TO:2, _FROM:_TO:2, 0] // 8) + 150
    plain = pictures.encoded(portrait(which), "JPEG", quality=95, subsampling=0)
    facts = 'GDepth:Format="RangeInverse" GDepth:Near="0.5" GDepth:Far="20" GDepth:Mime="image/png" '
    path = folder / "source.jpg"
    path.write_bytes(pictures.gdepth_jpeg(plain, depth, facts))
    return _beside(path)


def _png(folder: Path, which: int) -> Path:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", PACKET)
    info.add_text("Comment", "Olga Owner")
    path = folder / "source.png"
    Pil.fromarray(portrait(which)).save(path, pnginfo=info, exif=_exif(which))
    return path


def _cut_out(folder: Path, which: int) -> Path:
    """A bust without its surroundings, as shops have them."""
    y, x = np.mgrid[0 : SIZE.height, 0 : SIZE.width] + 0.5
    alpha = np.where(np.hypot(x - 96, y - 96) < 80, 255, 0).astype(np.uint8)
    path = folder / "source.png"
    Pil.fromarray(np.dstack([portrait(which), alpha])).save(path, exif=_exif(which))
    return _beside(path)


def _by_pillow(name: str, **options: Any) -> Callable[[Path, int], Path]:
    def make(folder: Path, which: int) -> Path:
        path = folder / name
        Pil.fromarray(portrait(which)).save(path, **options)
        return path if "xmp" in options else _beside(path)

    return make


def _tiff(folder: Path, which: int) -> Path:
    path = folder / "source.tif"
    Pil.fromarray(portrait(which)).save(path, tiffinfo={315: CREATOR, 33432: NOTICE, 316: "Host Of Olga"})
    return _beside(path)


def _heic(folder: Path, which: int) -> Path:
    del which
    path = folder / "source.heic"
    path.write_bytes(pictures.heic(exif_block=_exif(0)))
    return _beside(path)


def _raw(folder: Path, which: int) -> Path:
    from unit.test_image_raw import negative

    del which
    path = folder / "source.dng"
    path.write_bytes(negative())
    return _beside(path)


def _film(name: str, **changes: Any) -> Callable[[Path, int], Path]:
    def make(folder: Path, which: int) -> Path:
        tags = {"artist": CREATOR, "comment": "Olga Owner", "location": "+52.5186+013.3777/"}
        how = FilmRecipe(size=(SIZE.width, SIZE.height), count=8, fps=Fraction(8), tags=tags, colour=(1, 1, 1, 2))
        return _beside(make_film(folder / name, how, paint=lambda _: portrait(which), **changes))

    return make


_EXACT = {"qp": "0", "preset": "veryfast", "g": "4"}


def _walk(folder: Path, which: int) -> Path:
    """Pictures from around a thing on a table, and a head that is always in the same place of them."""
    place = folder / "source"
    place.mkdir()
    film = thing(SIZE, 72)
    for number in range(8):
        path = place / f"{number:03d}.png"
        Pil.fromarray(with_face(film.frame(number), which)).save(path, exif=_exif(which))
        _beside(path)
    return place


def _body() -> Phantom:
    volume = trunk()
    matrix = volume.grid.lps_from_voxel.copy()
    matrix[:3] *= 1000
    return Phantom(volume.values[::2, ::2, ::2], matrix @ np.diag([2.0, 2.0, 2.0, 1.0]))


def _dicom(folder: Path, which: int) -> Path:
    del which
    return write_dicom(folder / "source", _body())


def _nifti(folder: Path, which: int) -> Path:
    del which
    return write_nifti(folder / "source.nii.gz", _body().values, _body().mm_from_voxel)


def _nrrd(folder: Path, which: int) -> Path:
    del which
    values = np.ascontiguousarray(_body().values.astype("<i2"))
    depth, height, width = values.shape
    head = (
        f"NRRD0005\ntype: int16\ndimension: 3\nspace: left-posterior-superior\nsizes: {width} {height} {depth}\n"
        "space directions: (2,0,0) (0,2,0) (0,0,6)\nspace origin: (0,0,0)\nencoding: raw\nendian: little\n"
        "content: Doe^Jane\nPatientID:=PID-0815\n\n"
    )
    path = folder / "source.nrrd"
    path.write_bytes(head.encode() + values.tobytes())
    return path


def _metaimage(folder: Path, which: int) -> Path:
    del which
    values = np.ascontiguousarray(_body().values.astype("<i2"))
    depth, height, width = values.shape
    head = (
        f"ObjectType = Image\nNDims = 3\nComment = Doe^Jane\nName = PID-0815\nDimSize = {width} {height} {depth}\n"
        "ElementSpacing = 2 2 6\nElementType = MET_SHORT\nBinaryDataByteOrderMSB = False\nElementDataFile = LOCAL\n"
    )
    path = folder / "source.mha"
    path.write_bytes(head.encode() + values.tobytes())
    return path


def _slices(folder: Path, which: int) -> Path:
    del which
    place = folder / "source"
    place.mkdir()
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "Doe^Jane PID-0815")
    for number, plane in enumerate(_body().values):
        grey = np.clip((plane.astype(np.float32) + 1000) / 8, 0, 255).astype(np.uint8)
        Pil.fromarray(grey).save(place / f"{number:03d}.png", pnginfo=info)
    return place


_PACKED: dict[str, Any] = {"xmp": PACKET.encode(), "exif": pictures.exif({0x013B: CREATOR, 0x8298: NOTICE}, gps=True)}
KINDS: tuple[Kind, ...] = (
    Kind("JPEG", "picture", ("JPEG",), _jpeg),
    Kind("JPEG with a phone's depth", "picture", ("JPEG",), _phone, depth=True),
    Kind("MPO", "picture", ("JPEG",), _mpo),
    Kind("PNG", "picture", ("PNG",), _png),
    Kind("WebP", "picture", ("WebP",), _by_pillow("source.webp", lossless=True, exact=True, **_PACKED)),
    Kind("TIFF", "picture", ("TIFF",), _tiff),
    Kind("AVIF", "picture", ("AVIF",), _by_pillow("source.avif", quality=95, **_PACKED), swapped=True),
    Kind("HEIC", "picture", ("HEIC",), _heic, swapped=True),
    Kind("GIF", "picture", ("GIF",), _by_pillow("source.gif")),
    Kind("BMP", "picture", ("BMP",), _by_pillow("source.bmp")),
    Kind("PNM", "picture", ("PNM",), _by_pillow("source.ppm")),
    Kind("RAW", "picture", ("RAW",), _raw, swapped=True, creator="Ann"),
    Kind(
        "MP4",
        "film",
        (".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".f4v", ".insv", ".lrv"),
        _film("source.mp4", pix_fmt="yuv444p", options=_EXACT),
    ),
    Kind("Matroska", "film", (".mkv", ".webm"), _film("source.mkv", codec="ffv1", pix_fmt="bgr0", options={})),
    Kind("AVI", "film", (".avi", ".divx"), _film("source.avi", codec="ffv1", pix_fmt="bgr0", options={})),
    Kind(
        "MPEG stream",
        "film",
        (".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".vob", ".m2v"),
        _film("source.ts", pix_fmt="yuv444p", options=_EXACT),
    ),
    Kind("PNG of a thing cut out", "cut-out", ("PNG",), _cut_out),
    Kind("folder of pictures", "views", (), _walk),
    Kind("DICOM", "slices", (), _dicom),
    Kind("NIfTI", "slices", (), _nifti),
    Kind("NRRD", "slices", (), _nrrd),
    Kind("MetaImage", "slices", (), _metaimage),
    Kind("slices as pictures", "slices", ("slices",), _slices),
)
OTHER_FILMS = (".ogv", ".ogg", ".flv", ".wmv", ".asf", ".mxf", ".dv")
"""Films of these names are read by the very code that reads the others: a container has no code of its own here."""


def buffered(pixels: Pixels) -> io.BytesIO:
    """A picture as a PNG in memory."""
    return io.BytesIO(pictures.encoded(pixels, "PNG"))

"""Sources of every kind that say where, who and with what: each place of a file that can tell holds a word of its own.

Every word begins with :data:`MARK` and goes on with where it stands, so that whoever finds one in a result knows which
door it slipped through. Rights (:data:`KEPT`) are said, too: they must come out.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pil
from PIL import ImageCms, PngImagePlugin

from film_files import FilmRecipe, make_film
from leaks import rational
from phantoms import EXPLICIT, Phantom, Written, write_dicom
from pictures import extended_segments, heic, segment, smooth, with_segments, xmp_segment

MARK = "Qzleak"
HOME = "Qzhome"
"""Of every folder above the sources: no result may name the place where it was made."""
FILED = "Qzfile"
"""Of files and folders of scans, whose names are as a rule those of patients."""
PERSON = "Qzperson"
"""Who agreed to be shown: known to the consent record alone."""
KEPT = "Ann Open"
LATITUDE, LONGITUDE = 52.5188471, 13.3777162
_RATIONAL = (311308261, 10000000)
"""Minutes of the latitude in EXIF: a number that is nowhere by chance."""
COORDINATES = ("52.51884", "13.37771", "31.13082", "+52.5188", "+013.3777", *rational(*_RATIONAL))
"""What of the place would be found, as texts and as EXIF's numbers."""


def word(place: str) -> str:
    """The word that stands in a place of a source."""
    return f"{MARK}-{place}"


def packet(kind: str) -> bytes:
    """An XMP packet with everything that programs write about people, places and machines."""
    w = {name: word(f"{kind}-xmp-{name}") for name in (
        "serial", "owner", "lens", "shown", "email", "phone", "street", "document", "original", "agent", "city",
        "place", "writer", "label", "title", "keyword", "region", "device", "registry",
    )}  # fmt: skip
    return f"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="uuid:{w["document"]}"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 exif:GPSLatitude="52,31.1308261N" exif:GPSLongitude="{LONGITUDE}E" exif:GPSAreaInformation="{w["place"]}"
 aux:SerialNumber="{w["serial"]}" aux:OwnerName="{w["owner"]}" aux:LensSerialNumber="{w["lens"]}"
 xmpMM:DocumentID="{w["document"]}" xmpMM:OriginalDocumentID="{w["original"]}" xmp:CreatorTool="{w["agent"]}"
 photoshop:City="{w["city"]}" photoshop:CaptionWriter="{w["writer"]}" xmp:Label="{w["label"]}">
<dc:creator><rdf:Seq><rdf:li>{KEPT}</rdf:li></rdf:Seq></dc:creator>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{w["title"]}</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>{w["keyword"]}</rdf:li></rdf:Bag></dc:subject>
<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>{w["shown"]}</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>
<Iptc4xmpExt:RegistryId><rdf:Bag><rdf:li rdf:parseType="Resource">
<Iptc4xmpExt:RegItemId>{w["registry"]}</Iptc4xmpExt:RegItemId></rdf:li></rdf:Bag></Iptc4xmpExt:RegistryId>
<Iptc4xmpCore:CreatorContactInfo rdf:parseType="Resource">
<Iptc4xmpCore:CiEmailWork>{w["email"]}@example.org</Iptc4xmpCore:CiEmailWork>
<Iptc4xmpCore:CiTelWork>{w["phone"]}</Iptc4xmpCore:CiTelWork>
<Iptc4xmpCore:CiAdrExtadr>{w["street"]}</Iptc4xmpCore:CiAdrExtadr></Iptc4xmpCore:CreatorContactInfo>
<xmpMM:History><rdf:Seq><rdf:li stEvt:action="saved" stEvt:instanceID="{w["agent"]}"
 stEvt:softwareAgent="/home/{w["agent"]}/tool"/></rdf:Seq></xmpMM:History>
<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>
<rdf:li mwg-rs:Name="{w["region"]}" mwg-rs:Type="Face"/></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


def exif(kind: str) -> Any:
    """Pillow's EXIF with everything that cameras and programs write; the creator is to be kept."""
    block = Pil.Exif()
    block[0x013B], block[0x013C] = KEPT, word(f"{kind}-host")
    block[0x010D], block[0x010E], block[0x0131] = (word(f"{kind}-{name}") for name in ("name", "caption", "program"))
    for tag, name in ((0x9C9B, "title"), (0x9C9C, "comment"), (0x9C9D, "author"), (0x9C9E, "keywords")):
        block[tag] = word(f"{kind}-xp-{name}").encode("utf-16-le") + b"\0\0"
    inner = block.get_ifd(0x8769)
    inner[0x927C] = b"MakerNote\0" + word(f"{kind}-maker-serial").encode()
    inner[0x9286] = b"ASCII\0\0\0" + word(f"{kind}-comment").encode()
    for tag, name in ((0xA420, "unique"), (0xA430, "owner"), (0xA431, "body"), (0xA435, "lens")):
        inner[tag] = word(f"{kind}-{name}")
    place = block.get_ifd(0x8825)
    place |= {1: "N", 2: (52.0, struct_rational(), 0.0), 3: "E", 4: (13.0, 22.6629, 0.0)}
    place[0x1B] = b"ASCII\0\0\0" + word(f"{kind}-gps-method").encode()
    place[0x1C] = b"ASCII\0\0\0" + word(f"{kind}-gps-area").encode()
    return block


def struct_rational() -> Any:
    """The minutes as the fraction that :data:`COORDINATES` looks for."""
    from PIL.TiffImagePlugin import IFDRational

    return IFDRational(*_RATIONAL)


def iptc(kind: str) -> bytes:
    """A JPEG segment of Photoshop's with an IPTC record: by-line, and what else stands there."""
    sets = ((80, KEPT), *((number, word(f"{kind}-iptc-{number}")) for number in (5, 25, 90, 92, 118, 120, 122)))
    record = b"".join(b"\x1c\x02" + bytes([n]) + len(t).to_bytes(2, "big") + t.encode() for n, t in sets)
    block = b"8BIM\x04\x04\0\0" + len(record).to_bytes(4, "big") + record + b"\0" * (len(record) % 2)
    return segment(0xED, b"Photoshop 3.0\0" + block)


def profile() -> bytes:
    """A profile of a display that bears its owner's name; its red and green are not those of sRGB."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    data = bytearray(made.tobytes())
    for at in range(132, 132 + 12 * int.from_bytes(data[128:132], "big"), 12):
        name, start = bytes(data[at : at + 4]), int.from_bytes(data[at + 4 : at + 8], "big")
        size = int.from_bytes(data[at + 8 : at + 12], "big")
        if name in (b"rXYZ", b"gXYZ"):
            data[at : at + 4] = b"gXYZ" if name == b"rXYZ" else b"rXYZ"
        if name == b"desc":
            text = word("icc").encode("utf-16-be")
            data[start : start + size] = _multi(text, size)
    return bytes(data)


def _multi(text: bytes, size: int) -> bytes:
    """An ICC text of exactly ``size`` bytes."""
    body = b"mluc\0\0\0\0" + struct.pack(">II", 1, 12) + b"enUS" + struct.pack(">II", min(len(text), size - 28), 28)
    return (body + text)[:size].ljust(size, b"\0")


def jpeg(path: Path, pixels: np.ndarray) -> Path:
    """Everything that a camera, an agency and a photo program write into a JPEG."""
    data = io.BytesIO()
    Pil.fromarray(pixels).save(data, "JPEG", quality=92, exif=exif("jpeg"), icc_profile=profile())
    more = extended_segments(packet("extended"), b"0123456789ABCDEF0123456789ABCDEF")
    comment = segment(0xFE, word("jpeg-com").encode())
    whole = with_segments(data.getvalue(), comment, xmp_segment(packet("jpeg")), *more, iptc("jpeg"))
    path.write_bytes(whole + word("jpeg-trailer").encode())
    return path


def png(path: Path, pixels: np.ndarray) -> Path:
    """Text chunks of all kinds, EXIF and XMP."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", word("png-text"))
    info.add_text("Author", KEPT)
    info.add_text("Description", word("png-ztxt"), zip=True)
    info.add_itxt("Source", word("png-itxt"), "en", "", zip=True)
    info.add_itxt("XML:com.adobe.xmp", packet("png").decode())
    info.add(b"prIv", word("png-chunk").encode())
    Pil.fromarray(pixels).save(path, pnginfo=info, exif=exif("png"))
    return path


def webp(path: Path, pixels: np.ndarray) -> Path:
    """EXIF and XMP in WebP."""
    Pil.fromarray(pixels).save(path, quality=90, exif=exif("webp").tobytes(), xmp=packet("webp"))
    return path


def avif(path: Path, pixels: np.ndarray) -> Path:
    """EXIF and XMP in AVIF."""
    Pil.fromarray(pixels).save(path, quality=90, exif=exif("avif").tobytes(), xmp=packet("avif"))
    return path


def tiff(path: Path, pixels: np.ndarray) -> Path:
    """Tags of a scanner's program, private ones and those of Photoshop."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    tags = ImageFileDirectory_v2()
    tags[0x013B] = KEPT
    for tag in (0x010D, 0x010E, 0x010F, 0x0110, 0x011D, 0x0131, 0x013C, 0xA431, 0xC62F):
        tags[tag] = word(f"tiff-{tag:04x}")
        tags.tagtype[tag] = 2
    for tag, data in ((700, packet("tiff")), (33723, iptc("tiff")[18:]), (65000, word("tiff-private").encode())):
        tags[tag] = data
        tags.tagtype[tag] = 7
    Pil.fromarray(pixels).save(path, tiffinfo=tags)
    return path


def heif(path: Path) -> Path:
    """A HEIC of 64×48 pixels with EXIF."""
    path.write_bytes(heic(exif_block=exif("heic").tobytes()))
    return path


def film(path: Path, count: int = 8) -> Path:
    """A film with words of phones, cameras and editors, and with sound."""
    said = {
        name: word(f"film-{name}")
        for name in (
            *("comment", "description", "synopsis", "encoded_by", "grouping", "author_email", "network", "show"),
            *("com.apple.quicktime.make", "com.apple.quicktime.camera.identifier", "com.apple.quicktime.software"),
            *("com.apple.quicktime.content.identifier", "com.android.serial", "device_serial_number"),
        )
    }
    said |= {"artist": KEPT, "location": f"+{LATITUDE}+0{LONGITUDE}/", "location-eng": word("film-location")}
    said |= {"com.apple.quicktime.location.ISO6709": f"+{LATITUDE}+0{LONGITUDE}/"}
    muxing = {"movflags": "use_metadata_tags"} if path.suffix == ".mov" else {}
    recipe = FilmRecipe(size=(160, 96), count=count, sound=count / 25, tags=said, muxing=muxing)
    make_film(path, recipe)
    if path.suffix != ".mkv":
        _add_udta(path)
    return path


def _add_udta(path: Path) -> None:
    """Behind the film: boxes of text as cameras leave them, and an XMP packet."""
    text = word("film-udta").encode()
    sign = f"+{LATITUDE}+0{LONGITUDE}/".encode()
    xyz = struct.pack(">I4sHH", 12 + len(sign), b"\xa9xyz", len(sign), 0x15C7) + sign
    udta = xyz + struct.pack(">I4s", 8 + len(text), b"CAME") + text
    uuid = bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + packet("film")
    boxes = struct.pack(">I4s", 8 + len(udta), b"free") + udta + struct.pack(">I4s", 8 + len(uuid), b"uuid") + uuid
    with path.open("ab") as file:
        file.write(boxes)


def ct(folder: Path, phantom: Phantom, syntax: str = EXPLICIT) -> Path:
    """Slices whose headers name the patient, the people who treat, the places and the machines."""
    names = (
        *(
            "PatientName",
            "PatientID",
            "OtherPatientNames",
            "PatientAddress",
            "PatientComments",
            "PatientMotherBirthName",
        ),
        *("AccessionNumber", "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName"),
        *("ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "PhysiciansOfRecord", "StudyID"),
        *("RequestingPhysician", "DeviceSerialNumber", "GantryID", "ProtocolName", "StudyDescription"),
        *("SeriesDescription", "ImageComments", "AdmissionID", "EthnicGroup", "Occupation", "AdditionalPatientHistory"),
    )
    short = {"AccessionNumber", "StationName", "StudyID", "EthnicGroup", "Occupation"}
    more = [(name, word(f"dcm{n}" if name in short else f"dicom-{name}")) for n, name in enumerate(names)]
    more += [("PatientBirthDate", BORN), ("StudyDate", TAKEN), ("PatientTelephoneNumbers", PHONE)]
    return write_dicom(folder, phantom, Written(syntax, identity=False, more=tuple(more), suffix=".dcm"))


BORN, TAKEN, PHONE = "19610203", "20190817", "030-55512345"
DATES = (BORN, TAKEN, "1961-02-03", "2019-08-17", PHONE)


def nifti(path: Path, values: np.ndarray, mm_from_voxel: np.ndarray) -> Path:
    """A NIfTI file with texts in every field of its header, and an extension."""
    import nibabel

    image = nibabel.Nifti1Image(values.T.astype(np.int16), np.diag([-1.0, -1, 1, 1]) @ mm_from_voxel)
    for field in ("descrip", "aux_file", "intent_name", "db_name"):
        image.header[field] = word(f"nii-{field}"[:17]).encode()[: image.header[field].dtype.itemsize]
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", word("nifti-extension").encode()))
    nibabel.save(image, path)
    return path


def nrrd(path: Path, values: np.ndarray, spacing: float) -> Path:
    """An NRRD file with keys of 3D Slicer and a comment."""
    d, h, w = values.shape
    head = f"""NRRD0005
# {word("nrrd-comment")}
type: int16
dimension: 3
space: left-posterior-superior
sizes: {w} {h} {d}
space directions: ({spacing},0,0) (0,{spacing},0) (0,0,{spacing})
kinds: domain domain domain
endian: little
encoding: raw
space origin: (0,0,0)
content: {word("nrrd-content")}
PatientName:={word("nrrd-patient")}
DICOM_0008_0090_Referring:={word("nrrd-referring")}

"""
    path.write_bytes(head.encode() + np.ascontiguousarray(values, "<i2").tobytes())
    return path


def metaimage(path: Path, values: np.ndarray, spacing: float) -> Path:
    """A MetaImage with fields of its own."""
    d, h, w = values.shape
    head = f"""ObjectType = Image
NDims = 3
Comment = {word("mha-comment")}
PatientName = {word("mha-patient")}
BinaryData = True
BinaryDataByteOrderMSB = False
CompressedData = False
TransformMatrix = 1 0 0 0 1 0 0 0 1
Offset = 0 0 0
ElementSpacing = {spacing} {spacing} {spacing}
DimSize = {w} {h} {d}
ElementType = MET_SHORT
ElementDataFile = LOCAL
"""
    path.write_bytes(head.encode() + np.ascontiguousarray(values, "<i2").tobytes())
    return path


def slices(folder: Path, values: np.ndarray) -> Path:
    """A folder of PNG slices that say of what they are."""
    folder.mkdir(parents=True)
    for number, plane in enumerate(values):
        info = PngImagePlugin.PngInfo()
        info.add_text("Patient", word("slice-text"))
        grey = np.clip(plane / 4 + 64, 0, 255).astype(np.uint8)
        Pil.fromarray(grey).save(folder / f"{number:03d}.png", pnginfo=info)
    return folder


def small(size: tuple[int, int] = (128, 96), seed: int = 3) -> np.ndarray:
    """A small photograph's pixels."""
    return smooth(*size, seed=seed)

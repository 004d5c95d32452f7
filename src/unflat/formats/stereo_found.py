"""What a picture file holds for two eyes, and what shows it in 3D; read without trust, nothing is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unflat.formats import mpo, vr180_photo
from unflat.formats.image import read_bytes
from unflat.formats.sniff import kind_of
from unflat.types.image import Size
from unflat.types.stereo import Layout

_HEAD = 256
Shown = tuple[tuple[str, str], ...]
"""Devices and programs, and why each shows a file in 3D."""

MPO_SHOWN: Shown = (
    ("3D televisions and projectors", "take MPO files from a memory stick: two JPEG pictures marked as disparity"),
    ("stereo cameras (Fujifilm Real 3D, Panasonic, Sony)", "write such files themselves: EXIF first, no JFIF header"),
    ("StereoPhoto Maker, sView", "read MPO files"),
)
_CONSOLE = (
    "Nintendo 3DS",
    "shows MPO files named HNI_0001.MPO in DCIM/100NIN03 of its card; its own are 640×480",
)
_CONSOLE_SIZE = Size(640, 480)
_HALF_DEG = 181.0


VR_SHOWN: Shown = (
    ("Google Photos and Cardboard Camera on Android", "read the right eye from the XMP (GImage) of a panorama (GPano)"),
    ("Lenovo Mirage, Daydream", "took VR180 photos in this form"),
)


@dataclass(frozen=True, slots=True)
class StereoFound:
    """Two eyes in a picture file; None where it does not say.

    Attributes:
        container: What people call it.
        layout: How the two views are packed; None for a form that unflat does not write.
        eye: Size of the left view.
        shown_by: What shows it in 3D, and why.
        baseline_m: Between the eyes.
        fov_x_deg: Horizontal angle of view.
        notes: What is odd about it.
    """

    container: str
    layout: Layout | None
    eye: Size | None
    shown_by: Shown
    baseline_m: float | None = None
    fov_x_deg: float | None = None
    notes: tuple[str, ...] = ()


def find_stereo(path: Path) -> StereoFound | None:
    """Look for two eyes in a picture file; None where there is one only.

    Raises:
        InputError: It cannot be read, or what it says of its eyes contradicts itself.
    """
    data = read_bytes(path)
    kind = kind_of(data[:_HEAD], path.suffix.lower())
    if kind == "JPEG":
        return _multi_picture(mpo.read_pictures(data)) or _vr_photo(vr180_photo.read_vr_photo(data), path.name)
    return None


def _multi_picture(pictures: tuple[mpo.MultiPicture, ...]) -> StereoFound | None:
    eyes = [picture for picture in pictures if picture.kind == "disparity"]
    if len(eyes) < 2:
        return None
    eyes.sort(key=lambda eye: eye.number or 0)
    left, right = eyes[0], eyes[-1]
    notes = (f"{len(eyes)} viewpoints; the outermost are the eyes",) if len(eyes) > 2 else ()
    notes += ("its eyes differ in size",) if left.size != right.size else ()
    most = _CONSOLE_SIZE
    small = left.size is not None and left.size.width <= most.width and left.size.height <= most.height
    shown = (*MPO_SHOWN, _CONSOLE) if small else MPO_SHOWN
    return StereoFound("MPO", Layout.MPO, left.size, shown, right.baseline_m, notes=notes)


def _vr_photo(photo: vr180_photo.VrPhoto | None, name: str) -> StereoFound | None:
    if photo is None:
        return None
    half = photo.across_deg is not None and photo.across_deg <= _HALF_DEG
    notes = ("its eyes differ in size",) if photo.left != photo.right else ()
    if not name.lower().endswith(vr180_photo.SUFFIX):
        notes += (f"some galleries recognise it only if its name ends in {vr180_photo.SUFFIX}",)
    layout = Layout.VR180 if half else None
    container = "VR180 photo" if half else "VR photo"
    return StereoFound(container, layout, photo.left, VR_SHOWN, fov_x_deg=photo.across_deg, notes=notes)

"""What a picture file holds for two eyes; read without trust, nothing is decoded."""

from __future__ import annotations

from pathlib import Path

from unflat.formats import mpo, vr180_photo
from unflat.formats.image import read_bytes
from unflat.formats.sniff import kind_of
from unflat.formats.spatial_read import HeifPair, read_pair
from unflat.formats.stereo_facts import StereoFacts
from unflat.types.stereo import Layout

_HEAD = 256
_HALF_DEG = 181.0
_DIFFER = "its eyes differ in size"


def find_stereo(path: Path) -> StereoFacts | None:
    """Look for two eyes in a picture file; None where there is one only.

    Raises:
        InputError: It cannot be read, or what it says of its eyes contradicts itself.
    """
    data = read_bytes(path)
    kind = kind_of(data[:_HEAD], path.suffix.lower())
    if kind == "JPEG":
        return _multi_picture(mpo.read_pictures(data)) or _vr_photo(vr180_photo.read_vr_photo(data), path.name)
    return _stereo_pair(read_pair(data)) if kind == "HEIC" else None


def _multi_picture(pictures: tuple[mpo.MultiPicture, ...]) -> StereoFacts | None:
    eyes = [picture for picture in pictures if picture.kind == "disparity"]
    if len(eyes) < 2:
        return None
    eyes.sort(key=lambda eye: eye.number or 0)
    left, right = eyes[0], eyes[-1]
    notes = (f"{len(eyes)} viewpoints; the outermost are the eyes",) if len(eyes) > 2 else ()
    notes += (_DIFFER,) if left.size != right.size else ()
    said = {"pictures": len(pictures), "base": left.base, "convergence_deg": right.convergence_deg}
    return StereoFacts(
        "mpo",
        False,
        Layout.MPO,
        eye=left.size,
        marks={"mpf": {name: value for name, value in said.items() if value is not None}},
        baseline_m=right.baseline_m,
        notes=notes,
    )


def _vr_photo(photo: vr180_photo.VrPhoto | None, name: str) -> StereoFacts | None:
    if photo is None:
        return None
    half = photo.across_deg is not None and photo.across_deg <= _HALF_DEG
    notes = (_DIFFER,) if photo.left != photo.right else ()
    if not name.lower().endswith(vr180_photo.SUFFIX):
        notes += (f"some galleries recognise it only if its name ends in {vr180_photo.SUFFIX}",)
    return StereoFacts(
        "jpeg",
        False,
        Layout.VR180,
        eye=photo.left,
        marks={"gpano": "equirectangular", "right_eye": str(photo.right)},
        degrees=180 if half else 360,
        fov_x_deg=photo.across_deg,
        notes=notes,
    )


def _stereo_pair(pair: HeifPair | None) -> StereoFacts | None:
    if pair is None:
        return None
    marks: dict[str, object] = {"group": {"kind": "ster", "shown_alone": pair.primary}}
    if pair.spatial:
        marks["spatial"] = {"disparity_adjustment": pair.disparity}
    return StereoFacts(
        "heic",
        False,
        Layout.SPATIAL,
        eye=pair.left,
        marks=marks,
        baseline_m=pair.baseline_m,
        fov_x_deg=pair.fov_x_deg,
        notes=(_DIFFER,) if pair.left != pair.right else (),
    )

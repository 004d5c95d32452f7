"""Spatial photos: both eyes as two HEVC pictures in a HEIC file that says how they were seen, as Apple's devices ask.

To be *spatial* rather than just stereo a photo needs (Apple, "Creating spatial photos and videos with spatial metadata"
and "Writing spatial photos"): a stereo pair group, each camera's matrix and position, and a disparity adjustment.

==================  =========================================================  =======================================
what                where                                                      taken from
==================  =========================================================  =======================================
the pair            entity group ``ster``: left, right (ISO/IEC 23008-12)      the standard
focal length,       item property ``cmin``, in shares of the coded size        ISO/IEC 23008-12, third edition; drafts
principal point                                                                and real files: libheif #1164, #1191
position            item property ``cmex``, micrometres, x to the right        the same
disparity           property of the group and its pictures, 32 bits signed,    files of Apple's: their readers in other
adjustment          in 1/10000 of the width; no standard has it                programs agree on it; not published
==================  =========================================================  =======================================

Apple's own files hold ``cmin`` and ``cmex`` under identifiers of its own (``uuid`` boxes with the same content), some
of visionOS 2 hold the standard's; both are written. **That a Vision Pro or an iPhone takes these files as spatial has
not been seen by us: no such device was at hand.** What other readers make of them is tested.

The cameras of such a photo look in parallel: what is infinitely far has no disparity, and the adjustment, not the
pixels, says how far behind the window it stands. A :class:`StereoPair` holds views that were shifted already, so that
infinity lies behind the screen. They are shifted back until it has no disparity (as many columns are cut off, at the
right of the left view and at the left of the right one), and the same share of the width is the adjustment, by which a
window moves the views apart: there the picture looks as it was composed, and in the room its angles are right. Of
close-ups, whose infinity would lie more than a twentieth of the width behind the screen, the rest stays in the pixels.
"""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from unflat.errors import OutputError
from unflat.formats.atomic import replacing
from unflat.formats.exif_jpeg import exif_record
from unflat.formats.heif_write import (
    Group,
    Item,
    Property,
    bits,
    box,
    coded_item,
    colour_codes,
    colour_profile,
    exif_item,
    extent,
    heif_file,
    upper_left,
    xmp_item,
)
from unflat.formats.hevc_still import CodedStill, coded_still
from unflat.formats.told_rights import XMP_KEY
from unflat.types.image import Size
from unflat.types.stereo import StereoPair

INTRINSICS = UUID("22cc04c7-d6d9-4e07-9d90-4eb6ecbaf3a3").bytes
EXTRINSICS = UUID("4363e914-5b7d-4aab-97ae-bea69803b434").bytes
DISPARITY = UUID("de225085-36cb-4365-8743-2f8705e7c78a").bytes
"""What Apple's files call the two matrices and the disparity adjustment."""
_BASELINE_M = 0.063
"""Written where the distance between the eyes is not known: that of people."""
_FOV_DEG = 60.0
"""Written where the angle of view is not known: about that of a telephone's main camera."""
DISPARITY_UNIT, MICRO = 10_000, 1_000_000
"""The disparity adjustment is counted in this part of the width, positions in this part of a metre."""
FURTHEST_M = 2000.0
"""Between two cameras: what micrometres of 32 bits can say."""
_SHIFT = 24
"""Numbers of the camera's matrix are written in units of 2 to the power of minus this."""
_WIDEST_DEG = 160.0
_MOST_SHARE = 0.05
"""Views are shifted back by no more of their width: programs that do not heed the adjustment show them as they are, and
eyes cannot bring near things together that are much farther apart."""
_LONGEST_EXIF = 60_000
_SRGB, _UNSAID = (1, 13, 6), (2, 2, 6)
_MOVED_X = 1


def write(
    pair: StereoPair, path: Path, *, force: bool = False, quality: int = 92, text: dict[str, str] | None = None
) -> tuple[str, ...]:
    """Write a spatial photo.

    Author, copyright, time and colour profile of the source travel, and nothing else of its metadata.

    Args:
        pair: What the eyes see.
        path: Where to.
        force: Replace a file that exists.
        quality: 1..100, roughly as good as a JPEG of that quality.
        text: Provenance, key to text: the EXIF image description, as JSON.

    Returns:
        What the format asks for and had to be assumed; see :func:`assumed`.

    Raises:
        InputError: The quality is none, or the picture is too large for HEVC.
        MissingExtraError: There is no PyAV, or it cannot code HEVC.
        OutputError: The place cannot be written, or the provenance is too long.
    """
    with replacing(path, force=force) as (draft,):
        draft.write_bytes(encoded(pair, quality, text))
    return assumed(pair)


def assumed(pair: StereoPair) -> tuple[str, ...]:
    """What the format asks for and is not known of a pair, in words for the user."""
    notes: list[str] = []
    if not _has_baseline(pair):
        unknown = "not known" if pair.baseline_m is None else f"{pair.baseline_m:g} m, which cannot be said"
        notes.append(f"the distance between the eyes is {unknown}; the spatial photo says {_BASELINE_M * 1000:g} mm")
    if not _has_angle(pair):
        notes.append(f"the angle of view is not known; the spatial photo says {_FOV_DEG:g} degrees")
    return tuple(notes)


def encoded(pair: StereoPair, quality: int = 92, text: dict[str, str] | None = None) -> bytes:
    """The bytes of a spatial photo; see :func:`write`."""
    pair, adjustment = parallel(pair if _has_angle(pair) else replace(pair, fov_x_deg=_FOV_DEG))
    record = exif_record(pair, text)
    if len(record) > _LONGEST_EXIF:
        raise OutputError("the provenance is too long for a HEIC file", hint="Write a PNG, which has room for it.")
    baseline_m = (pair.baseline_m if _has_baseline(pair) else None) or _BASELINE_M
    told = Property(box(b"uuid", DISPARITY, struct.pack(">i", round(adjustment * DISPARITY_UNIT))))
    stills = [coded_still(view, quality, srgb=pair.profile is None) for view in (pair.left, pair.right)]
    eyes = [_eye(still, pair, place, told) for still, place in zip(stills, (0.0, baseline_m), strict=True)]
    packet = (text or {}).get(XMP_KEY)
    told_by = [exif_item(record, 0), *([xmp_item(packet.encode(), 0)] if packet else [])]
    return heif_file([*eyes, *told_by], [Group(b"ster", (0, 1), (told,))])


def _has_baseline(pair: StereoPair) -> bool:
    return pair.baseline_m is not None and 1 / MICRO <= pair.baseline_m <= FURTHEST_M


def _has_angle(pair: StereoPair) -> bool:
    return pair.fov_x_deg is not None and 1 <= pair.fov_x_deg <= _WIDEST_DEG


def parallel(pair: StereoPair) -> tuple[StereoPair, float]:
    """The views as cameras that look in parallel see them, and by what share of the width a window moves them apart.

    What is infinitely far (where the pair does not say where that is: what is farthest) gets no disparity, or as little
    as :data:`_MOST_SHARE` allows. Views get narrower by as much, and so does their angle of view. A pair that says
    nothing of its depth stays as it is.
    """
    share = pair.in_share if pair.infinity_share is None else pair.infinity_share
    share = min(_MOST_SHARE, max(-_MOST_SHARE, share))
    columns = round(share * pair.size.width)
    if columns == 0 or abs(columns) >= pair.size.width:
        return pair, 0.0
    left, right = max(0, -columns), max(0, columns)
    width = pair.size.width - abs(columns)
    fov = pair.fov_x_deg
    if fov is not None:
        half = math.tan(math.radians(fov) / 2) * width / pair.size.width
        fov = math.degrees(2 * math.atan(half))
    narrower = replace(
        pair,
        left=pair.left[:, left : left + width],
        right=pair.right[:, right : right + width],
        left_made=None if pair.left_made is None else pair.left_made[:, left : left + width],
        right_made=None if pair.right_made is None else pair.right_made[:, right : right + width],
        out_share=(pair.out_share * pair.size.width + columns) / width,
        in_share=(pair.in_share * pair.size.width - columns) / width,
        infinity_share=None
        if pair.infinity_share is None
        else (pair.infinity_share * pair.size.width - columns) / width,
        fov_x_deg=fov,
    )
    return narrower, columns / width


def _eye(still: CodedStill, pair: StereoPair, right_m: float, told: Property) -> Item:
    """One coded view with all that is said of it; its camera stands ``right_m`` to the right of the left one."""
    size, coded = pair.size, still.size
    colours = [colour_codes(*_SRGB)] if pair.profile is None else [colour_profile(pair.profile), colour_codes(*_UNSAID)]
    cameras = [_matrix(size, coded, pair.fov_x_deg or _FOV_DEG), _position(right_m)]
    said = [extent(coded.width, coded.height), *colours, bits(8, 8, 8)]
    for (kind, own), content in zip(((b"cmin", INTRINSICS), (b"cmex", EXTRINSICS)), cameras, strict=True):
        said += [Property(box(kind, content)), Property(box(b"uuid", own, content))]
    said.append(told)
    if size != coded:
        said.append(upper_left(size.width, size.height, coded.width, coded.height))
    return coded_item(still.record, still.stream, said)


def _matrix(size: Size, coded: Size, fov_x_deg: float) -> bytes:
    """The camera's matrix: focal length and principal point in shares of the coded width and height."""
    focal = size.width / (2 * math.tan(math.radians(fov_x_deg) / 2))
    shares = focal / coded.width, size.width / 2 / coded.width, size.height / 2 / coded.height
    return struct.pack(">I3i", _SHIFT << 8, *(round(share * (1 << _SHIFT)) for share in shares))


def _position(right_m: float) -> bytes:
    """The camera's place: nothing for the origin, else micrometres along x."""
    moved = round(right_m * MICRO)
    return struct.pack(">Ii", _MOVED_X, moved) if moved else struct.pack(">I", 0)

"""What the folders that hand views over have in common: the pictures, the masks, and what the folder says of itself.

Pictures are written at exactly the size of their cameras: a mismatch is the usual fault of such folders, and whoever
trains on one finds it out late.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from PIL import Image as Pil

import unflat
from unflat.errors import InputError
from unflat.formats.atomic import MARK, safe_stem
from unflat.formats.image import encoded
from unflat.formats.provenance_text import scale_to_plain, to_plain
from unflat.types.image import Image
from unflat.types.scene import Frame
from unflat.types.views import Reconstruction, View

PICTURES, MASKS = "images", "masks"
_QUALITY = 95


@dataclass(frozen=True, slots=True)
class Written:
    """Where the picture of a view went, relative to the folder.

    Attributes:
        picture: ``images/NAME.jpg``.
        mask: ``masks/NAME.jpg.png``, white where the picture may be used; None where no view of the set has a mask.
    """

    picture: str
    mask: str | None

    @property
    def name(self) -> str:
        """The picture's name within its folder."""
        return PurePath(self.picture).name


def frame_of(reconstruction: Reconstruction) -> Frame:
    """The axes of its world."""
    return Frame.LEVEL_RDF if reconstruction.level else Frame.CAMERA_RDF


def write_pictures(views: Sequence[View], folder: Path) -> tuple[Written, ...]:
    """Write the pictures of ``views``, one after the other, and their masks where any has one.

    Raises:
        InputError: There is no view, or a picture is not of its camera's size.
    """
    if not views:
        raise InputError("no picture found its place, so there are no cameras to write")
    (folder / PICTURES).mkdir()
    masked = any(view.still.mask is not None for view in views)
    if masked:
        (folder / MASKS).mkdir()
    written: list[Written] = []
    for name, view in zip(_names(views), views, strict=True):
        still, shape = view.still, view.lens.intrinsics.size.shape
        pixels = still.read()
        _check(view, pixels.shape[:2])
        picture = Image(pixels, source=still.source)
        (folder / PICTURES / f"{name}.jpg").write_bytes(encoded(picture, "JPEG", _QUALITY, fine=True))
        mask = f"{MASKS}/{name}.jpg.png" if masked else None
        if mask is not None:
            kept = np.ones(shape, bool) if still.mask is None else still.mask()
            _check(view, kept.shape)
            Pil.fromarray(kept.astype(np.uint8) * np.uint8(255)).save(folder / mask)
        written.append(Written(f"{PICTURES}/{name}.jpg", mask))
    return tuple(written)


def write_mark(reconstruction: Reconstruction, folder: Path) -> None:
    """Write what the folder says of itself: who wrote it, how its unit is known, what was lost."""
    scale = reconstruction.scale
    sources = [{"name": v.still.source.name, "sha256": v.still.source.sha256} for v in reconstruction.views]
    told: dict[str, Any] = {
        "generator": f"unflat {unflat.__version__}",
        "frame": frame_of(reconstruction).value,
        "unit": "free" if scale is None else "metre",
        "scale": None if scale is None else scale_to_plain(scale),
        "sources": list({(s["name"], s["sha256"]): s for s in sources}.values()),
        "lost": [{"name": each.name, "why": each.why} for each in reconstruction.lost],
        "notes": list(reconstruction.notes),
    }
    if reconstruction.provenance is not None:
        told["provenance"] = to_plain(reconstruction.provenance)
    (folder / MARK).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _check(view: View, shape: tuple[int, ...]) -> None:
    size = view.lens.intrinsics.size
    if shape != size.shape:
        raise InputError(f"the picture {view.still.name} is {shape[1]}×{shape[0]}, but its camera is one for {size}")


def _names(views: Sequence[View]) -> list[str]:
    """A safe file name, without suffix, for each view; all different, also where capitals do not count."""
    taken: set[str] = set()
    names: list[str] = []
    for view in views:
        base = safe_stem(PurePath(view.still.name).stem)
        name, count = base, 1
        while name.lower() in taken:
            count += 1
            name = f"{base}-{count}"
        taken.add(name.lower())
        names.append(name)
    return names

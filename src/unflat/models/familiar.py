"""Things of a known size in a picture: faces and, below a face, standing people; number plates; doors.

For faces and people OpenCV's own finders are used, for they come inside its wheel: two Haar cascades for frontal
faces, one for eyes (Viola & Jones, "Rapid object detection using a boosted cascade of simple features", CVPR 2001)
and the HOG people finder (Dalal & Triggs, CVPR 2005). A single one of them sees faces in posters and people in cakes;
a wrong size does more harm than none. So a face counts only if both cascades agree on it and an eye is found in it,
and a person only below such a face. Cars, by their number plates, and doors are found by their shape: see the files
``number_plate`` and ``door``.

OpenCV 5 ships no cascades; then no faces and people are found and :func:`absent` says why.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from unflat.types.arrays import F64, U8
from unflat.types.image import Size

if TYPE_CHECKING:
    import cv2

FACE_BOX_M = 0.154
"""Width of the square that the cascades draw around an adult's face. The pupils of adults are 63 mm apart
(Dodgson, "Variation and extrema of human interpupillary distance", SPIE 5291, 2004), and in the square they are
0.41 of its width apart, measured on faces that both cascades and the eye finder see."""
FACE_SPREAD = 0.15
"""Relative standard error of that width: people (6 %; children are smaller), turned heads, the steps of the finder."""
PERSON_BOX_M = 1.9
"""Height of the window that the people finder draws around a standing adult of 1.65 m (NCD-RisC, "A century of
trends in adult human height", eLife 2016), who fills about 0.87 of it."""
PERSON_SPREAD = 0.2
"""Relative standard error of that height: people (6 %), postures, and above all the window."""

_FINE_SIDE, _LONG_SIDE = 832, 576
_SMALLEST_PX = 24
_EYE_PX = 160
_OVERLAP = 0.45
_PERSON_SCORE = 0.5
_CASCADES = (
    "haarcascade_frontalface_alt2.xml",
    "haarcascade_frontalface_default.xml",
    "haarcascade_eye.xml",
)
_LOCK = threading.Lock()  # a cascade keeps its working memory in itself


What = Literal["face", "person", "plate", "door"]


@dataclass(frozen=True, slots=True)
class Familiar:
    """Something of a known size.

    Attributes:
        what: A face, a standing person, the number plate of a car, or a door.
        left: Of the box around it, pixels of the picture from the left edge.
        top: From the top edge.
        width: Of the box, pixels.
        height: Of the box, pixels.
        metres: The true width of a face's or a plate's box, the true height of a person's or a door's.
        spread: Relative standard error of ``metres``, with that of the box.
    """

    what: What
    left: float
    top: float
    width: float
    height: float
    metres: float
    spread: float


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    width: float
    height: float

    def moved(self, factor: float, left: float = 0, top: float = 0) -> _Box:
        """Scaled about the origin, then shifted."""
        return _Box(self.left * factor + left, self.top * factor + top, self.width * factor, self.height * factor)

    def overlap(self, other: _Box) -> float:
        """Shared area over joint area."""
        w = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        h = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        shared = max(w, 0) * max(h, 0)
        return shared / (self.width * self.height + other.width * other.height - shared)


def absent() -> str | None:
    """Why nothing can be found here, in words for the user; None if the finders are there."""
    import cv2

    if not hasattr(cv2, "CascadeClassifier") or not all((_folder() / name).is_file() for name in _CASCADES):
        return f"OpenCV {cv2.__version__} has no face finder"
    return None


def find_familiar(rgb: U8) -> tuple[Familiar, ...]:
    """Faces, people, number plates and doors of a picture, in this order, the largest of each first.

    Args:
        rgb: (h, w, 3) uint8 sRGB, upright. It is looked at with its long side at most 832 pixels, for faces and
            people 576, in which a face must be 24 pixels wide, a plate 36, a door a quarter of the height.

    Returns:
        What was found, in pixels of ``rgb``; no faces and people where :func:`absent` gives a reason.
    """
    from unflat.models.door import HEIGHT_M, SPREAD, find_doors
    from unflat.models.number_plate import find_plates

    small = _shrunk(rgb, _FINE_SIDE)
    back = rgb.shape[1] / small.shape[1]
    with ThreadPoolExecutor(2) as others:  # OpenCV lets go of the interpreter while it works
        plates, doors = others.submit(find_plates, rgb, small), others.submit(find_doors, small)
        people = _faces_and_people(rgb, _shrunk(small, _LONG_SIDE))
    found = [*people]
    for plate in plates.result():
        found.append(_known("plate", _around(plate.corners, plate.width, plate.height), plate.metres, plate.spread))
    for door in doors.result():
        box = _around(door.corners, float(np.ptp(door.corners[:, 0])), door.height)
        found.append(_known("door", box.moved(back), HEIGHT_M, SPREAD))
    return tuple(found)


def _around(corners: F64, width: float, height: float) -> _Box:
    """A box of the given size about the middle of four corners."""
    x, y = (float(v) for v in corners.mean(axis=0))
    return _Box(x - width / 2, y - height / 2, width, height)


def _shrunk(rgb: U8, most: int) -> U8:
    full = Size(rgb.shape[1], rgb.shape[0])
    size = full.fitted(most)
    if size == full:
        return rgb
    import cv2

    return np.asarray(cv2.resize(rgb, (size.width, size.height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _faces_and_people(rgb: U8, small: U8) -> tuple[Familiar, ...]:
    """Looked for in the small picture, verified in the full one."""
    if absent() is not None:
        return ()
    import cv2

    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    back = rgb.shape[1] / small.shape[1]
    with _LOCK:
        faces = [box for box in _faces(grey) if _has_eye(rgb, box.moved(back))]
        people = _people(small, faces)
    faces.sort(key=lambda box: -box.width)
    return (
        *(_known("face", box.moved(back), FACE_BOX_M, FACE_SPREAD) for box in faces),
        *(_known("person", box.moved(back), PERSON_BOX_M, PERSON_SPREAD) for box in people),
    )


def _known(what: What, box: _Box, metres: float, spread: float) -> Familiar:
    return Familiar(what, box.left, box.top, box.width, box.height, metres, spread)


def _folder() -> Path:
    """Where the wheel keeps its cascades; a place without any in a wheel that has none."""
    import cv2

    return Path(getattr(getattr(cv2, "data", None), "haarcascades", "no-cascades"))


@lru_cache(maxsize=4)
def _cascade(name: str) -> cv2.CascadeClassifier:
    import cv2

    return cv2.CascadeClassifier(str(_folder() / name))


@lru_cache(maxsize=1)
def _people_finder() -> cv2.HOGDescriptor:
    import cv2

    finder = cv2.HOGDescriptor()
    finder.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())  # type: ignore[arg-type]
    return finder


def _boxes(found: Any) -> list[_Box]:
    """What OpenCV returns, an (n, 4) array or an empty tuple, as boxes."""
    return [_Box(*(float(v) for v in row)) for row in found]


def _faces(grey: U8) -> list[_Box]:
    """Squares in which both cascades see a face."""
    first, second = _cascade(_CASCADES[0]), _cascade(_CASCADES[1])
    if min(grey.shape) < _SMALLEST_PX:
        return []
    agreed: list[_Box] = []
    for box in _boxes(first.detectMultiScale(grey, 1.15, 4, minSize=(_SMALLEST_PX, _SMALLEST_PX))):
        margin = box.width / 4
        left, top = max(0, int(box.left - margin)), max(0, int(box.top - margin))
        around = grey[top : int(box.top + box.height + margin), left : int(box.left + box.width + margin)]
        least = int(0.6 * box.width)
        again = _boxes(second.detectMultiScale(around, 1.1, 3, minSize=(least, least)))
        if any(box.overlap(other.moved(1, left, top)) > _OVERLAP for other in again):
            agreed.append(box)
    return agreed


def _has_eye(rgb: U8, box: _Box) -> bool:
    """True if the eye finder sees an eye where a face has its eyes. ``box`` in pixels of ``rgb``."""
    import cv2

    top, left = max(0, int(box.top)), max(0, int(box.left))
    upper = rgb[top : int(box.top + 0.6 * box.height), left : int(box.left + box.width)]
    if min(upper.shape[:2]) < 8:
        return False
    scaled = cv2.resize(upper, (_EYE_PX, round(_EYE_PX * 0.6)), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(scaled, cv2.COLOR_RGB2GRAY)
    eyes = _cascade(_CASCADES[2]).detectMultiScale(grey, 1.1, 4, minSize=(24, 24), maxSize=(64, 64))
    return len(eyes) > 0


def _people(small: U8, faces: list[_Box]) -> list[_Box]:
    """Windows of standing people whose head is one of the faces and who are in the picture down to their feet."""
    height, width = small.shape[:2]
    if not faces or height < 128 or width < 64:
        return []
    found, scores = _people_finder().detectMultiScale(small, winStride=(8, 8), padding=(8, 8), scale=1.1)
    return [
        box
        for box, score in zip(_boxes(found), np.ravel(np.asarray(scores)), strict=True)
        if score >= _PERSON_SCORE
        and box.top >= 0
        and box.top + box.height <= height
        and any(_is_head(face, box) for face in faces)
    ]


def _is_head(face: _Box, person: _Box) -> bool:
    """True if the face is as large and as high up as a standing person's: 1/14 to 1/8 of the window's height."""
    x = (face.left + face.width / 2 - person.left) / person.width
    y = (face.top + face.height / 2 - person.top) / person.height
    return 0.3 <= x <= 0.7 and y <= 0.25 and 1 / 16 <= face.width / person.height <= 1 / 7

"""What tissues are called, where their values lie and how they look; and how users name a part of a scan in words."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.bits import Packed
from unflat.geometry.marching import Limits
from unflat.types.scene import Finish
from unflat.types.volume import Grid

_NUMBER = r"[-+]?\d+(?:\.\d+)?"


class Kind(NamedTuple):
    """A tissue that presets find in Hounsfield units.

    Attributes:
        low: The least value inside.
        high: The greatest.
        finish: How it looks.
        least_ml: Loose pieces smaller than this are left out, in millilitres.
        title: What its node is called.
    """

    low: float
    high: float
    finish: Finish
    least_ml: float
    title: str


KINDS: dict[str, Kind] = {
    "bone": Kind(226, math.inf, Finish((236, 220, 186)), 0.1, "bone"),
    "skin": Kind(-300, math.inf, Finish((222, 174, 146)), 20, "skin"),
    "lung": Kind(-math.inf, -400, Finish((214, 140, 140)), 20, "lung"),
    "muscle": Kind(-29, 150, Finish((168, 72, 62)), 2, "muscle and organs"),
    "fat": Kind(-190, -30, Finish((238, 214, 134)), 2, "fat"),
    "vessels": Kind(130, 600, Finish((196, 44, 44)), 0.3, "vessels"),
    "teeth": Kind(1400, math.inf, Finish((250, 246, 232)), 0.02, "teeth"),
}
"""By the names that ``--preset`` takes. Muscle and fat: the ranges of body composition (Aubrey et al., Acta
Physiologica 210(3), 2014); bone: the threshold in common use for models; the others chosen by looking."""
PLAIN = Finish((214, 202, 188))
"""How a part without a name of its own looks."""
SHEER = 0.35
"""The opacity of skin that has something else inside."""
_WHEEL = (
    *((221, 130, 101), (144, 238, 144), (128, 174, 128), (216, 101, 79), (241, 214, 145), (177, 122, 101)),
    *((111, 184, 210), (188, 156, 220), (230, 220, 70), (200, 90, 140), (90, 160, 120), (150, 150, 210)),
)
_BY_WORD: tuple[tuple[str, tuple[int, int, int]], ...] = (
    ("vein|vena|venous", (84, 110, 190)),
    ("arter|aorta|trunk|vessel", (206, 62, 54)),
    ("costal|cartilage|disc", (190, 206, 214)),
    (
        "vertebra|rib|skull|sternum|sacrum|hip|femur|humerus|scapula|clavicul|tibia|fibula|radius|ulna|patella|carpal"
        "|tarsal|phalan|mandib|bone",
        (236, 220, 186),
    ),
    ("tooth|teeth", (250, 246, 232)),
    ("lung|bronch|trachea|airway", (214, 150, 150)),
    ("heart|atri|ventric", (176, 58, 58)),
    ("liver", (150, 74, 58)),
    ("spleen", (130, 62, 84)),
    ("adrenal", (224, 190, 110)),
    ("kidney|renal", (168, 84, 70)),
    ("pancreas", (226, 186, 130)),
    ("gallbladder", (110, 150, 70)),
    ("stomach|esophag|oesophag", (222, 158, 140)),
    ("colon|bowel|duoden|intestin|rectum", (208, 150, 122)),
    ("bladder", (226, 206, 110)),
    ("brain|spinal|nerve", (232, 204, 184)),
    ("muscle|glute|iliopsoas|autochthon", (168, 72, 62)),
    ("fat", (238, 214, 134)),
    ("skin|body", (222, 174, 146)),
    ("tumor|tumour|lesion|cyst", (120, 190, 80)),
)


def color_of(number: int, name: str = "") -> tuple[int, int, int]:
    """A colour for a label that has none: that of its kind of tissue where its name tells it."""
    plain = name.lower()
    return next((color for words, color in _BY_WORD if re.search(words, plain)), _WHEEL[(number - 1) % len(_WHEEL)])


class Tissue(NamedTuple):
    """A part of a scan.

    Attributes:
        name: What its node will be called.
        bits: What is inside, on the voxels of ``grid``.
        values: (slices, rows, columns), what was measured, and by which the surface is found between two voxels.
        grid: Where these voxels are; a part of the scan's grid, or a grid of its own.
        limits: Of the values inside; None where somebody drew it, so that the surface is halfway between two voxels.
        finish: How it looks.
    """

    name: str
    bits: Packed
    values: NDArray[Any]
    grid: Grid
    limits: Limits | None
    finish: Finish


@dataclass(frozen=True, slots=True)
class Presets:
    """Names of tissues, as ``bone,skin`` tells them."""

    names: tuple[str, ...]

    @staticmethod
    def parse(text: str) -> Presets:
        """Read names parted by commas.

        Raises:
            InputError: One of them is of no tissue.
        """
        names = tuple(dict.fromkeys(word for word in re.split(r"[,\s]+", text.lower()) if word))
        unknown = [name for name in names if name not in KINDS]
        if unknown or not names:
            raise InputError(
                f"there is no preset '{unknown[0] if unknown else text}'", hint=f"Presets: {' '.join(KINDS)}"
            )
        return Presets(names)


@dataclass(frozen=True, slots=True)
class Span:
    """Values from ``low`` to ``high``, as ``300`` (from there on) or ``100..300`` tell them."""

    low: float
    high: float = math.inf

    @staticmethod
    def parse(text: str) -> Span:
        """Read one number, or two with two dots between them.

        Raises:
            InputError: It is neither, or the second is less than the first.
        """
        found = re.fullmatch(rf"({_NUMBER})?(\.\.)?({_NUMBER})?", text.strip())
        if not found or (found[1] is None and found[3] is None) or (found[1] and found[3] and not found[2]):
            raise InputError(f"--threshold {text} is not understood", hint="Give 300, or 100..300, or ..-400")
        span = Span(float(found[1]) if found[1] else -math.inf, float(found[3]) if found[3] else math.inf)
        if span.low > span.high:
            raise InputError(f"--threshold {text} begins behind its end", hint="The lower value comes first.")
        return span


@dataclass(frozen=True, slots=True)
class Seeds:
    """Voxels (column, row, slice), counted from 0, as ``120,80,33`` or ``120,80,33;60,80,33`` tell them."""

    voxels: tuple[tuple[int, int, int], ...]

    @staticmethod
    def parse(text: str) -> Seeds:
        """Read voxels parted by semicolons.

        Raises:
            InputError: One of them is not three whole numbers.
        """
        found = [re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*", part) for part in text.split(";") if part.strip()]
        if not found or not all(found):
            raise InputError(f"--seed {text} is not understood", hint="Give voxels: COLUMN,ROW,SLICE;COLUMN,ROW,SLICE")
        return Seeds(tuple((int(one[1]), int(one[2]), int(one[3])) for one in found if one))


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the voxels, as ``100:300,80:260,0:40`` tells it: columns, rows, slices, the end not among them."""

    columns: tuple[int, int]
    rows: tuple[int, int]
    slices: tuple[int, int]

    @staticmethod
    def parse(text: str) -> Box:
        """Read three ranges parted by commas.

        Raises:
            InputError: It is not three ranges, or one is empty.
        """
        found = [re.fullmatch(r"\s*(\d+)\s*:\s*(\d+)\s*", part) for part in text.split(",")]
        pairs = [(int(one[1]), int(one[2])) for one in found if one]
        if len(found) != 3 or len(pairs) != 3 or any(low >= high for low, high in pairs):
            raise InputError(f"--roi {text} is not understood", hint="Give COLUMNS,ROWS,SLICES: 100:300,80:260,0:40")
        return Box(*pairs)

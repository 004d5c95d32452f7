"""Words in file names by which players know how two views are packed.

No standard says them. Sources: the names that iw3 and its player give and read (``_LRF_Full_SBS`` satisfies Pigasus,
which looks for ``LRF``, SKYBOX, ``Full_SBS``, and DeoVR, ``SBS``) and the tables of SKYBOX and DeoVR. Where they
disagree, iw3's meaning is taken: ``SBS`` alone is two full views, ``LR`` two halves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from unflat.types.stereo import Layout

_ENDS: dict[Layout, str] = {
    Layout.FULL_SBS: "_LRF_Full_SBS",
    Layout.HALF_SBS: "_LR",
    Layout.FULL_TB: "_TBF_fulltb",
    Layout.HALF_TB: "_TB",
    Layout.CROSS: "_RLF_cross",
    Layout.ANAGLYPH: "_redcyan",
    Layout.WIGGLE: "_wiggle",
    Layout.RGBD: "_RGBD",
    Layout.VR180: "_180x180_LR",
}
"""What is added to a name; layouts that a file's format tells of (MPO, spatial) need no word."""

_WORDS: dict[Layout, tuple[str, ...]] = {
    Layout.FULL_SBS: ("lrf_full_sbs", "full_sbs", "fullsbs", "fsbs", "lrf", "sbs", "3dhf", "3dphf", "side_by_side"),
    Layout.HALF_SBS: ("half_sbs", "halfsbs", "hsbs", "h_sbs", "lr", "3dh", "3dph"),
    Layout.CROSS: ("rlf_cross", "rlf", "rl"),
    Layout.FULL_TB: ("tbf_fulltb", "full_tb", "fulltb", "full_ou", "fullou", "ftab", "fou", "tbf", "3dvf", "3dpvf"),
    Layout.HALF_TB: (
        *("half_tb", "halftb", "half_ou", "halfou", "htab", "h_tab", "hou", "h_ou", "tab", "tb", "ou"),
        *("top_bottom", "over_under", "3dv", "3dpv"),
    ),
    Layout.ANAGLYPH: ("redcyan", "anaglyph"),
    Layout.RGBD: ("rgbd",),
    Layout.WIGGLE: ("wiggle",),
}
_SPHERES: dict[str, int] = {"180x180": 180, "vr180": 180, "180": 180, "360": 360}
_BESIDE = (Layout.FULL_SBS, Layout.HALF_SBS)
_APART = r"[\W_]+"
_MARKS = r"[^\w\s]+"
_SHORT = 3
"""Words of so few letters may be words of a title: blanks around them do not count, unless the name says 3D as well."""


@dataclass(frozen=True, slots=True)
class NameSigns:
    """What a name says.

    Attributes:
        layout: How the views are packed.
        words: The words that say so, in lower case with ``_`` between their parts.
        degrees: Of the sphere that they are on, 180 or 360; None for flat pictures.
    """

    layout: Layout
    words: tuple[str, ...]
    degrees: int | None = None


def name_for(layout: Layout, stem: str) -> str:
    """A name (without suffix) that players take for ``layout``; words for other layouts at its end are taken away.

    The words stand at the end, where all players look: ``holiday`` becomes ``holiday_LRF_Full_SBS``.
    """
    return _without_words(stem) + _ENDS.get(layout, "")


def signs_in(path: Path) -> NameSigns | None:
    """What the name of a file says, or else that of its folder; the longest word wins, capitals do not matter."""
    return signs_of_stem(path.stem) or signs_of_stem(path.absolute().parent.name)


def signs_of_stem(name: str) -> NameSigns | None:
    """What a name without its suffix says; the longest word wins, capitals do not matter."""
    low = name.lower()
    parts = f"_{re.sub(_APART, '_', low)}_"
    strict = parts if "_3d_" in parts else f"_{re.sub(_MARKS, '_', low)}_"
    found = [
        (len(word), layout, word)
        for layout, words in _WORDS.items()
        for word in words
        if f"_{word}_" in (strict if len(word) <= _SHORT else parts)
    ]
    best = max(found, key=lambda one: one[0], default=None)
    if best is None:
        return None
    _, layout, word = best
    sphere = next((ball for ball in _SPHERES if f"_{ball}_" in parts), None)
    if sphere is None:
        return NameSigns(layout, (word,))
    degrees = _SPHERES[sphere]
    layout = Layout.VR180 if degrees == 180 and layout in _BESIDE else layout
    return NameSigns(layout, (sphere, word), degrees)


def _without_words(stem: str) -> str:
    """A name without the words for layouts at its end; never nothing."""
    known = {word for words in _WORDS.values() for word in words}
    ways = sorted((re.escape(word).replace("_", _APART) for word in known), key=len, reverse=True)
    balls = "|".join(map(re.escape, _SPHERES))
    shorter = re.sub(rf"([._-]({balls}))?([._-]({'|'.join(ways)}))+$", "", stem, flags=re.IGNORECASE)
    return shorter or stem

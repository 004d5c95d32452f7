"""Which devices and programs show a file in 3D, and why or why not, from what is really in the file.

A row is a device and a rule. The rules follow what the makers document or what others have reported (iw3's notes on
players, the tables of names of SKYBOX, DeoVR and RAD, Google's and Apple's formats); none was tried on the device
itself. ``by hand`` means that the device can show it once its user has chosen how the views are packed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from unflat.formats.stereo_facts import StereoFacts
from unflat.types.stereo import Layout

Shows = Literal["yes", "by hand", "no"]
Verdict = tuple[Shows, str]
Rule = Callable[[StereoFacts], Verdict]

_HALF = (Layout.HALF_SBS, Layout.HALF_TB)
_FULL = (Layout.FULL_SBS, Layout.FULL_TB)
_FLAT = (*_HALF, *_FULL)
_BESIDE = (Layout.FULL_SBS, Layout.HALF_SBS)
_SCREEN = {
    Layout.ANAGLYPH: "every screen shows it; red-cyan glasses are all that it takes",
    Layout.WIGGLE: "the views take turns on any screen; no glasses are needed",
}
_NO_TWO_LAYERS: Verdict = ("no", "it does not decode the second view of an MV-HEVC film")
_NO_PAIR: Verdict = ("no", "it shows the left picture only")
_ONE_EYE: Verdict = ("no", "it shows the left eye; the right one is in the picture's XMP")


def devices(facts: StereoFacts) -> list[dict[str, str]]:
    """Every device of the table: its name (``device``), ``shows_3d`` (``yes``, ``by hand`` or ``no``) and ``why``."""
    screen = _SCREEN.get(facts.layout)
    rows = ((device, *(("yes", screen) if screen else _verdict(facts, rule))) for device, rule in _ROWS)
    return [{"device": device, "shows_3d": shows, "why": why} for device, shows, why in rows]


def _verdict(facts: StereoFacts, rule: Rule) -> Verdict:
    return _ONE_EYE if facts.says("right_eye") and rule is not _google_photos else rule(facts)


def _any_screen(facts: StereoFacts) -> Verdict:
    if facts.layout is Layout.CROSS:
        return "by hand", "cross your eyes until the views meet"
    if facts.layout is Layout.FULL_SBS and facts.degrees is None:
        return "by hand", "look in parallel at a small picture, each eye at its own view"
    return "no", "without glasses or a headset it is two pictures, or one"


def _youtube(facts: StereoFacts) -> Verdict:
    if not facts.film:
        return "no", "YouTube takes films"
    if facts.degrees is not None:
        told = facts.says("st3d", "stereo_mode") and facts.says("sv3d", "projection")
        told = told or facts.says("v1")
        if told:
            return "yes", "it says that it is on a sphere, and how the eyes are packed"
        return "no", "nothing in the file says that it is on a sphere"
    if facts.layout in _HALF and facts.coding == "h264" and facts.says("sei"):
        return "yes", "H.264 with the frame packing message"
    return "no", "of flat films it takes half-size views in H.264 with the frame packing message"


def _named(facts: StereoFacts, known: tuple[str, ...], which: str) -> Verdict:
    """Players that go by the name alone."""
    if facts.layout is Layout.SPATIAL:
        return _NO_TWO_LAYERS if facts.film else _NO_PAIR
    if facts.layout not in (*_FLAT, Layout.CROSS, Layout.VR180):
        return "no", f"it does not know {facts.layout.value}"
    word = next((one for one in facts.words if any(part in known for part in (one, *one.split("_")))), None)
    if word is not None:
        return "yes", f"the name says {word}"
    return "by hand", f"choose how it is packed; the name has none of the words {which}"


def _deovr(facts: StereoFacts) -> Verdict:
    return _named(facts, ("sbs", "lr", "rl", "tb", "ou"), "SBS LR TB OU")


def _skybox(facts: StereoFacts) -> Verdict:
    known = ("3dh", "3dv", "lr", "rl", "sbs", "hsbs", "tb", "ou", "hou", "top_bottom", "over_under")
    return _named(facts, known, "SBS HSBS LR TB OU HOU 3dh 3dv")


def _pigasus(facts: StereoFacts) -> Verdict:
    return _named(facts, ("lrf", "lr", "tbf", "tb", "rlf"), "LRF LR TBF TB")


def _quest(facts: StereoFacts) -> Verdict:
    if facts.layout is Layout.SPATIAL:
        return "by hand", "send it through Meta's telephone app, which makes side-by-side views of it"
    if facts.layout in (*_FLAT, Layout.VR180):
        return "by hand", "choose how it is packed in the player's menu"
    return "no", f"it does not know {facts.layout.value}"


def _quest_browser(facts: StereoFacts) -> Verdict:
    if facts.layout in (Layout.HALF_SBS, Layout.VR180) and facts.film:
        return "by hand", "play it on the full screen and choose 3D side by side"
    return "no", "of flat films it takes half-size views side by side"


def _spatial(facts: StereoFacts) -> Verdict:
    """Apple's own kinds of files."""
    if facts.film:
        missing = [name for name in ("lhvC", "vexu") if not facts.says(name)]
        if missing:
            return "no", f"an MV-HEVC film needs the box {missing[0]}"
        whole = facts.baseline_m is not None and facts.fov_x_deg is not None and "disparity" in facts.marks["vexu"]
        which = "" if whole else "; stereo, but not spatial: baseline, angle of view or disparity is missing"
        return "yes", f"MV-HEVC with both views (lhvC) and what they are (vexu){which}"
    if facts.says("spatial"):
        return "yes", "a stereo pair with its cameras"
    return "no", "a stereo pair without its cameras is stereo, but not spatial"


def _vision(facts: StereoFacts) -> Verdict:
    if facts.layout is Layout.SPATIAL:
        return _spatial(facts)
    if facts.layout is Layout.VR180 and facts.says("vexu"):
        return "yes", "visionOS 26 or later: vexu says half a sphere and how the eyes are packed"
    if facts.film and facts.layout in (*_FLAT, Layout.VR180):
        return "by hand", "in a player of the App Store; the system's own takes MV-HEVC"
    return "no", f"it does not know {facts.layout.value}"


def _television(facts: StereoFacts) -> Verdict:
    if facts.layout is Layout.MPO:
        return "yes", "televisions with 3D show MPO pictures from a memory stick"
    if facts.layout in _HALF and facts.degrees is None:
        kind = "side by side" if facts.layout is Layout.HALF_SBS else "top and bottom"
        if facts.film and facts.coding == "h264" and facts.says("sei"):
            return "yes", f"sets that read the frame packing message switch by themselves; on others choose {kind}"
        return "by hand", f"press the set's 3D button and choose {kind}"
    return "no", "a set takes half-size views, and halves full ones"


def _google_photos(facts: StereoFacts) -> Verdict:
    if facts.says("right_eye"):
        return "yes", "with a viewer for telephones: it reads the right eye from the picture's XMP"
    return "no", "of stereo pictures it takes VR photos (.vr.jpg)"


def _console(facts: StereoFacts) -> Verdict:
    if facts.layout is Layout.MPO:
        return "by hand", "name it HNI_0001.MPO in DCIM/100NIN03 of its card; its own are 640×480"
    return "no", "it takes MPO pictures"


def _stereo_camera(facts: StereoFacts) -> Verdict:
    if facts.layout is Layout.MPO:
        return "yes", "MPO of two disparity pictures, as they write it themselves"
    return "no", "they take MPO pictures"


def _vlc(facts: StereoFacts) -> Verdict:
    if facts.layout is Layout.SPATIAL:
        return _NO_TWO_LAYERS if facts.film else _NO_PAIR
    return "no", "VLC shows both views at once, as they are packed"


def _kodi(facts: StereoFacts) -> Verdict:
    if not facts.film or facts.layout not in (*_FLAT, Layout.CROSS):
        return "no", "it takes films with flat views side by side or above each other"
    if facts.says("stereo_mode"):
        return "yes", "the Matroska file says StereoMode"
    return "by hand", "choose the stereoscopic mode; a .mkv that says StereoMode needs no hand"


def _bino(facts: StereoFacts) -> Verdict:
    """A player for computers with 3D screens; it goes by what FFmpeg reads."""
    if facts.film and facts.layout in (*_FLAT, Layout.CROSS, Layout.VR180):
        if facts.says("st3d", "stereo_mode", "sei", "vexu"):
            return "yes", "the file says how it is packed"
        return "by hand", "choose the input mode"
    return "no", "it takes films with packed views"


def _glasses(facts: StereoFacts) -> Verdict:
    if facts.layout in _BESIDE and facts.degrees is None:
        full = facts.layout is Layout.FULL_SBS
        return "by hand", "switch them to 3D" if full else "switch them to 3D, and the player to stretch halves"
    return "no", "they take flat views side by side"


def _pico(facts: StereoFacts) -> Verdict:
    if facts.layout in (*_FLAT, Layout.VR180):
        return "by hand", "choose how it is packed; the browser takes full views side by side"
    return _NO_TWO_LAYERS if facts.layout is Layout.SPATIAL and facts.film else ("no", "it does not know such files")


def _playstation(facts: StereoFacts) -> Verdict:
    if facts.degrees is None:
        return "no", "its players of files (RAD) look for 180 or 360 in the name"
    verdict = _named(facts, ("sbs", "lr", "rl", "tb", "bt", "ou"), "sbs lr rl tb bt ou")
    if verdict[0] == "yes" and not any(word in ("180", "180x180", "360") for word in facts.words):
        return "by hand", "the name says nothing of 180 or 360"
    return verdict


def _holographic(facts: StereoFacts) -> Verdict:
    if facts.layout is Layout.RGBD:
        return "by hand", "import it in Looking Glass Studio as RGB-D"
    return "no", "it takes colour with depth"


_ROWS: tuple[tuple[str, Rule], ...] = (
    ("any screen", _any_screen),
    ("YouTube", _youtube),
    ("Meta Quest", _quest),
    ("Meta Quest browser", _quest_browser),
    ("DeoVR", _deovr),
    ("SKYBOX", _skybox),
    ("Pigasus", _pigasus),
    ("Apple Vision Pro", _vision),
    ("PICO", _pico),
    ("PlayStation VR2 (RAD)", _playstation),
    ("3D television", _television),
    ("stereo camera (Fujifilm Real 3D)", _stereo_camera),
    ("Nintendo 3DS", _console),
    ("Google Photos and Cardboard (Android)", _google_photos),
    ("display glasses (XREAL, VITURE, Rokid)", _glasses),
    ("Bino", _bino),
    ("Kodi", _kodi),
    ("VLC", _vlc),
    ("Looking Glass", _holographic),
)

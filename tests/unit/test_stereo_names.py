"""Names say how views are packed, and what they say decides which players need no hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from unflat.formats.devices import devices
from unflat.formats.stereo_facts import StereoFacts
from unflat.formats.stereo_names import NameSigns, name_for, signs_in
from unflat.types import Size
from unflat.types.stereo import Layout

NAMED = [layout for layout in Layout if layout not in (Layout.PAIR, Layout.MPO, Layout.SPATIAL)]
NOWHERE = Path("/films")
titles = some.text(some.sampled_from("abcxyzABC 019.-_()é"), min_size=1, max_size=20)


def seen(name: str) -> NameSigns | None:
    return signs_in(NOWHERE / f"{name}.mp4")


@given(titles, some.sampled_from(NAMED), some.sampled_from(NAMED))
def test_what_is_written_is_read_whatever_the_name_said_before(title: str, before: Layout, layout: Layout) -> None:
    signs = seen(name_for(layout, name_for(before, title)))
    assert signs is not None and signs.layout is layout
    assert signs.degrees == (180 if layout is Layout.VR180 else None)
    once = name_for(layout, title)
    assert name_for(layout, once) == once, "the words stand there once"


def test_the_full_name_satisfies_the_three_players_that_disagree() -> None:
    name = name_for(Layout.FULL_SBS, "film")
    assert name == "film_LRF_Full_SBS"
    assert "LRF" in name and "Full_SBS" in name and name.endswith("SBS")


@pytest.mark.parametrize(
    ("name", "layout", "degrees"),
    [
        ("a_SBS", Layout.FULL_SBS, None),  # alone it means full views
        ("a_LR", Layout.HALF_SBS, None),
        ("a.3dh.1080p", Layout.HALF_SBS, None),
        ("Film 3D H-SBS (2010)", Layout.HALF_SBS, None),
        ("Film 3D TAB", Layout.HALF_TB, None),
        ("a_TBF_x_TB", Layout.FULL_TB, None),  # the longest word wins
        ("a_rlf", Layout.CROSS, None),
        ("trip_180_LR", Layout.VR180, 180),
        ("trip_360_TB", Layout.HALF_TB, 360),
        ("a_redcyan_dubois", Layout.ANAGLYPH, None),
        ("a_3DPVF", Layout.FULL_TB, None),
    ],
)
def test_names_of_others_are_read(name: str, layout: Layout, degrees: int | None) -> None:
    signs = seen(name)
    assert signs is not None and (signs.layout, signs.degrees) == (layout, degrees)


@pytest.mark.parametrize("name", ["LRC", "salt", "Rien ou tout", "Xbox_360", "tbx_lrx", "3D", "sb s"])
def test_names_that_say_nothing(name: str) -> None:
    assert seen(name) is None


def test_the_folder_speaks_where_the_name_is_silent() -> None:
    assert signs_in(Path("/x/films_LR/a.mp4")) == NameSigns(Layout.HALF_SBS, ("lr",))
    assert signs_in(Path("/x/films_LR/a_TB.mp4")) == NameSigns(Layout.HALF_TB, ("tb",))


def shows(facts: StereoFacts) -> dict[str, str]:
    return {row["device"]: row["shows_3d"] for row in devices(facts)}


def film(layout: Layout, *marks: str, words: tuple[str, ...] = (), degrees: int | None = None) -> StereoFacts:
    return StereoFacts("mp4", True, layout, "h264", Size(960, 1080), words, dict.fromkeys(marks, True), degrees)


@pytest.mark.parametrize("layout", list(Layout))
def test_every_device_has_a_verdict_and_a_reason_for_every_layout(layout: Layout) -> None:
    for facts in (film(layout), StereoFacts("jpeg", False, layout), film(layout, "st3d", "sv3d", degrees=180)):
        rows = devices(facts)
        assert len({row["device"] for row in rows}) == len(rows) >= 16
        assert all(row["shows_3d"] in ("yes", "by hand", "no") and len(row["why"]) > 8 for row in rows)
        json.dumps(facts.to_plain())


def test_verdicts_follow_what_is_in_the_file() -> None:
    bare, told = shows(film(Layout.HALF_SBS)), shows(film(Layout.HALF_SBS, "sei", "st3d", words=("lr",)))
    assert (bare["YouTube"], told["YouTube"]) == ("no", "yes")
    assert (bare["DeoVR"], told["DeoVR"]) == ("by hand", "yes")
    assert (bare["3D television"], told["3D television"]) == ("by hand", "yes")
    assert told["Meta Quest browser"] == "by hand" and shows(film(Layout.FULL_SBS))["Meta Quest browser"] == "no"
    assert shows(film(Layout.FULL_SBS, "sei"))["3D television"] == "no"
    ball = film(Layout.VR180, "st3d", "sv3d", words=("180", "lr"), degrees=180)
    assert shows(ball)["YouTube"] == shows(ball)["PlayStation VR2 (RAD)"] == "yes"
    assert shows(film(Layout.VR180, words=("180", "lr"), degrees=180))["YouTube"] == "no"
    assert shows(film(Layout.SPATIAL, "vexu"))["Apple Vision Pro"] == "no", "without lhvC there is no second view"
    assert (
        shows(StereoFacts("mov", True, Layout.SPATIAL, marks={"vexu": {}, "lhvC": True}))["Apple Vision Pro"] == "yes"
    )
    assert set(shows(film(Layout.ANAGLYPH)).values()) == {"yes"}
    assert (shows(film(Layout.FULL_TB, "st3d"))["Bino"], shows(film(Layout.FULL_TB))["Bino"]) == ("yes", "by hand")
    matroska = film(Layout.HALF_TB, "stereo_mode")
    assert (shows(matroska)["Kodi"], shows(film(Layout.HALF_TB))["Kodi"]) == ("yes", "by hand")

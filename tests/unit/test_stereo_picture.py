"""A pair of views as files: what lies where, what goes along, what does not, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pil

import pictures
from unflat.errors import InputError, OutputError, ShapeError
from unflat.formats.colour import recoloured
from unflat.formats.image import read_image
from unflat.formats.mpo import read_pictures
from unflat.formats.picture_story import story_in
from unflat.formats.stereo_found import find_stereo
from unflat.formats.stereo_picture import Writing, check_place, default_name, layout_in_name, targets, write_stereo
from unflat.formats.vr180_photo import read_vr_photo
from unflat.geometry.layout import packed, unpacked
from unflat.stages.lay_out import LayoutOptions, lay_out
from unflat.types.provenance import Provenance, Rights, Source, Step
from unflat.types.stereo import Layout, StereoPair

Bytes = NDArray[np.uint8]
SOURCE = Source("a.jpg", None, "jpeg", Rights("Zoë", "© Zoë"), "2024:05:01 12:30:00 +02:00")
STORY = Provenance((SOURCE,), (Step("make_stereo"),), "0", True)


def smooth(seed: int) -> Bytes:
    """(48, 64, 3) of soft colours."""
    y, x = np.mgrid[0:48, 0:64] / 64
    phase = np.array([0.0, 1.1, 2.3]) + seed
    waves = 127 + 90 * np.sin(5 * x[..., None] + phase) * np.cos(4 * y[..., None] + phase)
    return waves.astype(np.uint8)


LEFT, RIGHT = smooth(0), smooth(2)
PAIR = StereoPair(LEFT, RIGHT, source=SOURCE, fov_x_deg=60)


def how(layout: Layout, pair: StereoPair = PAIR, **more: object) -> Writing:
    try:
        pack = lay_out(layout, pair.size, LayoutOptions(sphere_size=96), pair.fov_x_deg)
    except ShapeError:
        pack = None
    return Writing(STORY, pack, **more)  # type: ignore[arg-type]


FLAT = (Layout.FULL_SBS, Layout.HALF_SBS, Layout.FULL_TB, Layout.HALF_TB, Layout.CROSS, Layout.VR180, Layout.ANAGLYPH)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".avif"])
@pytest.mark.parametrize("layout", FLAT)
def test_both_views_in_one_picture(tmp_path: Path, layout: Layout, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    told = how(layout)
    assert write_stereo(PAIR, path, layout, told).files == [path] == list(tmp_path.iterdir())
    back = read_image(path)
    want = told.packed(PAIR)
    assert back.pixels.shape == want.shape
    apart = np.abs(back.pixels.astype(int) - want).mean()
    assert apart == 0 if suffix in (".png", ".tif") else apart < 3
    assert (back.source.rights.creator, back.source.rights.copyright) == ("Zoë", "© Zoë")
    assert suffix == ".tif" or back.source.taken == SOURCE.taken
    story = story_in(path)
    assert story is not None and story.invented and story.sources[0].name == "a.jpg"


def test_a_jps_is_a_jpeg_for_crossed_eyes(tmp_path: Path) -> None:
    path = tmp_path / "a.jps"
    write_stereo(PAIR, path, Layout.CROSS, how(Layout.CROSS))
    with Pil.open(path) as file:
        assert file.format == "JPEG"
        left, right = unpacked(np.asarray(file), Layout.CROSS)
    assert np.abs(left.astype(int) - LEFT).mean() < 3 and np.abs(right.astype(int) - RIGHT).mean() < 3


def test_a_pair_is_two_files_or_none(tmp_path: Path) -> None:
    names = targets(tmp_path / "a.png", Layout.PAIR)
    assert [name.name for name in names] == ["a_left.png", "a_right.png"]
    names[1].write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"a_right\.png exists"):
        write_stereo(PAIR, tmp_path / "a.png", Layout.PAIR, how(Layout.PAIR))
    assert names[1].read_bytes() == b"mine" and not names[0].exists()
    assert write_stereo(PAIR, tmp_path / "a.png", Layout.PAIR, how(Layout.PAIR, force=True)).files == list(names)
    np.testing.assert_array_equal(read_image(names[0]).pixels, LEFT)
    np.testing.assert_array_equal(read_image(names[1]).pixels, RIGHT)


def test_containers_hold_both_eyes(tmp_path: Path) -> None:
    write_stereo(PAIR, tmp_path / "a.mpo", Layout.MPO, how(Layout.MPO))
    eyes = [eye for eye in read_pictures((tmp_path / "a.mpo").read_bytes()) if eye.kind == "disparity"]
    assert len(eyes) == 2
    assert np.abs(read_image(tmp_path / "a.mpo").pixels.astype(int) - LEFT).mean() < 4
    write_stereo(PAIR, tmp_path / "a.vr.jpg", Layout.VR180, how(Layout.VR180))
    photo = read_vr_photo((tmp_path / "a.vr.jpg").read_bytes())
    assert photo is not None and photo.across_deg == pytest.approx(180)
    spheres = unpacked(how(Layout.VR180).packed(PAIR), Layout.VR180)
    right = np.asarray(Pil.open(io.BytesIO(photo.jpeg)))
    assert np.abs(right.astype(int) - spheres[1]).mean() < 3
    assert np.abs(read_image(tmp_path / "a.vr.jpg").pixels.astype(int) - spheres[0]).mean() < 3
    for name in ("a.mpo", "a.vr.jpg"):
        source = read_image(tmp_path / name).source
        assert source.taken == SOURCE.taken and source.rights.creator == "Zoë"


def test_a_spatial_photo_says_what_was_assumed(tmp_path: Path) -> None:
    pytest.importorskip("av")
    written = write_stereo(PAIR, tmp_path / "a.heic", Layout.SPATIAL, how(Layout.SPATIAL))
    assert written.files == [tmp_path / "a.heic"] and any("63 mm" in note for note in written.notes)
    facts = find_stereo(tmp_path / "a.heic")
    assert facts is not None and facts.layout is Layout.SPATIAL and facts.fov_x_deg == pytest.approx(60, abs=0.1)
    story = story_in(tmp_path / "a.heic")
    assert story is not None and story.sources[0].name == "a.jpg"


@pytest.mark.parametrize(("suffix", "frames"), [(".gif", 2), (".webp", 2)])
def test_a_wiggle_shows_the_views_in_turn(tmp_path: Path, suffix: str, frames: int) -> None:
    path = tmp_path / f"a{suffix}"
    write_stereo(PAIR, path, Layout.WIGGLE, how(Layout.WIGGLE, turns=4.0))
    with Pil.open(path) as file:
        assert file.n_frames == frames  # type: ignore[attr-defined]
        for number, view in enumerate((LEFT, RIGHT)):
            file.seek(number)
            file.load()
            assert file.info["duration"] == 250
            assert np.abs(np.asarray(file.convert("RGB")).astype(int) - view).mean() < 12
    story = story_in(path)
    assert story is not None and story.steps[0].name == "make_stereo"


def test_a_wiggle_in_a_film_goes_on_for_seconds(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    odd = StereoPair(LEFT[:47, :63], RIGHT[:47, :63])
    write_stereo(odd, tmp_path / "a.mp4", Layout.WIGGLE, how(Layout.WIGGLE, turns=6.0))
    with av.open(str(tmp_path / "a.mp4")) as film:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in film.decode(video=0)]
    assert len(frames) == 180 and frames[0].shape == (46, 62, 3)
    whose = [int(np.abs(f - RIGHT[:46, :62]).mean() < np.abs(f - LEFT[:46, :62]).mean()) for f in frames]
    assert whose == [(i // 5) % 2 for i in range(180)]


# --- colours ------------------------------------------------------------------------------------------------------


def test_pictures_keep_the_profile_of_the_photograph_and_mixtures_become_srgb(tmp_path: Path) -> None:
    profile = pictures.swapped_profile()
    pair = StereoPair(LEFT, RIGHT, source=SOURCE, profile=profile)
    plain = [recoloured(view, profile)[0] for view in (LEFT, RIGHT)]
    for layout, name in ((Layout.FULL_SBS, "a.png"), (Layout.PAIR, "b.png")):
        for path in write_stereo(pair, tmp_path / name, layout, how(layout)).files:
            with Pil.open(path) as file:
                assert file.info["icc_profile"] == profile
    with Pil.open(tmp_path / "a.png") as file:
        np.testing.assert_array_equal(np.asarray(file), packed(LEFT, RIGHT, Layout.FULL_SBS))
    np.testing.assert_array_equal(read_image(tmp_path / "b_right.png").pixels, plain[1])
    write_stereo(pair, tmp_path / "c.png", Layout.ANAGLYPH, how(Layout.ANAGLYPH))
    with Pil.open(tmp_path / "c.png") as file:
        assert "icc_profile" not in file.info
        same = StereoPair(*plain)
        np.testing.assert_array_equal(np.asarray(file), how(Layout.ANAGLYPH).packed(same))
    write_stereo(pair, tmp_path / "d.mpo", Layout.MPO, how(Layout.MPO))
    assert np.abs(read_image(tmp_path / "d.mpo").pixels.astype(int) - plain[0]).mean() < 4


def test_an_anaglyph_keeps_the_colour_of_every_pixel_at_any_quality(tmp_path: Path) -> None:
    write_stereo(PAIR, tmp_path / "a.jpg", Layout.ANAGLYPH, how(Layout.ANAGLYPH, quality=60))
    with Pil.open(tmp_path / "a.jpg") as file:
        assert {(across, down) for _, across, down, _ in file.layer} == {(1, 1)}  # type: ignore[attr-defined]


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("x.mpo", Layout.MPO),
        ("x.vr.jpg", Layout.VR180),
        ("x_LR.vr.JPG", Layout.VR180),
        ("x.gif", Layout.WIGGLE),
        ("x.jps", Layout.CROSS),
        ("x.HEIC", Layout.SPATIAL),
        ("x_LR.jpg", Layout.HALF_SBS),
        ("x_LRF_Full_SBS.png", Layout.FULL_SBS),
        ("x_TB.webp", Layout.HALF_TB),
        ("x_redcyan_dubois.jpg", Layout.ANAGLYPH),
        ("x_180x180_LR.jpg", Layout.VR180),
        ("x.jpg", None),
    ],
)
def test_a_name_says_its_layout(name: str, layout: Layout | None) -> None:
    assert layout_in_name(Path("SBS") / name) is layout


@pytest.mark.parametrize("layout", Layout)
def test_a_default_name_says_its_own_layout_and_is_allowed(layout: Layout) -> None:
    name = Path(default_name(layout, "beach", "grey" if layout is Layout.ANAGLYPH else ""))
    check_place(name, layout)
    assert layout_in_name(name) in (layout, None)
    assert name.stem.startswith("beach") and (layout is Layout.PAIR) == (layout_in_name(name) is None)


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("a.mpo", Layout.FULL_SBS),
        ("a.jpg", Layout.MPO),
        ("a.jpg", Layout.SPATIAL),
        ("a.heic", Layout.FULL_SBS),
        ("a.gif", Layout.ANAGLYPH),
        ("a.vr.jpg", Layout.HALF_SBS),
        ("a.jps", Layout.FULL_SBS),
        ("a.png", Layout.WIGGLE),
        ("a.glb", Layout.FULL_SBS),
        ("a", Layout.PAIR),
    ],
)
def test_names_of_other_layouts_are_refused(tmp_path: Path, name: str, layout: Layout) -> None:
    with pytest.raises(InputError):
        write_stereo(PAIR, tmp_path / name, layout, how(layout))
    assert not list(tmp_path.iterdir())


def test_a_picture_too_wide_for_its_format_is_one_clear_error(tmp_path: Path) -> None:
    wide = StereoPair(np.zeros((2, 9000, 3), np.uint8), np.zeros((2, 9000, 3), np.uint8))
    with pytest.raises(InputError, match="cannot be written as WEBP"):
        write_stereo(wide, tmp_path / "a.webp", Layout.FULL_SBS, how(Layout.FULL_SBS, wide))
    assert not list(tmp_path.iterdir())

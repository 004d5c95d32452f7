"""One picture for two eyes: what stands where, what is exact, what is said, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pil

import pictures
import unflat
from two_planes import TwoPlanes, grain, psnr
from unflat.errors import InputError, OutputError
from unflat.formats.icc import impersonal
from unflat.formats.picture_story import story_in
from unflat.geometry.layout import unpacked
from unflat.pipelines.stereo_result import AROUND_PERCENT, StereoResult, place_of
from unflat.stages.lay_out import LayoutOptions, LayoutWord
from unflat.stages.plan_stereo import StereoOptions
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, Size
from unflat.types.provenance import Source
from unflat.types.stereo import Layout

Bytes = NDArray[np.uint8]
APART_M = 0.12
NEAR, FAR = 2.0, 8.0
BOX = np.s_[24:72, 48:80]
"""What is near in the made pictures, rows and columns."""


def texture(height: int = 96, width: int = 128, seed: int = 0) -> Bytes:
    """Something everywhere, no finer than a lens draws."""
    import cv2

    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3))
    return np.clip(128 + 170 * cv2.GaussianBlur(noise, (0, 0), 1.5), 0, 255).astype(np.uint8)


def boxed(value: float, ground: float) -> NDArray[np.float32]:
    depth = np.full((96, 128), ground, np.float32)
    depth[BOX] = value
    return depth


def made(picture: object = None, **keywords: object) -> StereoResult:
    """A near box before a far wall, in depth up to a factor."""
    keywords = {"depth": boxed(NEAR, FAR), "depth_kind": "scale", "fov": 60, "keep_frame": True, **keywords}
    return unflat.stereo(texture() if picture is None else picture, **keywords)  # type: ignore[arg-type]


def moved(view: Bytes, picture: Bytes, part: tuple[slice, slice]) -> int:
    """By how many columns a part of the picture lies farther right in the view."""
    rows, columns = part
    piece = picture[rows, columns].astype(int)
    apart = {
        by: np.abs(view[rows, columns.start + by : columns.stop + by].astype(int) - piece).mean()
        for by in range(-14, 15)
        if columns.start + by >= 0 and columns.stop + by <= view.shape[1]
    }
    return min(apart, key=apart.__getitem__)


# --- where things stand -------------------------------------------------------------------------------------------


def test_what_is_near_comes_out_and_what_is_far_lies_behind() -> None:
    picture = texture()
    pair = made(strength=9.375, convergence=0.25).pair  # 12 pixels in all: 9 out, 3 behind
    box, wall = (slice(30, 66), slice(54, 74)), (slice(2, 20), slice(20, 110))
    assert moved(pair.left, picture, box) - moved(pair.right, picture, box) == 9
    assert moved(pair.left, picture, wall) - moved(pair.right, picture, wall) == -3
    assert pair.out_share == pytest.approx(9 / 128, abs=1e-4) and pair.in_share == pytest.approx(3 / 128, abs=1e-4)
    swapped = made(strength=9.375, convergence=0.25, swap=True).pair
    np.testing.assert_array_equal(swapped.left, pair.right)


@pytest.mark.parametrize("eye", ["left", "right"])
@pytest.mark.parametrize("detail", [4096, 64])
def test_a_disparity_in_pixels_is_exactly_that(eye: str, detail: int, tmp_path: Path) -> None:
    """No strength, no convergence, no border; however coarse depth is seen, a given map is not made coarser."""
    picture = texture()
    result = made(picture, depth=boxed(11, 4), depth_kind="disparity-px", eye=eye, detail=detail)
    result.save(tmp_path / "out.png")
    with Pil.open(tmp_path / "out.png") as file:
        seen = np.asarray(file)
    assert seen.shape == picture.shape
    sign = 1 if eye == "left" else -1
    inner = np.s_[26:70, 50:78]
    there = np.s_[26:70, 50 + 11 * sign : 78 + 11 * sign]
    np.testing.assert_array_equal(seen[there], picture[inner])
    np.testing.assert_array_equal(seen[:20, 8 + 4 * sign : 120 + 4 * sign], picture[:20, 8:120])
    assert result.report["layouts"] == [f"{eye} eye"] and result.report["warnings"] == []


@pytest.mark.parametrize("eye", ["left", "right"])
def test_two_planes_are_seen_as_the_other_eye_sees_them(eye: str) -> None:
    world = TwoPlanes(grain)
    z = np.where(world.sight().near, world.near, world.far)
    disparity = (world.camera.fx * APART_M / z).astype(np.float32)
    result = unflat.stereo(world.picture(4).pixels, depth=disparity, depth_kind="disparity-px", eye=eye, fov=60)
    sight = world.sight(APART_M if eye == "right" else -APART_M, samples=4)
    seen = result.pair.right if eye == "right" else result.pair.left
    assert psnr(seen, sight.colour, sight.framed & ~sight.hidden) > 34
    assert psnr(seen, sight.colour, sight.framed) > 26


def test_a_strength_that_is_given_counts_for_a_disparity_too() -> None:
    rig = made(depth=boxed(11, 4), depth_kind="disparity-px", eye="right", strength=5).rig
    assert rig.gain_px * 7 == pytest.approx(0.05 * 128)
    assert made(depth=boxed(11, 4), depth_kind="disparity-px").rig.gain_px * 7 < 0.05 * 128


def test_one_eye_of_two_leaves_the_picture_to_the_other(tmp_path: Path) -> None:
    picture = texture()
    result = made(picture, eye="right").save(tmp_path / "a_LRF_Full_SBS.png")
    with Pil.open(tmp_path / "a_LRF_Full_SBS.png") as file:
        left, right = unpacked(np.asarray(file), Layout.FULL_SBS)
    np.testing.assert_array_equal(left, picture)
    assert (right != picture).any() and result.rig.left == 0


def test_metres_between_the_eyes() -> None:
    result = made(depth_kind="metric", ipd_mm=60)
    focal = result.depth.intrinsics.fx  # type: ignore[union-attr]
    assert result.rig.gain_px == pytest.approx(focal * 0.06)
    assert result.pair.baseline_m == pytest.approx(0.06) and result.pair.fov_x_deg == pytest.approx(60)
    assert not any("assumed" in note for note in result.report["warnings"])
    guessed = made(ipd_mm=60)
    assert any("--ipd-mm" in note for note in guessed.report["warnings"])
    assert made().pair.baseline_m is None


def test_sky_is_what_is_farthest() -> None:
    depth = DepthMap(boxed(NEAR, FAR), DepthKind.SCALE)
    sky = np.zeros((96, 128), bool)
    assert made(depth=depth).reach == pytest.approx((1 / NEAR, 1 / FAR))
    sky[:10] = True
    values = np.where(sky, np.inf, boxed(NEAR, FAR)).astype(np.float32)
    result = made(depth=DepthMap(values, DepthKind.SCALE, sky=sky))
    assert result.reach == pytest.approx((1 / NEAR, 0.0))
    assert (result.inverse[:10] == 0).all() and (result.inverse[10:] > 0).all()


def test_discomfort_is_said() -> None:
    strong = made(strength=12)
    assert strong.pair is not None and any("comfortable" in note for note in strong.report["warnings"])
    calm = made()
    assert calm.pair is not None and not any("comfortable" in note for note in calm.report["warnings"])


# --- half spheres -------------------------------------------------------------------------------------------------


def test_in_half_a_sphere_the_eyes_never_diverge() -> None:
    result = made()
    pair = result.around
    assert pair.in_share == 0 and pair.out_share > 0
    near, far = result.reach
    told = result.report["eyes"]["sphere"]
    assert told["shift_px"] == 0 and told["disparity_px"] * (near - far) <= AROUND_PERCENT / 100 * 128 * 1.001


def test_true_metres_are_seen_with_people_s_eyes(tmp_path: Path) -> None:
    result = made(depth_kind="metric")
    assert result.around.baseline_m == pytest.approx(0.063)
    result.save(tmp_path / "a_180x180_LR.png", tmp_path / "a.vr.jpg")
    with Pil.open(tmp_path / "a_180x180_LR.png") as file:
        assert file.size == (1024, 512)
        picture = np.asarray(file)
    lit = picture[256, :512].max(axis=1) > 0
    assert lit.sum() / 512 * 180 == pytest.approx(60, abs=2)


# --- what it is made of -------------------------------------------------------------------------------------------


def test_a_cut_out_is_laid_on_white_and_its_ground_has_no_ghost() -> None:
    import cv2

    picture = np.full((96, 128, 3), 40, np.uint8)
    alpha = np.zeros((96, 128), np.uint8)
    cv2.circle(alpha, (64, 48), 25, 255, -1, cv2.LINE_AA)
    depth = np.full((96, 128), FAR, np.float32)
    depth[alpha > 0] = NEAR
    ramp = np.linspace(NEAR, 1.2 * NEAR, 128, dtype=np.float32)
    result = made(np.dstack([picture, alpha]), depth=np.where(alpha > 0, ramp, depth), strength=9)
    for view in (result.pair.left, result.pair.right):
        assert set(np.unique(view[:, :20])) == set(np.unique(view[:, -20:])) == {255}
        dark = (view[..., 0] < 250).astype(np.uint8)
        assert cv2.connectedComponents(dark)[0] == 2, "one disc, and no rim left behind"
    assert any("white" in note for note in result.report["warnings"])


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_a_cut_out_stays_cut_out_where_the_format_can(tmp_path: Path, suffix: str) -> None:
    import cv2

    alpha = np.zeros((96, 128), np.uint8)
    cv2.circle(alpha, (64, 48), 25, 255, -1, cv2.LINE_AA)
    picture = np.full((96, 128, 3), (30, 60, 200), np.uint8)
    picture[alpha == 0] = (250, 0, 0)  # what is hidden there must not come in
    disparity = np.where(alpha > 0, np.float32(10), np.float32(2))
    result = made(np.dstack([picture, alpha]), depth=disparity, depth_kind="disparity-px", eye="right")
    result.save(tmp_path / f"r{suffix}", tmp_path / f"a_SBS{suffix}", tmp_path / "a_SBS.jpg", quality=100)
    for name in (f"r{suffix}", f"a_SBS{suffix}"):
        with Pil.open(tmp_path / name) as file:
            assert file.mode == "RGBA"
            whole = np.asarray(file).astype(int)
        right = whole[:, -128:]
        np.testing.assert_allclose(right[:, :118, 3], alpha[:, 10:], atol=1)
        seen = right[..., 3] > 20
        apart = np.abs(right[seen][:, :3] - (30, 60, 200))
        assert apart.max() <= (16 if suffix != ".webp" else 60) and apart.mean() < 3
    with Pil.open(tmp_path / f"a_SBS{suffix}") as file:
        np.testing.assert_array_equal(np.asarray(file)[:, :128, 3], alpha)
    with Pil.open(tmp_path / "a_SBS.jpg") as file:
        assert file.mode == "RGB" and np.asarray(file)[:8].min() > 245


def test_a_picture_of_two_views_is_not_taken_for_one_in_silence(tmp_path: Path) -> None:
    both = np.hstack([texture(), np.roll(texture(), 3, axis=1)])
    Pil.fromarray(both).save(tmp_path / "beach_SBS.png")
    said = made(tmp_path / "beach_SBS.png", depth="ramp", depth_kind=None).report["warnings"]
    assert any("two views already (full-sbs)" in note for note in said)


def test_holes_of_a_given_map_are_filled_with_their_like() -> None:
    picture = np.full((96, 128, 3), 200, np.uint8)
    picture[BOX] = (30, 60, 90)
    disparity = boxed(11, 4)
    disparity[40:44, 30:100] = np.nan
    inverse = made(picture, depth=disparity, depth_kind="disparity-px").inverse
    np.testing.assert_allclose(inverse, boxed(11, 4), rtol=1e-5)


def test_a_wide_photograph_keeps_its_colours(tmp_path: Path) -> None:
    profile = pictures.swapped_profile()
    pixels = texture()
    exif = pictures.exif({0x013B: "Ann"}, {0x9003: "2024:05:01 12:30:00", 0xA431: "SERIAL-77"}, gps=True)
    Pil.fromarray(pixels).save(tmp_path / "p.png", icc_profile=profile, exif=exif)
    result = made(tmp_path / "p.png", eye="right").save(tmp_path / "a_LRF_Full_SBS.png", tmp_path / "b_redcyan.png")
    with Pil.open(tmp_path / "a_LRF_Full_SBS.png") as file:
        assert file.info["icc_profile"] == impersonal(profile)
        np.testing.assert_array_equal(np.asarray(file)[:, :128], pixels)
        inner = file.getexif().get_ifd(0x8769)
        assert inner[0x9003] == "2024:05:01 12:30:00" and file.getexif()[0x013B] == "Ann"
        assert 0x8825 not in file.getexif()
    assert b"SERIAL-77" not in (tmp_path / "a_LRF_Full_SBS.png").read_bytes()
    with Pil.open(tmp_path / "b_redcyan.png") as file:
        assert "icc_profile" not in file.info
    assert (result.picture.pixels == pixels[..., ::-1]).all(), "depth was seen in sRGB"


def test_files_tell_how_they_were_made(tmp_path: Path) -> None:
    image = Image(texture(), source=Source("beach.jpg", "0" * 64, "jpeg"))
    result = made(image, layout="anaglyph", anaglyph="grey").save(tmp_path / "a.png", tmp_path / "b.jpg")
    for name in ("a.png", "b.jpg"):
        story = story_in(tmp_path / name)
        assert story is not None and story.invented and story.sources[0].name == "beach.jpg"
        assert [step.name for step in story.steps][-2:] == ["make_stereo", "lay_out"]
        assert dict(story.steps[-1].options) == {"layout": "anaglyph", "method": "grey"}
    report = result.report
    assert report["outputs"] == [str(tmp_path / "a.png"), str(tmp_path / "b.jpg")]
    assert report["layouts"] == ["anaglyph", "anaglyph"] and {"read", "eyes", "write"} <= set(report["seconds"])
    assert report["out_percent"] > 0 and report["in_percent"] > 0 and report["model"] == "array"


def test_rgbd_is_the_picture_beside_its_depth(tmp_path: Path) -> None:
    picture = texture()
    result = made(picture).save(tmp_path / "a_RGBD.png")
    with Pil.open(tmp_path / "a_RGBD.png") as file:
        left, right = unpacked(np.asarray(file), Layout.RGBD)
    np.testing.assert_array_equal(left, picture)
    assert (right[BOX] == 255).all() and right[2, 2, 0] == 0
    assert result.report["eyes"] == {}, "no view is made for it"
    story = story_in(tmp_path / "a_RGBD.png")
    assert story is not None and not story.invented


@pytest.mark.parametrize(
    ("layout", "name", "said"),
    [
        (None, "a_LR.png", "half-sbs (its name says so)"),
        ("half-sbs", "a_LR.png", "half-sbs"),
        ("full-sbs", "a.png", "full-sbs"),
        ("full-sbs", "a_LR.png", "full-sbs (players will take it for half-sbs: its name says so)"),
        ("full-tb", "a_LR.png", "full-tb (players will take it for half-sbs: its name says so)"),
    ],
)
def test_a_name_that_players_misread_is_told(layout: LayoutWord | None, name: str, said: str) -> None:
    assert place_of(Path(name), LayoutOptions(layout=layout), StereoOptions()).said == said


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "name", "words"),
    [
        ({"layout": "mpo"}, "a.png", "mpo is not written"),
        ({"layout": "half-sbs"}, "a.mpo", "would be mpo"),
        ({"eye": "right", "swap": True}, "a.png", "nothing to swap"),
        ({}, "a.glb", r"a\.glb"),
        ({"eye": "left"}, "a.glb", r"a\.glb"),
    ],
)
def test_what_cannot_be_saved_is_refused(tmp_path: Path, keywords: dict[str, object], name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        made(**keywords).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_all_places_are_looked_at_before_the_first_is_written(tmp_path: Path) -> None:
    (tmp_path / "b_right.png").write_bytes(b"mine")
    result = made(layout="pair")
    with pytest.raises(OutputError, match="exists"):
        result.save(tmp_path / "a.png", tmp_path / "b.png")
    with pytest.raises(InputError, match="two outputs"):
        result.save(tmp_path / "c.png", tmp_path / "c.png")
    with pytest.raises(InputError, match="quality"):
        result.save(tmp_path / "c.png", quality=0)
    assert [path.name for path in tmp_path.iterdir()] == ["b_right.png"]


def test_panoramas_tiny_pictures_and_wrong_options_are_one_clear_error() -> None:
    around = texture(64, 128)
    with pytest.raises(InputError, match="panorama") as refused:
        unflat.stereo(around, panorama="yes")
    assert "--panorama no" in str(refused.value.hint)
    with pytest.raises(InputError, match="8×8"):
        unflat.stereo(np.zeros((8, 8, 3), np.uint8))
    for wrong in ({"layout": "sideways"}, {"anaglyph": "sepia"}, {"sphere_size": 7}, {"wiggle_fps": 99.0}):
        with pytest.raises(InputError):
            made(**wrong)


def test_a_flat_thing_lies_in_the_plane_of_the_screen() -> None:
    pair = made(depth=np.full((96, 128), 2, np.float32)).pair
    assert pair.out_share == pytest.approx(0, abs=1e-6) and pair.in_share == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("size", [Size(17, 16), Size(16, 33), Size(129, 97)])
def test_odd_and_small_pictures_go_through_every_layout(tmp_path: Path, size: Size) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (*size.shape, 3), np.uint8)
    result = unflat.stereo(picture, depth="ramp", fov=50, sphere_size=128, keep_frame=True)
    names = ("a.jpg", "a_LR.png", "a_TBF_fulltb.jpg", "a_TB.png", "a_RLF.webp", "a_redcyan.jpg", "a_RGBD.png")
    more = ("a.gif", "a.webp", "a.mpo", "a.heic", "a_180x180_LR.jpg", "a.vr.jpg")
    result.save(*(tmp_path / name for name in (*names, *more)))
    assert len([path for path in tmp_path.iterdir() if path.suffix != ".c2pa"]) == 13
    assert any("63 mm" in note for note in result.report["warnings"])

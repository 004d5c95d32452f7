"""A frame and its depth in one picture, and what a codec leaves of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import clips
from unflat.errors import ShapeError
from unflat.formats.packed_depth import PackedSizes, coded_range, packed_frame, unpacked_frame
from unflat.types import Size
from unflat.types.arrays import F32, U8, Bool

SIZES = [(1920, 1080), (1280, 720), (1080, 1920), (640, 480), (321, 181), (101, 57), (48, 48), (16, 16), (1280, 40)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_parts_lie_on_blocks_and_never_on_each_other(width: int, height: int) -> None:
    sizes = PackedSizes.of(Size(width, height))
    assert sizes.colour == Size(width, height).fitted(1280)
    assert {side % 16 for side in (sizes.frame.width, sizes.frame.height, sizes.depth.width)} == {0}
    assert sizes.top % 16 == sizes.strip % 16 == 0
    assert sizes.colour.height <= sizes.top
    assert sizes.top + sizes.depth.height <= sizes.strip < sizes.frame.height
    assert max(sizes.colour.width, 3 * sizes.depth.width) <= sizes.frame.width
    rows = sizes.depth.width * sizes.colour.height / sizes.colour.width
    assert abs(sizes.depth.height - rows) <= max(0.5, 2 - rows), "the depth has the picture's shape"
    assert (sizes.frame.height - sizes.strip) // 8 * sizes.frame.width >= 8 * (5 + 64), "the strip holds all cells"


def test_what_is_too_small_or_no_range_is_refused() -> None:
    with pytest.raises(ShapeError, match="16 pixels"):
        PackedSizes.of(Size(15, 400))
    for near, far in ((0.1, 0.2), (np.nan, 0.1), (1.0, -0.1), (np.inf, 0.1)):
        with pytest.raises(ShapeError, match="range"):
            coded_range(near, far)
    with pytest.raises(ShapeError, match="640×512"):
        unpacked_frame(np.zeros((512, 512, 3), np.uint8), Size(640, 360))


@pytest.mark.parametrize(("near", "far"), [(1.0, 0.2), (3e-4, 1e-5), (900.0, 0.0), (0.5, 0.5), (0.0, 0.0)])
def test_without_a_codec_eleven_bits_are_kept_and_the_picture_is_itself(near: float, far: float) -> None:
    sizes = PackedSizes.of(Size(320, 180))
    low, high = coded_range(near, far)
    assert low <= far <= near < high
    inverse = np.linspace(low, high, sizes.depth.pixels, dtype=np.float32).reshape(sizes.depth.shape)
    pixels = np.random.default_rng(0).integers(0, 256, (180, 320, 3), np.uint8)
    colour, depth = unpacked_frame(packed_frame(pixels, inverse, near, far), Size(320, 180))
    assert (colour == pixels).all()
    assert np.abs(depth - inverse).max() <= (high - low) / 2**11 + 4e-7 * high


def test_what_lies_beyond_the_range_is_at_its_end_and_sky_is_far() -> None:
    inverse = np.full((30, 48), 0.5, np.float32)
    inverse[:15, :24], inverse[:15, 24:] = 0.0, 50.0
    _, depth = unpacked_frame(packed_frame(np.zeros((60, 96, 3), np.uint8), inverse, 1.0, 0.2), Size(96, 60))
    low, high = coded_range(1.0, 0.2)
    assert depth[2, 2] == pytest.approx(low, abs=1e-3) and depth[2, -3] == pytest.approx(high, abs=1e-3)


def test_resampling_makes_no_depth_between_two_sides_of_an_outline() -> None:
    inverse = np.where(np.arange(640) < 333, 0.9, 0.2)[None].repeat(360, 0).astype(np.float32)
    for given in (inverse, inverse[::7, ::7].copy()):
        _, depth = unpacked_frame(packed_frame(np.zeros((360, 640, 3), np.uint8), given, 0.9, 0.2), Size(640, 360))
        assert np.minimum(np.abs(depth - 0.9), np.abs(depth - 0.2)).max() < 0.04
        # A texel is 640 / 208 = 3.1 pixels wide; a seventh of the depth is known to 7.
        assert (depth[60] > 0.5).sum() * 640 / 208 == pytest.approx(333, abs=7)


def outlines(depth: F32, span: float) -> Bool:
    """Texels beside a step of more than a twentieth of the range."""
    around = np.ones((3, 3), np.uint8)
    return cv2.dilate(depth, around) - cv2.erode(depth, around) > 0.05 * span


@pytest.mark.parametrize(("crf", "bits", "worst"), [("18", 8.5, 0.02), ("23", 8.0, 0.05)])
def test_a_codec_leaves_more_than_eight_bits(tmp_path: Path, crf: str, bits: float, worst: float) -> None:
    size, near, far = Size(640, 360), 0.9, 0.12
    sizes, (low, high) = PackedSizes.of(size), coded_range(near, far)
    packed = [packed_frame(*frame, near, far) for frame in clips.moving(12, size)]
    film = clips.encoded(packed, tmp_path / "film.mp4", crf=crf)
    inside: list[F32] = []
    beside: list[F32] = []
    plain: list[F32] = []
    for before, after in zip(packed, clips.decoded(film), strict=True):
        truth, seen = (unpacked_frame(each, size)[1] for each in (before, after))
        error = np.abs(seen - truth) / (high - low)
        edge = outlines(truth, high - low)
        inside.append(error[~edge])
        beside.append(error[edge])
        coarse = after[sizes.top : sizes.top + sizes.depth.height, : sizes.depth.width].mean(-1) / 255
        plain.append(np.abs(coarse - (truth - low) / (high - low))[~edge].astype(np.float32))

    def kept(errors: list[F32]) -> float:
        """As many bits as a plain number of so many would have with the same error."""
        return float(-np.log2(np.sqrt(12 * np.mean(np.concatenate(errors) ** 2))))

    assert kept(inside) > bits
    assert kept(inside) > kept(plain) + 2, "the waves give what one level cannot"
    assert np.quantile(np.concatenate(inside), 0.999) < 0.01
    assert np.quantile(np.concatenate(beside), 0.99) < worst


def curved(levels: U8) -> U8:
    """As a player that takes the levels for those of another screen: a little brighter in the middle."""
    return np.rint(255 * (levels / 255.0) ** (1 / 1.1)).astype(np.uint8)


def squeezed(levels: U8) -> U8:
    """As a player that takes the range of films for that of screens."""
    return np.rint(16 + levels * (219 / 255)).astype(np.uint8)


@pytest.mark.parametrize("wrong", [curved, squeezed])
def test_a_player_that_shows_other_levels_does_no_harm(wrong: object) -> None:
    assert callable(wrong)
    size = Size(640, 360)
    pixels, inverse = next(clips.moving(1, size))
    packed = packed_frame(pixels, inverse, 0.9, 0.12)
    low, high = coded_range(0.9, 0.12)
    error = np.abs(unpacked_frame(wrong(packed), size)[1] - unpacked_frame(packed, size)[1]) / (high - low)
    assert np.quantile(error, 0.99) < 0.006 and (error > 0.05).mean() < 1e-3


def test_at_a_cut_the_range_changes_with_the_frame(tmp_path: Path) -> None:
    ends = [(1.0, 0.2)] * 4 + [(0.03, 0.001)] * 4 + [(70.0, 60.0)] * 4
    frames = [packed_frame(*clips.counted(at, *each), *each) for at, each in enumerate(ends)]
    film = clips.encoded(frames, tmp_path / "film.mp4", crf="28")
    for (near, far), after in zip(ends, clips.decoded(film), strict=True):
        _, depth = unpacked_frame(after, clips.SIZE)
        assert depth[-3, 2] == pytest.approx(far, abs=0.02 * near)
        assert depth[-3, depth.shape[1] // 2] == pytest.approx(near, abs=0.02 * near)


def test_a_lone_wrong_texel_is_mended_and_a_thin_post_is_not() -> None:
    size = Size(480, 270)
    sizes = PackedSizes.of(size)
    inverse = np.full(sizes.depth.shape, 0.3, np.float32)
    inverse[:, 40] = 0.9
    packed = packed_frame(np.zeros((270, 480, 3), np.uint8), inverse, 0.9, 0.2)
    assert np.abs(unpacked_frame(packed, size)[1] - inverse).max() < 1e-3, "a post one texel wide stays"
    packed[sizes.top + 30, [80, 80 + sizes.depth.width, 80 + 2 * sizes.depth.width]] = 200
    assert np.abs(unpacked_frame(packed, size)[1] - inverse).max() < 1e-3

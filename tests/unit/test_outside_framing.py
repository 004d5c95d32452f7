"""How a picture is laid before a network, and how its part is cut from the answer."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st

from unflat.errors import WeightsError
from unflat.models.framing import IMAGENET, Fit, Framing, Window, cut, framed_size, lay, place
from unflat.types import Size


@pytest.mark.parametrize(
    ("picture", "wanted"),
    [
        ((640, 480), (686, 518)),
        ((480, 640), (518, 686)),
        ((4000, 3000), (686, 518)),
        ((100, 75), (518, 392)),
        ((518, 518), (518, 518)),
        ((1920, 1080), (924, 518)),
    ],
)
def test_depth_anythings_size(picture: tuple[int, int], wanted: tuple[int, int]) -> None:
    """As its authors' own preprocessing: 518, kept aspect, multiples of 14, the side that changes least."""
    assert framed_size(Size(*picture), Framing(Size(518, 518), "least", 14)) == Size(*wanted)


@pytest.mark.parametrize(
    ("fit", "wanted"),
    [("stretch", (64, 48)), ("pad", (64, 48)), ("long", (64, 32)), ("short", (96, 48)), ("down", (64, 32))],
)
def test_fits(fit: Fit, wanted: tuple[int, int]) -> None:
    assert framed_size(Size(400, 200), Framing(Size(64, 48), fit, 16)) == Size(*wanted)


def test_down_never_enlarges() -> None:
    assert framed_size(Size(50, 40), Framing(Size(640, 640), "down", 32)) == Size(32, 32)


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.sampled_from(["long", "short", "least", "down"]))
def test_any_picture_has_a_bounded_size_of_multiples(width: int, height: int, fit: Fit) -> None:
    framing = Framing(Size(518, 518), fit, 14)
    size = framed_size(Size(width, height), framing)
    assert size.width % 14 == 0 == size.height % 14 and min(size.width, size.height) >= 14
    assert size.width * size.height <= 4.4 * 518 * 518 or min(size.width, size.height) == 14
    assert max(size.width, size.height) <= 8192 + 14


def test_numbers_are_those_of_the_formula_in_the_networks_order() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    plain, _ = lay(rgb, Framing(Size(16, 12)))
    assert np.allclose(plain, (rgb / 255 - np.array(IMAGENET[0])) / np.array(IMAGENET[1]), atol=1e-6)
    turned, _ = lay(rgb, Framing(Size(16, 12), scale=1.0, mean=(1, 2, 3), std=(1, 1, 2), bgr=True))
    assert np.allclose(turned, (rgb[..., ::-1].astype(float) - [1, 2, 3]) / [1, 1, 2])


@pytest.mark.parametrize("framing", [Framing(Size(96, 96), "pad"), Framing(Size(96, 96), "least", 8, mirror=True)])
@pytest.mark.parametrize("shape", [(60, 100), (100, 60), (64, 64)])
def test_what_is_cut_from_the_frame_is_the_picture(framing: Framing, shape: tuple[int, int]) -> None:
    """A network that gives its own input back, at another size, gives the picture back."""
    import cv2

    y, x = np.mgrid[: shape[0], : shape[1]]
    ramp = np.repeat((20 + 200 * (x / shape[1] + y / shape[0]) / 2)[..., None], 3, 2).astype(np.uint8)
    frame, window = place(ramp, framing)
    answer = cv2.resize(frame[..., 0].astype(np.float32), (150, 130), interpolation=cv2.INTER_LINEAR)
    back = cut(answer, window)
    expected = cv2.resize(ramp[..., 0].astype(np.float32), back.shape[::-1], interpolation=cv2.INTER_AREA)
    error = np.abs(back - expected)[4:-4, 4:-4]
    assert error.max() < 6 and error.mean() < 1.5
    assert (
        abs(back.shape[1] / back.shape[0] / (shape[1] / shape[0]) / (150 / 130 * frame.shape[0] / frame.shape[1]) - 1)
        < 0.1
    )


def test_padding_is_of_the_mean_colour() -> None:
    numbers, window = lay(np.full((10, 40, 3), 200, np.uint8), Framing(Size(40, 40), "pad"))
    assert np.abs(numbers[0]).max() < 0.02 and numbers[20].min() > 0.5
    assert window == Window(0, 15 / 40, 1, 25 / 40)


def test_zoedepth_pads_as_its_authors_do() -> None:
    rgb = skimage.data.chelsea()
    _, window = place(rgb, Framing(Size(512, 384), "least", 32, mirror=True))
    height, width = rgb.shape[:2]
    across, down = int((width / 2) ** 0.5 * 3), int((height / 2) ** 0.5 * 3)
    assert window.left == pytest.approx(across / (width + 2 * across))
    assert window.bottom == pytest.approx(1 - down / (height + 2 * down))


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": Size(4, 100)},
        {"size": Size(100, 9000)},
        {"size": Size(64, 64), "multiple": 0},
        {"size": Size(64, 64), "fit": "somehow"},
        {"size": Size(64, 64), "std": (1, 0, 1)},
        {"size": Size(64, 64), "mean": (1, float("nan"), 1)},
        {"size": Size(64, 64), "mean": (1, 1)},
    ],
)
def test_a_framing_that_cannot_be_is_refused(wrong: dict) -> None:
    with pytest.raises(WeightsError):
        Framing(**wrong)

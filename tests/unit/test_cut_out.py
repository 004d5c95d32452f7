"""Cut out: by alpha where there is one, by an even backdrop where not, and clear words where neither holds."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.errors import InputError
from unflat.stages.cut_out import cut_out
from unflat.types.image import Image
from unflat.types.provenance import Source


def backdrop(tone: tuple[int, int, int], fade: float = 0.0) -> np.ndarray:
    """(240, 320, 3) an even ground that gets darker towards the right, with grain."""
    rng = np.random.default_rng(1)
    ground = np.array(tone, float) * (1 - fade * np.linspace(0, 1, 320)[None, :, None])
    return np.clip(ground + rng.normal(0, 1.5, (240, 320, 3)), 0, 255)


def ring(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The picture with a red ring on it, and where the ring is."""
    y, x = np.mgrid[:240, :320] + 0.5
    r = np.hypot(x - 150, y - 120)
    on = (r < 80) & (r > 35)
    out = picture.copy()
    out[on] = np.stack([150 + 60 * np.sin(x / 9), 30 + 0 * x, 40 + 20 * np.cos(y / 7)], axis=-1)[on]
    return out.clip(0, 255).astype(np.uint8), on


@pytest.mark.parametrize("tone", [(255, 255, 255), (4, 4, 5), (128, 130, 127)])
def test_a_thing_is_taken_off_an_even_backdrop_with_what_is_seen_through_it(tone: tuple[int, int, int]) -> None:
    picture, on = ring(backdrop(tone, 0.15))
    found = cut_out(Image(picture))
    assert found.how == "backdrop" and 0 < found.sure < 1
    both, either = (found.inside & on).sum(), (found.inside | on).sum()
    assert both / either > 0.96
    assert not found.inside[110:130, 140:160].any()


def test_alpha_is_believed_and_specks_are_not() -> None:
    alpha = np.zeros((100, 100), np.uint8)
    alpha[20:80, 30:70] = 255
    alpha[5, 5] = 255
    found = cut_out(Image(np.zeros((100, 100, 3), np.uint8), alpha))
    assert (found.how, found.sure) == ("alpha", 1.0)
    assert found.inside.sum() == 60 * 40


@pytest.mark.parametrize("cover", [0, 90])
def test_empty_alpha_is_refused_with_the_name_of_the_file(cover: int) -> None:
    alpha = np.full((60, 60), cover, np.uint8)
    alpha[3, 3] = 255
    picture = Image(np.zeros((60, 60, 3), np.uint8), alpha, Source("cup_front.png", None, "png"))
    with pytest.raises(InputError, match=r"cup_front\.png is transparent"):
        cut_out(picture)


def test_an_uneven_background_and_a_bare_one_are_refused() -> None:
    rng = np.random.default_rng(2)
    noise = np.repeat(np.repeat(rng.integers(0, 255, (24, 32, 3)), 10, axis=0), 10, axis=1).astype(np.uint8)
    with pytest.raises(InputError, match="not even") as caught:
        cut_out(Image(noise))
    assert "alpha" in caught.value.hint
    with pytest.raises(InputError, match="nothing but its background"):
        cut_out(Image(backdrop((200, 200, 200)).astype(np.uint8)))

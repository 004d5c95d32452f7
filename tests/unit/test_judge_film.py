"""Whether a film is an old one, and the laws that its clean copies stand on."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aged_films import FAULTS, aged
from tests.unit.test_restore_film import film

from unflat.errors import InputError
from unflat.geometry.deflicker import gain_of, lit
from unflat.geometry.scratches import bridged
from unflat.geometry.weave import GRID, Weave, by_cell, filled, strayed, weave_of
from unflat.stages.judge_film import BURST, FilmSigns, judge_film
from unflat.stages.restore_film import RestoreOptions


def signs(faults: tuple[str, ...]) -> FilmSigns:
    return judge_film([aged(film(BURST, seed=s), faults, seed=s).pictures for s in (3, 9)])


def test_a_new_film_shows_none_and_an_old_one_all() -> None:
    assert signs(()).found == () and not signs(()).classic
    assert set(signs(FAULTS).found) == set(FAULTS) and signs(FAULTS).classic


@pytest.mark.parametrize("fault", FAULTS)
def test_each_sign_is_told_from_the_others(fault: str) -> None:
    assert fault in signs((fault,)).found


def test_a_tint_is_no_colour_and_too_few_frames_tell_nothing_else() -> None:
    grey = aged(film(2), ("black and white",)).pictures
    sepia = [np.clip(p * np.array([0.95, 0.8, 0.6]) + [12, 6, 0], 0, 255).astype(np.uint8) for p in grey]
    assert judge_film([sepia]).found == ("black and white",)
    assert judge_film([]).found == ("black and white",)


def test_a_word_that_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="--classic"):
        RestoreOptions(classic="maybe")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("here", range(6))
def test_a_steady_pan_strays_nowhere(here: int) -> None:
    steps = [np.full((2, 3), 0.7, np.float32)] * 5
    np.testing.assert_allclose(strayed(steps, here, 2.5, straight=True), 0, atol=1e-6)


def test_a_single_jump_is_found_where_it_is() -> None:
    steps = [np.float32(v).reshape(1) for v in (0, 0, 0, 0, 1, -1, 0, 0, 0, 0)]
    strays = [float(strayed(steps, k, 2.5, straight=False)[0]) for k in range(11)]
    assert np.argmax(np.abs(strays)) == 5 and strays[5] > 0.8


def test_the_weave_is_what_most_cells_agree_on() -> None:
    rng = np.random.default_rng(1)
    rows, columns = GRID
    y, x = np.mgrid[:rows, :columns]
    x, y = (x + 0.5) / columns - 0.5, ((y + 0.5) / rows - 0.5) * 0.6
    true = Weave(0.002, -0.003, 0.002)
    strays = np.dstack([true.x - true.turn * y, true.y + true.turn * x])
    strays += rng.normal(0, 1e-5, strays.shape)
    strays[:2, :5] += 0.02
    strays[5, 5] = np.nan
    np.testing.assert_allclose(weave_of(strays.astype(np.float32), 0.6), true, atol=3e-5)
    assert np.hypot(*weave_of((10 * strays).astype(np.float32), 0.6)[:2]) <= 0.006 + 1e-9


def test_a_weave_turns_about_the_middle() -> None:
    matrix = Weave(0.1, 0.2, 0.5).matrix(201, 101)
    np.testing.assert_allclose(matrix @ [100, 50, 1], [100 + 20.1, 50 + 40.2], rtol=1e-5)
    np.testing.assert_allclose(Weave().matrix(64, 48), [[1, 0, 0], [0, 1, 0]], atol=1e-6)


def test_cells_are_medians_and_unknown_ones_go_with_those_around() -> None:
    values = np.arange(60 * 80, dtype=np.float32).reshape(60, 80)
    known = np.ones((60, 80), np.bool_)
    known[:10, :10] = False
    cells = by_cell(values, known)
    assert np.isnan(cells[0, 0]) and cells[1, 1] == np.median(values[10:20:2, 10:20:2])
    whole = filled(cells)
    assert whole[0, 0] == pytest.approx(np.mean([cells[0, 1], cells[1, 0], cells[1, 1]]))
    np.testing.assert_array_equal(whole[1:], cells[1:])
    assert (filled(np.full(GRID, np.nan, np.float32)) == 0).all()


def test_light_that_was_put_on_is_taken_off() -> None:
    picture = np.random.default_rng(2).uniform(30, 150, (60, 80, 3)).astype(np.float32)
    brighter = np.full(GRID, 0.2, np.float32)
    there = lit(picture, gain_of(-brighter, 60, 80))
    assert there.mean() > picture.mean() * 1.2
    np.testing.assert_allclose(lit(there, gain_of(brighter, 60, 80)), picture, rtol=1e-4)


def test_bridges_go_from_bank_to_bank() -> None:
    ramp = np.tile(np.arange(0, 200, 10, dtype=np.uint8), (4, 1))
    mask = np.zeros_like(ramp, dtype=np.bool_)
    mask[:, 5:9] = mask[:, :2] = True
    harmed = np.where(mask, 255, ramp).astype(np.uint8)
    healed = bridged(harmed, mask)
    np.testing.assert_array_equal(healed[:, 2:], ramp[:, 2:])
    assert (healed[:, :2] == ramp[:, 2:3]).all()

"""High dynamic range is brought down by the stated curve; the fast way is held against the plain one."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.geometry.hdr import Tone, bent, light_of_srgb, nits_of_pq, pq_of_nits, scene_of_hlg, srgb_curve

TONES = [
    Tone("pq", "bt2020"),
    Tone("pq", "bt2020", 4000, 65280),
    Tone("pq", "p3", 600),
    Tone("hlg", "bt2020", white=65472),
    Tone("srgb", "bt2020"),
    Tone("srgb", "p3"),
]


def test_the_curves_are_those_of_the_standards() -> None:
    assert nits_of_pq(np.array([0, 1.0, 0.508078])) == pytest.approx([0, 10_000, 100], rel=1e-4)  # ST 2084
    assert nits_of_pq(np.array([0.580689])) == pytest.approx(203, rel=1e-3)  # BT.2408: 58 %
    assert pq_of_nits(nits_of_pq(np.linspace(0.01, 1, 50))) == pytest.approx(np.linspace(0.01, 1, 50))
    assert scene_of_hlg(np.array([0, 0.5, 0.75, 1.0])) == pytest.approx([0, 1 / 12, 0.265, 1], abs=1e-3)  # BT.2100
    assert 1000 * scene_of_hlg(np.array([0.75])) ** 1.2 == pytest.approx(203, rel=5e-3)  # BT.2408: HLG 75 %
    assert light_of_srgb(srgb_curve(np.linspace(0, 1, 50))) == pytest.approx(np.linspace(0, 1, 50))


@pytest.mark.parametrize("peak", [203, 400, 1000, 4000, 10_000])
def test_the_tone_curve_rises_keeps_shadows_and_ends_at_white(peak: float) -> None:
    nits = np.linspace(0, peak, 4000)
    out = bent(nits, peak)
    assert (np.diff(out) > -1e-9).all() and out[0] == 0
    assert out[-1] == pytest.approx(203, rel=1e-6)
    low = nits < 25
    assert out[low] == pytest.approx(nits[low], rel=0.02)
    assert (out <= nits + 1e-6).all()


@pytest.mark.parametrize("tone", TONES, ids=str)
def test_tables_give_what_the_formulas_give(tone: Tone) -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 65536, (40, 50, 3)).astype(np.uint16)
    codes[:20] = codes[:20, :, :1]
    codes[0, :2] = [[0] * 3, [65535] * 3]
    got = tone(codes)
    assert got.dtype == np.uint8 and got.shape == codes.shape
    assert np.abs(got - tone.exact(codes)).max() <= 1
    assert got[0, 0].tolist() == [0, 0, 0] and got[0, 1].tolist() == [255, 255, 255]
    grey = got[:20].astype(int)
    assert (np.ptp(grey, axis=-1) <= 1).all()


def test_grey_rises_and_diffuse_white_is_bright_but_not_white() -> None:
    ramp = np.linspace(0, 65535, 1000).astype(np.uint16)[None, :, None].repeat(3, 2)
    for tone in TONES:
        assert (np.diff(tone(ramp)[0, :, 0].astype(int)) >= 0).all()
    white = np.full((1, 1, 3), round(0.5807 * 65535), np.uint16)
    assert 215 < Tone("pq", "bt2020")(white)[0, 0, 1] < 250


def test_light_is_scaled_alike_in_all_channels() -> None:
    tone = Tone("pq", "bt709")
    codes = np.array([[[46_000, 43_000, 40_000]]], np.uint16)
    before = nits_of_pq(codes[0, 0] / 65535)
    after = light_of_srgb(tone.exact(codes)[0, 0] / 255)
    assert after / after[0] == pytest.approx(before / before[0], rel=1e-6)
    assert after[0] < before[0] / 203

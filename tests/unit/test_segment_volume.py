"""Tissues of bodies by formula: presets, the table, seeds, regions, thresholds, and heads without faces."""

from dataclasses import replace

import numpy as np
import pytest

from bodies import HEAD, HU, SHAPE, head, tissues, trunk
from unflat.errors import InputError
from unflat.geometry.bits import size_of, unpacked
from unflat.stages.deface import deface, deface_labels, shears_of
from unflat.stages.segment_volume import SegmentOptions, looks_drawn, segment_volume, threshold_of
from unflat.stages.tissues import KINDS, Box, Presets, Seeds, Span, color_of
from unflat.types import Grid, Label, LabelMap, Volume


def mask(tissue):
    return np.stack([unpacked(tissue.bits, k) for k in range(tissue.bits.shape[0])])


def alike(got, true):
    return 2 * (got & true).sum() / (got.sum() + true.sum())


@pytest.fixture(scope="module")
def scan():
    return trunk()


@pytest.mark.parametrize(
    ("name", "least"),
    [("skin", 0.985), ("bone", 0.98), ("lung", 0.97), ("vessels", 0.9), ("muscle", 0.93), ("fat", 0.8)],
)
def test_a_preset_finds_its_tissue(scan, name, least):
    found = segment_volume(scan, SegmentOptions(preset=Presets.parse(name)))
    true = tissues()
    inside = true["lung"] | true["gas"] | true["bone"] | true["vessels"]
    wanted = {"muscle": true["muscle"] & ~inside, "fat": true["skin"] & ~true["muscle"] & ~inside}.get(
        name, true.get(name)
    )
    (tissue,) = found.tissues
    assert tissue.name == KINDS[name].title
    assert alike(mask(tissue), wanted) > least


def test_spongy_bone_is_no_vessel(scan):
    """As bright as blood with contrast medium, but rough."""
    values = scan.values.copy()
    inside = np.broadcast_to(tissues()["vessels"], SHAPE)
    values[inside] = np.random.default_rng(1).normal(230, 60, SHAPE)[inside]
    with pytest.raises(InputError, match="no vessels in this scan"):
        segment_volume(replace(scan, values=values), SegmentOptions(preset=Presets.parse("vessels")))


def test_the_table_goes_unless_it_is_kept(scan):
    bone = mask(segment_volume(scan, SegmentOptions(preset=Presets.parse("bone"))).tissues[0])
    assert not bone[:, 101:].any(), "rows behind the back"
    kept = mask(segment_volume(scan, SegmentOptions(preset=Presets.parse("bone"), table="keep")).tissues[0])
    assert kept[:, 101:].any()


def test_bowel_gas_is_no_lung(scan):
    lung = mask(segment_volume(scan, SegmentOptions(preset=Presets.parse("lung"))).tissues[0])
    assert not (lung & tissues()["gas"]).any()


def test_skin_comes_last_and_sheer(scan):
    found = segment_volume(scan, SegmentOptions(preset=Presets.parse("skin, bone")))
    assert [t.name for t in found.tissues] == ["bone", "skin"]
    assert found.tissues[1].finish.opacity < 0.5
    assert found.tissues[0].finish.opacity == 1


def test_what_is_not_there_is_said(scan):
    found = segment_volume(scan, SegmentOptions(preset=Presets.parse("bone,teeth")))
    assert [t.name for t in found.tissues] == ["bone"]
    assert any("teeth" in note for note in found.notes)
    with pytest.raises(InputError, match="no teeth in this scan"):
        segment_volume(scan, SegmentOptions(preset=Presets.parse("teeth")))


def test_a_seed_keeps_one_piece_and_a_region_cuts(scan):
    left = segment_volume(scan, SegmentOptions(preset=Presets.parse("lung"), seed=Seeds.parse("94,59,20")))
    assert alike(mask(left.tissues[0]), tissues()["lung"] & (np.arange(140) > 69)) > 0.95
    part = segment_volume(scan, SegmentOptions(threshold=Span.parse("500"), roi=Box.parse("50:90,60:110,5:25")))
    assert part.volume.grid.shape == (20, 50, 40)
    assert part.tissues[0].bits.shape == (20, 50, 40)
    corner = part.volume.grid.lps(np.array([[0.0, 0, 0]]))[0]
    np.testing.assert_allclose(corner, scan.grid.lps(np.array([[50.0, 60, 5]]))[0])
    with pytest.raises(InputError, match="outside"):
        segment_volume(scan, SegmentOptions(seed=Seeds.parse("1,1,1"), roi=Box.parse("50:90,60:110,5:25")))


def test_hollows_are_filled_if_asked():
    values = np.full((20, 20, 20), -1000, np.int16)
    values[3:17, 3:17, 3:17] = 800
    values[8:12, 8:12, 8:12] = 0
    volume = Volume(values, Grid(values.shape, np.diag([4e-3, 4e-3, 4e-3, 1.0])), "hu", "CT")
    hollow, full = (
        size_of(segment_volume(volume, SegmentOptions(preset=Presets.parse("bone"), fill=fill)).tissues[0].bits)
        for fill in (False, True)
    )
    assert (hollow, full) == (14**3 - 4**3, 14**3)


def test_loose_pieces():
    values = np.full((30, 30, 30), -1000, np.int16)
    values[2:16, 2:28, 2:28] = 300
    values[22:25, 22:25, 22:25] = 300
    values[28, 28, 28] = 300
    volume = Volume(values, Grid(values.shape, np.diag([2e-3, 2e-3, 2e-3, 1.0])), "hu", "CT")

    def sizes(keep):
        tissue = segment_volume(volume, SegmentOptions(threshold=Span(200), keep=keep)).tissues[0]
        return size_of(tissue.bits)

    big, small = 14 * 26 * 26, 27
    assert sizes("largest") == big
    assert sizes("all") == big + small + 1


def test_the_outside_of_a_head_of_magnetic_resonance():
    found = segment_volume(head(modality="MR"))
    ct = segment_volume(head(), SegmentOptions(preset=Presets.parse("skin")))
    assert alike(mask(found.tissues[0]), mask(ct.tissues[0])) > 0.97
    with pytest.raises(InputError, match="Hounsfield"):
        segment_volume(head(modality="MR"), SegmentOptions(preset=Presets.parse("bone")))


def test_a_threshold_parts_air_from_the_darker_tissue():
    rng = np.random.default_rng(0)
    heaps = [rng.normal(mean, 10, n) for mean, n in ((15, 50_000), (180, 20_000), (600, 20_000))]
    values = np.abs(np.concatenate(heaps)).astype(np.float32).reshape(-1, 100, 100)
    assert 45 < threshold_of(values) < 150


@pytest.mark.parametrize("modality", ["CT", "MR"])
@pytest.mark.parametrize("shoulders", [False, True])
def test_a_head_loses_its_face_and_keeps_its_brain(modality, shoulders):
    before = head(modality=modality, shoulders=shoulders)
    shears = shears_of(before)
    after = deface(before, shears)
    changed = before.values != after.values
    y, z = np.arange(HEAD[1]), np.arange(HEAD[0])
    nose = np.zeros(HEAD, bool)
    nose[25:32, 6:12, 36:44] = True
    assert changed[nose].mean() > 0.95
    assert not changed[:, y > HEAD[1] // 2].any(), "the back of the head"
    brain = ((np.arange(HEAD[2]) - 39.5) * 3 / 60) ** 2 + ((y[:, None] - 44.5) * 3 / 75) ** 2 < 1
    assert changed[30:45][:, brain].mean() < 0.01
    labels = LabelMap((before.values > -300).astype(np.uint8), before.grid, (Label(1, "head"),))
    assert not deface_labels(labels, shears).numbers[changed].any(), "labels lose it, too"
    assert not changed[z < 8].any() or not shoulders, "shoulders are no face"


def test_a_trunk_has_no_face(scan):
    with pytest.raises(InputError, match="no head"):
        shears_of(scan)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Presets, "bone,gold"),
        (Presets, ""),
        (Span, "x"),
        (Span, "5..2"),
        (Span, ".."),
        (Span, "1 2"),
        (Seeds, "1,2"),
        (Seeds, "-1,2,3"),
        (Box, "1:2,3:4"),
        (Box, "4:2,1:2,1:2"),
    ],
)
def test_words_that_are_not_understood(kind, text):
    with pytest.raises(InputError):
        kind.parse(text)


def test_words_that_are():
    assert Span.parse("-400") == Span(-400)
    assert Span.parse("..-400") == Span(-np.inf, -400)
    assert Span.parse("100..300.5") == Span(100, 300.5)
    assert Presets.parse("Bone, skin bone").names == ("bone", "skin")
    assert color_of(3, "kidney_left") == color_of(9, "Kidney right")
    assert color_of(1, "vertebrae_L1") == KINDS["bone"].finish.color


def test_the_phantom_is_what_it_says():
    for name, inside in tissues().items():
        assert inside.shape == SHAPE
        assert inside.any(), name
    assert set(HU) == set(tissues())


def test_a_label_map_is_known_from_a_measurement():
    numbers = np.zeros((8, 20, 20), np.uint8)
    numbers[2:6, 4:15, 4:10], numbers[2:6, 4:15, 12:18] = 3, 7
    grid = Grid(numbers.shape, np.diag([1e-3, 1e-3, 1e-3, 1.0]))
    assert looks_drawn(Volume(numbers, grid, "intensity"))
    assert looks_drawn(Volume((numbers > 0).astype(np.uint8), grid, "intensity"))
    assert not looks_drawn(Volume(np.zeros_like(numbers), grid, "intensity")), "nothing is drawn"
    assert not looks_drawn(Volume(np.ones_like(numbers), grid, "intensity"))
    assert not looks_drawn(head(modality="MR"))
    assert not looks_drawn(Volume(numbers.astype(np.float32), grid, "intensity"))


@pytest.mark.parametrize("value", [0, 7, -3])
def test_one_value_everywhere_is_said(value):
    grid = Grid((6, 6, 6), np.diag([1e-3, 1e-3, 1e-3, 1.0]))
    with pytest.raises(InputError, match="same value"):
        segment_volume(Volume(np.full((6, 6, 6), value, np.int16), grid, "intensity"))

"""Faces in scans go unless somebody said by which leave they stay; what is no head is left as it is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bodies import HEAD, head, trunk
from unflat.errors import ConsentError, InputError
from unflat.pipelines.heads import FINDER, shows_skin
from unflat.pipelines.people import LeaveOptions
from unflat.pipelines.volume import VolumeOptions, VolumeResult
from unflat.stages.deface import shears_if_head
from unflat.stages.segment_volume import SegmentOptions
from unflat.stages.tissues import Presets, Span
from unflat.trust.people import PeopleOptions
from unflat.types.provenance import Likeness
from unflat.types.volume import Grid, Volume

SKIN = SegmentOptions(preset=Presets.parse("skin"))
BONE = SegmentOptions(preset=Presets.parse("bone"))
NOSE = np.s_[25:32, 6:12, 36:44]
REAL = Path(os.environ.get("UNFLAT_SHARED", "../shared")) / "data" / "volumes"


def result(volume: Volume, segment: SegmentOptions = SKIN, *, deface: bool = False, **people: object) -> VolumeResult:
    leave = LeaveOptions(PeopleOptions(**people))  # type: ignore[arg-type]
    return VolumeResult(volume, VolumeOptions(segment=segment, leave=leave, deface=deface))


def front_of(made: VolumeResult) -> float:
    """The foremost point of the surfaces, LPS metres."""
    return min(float(node.item.vertices[:, 1].min()) for node in made.scene.nodes)  # type: ignore[union-attr]


def air_at_nose(volume: Volume | None) -> bool:
    assert volume is not None
    level = -500 if volume.quantity == "hu" else 60
    return float((volume.values[NOSE] < level).mean()) > 0.95


@pytest.mark.parametrize("modality", ["CT", "MR"])
@pytest.mark.parametrize("told", [{}, {"people": "blur"}, {"people": "remove"}, {"children": True}])
def test_a_face_of_which_nobody_said_anything_is_taken_off(modality: str, told: dict[str, object]) -> None:
    made = result(head(modality=modality), **told)
    assert front_of(made) > front_of(result(head(modality=modality), people="allow", basis="self")) + 0.01
    assert air_at_nose(made.scene.volume)
    story = made.scene.provenance
    assert story is not None and story.likeness == Likeness(1, 0, "removed", "unstated", (), FINDER)
    assert "deface" in [step.name for step in story.steps]
    assert any("--people allow" in note for note in story.warnings)


@pytest.mark.parametrize("told", [{"people": "allow", "basis": "self"}, {"basis": "historic"}])
def test_a_stated_leave_keeps_it(told: dict[str, object]) -> None:
    made = result(head(), **told)
    assert made.scene.volume is not None and np.array_equal(made.scene.volume.values, head().values)
    story = made.scene.provenance
    assert story is not None and story.likeness is not None and story.likeness.shown
    assert "deface" not in [step.name for step in story.steps]
    assert not any("--people allow" in note for note in story.warnings)


@pytest.mark.parametrize("told", [{"people": "refuse"}, {"people": "allow"}])
def test_a_face_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(ConsentError, match="the scan shows people") as error:
        result(head(), **told).scene  # noqa: B018
    assert error.value.exit_code == 7


def test_bone_stays_whole_and_the_scan_beside_it_has_no_face() -> None:
    made, left = result(head(), BONE), result(head(), BONE, people="allow", basis="self")
    assert front_of(made) == front_of(left)
    assert air_at_nose(made.scene.volume) and not air_at_nose(left.scene.volume)
    forced = result(head(), BONE, deface=True)
    assert front_of(forced) > front_of(made) and air_at_nose(forced.scene.volume)


def test_what_is_forced_goes_whatever_leave_there_is() -> None:
    made = result(head(), deface=True, people="allow", basis="self")
    assert air_at_nose(made.scene.volume)
    with pytest.raises(InputError, match="no head"):
        result(trunk(), deface=True).scene  # noqa: B018


@pytest.mark.parametrize("people", ["ask", "blur", "remove", "refuse", "allow"])
def test_a_trunk_is_left_as_it_is(people: str) -> None:
    made = result(trunk(), people=people)
    assert made.scene.volume is not None and np.array_equal(made.scene.volume.values, trunk().values)
    story = made.scene.provenance
    assert story is not None and story.likeness == Likeness(0, 0, "kept", "unstated", (), FINDER)


def drawn(inside: np.ndarray, like: Volume) -> Volume:
    return replace(like, values=np.where(inside, 40, -1000).astype(np.int16))


def test_things_that_are_no_heads() -> None:
    """A ball, an egg of a head's size without a skull, a limb with its bone, two legs, an empty scan."""
    shape, step = (60, 90, 90), 3.0
    z, y, x = (np.indices(shape) - (np.array(shape)[:, None, None, None] - 1) / 2) * step
    like = Volume(np.zeros(shape, np.int16), Grid(shape, np.diag([step / 1e3] * 3 + [1.0])), "hu", "CT")
    egg = (x / 74) ** 2 + (y / 92) ** 2 + (z / 85) ** 2 < 1
    limb, leg = np.hypot(x, y) < 65, np.minimum(np.hypot(x - 68, y), np.hypot(x + 68, y)) < 60
    boned = drawn(limb, like)
    marrow = np.hypot(x, y)
    values = boned.values.copy()
    values[(marrow < 16) & (marrow > 9)] = 1200
    things = [drawn(x * x + y * y + z * z < 50**2, like), drawn(egg, like), replace(boned, values=values)]
    things += [drawn(leg, like), drawn(np.zeros(shape, bool), like)]
    assert [shears_if_head(thing) is not None for thing in things] == [False] * 5
    assert shears_if_head(head()) is not None and shears_if_head(head(shoulders=True)) is not None
    assert shears_if_head(head(modality="MR")) is not None
    assert head().values.shape == HEAD


@pytest.mark.parametrize(
    ("told", "skin"),
    [
        (SegmentOptions(), False),
        (BONE, False),
        (SegmentOptions(preset=Presets.parse("bone,teeth")), False),
        (SegmentOptions(preset=Presets.parse("bone,skin")), True),
        (SegmentOptions(preset=Presets.parse("fat")), True),
        (SegmentOptions(threshold=Span(300)), False),
        (SegmentOptions(threshold=Span(-300)), True),
    ],
)
def test_which_surfaces_could_show_a_face(told: SegmentOptions, skin: bool) -> None:
    assert shows_skin(head(), told, labelled=False) == skin
    assert shows_skin(head(), told, labelled=True)
    assert shows_skin(head(modality="MR"), SegmentOptions(), labelled=False)


HEADS = (
    "ct_mri_dicom2stl/ct_example.nii.gz",
    "ct_mri_dicom2stl/mri_t1_example.nii.gz",
    "ct_mri_pyradiomics/brain1_image.nrrd",
    "ct_mri_pyradiomics/brain2_image.nrrd",
)
OTHERS = (
    "ct_mri_pyradiomics/breast1_image.nrrd",
    "ct_mri_pyradiomics/prostate_phantom_subvolume.nrrd",
    "ct_totalsegmentator/example_ct.nii.gz",
    "ct_totalsegmentator/example_ct_sm.nii.gz",
    "ct_totalsegmentator/example_mr_sm.nii.gz",
    "ct_totalsegmentator/example_ct_dicom",
)


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared scans are not here")
@pytest.mark.parametrize("name", [*HEADS, *OTHERS])
def test_heads_are_told_from_other_scans(name: str) -> None:
    left = VolumeResult(REAL / name, VolumeOptions(leave=LeaveOptions(PeopleOptions("ask", "historic")))).volume
    assert (shears_if_head(left) is not None) == (name in HEADS)

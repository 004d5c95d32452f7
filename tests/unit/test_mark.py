"""The visible mark: what it says, when it is drawn, where it stands, and that it can be read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.marks import legible

from unflat.errors import ConsentError, ShapeError
from unflat.geometry.stamp import LEAST, TALL, stamp
from unflat.trust.label import AI_LABEL, COMPUTED_LABEL
from unflat.trust.mark import STEP, mark_in, marked, with_mark, without_mark
from unflat.types.image import Size
from unflat.types.provenance import Basis, Likeness, Provenance, Source, Step

PLAIN = Provenance((Source("a.jpg", None, "jpeg"),), (Step("lift"),), "1", False)
LEARNED = replace(PLAIN, steps=(Step("depth", "worlds", "Apache-2.0"),))
SIZES = [Size(1920, 1080), Size(1080, 1920), Size(640, 360), Size(160, 120), Size(3001, 401)]


def somebody(basis: Basis = "unstated", *, faces: int = 1, finder: str = "a finder") -> Likeness:
    return Likeness(faces, 0, "kept", basis, (), finder)


def test_the_story_says_what_is_drawn_and_once_only() -> None:
    assert mark_in(PLAIN) is None and without_mark(PLAIN) is PLAIN
    assert mark_in(with_mark(PLAIN)) == COMPUTED_LABEL
    assert mark_in(with_mark(LEARNED)) == AI_LABEL
    again = with_mark(replace(with_mark(PLAIN), steps=(*with_mark(PLAIN).steps, *LEARNED.steps)))
    assert [step.name for step in again.steps].count(STEP) == 1 and mark_in(again) == AI_LABEL
    assert without_mark(with_mark(PLAIN)) == PLAIN


def test_files_are_marked_only_where_that_is_wanted() -> None:
    for likeness in (None, somebody(), somebody("self")):
        assert marked(likeness, live=False, wanted=True)
        assert not marked(likeness, live=False, wanted=None)
        assert not marked(likeness, live=False, wanted=False)


def test_live_output_is_marked_while_somebody_is_or_may_be_in_view() -> None:
    assert marked(somebody(), live=True, wanted=None)
    assert marked(somebody("self"), live=True, wanted=None)
    assert marked(replace(somebody(), treated="blurred"), live=True, wanted=None)
    assert marked(None, live=True, wanted=None)
    assert marked(somebody(faces=0, finder="nobody looked: no wheel"), live=True, wanted=None)
    assert not marked(somebody(faces=0), live=True, wanted=None)
    assert marked(somebody(faces=0), live=True, wanted=True)


@pytest.mark.parametrize("likeness", [None, somebody(), somebody(faces=0, finder="nobody looked: no wheel")])
def test_live_output_without_its_mark_needs_a_stated_leave(likeness: Likeness | None) -> None:
    with pytest.raises(ConsentError, match="somebody is in view") as error:
        marked(likeness, live=True, wanted=False)
    assert error.value.exit_code == 7
    assert not marked(somebody("self"), live=True, wanted=False)
    assert not marked(somebody(faces=0), live=True, wanted=False)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("words", [AI_LABEL, COMPUTED_LABEL])
def test_it_can_be_read_on_any_ground_and_changes_nothing_else(size: Size, words: str) -> None:
    drawn = stamp(words, size)
    noise = np.random.default_rng(5).integers(0, 256, (*size.shape, 3), np.uint8)
    for ground in (noise, np.full_like(noise, 255), np.zeros_like(noise)):
        out = drawn.on(ground)
        assert legible(out, drawn) > 0.8
        changed = (out != ground).any(axis=2)
        changed[drawn.place] = False
        assert not changed.any()
    rows, _ = np.nonzero(drawn.letters[:, : drawn.letters.shape[1] // 8 + 2] > 0.5)  # "A" has no part below the line
    wanted = max(TALL * min(size.width, size.height), LEAST)
    if words == AI_LABEL:
        assert np.ptp(rows) + 1 == pytest.approx(1.14 * wanted, abs=2)  # and their stroke


def test_narrow_pictures_get_smaller_letters_within_them() -> None:
    for size in (Size(48, 64), Size(64, 12), Size(3, 3), Size(1, 1)):
        drawn = stamp(AI_LABEL, size)
        rows, columns = drawn.place
        assert 0 <= rows.start < rows.stop <= size.height and 0 <= columns.start < columns.stop <= size.width
        drawn.on(np.zeros((*size.shape, 3), np.uint8))


def test_a_stamp_is_for_one_size() -> None:
    with pytest.raises(ShapeError, match="stamp for"):
        stamp(AI_LABEL, Size(64, 48)).on(np.zeros((64, 48, 3), np.uint8))


def test_what_was_transparent_is_opaque_under_the_plate() -> None:
    drawn = stamp(AI_LABEL, Size(400, 300))
    cover = drawn.covering(np.zeros((300, 400), np.uint8))
    assert cover[drawn.place].max() == 255 and not cover[: drawn.top].any()
    assert np.array_equal(cover[drawn.place], np.rint(255 * drawn.cover[..., 0]).astype(np.uint8))


def test_depth_under_the_plate_is_flat_and_nearest() -> None:
    drawn = stamp(AI_LABEL, Size(400, 300))
    depth = np.repeat(np.random.default_rng(1).integers(0, 200, (300, 400, 1), np.uint8), 3, axis=2)
    out, inside = drawn.flat(depth), drawn.cover[..., 0] > 0
    assert np.unique(out[drawn.place][inside]).tolist() == [int(depth[drawn.place].max())]
    assert np.array_equal(out[drawn.place][~inside], depth[drawn.place][~inside])

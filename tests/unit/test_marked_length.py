"""Known lengths as the command line says them."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.errors import InputError
from unflat.stages.marked_length import MarkedLength
from unflat.types.camera import Intrinsics, Pose
from unflat.types.image import Size
from unflat.types.views import Dropped, Lens, Reconstruction, SparsePoints, Still, View


@pytest.mark.parametrize(
    "text",
    [
        "1.0,2.5,30.0,4.0=1.4",
        "000120:1.0,2.0,3.0,4.0=0.5",
        "a b+c:d=e.jpg:1.0,2.0,3.0,4.0=0.5",
        "one.jpg:1.0,2.0,3.0,4.0+two.jpg:5.0,6.0,7.0,8.0=2.0",
    ],
)
def test_text_and_back(text: str) -> None:
    known = MarkedLength.parse(text)
    assert str(known) == text
    assert MarkedLength.parse(str(known)) == known


def test_two_pictures_are_read() -> None:
    known = MarkedLength.parse("one.jpg:1,2,3,4+two.jpg:5,6,7,8e0=2")
    (first, a), (second, b) = known.marks
    assert (first, second) == ("one.jpg", "two.jpg") and known.metres == 2
    assert (a.x1, a.y2, b.x1, b.y2) == (1, 4, 5, 8)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3=4",
        "1,2,3,4",
        "1,2,3,4=x",
        "a:1,2,3,4+a:1,2,3,4=1",
        "a:1,2,1,2=1",
        "1,2,3,4=-1",
        "a:1,2,3,4+5,6,7,8=1",
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        MarkedLength.parse(text)


def _placed(name: str, size: Size, taken: Size | None) -> Reconstruction:
    """One view of that name, in a reconstruction that lost another picture."""
    still = Still(name, size, lambda: np.zeros((*size.shape, 3), np.uint8), taken=taken)
    view = View(still, Lens(Intrinsics.from_fov(60, size)), Pose(np.eye(4)))
    return Reconstruction((view,), SparsePoints.none(), lost=(Dropped("lost.jpg", "it shows something else"),))


def test_marks_are_pixels_of_the_picture_as_it_came_however_small_it_was_made() -> None:
    known = MarkedLength.parse("a.jpg:900,1500,450,750=2")
    ((number, mark),) = known.views(_placed("a.jpg", Size(360, 640), Size(900, 1600)))
    assert number == 0 and (mark.x1, mark.y1, mark.x2, mark.y2) == (360, 600, 180, 300) and mark.metres == 2
    with pytest.raises(InputError, match="900×1600"):
        MarkedLength.parse("a.jpg:901,1500,450,750=2").views(_placed("a.jpg", Size(360, 640), Size(900, 1600)))
    ((_, same),) = known.views(_placed("a.jpg", Size(900, 1600), None))
    assert same == known.marks[0][1]


def test_a_mark_without_a_name_is_one_of_the_first_picture_that_was_given() -> None:
    known = MarkedLength.parse("1,2,3,4=1")
    assert known.named("lost.jpg").marks[0][0] == "lost.jpg"
    assert MarkedLength.parse("a:1,2,3,4=1").named("b").marks[0][0] == "a"
    with pytest.raises(InputError, match=r"lost\.jpg found no place"):
        known.named("lost.jpg").views(_placed("a.jpg", Size(36, 64), None))

"""Known lengths as the command line says them."""

from __future__ import annotations

import pytest

from unflat.errors import InputError
from unflat.stages.marked_length import MarkedLength


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

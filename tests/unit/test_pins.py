"""Pins that a user wrote: what is understood, and what is refused in one line."""

import json

import pytest

from unflat.errors import InputError
from unflat.formats.pins import PinNote, read


def told(tmp_path, value):
    path = tmp_path / "pins.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return read(path)


def test_all_ways_to_say_where(tmp_path):
    pins = [
        {"text": " left kidney ", "node": "kidney_left"},
        {"text": "stone", "voxel": [210, 180, 44.5], "detail": "4 mm"},
        {"text": "entry", "at_mm": [-32.5, 110, -240], "node": "skin"},
    ]
    assert told(tmp_path, {"pins": pins}) == told(tmp_path, pins)
    assert told(tmp_path, pins) == (
        PinNote("left kidney", "kidney_left"),
        PinNote("stone", voxel=(210, 180, 44.5), detail="4 mm"),
        PinNote("entry", "skin", at_mm=(-32.5, 110, -240)),
    )
    assert told(tmp_path, []) == ()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ({"labels": []}, "no list"),
        ([{"text": "a"}] * 3000, "no list"),
        ([3], "no object"),
        ([{"text": "a"}], "no place"),
        ([{"text": " ", "node": "x"}], "needs a text"),
        ([{"text": "a" * 300, "node": "x"}], "needs a text"),
        ([{"text": "a", "node": 3}], "texts"),
        ([{"text": "a", "node": "x", "colour": "red"}], "unknown word 'colour'"),
        ([{"text": "a", "voxel": [1, 2]}], "three numbers"),
        ([{"text": "a", "voxel": [1, 2, True]}], "three numbers"),
        ('[{"text": "a", "voxel": [1, 2, NaN]}]', "three numbers"),
        ('[{"text": "a", "voxel": [1, 2, 1e999]}]', "three numbers"),
        ([{"text": "a", "voxel": [1, 2, 3], "at_mm": [1, 2, 3]}], "two places"),
        ([{"text": "a", "node": "x", "detail": "d" * 5000}], "more than 4000"),
    ],
)
def test_what_is_refused(tmp_path, value, said):
    with pytest.raises(InputError, match=said) as caught:
        told(tmp_path, value)
    assert caught.value.hint

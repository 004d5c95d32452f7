"""The plan of a tour: what users write, and what they write wrongly."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from unflat.errors import InputError
from unflat.formats import tour_plan
from unflat.formats.tour_plan import plan_of
from unflat.stages.tour_things import check_things, things_of
from unflat.types.tour import Entry, Mark, Passage, Stand, TourPlan

DOCS = Path(__file__).parents[2] / "docs" / "walk.md"


def test_all_that_can_be_said_is_read() -> None:
    plan = plan_of(
        {
            "pictures": {
                "a.jpg": {
                    "title": "A",
                    "date": "1890",
                    "fov": 50,
                    "alone": True,
                    "landmarks": [
                        {"pixel": [1, 2.5], "point": [1, 2, 3]},
                        {"pixel": [3, 4], "seen": {"b.jpg": [5, 6]}},
                        {"pixel": [7, 8], "name": "clock"},
                    ],
                },
                "b.jpg": {"position": [1, 2], "heading": 90, "pitch": -5},
            },
            "points": {"clock": [0, 9, 6]},
            "links": [{"from": "a.jpg", "pixel": [1, 1], "to": "b.jpg", "name": "door"}],
            "start": "b.jpg",
        }
    )
    marks = (
        Mark((1.0, 2.5), (1.0, 2.0, 3.0)),
        Mark((3.0, 4.0), seen={"b.jpg": (5.0, 6.0)}),
        Mark((7.0, 8.0), name="clock"),
    )
    assert plan.entries["a.jpg"] == Entry("A", "1890", 50.0, True, marks)
    assert plan.entries["b.jpg"] == Entry(stand=Stand(1.0, 2.0, None, 90.0, -5.0))
    assert plan.points == {"clock": (0.0, 9.0, 6.0)} and plan.start == "b.jpg"
    assert plan.passages == (Passage("a.jpg", "b.jpg", (1.0, 1.0), None, "door"),)
    assert plan_of({}) == TourPlan()


def test_the_example_of_the_documentation_is_a_plan() -> None:
    blocks = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.S)
    plans = [plan_of(json.loads(block)) for block in blocks]
    assert any(len(plan.entries) > 1 and plan.passages for plan in plans)


LANDMARKS: tuple[Any, ...] = (
    3,
    {"pixel": [1], "point": [1, 2, 3]},
    {"pixel": [1, "2"], "point": [1, 2, 3]},
    {"pixel": [1, True], "point": [1, 2, 3]},
    {"pixel": [-1, 2], "point": [1, 2, 3]},
    {"pixel": [1, 2]},
    {"point": [1, 2, 3]},
    {"pixel": [1, 2], "point": [1, 2]},
    {"pixel": [1, 2], "point": [1, 2, float("nan")]},
    {"pixel": [1, 2], "point": [1, 2, float("inf")]},
    {"pixel": [1, 2], "point": [1, 2, 10**400]},
    {"pixel": [1, 2], "point": [1, 2, 3], "name": "x"},
    {"pixel": [1, 2], "seen": {}},
    {"pixel": [1, 2], "seen": [1, 2]},
    {"pixel": [1, 2], "seen": {"a": [1, 2]}},
    {"pixel": [1, 2], "seen": {"b": [1, None]}},
    {"pixel": [1, 2], "name": ""},
    {"pixel": [1, 2], "name": "two\nlines"},
    {"pixel": [1, 2], "name": "x" * 201},
    {"pixel": [1, 2], "point": [1, 2, 3], "colour": 1},
)
ENTRIES: tuple[Any, ...] = (
    None,
    [],
    {"title": 3},
    {"date": "1890\x1b[2J"},
    {"fov": 0},
    {"fov": 180},
    {"fov": "50"},
    {"alone": 1},
    {"landmarks": {}},
    {"position": [1, 2, 3, 4], "heading": 0},
    {"position": [1, 2]},
    {"position": [1, 2], "heading": 1000},
    {"position": [1, 2], "heading": 0, "pitch": 100},
    {"heading": 90},
    {"landmarks": [{"pixel": [1, 2], "name": "x"}, {"pixel": [3, 4], "name": "x"}]},
    *({"landmarks": [row]} for row in LANDMARKS),
)
WHOLE: tuple[Any, ...] = (
    [],
    3,
    None,
    {"picture": {}},
    {"pictures": []},
    {"points": [1]},
    {"points": {"x": [1, 2]}},
    {"links": {}},
    {"links": [3]},
    {"links": [{"from": "a"}]},
    {"links": [{"from": "a", "to": "a"}]},
    {"links": [{"from": "a", "to": "b", "pixel": 3}]},
    {"links": [{"from": "a", "to": "b", "door": 3}]},
    {"start": 3},
    *({"pictures": {"a": entry}} for entry in ENTRIES),
)


@pytest.mark.parametrize("document", WHOLE, ids=lambda d: str(d)[:60])
def test_nonsense_is_refused_in_one_line(document: Any) -> None:
    with pytest.raises(InputError) as caught:
        plan_of(document)
    assert "\n" not in f"{caught.value}{caught.value.hint}" and caught.value.hint


@pytest.mark.parametrize(
    "text",
    ["", "{", "\ufeff[", '{"pictures": {}, "pictures": {}}', "[" * 100_000, '{"start": "\\ud800"}', "9" * 5000],
    ids=lambda text: text[:20],
)
def test_files_that_are_no_plan_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        tour_plan.read(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError):
        tour_plan.read(path)


def test_marks_of_one_name_are_one_thing() -> None:
    entries = {
        "a": Entry(marks=(Mark((1, 2), name="x"), Mark((3, 4), (5, 6, 7)))),
        "b": Entry(marks=(Mark((8, 9), name="x"),)),
    }
    lone, shared = things_of(TourPlan(entries, {"x": (1, 1, 1)}))
    assert lone.pixels == {"a": (3, 4)} and lone.point == (5, 6, 7)
    assert shared.name == "x" and shared.pixels == {"a": (1, 2), "b": (8, 9)} and shared.point == (1, 1, 1)


SIZES = {"market.jpg": (640.0, 480.0), "today.jpg": (100.0, 100.0)}


@pytest.mark.parametrize(
    ("document", "what", "hint"),
    [
        ({"pictures": {"markt.jpg": {}}}, "markt.jpg, which is not among", "market.jpg"),
        ({"pictures": {"zzz": {}}}, "zzz, which is not among", "today.jpg"),
        ({"pictures": {"market.jpg": {"landmarks": [{"pixel": [1, 2], "seen": {"none": [1, 2]}}]}}}, "none", "today"),
        ({"pictures": {"market.jpg": {"landmarks": [{"pixel": [641, 2], "point": [1, 2, 3]}]}}}, "outside", "upright"),
        (
            {"pictures": {"market.jpg": {"landmarks": [{"pixel": [1, 2], "seen": {"today.jpg": [1, 101]}}]}}},
            "outside today.jpg",
            "upright",
        ),
        ({"links": [{"from": "market.jpg", "to": "nowhere.jpg"}]}, "link 1", "pictures"),
        ({"links": [{"from": "market.jpg", "to": "today.jpg", "back": [500, 5]}]}, "link 1", "upright"),
        ({"points": {"clock": [1, 2, 3]}}, "no picture shows", "landmark"),
        ({"start": "x"}, "'start'", "pictures"),
    ],
)
def test_a_plan_is_compared_with_the_pictures(document: Any, what: str, hint: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        check_things(plan_of(document), SIZES)
    assert hint in caught.value.hint

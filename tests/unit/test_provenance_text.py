"""What a file says of itself: through JSON and back unchanged, and no nonsense believed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scenes
from unflat.errors import InputError
from unflat.formats.provenance_text import foreign_record, from_plain, from_record, record, rights_line, to_plain
from unflat.types import Provenance, Rights, Scale, Size, Source, Step

words = st.text(
    st.characters(
        min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc", "Cf", "Cn", "Zl", "Zp", "Zs", "Co"]
    ),
    max_size=12,
)
maybe = st.none() | words
values = (
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | words
)
rights = st.builds(Rights, maybe, maybe, maybe, maybe)
sources = st.builds(Source, words, maybe, words, rights)
options = st.dictionaries(words, values | st.tuples(values, values), max_size=4).map(lambda d: tuple(d.items()))
steps = st.builds(Step, words, maybe, maybe, options)
stories = st.builds(
    Provenance,
    st.lists(sources, max_size=3).map(tuple),
    st.lists(steps, max_size=3).map(tuple),
    words,
    st.booleans(),
    st.lists(words, max_size=3).map(tuple),
    maybe,
)


@given(stories)
def test_through_json_and_back(story: Provenance) -> None:
    assert from_plain(json.loads(json.dumps(to_plain(story), allow_nan=False))) == story


@given(stories, st.sampled_from(["metric-source", "known-length", "familiar", "subject-distance", "assumed"]))
def test_whole_record_through_json_and_back(story: Provenance, basis: Any) -> None:
    scale = Scale(basis, 0.5, 2.0, 0.8, "x")
    scene = replace(scenes.textured_scene(), provenance=story, scale=scale)
    known = from_record(json.loads(json.dumps(record(scene))))
    assert (known.frame, known.scale, known.provenance) == (scene.frame, scale, story)
    assert record(scene)["kind"] == ("scale" if basis == "assumed" else "metric")


def test_unknown_keys_are_passed_over() -> None:
    plain = to_plain(scenes.provenance())
    plain["later"] = {"x": 1}
    plain["sources"][0]["later"] = plain["steps"][0]["later"] = 1
    assert from_plain(plain) == scenes.provenance()


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Options:
    size: Size
    colour: Colour


def test_options_of_any_kind_become_plain() -> None:
    given_options = {
        "path": Path("/home/ada/secret/depth.png"),
        "array": np.float32(0.5),
        "count": np.int64(3),
        "flag": np.True_,
        "all": Options(Size(3, 4), Colour.RED),
        "set": {"b", "a"},
        "far": float("inf"),
        "map": {1: (2, 3)},
        "odd": "a\udc80\x07b",
    }
    plain = to_plain(replace(scenes.provenance(), steps=(Step("s", options=tuple(given_options.items())),)))
    assert plain["steps"][0]["options"] == {
        "path": "depth.png",
        "array": 0.5,
        "count": 3,
        "flag": True,
        "all": {"size": {"width": 3, "height": 4}, "colour": "red"},
        "set": ["a", "b"],
        "far": "inf",
        "map": {"1": [2, 3]},
        "odd": "a??b",
    }
    json.dumps(plain, allow_nan=False).encode()


def test_what_is_not_stated_is_left_out() -> None:
    plain = to_plain(Provenance((Source.array(),), (Step("a"),), "1", False))
    assert plain["sources"] == [{"name": "array", "format": "array"}] and plain["steps"] == [{"name": "a"}]


@pytest.mark.parametrize(
    ("rights", "line"),
    [
        (Rights(), None),
        (Rights(creator="Ada"), "by Ada"),
        (Rights(creator="Ada", copyright="© Ada"), "© Ada"),
        (Rights("Ada", "© Bob", "CC0-1.0", "none\nat all"), "© Bob; by Ada; CC0-1.0; none at all"),
    ],
)
def test_rights_in_one_line(rights: Rights, line: str | None) -> None:
    assert rights_line(rights) == line


NONSENSE: list[Any] = [None, 7, "x", [], {}, {"sources": []}, {"version": "1", "invented": "no"}]
NONSENSE += [
    {**to_plain(scenes.provenance()), key: 7} for key in ("sources", "steps", "warnings", "version", "created")
]
NONSENSE += [{**to_plain(scenes.provenance()), "steps": [{"name": "a", "options": value}]} for value in (7, [1])]
deep: Any = 1
for _ in range(100):
    deep = [deep]
NONSENSE += [{**to_plain(scenes.provenance()), "steps": [{"name": "a", "options": {"o": deep}}]}]


@pytest.mark.parametrize("plain", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_refused(plain: Any) -> None:
    with pytest.raises(InputError, match="damaged"):
        from_plain(plain)


@pytest.mark.parametrize("number", [True, "1", None, float("nan"), float("inf"), 10**400, -1.0])
def test_nonsense_scales_are_refused(number: Any) -> None:
    plain = record(scenes.textured_scene())
    plain["scale"]["high"] = number
    with pytest.raises(InputError, match="damaged"):
        from_record(plain)


def test_files_of_others_are_not_vouched_for() -> None:
    known = foreign_record(Source("x.glb", "00" * 32, "glb"))
    assert known.scale.assumed and known.scale.high / known.scale.low >= 1e6
    assert known.provenance.warnings and from_record(
        record(replace(scenes.textured_scene(), provenance=known.provenance))
    )

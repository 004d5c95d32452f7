"""Times as people write them, parts of films, settings by shot."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from unflat.errors import InputError
from unflat.pipelines.film_span import ShotSetting, SpanOptions, read_settings, seconds_of, set_for
from unflat.pipelines.two_eyes import whole_shots
from unflat.stages.plan_stereo import StereoOptions
from unflat.types.clip import Clip
from unflat.types.image import Size


def _clip(seconds: float | None) -> Clip:
    return Clip(Size(4, 4), Fraction(25), lambda _start, _stop: iter(()), seconds=seconds)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("90", 90),
        ("90.5", Fraction(181, 2)),
        ("10s", 10),
        ("1:30", 90),
        ("59:59", 3599),
        ("1:02:03.25", Fraction(14893, 4)),
        ("0", 0),
    ],
)
def test_times(words: str, seconds: Fraction) -> None:
    assert seconds_of(words, "--from") == seconds


@pytest.mark.parametrize(
    "words", ["", "soon", "-3", "1:2:3:4", "1:123", "1:5", "1:75:00", "9" * 5000, "nan", "1e3", "5 min"]
)
def test_what_is_no_time(words: str) -> None:
    with pytest.raises(InputError, match="is no time"):
        seconds_of(words, "--from")


@pytest.mark.parametrize(
    ("options", "seconds", "span"),
    [
        ({}, 60.0, (0, None)),
        ({"from_": "5", "to": "8"}, 60.0, (5, 8)),
        ({"preview": "10s"}, 60.0, (20, 30)),
        ({"preview": "10s"}, 6.0, (0, 10)),
        ({"preview": "10s"}, 12.0, (2, 12)),
        ({"preview": "10s"}, None, (0, 10)),
        ({"preview": "10s", "from_": "4"}, 60.0, (4, 14)),
        ({"preview": "10s", "to": "600"}, 60.0, (20, 30)),
        ({"preview": "10s", "to": "30"}, 60.0, (10, 20)),
        ({"preview": "10s", "from_": "4", "to": "6"}, 60.0, (4, 6)),
    ],
)
def test_parts(options: dict[str, str], seconds: float | None, span: tuple[int, int | None]) -> None:
    assert SpanOptions(**options).of(_clip(seconds)) == span


def test_a_part_behind_the_end_is_refused() -> None:
    with pytest.raises(InputError, match="after the end"):
        SpanOptions(from_="61").of(_clip(60.0))
    with pytest.raises(InputError, match="not after"):
        SpanOptions(from_="9", to="9")
    with pytest.raises(InputError, match="no length"):
        SpanOptions(preview="0s")


def _file(folder: Path, said: Any) -> Path:
    path = folder / "shots.json"
    path.write_text(said if isinstance(said, str) else json.dumps(said))
    return path


def test_the_last_entry_within_which_a_shot_begins_counts(tmp_path: Path) -> None:
    rows = [{"from": 0, "strength": 1.0}, {"from": "0:05", "to": 10, "strength": 2, "convergence": 0.5}]
    settings = read_settings(_file(tmp_path, {"shots": rows}))
    assert settings[1] == ShotSetting(Fraction(5), Fraction(10), (("strength", 2), ("convergence", 0.5)))
    options = StereoOptions(convergence=0.1)
    assert set_for(Fraction(4), options, settings) == StereoOptions(strength=1.0, convergence=0.1)
    assert set_for(Fraction(5), options, settings) == StereoOptions(strength=2, convergence=0.5)
    assert set_for(Fraction(10), options, settings).strength == 1.0
    assert set_for(Fraction(3), options, ()) == options
    assert read_settings(None) == ()


@pytest.mark.parametrize("begins", [Fraction(1001 * n, 24000) for n in (1, 2, 3, 290)] + [Fraction(1, 30_000)])
def test_the_times_of_a_report_find_their_shots_again(tmp_path: Path, begins: Fraction) -> None:
    """They are rounded, up or down, and small ones are written with a power of ten."""
    told = round(float(begins), 6)
    settings = read_settings(_file(tmp_path, {"shots": [{"to": told, "strength": 1}, {"from": told, "strength": 2}]}))
    assert set_for(begins, StereoOptions(), settings).strength == 2
    assert set_for(begins - Fraction(1, 100_000), StereoOptions(), settings).strength == 1


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ([], "no list"),
        ({"shots": {}}, "no list"),
        ({"shots": [3]}, "shot 1"),
        ({"shots": [{"from": 0}, {"colour": 1}]}, "shot 2: there is no setting 'colour'"),
        ({"shots": [{"strength": "much"}]}, "strength cannot be much"),
        ({"shots": [{"strength": True}]}, "strength cannot be True"),
        ({"shots": [{"strength": -1}]}, "out of range"),
        ({"shots": [{"strength": 10**400}]}, "strength cannot be 1000"),
        ({"shots": [{"convergence": 7}]}, "out of range"),
        ({"shots": [{"from": 5, "to": 2}]}, "ends before"),
        ({"shots": [{"from": "soon"}]}, "is no time"),
    ],
)
def test_settings_that_are_wrong_say_where(tmp_path: Path, said: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_settings(_file(tmp_path, said))


def test_parts_of_a_shot_become_one() -> None:
    part = {"shot": 0, "from": 0.0, "near": 2.0, "far": 0.5, "out_percent": 1.0, "in_percent": 0.2, "notes": []}
    rows = [
        {**part, "frames": 10, "made_up": 0.1},
        {**part, "frames": 30, "made_up": 0.3, "near": 3.0, "far": 0.1, "out_percent": 0.4, "notes": ["far"]},
        {**part, "shot": 1, "frames": 5, "made_up": 0.0},
    ]
    shots = whole_shots(rows)
    assert [shot["frames"] for shot in shots] == [40, 5]
    assert shots[0]["made_up"] == pytest.approx(0.25)
    assert (shots[0]["near"], shots[0]["far"], shots[0]["out_percent"]) == (3.0, 0.1, 1.0)
    assert shots[0]["notes"] == ["far"] and shots[1]["notes"] == []

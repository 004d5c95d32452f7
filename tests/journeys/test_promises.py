"""The matrix: every kind of source, every recipe, every format, every promise. What ran is what docs/trust.md tells."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from tests import promise_page, promise_runs
from tests.promise_inputs import KINDS, OTHER_FILMS, Kind
from tests.promise_runs import RECIPES, Recipe

from unflat.formats import film_join, film_read, image, sniff, video, volume_parts
from unflat.formats.registry import FORMATS
from unflat.types.stereo import Layout

CASES = list(promise_runs.cases())
NAMES = [f"{recipe.name}-{kind.name}".replace(" ", "_") for recipe, kind in CASES]
HELD = promise_page.Held()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("recipe", "kind"), CASES, ids=NAMES)
def test_promises(recipe: Recipe, kind: Kind, tmp_path: Path) -> None:
    promise_page.hold(recipe, kind, tmp_path, HELD)


def test_the_page_tells_what_ran() -> None:
    if {cell[:2] for cell in HELD.door} != {(recipe.name, kind.name) for recipe, kind in CASES}:
        pytest.skip("only some of it ran")
    assert promise_page.PAGE.read_text(encoding="utf-8") == promise_page.page(HELD), "run python -m tests.promise_page"


def test_no_kind_of_source_is_left_out() -> None:
    known = promise_page.known_kinds()
    assert set(sniff.SUFFIXES) <= known
    assert set(film_read.SUFFIXES) == {name for name in known if name.startswith(".")} | set(OTHER_FILMS)
    volumes = {name.lower() for kind in KINDS if kind.family == "slices" for name in (kind.name, *kind.names)}
    assert set(get_args(volume_parts.Kind)) - {"array"} <= volumes, "a kind of scan is not tried"


def test_no_format_is_left_out() -> None:
    names = [name for recipe in RECIPES for name in recipe.outputs.values()]
    for row in FORMATS:
        assert any(name.endswith(row.suffixes) for name in names), row.name
    pictures = {image.check_suffix(Path(name)) for name in names if Path(name).suffix in image._WRITES}
    assert set(image._WRITES.values()) <= pictures
    films = {name for recipe in RECIPES if recipe.family == "film" for name in recipe.outputs.values()}
    assert {Path(name).suffix for name in films} >= set(film_join.SUFFIXES)
    moves = next(recipe for recipe in RECIPES if recipe.name == "camera move")
    assert {Path(name).suffix for name in moves.outputs.values()} >= set(video.SUFFIXES)
    told = " ".join(output for recipe in RECIPES for output in (*recipe.outputs, *recipe.words))
    words = {
        Layout.FULL_SBS: "full side by side",
        Layout.HALF_SBS: "half side by side",
        Layout.FULL_TB: "top-bottom webp",
        Layout.HALF_TB: "half top-bottom",
        Layout.CROSS: "cross-eyed",
        Layout.RGBD: "picture and depth",
        Layout.PAIR: "--layout pair",
    }
    for layout in Layout:
        assert words.get(layout, layout.value) in told, layout

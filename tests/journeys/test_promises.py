"""The matrix: every kind of source, every recipe, every format, every promise. What ran is what docs/trust.md tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import promise_runs
from tests.promise_inputs import Kind
from tests.promise_runs import Recipe

CASES = list(promise_runs.cases())
NAMES = [f"{recipe.name}-{kind.name}".replace(" ", "_") for recipe, kind in CASES]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("recipe", "kind"), CASES, ids=NAMES)
def test_promises(recipe: Recipe, kind: Kind, tmp_path: Path) -> None:
    for part, hold in (("out", promise_runs.hold_outputs), ("gone", promise_runs.hold_gone)):
        (tmp_path / part).mkdir()
        list(hold(recipe, kind, tmp_path / part))
    (tmp_path / "door").mkdir()
    list(promise_runs.hold_door(recipe, kind, tmp_path / "door"))

"""Files of many pictures tell what is in them, and damaged ones are refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rooms
from unflat.cli.main import run
from unflat.errors import InputError
from unflat.formats import registry
from unflat.formats.atomic import MARK
from unflat.pipelines.inspect import inspect
from unflat.types.occupancy import Occupancy

MAP = Occupancy(np.array([[0, 1, -1, 0], [0, 0, -1, -1]], np.int8), 0.25, -1.0, 2.0, (0.1, 1.8))


def test_a_path_tells_its_poses(tmp_path: Path) -> None:
    ours = rooms.reconstruction()
    registry.write(ours, tmp_path / "a.tum")
    told = inspect(tmp_path / "a.tum")
    way = np.diff([view.pose.centre for view in ours.views], axis=0)
    assert told["what"] == "trajectory" and told["poses"] == len(ours.views)
    assert told["length"] == pytest.approx(np.linalg.norm(way, axis=1).sum(), abs=1e-4)
    assert any("world from camera" in line for line in told["says"])


@pytest.mark.parametrize("name", ["a.yaml", "a.pgm"])
def test_a_map_tells_its_cells(tmp_path: Path, name: str) -> None:
    registry.write(MAP, tmp_path / name)
    told = inspect(tmp_path / name)
    assert told["what"] == "occupancy map" and told["cell_m"] == 0.25
    assert (told["cells"], told["extent_m"]) == ("2×4", [0.5, 1.0])
    assert [told[f"{kind}_share"] for kind in ("free", "occupied", "unknown")] == [0.5, 0.125, 0.375]


@pytest.mark.parametrize("name", ["a.colmap", "a.nerfstudio"])
def test_a_folder_of_views_tells_what_was_placed(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    ours = rooms.reconstruction()
    registry.write(ours, tmp_path / name)
    told = inspect(tmp_path / name)
    assert (told["pictures"], told["points"]) == (len(ours.views), len(ours.points.xyz))
    assert told["cameras"] == len({view.lens for view in ours.views})
    assert told["unit"] == ("free" if ours.scale is None else "metre") and told["bytes"] > 0
    assert run(["inspect", str(tmp_path / name)]) == 0
    assert f"pictures: {len(ours.views)}" in capsys.readouterr().out
    (tmp_path / name / MARK).unlink()
    with pytest.raises(InputError, match="not written by unflat"):
        inspect(tmp_path / name)


def test_other_folders_and_damaged_files_are_refused(tmp_path: Path) -> None:
    assert run(["inspect", str(tmp_path)]) != 0
    (tmp_path / "x.tum").write_text("1 2 3\n4 5 6\n")
    (tmp_path / "y.yaml").write_text("image: y.pgm\n")
    for name, word in (("x.tum", "eight numbers"), ("y.yaml", "no map")):
        with pytest.raises(InputError, match=word):
            inspect(tmp_path / name)

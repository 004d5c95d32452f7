"""What ``unflat models`` and ``--depth auto`` say: what is missing, what ships, what may not be used at work."""

from __future__ import annotations

import json
from pathlib import Path

import PIL.Image
import pytest
import skimage.data

import nets
import unflat
from hubs import CONFIG, README, SMALL, Hub, exported
from unflat.cli.main import run
from unflat.errors import InputError
from unflat.models import outside
from unflat.models.pull import pull
from unflat.models.registry import depth_model

RGB = skimage.data.chelsea()[:80, :80]
LARGE = "depth-anything/Depth-Anything-V2-Large-hf"
FOR_TORCH = {"model.safetensors": b"weights", "config.json": CONFIG, "README.md": README}


@pytest.fixture(autouse=True)
def torch(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Whether torch seems to be installed; at first it does not."""
    there = {"torch": False}
    monkeypatch.setattr(outside, "torch_is_there", lambda: there["torch"])
    return there


def test_pull_ends_with_what_is_missing(
    cache: Path, hub: Hub, capsys: pytest.CaptureFixture[str], torch: dict[str, bool]
) -> None:
    hub.repos[SMALL] = FOR_TORCH
    assert run(["models", "pull", "depth-anything-v2-small"]) == 0
    assert 'pip install "unflat[models]"' in capsys.readouterr().out.splitlines()[-2]
    for words in (["list"], ["show", "depth-anything-v2-small"]):
        assert run(["models", *words]) == 0
        said = capsys.readouterr().out
        assert "Needs the extra 'models'." in said or 'pip install "unflat[models]"' in said
    assert run(["models", "pull", SMALL, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing_extra"] == "models"
    torch["torch"] = True
    assert run(["models", "pull", SMALL]) == 0 and "pip install" not in capsys.readouterr().out
    assert run(["models", "show", SMALL, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing_extra"] is None


def test_pull_of_what_can_run_asks_for_nothing(
    tmp_path: Path, cache: Path, hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.repos[SMALL] = exported(tmp_path)
    assert run(["models", "pull", SMALL]) == 0 and "pip install" not in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["depth", "photo"])
def test_auto_says_what_it_could_not_take(
    tmp_path: Path, cache: Path, hub: Hub, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.repos[SMALL] = FOR_TORCH
    pull(SMALL)
    PIL.Image.fromarray(RGB).save(tmp_path / "a.png")
    out = str(tmp_path / ("o.npy" if verb == "depth" else "o.glb"))
    words = [verb, str(tmp_path / "a.png"), "-o", out, "--force"]
    wanted = "'depth-anything-v2-small' is on this disk but needs the extra 'models'"
    assert run(words) == 0
    said = next(line for line in capsys.readouterr().err.splitlines() if wanted in line)
    assert said.startswith("note: ") and said.endswith("'worlds' is used.")
    assert run([*words, "--json"]) == 0
    assert any(wanted in one for one in json.loads(capsys.readouterr().out)["warnings"])
    assert run([*words, "--depth", "worlds"]) == 0 and wanted not in capsys.readouterr().err


def test_auto_tells_of_the_best_only_and_of_none_that_was_not_wanted(tmp_path: Path, cache: Path, hub: Hub) -> None:
    def notes(**more: bool) -> list[str]:
        return [one for one in unflat.photo(RGB, **more).report["warnings"] if "needs the extra" in one]

    hub.repos[SMALL] = exported(tmp_path)
    pull(SMALL)
    assert notes() == []
    hub.repos[LARGE] = FOR_TORCH | {"README.md": README.replace(b"apache-2.0", b"cc-by-nc-4.0")}
    pull(LARGE)
    told = notes()
    assert len(told) == 1 and "v2-large' is on this disk" in told[0] and "'depth-anything-v2-small' is used" in told[0]
    assert notes(commercial_only=True) == []


def test_what_ships_is_neither_fetched_nor_removed(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("pull", "remove"):
        assert run(["models", word, "worlds"]) == InputError.exit_code
        assert "'worlds' ships with unflat" in capsys.readouterr().err


def test_an_unknown_name_is_answered_with_all_names(
    tmp_path: Path, cache: Path, hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.repos["some/one"] = exported(tmp_path)
    pull("some/one")
    assert run(["models", "show", "nothing"]) == InputError.exit_code
    said = capsys.readouterr().err.split()
    assert {"worlds", "ramp", "depth-pro", "some--one"} <= set(said)


def test_the_list_marks_what_may_not_be_used_at_work_in_straight_columns(
    tmp_path: Path, cache: Path, hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.repos["some/one-with-a-very-long-name-of-its-own-indeed"] = exported(tmp_path) | {"README.md": b""}
    pull("some/one-with-a-very-long-name-of-its-own-indeed")
    assert run(["models", "list"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line and ":" not in line]
    marked = {line.split()[0] for line in lines if line.endswith("NOT for commercial use.")}
    assert {"depth-pro", "depth-anything-v2-large", "some--one-with-a-very-long-name-of-its-own-indeed"} <= marked
    assert not {"worlds", "depth-anything-v2-small", "zoedepth"} & marked
    words = [line.split()[:3] for line in lines]
    assert len({line.index(f" {two} ") for line, (_, two, _) in zip(lines, words, strict=True)}) == 1
    assert len({line.index(f" {three} ") for line, (_, _, three) in zip(lines, words, strict=True)}) == 1


def test_json_may_stand_before_the_command(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["show", "worlds"], ["list"]):
        said = []
        for whole in (["models", "--json", *words], ["models", *words, "--json"]):
            assert run(whole) == 0
            said.append(json.loads(capsys.readouterr().out))
        assert said[0] == said[1]
    assert run(["models", "--json", "pull", "https://x/y.onnx", "--sha256", "0"]) == InputError.exit_code
    assert "needs its checksum" in capsys.readouterr().err
    assert run(["models", "worlds", "ramp"]) == InputError.exit_code
    assert "'ramp' is one word too many" in capsys.readouterr().err


def test_no_path_is_not_this_folder(cache: Path) -> None:
    with pytest.raises(InputError, match="'onnx:' names no file"):
        depth_model("onnx:")


@pytest.mark.parametrize(("multiple", "side"), [(None, 448), (14, 518), (32, 512)])
def test_a_network_of_free_size_is_shown_what_the_manual_says(tmp_path: Path, multiple: int | None, side: int) -> None:
    path = nets.mean_net(tmp_path / "net.onnx")
    asked = {"input": {"multiple_of": multiple}} if multiple else {}
    nets.card(path, kind="disparity", **asked)
    assert nets.opened(path).predict(RGB).values.shape == (side, side)
    manual = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    assert f"{side} for {multiple or 224}" in manual

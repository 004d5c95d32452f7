"""Models of other packages, whole and broken, and the devices that a model runs on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from unflat.cli.main import run
from unflat.errors import InputError
from unflat.models.devices import devices, provider_of
from unflat.models.registry import ENTRY_POINTS, broken, cards, depth_model

WHOLE = """
from unflat.models.card import ModelCard
from unflat.models.depth.protocol import Prediction
from unflat.types.depth import DepthKind
import numpy as np
class Flat:
    card = ModelCard("flat", "a wall", DepthKind.SCALE, "MIT", True, "a test")
    def __init__(self, threads=0, device="cpu"):
        self.device = device
    def predict(self, rgb):
        return Prediction(np.full((4, 4), 0.5, np.float32), DepthKind.SCALE)
class Bare:
    def __init__(self, threads=0): ...
class Odd:
    card = "a card"
"""
POINTS = {
    "flat": "whole_model:Flat",
    "leaving": "leaving_model:Make",
    "raising": "raising_model:Make",
    "nowhere": "no_such_module_here:Make",
    "nothing": "whole_model:Nothing",
    "bare": "whole_model:Bare",
    "odd": "whole_model:Odd",
}
FAULTY = sorted(set(POINTS) - {"flat"})


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an installed package that brings good and bad models."""
    (tmp_path / "whole_model.py").write_text(WHOLE)
    (tmp_path / "leaving_model.py").write_text("import sys\nsys.exit('I need\\na GPU')\n")
    (tmp_path / "raising_model.py").write_text("raise RuntimeError('half\\ninstalled')\n")
    about = tmp_path / "others-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    points = "\n".join(f"{name} = {place}" for name, place in POINTS.items())
    (about / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\n{points}\n")
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("whole_model", "leaving_model", "raising_model"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return tmp_path


def test_broken_models_do_not_hide_the_others(plugins: Path) -> None:
    assert {"worlds", "ramp", "flat"} <= {card.name for card in cards()}
    faulty = {one.name: one.error for one in broken()}
    assert sorted(faulty) == FAULTY
    assert faulty["raising"] == "RuntimeError: half installed" and faulty["leaving"] == "SystemExit: I need a GPU"
    assert "ModuleNotFoundError" in faulty["nowhere"] and "ModelCard" in faulty["odd"]
    assert depth_model("worlds").card.name == "worlds"


def test_a_broken_model_asked_for_by_name_says_why(plugins: Path) -> None:
    with pytest.raises(InputError, match="'raising' cannot be loaded: RuntimeError: half installed") as caught:
        depth_model("raising")
    assert "package that brings it" in caught.value.hint


def test_the_list_names_each_broken_model_on_one_line(plugins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) == 0
    lines = capsys.readouterr().out.partition("\nNot on this disk")[0].splitlines()
    assert len(lines) == 5 + len(FAULTY)
    assert sum("broken: raising_model:Make cannot be loaded: RuntimeError: half installed" in li for li in lines) == 1
    assert run(["models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["odd"]["broken"] and "broken" not in rows["worlds"]
    assert run(["models", "leaving"]) == 2
    assert "leaving_model:Make" in capsys.readouterr().err
    assert run(["doctor", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["broken_models"]) == set(FAULTY)


def test_the_installed_command_lives_with_them(plugins: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "unflat.cli.entry", "models"],
        env={**os.environ, "PYTHONPATH": str(plugins)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stderr == "" and "worlds" in done.stdout and "broken: " in done.stdout


def test_a_model_of_another_package_is_told_the_device(plugins: Path) -> None:
    model = depth_model("flat", device="cuda")
    assert getattr(model, "device") == "cuda"  # noqa: B009  (the protocol knows no such attribute)
    with pytest.raises(InputError, match="'ramp' runs on the CPU only"):
        depth_model("ramp", device="cuda")


def test_only_what_is_installed_is_a_device() -> None:
    there = devices()
    assert "cpu" in there and provider_of("cpu") == "CPUExecutionProvider"
    assert all(provider_of(device) in onnxruntime.get_available_providers() for device in there)


def test_a_missing_device_is_said_with_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(InputError, match="cannot run on 'cuda'") as caught:
        depth_model("worlds", device="cuda").predict(np.zeros((32, 32, 3), np.uint8))
    assert "Installed: cpu" in caught.value.hint and "onnxruntime-gpu" in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.filterwarnings("ignore:Specified provider")
@pytest.mark.skipif("coreml" in devices(), reason="this machine really has it")
def test_a_device_that_does_not_start_is_no_silent_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime falls back to the CPU; whoever asked for more is told."""
    names = ["CoreMLExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
    with pytest.raises(InputError, match="'coreml' does not start"):
        depth_model("worlds", device="coreml").predict(np.zeros((32, 32, 3), np.uint8))


def test_the_cpu_named_is_the_cpu_unnamed() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    assert np.array_equal(
        depth_model("worlds", device="cpu").predict(rgb).values, depth_model("worlds").predict(rgb).values
    )

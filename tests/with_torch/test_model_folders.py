"""Folders of networks: damaged, hostile, too large, under a licence, without a connection, fetched and exported.

Needs the extra 'models'; ``tests/with_torch/run`` makes an environment that has it. Without torch all is skipped.
"""

from __future__ import annotations

import json
import socket
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch: tests/with_torch/run", exc_type=ImportError)
pytest.importorskip("transformers", reason="needs transformers: tests/with_torch/run", exc_type=ImportError)

import torch
import transformers

import unflat
from family_nets import RGB
from unflat.cli.main import run
from unflat.errors import InputError, MemoryLimitError, RightsError, UnflatError, WeightsError
from unflat.models.registry import depth_model


def rewrite(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


@pytest.mark.parametrize(
    "harm",
    [
        "cut",
        "noise",
        "empty",
        "pickle",
        "gone",
        "config",
        "list",
        "huge",
        "layers",
        "code",
        "reach",
        "backbone",
        "adapter",
        "missing",
        "shapes",
    ],
)
def test_damaged_and_hostile_folders_are_one_error(
    tmp_path: Path, folders: dict[str, Path], harm: str, capfd: pytest.CaptureFixture[str]
) -> None:
    from shutil import copytree

    import PIL.Image
    from safetensors.torch import load_file, save_file

    folder = copytree(folders["glpn"], tmp_path / "net")
    weights = folder / "model.safetensors"
    data = weights.read_bytes()
    if harm in ("cut", "noise", "empty"):
        weights.write_bytes({"cut": data[: len(data) // 2], "noise": b"\xff" * 999, "empty": b""}[harm])
    elif harm in ("pickle", "gone"):
        weights.unlink()
        if harm == "pickle":
            torch.save({"x": torch.zeros(1)}, folder / "pytorch_model.bin")
    elif harm in ("config", "list"):
        (folder / "config.json").write_text({"config": "{", "list": "[1]"}[harm])
    elif harm == "adapter":
        (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "someone/else"}')
    elif harm == "missing":
        kept = load_file(weights)
        kept.pop(sorted(kept)[0])
        save_file(kept, weights, metadata={"format": "pt"})
    else:
        changes: dict[str, dict[str, Any]] = {
            "huge": {"decoder_hidden_size": 10**9},
            "layers": {"depths": [10**6] * 4},
            "code": {"auto_map": {"AutoModelForDepthEstimation": "evil.Evil"}},
            "reach": {"use_pretrained_backbone": True},
            "backbone": {"backbone": "someone/else"},
            "shapes": {"decoder_hidden_size": 24},
        }
        rewrite(folder, **changes[harm])
    PIL.Image.fromarray(RGB).save(tmp_path / "a.png")
    capfd.readouterr()
    assert (
        run(["depth", str(tmp_path / "a.png"), "--depth", f"transformers:{folder}", "-o", str(tmp_path / "o.npy")]) == 5
    )
    said = capfd.readouterr().err.strip().splitlines()
    assert len(said) == 2 and said[0].startswith("error: ") and said[1].startswith("hint: "), said


def test_too_large_for_this_machine_is_said_before_it_is_tried(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from unflat.models.depth import transformers as adapter

    adapter._network.cache_clear()
    monkeypatch.setattr(adapter, "_memory", lambda: 1000.0)
    with pytest.raises(MemoryLimitError, match="do not fit in memory"):
        depth_model(f"transformers:{folders['glpn']}").predict(RGB)


def test_licence_and_device(tmp_path: Path, folders: dict[str, Path]) -> None:
    from shutil import copytree

    folder = copytree(folders["glpn"], tmp_path / "net")
    word = f"transformers:{folder}"
    with pytest.raises(RightsError, match="unknown"):
        depth_model(word, commercial_only=True)
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    with pytest.raises(RightsError, match=r"cc-by-nc-4\.0"):
        unflat.depth(RGB, depth=word, commercial_only=True)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    assert depth_model(word, commercial_only=True).card.commercial
    with pytest.raises(InputError, match="torch does not run on 'coreml'"):
        depth_model(word, device="coreml")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="no CUDA"):
            depth_model(word, device="cuda")


def test_a_folder_needs_no_network(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from unflat.models.depth import transformers as adapter

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was used")

    adapter._network.cache_clear()
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert unflat.depth(RGB, depth=f"transformers:{folders['depth_anything']}").origin == "transformers:depth_anything"
    with pytest.raises(UnflatError, match="not on this disk"):
        unflat.depth(RGB, depth="transformers:someone/else")


def test_threads_are_given_back(folders: dict[str, Path]) -> None:
    before = torch.get_num_threads()
    depth_model(f"transformers:{folders['glpn']}", threads=1).predict(RGB)
    assert torch.get_num_threads() == before


def test_a_fetched_model_is_the_best_on_disk(folders: dict[str, Path], cache: Path) -> None:
    """What ``models pull`` would have written: the record, and the files it names."""
    from shutil import copytree

    from unflat.models.cache import Held, write_record
    from unflat.models.onnx_file import sha256_of

    place = copytree(folders["depth_anything"], cache / "models" / "depth-anything-v2-small")
    files = {one.name: (sha256_of(one), one.stat().st_size) for one in place.iterdir()}
    source = "depth-anything/Depth-Anything-V2-Small-hf"
    write_record(Held("depth-anything-v2-small", source, "0" * 40, "transformers", "apache-2.0", "", files), place)
    report = unflat.photo(RGB, commercial_only=True).report
    assert report["model"] == "depth-anything-v2-small"
    step = next(one for one in report["provenance"]["steps"] if one["name"] == "depth")
    assert step["licence"] == "apache-2.0" and step["options"]["weights_sha256"] == files["model.safetensors"][0]
    assert unflat.depth(RGB, depth=f"transformers:{source}").origin == "depth-anything-v2-small"
    (place / "model.safetensors").write_bytes(b"\0" * files["model.safetensors"][1])
    with pytest.raises(WeightsError, match="sha256 differs"):
        unflat.depth(RGB)


def test_an_exported_network_says_what_the_original_says(folders: dict[str, Path], tmp_path: Path) -> None:
    """The same weights through torch and, exported, through onnxruntime with the card that ``models pull`` writes."""
    pytest.importorskip("onnxscript", reason="torch's exporter needs onnxscript", exc_type=ImportError)
    from unflat.models.exported import exported_card

    folder = folders["depth_anything"]
    model = transformers.AutoModelForDepthEstimation.from_pretrained(folder).eval()

    class Bare(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = model

        def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
            return self.net(pixel_values).predicted_depth

    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Bare(),
            (torch.zeros(1, 3, 56, 70),),
            str(tmp_path / "model.onnx"),
            input_names=["pixel_values"],
            dynamic_axes={"pixel_values": {2: "height", 3: "width"}},
            dynamo=False,
        )
    exported_card(tmp_path, "model.onnx", "x", "mit")
    mine = depth_model(f"onnx:{tmp_path / 'model.onnx'}", threads=1).predict(RGB)
    theirs = depth_model(f"transformers:{folder}", threads=1).predict(RGB)
    assert mine.kind is theirs.kind and mine.values.shape == theirs.values.shape
    assert np.allclose(mine.values, theirs.values, atol=1e-4 * np.abs(theirs.values).max())

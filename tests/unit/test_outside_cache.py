"""``unflat models list|show|pull|remove`` and what the cache promises; the hub is a server on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import skimage.data

import nets
import unflat
from hubs import COMMIT, CONFIG, README, SMALL, Hub, exported
from nets import leftovers
from unflat.cli.main import run
from unflat.errors import InputError, OutputError, RightsError, UnflatError, WeightsError
from unflat.models import cache as shelf
from unflat.models.pull import pull
from unflat.models.registry import depth_model


def test_a_model_is_fetched_verified_used_and_removed(
    tmp_path: Path, cache: Path, hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.repos[SMALL] = exported(tmp_path)
    assert run(["models", "pull", "depth-anything-v2-small"]) == 0
    assert "licence apache-2.0" in capsys.readouterr().out
    assert leftovers(cache) == ["depth-anything-v2-small"]
    there = {one.name for one in (cache / "models" / "depth-anything-v2-small").iterdir()}
    assert there == {"model.onnx", "model.json", "config.json", "preprocessor_config.json", "README.md", "unflat.json"}
    seen = depth_model("depth-anything-v2-small", threads=1)
    rgb = np.random.default_rng(0).integers(0, 256, (56, 56, 3), np.uint8)
    assert np.allclose(seen.predict(rgb).values, rgb.mean(axis=2) / 255, atol=1e-6)
    assert seen.card.name == "depth-anything-v2-small" and seen.card.licence == "apache-2.0" and seen.card.commercial
    assert seen.card.sha256 == hashlib.sha256(hub.repos[SMALL]["onnx/model.onnx"]).hexdigest()
    assert COMMIT in seen.card.source and SMALL in seen.card.source
    assert depth_model(f"transformers:{SMALL}", threads=1).card == seen.card
    assert run(["models", "show", "depth-anything-v2-small"]) == 0
    assert COMMIT in capsys.readouterr().out
    assert run(["models", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["depth-anything-v2-small"]["on_disk"] and not rows["depth-pro"]["on_disk"]
    assert run(["models", "remove", "depth-anything-v2-small"]) == 0 and leftovers(cache) == []
    assert run(["models", "remove", "depth-anything-v2-small"]) == 2


def test_no_network_is_used_where_depth_is_made(
    tmp_path: Path, cache: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repos[SMALL] = exported(tmp_path)
    pull("depth-anything-v2-small")

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was used")

    asked = len(hub.asked)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert unflat.depth(skimage.data.chelsea()[:80, :80]).origin == "depth-anything-v2-small"
    for word in ("depth-pro", "transformers:someone/else", "transformers:apple/DepthPro-hf"):
        with pytest.raises(WeightsError, match="not on this disk") as caught:
            unflat.depth(skimage.data.chelsea()[:80, :80], depth=word)
        assert "unflat models pull" in caught.value.hint
    with pytest.raises(InputError, match="no depth model"):
        unflat.depth(skimage.data.chelsea()[:80, :80], depth="depth-nothing")
    assert len(hub.asked) == asked


def test_what_lies_there_is_not_fetched_twice_and_a_damaged_one_is(tmp_path: Path, cache: Path, hub: Hub) -> None:
    hub.repos[SMALL] = exported(tmp_path)
    first = pull(SMALL)
    hub.asked.clear()
    assert pull(SMALL) == first and len(hub.asked) == 1
    (first.folder / "model.onnx").write_bytes(b"rot")
    assert pull(SMALL) == first and len(hub.asked) > 2
    assert depth_model("depth-anything-v2-small").card.licence == "apache-2.0"
    hub.repos[SMALL] = exported(tmp_path, times=2)
    assert pull(SMALL).files["model.onnx"] != first.files["model.onnx"]
    assert leftovers(cache) == ["depth-anything-v2-small"]


@pytest.mark.parametrize("file", ["model.onnx", "config.json", "README.md", "model.json"])
@pytest.mark.parametrize("how", ["changed", "gone", "more"])
def test_a_changed_folder_is_not_opened(
    tmp_path: Path, cache: Path, hub: Hub, file: str, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import PIL.Image

    hub.repos[SMALL] = exported(tmp_path)
    folder = pull(SMALL).folder
    path = folder / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if how == "changed":
        path.write_bytes(bytes(data))
    elif how == "gone":
        path.unlink()
    else:
        (folder / f"x{file}").write_bytes(bytes(data))
    PIL.Image.fromarray(skimage.data.chelsea()).save(tmp_path / "a.png")
    for word in ("depth-anything-v2-small", "auto"):
        assert run(["depth", str(tmp_path / "a.png"), "--depth", word, "-o", str(tmp_path / "o.npy")]) == 5
        said = capsys.readouterr().err
        assert "unflat models remove depth-anything-v2-small" in said and len(said.strip().splitlines()) == 2


@pytest.mark.parametrize("fault", ["cut", "sha256", "sha1", "longer", "http", "listing", "commit", "gated", "gone"])
def test_whatever_goes_wrong_nothing_is_left(
    tmp_path: Path, cache: Path, hub: Hub, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = hub.repos[SMALL] = exported(tmp_path)
    net, config = f"/{SMALL}/resolve/{COMMIT}/onnx/model.onnx", f"/{SMALL}/resolve/{COMMIT}/config.json"
    listing = f"/api/models/{SMALL}?blobs=true"
    if fault == "cut":
        hub.cut = "model.onnx"
    elif fault == "sha256":
        hub.lies[net] = files["onnx/model.onnx"][:-1] + b"\x00"
    elif fault == "sha1":
        hub.lies[config] = CONFIG.replace(b"relative", b"metrical")
    elif fault == "longer":
        hub.lies[net] = files["onnx/model.onnx"] + b"more"
    elif fault == "listing":
        hub.lies[listing] = b"<html>"
    elif fault == "commit":
        hub.lies[listing] = hub.listing(SMALL).replace(COMMIT.encode(), b"main/../..")
    elif fault == "gone":
        del hub.repos[SMALL]
    else:
        hub.code = {"http": 500, "gated": 401}[fault]
    assert run(["models", "pull", SMALL]) == (2 if fault == "gone" else 5)
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 2 and said[0].startswith("error: ") and said[1].startswith("hint: ")
    assert leftovers(cache) == [] and shelf.held() == ()


def test_an_interrupted_fetch_leaves_nothing_and_keeps_the_old(tmp_path: Path, cache: Path, hub: Hub) -> None:
    hub.repos[SMALL] = exported(tmp_path)
    first = pull(SMALL)
    hub.repos[SMALL] = exported(tmp_path, times=3)

    def stop(text: str) -> None:
        if "model.onnx" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(SMALL, progress=stop)
    assert leftovers(cache) == ["depth-anything-v2-small"] and shelf.find(SMALL) == first
    shelf.verified(first)


def test_what_a_killed_fetch_left_is_swept_away_later(tmp_path: Path, cache: Path, hub: Hub) -> None:
    hub.repos[SMALL] = exported(tmp_path)
    for name in ("old", "new"):
        (cache / "models" / f".depth-anything-v2-small.{name}.part").mkdir(parents=True)
    os.utime(cache / "models" / ".depth-anything-v2-small.old.part", (0, 0))
    pull(SMALL)
    assert leftovers(cache) == [".depth-anything-v2-small.new.part", "depth-anything-v2-small"]
    assert [one.name for one in shelf.held()] == ["depth-anything-v2-small"]


def test_offline_is_said_with_what_to_do(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
        assert run(["models", "pull", "depth-pro"]) == 5
    said = capsys.readouterr().err
    assert "cannot be asked for" in said and "online" in said and "transformers:FOLDER" in said


def test_pickles_are_never_fetched(tmp_path: Path, cache: Path, hub: Hub) -> None:
    hub.repos["a/b"] = {"config.json": CONFIG, "pytorch_model.bin": b"x", "model.pt": b"x"}
    with pytest.raises(WeightsError, match="has no config") as caught:
        pull("a/b")
    assert "program" in caught.value.hint


def test_safetensors_are_preferred_and_shards_are_taken_together(tmp_path: Path, cache: Path, hub: Hub) -> None:
    hub.repos["a/b"] = exported(tmp_path) | {
        "model-00001-of-00002.safetensors": b"one",
        "model-00002-of-00002.safetensors": b"two",
        "model.safetensors.index.json": b"{}",
    }
    got = pull("a/b")
    assert got.runtime == "transformers" and got.name == "a--b" and "model.onnx" not in got.files
    assert sum(name.endswith(".safetensors") for name in got.files) == 2


def test_a_file_from_an_address_needs_its_checksum(tmp_path: Path, cache: Path) -> None:
    net = nets.mean_net(tmp_path / "Tiny.onnx", (1, 3, 32, 32))
    right = hashlib.sha256(net.read_bytes()).hexdigest()
    (tmp_path / "card.json").write_text(json.dumps({"kind": "disparity", "licence": "MIT"}))
    with pytest.raises(InputError, match="needs its checksum"):
        pull(net.as_uri())
    with pytest.raises(WeightsError, match="checksum differs"):
        pull(net.as_uri(), sha256="0" * 64)
    assert leftovers(cache) == []
    got = pull(net.as_uri(), sha256=right.upper(), card=tmp_path / "card.json")
    assert got.name == "tiny" and got.licence == "MIT" and got.commercial
    seen = depth_model("tiny", commercial_only=True).predict(skimage.data.chelsea())
    assert seen.values.shape == (32, 32)
    bare = pull(net.as_uri(), sha256=right)
    assert bare.licence == "unknown" or bare == got  # what lies there already is kept


def test_auto_takes_the_best_on_disk_that_may_be_used(tmp_path: Path, cache: Path, hub: Hub) -> None:
    rgb = skimage.data.chelsea()[:80, :80]
    assert unflat.depth(rgb).origin == "worlds"
    hub.repos["someone/unranked"] = exported(tmp_path)
    pull("someone/unranked")
    assert unflat.depth(rgb).origin == "worlds"
    hub.repos[SMALL] = exported(tmp_path)
    pull(SMALL)
    assert unflat.depth(rgb).origin == "depth-anything-v2-small"
    large = "depth-anything/Depth-Anything-V2-Large-hf"
    hub.repos[large] = exported(tmp_path) | {"README.md": README.replace(b"apache-2.0", b"cc-by-nc-4.0")}
    pull(large)
    result = unflat.photo(rgb)
    assert result.report["model"] == "depth-anything-v2-large"
    assert any("cc-by-nc-4.0" in warning for warning in result.report["warnings"])
    assert unflat.depth(rgb, commercial_only=True).origin == "depth-anything-v2-small"
    with pytest.raises(RightsError, match="cc-by-nc-4") as caught:
        unflat.depth(rgb, depth="depth-anything-v2-large", commercial_only=True)
    assert caught.value.exit_code == 8
    assert unflat.depth(rgb, depth="worlds", commercial_only=True).origin == "worlds"


def test_what_auto_cannot_run_it_does_not_take(
    tmp_path: Path, cache: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights for torch stay on the shelf where torch is not installed; asked for by name they say what to install."""
    from unflat.models import outside

    monkeypatch.setattr(outside, "torch_is_there", lambda: False)
    hub.repos[SMALL] = {"model.safetensors": b"weights", "config.json": CONFIG, "README.md": README}
    pull(SMALL)
    rgb = skimage.data.chelsea()[:80, :80]
    assert unflat.depth(rgb).origin == "worlds"
    with pytest.raises(UnflatError, match="needs the extra 'models'") as caught:
        unflat.depth(rgb, depth="depth-anything-v2-small")
    assert caught.value.exit_code == 4 and caught.value.hint == 'pip install "unflat[models]"'


def test_the_shape_of_an_unknown_offset_is_said_to_be_assumed(tmp_path: Path, cache: Path, hub: Hub) -> None:
    """A known length makes no metres of a disparity whose offset was assumed, be it a file's or a network's."""
    hub.repos[SMALL] = exported(tmp_path)
    pull(SMALL)
    report = unflat.photo(skimage.data.chelsea(), known_length="20,20,400,200=0.5").report
    assert report["kind"] == "scale" and "offset" in report["scale"]["detail"]


def test_no_room_is_said_before_anything_is_fetched(
    tmp_path: Path, cache: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repos[SMALL] = exported(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=100))
    with pytest.raises(OutputError, match=r"needs 0\.0 GB"):
        pull("depth-anything-v2-small")
    assert len(hub.asked) == 1 and leftovers(cache) == []


def test_a_small_file_that_changed_on_the_hub_is_fetched_again(tmp_path: Path, cache: Path, hub: Hub) -> None:
    hub.repos["a/b"] = exported(tmp_path)
    assert pull("a/b").commercial
    hub.repos["a/b"]["README.md"] = README.replace(b"apache-2.0", b"cc-by-nc-4.0")
    assert not pull("a/b").commercial

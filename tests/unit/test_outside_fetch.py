"""What servers, listings and places can do to ``unflat models pull``, and what it says then."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import numpy as np
import pytest

import nets
from hubs import COMMIT, CONFIG, README, SMALL, Hub, exported
from nets import leftovers
from unflat.errors import InputError, WeightsError
from unflat.models import cache as shelf
from unflat.models import pull as fetching
from unflat.models.pull import pull
from unflat.models.registry import depth_model

RGB = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "address",
    ["https://[::1/x.onnx", "https://[x]/x.onnx", "file://[/x.onnx", "https://a..b/x.onnx", "http://a:b/x.onnx"],
)
def test_what_is_no_address_is_one_error(cache: Path, address: str) -> None:
    with pytest.raises(InputError, match="is not the address"):
        pull(address, sha256="0" * 64)


@pytest.mark.parametrize("hub", ["foo", "file:///tmp", "https://ä", "https://a..b", "https://[x", "https://"])
def test_a_mirror_that_is_no_address_is_said(cache: Path, monkeypatch: pytest.MonkeyPatch, hub: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub)
    with pytest.raises(InputError, match="HF_ENDPOINT"):
        pull("a/b")


@pytest.mark.parametrize("place", ["https://a..b/x", "http://[/x", "http://a:b/"])
@pytest.mark.parametrize("path", [f"/api/models/{SMALL}?blobs=true", f"/{SMALL}/resolve/{COMMIT}/onnx/model.onnx"])
def test_a_way_that_leads_to_no_address_is_said(tmp_path: Path, cache: Path, hub: Hub, path: str, place: str) -> None:
    hub.repos[SMALL] = exported(tmp_path)
    hub.moved[path] = place
    with pytest.raises(WeightsError, match=r"cannot be (asked for|fetched): (it leads to what is no|nonnumeric port)"):
        pull(SMALL)
    assert leftovers(cache) == []


@pytest.mark.parametrize("path", ["blobs=true", "model.onnx"])
def test_a_server_that_drips_is_left(
    tmp_path: Path, cache: Path, hub: Hub, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_WINDOW_S", 0.2)
    hub.repos[SMALL] = exported(tmp_path)
    hub.slow = path
    with pytest.raises(WeightsError, match="less than 1 kB a second"):
        pull(SMALL)
    assert leftovers(cache) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_only_plain_files_are_fetched_from_this_disk(tmp_path: Path, cache: Path) -> None:
    data = nets.mean_net(tmp_path / "net.onnx").read_bytes()
    pipe = tmp_path / "pipe.onnx"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    try:
        with pytest.raises(WeightsError, match="no such file"):
            pull(pipe.as_uri(), sha256=hashlib.sha256(data).hexdigest())
    finally:
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # lets the writer go
        writer.join()
        os.close(reader)


@pytest.mark.parametrize("data", [b"", b"no network", b"\x08\x08"])
def test_an_exported_network_of_a_repository_is_looked_at(tmp_path: Path, cache: Path, hub: Hub, data: bytes) -> None:
    hub.repos["a/b"] = exported(tmp_path) | {"onnx/model.onnx": data}
    with pytest.raises(WeightsError, match=r"model\.onnx"):
        pull("a/b")
    assert leftovers(cache) == []


@pytest.mark.parametrize("location", ["model.onnx_data", "model.onnx_data_1"])
def test_a_network_in_two_files_is_whole_or_not_there(tmp_path: Path, cache: Path, hub: Hub, location: str) -> None:
    net = nets.external_net(tmp_path / "model.onnx", location).read_bytes()
    weights = {f"onnx/{location}": (tmp_path / location).read_bytes()}
    hub.repos["a/b"] = {"config.json": CONFIG, "README.md": README, "onnx/model.onnx": net}
    with pytest.raises(WeightsError, match=f"needs the data file '{location}'"):
        pull("a/b")
    hub.repos["a/b"] |= weights
    assert location in pull("a/b").files
    assert depth_model("a--b").predict(RGB).values.size > 0


def test_files_that_only_look_like_weights_stay_where_they_are(tmp_path: Path, cache: Path, hub: Hub) -> None:
    odd = ("onnx/model.onnx_data/unflat.json", "onnx/model.onnx_data/config.json", "onnx/model.onnx_data.exe")
    hub.repos["a/b"] = exported(tmp_path) | dict.fromkeys(odd, b"{}")
    assert pull("a/b").files.keys().isdisjoint({"unflat.json", "model.onnx_data.exe"})
    assert depth_model("a--b").predict(RGB).values.size > 0


def test_a_card_does_not_take_the_place_of_the_record(tmp_path: Path, cache: Path) -> None:
    net = nets.mean_net(tmp_path / "unflat.onnx")
    with pytest.raises(InputError, match=r"name of the record unflat\.json"):
        pull(net.as_uri(), sha256=sha(net))


@pytest.mark.parametrize("way", ["folder", "nothing", "file"])
def test_what_somebody_laid_at_a_models_place_is_replaced_and_not_followed(
    tmp_path: Path, cache: Path, way: str
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "keep").write_text("me")
    place = cache / "models" / "net"
    place.parent.mkdir(parents=True)
    if way == "file":
        place.write_text("in the way")
    else:
        place.symlink_to(mine if way == "folder" else tmp_path / "gone")
    net = nets.mean_net(tmp_path / "net.onnx")
    got = pull(net.as_uri(), sha256=sha(net))
    assert leftovers(cache) == ["net"] and shelf.held() == (got,) and (mine / "keep").read_text() == "me"
